"""Traps that others fell into between an agent and its channels, by the numbers that they have among the known ones."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from stage_notes import NotedStage
from stage_plan import ON_EACH_STORE
from understudy.records.outbox import OutboxState, Rejected, Retry, Unknown
from understudy.testing.scripted import RecordingChannel

Build = Callable[..., Any]


@pytest.mark.parametrize("answer", [Retry(reason="busy"), Rejected(reason="no such number"), Unknown(reason="reset"), OSError("broken")])  # fmt: skip
@ON_EACH_STORE
def test_trap_2_what_is_tried_again_is_not_given_up_and_what_is_given_up_is_not_tried_again(
    build: Build, answer: Any
) -> None:
    """Where both were registered for one exception, the retries never ran."""
    house = build(channel=RecordingChannel(answers=[answer], honours_keys=False))
    turn = house.ask("Where is it?")
    (entry,) = house.entries_of(turn)
    waits = entry.state is OutboxState.PENDING and entry.due_at is not None
    assert waits == isinstance(answer, Retry)
    house.clock.advance(3_600)
    house.sweep()
    house.settle()
    (entry,) = house.entries_of(turn)
    if waits:
        assert entry.state is OutboxState.SENT
    else:
        assert entry.state is (OutboxState.DEAD if isinstance(answer, Rejected) else OutboxState.UNKNOWN)
        assert house.open_holds, "it is a person's"
    sent = [one for one in house.channel.attempts if one.id == entry.id]
    assert len(sent) == (2 if waits else 1)


def test_trap_4_an_accepted_reply_that_comes_back_by_webhook_begins_no_turn(make: Any, desk: Any) -> None:
    """Else an agent answers itself."""
    stage: NotedStage = make(desk)
    stage.ask()
    stage.remark("/approve")
    stage.settle(times=8)
    assert len(stage.customer_got) == 1
    turns = stage.stage.read(lambda tx: tx.turns.listed(after=0, limit=50))
    assert len(turns) == 1
    said = [message.author.value for message in stage.stage.messages(stage.to)]
    assert said == ["customer", "agent"]
