"""Labels of the old version's drafts carry over to a new one where it says the same; where it does not, people are asked."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from types import ModuleType
from typing import Any

import pytest

from stage_earning import earn
from stage_redrafts import (
    NEW,
    OLD,
    TERMS,
    asked,
    drafted,
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
from stage_releases import begin
from understudy.errors import AgentUnavailable, Conflict, HoldClosed, InputError
from understudy.learning.rebuild import rebuild
from understudy.learning.redraft_keep import AGAIN_AFTER
from understudy.learning.redrafting import AWAITED_MAX
from understudy.records.autonomy import Outcome, Slice
from understudy.records.conversation import Mode
from understudy.records.evidence import Action, Draft
from understudy.records.release import Choice, Stage
from understudy.records.review import HoldKind, HoldState, VerdictKind
from understudy.records.reviewing import ReviewTerms
from understudy.records.rulebook import Level
from understudy.records.turn import TurnState

Build = Callable[..., Any]


# --- the same ---


def test_a_release_that_says_the_same_is_certified_without_a_new_label(build: Build, staging: ModuleType) -> None:
    stage, release = released(build, staging)
    sent = list(stage.channel.texts)
    made = redraft(stage)
    plan = plan_of(stage, release)
    assert made == plan.done == plan.same == len(plan.drawn) >= 30
    assert not asked(stage)
    assert epoch_of(stage, release) is None, "what it may do is settled when it answers"
    go_live(stage, release)
    now = epoch_of(stage, release)
    assert (now.earned, now.certified_at) == (Level.PROBATION, None), "its baseline's threshold is lent to it"
    assert progress(stage, release).labels == plan.done
    assert now.proposal is not None
    stage.run(stage.orders.confirm(Slice(release=release.key), by="lena"))
    assert epoch_of(stage, release).certified_at is not None
    assert stage.channel.texts == sent, "nothing of it is sent"
    assert faults(stage) == []


def test_a_carried_label_says_whose_it_was_and_of_which_draft(build: Build, staging: ModuleType) -> None:
    stage, release = released(build, staging)
    redraft(stage)
    (first, *_) = redrafts_of(stage, release)
    source = stage.read(lambda tx: tx.candidates.get(first.redraft_of))
    assert first.label is not None
    assert (first.label.by, first.label.loss, first.label.carried_from) == ("rosa", 0.0, source.seq)
    assert (first.decided_at, first.conversation_id) == (source.decided_at, source.conversation_id)
    given = [json.loads(entry.body) | {"actor": entry.actor} for entry in stage.ledger if entry.event == "label.given"]
    said = {body["candidate"]: body for body in given}
    assert (said[first.seq]["carried_from"], said[first.seq]["actor"]) == (source.seq, "system")
    assert said[source.seq]["carried_from"] is None


def test_spaces_and_case_are_no_difference_and_an_action_is_one(build: Build, staging: ModuleType) -> None:
    stage, release = released(build, staging, new=OLD.upper().replace(" ", "\n"))
    redraft(stage)
    assert plan_of(stage, release).same == plan_of(stage, release).done
    acting = drafted(actions=(Action(name="refund", arguments={}),))
    other, release = released(build, staging, new=acting)
    redraft(other)
    plan = plan_of(other, release)
    assert plan.done == len(plan.drawn)
    assert (plan.same, plan.asked, plan.apart) == (0, 0, plan.done), "an action waits for a person whatever was earned"
    assert redrafts_of(other, release) == []


# --- not the same ---


def test_another_draft_is_put_before_people_and_is_never_sent(build: Build, staging: ModuleType) -> None:
    stage, _ = released(build, staging, new=NEW)
    redraft(stage)
    waiting = asked(stage)
    assert len(waiting) == AWAITED_MAX, "no more than people can be expected to judge soon"
    hold = waiting[0]
    turn = stage.turn(hold.turn_id)
    assert (turn.state, stage.draft(turn).text, hold.reasons) == (TurnState.REDRAFTED, NEW, ("redraft",))
    conversation = stage.read(lambda tx: tx.conversations.get(hold.conversation_id))
    assert conversation.mode is Mode.REHEARSAL
    shown = stage.read(lambda tx: tx.messages.of_conversation(conversation.id))
    assert [message.text for message in shown] == ["When does it come?"]
    for kind in (VerdictKind.RESPOND, VerdictKind.TAKE_OVER):
        with pytest.raises(InputError, match="a redraft hold does not take"):
            stage.give(hold, kind)
    with pytest.raises(Conflict, match="nobody is behind this conversation"):
        stage.run(stage.conversations.take_over(conversation.id, reviewer="rosa"))
    sent = list(stage.channel.texts)
    for one, kind in zip(waiting[:3], (VerdictKind.APPROVE, VerdictKind.EDIT, VerdictKind.REJECT), strict=True):
        stage.give(one, kind)
        assert stage.turn(one.turn_id).state is TurnState.REDRAFTED
        assert stage.read(lambda tx, h=one: tx.candidates.of_turn(h.turn_id)).label.outcome is Outcome(kind.value)
    stage.settle()
    assert stage.channel.texts == sent
    assert {hold.kind for hold in stage.open_holds} == {HoldKind.REDRAFT}, "nobody has to answer in its place"
    with pytest.raises(ValueError, match="a turn cannot go from redrafted to delivering"):
        stage.store.write_now(lambda tx: tx.turns.advance(turn, TurnState.DELIVERING))


def test_a_second_reviewer_may_say_worse_of_it(build: Build, staging: ModuleType) -> None:
    numbers = iter(range(10_000))
    stage, release = released(
        build,
        staging,
        new=lambda _request: NEW if next(numbers) < 2 else OLD,
        reviewing=ReviewTerms(second_rate=1.0),
    )
    redraft(stage)
    first, second = asked(stage)
    stage.give(first, VerdictKind.REJECT, reviewer="sam")
    stage.give(second, VerdictKind.APPROVE)
    (again,) = (hold for hold in stage.open_holds if hold.turn_id == second.turn_id)
    assert again.kind is HoldKind.SECOND
    with pytest.raises(HoldClosed, match="decided on this hold already"):
        stage.give(second, VerdictKind.APPROVE, version=second.version + 1)
    sent = list(stage.channel.texts)
    stage.give(again, VerdictKind.REJECT, reviewer="sam")
    stage.settle()
    assert [one.label.outcome for one in redrafts_of(stage, release)[:2]] == [Outcome.REJECT, Outcome.REJECT]
    assert stage.channel.texts == sent
    assert faults(stage) == []


def test_only_what_differs_costs_a_label(build: Build, staging: ModuleType) -> None:
    numbers = iter(range(10_000))
    stage, release = released(build, staging, new=lambda _request: NEW if next(numbers) % 5 == 0 else OLD)
    while redraft(stage):
        for hold in asked(stage):
            stage.give(hold, VerdictKind.APPROVE)
        stage.settle()
    plan = plan_of(stage, release)
    assert plan.done == len(plan.drawn)
    assert plan.asked == sum(number % 5 == 0 for number in range(plan.done))
    go_live(stage, release)
    assert progress(stage, release).labels == plan.done
    assert epoch_of(stage, release).proposal is not None
    assert faults(stage) == []


def test_a_release_that_is_worse_earns_nothing(build: Build, staging: ModuleType) -> None:
    numbers = iter(range(10_000))
    stage, release = released(build, staging, new=lambda _request: NEW if next(numbers) % 2 == 0 else OLD)
    while redraft(stage):
        for hold in asked(stage):
            stage.give(hold, VerdictKind.REJECT)
        stage.settle()
    go_live(stage, release)
    assert progress(stage, release).loss_sum >= plan_of(stage, release).done / 2 - 1
    assert epoch_of(stage, release).proposal is None


def test_redrafts_count_in_the_order_drawn_up_to_the_first_that_waits(build: Build, staging: ModuleType) -> None:
    numbers = iter(range(10_000))
    stage, release = released(build, staging, new=lambda _request: NEW if next(numbers) in (3, 10) else OLD)
    redraft(stage)
    drawn = plan_of(stage, release).drawn
    assert [one.redraft_of for one in redrafts_of(stage, release)] == list(drawn)
    go_live(stage, release)
    assert progress(stage, release).labels == 3
    first, second = asked(stage)
    stage.give(second, VerdictKind.APPROVE)
    stage.settle()
    assert progress(stage, release).labels == 3
    stage.give(first, VerdictKind.REJECT)
    stage.settle()
    assert progress(stage, release).labels == len(drawn)
    assert progress(stage, release).loss_sum == 1.0


def test_one_that_nobody_judges_in_time_counts_as_bad(build: Build, staging: ModuleType) -> None:
    numbers = iter(range(10_000))
    stage, release = released(build, staging, new=lambda _request: NEW if next(numbers) == 0 else OLD)
    redraft(stage)
    (hold,) = asked(stage)
    stage.pass_time(TERMS.judged_within.total_seconds() + 1)
    assert stage.read(lambda tx: tx.holds.get(hold.id)).state is HoldState.EXPIRED
    label = redrafts_of(stage, release)[0].label
    assert (label.outcome, label.loss) == (Outcome.TIMEOUT, 1.0)
    assert faults(stage) == []


def test_nobody_has_to_judge_what_was_taken_back(build: Build, staging: ModuleType) -> None:
    stage, release = released(build, staging, new=NEW)
    redraft(stage)
    first = asked(stage)[0]
    stage.run(stage.letting_out.orders.roll_back(release.id, by="Ines", why="odd"))
    stage.clock.advance(61)
    assert redraft(stage) == 0
    assert asked(stage) == []
    with pytest.raises(HoldClosed, match="nobody waits for this any more"):
        stage.give(first, VerdictKind.APPROVE)
    assert {one.label for one in redrafts_of(stage, release)} == {None}
    stage.pass_time(TERMS.judged_within.total_seconds())
    assert {one.label.outcome for one in redrafts_of(stage, release)} == {Outcome.TIMEOUT}
    assert faults(stage) == []


# --- what cannot be made ---


def test_one_that_cannot_be_made_holds_up_the_rest_and_then_counts_as_bad(build: Build, staging: ModuleType) -> None:
    broken: list[str] = []

    def answer(request: Any) -> Any:
        if not broken:
            broken.append(request.turn_id)
        return AgentUnavailable("gone") if request.turn_id == broken[0] else OLD

    stage, release = released(build, staging, new=answer)
    for pause in AGAIN_AFTER:
        redraft(stage)
        assert redrafts_of(stage, release) == [], "those behind it wait"
        stage.clock.advance(pause.total_seconds() + 1)
    redraft(stage)
    first, *rest = redrafts_of(stage, release)
    assert (first.label.outcome, first.label.loss, first.confidence) == (Outcome.NO_DRAFT, 1.0, 1.0)
    assert {one.label.outcome for one in rest} == {Outcome.APPROVE}
    plan = plan_of(stage, release)
    assert (plan.failed, plan.done) == (1, len(plan.drawn))
    assert faults(stage) == []


def test_an_answer_of_a_version_that_was_never_released_is_none(build: Build, staging: ModuleType) -> None:
    stage, release = released(build, staging, new=drafted(agent_version="v3"))
    redraft(stage)
    assert redrafts_of(stage, release) == []
    assert plan_of(stage, release).tries == 1


# --- who else hears of it ---


def test_a_conversation_is_evidence_once(build: Build, staging: ModuleType) -> None:
    stage, release = released(build, staging)
    redraft(stage)
    (first, *_) = redrafts_of(stage, release)
    conversation = stage.read(lambda tx: tx.conversations.get(first.conversation_id))
    go_live(stage, release, share=1.0)
    choice = Choice(conversation_id=conversation.id, agent="echo", release_id=release.id, at=stage.clock.now())

    def switch(tx: Any) -> None:
        tx.releases.choose(choice)
        tx.ledger.append("test", at=choice.at)

    stage.store.write_now(switch)
    turn = stage.ask("And where is it?", to=conversation.external_id)
    live = stage.read(lambda tx: tx.candidates.of_turn(turn.id))
    assert (live.release, live.is_repeat) == (release.key, True)


def test_the_score_learns_nothing_from_redrafts(build: Build, staging: ModuleType) -> None:
    stage, _ = released(build, staging)
    before = stage.read(lambda tx: (tx.candidates.count_judged(after=0), tx.candidates.latest_judged(limit=999)))
    redraft(stage)
    assert (
        stage.read(lambda tx: (tx.candidates.count_judged(after=0), tx.candidates.latest_judged(limit=999))) == before
    )


def test_a_carried_label_that_was_another_is_found(build: Build, staging: ModuleType) -> None:
    stage, release = released(build, staging)
    redraft(stage)
    go_live(stage, release)
    entries = stage.ledger
    assert rebuild(entries).faults == ()
    forged = [
        replace(entry, body=entry.body.replace('"loss":0.0', '"loss":0.5'))
        if entry.event == "label.given" and json.loads(entry.body)["carried_from"] is not None
        else entry
        for entry in entries
    ]
    found = rebuild(forged).faults
    assert any("carries another label than draft" in fault for fault in found)
    assert any("does not follow from its labels" in fault for fault in found)


def test_the_status_of_a_release_says_how_far_its_redrafts_are(build: Build, staging: ModuleType) -> None:
    numbers = iter(range(10_000))
    stage, release = released(build, staging, new=lambda _request: NEW if next(numbers) < 2 else OLD)
    redraft(stage)
    (seen,) = stage.run(stage.letting_out.reports.release(release.id)).redrafts
    plan = plan_of(stage, release)
    assert (seen.topic, seen.drawn, seen.done) == ("orders", len(plan.drawn), plan.done)
    assert (seen.same, seen.asked, seen.awaited, seen.failed) == (plan.done - 2, 2, 2, 0)


def test_agents_are_told_that_nobody_is_behind_it(build: Build, staging: ModuleType) -> None:
    stage, release = released(build, staging)
    redraft(stage)
    requests = stage.plan.versions["echo-2"].requests
    assert len(requests) == plan_of(stage, release).done
    assert all(request.rehearsal is not None and request.turn_id.startswith("rehearsal-") for request in requests)
    other = staged(build, staging, may_act=("echo-2",))
    earn(other)
    begin(other, Stage.CANARY)
    assert redraft(other) == 0


def test_a_draft_of_its_own_is_kept_as_the_agent_made_it(build: Build, staging: ModuleType) -> None:
    stage, _ = released(build, staging, new=drafted(NEW, confidence=0.5))
    redraft(stage)
    turn = stage.turn(asked(stage)[0].turn_id)
    assert isinstance(stage.draft(turn), Draft)
    assert turn.confidence is not None
    candidate = stage.read(lambda tx: tx.candidates.of_turn(turn.id))
    assert candidate.confidence == turn.confidence
