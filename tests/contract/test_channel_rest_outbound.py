"""What goes out over REST channels, and what is made of every way a provider may answer, break or stay silent."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import html
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytest_httpserver import HTTPServer

from rest_channels import PUBLIC, SECRET, channel_of, rehosted
from rest_sending import ANY, ENTRY, at, own, send
from sockets import serving
from understudy.adapters.channels.outlet import RETRY_AFTER_S_MAX
from understudy.adapters.channels.rest_writing import CannotStand, values_of, written
from understudy.records.outbox import Accepted, Rejected, Retry, SendResult, Unknown
from understudy.records.rest import RequestShape

TAKEN = {
    "twilio": {"sid": "p-1", "status": "queued"},
    "sinch_sms": {"id": "p-1"},
    "sinch_conversation": {"message_id": "p-1"},
    "whatsapp_cloud": {"messages": [{"id": "p-1"}]},
    "slack": {"ok": True, "ts": "p-1"},
    "chatwoot": {"id": "p-1"},
    "zendesk": {"messages": [{"id": "p-1"}]},
    "intercom": {"id": "p-1", "type": "conversation"},
}
"""What each vendor answers to a reply that it takes; Kannel, which says a status and no more, has a server of its own in its tests."""


# --- what is sent


@pytest.mark.parametrize("kind", TAKEN)
def test_a_reply_reaches_each_vendor_with_its_text_as_it_was_written(kind: str, httpserver: HTTPServer) -> None:
    httpserver.expect_oneshot_request(ANY, method="POST").respond_with_json(TAKEN[kind])
    assert send(rehosted(kind, at(httpserver))) == Accepted(provider_id="p-1")
    request, _ = httpserver.log[-1]
    body = request.get_data().decode()
    fields = dict(parse_qsl(body)) if kind == "twilio" else json.loads(body)
    said = {
        "twilio": lambda: fields["Body"],
        "sinch_sms": lambda: fields["body"],
        "sinch_conversation": lambda: fields["message"]["text_message"]["text"],
        "whatsapp_cloud": lambda: fields["text"]["body"],
        "slack": lambda: fields["text"].replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&"),
        "chatwoot": lambda: fields["content"],
        "zendesk": lambda: fields["content"]["text"],
        "intercom": lambda: html.unescape(fields["body"].replace("<br>", "\n")),
    }[kind]()
    assert said == ENTRY.text
    assert (
        "authorization" in {name.lower() for name, _ in request.headers}
        or "api-access-token" in body
        or kind == "chatwoot"
    )
    if kind in ("twilio", "sinch_sms", "sinch_conversation", "whatsapp_cloud", "slack", "zendesk"):
        assert ENTRY.id in body, "carries the key, so that a report or a look-up can name the reply"


def test_twilio_is_asked_as_its_reference_says() -> None:
    channel = channel_of("twilio")
    request = written(channel._shape.send, channel._values | values_of(ENTRY))
    assert request.url == f"https://api.twilio.com/2010-04-01/Accounts/AC{'0' * 32}/Messages.json"
    assert request.headers["authorization"] == "Basic " + base64.b64encode(f"AC{'0' * 32}:{SECRET}".encode()).decode()
    assert dict(parse_qsl((request.body or b"").decode())) == {
        "From": "+18005551212",
        "To": "+4915100",
        "Body": ENTRY.text,
        "StatusCallback": f"{PUBLIC}/webhooks/shop?key=out-1",
    }
    assert SECRET not in repr(request)


def test_markup_of_a_vendor_is_never_the_agents_to_write() -> None:
    channel = channel_of("slack")
    for text, expected in (("<!channel> hi", "&lt;!channel&gt; hi"), ("a & b", "a &amp; b")):
        request = written(channel._shape.send, channel._values | values_of(replace(ENTRY, text=text)))
        assert json.loads(request.body or b"")["text"] == expected
    intercom = channel_of("intercom")
    hostile = replace(ENTRY, text='<img src=x onerror="alert(1)">\nbye')
    request = written(intercom._shape.send, intercom._values | values_of(hostile))
    assert json.loads(request.body or b"")["body"] == "&lt;img src=x onerror=&quot;alert(1)&quot;&gt;<br>bye"


@given(text=st.text(max_size=60), to=st.text(min_size=1, max_size=20))
def test_placeholders_are_filled_as_data_whatever_they_hold(text: str, to: str) -> None:
    shape = RequestShape(
        url="https://api.example/{to}/x?y={text}", template={"a": {"b": ["{text}", "{{}}", "x{to}"]}, "n": 1}
    )
    values = {"text": text, "to": to}
    try:
        request = written(shape, values)
    except CannotStand:
        assert {to, text} & {".", "..", ""}
        return
    path, query = request.url.removeprefix("https://api.example/").split("?", 1)
    assert path.count("/") == 1
    assert query.count("=") == 1
    assert "&" not in query
    with contextlib.suppress(UnicodeEncodeError):
        text.encode()
        to.encode()
        assert json.loads(request.body or b"") == {"a": {"b": [text, "{}", f"x{to}"]}, "n": 1}


def test_a_value_that_a_header_cannot_carry_is_rejected_and_not_sent(httpserver: HTTPServer) -> None:
    channel = own(
        at(httpserver), send={"url": "{base_url}/send", "headers": {"x-to": "{to}"}, "template": {"t": "{text}"}}
    )
    result = send(channel, replace(ENTRY, address="a\r\nx-evil: 1"))
    assert isinstance(result, Rejected)
    assert "header x-to" in result.reason
    assert httpserver.log == []


def test_an_address_that_would_climb_is_rejected_and_not_sent(httpserver: HTTPServer) -> None:
    result = send(own(at(httpserver)), replace(ENTRY, address=".."))
    assert isinstance(result, Rejected)
    assert httpserver.log == []


def test_the_key_is_the_same_at_every_try(httpserver: HTTPServer) -> None:
    httpserver.expect_request("/send/+4915100").respond_with_json({})
    send(own(at(httpserver)), times=2)
    assert [request.headers["Idempotency-Key"] for request, _ in httpserver.log] == ["out-1", "out-1"]


def test_a_reply_longer_than_the_channel_takes_is_rejected() -> None:
    result = send(channel_of("twilio"), replace(ENTRY, text="x" * 1_601))
    assert result == Rejected(reason="the reply is 1601 characters long, shop takes 1600")


# --- what an answer means


@pytest.mark.parametrize(
    ("status", "honours_keys", "expected"),
    [
        (200, False, Accepted),
        (204, False, Accepted),
        (409, True, Accepted),
        (409, False, Rejected),
        (408, False, Retry),
        (425, False, Retry),
        (429, False, Retry),
        (500, True, Retry),
        (500, False, Unknown),
        (502, False, Unknown),
        (501, False, Retry),
        (503, False, Retry),
        (302, False, Rejected),
        (400, True, Rejected),
        (401, False, Rejected),
        (404, False, Rejected),
    ],
)
def test_a_status_means_what_it_means_to_every_channel(
    status: int, honours_keys: bool, expected: type[SendResult], httpserver: HTTPServer
) -> None:
    httpserver.expect_request("/send/+4915100").respond_with_data("x", status)
    assert isinstance(send(own(at(httpserver), can={"honours_keys": honours_keys})), expected)


@pytest.mark.parametrize(
    ("kind", "status", "body", "expected", "words"),
    [
        ("slack", 200, {"ok": False, "error": "ratelimited"}, Retry, "ratelimited"),
        ("slack", 200, {"ok": False, "error": "channel_not_found"}, Rejected, "channel_not_found"),
        ("slack", 200, {"ok": False, "error": "internal_error"}, Unknown, "internal_error"),
        ("whatsapp_cloud", 400, {"error": {"code": 131047}}, Rejected, "more than 24 hours old"),
        ("whatsapp_cloud", 400, {"error": {"code": 130429}}, Retry, "130429"),
        ("whatsapp_cloud", 500, {"error": {"code": 131000}}, Unknown, "131000"),
        ("whatsapp_cloud", 401, {"error": {"code": 190}}, Rejected, "190"),
        ("twilio", 400, {"code": 21610}, Rejected, "21610"),
        ("twilio", 429, {"code": 20429}, Retry, "20429"),
    ],
)
def test_a_vendors_answer_means_what_its_rules_say(
    kind: str, status: int, body: Any, expected: type[SendResult], words: str, httpserver: HTTPServer
) -> None:
    httpserver.expect_request(ANY).respond_with_json(body, status)
    result = send(rehosted(kind, at(httpserver)))
    assert isinstance(result, expected)
    assert words in getattr(result, "reason", "")


@pytest.mark.parametrize("kind", TAKEN)
@pytest.mark.parametrize("body", ["", "<html>", "{}", "[]", "null", '{"id": {"a": 1}}', "[" * 50_000, "x" * 100_000])
def test_a_200_that_does_not_name_the_message_is_no_receipt(kind: str, body: str, httpserver: HTTPServer) -> None:
    httpserver.expect_request(ANY).respond_with_data(body, 200)
    result = send(rehosted(kind, at(httpserver)))
    assert isinstance(result, Unknown)
    assert "without the message's id" in result.reason


@pytest.mark.parametrize(
    ("headers", "body", "after_s"),
    [
        ({"retry-after": "7"}, {}, 7.0),
        ({"retry-after": "9999999"}, {}, RETRY_AFTER_S_MAX),
        ({}, {"wait": 3}, 3.0),
        ({"retry-after": "7"}, {"wait": "2.5"}, 2.5),
        ({}, {"wait": "soon"}, None),
    ],
)
def test_a_wait_is_read_from_the_answer(headers: Any, body: Any, after_s: float | None, httpserver: HTTPServer) -> None:
    httpserver.expect_request("/send/+4915100").respond_with_json(body, 429, headers=headers)
    result = send(own(at(httpserver), answer={"retry_after": "$.body.wait"}))
    assert isinstance(result, Retry)
    assert result.after_s == after_s


@contextlib.asynccontextmanager
async def raw(answer: bytes | None, *, hold_s: float = 0.0) -> AsyncIterator[str]:
    """A server that answers with these bytes and closes; None closes without a word."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        if answer is not None:
            writer.write(answer)
            await writer.drain()
        await asyncio.sleep(hold_s)

    async with serving(serve) as port:
        yield f"http://127.0.0.1:{port}"


