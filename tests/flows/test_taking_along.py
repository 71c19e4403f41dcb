"""A step takes the next flow's first step along where its process has room: fewer commits, and every promise as before."""

from __future__ import annotations

from collections.abc import Callable
from itertools import chain
from typing import Any

from understudy.delivery.outbox import OutboxLimits
from understudy.records.assessment import DecisionKind
from understudy.records.outbox import OutboxState
from understudy.records.review import VerdictKind
from understudy.records.rulebook import Level
from understudy.records.turn import OUTBOX_JOB, TURN_JOB, TurnState
from understudy.testing.scripted import RecordingChannel
from understudy.turn.coalescing import CoalescingLimits

LAPSE_S = 6.0
DELIVERED = [
    ["message.received", "turn.drafting", "agent.asked"],
    ["turn.drafted", "rulebook.added", "turn.gathered"],
    ["turn.decided", "outbox.queued", "outbox.sending"],
    ["outbox.accepted", "turn.answered"],
]

Build = Callable[..., Any]


def commits(stage: Any) -> list[list[str]]:
    """The ledger events of each commit from now on."""
    heard: list[list[str]] = []
    stage.store.subscribe(lambda committed: heard.append([entry.event for entry in committed.entries]))
    return heard


def test_a_delivered_turn_has_four_commits(build: Build) -> None:
    stage = build()
    stage.take_along()
    heard = commits(stage)
    turn = stage.ask("When?")
    assert turn.state is TurnState.ANSWERED
    assert heard == DELIVERED
    assert len(stage.agent.requests) == len(stage.channel.texts) == 1


def test_a_held_turn_that_is_approved_is_sent_by_the_step_that_took_the_verdict(build: Build, staging: Any) -> None:
    stage = build(rules=staging.rules(Level.ASSIST))
    stage.take_along()
    turn = stage.ask("When?")
    assert turn.decision is DecisionKind.HOLD
    heard = commits(stage)
    stage.give(stage.open_holds[0], VerdictKind.APPROVE)
    assert heard[0][-2:] == ["outbox.queued", "outbox.sending"]
    stage.settle()
    assert len(stage.channel.texts) == 1


def test_without_room_others_hear_of_it_as_ever(build: Build) -> None:
    stage = build()
    stage.take_along(has_room=False)
    heard = commits(stage)
    received = stage.receive("When?")
    assert stage.turn(received.turn_id).state is TurnState.COLLECTING
    assert [job.kind for job, _ in stage.hints] == [TURN_JOB]
    stage.settle()
    assert stage.turn(received.turn_id).state is TurnState.ANSWERED
    assert [*chain(*heard)] == [*chain(*DELIVERED)]


def test_nobody_else_is_told_of_what_is_gone_on_with_here(build: Build) -> None:
    stage = build()
    stage.take_along()
    announced: list[Any] = []
    stage.store.subscribe(lambda committed: announced.extend(committed.jobs))
    stage.ask("When?")
    assert announced == []


def test_what_a_dead_process_took_along_lapses_and_is_done_once(build: Build) -> None:
    """It died right after the commit of its intake; another process on the same store finds the turn."""
    stage = build(lapse_s=LAPSE_S)
    stage.take_along()
    received = stage.receive("When?")
    stage.hints.clear()
    stage.flow._taken.pop(stage.conversation().id)
    stage.sweep()
    assert stage.agent.requests == []
    stage.pass_time(LAPSE_S)
    assert stage.turn(received.turn_id).state is TurnState.ANSWERED
    assert len(stage.agent.requests) == len(stage.channel.texts) == 1


def test_a_reply_whose_process_died_before_it_began_to_send_is_never_sent_twice(build: Build) -> None:
    """Nobody can tell whether it left, so a channel without keys is not given it again without a person."""
    stage = build(channel=RecordingChannel(honours_keys=False, can_look_up=False), outbox=OutboxLimits(lapse_s=LAPSE_S))
    stage.take_along()
    received = stage.receive("When?")
    stage.look(stage.hints.popleft()[0])
    assert [entry.state for entry in stage.entries_of(stage.turn(received.turn_id))] == [OutboxState.SENDING]
    stage.hints.clear()
    stage.outbox._taken.pop(stage.conversation().id)
    stage.has_room_here = False
    stage.pass_time(LAPSE_S)
    assert [entry.state for entry in stage.entries_of(stage.turn(received.turn_id))] == [OutboxState.UNKNOWN]
    assert stage.channel.texts == []


def test_a_stop_hands_over_what_was_taken_and_not_begun(build: Build) -> None:
    stage = build(lapse_s=LAPSE_S)
    stage.take_along()
    received = stage.receive("When?")
    stage.hints.clear()
    stage.run(stage.flow.hand_over())
    assert stage.turn(received.turn_id).due_at == stage.clock.now()
    assert [job.kind for job, _ in stage.hints] == [TURN_JOB]


def test_a_lease_taken_along_is_renewed_until_it_is_begun(build: Build) -> None:
    stage = build(lapse_s=LAPSE_S)
    stage.take_along()
    received = stage.receive("When?")
    before = stage.turn(received.turn_id).due_at
    stage.clock.advance(LAPSE_S / 2)
    stage.run(stage.flow.renew())
    assert stage.turn(received.turn_id).due_at > before


def test_a_newer_message_makes_a_turn_that_was_taken_along_void(build: Build) -> None:
    stage = build()
    stage.take_along()
    first = stage.receive("When?")
    second = stage.receive("And where?")
    stage.settle()
    assert stage.turn(first.turn_id).state is TurnState.SUPERSEDED
    assert stage.turn(second.turn_id).state is TurnState.ANSWERED
    assert stage.channel.texts == ["About: When? + And where?"]


def test_a_draft_that_waits_for_the_rest_of_a_burst_is_not_asked_for(build: Build, staging: Any) -> None:
    stage = build(coalescing=CoalescingLimits(window_s_min=1, window_s_max=2, burst_s_max=5))
    stage.take_along()
    received = stage.receive("When?")
    assert stage.turn(received.turn_id).state is TurnState.COLLECTING
    assert OUTBOX_JOB not in {job.kind for job, _ in stage.hints}
