"""The second and third way in: code that hands over finished drafts, and OpenAI clients pointed at Understudy."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest

from understudy.client.errors import ApiError
from understudy.records.access import Scope
from understudy.web import turns

NOTICE = "A colleague is looking at this."


@pytest.fixture(scope="module")
def api(served: Any) -> Any:
    return served.http(served.key())


@pytest.fixture(scope="module")
def business(served: Any) -> Any:
    """The business's own code, with a key that may only hand over drafts and read what became of them."""
    return served.client(served.key(Scope.TURNS_WRITE, Scope.TURNS_READ, name="shop"))


@pytest.fixture(scope="module")
def reviewer(served: Any) -> Any:
    return served.client(served.key(name="Ines"))


@pytest.fixture(scope="module")
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(4) as pool:
        yield pool


def hold_of(reviewer: Any, question: str) -> Any:
    details = (reviewer.hold(hold.id) for hold in reviewer.holds())
    return next((one for one in details if one.conversation.messages[0].text == question), None)


def asks(words: Any, record_id: str, question: str) -> Any:
    return words.record(record_id) | {"messages": [{"role": "user", "content": question}]}


def test_client_that_waits_gets_the_approved_draft(
    business: Any,
    reviewer: Any,
    words: Any,
    until: Any,
    threads: ThreadPoolExecutor,
    only_pushed: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The caller hears of the verdict when it is given, not at the next look, which does not come within a minute."""
    monkeypatch.setattr(turns, "DECISION_WITHIN_S", 60.0)
    question = f"{words.held} Says Ann."
    asked: Future[Any] = threads.submit(business.submit_turn, asks(words, "ann", question), wait_s=60)
    detail = until(lambda: hold_of(reviewer, question))
    assert not asked.done()
    reviewer.approve(detail.hold.id, version=detail.hold.version)
    until(asked.done, within_s=30)
    turn = asked.result()
    assert turn.id == detail.turn.id
    assert (turn.state, turn.reply.text, turn.reply.author) == ("answered", words.record("x")["draft"]["text"], "agent")


def test_client_that_waits_gets_the_reviewers_words_instead(
    business: Any, reviewer: Any, words: Any, until: Any, threads: ThreadPoolExecutor
) -> None:
    question = f"{words.held} Says Bob."
    asked: Future[Any] = threads.submit(business.submit_turn, asks(words, "bob", question), wait_s=20)
    detail = until(lambda: hold_of(reviewer, question))
    reviewer.respond(detail.hold.id, "We do, Bob.", version=detail.hold.version)
    assert asked.result().reply.text == "We do, Bob."


def test_client_that_does_not_wait_gets_no_text_to_send(business: Any, words: Any) -> None:
    turn = business.submit_turn(asks(words, "cyd", f"{words.held} Says Cyd."))
    assert (turn.decision, turn.state, turn.reply) == ("hold", "held", None)
    assert turn.reasons


def test_wait_that_runs_out_gives_the_turn_as_it_stands(business: Any, words: Any) -> None:
    began = time.monotonic()
    turn = business.submit_turn(asks(words, "dan", f"{words.held} Says Dan."), wait_s=0.4)
    assert time.monotonic() - began > 0.3
    assert turn.reply is None
    assert business.turn(turn.id).state == "held"


def test_turn_that_is_waited_for_later_brings_the_verdict(
    business: Any, reviewer: Any, words: Any, threads: ThreadPoolExecutor
) -> None:
    turn = business.submit_turn(asks(words, "eve", f"{words.held} Says Eve."))
    asked: Future[Any] = threads.submit(business.turn, turn.id, wait_s=20)
    reviewer.approve(turn.hold_id, version=1)
    assert asked.result().reply.author == "agent"


def test_rejected_draft_is_never_the_reply(business: Any, reviewer: Any, words: Any) -> None:
    turn = business.submit_turn(asks(words, "fay", f"{words.held} Says Fay."))
    reviewer.reject(turn.hold_id, version=1, reasons=["wrong_information"])
    after = business.turn(turn.id)
    assert after.state == "handed_off"
    assert after.reply is None or after.reply.author != "agent"


def test_draft_of_a_topic_that_may_answer_alone_comes_back_at_once(business: Any, words: Any) -> None:
    hours = "Our shop is open from Monday to Saturday, 9:00 to 18:00."
    turn = business.submit_turn(
        {
            "id": "gus",
            "topic": "stores",
            "messages": [{"role": "user", "content": words.automatic}],
            "draft": {"text": hours, "sources": [{"id": "opening-hours", "text": hours}]},
        }
    )
    assert (turn.decision, turn.reply.text) == ("deliver", hours)


def test_pipeline_that_came_with_a_draft_is_kept_under_the_turns_id(business: Any, words: Any) -> None:
    record = asks(words, "hal", f"{words.held} Says Hal.")
    steps = [
        {"name": "retrieve", "took_ms": 3.5, "output": "returns.md"},
        {"name": "write", "model": "m-1", "version": "7", "input": "returns.md", "from_steps": ["retrieve"]},
    ]
    record["draft"]["pipeline"] = steps
    turn = business.submit_turn(record)
    kept = business.pipeline(turn.id).steps
    assert [(step.name, step.model, tuple(step.from_steps)) for step in kept] == [
        ("retrieve", None, ()),
        ("write", "m-1", ("retrieve",)),
    ]


def test_key_that_hands_over_drafts_decides_on_none(business: Any, words: Any) -> None:
    turn = business.submit_turn(asks(words, "ian", f"{words.held} Says Ian."))
    with pytest.raises(ApiError) as refused:
        business.approve(turn.hold_id, version=1)
    assert refused.value.status == 403


def test_lists_are_walked_page_by_page_without_gap_or_repeat(business: Any, reviewer: Any) -> None:
    turns = [turn.id for turn in business.turns(limit=2)]
    assert len(turns) > 4
    assert turns == [turn.id for turn in business.turns(limit=200)]
    assert [hold.id for hold in reviewer.holds(limit=1)] == [hold.id for hold in reviewer.holds(limit=200)]


def complete(api: Any, text: str, **more: Any) -> Any:
    return api.post(
        "/v1/chat/completions", json={"model": "any", "messages": [{"role": "user", "content": text}], **more}
    )


def chunks(answer: Any) -> list[Any]:
    lines = [line.removeprefix("data: ") for line in answer.text.splitlines() if line.startswith("data: ")]
    assert lines[-1] == "[DONE]"
    return [json.loads(line) for line in lines[:-1]]


def test_completion_is_the_agents_draft_where_it_may_leave(api: Any, words: Any) -> None:
    completion = complete(api, words.automatic).json()
    assert (completion["object"], completion["model"]) == ("chat.completion", "any")
    (choice,) = completion["choices"]
    assert (choice["index"], choice["finish_reason"], choice["message"]["role"]) == (0, "stop", "assistant")
    assert "9:00 to 18:00" in choice["message"]["content"]
    assert (completion["understudy"]["decision"], completion["understudy"]["is_final"]) == ("deliver", True)


def test_completion_is_the_notice_while_a_person_decides(api: Any, words: Any) -> None:
    completion = complete(api, words.held).json()
    assert completion["choices"][0]["message"]["content"] == NOTICE
    assert (completion["understudy"]["decision"], completion["understudy"]["is_final"]) == ("hold", False)


def test_streamed_completion_brings_the_whole_checked_text(api: Any, words: Any) -> None:
    answer = complete(api, words.automatic, stream=True)
    assert answer.headers["content-type"].startswith("text/event-stream")
    parts = chunks(answer)
    assert {part["object"] for part in parts} == {"chat.completion.chunk"}
    text = "".join(part["choices"][0]["delta"].get("content", "") for part in parts)
    assert "9:00 to 18:00" in text
    assert parts[-1]["choices"][0]["finish_reason"] == "stop"


def test_streamed_completion_is_the_notice_while_a_person_decides(api: Any, words: Any) -> None:
    parts = chunks(complete(api, words.held, stream=True))
    assert "".join(part["choices"][0]["delta"].get("content", "") for part in parts) == NOTICE


def test_completion_takes_what_openai_clients_send_besides(api: Any, words: Any) -> None:
    content = [{"type": "text", "text": words.automatic}]
    answer = api.post(
        "/v1/chat/completions",
        json={
            "model": "gpt-4o",
            "messages": [{"role": "system", "content": "Be kind."}, {"role": "user", "content": content}],
            "temperature": 0.2,
            "max_tokens": 300,
            "stream": False,
            "user": "u-1",
            "tools": [],
            "response_format": {"type": "text"},
        },
    )
    assert "9:00 to 18:00" in answer.json()["choices"][0]["message"]["content"]


def test_completions_of_one_conversation_stay_together(api: Any, words: Any) -> None:
    turns = [
        api.get(f"/v1/turns/{complete(api, words.automatic, user='visitor-7').json()['id']}").json() for _ in range(2)
    ]
    assert turns[0]["conversation_id"] == turns[1]["conversation_id"]
    assert turns[0]["id"] != turns[1]["id"]
