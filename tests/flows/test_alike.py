"""Drafts that say the same are approved at once: each by its own verdict, one of which is evidence."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from types import ModuleType
from typing import Any

import pytest

from stage_plan import ON_EACH_STORE
from understudy.errors import InputError
from understudy.records.autonomy import Outcome
from understudy.records.evidence import Action, Draft
from understudy.records.review import Hold, HoldState, VerdictKind
from understudy.records.rulebook import Level
from understudy.review.alike import AlikeVerdicts
from understudy.testing.scripted import ScriptedAgent

pytestmark = ON_EACH_STORE

Build = Callable[..., Any]
SAME = Draft(text="We are open from nine to six.", agent="echo", agent_version="v1")


@pytest.fixture
def stage(build: Build, staging: ModuleType) -> Any:
    return build(rules=staging.rules(Level.ASSIST), agent=ScriptedAgent(SAME, name="echo"))


def waiting(stage: Any, count: int) -> list[Hold]:
    for number in range(count):
        stage.ask(f"When are you open, asks {number}?", to=f"e-{number}")
    holds: list[Hold] = stage.open_holds
    stage.run(stage.holds.claim(holds[-1].id, reviewer="rosa"))
    return holds


def approve(stage: Any, holds: list[Hold], *, undo_s: float = 0.0) -> Any:
    alike = AlikeVerdicts(stage.store, stage.clock, stage.verdicts)
    return stage.run(alike.approve([(hold.id, hold.version) for hold in holds], reviewer="rosa", undo_s=undo_s))


def labels(stage: Any, holds: list[Hold]) -> list[Outcome]:
    return [stage.read(lambda tx, hold=hold: tx.candidates.of_turn(hold.turn_id)).label.outcome for hold in holds]


def test_each_customer_is_answered_and_the_draft_that_was_read_is_the_only_evidence(stage: Any) -> None:
    holds = waiting(stage, 4)
    assert len({hold.alike for hold in holds}) == 1
    assert holds[0].alike is not None
    done = approve(stage, holds)
    stage.settle()
    assert (sorted(done.approved), done.refused) == (sorted(hold.id for hold in holds), ())
    assert [entry.text for entry in stage.channel.delivered] == [SAME.text] * 4
    assert labels(stage, holds) == [Outcome.DISCOUNTED] * 3 + [Outcome.APPROVE]
    assert len(stage.read(lambda tx: tx.reviews.of_reviewer("rosa", limit=10))) == 1
    given = [json.loads(entry.body) for entry in stage.ledger if entry.event == "verdict.given"]
    assert [(one["bulk"], one["repeat"]) for one in given] == [(done.bulk, False)] + [(done.bulk, True)] * 3


def test_one_that_changed_meanwhile_is_refused_alone(stage: Any) -> None:
    holds = waiting(stage, 3)
    stage.give(holds[0], VerdictKind.REJECT, reviewer="tom")
    done = approve(stage, [holds[0], replace(holds[1], version=9), holds[2]])
    assert done.approved == (holds[2].id,)
    assert {one.hold_id: one.code for one in done.refused} == {
        holds[0].id: "hold-closed",
        holds[1].id: "stale-version",
    }


def test_where_the_one_that_was_read_is_refused_no_other_is_evidence_in_its_place(stage: Any) -> None:
    holds = waiting(stage, 3)
    done = approve(stage, [*holds[:2], replace(holds[2], version=9)])
    assert done.approved == (holds[0].id, holds[1].id)
    assert labels(stage, holds[:2]) == [Outcome.DISCOUNTED] * 2
    assert stage.read(lambda tx: tx.reviews.of_reviewer("rosa", limit=10)) == []


def test_they_can_be_taken_back(stage: Any) -> None:
    holds = waiting(stage, 2)
    done = approve(stage, holds, undo_s=10)
    assert done.undo_until is not None
    for hold in holds:
        stage.run(stage.verdicts.take_back(hold.id, reviewer="rosa", claim_lease_s=60))
    stage.pass_time(20)
    assert stage.channel.delivered == []
    assert {hold.state for hold in stage.open_holds} == {HoldState.OPEN}


def test_who_read_none_of_them_approves_none(stage: Any) -> None:
    holds = waiting(stage, 2)
    stage.run(stage.holds.release(holds[-1].id, reviewer="rosa"))
    with pytest.raises(InputError, match="claim the one of them that you have read"):
        approve(stage, stage.open_holds)
    assert len(stage.open_holds) == 2


def test_only_what_is_alike_is_approved_together(build: Build, staging: ModuleType) -> None:
    texts = iter(["We are open.", "We are closed.", "We are  open."])
    agent = ScriptedAgent(lambda _request: Draft(text=next(texts), agent="echo", agent_version="v1"), name="echo")
    stage = build(rules=staging.rules(Level.ASSIST), agent=agent)
    holds = waiting(stage, 3)
    first, other, same = (hold.alike for hold in holds)
    assert first == same != other
    with pytest.raises(InputError, match="not alike"):
        approve(stage, holds)


@pytest.mark.parametrize("count", [1, 21])
def test_neither_one_nor_too_many(stage: Any, count: int) -> None:
    holds = waiting(stage, 1)
    with pytest.raises(InputError, match="between 2 and 20"):
        approve(stage, [replace(holds[0], id=f"hold-{number}") for number in range(count)])


def test_a_draft_that_proposes_an_action_is_like_no_other(build: Build, staging: ModuleType) -> None:
    acting = replace(SAME, actions=(Action(name="refund", arguments={"amount": 3}),))
    stage = build(rules=staging.rules(Level.ASSIST), agent=ScriptedAgent(acting, name="echo"))
    stage.ask("A refund, please.")
    assert [hold.alike for hold in stage.open_holds] == [None]
