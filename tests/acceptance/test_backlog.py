"""Beyond the backlog every way in says 503 and when to come back, before anything is stored."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from standardwebhooks.webhooks import Webhook


@pytest.fixture(scope="module")
def full(serve: Callable[..., Any]) -> Any:
    """A server that takes one turn at a time, and has it: the customer may be writing on for another ten seconds."""
    running = serve(window_s=10, more="[limits]\nbacklog_max = 1")
    visitor = running.http()
    running.token = visitor.post("/chat/sessions", json={}).json()["token"]
    assert write(running, "first").status_code == 202
    return running


def write(running: Any, message_id: str) -> Any:
    headers = {"Authorization": f"Bearer {running.token}"}
    return running.http().post("/chat/messages", json={"id": message_id, "text": "And"}, headers=headers)


def write_to_desk(running: Any, words: Any) -> Any:
    body = json.dumps({"type": "message.received", "data": {"conversation_id": "c", "from": "f", "text": "hi"}})
    now = datetime.now(UTC)
    headers = {
        "webhook-id": "m-1",
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": Webhook(words.secret).sign("m-1", now, body),
    }
    return running.http().post("/webhooks/desk", content=body, headers=headers)


def another_visitor(running: Any) -> Any:
    token = running.http().post("/chat/sessions", json={}).json()["token"]
    headers = {"Authorization": f"Bearer {token}"}
    return running.http().post("/chat/messages", json={"id": "1", "text": "hi"}, headers=headers)


WAYS_IN: dict[str, Callable[[Any, Any], Any]] = {
    "web chat": lambda running, words: another_visitor(running),
    "webhook": write_to_desk,
    "turns": lambda running, words: running.http(running.key()).post("/v1/turns", json=words.record("r")),
    "completions": lambda running, words: running.http(running.key()).post(
        "/v1/chat/completions", json={"messages": [{"role": "user", "content": "hi"}]}
    ),
}


@pytest.mark.parametrize("way", WAYS_IN)
def test_full_backlog_says_when_to_come_back(way: str, full: Any, words: Any) -> None:
    running = full
    running.key()
    before = {name: rows for name, rows in running.tables().items() if name not in ("api_keys", "ledger")}
    answer = WAYS_IN[way](running, words)
    assert answer.status_code == 503
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["type"] == "urn:understudy:problem:overloaded"
    assert int(answer.headers["retry-after"]) >= 1
    after = running.tables()
    assert {name: after[name] for name in before} == before


def test_readiness_tells_the_load_balancer(full: Any) -> None:
    answer = full.http().get("/readyz")
    assert answer.status_code == 503
    assert "limits.backlog_max" in answer.json()["detail"]


def test_message_that_is_stored_already_is_acknowledged_again(full: Any) -> None:
    assert write(full, "first").status_code == 202


def test_customer_in_the_middle_of_a_burst_may_finish_it(full: Any) -> None:
    assert write(full, "second").status_code == 202
