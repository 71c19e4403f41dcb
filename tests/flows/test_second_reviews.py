"""A sample of verdicts is given twice, by reviewers who do not know of each other; when they differ the worse counts."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest

from understudy.errors import InputError, NotFound
from understudy.records.autonomy import Candidate, Outcome
from understudy.records.review import Hold, HoldKind, HoldState, VerdictKind
from understudy.records.reviewing import ReviewTerms
from understudy.records.rulebook import Level

Build = Callable[..., Any]
ALWAYS = ReviewTerms(second_rate=1.0)


@pytest.fixture
def stage(build: Build, staging: ModuleType) -> Any:
    """A stage on which every verdict is given twice, and somebody else reviewed lately."""
    stage = build(rules=staging.rules(Level.ASSIST), reviewing=ALWAYS)
    decide(stage, "first", VerdictKind.APPROVE, by="ann")
    return stage


def decide(stage: Any, to: str, kind: VerdictKind, *, by: str = "rosa", **more: Any) -> str:
    """A customer asks and a reviewer decides; returns the turn."""
    turn = stage.ask(f"Where is mine, asks {to}?", to=to)
    (hold,) = (hold for hold in stage.open_holds if hold.turn_id == turn.id)
    stage.give(hold, kind, reviewer=by, **more)
    stage.settle()
    return str(turn.id)


def second(stage: Any, turn_id: str) -> Hold:
    (found,) = (hold for hold in stage.open_holds if hold.turn_id == turn_id and hold.kind is HoldKind.SECOND)
    return found


def candidate(stage: Any, turn_id: str) -> Candidate:
    found: Candidate = stage.read(lambda tx: tx.candidates.of_turn(turn_id))
    return found


@pytest.mark.parametrize(
    ("first", "then", "counts", "by"),
    [
        (VerdictKind.APPROVE, VerdictKind.REJECT, Outcome.REJECT, "tom"),
        (VerdictKind.REJECT, VerdictKind.APPROVE, Outcome.REJECT, "rosa"),
        (VerdictKind.APPROVE, VerdictKind.APPROVE, Outcome.APPROVE, "rosa"),
    ],
)
def test_the_worse_of_two_labels_counts_and_both_are_kept(
    stage: Any, first: VerdictKind, then: VerdictKind, counts: Outcome, by: str
) -> None:
    turn = decide(stage, "x", first)
    assert candidate(stage, turn).awaits_second
    stage.give(second(stage, turn), then, reviewer="tom")
    after = candidate(stage, turn)
    assert not after.awaits_second
    assert (after.label.outcome, after.label.by) == (counts, by)
    (kept,) = stage.read(lambda tx: tx.reviews.seconds(limit=9))
    assert (kept.first.outcome.value, kept.second.outcome.value) == (first.value, then.value)
    assert (kept.first.by, kept.second.by) == ("rosa", "tom")
    assert {verdict.reviewer for verdict in stage.read(lambda tx: tx.verdicts.of_turn(turn))} == {"rosa", "tom"}


def test_harm_that_only_the_second_saw_counts(stage: Any) -> None:
    turn = decide(stage, "x", VerdictKind.REJECT)
    stage.give(second(stage, turn), VerdictKind.REJECT, reviewer="tom", reasons=("harm",))
    assert candidate(stage, turn).label.is_severe


def test_the_first_reviewer_never_gets_it(stage: Any) -> None:
    turn = decide(stage, "x", VerdictKind.APPROVE)
    hold = second(stage, turn)
    with pytest.raises(NotFound):
        stage.give(hold, VerdictKind.APPROVE, reviewer="rosa")
    queue = stage.read(lambda tx: tx.holds.queue(state=HoldState.OPEN, after=None, limit=99, reader="rosa"))
    assert hold.id not in {one.id for one in queue}


def test_a_second_review_sends_nothing_and_takes_nobody_over(stage: Any) -> None:
    turn = decide(stage, "x", VerdictKind.APPROVE)
    sent = list(stage.channel.delivered)
    for kind in (VerdictKind.RESPOND, VerdictKind.TAKE_OVER):
        with pytest.raises(InputError, match="does not take"):
            stage.give(second(stage, turn), kind, reviewer="tom")
    stage.give(second(stage, turn), VerdictKind.EDIT, "Other words.", reviewer="tom")
    stage.pass_time(3600)
    assert stage.channel.delivered == sent


def test_a_label_waits_for_the_second_until_its_time_has_passed(stage: Any) -> None:
    turn = decide(stage, "x", VerdictKind.APPROVE)
    hold = second(stage, turn)
    stage.pass_time(ALWAYS.second_within_s - 1)
    assert candidate(stage, turn).awaits_second
    stage.pass_time(2)
    after = candidate(stage, turn)
    assert (after.awaits_second, after.label.outcome) == (False, Outcome.APPROVE)
    assert stage.read(lambda tx: tx.holds.get(hold.id)).state is HoldState.EXPIRED


def test_a_second_review_is_not_reviewed_again(stage: Any) -> None:
    turn = decide(stage, "x", VerdictKind.APPROVE)
    stage.give(second(stage, turn), VerdictKind.APPROVE, reviewer="tom")
    assert not [hold for hold in stage.open_holds if hold.turn_id == turn]


def test_nobody_is_asked_where_there_is_nobody_else(build: Build, staging: ModuleType) -> None:
    stage = build(rules=staging.rules(Level.ASSIST), reviewing=ALWAYS)
    decide(stage, "a", VerdictKind.APPROVE)
    decide(stage, "b", VerdictKind.APPROVE)
    assert stage.open_holds == []
    decide(stage, "c", VerdictKind.APPROVE, by="tom")
    assert [hold.kind for hold in stage.open_holds] == [HoldKind.SECOND]


def test_a_draft_that_is_no_candidate_is_not_reviewed_twice(build: Build, staging: ModuleType) -> None:
    stage = build(rules=staging.rules(Level.ASSIST, never_auto=("orders",)), reviewing=ALWAYS)
    for by in ("rosa", "tom"):
        decide(stage, by, VerdictKind.APPROVE, by=by)
    assert stage.open_holds == []


def test_the_share_is_drawn_by_the_clocks_coin(build: Build, staging: ModuleType) -> None:
    stage = build(rules=staging.rules(Level.ASSIST), reviewing=ReviewTerms(second_rate=0.3))
    decide(stage, "first", VerdictKind.APPROVE, by="ann")
    for number in range(60):
        decide(stage, f"c-{number}", VerdictKind.REJECT if number % 2 else VerdictKind.APPROVE)
    asked = sum(hold.kind is HoldKind.SECOND for hold in stage.open_holds)
    assert 8 <= asked <= 30


def test_agreement_is_a_rate_and_a_kappa_with_its_interval(stage: Any) -> None:
    for number in range(20):
        first = VerdictKind.APPROVE if number % 2 else VerdictKind.REJECT
        turn = decide(stage, f"c-{number}", first)
        stage.give(second(stage, turn), VerdictKind.APPROVE if number in (0, 1) else first, reviewer="tom")
    found = stage.run(stage.reviewers.agreement())
    assert (found.drafts, found.rate) == (20, 0.95)
    assert found.low < found.kappa < found.high
    assert found.kappa == pytest.approx(0.9)
