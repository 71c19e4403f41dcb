"""Which labels are evidence for autonomy: in what order, how late, once a conversation, and by whom."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from types import ModuleType
from typing import Any

import pytest

from stage_earning import LAX, QUICK, ask_and_judge, earn, epoch, judgeable, progress
from understudy.learning.ladder import SCORES_MIN
from understudy.learning.rebuild import faults_of
from understudy.ports.telemetry import AutonomyMoved
from understudy.records.assessment import DecisionKind
from understudy.records.autonomy import Outcome
from understudy.records.review import VerdictKind
from understudy.records.reviewing import Discount, ReviewTerms, Seed, SeedOrigin, SeedOutcome
from understudy.records.rulebook import Level

Build = Callable[..., Any]


@pytest.fixture
def stage(build: Build, staging: ModuleType) -> Any:
    return build(rules=staging.rules(Level.ASSIST, grants=()), targets=LAX, terms=QUICK)


def test_labels_count_in_the_order_of_drafts_up_to_the_first_that_is_awaited(stage: Any) -> None:
    for _ in range(SCORES_MIN):
        ask_and_judge(stage)
    before = progress(stage).labels
    waiting = stage.ask("Who looks at this one?", to="waits")
    for _ in range(5):
        ask_and_judge(stage)
    assert progress(stage).labels == before
    (hold,) = (hold for hold in judgeable(stage) if hold.turn_id == waiting.id)
    stage.give(hold, VerdictKind.REJECT)
    stage.settle()
    assert progress(stage).labels == before + 6
    assert progress(stage).loss_sum == 1.0


def test_a_draft_that_nobody_judges_counts_as_bad_after_its_time(stage: Any) -> None:
    for _ in range(SCORES_MIN):
        ask_and_judge(stage)
    turn = stage.ask("Who looks at this one?", to="waits")
    stage.pass_time(72 * 3600 - 1)
    assert stage.read(lambda tx: tx.candidates.of_turn(turn.id)).label is None
    stage.pass_time(2)
    assert stage.read(lambda tx: tx.candidates.of_turn(turn.id)).label.outcome is Outcome.TIMEOUT
    assert (progress(stage).timeouts, progress(stage).loss_sum) == (1, 1.0)


@pytest.mark.parametrize(
    ("late_s", "said", "counts", "is_severe"),
    [
        (-1, {"verdict": VerdictKind.APPROVE}, Outcome.APPROVE, False),
        (0, {"verdict": VerdictKind.APPROVE}, Outcome.TIMEOUT, False),
        (1, {"verdict": VerdictKind.EDIT}, Outcome.TIMEOUT, False),
        (1, {"verdict": VerdictKind.REJECT}, Outcome.TIMEOUT, False),
        (1, {"verdict": VerdictKind.REJECT, "reasons": ("harm",)}, Outcome.REJECT, True),
    ],
)
def test_a_label_that_comes_too_late_is_a_time_out_though_no_sweep_came_before_it(
    stage: Any, late_s: int, said: dict[str, Any], counts: Outcome, is_severe: bool
) -> None:
    turn = stage.ask("Who looks at this one?", to="waits")
    stage.clock.advance(72 * 3600 + late_s)
    (hold,) = (hold for hold in judgeable(stage) if hold.turn_id == turn.id)
    stage.give(hold, said["verdict"], reasons=said.get("reasons", ()))
    label = stage.read(lambda tx: tx.candidates.of_turn(turn.id)).label
    assert (label.outcome, label.is_severe) == (counts, is_severe)
    assert label.loss == (0.0 if counts is Outcome.APPROVE else 1.0)
    assert label.by == (None if counts is Outcome.TIMEOUT else "rosa")


def test_a_draft_the_customer_overtook_too_late_counts_as_bad_like_any_that_nobody_judged(stage: Any) -> None:
    turn = stage.ask("When?", to="slow")
    stage.clock.advance(72 * 3600 + 1)
    stage.ask("When, please?", to="slow")
    assert stage.read(lambda tx: tx.candidates.of_turn(turn.id)).label.outcome is Outcome.TIMEOUT


def test_a_label_that_came_too_late_is_given_no_second_review(build: Build, staging: ModuleType) -> None:
    stage = build(rules=staging.rules(Level.ASSIST, grants=()), reviewing=ReviewTerms(second_rate=1.0))
    ask_and_judge(stage, reviewer="ann")
    turn = stage.ask("Who looks at this one?", to="waits")
    stage.clock.advance(72 * 3600 + 1)
    (hold,) = (hold for hold in judgeable(stage) if hold.turn_id == turn.id)
    stage.give(hold, VerdictKind.APPROVE)
    assert not [hold for hold in stage.open_holds if hold.turn_id == turn.id]


def test_a_second_review_may_come_after_the_time_for_the_first(build: Build, staging: ModuleType) -> None:
    stage = build(
        rules=staging.rules(Level.ASSIST, grants=()),
        reviewing=ReviewTerms(second_rate=1.0, second_within_s=200 * 3600.0),
    )
    ask_and_judge(stage, reviewer="ann")
    turn = ask_and_judge(stage)
    stage.clock.advance(100 * 3600)
    (hold,) = (hold for hold in stage.open_holds if hold.turn_id == turn.id)
    stage.give(hold, VerdictKind.APPROVE, reviewer="ann")
    label = stage.read(lambda tx: tx.candidates.of_turn(turn.id)).label
    assert (label.outcome, label.loss) == (Outcome.APPROVE, 0.0)


def test_a_draft_the_customer_overtook_counts_as_nothing(stage: Any) -> None:
    for _ in range(SCORES_MIN):
        ask_and_judge(stage)
    before = progress(stage).labels
    turn = stage.ask("When?", to="hasty")
    ask_again = stage.ask("When, please?", to="hasty")
    assert stage.read(lambda tx: tx.candidates.of_turn(turn.id)).label.outcome is Outcome.VOID
    (hold,) = (hold for hold in judgeable(stage) if hold.turn_id == ask_again.id)
    stage.give(hold, VerdictKind.APPROVE)
    stage.settle()
    assert progress(stage).labels == before + 1


def test_a_conversation_is_evidence_once(stage: Any) -> None:
    for _ in range(SCORES_MIN):
        ask_and_judge(stage)
    before = progress(stage)
    for text in ("When?", "Where is it?", "And now?"):
        turn = stage.ask(text, to="talkative")
        (hold,) = (hold for hold in judgeable(stage) if hold.turn_id == turn.id)
        stage.give(hold, VerdictKind.APPROVE)
        stage.settle()
    after = progress(stage)
    assert (after.labels - before.labels, after.repeats - before.repeats) == (1, 2)
    assert stage.read(faults_of)[1] == []


def let_judge_seeds(stage: Any, *, caught: int, missed: int) -> None:
    """Reviewers decided on so many planted drafts."""

    def judged(tx: Any) -> None:
        for number in range(caught + missed):
            outcome = SeedOutcome.CAUGHT if number < caught else SeedOutcome.MISSED
            name = stage.clock.new_id("s")
            known = {"origin": SeedOrigin.FILE, "source": name, "topic": "orders", "channel": "x", "added_by": "lena"}
            tx.seeds.add(Seed(id=name, added_at=stage.clock.now(), outcome=outcome, **known))
        tx.ledger.append("test.judged", at=stage.clock.now())

    stage.store.write_now(judged)


def test_reviewers_who_are_shown_to_notice_less_than_a_certificate_counts_on_end_it(
    build: Build, staging: ModuleType
) -> None:
    targets = replace(LAX, sensitivity=0.9)
    stage = build(rules=staging.rules(Level.ASSIST, grants=()), targets=targets, terms=replace(QUICK, seeds_min=20))
    earn(stage)
    before = epoch(stage)
    assert before.earned is Level.PROBATION
    let_judge_seeds(stage, caught=17, missed=3)  # at least 62 %, at most 97 %: it may be as was assumed
    stage.pass_time(120)
    assert epoch(stage).id == before.id
    let_judge_seeds(stage, caught=3, missed=17)
    stage.pass_time(120)
    assert (epoch(stage).earned, epoch(stage).proposal) == (Level.ASSIST, None)
    assert epoch(stage).targets.sensitivity < 0.5
    assert stage.emitted(AutonomyMoved)[-1].why == "reviewers"
    assert stage.ask("And today?", to="new").decision is DecisionKind.HOLD
    after = epoch(stage)
    stage.pass_time(120)
    assert epoch(stage).id == after.id


def test_who_is_discounted_takes_no_label_back_that_was_counted(stage: Any) -> None:
    for _ in range(SCORES_MIN + 3):
        ask_and_judge(stage, reviewer="sam")
    before = progress(stage)
    stage.store.write_now(
        lambda tx: (
            tx.reviews.discount(Discount(reviewer="sam", since=stage.clock.now(), why="stamps")),
            tx.ledger.append("reviewer.discounted", at=stage.clock.now(), reviewer="sam", why="stamps"),
        )
    )
    ask_and_judge(stage, reviewer="sam")
    after = progress(stage)
    assert (after.labels, after.mean, after.discounted) == (before.labels, before.mean, before.discounted + 1)