@pytest.mark.parametrize(
    ("answer", "hold_s", "expected"),
    [
        (None, 0.0, Unknown),  # closed without a word
        (None, 2.0, Unknown),  # silence
        (
            b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{",
            0.0,
            Unknown,
        ),  # half a body, and it had to name the message
        (b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{", 2.0, Unknown),  # it drips
        (b"nonsense\r\n\r\n", 0.0, Unknown),
    ],
)
def test_a_connection_that_breaks_after_the_request_leaves_the_outcome_unknown(
    answer: bytes | None, hold_s: float, expected: type[SendResult]
) -> None:
    async def scene() -> SendResult:
        async with raw(answer, hold_s=hold_s) as url:
            channel = own(url, answer={"provider_id": "$.body.id"}, timeout_s=0.5)
            try:
                return await channel.send(ENTRY)
            finally:
                await channel.close()

    assert isinstance(asyncio.run(scene()), expected)


def test_no_connection_is_tried_again() -> None:
    assert isinstance(send(own("http://127.0.0.1:9")), Retry)


def test_sends_keep_to_the_rate_the_channel_declares(httpserver: HTTPServer) -> None:
    httpserver.expect_request("/send/+4915100").respond_with_json({})
    fast = own(at(httpserver), can={"per_minute_max": 10})
    result = send(fast, times=2)
    assert isinstance(result, Retry)
    assert "10 replies a minute" in result.reason
    assert result.after_s == pytest.approx(6.0)
    assert len(httpserver.log) == 1
