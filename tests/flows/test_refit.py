"""The confidence is learned anew in the background, and a certificate never rests on labels that its score was made of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from types import ModuleType
from typing import Any

import pytest

from understudy.learning.calibrating import lessons
from understudy.learning.ladder import Progress
from understudy.learning.orders import Slice
from understudy.learning.rebuild import faults_of
from understudy.learning.refit import Refit
from understudy.learning.reports import calibration_in_force
from understudy.ports.telemetry import AutonomyMoved, CalibratorAdopted
from understudy.records.assessment import DecisionKind
from understudy.records.autonomy import RefitTerms, Targets, Terms, TrialTerms
from understudy.records.codec import load
from understudy.records.evidence import Draft
from understudy.records.review import HoldKind, VerdictKind
from understudy.records.rulebook import SHIPPED, Calibrator, Level
from understudy.testing.scripted import ScriptedAgent

Build = Callable[..., Any]
LAX = Targets(risk_max=0.2, severe_max=0.2, delta=0.1, sensitivity=1.0)
QUICK = Terms(days_min=0.0, reviewers_min=2, probation_audit_rate=1.0, probation_replies=10_000, audit_rate=1.0)
SOON = RefitTerms(trial=TrialTerms(verdicts_min=60, kind_min=4, level=0.05))


def unsure(request: Any) -> Draft:
    """An agent that says when it is not sure."""
    sure = 0.0 if "odd" in request.messages[-1].content else 1.0
    return Draft(text="It comes on Monday.", agent="echo", agent_version="v1", confidence=sure)


@pytest.fixture
def stage(build: Build, staging: ModuleType) -> Any:
    made = build(
        rules=staging.rules(Level.ASSIST, grants=()),
        targets=LAX,
        terms=QUICK,
        agent=ScriptedAgent(unsure, name="echo"),
    )
    made.refit = Refit(
        made.store, made.clock, made, lambda: made.rulebook.rules, targets_of=lambda _: LAX, seeds_min=20, terms=SOON
    )
    return made


def judge(stage: Any, text: str, verdict: VerdictKind, *, by: str = "rosa", **fields: Any) -> Any:
    turn = stage.ask(text, to=stage.clock.new_id("e"), **fields)
    for hold in stage.open_holds:
        if hold.turn_id == turn.id and hold.kind in (HoldKind.DRAFT, HoldKind.AUDIT):
            stage.give(hold, verdict, reviewer=by)
    stage.settle()
    return stage.turn(turn.id)


def teach(stage: Any, count: int, **fields: Any) -> None:
    """Reviewers who refuse exactly what the agent itself is not sure of."""
    for number in range(count):
        is_odd = number % 3 == 0
        judge(
            stage, "An odd one?" if is_odd else "When?", VerdictKind.REJECT if is_odd else VerdictKind.APPROVE, **fields
        )


def earn(stage: Any, topic: str) -> None:
    """Two reviewers approve until a promotion is proposed."""
    for number in range(120):
        judge(stage, "When?", VerdictKind.APPROVE, by=("rosa", "paul")[number % 2], topic=topic)
        if any(epoch.proposal for epoch in epochs(stage)):
            return
    raise AssertionError("it never came to a proposal")


def epochs(stage: Any) -> list[Any]:
    return stage.read(lambda tx: tx.epochs.all_open())


def latest(stage: Any) -> Calibrator:
    found = stage.read(lambda tx: tx.calibrators.latest())
    assert found is not None
    return found


def test_a_better_calibrator_is_adopted_and_slices_in_assist_begin_anew(stage: Any) -> None:
    teach(stage, 66)
    (before,) = epochs(stage)
    assert before.calibrator == SHIPPED
    assert stage.run(stage.refit.sweep()) == 1
    calibrator = latest(stage)
    assert dict(calibrator.weights)["agent"] > 2.0, "what the agent says of itself counts for more than is shipped"
    (now,) = epochs(stage)
    assert (now.calibrator, now.earned) == (calibrator.id, None)
    assert load(Progress, now.progress).labels == 0
    (event,) = stage.emitted(CalibratorAdopted)
    assert event.log_loss_after < event.log_loss_before
    assert [moved.what for moved in stage.emitted(AutonomyMoved)][-1:] == ["calibrated"]
    turn = stage.ask("An odd one?", to="later")
    assert turn.confidence < 0.5
    (adopted,) = [entry for entry in stage.ledger if entry.event == "calibrator.adopted"]
    assert f'"calibrator":"{calibrator.id}"' in adopted.body
    assert f'"replaces":"{SHIPPED}"' in adopted.body


def test_no_certificate_rests_on_labels_that_made_or_chose_its_score(stage: Any) -> None:
    teach(stage, 66)
    late = stage.ask("Who looks at this one?", to="late")
    stage.run(stage.refit.sweep())
    (now,) = epochs(stage)
    used = stage.read(lambda tx: tx.candidates.latest_judged(limit=10_000))
    assert now.after >= latest(stage).trained_until == max(one.seq for one in lessons(used))
    (hold,) = (hold for hold in stage.open_holds if hold.turn_id == late.id)
    stage.give(hold, VerdictKind.APPROVE)  # drafted before, judged after: scored by another calibrator
    stage.settle()
    assert load(Progress, epochs(stage)[0].progress).labels == 0
    teach(stage, 5)
    assert load(Progress, epochs(stage)[0].progress).labels == 5
    assert stage.read(faults_of) == (2, []), "the ledger alone rebuilds both epochs"
    counted = stage.read(lambda tx: tx.candidates.following("orders", "*", "v1", after=now.after, limit=100))
    assert all(one.calibrator == now.calibrator and one.seq > latest(stage).trained_until for one in counted)


def test_a_slice_that_answers_alone_keeps_the_calibrator_it_was_certified_with(stage: Any) -> None:
    earn(stage, "refunds")
    stage.run(stage.orders.confirm(Slice(), by="lena"))
    teach(stage, 120)
    stage.run(stage.refit.sweep())
    by_topic = {epoch.topic: epoch for epoch in epochs(stage)}
    assert by_topic["orders"].calibrator == latest(stage).id
    assert (by_topic["refunds"].calibrator, by_topic["refunds"].earned) == (SHIPPED, Level.PROBATION)
    turn = stage.ask("When?", to="x", topic="refunds")
    assert turn.decision is DecisionKind.DELIVER
    assert stage.read(lambda tx: tx.candidates.of_turn(turn.id)).calibrator == SHIPPED
    stage.run(stage.orders.restart(Slice(topic="refunds"), by="lena"))
    assert {epoch.calibrator for epoch in epochs(stage)} == {latest(stage).id}


def test_a_proposed_promotion_is_not_taken_from_under_the_lead(stage: Any) -> None:
    earn(stage, "refunds")
    teach(stage, 120)
    stage.run(stage.refit.sweep())
    assert {epoch.topic: epoch.calibrator for epoch in epochs(stage)}["refunds"] == SHIPPED
    stage.run(stage.orders.decline(Slice(topic="refunds"), by="lena"))
    stage.run(stage.refit.sweep())
    assert {epoch.calibrator for epoch in epochs(stage)} == {latest(stage).id}


def test_a_crash_between_adoption_and_the_slices_is_made_good_by_the_next_sweep(stage: Any) -> None:
    teach(stage, 66)
    follow = stage.refit._follow

    async def dies() -> int:
        raise RuntimeError("killed")

    stage.refit._follow = dies
    with pytest.raises(RuntimeError, match="killed"):
        stage.run(stage.refit.sweep())
    (epoch,) = epochs(stage)
    assert epoch.calibrator == SHIPPED
    odd = judge(stage, "An odd one?", VerdictKind.REJECT)
    assert stage.read(lambda tx: tx.candidates.of_turn(odd.id)).calibrator == SHIPPED
    stage.refit._follow = follow
    assert stage.run(stage.refit.sweep()) == 1
    assert epochs(stage)[0].calibrator == latest(stage).id


def test_where_another_process_adopted_first_nothing_is_written(stage: Any) -> None:
    teach(stage, 66)
    trial = stage.run(stage.refit.refit())
    late = Calibrator(id="late", base_log_odds=0.0, weights=())
    stage.run(stage.refit._adopt(replace(trial, calibrator=late), SHIPPED))
    assert latest(stage).id == trial.calibrator.id
    assert len(stage.emitted(CalibratorAdopted)) == 1


def test_the_same_verdicts_are_not_used_twice(stage: Any) -> None:
    teach(stage, 66)
    stage.run(stage.refit.refit())
    assert stage.run(stage.refit.refit()) is None, "none is left that the calibrator in force has not seen"


def test_it_is_tried_again_only_after_its_time_or_enough_new_verdicts(stage: Any) -> None:
    teach(stage, 50)
    assert stage.run(stage.refit._is_due(stage.clock.now())) is False
    teach(stage, 10)
    assert stage.run(stage.refit._is_due(stage.clock.now())) is True
    stage.run(stage.refit.sweep())
    assert stage.run(stage.refit._is_due(stage.clock.now() + timedelta(days=2))) is False, "nothing new"
    judge(stage, "When?", VerdictKind.APPROVE)
    assert stage.run(stage.refit._is_due(stage.clock.now())) is False
    assert stage.run(stage.refit._is_due(stage.clock.now() + timedelta(days=2))) is True


def test_the_report_shows_the_calibrator_and_how_honest_it_has_been(stage: Any) -> None:
    teach(stage, 66)
    before = stage.read(lambda tx: calibration_in_force(tx, stage.rulebook.rules))
    assert (before.calibrator.id, before.calibrator.labels, before.verdicts) == (SHIPPED, 0, 66)
    stage.run(stage.refit.sweep())
    teach(stage, 12)
    after = stage.read(lambda tx: calibration_in_force(tx, stage.rulebook.rules))
    assert (after.calibrator, after.verdicts, after.approved) == (latest(stage), 12, 8)
    assert after.log_loss < before.log_loss
