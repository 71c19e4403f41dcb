"""Bad input over HTTP: one clear problem with the right status, and nothing half stored. Keys are in test_access.py."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from standardwebhooks.webhooks import Webhook

JSON = {"Content-Type": "application/json"}
RECORD = b'{"id": "bad", "messages": [{"role": "user", "content": "hi"}], "draft": {"text": "x"%s}%s}'


@pytest.fixture(scope="module")
def api(served: Any) -> Any:
    return served.http(served.key())


@pytest.fixture(scope="module")
def hold(served: Any, api: Any, words: Any) -> Any:
    """A hold that waits for a person."""
    turn = api.post("/v1/turns", json=words.record("seed")).json()
    return api.get(f"/v1/holds/{turn['hold_id']}").json()["hold"]


@pytest.fixture(autouse=True)
def nothing_is_stored(served: Any, api: Any, hold: Any) -> Iterator[None]:
    before = served.tables()
    yield
    after = served.tables()
    assert {name: rows for name, rows in after.items() if rows != before[name]} == {}


def assert_problem(answer: Any, status: int, code: str, *names: str) -> None:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert set(problem) == {"type", "title", "status", "detail"}
    assert problem["type"] == f"urn:understudy:problem:{code}"
    assert problem["status"] == status
    for name in names:
        assert name in problem["detail"]


BODIES: dict[str, tuple[bytes, int, str, str]] = {
    "is cut short": (b'{"id": ', 400, "malformed", "not JSON"),
    "is not UTF-8": (b'{"id": "\xff"}', 400, "malformed", "byte 8"),
    "is UTF-16": ('{"id": "é"}'.encode("utf-16"), 400, "malformed", "UTF-8"),
    "is a list": (b"[]", 422, "input", "[]"),
    "is nested without end": (b"[" * 100_000, 400, "malformed", "64 deep"),
    "is nested deeply": (
        RECORD % (b', "actions": [{"name": "a", "arguments": {"x": ' + b"[" * 500 + b"]" * 500 + b"}}]", b""),
        400,
        "malformed",
        "64 deep",
    ),
    "has no draft": (b'{"id": "bad", "messages": [{"role": "user", "content": "hi"}]}', 422, "input", "draft"),
    "has nobody asking": (
        b'{"id": "bad", "messages": [{"role": "assistant", "content": "hi"}], "draft": {"text": "x"}}',
        400,
        "malformed",
        "'user'",
    ),
    "has a blank question": (RECORD.replace(b'"hi"', b'"  "') % (b"", b""), 400, "malformed", "'user'"),
    "has an unknown role": (RECORD.replace(b'"user"', b'"boss"') % (b"", b""), 422, "input", '"boss"'),
    "has an overlong message": (
        RECORD.replace(b'"hi"', b'"%s"' % (b"y" * 20_001)) % (b"", b""),
        413,
        "too-large",
        "20001",
    ),
    "has an overlong topic": (RECORD % (b"", b', "topic": "%s"' % (b"t" * 201)), 422, "input", "topic"),
    "has a verdict without bounds": (
        RECORD % (b"", b', "verdict": {"action": "approve", "severity": 7}'),
        422,
        "input",
        "verdict.severity",
    ),
    "has U+0000 in the question": (RECORD.replace(b'"hi"', b'"a\\u0000b"') % (b"", b""), 400, "malformed", "content"),
    "has U+0000 in the draft": (RECORD.replace(b'"x"', b'"a\\u0000b"') % (b"", b""), 400, "malformed", "draft.text"),
    "has U+0000 in the id": (RECORD.replace(b'"bad"', b'"a\\u0000b"') % (b"", b""), 400, "malformed", "body.id"),
    "has half a character": (RECORD.replace(b'"x"', b'"a\\ud83d"') % (b"", b""), 400, "malformed", "draft.text"),
    "has half a character in a topic": (RECORD % (b"", b', "topic": "\\ud83d"'), 400, "malformed", "body.topic"),
    "has a whole number of 5,000 digits": (
        RECORD % (b', "actions": [{"name": "a", "arguments": {"x": %s}}]' % (b"9" * 5_000), b""),
        400,
        "malformed",
        "digits",
    ),
}


@pytest.mark.parametrize("case", BODIES)
def test_turn_is_refused_when_its_body(case: str, api: Any) -> None:
    body, status, code, name = BODIES[case]
    assert_problem(api.post("/v1/turns", content=body, headers=JSON), status, code, name)


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999", "-1e999"])
@pytest.mark.parametrize(
    "place",
    [
        b', "actions": [{"name": "refund", "arguments": {"amount": %s}}]',
        b', "actions": [{"name": "refund", "arguments": {"deep": [{"amount": %s}]}}]',
        b', "tool_calls": [{"name": "look", "arguments": {"x": %s}}]',
        b', "tool_calls": [{"name": "look", "result": %s}]',
        b', "sources": [{"id": "s", "score": %s}]',
        b', "confidence": %s',
    ],
)
def test_number_that_json_does_not_have_is_refused_and_not_taken_for_nothing(
    number: str, place: bytes, api: Any
) -> None:
    answer = api.post("/v1/turns", content=RECORD % (place % number.encode(), b""), headers=JSON)
    assert_problem(answer, 400, "malformed", number)


def test_body_in_another_media_type_is_refused_by_naming_both(api: Any) -> None:
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = api.post("/v1/turns", content=RECORD % (b"", b""), headers=form)
    assert_problem(answer, 422, "input", "application/json", "application/x-www-form-urlencoded")


WAYS_IN = ["/v1/turns", "/v1/chat/completions", "/webhooks/desk", "/chat/messages"]


@pytest.mark.parametrize("path", WAYS_IN)
@pytest.mark.parametrize("how", ["declared", "chunked"])
def test_body_of_two_megabytes_is_refused(path: str, how: str, api: Any) -> None:
    body = b"x" * 2_000_000
    pieces = (body[start : start + 100_000] for start in range(0, len(body), 100_000))
    answer = api.post(path, content=body if how == "declared" else pieces, headers=JSON)
    assert_problem(answer, 413, "too-large", "1000000", "limits.body_bytes_max")


@pytest.mark.parametrize(
    ("method", "path", "names"),
    [
        ("GET", "/v1/turns/nothing", "turn 'nothing'"),
        ("GET", "/v1/turns/nothing/pipeline", "turn 'nothing'"),
        ("GET", "/v1/holds/nothing", "hold 'nothing'"),
        ("POST", "/v1/holds/nothing/claim", "hold 'nothing'"),
        ("POST", "/v1/holds/nothing/release", "hold 'nothing'"),
        ("GET", "/v1/conversations/nothing", "conversation 'nothing'"),
        ("POST", "/v1/conversations/nothing/take_over", "conversation 'nothing'"),
        ("POST", "/v1/conversations/nothing/hand_back", "conversation 'nothing'"),
        ("POST", "/webhooks/nothing", "channel 'nothing'"),
        ("POST", "/webhooks/api", "channel 'api'"),
        ("GET", "/v1/nothing", "/v1/nothing"),
        ("GET", "/nothing", "/nothing"),
        ("GET", "/chat/nothing", "'nothing'"),
    ],
)
def test_unknown_thing_is_named(method: str, path: str, names: str, api: Any) -> None:
    assert_problem(api.request(method, path, content=b"{}", headers=JSON), 404, "not-found", names)


def test_unknown_hold_takes_no_verdict(api: Any) -> None:
    answer = api.post("/v1/holds/nothing/verdict", json={"action": "approve"}, headers={"If-Match": '"1"'})
    assert_problem(answer, 404, "not-found", "hold 'nothing'")


def test_unknown_conversation_takes_no_message(api: Any) -> None:
    assert_problem(api.post("/v1/conversations/nothing/messages", json={"text": "x"}), 404, "not-found", "nothing")


def test_wrong_method_is_named(api: Any) -> None:
    assert_problem(api.delete("/v1/turns"), 405, "method-not-allowed", "DELETE /v1/turns")


@pytest.mark.parametrize(
    "path", ["/v1/turns/%00", "/v1/holds/a%00b", "/v1/turns?cursor=%00", "/chat/%00", "/webhooks/%00"]
)
def test_address_with_u0000_is_refused(path: str, api: Any) -> None:
    assert_problem(api.get(path), 400, "malformed", "%00")


@pytest.mark.parametrize(
    "query",
    [
        "turns?cursor=99999999999999999999",
        "turns?cursor=-1",
        "turns?cursor=x",
        "turns?limit=0",
        "turns?limit=1000000",
        "ledger?cursor=99999999999999999999",
        "holds?state=sleeping",
        "turns/x?wait_s=nan",
        "turns/x?wait_s=61",
    ],
)
def test_query_out_of_range_is_refused(query: str, api: Any) -> None:
    name = query.partition("?")[2].partition("=")[0]
    assert_problem(api.get(f"/v1/{query}"), 422, "input", f"query.{name}")


# The last ones are base64 of ["1e400", …], of a number beyond any row, and of a text that holds U+0000.
@pytest.mark.parametrize(
    "cursor",
    [
        "zz",
        "é",
        "WzFlNDAwLCAiMjAyMC0wMS0wMVQwMDowMDowMFoiLCAieCJd",
        "Wzk5OTk5OTk5OTk5OTk5OTk5OTk5OTksICIyMDIwLTAxLTAxVDAwOjAwOjAwWiIsICJ4Il0",
        "WzEsICIyMDIwLTAxLTAxVDAwOjAwOjAwWiIsICJcdTAwMDAiXQ",
    ],
)
def test_queue_cursor_of_another_make_is_refused(cursor: str, api: Any) -> None:
    assert_problem(api.get("/v1/holds", params={"cursor": cursor}), 400, "malformed", "cursor")


@pytest.mark.parametrize("last", ["x", "-1", "99999999999999999999"])
@pytest.mark.parametrize("path", ["/v1/events", "/chat/events"])
def test_stream_is_not_resumed_behind_nonsense(path: str, last: str, api: Any) -> None:
    token = api.post("/chat/sessions", json={}).json()["token"]
    headers = {"Last-Event-ID": last} | ({"Authorization": f"Bearer {token}"} if path.startswith("/chat") else {})
    assert_problem(api.get(path, headers=headers), 422, "input", "last-event-id")


VERDICTS: dict[str, tuple[Any, int, str, str]] = {
    "edit without text": ({"action": "edit"}, 422, "input", "text"),
    "edit with a blank text": ({"action": "edit", "text": "  "}, 422, "input", "text"),
    "respond without text": ({"action": "respond"}, 422, "input", "text"),
    "unknown action": ({"action": "shrug"}, 422, "input", '"shrug"'),
    "no action": ({}, 422, "input", "action"),
    "unknown field": ({"action": "approve", "mood": "good"}, 422, "input", "mood"),
    "severity out of range": ({"action": "reject", "severity": 2}, 422, "input", "severity"),
    "overlong topic": ({"action": "approve", "topic": "y" * 201}, 422, "input", "topic"),
    "blank topic": ({"action": "approve", "topic": " "}, 422, "input", "topic"),
    "overlong text": ({"action": "edit", "text": "y" * 100_001}, 422, "input", "text"),
    "overlong reason": ({"action": "reject", "reasons": ["y" * 201]}, 422, "input", "reasons.0"),
    "too many reasons": ({"action": "reject", "reasons": ["y"] * 21}, 422, "input", "reasons"),
    "U+0000 in the text": ({"action": "edit", "text": "a\x00b"}, 400, "malformed", "body.text"),
    "half a character": ({"action": "edit", "text": "a\ud83d"}, 400, "malformed", "body.text"),
}


@pytest.mark.parametrize("case", VERDICTS)
def test_verdict_is_refused_for(case: str, api: Any, hold: Any) -> None:
    body, status, code, name = VERDICTS[case]
    headers = {"If-Match": f'"{hold["version"]}"', **JSON}
    answer = api.post(f"/v1/holds/{hold['id']}/verdict", content=json.dumps(body).encode(), headers=headers)
    assert_problem(answer, status, code, name)


def test_verdict_without_if_match_is_refused(api: Any, hold: Any) -> None:
    answer = api.post(f"/v1/holds/{hold['id']}/verdict", json={"action": "approve"})
    assert_problem(answer, 428, "precondition-required", "If-Match")


@pytest.mark.parametrize("version", ["*", "x", '"x"', "", '"1_0"', '"', '"1", "2"', '"' + "9" * 5_000 + '"'])
def test_verdict_with_an_if_match_that_is_no_version_is_refused(version: str, api: Any, hold: Any) -> None:
    answer = api.post(f"/v1/holds/{hold['id']}/verdict", json={"action": "approve"}, headers={"If-Match": version})
    assert_problem(answer, 400, "malformed", "If-Match")


def test_verdict_on_another_version_is_refused(api: Any, hold: Any) -> None:
    stale = {"If-Match": f'"{hold["version"] + 1}"'}
    answer = api.post(f"/v1/holds/{hold['id']}/verdict", json={"action": "approve"}, headers=stale)
    assert_problem(answer, 412, "stale-version")


def test_person_does_not_write_where_the_agent_answers(api: Any, hold: Any) -> None:
    answer = api.post(f"/v1/conversations/{hold['conversation_id']}/messages", json={"text": "x"})
    assert_problem(answer, 409, "conflict")


@pytest.mark.parametrize("key", ["", "k" * 256])
def test_idempotency_key_out_of_bounds_is_refused(key: str, api: Any, words: Any) -> None:
    answer = api.post("/v1/turns", json=words.record("keyed"), headers={"Idempotency-Key": key})
    assert_problem(answer, 422, "input", "idempotency-key")


COMPLETIONS: dict[str, tuple[Any, int, str, str]] = {
    "no messages": ({}, 422, "input", "messages"),
    "nobody asking": ({"messages": [{"role": "system", "content": "x"}]}, 400, "malformed", "'user'"),
    "U+0000": ({"messages": [{"role": "user", "content": "\x00"}]}, 400, "malformed", "messages.0.content"),
    "an overlong message": ({"messages": [{"role": "user", "content": "y" * 20_001}]}, 413, "too-large", "20001"),
    "an overlong topic": (
        {"messages": [{"role": "user", "content": "x"}], "metadata": {"topic": "t" * 201}},
        413,
        "too-large",
        "topic",
    ),
}


@pytest.mark.parametrize("case", COMPLETIONS)
def test_completion_is_refused_for(case: str, api: Any) -> None:
    body, status, code, name = COMPLETIONS[case]
    assert_problem(api.post("/v1/chat/completions", json=body), status, code, name)


CHAT: dict[str, tuple[bytes, int, str, str]] = {
    "no text": (b'{"id": "1"}', 422, "input", "text"),
    "a blank text": (b'{"id": "1", "text": " \\n "}', 422, "input", "text"),
    "no id": (b'{"text": "x"}', 422, "input", "id"),
    "an overlong text": (b'{"id": "1", "text": "%s"}' % (b"y" * 20_001), 413, "too-large", "20001"),
    "an overlong name": (b'{"id": "1", "text": "x", "name": "%s"}' % (b"n" * 201), 422, "input", "name"),
    "a body that is no JSON": (b"hello", 400, "malformed", "not JSON"),
    "a body that is not UTF-8": (b'{"id": "1", "text": "\xe9"}', 400, "malformed", "UTF-8"),
}


@pytest.mark.parametrize("case", CHAT)
def test_chat_message_is_refused_for(case: str, api: Any) -> None:
    body, status, code, name = CHAT[case]
    token = api.post("/chat/sessions", json={}).json()["token"]
    answer = api.post("/chat/messages", content=body, headers={"Authorization": f"Bearer {token}", **JSON})
    assert_problem(answer, status, code, name)


@pytest.mark.parametrize("authorization", ["", "Bearer x", "Basic eA==", "Bearer " + "x" * 44])
@pytest.mark.parametrize("call", [("POST", "/chat/messages"), ("GET", "/chat/messages"), ("GET", "/chat/events")])
def test_chat_without_its_token_is_refused(call: tuple[str, str], authorization: str, served: Any) -> None:
    visitor = served.http(**({"Authorization": authorization} if authorization else {}))
    answer = visitor.request(*call, content=b'{"id": "1", "text": "x"}', headers=JSON)
    assert_problem(answer, 401, "unauthenticated", "/chat/sessions")


def signed(words: Any, body: bytes, *, age_s: float = 0) -> dict[str, str]:
    moment = datetime.now(UTC) - timedelta(seconds=age_s)
    signature = Webhook(words.secret).sign("m-1", moment, body.decode())
    return {
        "webhook-id": "m-1",
        "webhook-timestamp": str(int(moment.timestamp())),
        "webhook-signature": signature,
        **JSON,
    }


EVENT = b'{"type": "message.received", "data": {"conversation_id": "c-1", "from": "+44 1", "text": "hi"}}'

SPOILT: dict[str, Callable[[dict[str, str]], dict[str, str]]] = {
    "webhook-signature is missing": lambda headers: headers | {"webhook-signature": ""},
    "webhook-timestamp is missing": lambda headers: headers | {"webhook-timestamp": ""},
    "webhook-id is missing": lambda headers: headers | {"webhook-id": ""},
    "no signature matched": lambda headers: headers | {"webhook-id": "m-2"},
}


@pytest.mark.parametrize("why", SPOILT)
def test_webhook_is_refused_when(why: str, api: Any, words: Any) -> None:
    answer = api.post("/webhooks/desk", content=EVENT, headers=SPOILT[why](signed(words, EVENT)))
    assert_problem(answer, 401, "signature-invalid", why)


@pytest.mark.parametrize("age_s", [301, -301])
def test_webhook_is_refused_when_its_signature_is_from_another_time(age_s: float, api: Any, words: Any) -> None:
    answer = api.post("/webhooks/desk", content=EVENT, headers=signed(words, EVENT, age_s=age_s))
    assert_problem(answer, 401, "signature-invalid", "300")


def test_webhook_is_refused_when_its_body_was_changed(api: Any, words: Any) -> None:
    answer = api.post("/webhooks/desk", content=EVENT.replace(b"hi", b"ho"), headers=signed(words, EVENT))
    assert_problem(answer, 401, "signature-invalid", "no signature matched")


@pytest.mark.parametrize("body", [b"", b"hello", b"{}", EVENT.replace(b'"hi"', b'"  "'), EVENT.replace(b'"hi"', b"7")])
def test_signed_webhook_with_a_bad_body_is_refused(body: bytes, api: Any, words: Any) -> None:
    assert_problem(api.post("/webhooks/desk", content=body, headers=signed(words, body)), 400, "malformed")


def test_web_chat_takes_no_webhooks(api: Any) -> None:
    assert_problem(api.post("/webhooks/webchat", content=EVENT), 400, "malformed", "POST /chat/messages")
