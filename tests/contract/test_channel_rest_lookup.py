"""REST channels that ask: what became of a reply, whether they are let in; and descriptions that cannot work."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from pydantic import ValidationError
from pytest_httpserver import HTTPServer

from rest_channels import channel_of, rehosted
from rest_sending import ANY, at, look_up, own
from understudy.errors import ConfigurationError
from understudy.records.outbox import Accepted, Rejected, Retry, SendResult, Unknown
from understudy.settings.model import Settings

# --- looking up


SLACK_SENT = {"ts": "1.2", "metadata": {"event_payload": {"key": "out-1"}}}


@pytest.mark.parametrize(
    ("kind", "status", "body", "expected"),
    [
        ("slack", 200, {"ok": True, "messages": [{"ts": "0"}, SLACK_SENT]}, Accepted),
        ("slack", 200, {"ok": True, "messages": []}, Retry),
        ("slack", 200, {"ok": True, "messages": [{"ts": "0"}], "has_more": True}, Unknown),
        ("slack", 200, {"ok": False, "error": "missing_scope"}, Unknown),
        ("slack", 200, {"ok": True, "items": []}, Unknown),  # the field was renamed
        ("slack", 404, {}, Unknown),
        ("slack", 500, {"ok": True, "messages": []}, Unknown),
        ("sinch_sms", 200, {"count": 1, "batches": [{"id": "b-1", "client_reference": "out-1"}]}, Accepted),
        ("sinch_sms", 200, {"count": 1, "batches": [{"id": "b-1", "client_reference": "out-1", "canceled": True}]}, Rejected),
        ("sinch_sms", 200, {"count": 0, "batches": []}, Retry),
        ("sinch_sms", 200, {"count": 31, "batches": []}, Unknown),
        ("zendesk", 200, {"messages": [{"id": "m", "metadata": {"understudy_key": "out-1"}}], "meta": {"hasMore": False}}, Accepted),
        ("zendesk", 200, {"messages": [{"id": "m", "metadata": {"understudy_key": "out-12"}}], "meta": {"hasMore": False}}, Retry),
    ],
)  # fmt: skip
def test_a_look_up_says_sent_not_seen_or_nothing(
    kind: str, status: int, body: Any, expected: type[SendResult], httpserver: HTTPServer
) -> None:
    httpserver.expect_request(ANY, method="GET").respond_with_json(body, status)
    channel = rehosted(kind, at(httpserver))
    assert channel.capabilities.can_look_up
    assert isinstance(look_up(channel), expected)


def test_a_look_up_that_finds_nobody_at_home_says_nothing_of_the_message() -> None:
    assert isinstance(look_up(rehosted("slack", "http://127.0.0.1:9")), Unknown)


@pytest.mark.parametrize("kind", ["twilio", "whatsapp_cloud", "chatwoot", "intercom", "sinch_conversation"])
def test_a_vendor_that_cannot_be_asked_by_key_is_not_asked(kind: str) -> None:
    channel = channel_of(kind)
    assert not channel.capabilities.can_look_up
    assert isinstance(look_up(channel), Unknown)


# --- being let in


def test_a_probe_says_whether_the_provider_lets_us_in(httpserver: HTTPServer) -> None:
    httpserver.expect_oneshot_request("/api/auth.test").respond_with_json({"ok": True})
    httpserver.expect_oneshot_request("/api/auth.test").respond_with_json({"ok": False, "error": "invalid_auth"})

    async def scene() -> None:
        channel = rehosted("slack", at(httpserver))
        try:
            reached = await channel.check()
            assert reached.says.endswith("lets this channel in")
            assert reached.clock_ahead_s is not None
            assert reached.clock_ahead_s < 0  # the frozen clock stands in the past
            with pytest.raises(ConfigurationError, match="invalid_auth"):
                await channel.check()
        finally:
            await channel.close()

    asyncio.run(scene())


# --- configuration


def settings_of(**channel: Any) -> Settings:
    return Settings.model_validate({"channels": {"shop": channel}})


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"send": {"url": "{base_url}/x", "template": {"a": "{who}"}}}, "{who} stands for nothing"),
        ({"send": {"url": "https://{to}.example/x"}}, "would be chosen by the message"),
        ({"send": {"url": "ftp://files.example/x"}}, "'ftp'"),
        ({"signature": {"scheme": "faxes"}}, "no signature scheme is called 'faxes'"),
        ({"handshakes": [{"when": "@.query.x", "challenge": "$.query.c", "token": "$.query.t", "credential": "vt"}]}, "'vt'"),
        ({"send": {"url": "https://api.example/x", "template": {"back": "{public_url}"}}}, "server.public_url"),
    ],
)  # fmt: skip
def test_a_description_that_cannot_work_is_refused_when_it_is_read(more: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigurationError, match="channel 'shop'") as refused:
        own("https://api.example", **more)
    assert words in refused.value.message


@pytest.mark.parametrize(
    ("part", "words"),
    [
        ({"signature": {}}, "one of scheme, token, or header and template"),
        ({"signature": {"scheme": "slack", "token": "$.query.t"}}, "one of scheme, token, or header and template"),
        ({"signature": {"header": "x-sig"}}, "both header and template"),
        ({"handshakes": [{"when": "@.query.x", "challenge": "$.query.c"}]}, "a GET carries no signature"),
        ({"send": {"url": "https://x", "login": ["a"]}}, "a name and a password"),
        ({"send": {"url": "https://x", "body": "form", "template": {"a": {"b": "c"}}}}, "fields of a form are texts"),
        ({"send": {"url": "https://x/{a"}}, "begins or ends no placeholder"),
        ({"send": {"url": "https://x/{text:shout}"}}, "no form 'shout'"),
        ({"reports": {"when": "@.report", "status": "$.a", "delivered": ["a"], "failed": ["b"]}}, "give key or provider_id"),
        ({"answer": {"rules": [{"when": "@.body ==", "means": "retry"}]}}, "is no condition"),
        ({"answer": {"rules": [{"when": "match(@.body, 'a*')", "means": "retry"}]}}, "'match' is not defined"),
        ({"answer": {"provider_id": "body.id"}}, "it begins with $"),
    ],
)  # fmt: skip
def test_a_mistake_in_a_description_is_named(part: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError) as refused:
        own("https://x.example", **part)
    assert words in str(refused.value)


def test_a_credential_is_shown_nowhere() -> None:
    channel = settings_of(
        kind="rest",
        credentials={"api_key": "s3cret"},
        inbound={"when": "@.message", "id": "$.message.id", "conversation": "$.x", "address": "$.x", "text": "$.x"},
        send={"url": "https://x"},
    ).channels["shop"]
    assert "s3cret" not in repr(channel)
