"""Which turns of the past a new version drafts for once more, and when it is done at all."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from stage_earning import QUICK, ask_and_judge, earn
from stage_redrafts import (
    NEW,
    OLD,
    TERMS,
    asked,
    epoch_of,
    faults,
    go_live,
    plan_of,
    progress,
    redraft,
    redrafts_of,
    released,
    staged,
)
from stage_releases import begin, gate_saying
from understudy.errors import MalformedInput
from understudy.learning import redraft_draw
from understudy.records.assessment import DecisionKind
from understudy.records.gate import GateVerdict
from understudy.records.redraft import shuffled
from understudy.records.release import Stage
from understudy.records.review import VerdictKind
from understudy.records.rulebook import Level
from understudy.release_gate import tuned_on
from understudy.settings.model import Settings

Build = Callable[..., Any]


# --- what is drawn ---


def test_what_is_drawn_follows_from_the_ledger_alone(build: Build, staging: ModuleType) -> None:
    stage, release = released(build, staging, redrafting=replace(TERMS, per_slice_max=10))
    redraft(stage)
    (entry,) = (entry for entry in stage.ledger if entry.event == "redraft.drawn")
    body = json.loads(entry.body)
    epoch = stage.read(lambda tx: tx.epochs.get(body["epoch"]))
    pool = [one.seq for one in stage.ledger if one.event == "turn.decided" and epoch.after < one.seq <= epoch.consumed]
    assert body["pool"] == len(pool)
    assert body["drawn"] == list(shuffled(pool, body["seed"])[:10]) == list(plan_of(stage, release).drawn)


def test_drafts_behind_one_that_waits_are_not_drawn_from(build: Build, staging: ModuleType) -> None:
    stage = staged(build, staging)
    earn(stage)
    stage.ask("When does it come?", to="waits")
    for _ in range(5):
        ask_and_judge(stage)
    release = begin(stage, Stage.SHADOW)
    redraft(stage)
    plan = plan_of(stage, release)
    waiting = stage.read(lambda tx: tx.candidates.of_conversation(stage.conversation("waits").id))[0]
    assert max(plan.drawn) < waiting.seq


def test_old_turns_are_not_redrafted(build: Build, staging: ModuleType) -> None:
    stage = staged(build, staging, terms=replace(QUICK, valid_days=365.0))
    earn(stage)
    stage.clock.advance(timedelta(days=31).total_seconds())
    release = begin(stage, Stage.SHADOW)
    redraft(stage)
    assert stage.read(lambda tx: tx.redrafts.of_release(release.id)) == []
    for _ in range(30):
        ask_and_judge(stage)
    stage.clock.advance(61)
    redraft(stage)
    assert plan_of(stage, release).pool == 30


def test_a_turn_is_redrafted_for_one_release_only(build: Build, staging: ModuleType) -> None:
    stage = staged(build, staging, redrafting=replace(TERMS, per_slice_max=10))
    earn(stage)
    for _ in range(15):
        ask_and_judge(stage)
    release = begin(stage, Stage.SHADOW)
    redraft(stage)
    first = plan_of(stage, release)
    stage.run(stage.letting_out.orders.roll_back(release.id, by="Ines", why="odd"))
    stage.run(stage.letting_out.orders.promote(release.id, version=None, by="Ines", to=Stage.GATED))
    plan_epoch = stage.read(lambda tx: tx.epochs.get(first.epoch))
    other = replace(release, id="rel-other", is_first=False)
    given: dict[str, Any] = {"seed": "s", "tuned_on": frozenset(), "now": stage.clock.now()}
    second = stage.read(lambda tx: redraft_draw.plan_of(tx, plan_epoch, other, TERMS, **given))
    assert second is not None
    assert not set(second.drawn) & set(first.drawn)
    assert second.pool == first.pool - 10


def test_a_turn_that_it_was_tuned_on_keeps_a_bad_label_unless_it_is_the_same(build: Build, staging: ModuleType) -> None:
    tuned_on: list[str] = []
    stage = staged(build, staging, new=NEW, tuned_on=tuned_on)
    earn(stage)
    bad = ask_and_judge(stage, VerdictKind.REJECT)
    good = ask_and_judge(stage)
    tuned_on += [bad.id, good.id]
    release = begin(stage, Stage.SHADOW)
    for _ in range(20):
        redraft(stage)
        for hold in asked(stage):
            stage.give(hold, VerdictKind.APPROVE)
        stage.settle()
    plan = plan_of(stage, release)
    assert plan.done == len(plan.drawn)
    by_source = {one.redraft_of: one for one in redrafts_of(stage, release)}
    of = {turn.id: stage.read(lambda tx, t=turn: tx.candidates.of_turn(t.id)).seq for turn in (bad, good)}
    assert set(plan.tuned_on) == set(of.values())
    assert (by_source[of[bad.id]].label.loss, by_source[of[bad.id]].label.carried_from) == (1.0, of[bad.id])
    assert by_source[of[good.id]].label.carried_from is None, "that the old draft was good says nothing of another"
    assert (plan.kept, plan.asked) == (1, plan.done - 1)
    assert faults(stage) == []


# --- when it is done at all ---


def test_nothing_is_redrafted_unless_the_configuration_says_so(build: Build, staging: ModuleType) -> None:
    stage, release = released(build, staging, redrafting=replace(TERMS, per_slice_max=0))
    assert redraft(stage) == 0
    assert stage.read(lambda tx: tx.redrafts.of_release(release.id)) == []


def test_a_release_whose_gate_was_waived_earns_among_customers_alone(build: Build, staging: ModuleType) -> None:
    stage = staged(build, staging, gate=gate_saying(GateVerdict.INCONCLUSIVE))
    earn(stage)
    orders = stage.letting_out.orders
    stage.run(orders.create("echo", by="Ines"))
    release = stage.run(orders.create("echo-2", by="Ines"))
    stage.run(orders.waive(release.id, version=None, by="Ines", why="a typo"))
    stage.run(orders.promote(release.id, version=None, by="Ines", to=Stage.SHADOW))
    assert redraft(stage) == 0


def test_where_people_decide_on_every_draft_nothing_is_redrafted(build: Build, staging: ModuleType) -> None:
    stage = staged(build, staging)
    for _ in range(40):
        ask_and_judge(stage)
    begin(stage, Stage.SHADOW)
    assert redraft(stage) == 0


def test_no_more_is_redrafted_than_the_hour_allows(build: Build, staging: ModuleType) -> None:
    stage, release = released(build, staging, redrafting=replace(TERMS, per_hour_max=6))
    redraft(stage)
    assert plan_of(stage, release).done == 6
    stage.clock.advance(3_601)
    redraft(stage)
    assert plan_of(stage, release).done == 12


def test_redrafting_goes_on_after_a_restart_where_it_was(build: Build, staging: ModuleType) -> None:
    stage, release = released(build, staging)
    stage.run(stage.letting_out.redrafting.sweep())
    before = plan_of(stage, release)
    assert 0 < before.done < len(before.drawn)
    later = stage.restarted()
    redraft(later)
    after = plan_of(later, release)
    assert (after.drawn, after.done) == (before.drawn, len(before.drawn))
    assert [one.redraft_of for one in redrafts_of(later, release)] == list(before.drawn)


def test_what_was_lost_among_customers_is_not_won_back_by_the_past(build: Build, staging: ModuleType) -> None:
    numbers = iter(range(10_000))
    stage, release = released(
        build,
        staging,
        redrafting=replace(TERMS, per_hour_max=20),
        terms=replace(QUICK, release_audit_rate=1.0),
        new=lambda _request: NEW if next(numbers) < 3 else OLD,
    )
    redraft(stage)
    for hold in asked(stage):
        stage.give(hold, VerdictKind.APPROVE)
    go_live(stage, release, share=1.0)
    turn = ask_and_judge(stage, VerdictKind.REJECT, reasons=("harm",))
    assert turn.decision is DecisionKind.DELIVER
    assert epoch_of(stage, release).earned is Level.DEMOTED
    plan = plan_of(stage, release)
    assert plan.done < len(plan.drawn)
    stage.clock.advance(3_601)
    assert redraft(stage) == 0
    assert progress(stage, release).labels == 0


# --- what a version was tuned on ---


def test_the_turns_of_a_gates_suites_are_what_releases_are_tuned_on(tmp_path: Path) -> None:
    folder = tmp_path / "suites" / "shop"
    folder.mkdir(parents=True)
    for number, source in enumerate(["turn:turn-7", "zendesk:12", None]):
        line = "" if source is None else f"source: {source}\n"
        case = f"id: c{number}\n{line}messages: [{{user: hi}}]\ngraders: [{{regex: fine}}]\n"
        (folder / f"c{number}.yaml").write_text(case)
    settings = Settings.model_validate({"releases": {"suites": ["shop"]}})
    assert tuned_on(settings, tmp_path)() == {"turn-7"}
    assert tuned_on(Settings(), tmp_path)() == frozenset()
    (folder / "c1.yaml").write_text("id: [")
    with pytest.raises(MalformedInput, match=r"c1\.yaml"):
        tuned_on(settings, tmp_path)()


def test_where_the_suites_cannot_be_read_nothing_is_drawn(build: Build, staging: ModuleType) -> None:
    stage, release = released(build, staging)

    def broken() -> frozenset[str]:
        raise MalformedInput("c1.yaml: not YAML")

    stage.letting_out.redrafting._tuned_on = broken
    with pytest.raises(MalformedInput):
        redraft(stage)
    assert stage.read(lambda tx: tx.redrafts.of_release(release.id)) == []
