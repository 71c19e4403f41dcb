"""A version becomes a release, is tried on its share of the conversations, answers all, and is taken back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from types import ModuleType
from typing import Any

import pytest

from stage_plan import ON_EACH_STORE
from stage_releases import PASSES, gate_saying, two_versions
from understudy.errors import Conflict, NotFound, StaleVersion
from understudy.ports.telemetry import ReleaseMoved
from understudy.records.assessment import DecisionKind
from understudy.records.gate import GateResult, GateVerdict
from understudy.records.release import Release, Stage, is_unreleased
from understudy.records.review import VerdictKind
from understudy.records.rulebook import Level
from understudy.testing.scripted import ScriptedAgent

Build = Callable[..., Any]
pytestmark = ON_EACH_STORE


@pytest.fixture
def stage(build: Build) -> Any:
    return two_versions(build)


def create(stage: Any, entry: str, **more: Any) -> Release:
    return stage.run(stage.letting_out.orders.create(entry, by="Ines", **more))


def promote(stage: Any, release: Release, to: Stage | None = None, **more: Any) -> Release:
    return stage.run(stage.letting_out.orders.promote(release.id, version=None, by="Ines", to=to, **more))


def canary(stage: Any, share: float = 1.0) -> Release:
    create(stage, "echo")
    return promote(stage, create(stage, "echo-2"), Stage.CANARY, share=share)


def roll_back(stage: Any, name: str | None = None, **more: Any) -> Any:
    return stage.run(stage.letting_out.orders.roll_back(name, by="Ines", why="odd replies", **more))


def drafted(stage: Any, to: str) -> str:
    """Who drafted for the latest turn of a conversation."""
    turn = stage.ask(f"When? ({stage.clock.new_id('x')})", to=to)
    return str(stage.draft(turn).text)


def test_without_releases_nothing_is_recorded_and_nothing_changes(stage: Any) -> None:
    turn = stage.ask("When?")
    assert (turn.decision, turn.agent_version) == (DecisionKind.DELIVER, "v1")
    assert not [entry for entry in stage.ledger if entry.event.startswith("release.")]


def test_the_first_release_answers_at_once_and_keeps_what_was_earned(stage: Any) -> None:
    release = create(stage, "echo")
    assert (release.stage, release.is_first, release.key) == (Stage.FULL, True, "v1")
    turn = stage.ask("When?")
    assert (turn.decision, turn.agent_version) == (DecisionKind.DELIVER, "v1")


def test_a_second_version_needs_a_first_release_to_be_compared_with(stage: Any) -> None:
    with pytest.raises(Conflict, match="release create echo"):
        create(stage, "echo-2")
    with pytest.raises(NotFound, match="echo, echo-2"):
        create(stage, "echo-3")


@pytest.mark.parametrize("verdict", [GateVerdict.FAIL, GateVerdict.INCONCLUSIVE])
def test_only_a_pass_lets_a_release_go_on(build: Build, verdict: GateVerdict) -> None:
    stage = two_versions(build, gate=gate_saying(verdict))
    create(stage, "echo")
    release = create(stage, "echo-2")
    assert release.stage is Stage.CREATED
    for to in (None, Stage.GATED, Stage.SHADOW, Stage.CANARY, Stage.FULL):
        with pytest.raises(Conflict, match=f"{verdict.value}"):
            promote(stage, release, to)


def test_a_person_may_waive_a_gate_that_decided_nothing_and_never_one_that_failed(build: Build) -> None:
    stage = two_versions(build, gate=gate_saying(GateVerdict.INCONCLUSIVE))
    create(stage, "echo")
    release = create(stage, "echo-2")
    with pytest.raises(Conflict, match="say why"):
        stage.run(stage.letting_out.orders.waive(release.id, version=None, by="Ines", why=" "))
    waived = stage.run(stage.letting_out.orders.waive(release.id, version=None, by="Ines", why="a typo in the prompt"))
    assert (waived.stage, waived.waived, waived.has_passed) == (Stage.GATED, "a typo in the prompt", False)

    other = two_versions(build, gate=gate_saying(GateVerdict.FAIL))
    create(other, "echo")
    failed = create(other, "echo-2")
    with pytest.raises(Conflict, match="failed its gate"):
        other.run(other.letting_out.orders.waive(failed.id, version=None, by="Ines", why="I want to"))


def test_creating_it_again_runs_the_gate_again(build: Build) -> None:
    verdicts = [GateVerdict.INCONCLUSIVE, GateVerdict.PASS]

    async def gate(candidate: Release, baseline: Release) -> GateResult:
        return await gate_saying(verdicts.pop(0))(candidate, baseline)

    stage = two_versions(build, gate=gate)
    create(stage, "echo")
    assert create(stage, "echo-2").stage is Stage.CREATED
    assert create(stage, "echo-2").stage is Stage.GATED
    with pytest.raises(Conflict, match="already"):
        create(stage, "echo-2")


def test_a_canary_drafts_for_new_conversations_and_its_drafts_are_recorded_as_its_own(stage: Any) -> None:
    release = canary(stage)
    turn = stage.ask("When?", to="new")
    assert stage.draft(turn).text == "The new answer."
    assert turn.agent_version == release.id


def test_a_canary_gets_a_larger_share_and_switches_nobody(stage: Any) -> None:
    release = canary(stage, share=0.0001)
    assert drafted(stage, "old") == "The old answer."
    stage.clock.advance(60)
    larger = promote(stage, release, Stage.CANARY, share=1.0)
    assert (larger.share, larger.since) == (1.0, release.since)
    assert drafted(stage, "old") == "The old answer."
    assert drafted(stage, "new") == "The new answer."


def test_a_canary_takes_about_its_share_and_the_same_conversations_each_time(stage: Any) -> None:
    canary(stage, share=0.3)
    answers = {f"c-{number}": drafted(stage, f"c-{number}") for number in range(60)}
    new = sum(answer == "The new answer." for answer in answers.values())
    assert 8 <= new <= 28
    assert {to: drafted(stage, to) for to in answers} == answers


def test_a_conversation_that_began_before_a_canary_stays_with_the_old_release(stage: Any) -> None:
    create(stage, "echo")
    assert drafted(stage, "old") == "The old answer."
    stage.clock.advance(60)
    promote(stage, create(stage, "echo-2"), Stage.CANARY, share=1.0)
    assert drafted(stage, "old") == "The old answer."
    assert drafted(stage, "new") == "The new answer."


def test_a_promotion_to_all_switches_no_conversation(stage: Any) -> None:
    release = canary(stage, share=0.0001)
    assert drafted(stage, "old") == "The old answer."
    promote(stage, release)
    assert drafted(stage, "old") == "The old answer."
    assert drafted(stage, "new") == "The new answer."


def test_a_rollback_gives_every_next_draft_to_the_old_release(stage: Any) -> None:
    release = canary(stage)
    assert drafted(stage, "c") == "The new answer."
    back = roll_back(stage)
    assert (back.release.id, back.release.stage, back.answers.entry) == (release.id, Stage.ROLLED_BACK, "echo")
    assert drafted(stage, "c") == "The old answer."
    assert drafted(stage, "d") == "The old answer."


def test_a_release_that_answers_all_is_rolled_back_to_the_one_before(stage: Any) -> None:
    release = promote(stage, canary(stage))
    assert drafted(stage, "c") == "The new answer."
    back = roll_back(stage)
    assert (back.release.id, back.answers.entry, back.answers.stage) == (release.id, "echo", Stage.FULL)
    assert drafted(stage, "c") == "The old answer."
    with pytest.raises(Conflict, match="nothing to take back"):
        roll_back(stage)
    with pytest.raises(Conflict, match="nothing to go back to"):
        roll_back(stage, "echo")


def test_a_conversation_taken_back_once_is_not_switched_by_a_second_attempt(stage: Any) -> None:
    release = canary(stage)
    assert drafted(stage, "c") == "The new answer."
    roll_back(stage)
    assert drafted(stage, "c") == "The old answer."
    promote(stage, release, Stage.GATED)
    promote(stage, release, Stage.CANARY, share=1.0)
    assert drafted(stage, "c") == "The old answer."
    assert drafted(stage, "d") == "The new answer."


def test_what_the_configuration_grants_is_not_granted_to_a_new_release(stage: Any) -> None:
    """Every slice is at auto by configuration: the old release answers alone, the new one has earned nothing."""
    release = canary(stage)
    turn = stage.ask("When?", to="new")
    assert (turn.decision, turn.reasons) == (DecisionKind.HOLD, ("release_unearned",))
    promote(stage, release)
    turn = stage.ask("When?", to="newer")
    assert (turn.decision, turn.reasons) == (DecisionKind.HOLD, ("release_unearned",))


def test_where_people_review_every_draft_that_is_the_reason_and_not_the_release(
    build: Build, staging: ModuleType
) -> None:
    stage = two_versions(build, rules=staging.rules(Level.ASSIST))
    canary(stage)
    assert stage.ask("When?", to="new").reasons == ("level_assist",)


def test_release_that_began_anew_in_assist_waits_because_of_itself_where_the_old_one_earned_more(
    build: Build, staging: ModuleType
) -> None:
    """Nothing is granted by configuration; what the old release earned, the new one has not."""
    stage = two_versions(build, rules=staging.rules(Level.ASSIST))
    release = canary(stage, share=0.5)
    old = stage.read(lambda tx: tx.releases.roster().full(release.agent))
    let_it_earn(stage, old)
    let_it_earn(stage, release, Level.ASSIST)
    turns = [stage.ask("When?", to=f"c-{number}") for number in range(20)]
    by_version = {turn.agent_version: (turn.decision, turn.reasons) for turn in turns}
    assert by_version[release.id] == (DecisionKind.HOLD, ("release_unearned",))
    assert by_version[old.key][0] is DecisionKind.DELIVER


def test_what_is_kept_in_shadow_stays_there(build: Build, staging: ModuleType) -> None:
    stage = two_versions(build, rules=staging.rules(Level.SHADOW))
    canary(stage)
    assert stage.ask("When?", to="new").reasons == ("level_shadow",)


def test_a_draft_under_way_when_its_release_is_taken_back_does_not_leave_by_itself(build: Build) -> None:
    """It was earned, so that it would be delivered; the rollback falls between draft and decision."""
    stage = two_versions(build)
    release = canary(stage)
    let_it_earn(stage, release)
    assert stage.ask("When?", to="before").decision is DecisionKind.DELIVER
    received = stage.receive("When?", to="between")
    conversation = stage.turn(received.turn_id).conversation_id
    asked = stage.store.write_now(lambda tx: stage.flow._take_up(tx, conversation))
    gathered = stage.run(stage.flow._draft(asked))
    roll_back(stage)
    with pytest.raises(Conflict):
        stage.run(stage.flow._decide(gathered))
    stage.sweep()
    turn = stage.turn(received.turn_id)
    assert (turn.decision, turn.agent_version) == (DecisionKind.HOLD, release.id)
    assert turn.reasons == ("release_not_out",)


def let_it_earn(stage: Any, release: Release, level: Level = Level.AUTO) -> None:
    """Give a release's slice an epoch at a level, as learning would."""

    from understudy.learning import epochs

    ground = stage.learning._ground

    def step(tx: Any) -> None:
        slice_ = ("orders", stage.channel.name, release.key)
        begun = epochs.begin(tx, stage.clock, ground, slice_, [], earned=level)
        tx.epochs.change(replace(begun, version=2, threshold=0.0, audit_rate=0.0), was=1)

    stage.store.write_now(step)


