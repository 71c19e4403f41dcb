"""Whatever arrives, the answer is a decision or a problem of the sender's: never a failure of ours, never silence."""

from __future__ import annotations

import itertools
import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

NUMBERS = itertools.count()
"""Makes every record's id its own, so that examples do not meet as repeats."""

texts = st.one_of(
    st.text(st.characters(codec=None), max_size=30),
    st.sampled_from(
        [
            "",
            " ",
            "\x00",
            "\ud83d",
            "\u202e",
            "￿",
            "4111 1111 1111 1111",
            "a" * 5_000,
            "{{x}}",
            "£" * 300,
            "\r\n\x85\u2028",
        ]
    ),
)
numbers = st.one_of(
    st.integers(-(10**30), 10**30), st.floats(), st.sampled_from([1e308, -0.0, 5e-324, 2**63, -(2**63) - 1, 10**400])
)
values = st.recursive(
    st.one_of(st.none(), st.booleans(), numbers, texts),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(texts, inner, max_size=4)),
    max_leaves=12,
)

RECORD = {
    "id": "r",
    "conversation_id": "c",
    "channel": "chat",
    "topic": "returns",
    "agent_version": "v1",
    "at": "2026-05-02T10:00:00Z",
    "messages": [
        {"role": "system", "content": "Be kind."},
        {"role": "user", "content": [{"type": "text", "text": "Do you pay the postage?"}], "name": "Ann"},
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [{"id": "1", "type": "function", "function": {"name": "look", "arguments": "{}"}}],
        },
        {"role": "tool", "tool_call_id": "1", "content": "{}"},
    ],
    "draft": {
        "text": "We pay the return postage.",
        "sources": [{"id": "s", "title": "t", "url": "https://x.example", "text": "We pay.", "score": 0.5}],
        "tool_calls": [{"id": "1", "name": "look", "arguments": {"x": 1}, "result": {"y": 2}, "error": None}],
        "actions": [{"name": "refund", "arguments": {"amount": 10.5}}],
        "confidence": 0.9,
        "topic": "returns",
        "handoff": False,
        "does_not_know": False,
        "finish_reason": "stop",
        "agent": "a",
        "agent_version": "7",
        "pipeline": [{"name": "p", "took_ms": 1.5, "input": "i", "output": "o", "from_steps": ["q"]}],
    },
    "verdict": {"action": "edit", "text": "x", "severity": 0.2, "reasons": ["r"], "at": "2026-05-02T10:00:00Z"},
}


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in a document where something stands."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, part in inner for place in places(part, (*path, key)))]


def replaced(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    if not path:
        return new
    key, *rest = path
    if isinstance(value, dict):
        return {name: replaced(part, tuple(rest), new) if name == key else part for name, part in value.items()}
    return [replaced(part, tuple(rest), new) if number == key else part for number, part in enumerate(value)]


PLACES = [place for place in places(RECORD) if place and place != ("id",)]


@pytest.fixture(scope="module")
def api(served: Any) -> Any:
    return served.http(served.key())


@pytest.fixture(scope="module")
def visitor(served: Any) -> Any:
    return served.http()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(place=st.sampled_from(PLACES), value=values)
def test_any_value_anywhere_in_a_turn_record_is_decided_on_or_refused(api: Any, place: Any, value: Any) -> None:
    record = replaced(RECORD, place, value) | {"id": f"any-{next(NUMBERS)}"}
    answer = api.post("/v1/turns", content=json.dumps(record), headers={"Content-Type": "application/json"})
    if answer.status_code == 200:
        assert answer.json()["decision"] in ("deliver", "hold", "hand_off", "degrade")
        assert api.get(f"/v1/turns/{answer.json()['id']}").json()["id"] == answer.json()["id"]
    else:
        assert answer.status_code in (400, 413, 422), answer.text
        assert len(answer.json()["detail"]) > 10


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(text=texts, name=st.one_of(st.none(), texts), message_id=texts)
def test_any_words_of_a_customer_are_taken_or_refused(
    visitor: Any, text: str, name: str | None, message_id: str
) -> None:
    visitor.headers["Authorization"] = f"Bearer {visitor.post('/chat/sessions', json={}).json()['token']}"
    body = json.dumps({"id": message_id, "text": text, "name": name})
    answer = visitor.post("/chat/messages", content=body, headers={"Content-Type": "application/json"})
    if answer.status_code == 202:
        (said, *_) = visitor.get("/chat/messages").json()["messages"]
        assert said["author"] == "customer"
    else:
        assert answer.status_code == 422, answer.text
        assert not text.strip() or not 0 < len(message_id) <= 100 or len(name or "") > 200


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(body=st.one_of(st.binary(max_size=60), values.map(lambda value: json.dumps(value).encode())))
@pytest.mark.parametrize(
    "path", ["/v1/turns", "/v1/chat/completions", "/chat/messages", "/webhooks/desk", "/v1/holds/x/verdict"]
)
def test_any_bytes_are_refused_as_the_senders_mistake(api: Any, path: str, body: bytes) -> None:
    answer = api.post(path, content=body, headers={"Content-Type": "application/json", "If-Match": '"1"'})
    assert 400 <= answer.status_code < 500, answer.text
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("asked", ["since", "until"])
@pytest.mark.parametrize(
    "moment", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"]
)
@pytest.mark.parametrize(
    "path", ["turns", "entries", "export", "export?what=entries"], ids=lambda path: path.replace("?what=", " of ")
)
def test_any_moment_that_can_be_written_is_looked_up(api: Any, path: str, moment: str, asked: str) -> None:
    answer = api.get(f"/v1/ledger/{path}", params={asked: moment})
    assert answer.status_code in (200, 422), answer.text
