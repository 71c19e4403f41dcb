"""A release in shadow drafts and nothing of it is sent; after a rollback a probe says whether the old one answers."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from stage_plan import ON_EACH_STORE
from stage_releases import TERMS, ask, begin, release_now, status, told, two_versions, watch
from understudy.errors import AgentUnavailable, Conflict
from understudy.records.evidence import Draft
from understudy.records.release import Stage
from understudy.turn import releases

Build = Callable[..., Any]
pytestmark = ON_EACH_STORE
DAY_S = 86_400.0


def staged(build: Build, **plan: Any) -> Any:
    return two_versions(build, **{"release_terms": TERMS, **plan})


# --- shadow ---


def test_in_shadow_drafts_are_compared_and_nothing_is_sent(build: Build) -> None:
    stage = staged(build)
    release = begin(stage, Stage.SHADOW)
    for _ in range(20):
        ask(stage)
        watch(stage)
    rehearsals = stage.read(lambda tx: tx.releases.rehearsals(release.id, limit=99))
    assert len(rehearsals) == 20
    assert {one.candidate.text for one in rehearsals} == {"The new answer."}
    assert {one.is_same for one in rehearsals} == {False}
    assert set(stage.channel.texts) == {"The old answer."}
    new = stage.plan.versions["echo-2"]
    assert all(request.rehearsal is not None and request.turn_id.startswith("rehearsal-") for request in new.requests)
    assert not any(request.rehearsal for request in stage.agent.requests)
    assert status(stage, release).rehearsals == 20


def test_rehearsals_are_deleted_when_they_are_too_old_and_what_they_showed_stays(build: Build) -> None:
    stage = staged(build, release_terms=replace(TERMS, rehearsals_kept_days=2.0))
    release = begin(stage, Stage.SHADOW)
    for _ in range(12):
        ask(stage)
        watch(stage)
    stage.clock.advance(DAY_S)
    ask(stage)
    watch(stage)
    seen = status(stage, release).signals
    assert status(stage, release).rehearsals == 13
    stage.clock.advance(DAY_S + 60)
    watch(stage)
    assert [one.turn_id for one in stage.read(lambda tx: tx.releases.rehearsals(release.id, limit=99))] == [
        stage.read(lambda tx: tx.turns.listed(after=0, limit=99))[-1].id
    ]
    assert status(stage, release).signals == seen
    (entry,) = [one for one in stage.ledger if one.event == "release.forgot"]
    assert len(json.loads(entry.body)["turns"]) == 12


def test_rehearsals_of_a_release_that_was_taken_back_are_deleted_as_well(build: Build) -> None:
    stage = staged(build)
    release = begin(stage, Stage.SHADOW)
    ask(stage)
    watch(stage)
    stage.run(stage.letting_out.orders.roll_back(None, by="Ines", why="odd"))
    assert stage.read(lambda tx: tx.releases.count_rehearsals(release.id)) == 1
    stage.clock.advance(31 * DAY_S)
    watch(stage)
    assert stage.read(lambda tx: tx.releases.count_rehearsals(release.id)) == 0


def test_rehearsals_may_be_kept_for_good(build: Build) -> None:
    stage = staged(build, release_terms=replace(TERMS, rehearsals_kept_days=0.0))
    release = begin(stage, Stage.SHADOW)
    ask(stage)
    watch(stage)
    stage.clock.advance(999 * DAY_S)
    watch(stage)
    assert status(stage, release).rehearsals == 1


def test_a_turn_whose_draft_was_handed_over_is_not_rehearsed(build: Build) -> None:
    stage = staged(build)
    begin(stage, Stage.SHADOW)
    for number, draft in enumerate([None, Draft(text="Mine.", agent="mine", agent_version="m-1")]):
        stage.submit("When does it come?", to="kept", draft=draft)
        stage.settle()
        watch(stage)
        assert len(stage.plan.versions["echo-2"].requests) == 1, number


def test_a_shadow_whose_drafts_the_checks_refuse_is_taken_back(build: Build) -> None:
    bad = Draft(text="I have refunded you 500 pounds.", agent="echo-2", agent_version="v2")
    stage = staged(build, new=bad)
    release = begin(stage, Stage.SHADOW)
    for _ in range(40):
        ask(stage)
        watch(stage)
    back = release_now(stage, release)
    assert back.stage is Stage.ROLLED_BACK
    assert stage.draft(ask(stage)).text == "The old answer."
    assert set(stage.channel.texts) == {"The old answer."}


def test_an_agent_that_may_act_is_not_rehearsed(build: Build) -> None:
    stage = staged(build, may_act=("echo-2",))
    with pytest.raises(Conflict, match="honours_rehearsal"):
        begin(stage, Stage.SHADOW)
    ask(stage)
    watch(stage)
    assert not stage.plan.versions["echo-2"].requests


def test_no_more_is_rehearsed_than_the_hour_allows(build: Build) -> None:
    stage = staged(build, release_terms=replace(TERMS, shadow_per_hour_max=3))
    begin(stage, Stage.SHADOW)
    for _ in range(10):
        ask(stage)
        watch(stage)
    assert len(stage.plan.versions["echo-2"].requests) == 3


# --- after a rollback ---


def test_after_a_rollback_a_probe_sees_that_the_old_release_answers(build: Build) -> None:
    stage = staged(build)
    release = begin(stage, Stage.CANARY, share=1.0)
    ask(stage)
    stage.run(stage.letting_out.orders.roll_back(release.id, by="Ines", why="odd"))
    sent = len(stage.channel.texts)
    watch(stage)
    seen = release_now(stage, release)
    assert seen.verified_at is not None
    assert stage.agent.requests[-1].rehearsal is not None
    assert len(stage.channel.texts) == sent
    assert told(stage)[-1] == "verified"
    assert "release.probed" in stage.ledger_events


def test_a_rollback_without_effect_is_told_loudly(build: Build, monkeypatch: pytest.MonkeyPatch) -> None:
    """The trap of a rollback that changes nothing: the look-up still leads to what was taken back."""
    stage = staged(build)
    release = begin(stage, Stage.CANARY, share=1.0)
    ask(stage)
    monkeypatch.setattr(releases, "_still", lambda kept, _choice: kept)
    broken = stage.versions.routes._may_draft
    stage.versions.routes._may_draft = lambda found: found is not None and (found.id == release.id or broken(found))
    stage.run(stage.letting_out.orders.roll_back(release.id, by="Ines", why="odd"))
    watch(stage)
    seen = release_now(stage, release)
    assert seen.verified_at is None
    assert f"{release.id} would draft" in (seen.unverified or "")
    assert told(stage)[-1] == "unverified"
    stage.versions.routes._may_draft = broken
    monkeypatch.undo()
    stage.clock.advance(60)
    watch(stage)
    assert release_now(stage, release).verified_at is not None


def test_a_rollback_to_an_agent_that_does_not_answer_is_told_loudly(build: Build) -> None:
    stage = staged(build)
    release = begin(stage, Stage.CANARY, share=1.0)
    down = AgentUnavailable("the old one is gone")
    down.is_retryable = False
    stage.agent._answer = lambda _request: down
    stage.run(stage.letting_out.orders.roll_back(release.id, by="Ines", why="odd"))
    watch(stage)
    assert "the old one is gone" in (release_now(stage, release).unverified or "")


def test_where_a_probe_could_act_the_first_real_draft_verifies(build: Build) -> None:
    stage = staged(build, may_act=("echo", "echo-2"))
    release = begin(stage, Stage.CANARY, share=1.0)
    ask(stage)
    stage.clock.advance(1)
    stage.run(stage.letting_out.orders.roll_back(release.id, by="Ines", why="odd"))
    asked = len(stage.agent.requests)
    watch(stage)
    assert release_now(stage, release).verified_at is None
    assert len(stage.agent.requests) == asked
    stage.clock.advance(1)
    ask(stage)
    watch(stage)
    assert release_now(stage, release).verified_at is not None