def test_of_two_promotions_at_once_one_wins_and_the_other_is_told_why(build: Build) -> None:
    third = ScriptedAgent("A third answer.", name="echo-3", version="v3")
    second = ScriptedAgent("The new answer.", name="echo-2", version="v2")
    stage = build(agent=ScriptedAgent("Old.", name="echo"), versions={"echo-2": second, "echo-3": third}, gate=PASSES)
    create(stage, "echo")
    one, two = create(stage, "echo-2"), create(stage, "echo-3")
    promote(stage, one)
    with pytest.raises(Conflict, match=rf"{one.id}.*Ines brought it to shadow"):
        promote(stage, two)
    assert stage.read(lambda tx: tx.releases.get(two.id)) == two


def test_the_same_release_promoted_twice_at_once_moves_one_stage(stage: Any) -> None:
    create(stage, "echo")
    release = create(stage, "echo-2")
    orders = stage.letting_out.orders

    async def both() -> list[Any]:
        import asyncio

        moves = [orders.promote(release.id, version=release.version, by=by) for by in ("Ines", "Lena")]
        return await asyncio.gather(*moves, return_exceptions=True)

    first, second = stage.run(both())
    assert first.stage is Stage.SHADOW
    assert isinstance(second, StaleVersion)
    assert "Ines did this (shadow)" in second.message


