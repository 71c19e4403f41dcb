"""What customers are told and asked, and what they can end: over the API."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from standardwebhooks.webhooks import Webhook

from sinks import Sink, listening

MORE = """
[disclosure]
again_after_h = 1
[disclosure.channels.webchat]
shown = "message"
[csat]
ask = "score"
quiet_h = 0.0001
channels = ["webchat"]
again_after_days = 0
[opt_out]
channels = ["desk"]
"""
TOLD = "You are talking to an AI assistant of Fernhill Kettles. Ask for a person at any time."
QUESTION = "How did we do? Please reply with a number from 1 (bad) to 5 (very good)."


@pytest.fixture(scope="module")
def sink() -> Any:
    opened = Sink()
    with listening(opened):
        yield opened


def replies_to(sink: Any, conversation: str) -> list[Any]:
    return [one for one in sink.taken if one["conversation_id"] == conversation]


@pytest.fixture(scope="module")
def desk(serve: Callable[..., Any], sink: Any) -> Any:
    return serve(sink=sink.url, more=MORE)


@pytest.fixture(scope="module")
def auditor(desk: Any) -> Any:
    return desk.http(desk.key())


def visit(desk: Any) -> tuple[Any, str]:
    session = desk.http().post("/chat/sessions").json()
    return desk.http(session["token"]), session["conversation_id"]


def say(visitor: Any, text: str, name: str) -> None:
    assert visitor.post("/chat/messages", json={"id": name, "text": text}).status_code == 202


def said(visitor: Any) -> list[Any]:
    return list(visitor.get("/chat/messages").json()["messages"])


def sweep(desk: Any) -> int:
    return asyncio.run(desk.app.surveys.sweep())


def write(desk: Any, words: Any, conversation: str, text: str, name: str) -> Any:
    event = {
        "type": "message.received",
        "data": {"id": name, "conversation_id": conversation, "from": "+44", "text": text},
    }
    body = json.dumps(event)
    now = datetime.now(UTC)
    headers = {
        "webhook-id": name,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": Webhook(words.secret).sign(name, now, body),
    }
    return desk.http().post("/webhooks/desk", content=body, headers=headers)


def test_visitor_is_told_with_the_first_reply_alone(desk: Any, words: Any, until: Any) -> None:
    visitor, _ = visit(desk)
    say(visitor, words.automatic, "m-1")
    until(lambda: len(said(visitor)) == 2)
    say(visitor, f"{words.automatic} Again.", "m-2")
    until(lambda: len(said(visitor)) == 4)
    first, second = (one for one in said(visitor) if one["author"] == "agent")
    assert first["text"].startswith(f"{TOLD}\n\n")
    assert not second["text"].startswith(TOLD)
    assert (first["ai_generated"], first["origin"]) == (True, "ai")


def test_reviewer_sees_what_the_draft_will_tell(desk: Any, auditor: Any, words: Any, until: Any) -> None:
    visitor, conversation = visit(desk)
    say(visitor, words.held, "m-1")

    def held() -> Any:
        holds = [auditor.get(f"/v1/holds/{one['id']}").json() for one in auditor.get("/v1/holds").json()["items"]]
        return next((one for one in holds if one["conversation"]["external_id"] == conversation), None)

    detail = until(held)
    assert (detail["disclosure"]["text"], detail["disclosure"]["why"]) == (TOLD, "first")
    assert TOLD not in detail["turn"]["draft"]["text"]
    headers = {"If-Match": str(detail["hold"]["version"])}
    auditor.post(f"/v1/holds/{detail['hold']['id']}/verdict", json={"action": "approve"}, headers=headers)
    until(lambda: len(said(visitor)) == 2)
    shown = auditor.get(f"/v1/conversations/{detail['conversation']['id']}").json()["messages"][-1]
    assert (shown["origin"], shown["disclosure"]["version"]) == ("ai_approved", 1)
    assert said(visitor)[-1]["text"] == f"{TOLD}\n\n{shown['text']}"


def test_words_stand_in_what_is_taken_out_of_the_ledger(auditor: Any) -> None:
    taken = auditor.get("/v1/ledger/export?what=entries").text.splitlines()
    told = [entry for entry in map(json.loads, taken) if entry.get("event") == "disclosure.made"]
    assert {entry["body"]["wording"] for entry in told} == {TOLD}


def test_score_stands_with_the_customer_and_in_quality(desk: Any, auditor: Any, words: Any, until: Any) -> None:
    visitor, _ = visit(desk)
    say(visitor, words.automatic, "m-1")
    until(lambda: len(said(visitor)) == 2)

    def asked_for_a_score() -> bool:
        sweep(desk)  # as the server does by itself, only sooner
        return "score" in [one["asks"] for one in said(visitor)]

    until(asked_for_a_score)
    assert [one["text"] for one in said(visitor) if one["asks"]] == [QUESTION]
    before = auditor.get("/v1/quality/csat").json()["alone"]
    say(visitor, "5", "m-2")
    after = auditor.get("/v1/quality/csat").json()["alone"]
    assert after["scores"][4] == before["scores"][4] + 1
    conversation = next(
        entry for entry in auditor.get("/v1/ledger?limit=1000").json()["items"] if entry["event"] == "csat.answered"
    )
    contact = auditor.get(f"/v1/conversations/{conversation['conversation_id']}").json()["contact"]["id"]
    (asked,) = auditor.get(f"/v1/contacts/{contact}").json()["surveys"]
    assert (asked["score"], asked["state"]) == (5, "answered")


def test_stop_by_web_hook_ends_messages_there(desk: Any, auditor: Any, sink: Any, words: Any, until: Any) -> None:
    write(desk, words, "c-stop", "STOP", "m-stop")
    until(lambda: replies_to(sink, "c-stop"))
    write(desk, words, "c-stop", words.automatic, "m-after")
    until(lambda: [one for one in auditor.get("/v1/holds").json()["items"] if one["reasons"] == ["opted_out"]])
    (only,) = replies_to(sink, "c-stop")
    assert only["text"].startswith("You will get no more messages from Fernhill Kettles here.")
    hold = next(one for one in auditor.get("/v1/holds").json()["items"] if one["reasons"] == ["opted_out"])
    contact = auditor.get(f"/v1/conversations/{hold['conversation_id']}").json()["contact"]["id"]
    (out,) = auditor.get(f"/v1/contacts/{contact}").json()["opt_outs"]
    assert (out["channel"], out["said"]) == ("desk", "stop")
