"""A system of record over REST, whatever it answers, breaks or stays silent: each is told apart, and nothing is taken for "none"."""

from __future__ import annotations

import asyncio
import json
import time
from datetime import timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from sockets import serving
from systems import ADA, ask, own, tell
from understudy.adapters.systems.consulting import same_phone
from understudy.adapters.systems.ordering import pruned
from understudy.errors import ConfigurationError
from understudy.ports.system import Found, Untold
from understudy.records.facts import ITEMS_MAX, VALUE_CHARS_MAX
from understudy.records.outbox import Accepted, Rejected, Retry, Unknown
from understudy.records.rest import RequestShape
from understudy.records.systems import Known, Order
from understudy.records.templates import filled
from understudy.settings.systems import System
from understudy.systems import build_system
from understudy.testing.scripted import FrozenClock

SHAPE: dict[str, Any] = {
    "auth": {"headers": {"x-api-key": "{api_token}"}},
    "contact": {
        "ask": [{"url": "{base_url}/people?email={email}"}, {"url": "{base_url}/people?phone={phone_digits}"}],
        "answered": "@.body.people",
        "items": "$.body.people[*]",
        "same_email": "$.item.mail",
        "same_phone": "$.item.phone",
        "id": "$.item.id",
        "fields": {"name": "$.item.name", "tags": "$.item.tags[*]"},
        "needed": ["name"],
        "as_of": "$.body.as_of",
        "not_found": [404],
        "more": "@.body.next",
    },
    "create": {
        "url": "{base_url}/tickets",
        "template": {
            "title": "{subject}",
            "body": "{text}",
            "mail": "{email}",
            "to": [{"id": "{contact_id}", "kind": 1}],
        },
        "answer": {"provider_id": "$.body.id", "rules": [{"when": "@.body.error == 'busy'", "means": "retry"}]},
        "find": {
            "url": "{base_url}/tickets?key={key}",
            "answered": "@.body.tickets",
            "items": "$.body.tickets[*]",
            "when": "@.item.key == @.order.key",
            "id": "$.item.id",
            "settles_s": 30,
        },
    },
}
PERSON = {"id": 7, "name": "Ada", "mail": "ada@example.com", "tags": ["vip", "new"]}
ORDER = Order(what="create", key="k-1", subject="Late", text="It is late.", known=Known(emails=("ada@example.com",)))


def at(httpserver: HTTPServer) -> str:
    return httpserver.url_for("").rstrip("/")


def answering(httpserver: HTTPServer, body: Any, status: int = 200, **headers: str) -> None:
    text = body if isinstance(body, str) else json.dumps(body)
    answer = Response(text, status, headers=headers, content_type="application/json")
    httpserver.expect_request("/people").respond_with_response(answer)
    httpserver.expect_request("/tickets").respond_with_response(answer)


def test_what_is_found_is_read_by_name(httpserver: HTTPServer) -> None:
    answering(httpserver, {"people": [PERSON], "as_of": "2026-01-01T10:00:00+01:00"})
    told = ask(own(at(httpserver), SHAPE), "contact")
    assert isinstance(told, Found)
    assert told.items[0].id == "7"
    assert told.items[0].values == {"name": "Ada", "tags": "vip, new"}
    assert told.as_of is not None
    assert told.as_of.isoformat() == "2026-01-01T09:00:00+00:00"
    assert httpserver.log[0][0].headers["x-api-key"] == "t0p-secret"


def test_the_phone_number_is_tried_where_the_address_is_not_known(httpserver: HTTPServer) -> None:
    httpserver.expect_request("/people", query_string="email=ada%40example.com").respond_with_json({"people": []})
    person = {**PERSON, "mail": None, "phone": "0151 123 45 67"}
    httpserver.expect_request("/people", query_string="phone=491511234567").respond_with_json({"people": [person]})
    told = ask(own(at(httpserver), SHAPE), "contact")
    assert isinstance(told, Found)
    assert [one.id for one in told.items] == ["7"]


def test_nobody_is_asked_of_who_is_not_vouched_for(httpserver: HTTPServer) -> None:
    told = ask(own(at(httpserver), SHAPE), "contact", Known(external_id="u-1"))
    assert isinstance(told, Untold)
    assert told.why == "not_verified"
    assert httpserver.log == []


