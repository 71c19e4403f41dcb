"""What a lead sees of each reviewer, and what becomes of the approvals of one who only stamps."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from types import ModuleType
from typing import Any

import pytest

from understudy.records.autonomy import Outcome
from understudy.records.evidence import Draft
from understudy.records.review import HoldKind, VerdictKind
from understudy.records.reviewing import ReviewTerms
from understudy.records.rulebook import Level
from understudy.records.turn import SEED_JOB, Job
from understudy.testing.scripted import ScriptedAgent

Build = Callable[..., Any]
LONG = " ".join(["Your kettle leaves our house on Monday and is with you on Wednesday."] * 6)
MONTH = 30 * 86_400


@pytest.fixture
def stage(build: Build, staging: ModuleType) -> Any:
    """A stage whose drafts take some time to read, with six of them rejected a month ago."""
    agent = ScriptedAgent(lambda _request: Draft(text=LONG, agent="echo", agent_version="v1"), name="echo")
    return with_past(build(rules=staging.rules(Level.ASSIST), agent=agent))


def with_past(stage: Any) -> Any:
    for number in range(6):
        turn = stage.ask(f"Where is mine, asks {number}?", to=f"past-{number}")
        (hold,) = (one for one in stage.open_holds if one.turn_id == turn.id)
        stage.give(hold, VerdictKind.REJECT, reviewer="ann")
    stage.pass_time(MONTH)
    return stage


def approve(stage: Any, *, by: str, after_s: float, count: int = 1) -> str:
    """Approve drafts, each `after_s` seconds after the claim; returns the last one's turn."""
    turn_id = ""
    for _ in range(count):
        turn = stage.ask("Where is it?", to=stage.clock.new_id("e"))
        (hold,) = (one for one in stage.open_holds if one.turn_id == turn.id)
        claimed = stage.run(stage.holds.claim(hold.id, reviewer=by))
        stage.clock.advance(after_s)
        stage.give(claimed, VerdictKind.APPROVE, reviewer=by)
        stage.settle()
        turn_id = turn.id
    return turn_id


def judge_seeds(stage: Any, kind: VerdictKind, *, by: str, count: int) -> None:
    for _ in range(count):
        stage.look(Job(kind=SEED_JOB, key="now"))
        hold = next(one for one in stage.open_holds if one.kind is HoldKind.DRAFT)
        stage.give(stage.run(stage.holds.claim(hold.id, reviewer=by)), kind, reviewer=by)


def label_of(stage: Any, turn_id: str) -> Any:
    return stage.read(lambda tx: tx.candidates.of_turn(turn_id)).label


def quality(stage: Any, name: str) -> Any:
    (found,) = (one for one in stage.run(stage.reviewers.all()) if one.reviewer == name)
    return found


def test_a_lead_sees_how_each_reviewer_decides(stage: Any) -> None:
    approve(stage, by="rosa", after_s=40.0, count=3)
    judge_seeds(stage, VerdictKind.REJECT, by="rosa", count=1)
    found = quality(stage, "rosa")
    assert (found.verdicts, found.approval_s, found.approval_rate) == (4, 40.0, 0.75)
    assert found.reading_s == pytest.approx(60 * 78 / 700)
    assert (found.seeds.caught, found.seeds.judged) == (1, 1)
    assert found.discounted is None
    assert {one.reviewer for one in stage.run(stage.reviewers.all())} == {"ann", "rosa"}


def test_without_a_claim_a_decision_takes_since_the_last_one(stage: Any) -> None:
    turn = stage.ask("Where?", to="x")
    stage.clock.advance(100)
    stage.give(next(one for one in stage.open_holds if one.turn_id == turn.id), VerdictKind.APPROVE, reviewer="tom")
    assert quality(stage, "tom").decision_s == 100


def test_approvals_of_a_stamp_are_no_evidence_and_say_why(stage: Any) -> None:
    before = approve(stage, by="rosa", after_s=1.0, count=12)
    judge_seeds(stage, VerdictKind.APPROVE, by="rosa", count=4)
    after = approve(stage, by="rosa", after_s=1.0)
    assert [label_of(stage, turn).outcome for turn in (before, after)] == [Outcome.APPROVE, Outcome.DISCOUNTED]
    assert "missed 4 of 4" in quality(stage, "rosa").discounted
    (entry,) = (entry for entry in stage.ledger if entry.event == "reviewer.discounted")
    assert "rosa" in entry.body


def test_what_a_stamp_rejects_counts_all_the_same(stage: Any) -> None:
    approve(stage, by="rosa", after_s=1.0, count=12)
    judge_seeds(stage, VerdictKind.APPROVE, by="rosa", count=4)
    turn = stage.ask("Where?", to="x")
    stage.give(next(one for one in stage.open_holds if one.turn_id == turn.id), VerdictKind.REJECT, reviewer="rosa")
    assert label_of(stage, turn.id).outcome is Outcome.REJECT


def test_who_begins_to_notice_counts_again(stage: Any) -> None:
    approve(stage, by="rosa", after_s=1.0, count=12)
    judge_seeds(stage, VerdictKind.APPROVE, by="rosa", count=4)
    judge_seeds(stage, VerdictKind.REJECT, by="rosa", count=2)
    assert quality(stage, "rosa").discounted is None
    assert label_of(stage, approve(stage, by="rosa", after_s=1.0)).outcome is Outcome.APPROVE
    assert stage.ledger_events.count("reviewer.restored") == 1


def test_a_careful_reviewer_with_bad_luck_counts(stage: Any) -> None:
    approve(stage, by="rosa", after_s=60.0, count=12)
    judge_seeds(stage, VerdictKind.APPROVE, by="rosa", count=4)
    assert quality(stage, "rosa").discounted is None


def test_the_rule_can_be_switched_off(build: Build, staging: ModuleType) -> None:
    agent = ScriptedAgent(lambda _request: Draft(text=LONG, agent="echo", agent_version="v1"), name="echo")
    rules, terms = staging.rules(Level.ASSIST), ReviewTerms(discounts=False)
    stage = with_past(build(rules=rules, agent=agent, reviewing=terms, seed_age=timedelta(days=1)))
    approve(stage, by="rosa", after_s=1.0, count=12)
    judge_seeds(stage, VerdictKind.APPROVE, by="rosa", count=4)
    assert label_of(stage, approve(stage, by="rosa", after_s=1.0)).outcome is Outcome.APPROVE
