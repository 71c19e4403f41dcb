"""Releases that are being tried are watched: a regression is taken back, and nothing is done on missing data."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from stage_plan import ON_EACH_STORE
from stage_releases import TERMS, ask, begin, release_now, status, told, two_versions, watch
from understudy.errors import AgentUnavailable, Conflict
from understudy.learning import epochs
from understudy.learning.rebuild import faults_of
from understudy.records.assessment import DecisionKind
from understudy.records.autonomy import Terms
from understudy.records.evidence import Draft
from understudy.records.release import Release, Stage
from understudy.records.review import HoldKind, VerdictKind
from understudy.records.rollout import LiveSignal, NextStep, Trend
from understudy.records.rulebook import Level

Build = Callable[..., Any]
pytestmark = ON_EACH_STORE
ROUNDS_MAX = 120
"""What has to be seen is seen by then."""


def staged(build: Build, **plan: Any) -> Any:
    return two_versions(build, **{"release_terms": TERMS, **plan})


def judge_all(stage: Any, verdict_of: Callable[[str], VerdictKind]) -> None:
    for hold in stage.open_holds:
        if hold.kind in (HoldKind.DRAFT, HoldKind.AUDIT):
            text = stage.draft(stage.turn(hold.turn_id)).text
            stage.give(hold, verdict_of(text))
    stage.settle()


def go_round(
    stage: Any,
    until: Callable[[], bool] = lambda: False,
    *,
    judging: Callable[[str], VerdictKind] | None = None,
    rounds: int = ROUNDS_MAX,
) -> None:
    """Let a customer ask, people judge and a server look, minute by minute, until something holds."""
    for _ in range(rounds):
        if until():
            return
        ask(stage)
        if judging is not None:
            judge_all(stage, judging)
        stage.clock.advance(60)
        watch(stage)


def is_at(stage: Any, release: Release, at: Stage) -> Callable[[], bool]:
    return lambda: release_now(stage, release).stage is at


def has_told(stage: Any, what: str) -> Callable[[], bool]:
    return lambda: what in told(stage)


def against_the_new(text: str) -> VerdictKind:
    return VerdictKind.REJECT if "new" in text else VerdictKind.APPROVE


def for_all(_text: str) -> VerdictKind:
    return VerdictKind.APPROVE


def trend(stage: Any, release: Release, signal: LiveSignal) -> Trend:
    (found,) = (one for one in status(stage, release).signals if one.signal is signal)
    return found.trend


# --- canary ---


def test_reviews_are_not_compared_with_replies_that_nobody_reviewed(build: Build) -> None:
    """The old release's drafts leave by themselves, so that there is no label of its to compare with."""
    stage = staged(build)
    release = begin(stage, Stage.CANARY)
    go_round(stage, judging=against_the_new, rounds=60)  # as many as the next test, where it is taken back
    assert release_now(stage, release).stage is Stage.CANARY
    assert trend(stage, release, LiveSignal.QUALITY) is Trend.MISSING


def test_a_canary_worse_by_reviews_of_a_fair_sample_is_taken_back(build: Build, staging: Any) -> None:
    stage = staged(build, rules=staging.rules(Level.ASSIST, grants=()))
    release = begin(stage, Stage.CANARY)
    go_round(stage, is_at(stage, release, Stage.ROLLED_BACK), judging=against_the_new, rounds=60)
    back = release_now(stage, release)
    assert back.stage is Stage.ROLLED_BACK
    assert back.moves[-1].by == "system"
    assert "quality: worse by +1.000" in next(move for move in back.moves if move.what == "rolled_back").why
    assert stage.draft(ask(stage)).text == "The old answer."


def test_a_canary_that_costs_much_more_is_taken_back(build: Build) -> None:
    dear = Draft(text="The new answer.", agent="echo-2", agent_version="v2", cost=9.0)
    stage = staged(build, new=dear, release_terms=replace(TERMS, draft_cost_max=10.0))
    stage.agent._answer = lambda _request: Draft(text="The old answer.", agent="echo", agent_version="v1", cost=1.0)
    release = begin(stage, Stage.CANARY)
    go_round(stage, is_at(stage, release, Stage.ROLLED_BACK))
    back = release_now(stage, release)
    assert back.stage is Stage.ROLLED_BACK
    assert any("cost: worse by +0.800" in move.why for move in back.moves)