def test_a_release_on_hold_is_promoted_by_nobody_until_it_is_resumed(stage: Any) -> None:
    release = canary(stage)
    stage.run(stage.letting_out.orders.hold(release.id, version=None, by="Lena", why="a fair"))
    with pytest.raises(Conflict, match="on hold by Lena"):
        promote(stage, release)
    stage.run(stage.letting_out.orders.resume(release.id, version=None, by="Lena"))
    assert promote(stage, release).stage is Stage.FULL


def test_content_that_was_never_released_is_reviewed_by_people(stage: Any) -> None:
    """Somebody changed the agent's own entry in place, so the release that answers is stated nowhere any more."""
    create(stage, "echo")
    changed = ScriptedAgent("Changed in place.", name="echo", version="v9")
    later = stage.restarted(agent=changed, versions={}, changed_in_place="v9")
    turn = later.ask("When?", to="new")
    assert later.draft(turn).text == "Changed in place."
    assert is_unreleased(turn.agent_version)
    assert (turn.decision, turn.reasons) == (DecisionKind.HOLD, ("release_unreleased",))


def test_an_agent_that_names_another_version_is_another_release_than_the_one_let_out(build: Build) -> None:
    from understudy.records.evidence import Draft

    stage = two_versions(build)
    release = canary(stage)
    let_it_earn(stage, release)
    new = stage.plan.versions["echo-2"]
    assert stage.ask("When?", to="a").decision is DecisionKind.DELIVER
    new._answer = lambda _request: Draft(text="New.", agent="echo-2", agent_version="v2.1")
    turn = stage.ask("When?", to="b")
    assert (turn.agent_version, turn.decision) == (f"{release.id}~v2.1", DecisionKind.HOLD)


def test_everything_done_to_a_release_is_in_the_ledger_and_told(stage: Any) -> None:
    release = canary(stage)
    roll_back(stage)
    told = [(event.what, event.by) for event in stage.emitted(ReleaseMoved) if event.release == release.id]
    assert told == [("created", "Ines"), ("gated", "Ines"), ("canary", "Ines"), ("rolled_back", "Ines")]
    events = [entry.event for entry in stage.ledger if release.id in entry.body]
    assert events == ["release.created", "release.gated", "release.moved", "release.rolled_back"]
    assert stage.read(lambda tx: [move.what for move in tx.releases.get(release.id).moves]) == [
        "created",
        "gated",
        "canary",
        "rolled_back",
    ]


def test_a_rolled_back_releases_held_drafts_stay_for_people(stage: Any) -> None:
    canary(stage)
    turn = stage.ask("When?", to="new")
    roll_back(stage)
    (hold,) = stage.open_holds
    stage.give(hold, VerdictKind.APPROVE)
    stage.settle()
    assert stage.channel.texts == ["The new answer."]
    assert stage.turn(turn.id).state.value == "answered"
