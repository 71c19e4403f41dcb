"""A turn whose draft others are asked about: what they say decides, and nothing they do loses the turn."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest

from understudy.assessment.checks import CHECKS, OPINIONS
from understudy.ports.opinion import OpinionRequest, Said
from understudy.records.codec import dump
from understudy.records.evidence import Draft
from understudy.records.rulebook import OpinionRule
from understudy.records.turn import TurnState
from understudy.turn.opinions import Asked
from understudy.turn.replay import replay

Build = Callable[..., Any]


class Judge:
    """A second opinion that waits for its gate, then says its word."""

    name = "judge"

    def __init__(self, word: str = "pass", gate: asyncio.Event | None = None) -> None:
        self.word, self.gate = word, gate
        self.asked: list[str] = []

    async def ask(self, request: OpinionRequest) -> Said:
        self.asked.append(request.draft.text)
        if self.gate is not None:
            await self.gate.wait()
        return Said(word=self.word)

    async def check(self) -> str:
        return "scripted"

    async def close(self) -> None: ...


def built(build: Build, stage: ModuleType, judge: Judge, **plan: Any) -> Any:
    wanted = stage.rules(opinions=(OpinionRule(name="judge"),))
    return build(rules=wanted, opinions=[Asked(opinion=judge, deadline_s=30)], **plan)


@pytest.mark.parametrize(
    ("word", "state"), [("pass", TurnState.ANSWERED), ("unsure", TurnState.HELD), ("unknown", TurnState.HELD)]
)
def test_word_of_the_judge_decides(build: Build, staging: ModuleType, word: str, state: TurnState) -> None:
    house = built(build, staging, judge := Judge(word))
    turn = house.ask("Where is it?")
    assert turn.state is state
    assert judge.asked == ["About: Where is it?"]


def test_draft_handed_over_by_its_caller_is_asked_about_too(build: Build, staging: ModuleType) -> None:
    house = built(build, staging, judge := Judge())
    house.submit("Where is it?", draft=Draft(text="On its way.", agent="mine"))
    house.settle()
    assert judge.asked == ["On its way."]


def test_opinion_is_stored_and_the_decision_replays_without_asking(build: Build, staging: ModuleType) -> None:
    house = built(build, staging, judge := Judge("fail"))
    turn = house.ask("Where is it?")
    recorded, again = house.read(lambda tx: replay(tx, turn.id, checks=(*CHECKS, OPINIONS)))
    assert dump(recorded) == dump(again)
    assert "opinions.rejected" in [finding.name for finding in again.findings]
    assert len(judge.asked) == 1


def test_second_look_meanwhile_asks_nobody_again(build: Build, staging: ModuleType) -> None:
    house = built(build, staging, judge := Judge(gate=asyncio.Event()))
    house.receive("Where is it?")
    task = house.start(house.flow.advance(house.conversation().id))
    house.run(house.flow.advance(house.conversation().id))
    assert len(judge.asked) == 1
    judge.gate.set()
    house.run(task)
    house.settle()
    assert len(judge.asked) == 1


def test_turn_that_was_cut_off_while_asking_is_asked_about_again(build: Build, staging: ModuleType) -> None:
    house = built(build, staging, judge := Judge(gate=asyncio.Event()))
    received = house.receive("Where is it?")
    task = house.start(house.flow.advance(house.conversation().id))
    task.cancel()
    judge.gate.set()
    house.pass_time(120)
    house.run(house.flow.sweep())
    house.settle()
    assert house.read(lambda tx: tx.turns.get(received.turn_id)).state is TurnState.ANSWERED
    assert len(judge.asked) == 2