def test_a_canary_that_fails_to_draft_is_taken_back_without_a_single_review(build: Build) -> None:
    error = AgentUnavailable("down")
    error.is_retryable = False
    stage = staged(build, new=error)
    release = begin(stage, Stage.CANARY)
    go_round(stage, is_at(stage, release, Stage.ROLLED_BACK))
    back = release_now(stage, release)
    assert back.stage is Stage.ROLLED_BACK
    assert any("checks: worse" in move.why for move in back.moves)


def test_a_canary_that_is_no_worse_is_not_taken_back_and_its_promotion_is_proposed_once(
    build: Build, staging: Any
) -> None:
    terms = replace(TERMS, margin=0.3)
    stage = staged(build, rules=staging.rules(Level.ASSIST, grants=()), release_terms=terms)
    release = begin(stage, Stage.CANARY)
    go_round(stage, has_told(stage, "proposed"), judging=for_all)
    go_round(stage, judging=for_all, rounds=10)
    assert release_now(stage, release).stage is Stage.CANARY
    assert status(stage, release).advice.step is NextStep.GO_ON
    assert told(stage).count("proposed") == 1


def test_where_the_configuration_says_so_the_next_step_is_taken_by_itself(build: Build, staging: Any) -> None:
    terms = replace(TERMS, margin=0.3, goes_on=True)
    stage = staged(build, rules=staging.rules(Level.ASSIST, grants=()), release_terms=terms)
    release = begin(stage, Stage.CANARY)
    go_round(stage, is_at(stage, release, Stage.FULL), judging=for_all)
    assert release_now(stage, release).stage is Stage.FULL


def test_nothing_is_done_on_missing_data(build: Build) -> None:
    stage = staged(build)
    release = begin(stage, Stage.CANARY)
    for _ in range(20):
        stage.clock.advance(3600)
        watch(stage)
    assert release_now(stage, release).stage is Stage.CANARY
    assert {one.trend for one in status(stage, release).signals} == {Trend.MISSING}
    assert status(stage, release).advice.step is NextStep.INCONCLUSIVE


def test_a_persons_hold_is_never_overridden_and_the_regression_is_told(build: Build) -> None:
    error = AgentUnavailable("down")
    error.is_retryable = False
    stage = staged(build, new=error)
    release = begin(stage, Stage.CANARY)
    stage.run(stage.letting_out.orders.hold(release.id, version=None, by="Lena", why="we know"))
    go_round(stage, has_told(stage, "regressed"))
    go_round(stage, rounds=10)
    assert release_now(stage, release).stage is Stage.CANARY
    assert told(stage).count("regressed") == 1
    assert status(stage, release).advice.step is NextStep.HOLD
    stage.run(stage.letting_out.orders.resume(release.id, version=None, by="Lena"))
    watch(stage)
    assert release_now(stage, release).stage is Stage.ROLLED_BACK


def test_where_the_configuration_says_so_a_regression_is_only_told(build: Build) -> None:
    error = AgentUnavailable("down")
    error.is_retryable = False
    stage = staged(build, new=error, release_terms=replace(TERMS, takes_back=False))
    release = begin(stage, Stage.CANARY)
    go_round(stage, has_told(stage, "regressed"))
    go_round(stage, rounds=10)
    assert release_now(stage, release).stage is Stage.CANARY
    assert told(stage).count("regressed") == 1


def test_a_persons_rollback_while_the_machine_judges_stands(build: Build) -> None:
    """The page was read, the person took it back, the machine acts on what it read: it changes nothing."""
    stage = staged(build)
    release = begin(stage, Stage.CANARY)
    ask(stage)
    read = stage.read(lambda tx: stage.letting_out.watch._read(tx, release.id))
    stage.run(stage.letting_out.orders.roll_back(release.id, by="Ines", why="odd"))
    ill = replace(read, progress=replace(read.progress, harms=1))
    with pytest.raises(Conflict):
        stage.run(stage.letting_out.watch._act(ill))
    assert [move.by for move in release_now(stage, release).moves if move.what == "rolled_back"] == ["Ines"]