@pytest.mark.parametrize(
    ("status", "body", "why"),
    [
        (200, "<html>Sign in</html>", "nonsense"),
        (200, "", "nonsense"),
        (200, '{"people": [', "nonsense"),
        (200, "[" * 100_000, "nonsense"),
        (200, {"persons": []}, "changed"),
        (200, {"people": [{**PERSON, "name": None}]}, "changed"),
        (200, {"people": [{**PERSON, "id": None}]}, "changed"),
        (200, {"people": [{**PERSON, "name": {"first": "Ada"}}]}, "changed"),
        (302, {}, "refused"),
        (400, {}, "refused"),
        (401, {}, "refused"),
        (403, {}, "refused"),
        (408, {}, "unreachable"),
        (429, {}, "rate_limited"),
        (500, {}, "unreachable"),
        (503, {}, "unreachable"),
    ],
)
def test_what_is_no_answer_is_unknown_with_a_reason(httpserver: HTTPServer, status: int, body: Any, why: str) -> None:
    answering(httpserver, body, status, **{"Retry-After": "12"})
    told = ask(own(at(httpserver), SHAPE), "contact")
    assert isinstance(told, Untold), told
    assert told.why == why
    assert told.after_s == (12 if status in (408, 429, 500, 503) else None)


def test_that_there_is_nobody_is_an_answer(httpserver: HTTPServer) -> None:
    answering(httpserver, {"people": []})
    assert ask(own(at(httpserver), SHAPE), "contact") == Found()
    httpserver.clear()
    answering(httpserver, {}, 404)
    assert ask(own(at(httpserver), SHAPE), "contact") == Found()


def test_things_are_bounded_and_that_there_are_more_is_said(httpserver: HTTPServer) -> None:
    people = [{**PERSON, "id": number, "name": "x" * 2_000} for number in range(ITEMS_MAX + 5)]
    answering(httpserver, {"people": people})
    told = ask(own(at(httpserver), SHAPE), "contact")
    assert isinstance(told, Found)
    assert len(told.items) == ITEMS_MAX
    assert told.has_more
    assert len(told.items[0].values["name"]) == VALUE_CHARS_MAX
    httpserver.clear()
    answering(httpserver, {"people": [PERSON], "next": "/people?page=2"})
    told = ask(own(at(httpserver), SHAPE), "contact")
    assert isinstance(told, Found)
    assert told.has_more