def test_a_person_who_lets_it_begin_again_is_not_overruled_by_what_was_seen_before(build: Build) -> None:
    error = AgentUnavailable("down")
    error.is_retryable = False
    stage = staged(build, new=error)
    release = begin(stage, Stage.CANARY)
    go_round(stage, is_at(stage, release, Stage.ROLLED_BACK))
    assert release_now(stage, release).stage is Stage.ROLLED_BACK
    for to in (Stage.GATED, Stage.CANARY):
        stage.run(stage.letting_out.orders.promote(release.id, version=None, by="Lena", to=to, share=0.5))
    watch(stage)
    assert release_now(stage, release).stage is Stage.CANARY


def test_what_was_read_of_the_ledger_is_read_once_whatever_process_reads(build: Build, staging: Any) -> None:
    stage = staged(build, rules=staging.rules(Level.ASSIST, grants=()))
    release = begin(stage, Stage.CANARY)
    for _ in range(30):
        ask(stage)
        judge_all(stage, for_all)
        watch(stage)
    seen = stage.read(lambda tx: tx.releases.watched(release.id))
    later = stage.restarted()
    watch(later)
    assert later.read(lambda tx: tx.releases.watched(release.id)).progress == seen.progress


def test_one_harmful_reply_that_left_by_itself_takes_a_canary_back(build: Build, staging: Any) -> None:
    stage = staged(build, terms=Terms(release_audit_rate=1.0), rules=staging.rules(Level.AUTO, audit_rate=1.0))
    release = begin(stage, Stage.CANARY, share=1.0)
    let_it_answer(stage, release)
    turn = ask(stage)
    assert turn.decision is DecisionKind.DELIVER
    (audit,) = stage.open_holds
    stage.give(audit, VerdictKind.REJECT, reasons=("harm",))
    stage.settle()
    watch(stage)
    assert release_now(stage, release).stage is Stage.ROLLED_BACK


def let_it_answer(stage: Any, release: Release) -> None:
    ground = stage.learning._ground

    def step(tx: Any) -> None:
        lent = epochs.Lent(level=Level.PROBATION, threshold=0.0, audit_rate=1.0, by="v1")
        epochs.begin(tx, stage.clock, ground, ("orders", stage.channel.name, release.id), [], lent=lent)

    stage.store.write_now(step)


# --- what a new release goes on with ---


def test_a_gated_canary_goes_on_in_probation_where_its_baseline_answers_alone(build: Build) -> None:
    stage = staged(build)
    stage.run(stage.letting_out.orders.create("echo", by="Ines"))
    for _ in range(3):
        assert ask(stage).decision is DecisionKind.DELIVER
    stage.settle()
    release = stage.run(stage.letting_out.orders.create("echo-2", by="Ines"))
    stage.run(stage.letting_out.orders.promote(release.id, version=None, by="Ines", to=Stage.CANARY, share=1.0))
    watch(stage)
    (epoch,) = (one for one in stage.read(lambda tx: tx.epochs.all_open()) if one.release == release.id)
    assert (epoch.earned, epoch.threshold, epoch.audit_rate) == (Level.PROBATION, 0.0, 0.5)
    assert ask(stage).decision is DecisionKind.DELIVER
    rebuilt, faults = stage.read(faults_of)
    assert (rebuilt > 0, faults) == (True, [])


def test_a_canary_whose_gate_was_waived_is_reviewed_by_people(build: Build) -> None:
    stage = staged(build, gate=None)
    stage.run(stage.letting_out.orders.create("echo", by="Ines"))
    ask(stage)
    release = stage.run(stage.letting_out.orders.create("echo-2", by="Ines"))
    stage.run(stage.letting_out.orders.waive(release.id, version=None, by="Ines", why="a typo"))
    stage.run(stage.letting_out.orders.promote(release.id, version=None, by="Ines", to=Stage.CANARY, share=1.0))
    watch(stage)
    for _ in range(35):
        assert ask(stage).decision is DecisionKind.HOLD
        judge_all(stage, for_all)
    (epoch,) = (one for one in stage.read(lambda tx: tx.epochs.all_open()) if one.release == release.id)
    assert epoch.earned is Level.ASSIST