def test_a_system_that_hangs_costs_its_time_and_no_more(httpserver: HTTPServer) -> None:
    def slow(_: Request) -> Response:
        time.sleep(1.5)
        return Response("{}")

    httpserver.expect_request("/people").respond_with_handler(slow)
    httpserver.expect_request("/tickets").respond_with_handler(slow)
    began = time.monotonic()
    told = ask(own(at(httpserver), SHAPE), "contact", deadline_s=0.3)
    assert isinstance(told, Untold)
    assert told.why == "timed_out"
    assert time.monotonic() - began < 1.2


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{",
        b"nonsense\r\n\r\n",
    ],
    ids=["reset", "partial", "no-http"],
)
def test_a_connection_that_breaks_leaves_a_look_up_unknown_and_a_write_too(answer: bytes) -> None:
    async def answer_so(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        await writer.drain()

    async def played() -> tuple[Any, Any]:
        async with serving(answer_so) as port:
            system = own(f"http://127.0.0.1:{port}", SHAPE)
            told = await system.look_up("contact", ADA, deadline_s=2.0), await system.write(ORDER)
            await system.close()
            return told

    told, wrote = asyncio.run(played())
    assert isinstance(told, Untold)
    assert told.why == "unreachable"
    assert isinstance(wrote, Unknown), "the bytes had left"


def test_a_server_that_is_not_there_was_told_nothing() -> None:
    for nowhere in ("http://127.0.0.1:9", "http://no-such-host.invalid"):
        told = ask(own(nowhere, SHAPE), "contact")
        assert isinstance(told, Untold)
        assert told.why == "unreachable"
        assert isinstance(tell(own(nowhere, SHAPE), ORDER), Retry)


@pytest.mark.parametrize(
    ("status", "body", "means"),
    [
        (201, {"id": 9}, Accepted),
        (200, {}, Unknown),
        (200, "", Unknown),
        (200, {"error": "busy"}, Retry),
        (302, {}, Rejected),
        (400, {}, Rejected),
        (401, {}, Retry),
        (429, {}, Retry),
        (500, {}, Unknown),
        (502, {}, Unknown),
        (503, {}, Retry),
    ],
)
def test_a_write_has_four_answers(httpserver: HTTPServer, status: int, body: Any, means: type) -> None:
    answering(httpserver, body, status)
    assert isinstance(tell(own(at(httpserver), SHAPE), ORDER), means)


def test_a_write_that_honours_keys_is_simply_repeated(httpserver: HTTPServer) -> None:
    shape = {**SHAPE, "create": {**SHAPE["create"], "honours_keys": True, "find": None}}
    for status, body in ((500, {}), (200, {}), (502, "")):
        answering(httpserver, body, status)
        assert isinstance(tell(own(at(httpserver), shape), ORDER), Retry)
        httpserver.clear()


def test_what_is_not_known_of_the_customer_is_left_out(httpserver: HTTPServer) -> None:
    answering(httpserver, {"id": 9}, 201)
    tell(own(at(httpserver), SHAPE), Order(what="create", key="k", subject="s", text="t", name="Somebody"))
    assert json.loads(httpserver.log[-1][0].get_data()) == {"title": "s", "body": "t", "to": []}


def test_what_may_not_show_yet_is_not_taken_for_missing(httpserver: HTTPServer) -> None:
    answering(httpserver, {"tickets": []})
    clock = FrozenClock()
    order = Order(what="create", key="k-1", tried_at=clock.now())
    clock.advance(29)
    assert isinstance(tell(own(at(httpserver), SHAPE, clock=clock), order, find=True), Unknown)
    clock.advance(2)
    assert isinstance(tell(own(at(httpserver), SHAPE, clock=clock), order, find=True), Retry)


def test_a_clock_that_is_off_is_seen() -> None:
    clock = FrozenClock()
    ahead = clock.now() - timedelta(seconds=90)

    async def answer_so(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        date = format_datetime(ahead, usegmt=True)
        writer.write(f"HTTP/1.1 200 OK\r\nDate: {date}\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{{}}".encode())
        await writer.drain()

    async def played() -> float | None:
        async with serving(answer_so) as port:
            shape = {**SHAPE, "probe": {"url": "{base_url}/me"}}
            system = own(f"http://127.0.0.1:{port}", shape, clock=clock)
            reached = await system.check()
            await system.close()
            return reached.clock_ahead_s

    assert asyncio.run(played()) == pytest.approx(90, abs=1.0)


# --- configuration


def test_a_customer_never_chooses_the_server() -> None:
    contact = {**SHAPE["contact"], "ask": [{"url": "http://{email}/people"}]}
    with pytest.raises(ConfigurationError, match="chosen by the customer"):
        own("http://x", {**SHAPE, "contact": contact})


def test_a_placeholder_without_a_value_is_named() -> None:
    contact = {**SHAPE["contact"], "ask": [{"url": "{base_url}/{tenant}/people?email={email}"}]}
    with pytest.raises(ConfigurationError, match=r"\{tenant\} stands for nothing"):
        own("http://x", {**SHAPE, "contact": contact})
    with pytest.raises(ConfigurationError, match=r"\{client_secret\}|client_secret"):
        build_system(
            "crm", System(preset="salesforce", values={"base_url": "https://x", "client_id": "a"}), FrozenClock()
        )


def test_parts_of_a_preset_can_be_written_anew() -> None:
    settings = System.model_validate({
        "preset": "hubspot",
        "credentials": {"client_secret": "s", "refresh": "r"},
        "values": {"client_id": "app"},
        "auth": {
            "headers": {"authorization": "Bearer {access_token}"},
            "oauth2": {
                "token_url": "https://api.hubapi.com/oauth/v1/token",
                "client_id": "{client_id}",
                "client_secret": "{client_secret}",
                "refresh_token": "{refresh}",
            },
        },
    })  # fmt: skip
    built = build_system("crm", settings, FrozenClock())
    assert built.can_look_up("orders")
    assert "api.hubapi.com" in repr(built)
    with pytest.raises(ValueError, match="belong together"):
        System.model_validate({"preset": "hubspot", "auth": {"headers": {"authorization": "Bearer {access_token}"}}})
    with pytest.raises(ValueError, match="give a preset"):
        System.model_validate({"values": {"a": "b"}})


# --- pure parts


@given(st.text(max_size=60))
def test_what_is_quoted_cannot_end_its_quotation(text: str) -> None:
    quoted = filled("{a:quoted}", {"a": text})
    at_ = 0
    while at_ < len(quoted):
        assert quoted[at_] not in "'\"", "a bare quotation mark"
        at_ += 2 if quoted[at_] == "\\" else 1
    assert at_ == len(quoted), "no backslash is left over that would take what follows with it"
    assert "\n" not in quoted


@given(st.text(alphabet="0123456789+ -()", max_size=20), st.text(alphabet="0123456789+ -()", max_size=20))
def test_phone_numbers_are_the_same_both_ways_and_never_where_the_last_digits_differ(one: str, other: str) -> None:
    assert same_phone(one, other) == same_phone(other, one)
    ours, theirs = ("".join(d for d in text if d.isdecimal()) for text in (one, other))
    if same_phone(one, other):
        assert ours[-9:] == theirs[-9:] != ""


LEAVES = st.one_of(st.sampled_from(["{a}", "{b}", "x", "x{a}", "{a}{a}"]), st.integers(), st.booleans())
TREES = st.dictionaries(
    st.sampled_from("pqr"),
    st.recursive(LEAVES, lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.sampled_from("st"), inner, max_size=2)), max_leaves=8),
    max_size=3,
)  # fmt: skip


@given(TREES)
def test_a_body_loses_what_stands_for_nothing_and_nothing_else(tree: dict[str, Any]) -> None:
    shape = RequestShape(url="https://x", template=tree)
    assert pruned(shape, {"a": "1", "b": "2"}).template == tree
    left = json.dumps(pruned(shape, {"a": "", "b": "2"}).template)
    assert '"{a}"' not in left
