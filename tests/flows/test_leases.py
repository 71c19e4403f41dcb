"""Leases between processes: two never do the same, a dead one's work goes on, and its late writes change nothing.

Two stages over one file are two processes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from understudy.delivery.outbox import OutboxLimits
from understudy.errors import AgentUnavailable
from understudy.records.outbox import OutboxState
from understudy.records.review import HoldKind
from understudy.records.turn import OUTBOX_JOB, TURN_JOB, TurnState
from understudy.testing.scripted import RecordingChannel, ScriptedAgent

LAPSE_S = 6.0
SHORT = OutboxLimits(lease_s=60.0, lapse_s=LAPSE_S)

Pair = Callable[..., tuple[Any, Any]]


@pytest.fixture
def processes(build: Callable[..., Any], staging: Any) -> Iterator[Pair]:
    """Two processes on one store, on one clock and before one channel; `other_…` names what the second has of its own."""
    made: list[Any] = []

    def pair(**plan: Any) -> tuple[Any, Any]:
        others = {name.removeprefix("other_"): plan.pop(name) for name in list(plan) if name.startswith("other_")}
        first = build(lapse_s=LAPSE_S, outbox=SHORT, **plan)
        made.append(staging.Stage(replace(first.plan, **others)))
        return first, made[0]

    yield pair
    for stage in made:
        stage.close()


def drafting(first: Any) -> asyncio.Task[None]:
    """Let the first process ask its agent, which does not answer yet."""
    first.receive("When?")
    task: asyncio.Task[None] = first.start(first.flow.advance(first.conversation().id))
    return task


def sending(first: Any) -> asyncio.Task[None]:
    """Let the first process begin to send."""
    first.receive("When?")
    first.run(first.flow.advance(first.conversation().id))
    task: asyncio.Task[None] = first.start(first.outbox.deliver(first.conversation().id))
    return task


def wait_beside(first: Any, other: Any, seconds: float, *, renewing: Any = None) -> None:
    """Let time pass in steps of 2 s, in which one process may renew and the other looks for what is due."""
    for _ in range(int(seconds / 2)):
        if renewing is not None:
            first.run(renewing.renew())
        other.pass_time(2.0)


def test_a_turn_being_drafted_in_one_process_is_left_alone_by_the_others(processes: Pair) -> None:
    gate = asyncio.Event()
    first, other = processes(agent=ScriptedAgent("the first", gate=gate), other_agent=ScriptedAgent("the other"))
    task = drafting(first)
    wait_beside(first, other, 4 * LAPSE_S, renewing=first.flow)
    assert other.agent.requests == []
    gate.set()
    first.run(task)
    other.sweep()
    assert first.channel.texts == ["the first"]


def test_a_dead_process_s_turn_is_drafted_by_another_once_its_lease_lapsed(processes: Pair) -> None:
    gate = asyncio.Event()
    first, other = processes(agent=ScriptedAgent("the late", gate=gate), other_agent=ScriptedAgent("the other"))
    late = drafting(first)
    wait_beside(first, other, LAPSE_S - 2)
    assert other.agent.requests == []
    wait_beside(first, other, 4)
    assert other.channel.texts == ["the other"]
    gate.set()
    first.run(late)
    first.sweep()
    assert other.channel.texts == ["the other"]
    assert [turn.state for turn in other.turns] == [TurnState.ANSWERED]


def test_a_process_that_comes_back_does_not_renew_what_another_took_over(processes: Pair) -> None:
    first, other = processes(
        agent=ScriptedAgent("the first", gate=asyncio.Event()),
        other_agent=ScriptedAgent("the other", gate=asyncio.Event()),
    )
    drafting(first)
    first.clock.advance(LAPSE_S + 1)
    other.start(other.flow.advance(other.conversation().id))
    taken = other.turns[0]
    first.clock.advance(2)
    first.run(first.flow.renew())
    assert other.turns[0] == taken


def test_a_stopping_process_hands_over_what_it_was_drafting(processes: Pair) -> None:
    first, other = processes(
        agent=ScriptedAgent("the first", gate=asyncio.Event()), other_agent=ScriptedAgent("the other")
    )
    task = drafting(first)
    task.cancel()
    first.run(asyncio.gather(task, return_exceptions=True))
    first.hints.clear()
    first.run(first.flow.hand_over())
    assert [job.kind for job, _ in first.hints] == [TURN_JOB]
    other.sweep()
    assert other.channel.texts == ["the other"]


def test_what_is_done_is_not_renewed_any_more(processes: Pair) -> None:
    first, _ = processes(agent=ScriptedAgent(["yes", AgentUnavailable("no")]))
    first.ask("When?")
    first.ask("And when?", to="e-2")
    assert first.run(first.flow.renew()) == 0
    assert first.run(first.outbox.renew()) == 0


def test_renewing_is_no_news_for_the_ledger(processes: Pair) -> None:
    gate = asyncio.Event()
    channel = RecordingChannel(gate=gate)
    first, _ = processes(agent=ScriptedAgent("yes"), channel=channel)
    sending(first)
    before = len(first.ledger)
    assert first.run(first.outbox.renew()) == 1
    assert len(first.ledger) == before


def test_a_message_being_sent_by_one_process_is_left_alone_by_the_others(processes: Pair) -> None:
    gate = asyncio.Event()
    channel = RecordingChannel(gate=gate, honours_keys=False)
    first, other = processes(channel=channel)
    task = sending(first)
    wait_beside(first, other, 4 * LAPSE_S, renewing=first.outbox)
    assert len(channel.attempts) == 1
    gate.set()
    first.run(task)
    assert len(channel.delivered) == 1
    assert not first.open_holds


def test_a_dead_process_s_send_is_repeated_under_its_key_once_its_lease_lapsed(processes: Pair) -> None:
    channel = RecordingChannel(gate=asyncio.Event())
    first, other = processes(channel=channel, other_channel=RecordingChannel())
    sending(first)
    wait_beside(first, other, LAPSE_S - 2)
    assert other.channel.attempts == []
    wait_beside(first, other, 8)
    assert [entry.id for entry in other.channel.attempts] == [channel.attempts[0].id]


def test_a_dead_process_s_send_is_put_before_a_person_where_keys_mean_nothing(processes: Pair) -> None:
    channel = RecordingChannel(gate=asyncio.Event(), honours_keys=False)
    first, other = processes(channel=channel, other_channel=RecordingChannel(honours_keys=False))
    sending(first)
    wait_beside(first, other, LAPSE_S + 2)
    assert [hold.kind for hold in other.open_holds] == [HoldKind.UNSURE_SEND]
    assert other.channel.attempts == []


def test_a_send_that_can_only_be_looked_up_is_given_its_whole_time_to_show(processes: Pair) -> None:
    channel = RecordingChannel(gate=asyncio.Event(), honours_keys=False, can_look_up=True)
    first, other = processes(channel=channel, other_channel=RecordingChannel(honours_keys=False, can_look_up=True))
    sending(first)
    wait_beside(first, other, 40)
    assert other.channel.attempts == []
    assert [entry.state for entry in other.entries_of(other.turns[0])] == [OutboxState.SENDING]
    wait_beside(first, other, 24)
    assert len(other.channel.attempts) == 1


def test_a_stopping_process_hands_over_what_it_was_sending(processes: Pair) -> None:
    channel = RecordingChannel(gate=asyncio.Event())
    first, other = processes(channel=channel, other_channel=RecordingChannel())
    task = sending(first)
    task.cancel()
    first.run(asyncio.gather(task, return_exceptions=True))
    first.hints.clear()
    first.run(first.outbox.hand_over())
    assert [job.kind for job, _ in first.hints] == [OUTBOX_JOB]
    other.sweep()
    other.pass_time(2)
    assert len(other.channel.delivered) == 1


def test_a_restarted_sole_process_settles_at_once_what_it_was_sending(processes: Pair) -> None:
    first, other = processes(channel=RecordingChannel(gate=asyncio.Event()), other_channel=RecordingChannel())
    sending(first)
    other.run(other.outbox.release_leases())
    other.sweep()
    other.pass_time(2)
    assert len(other.channel.delivered) == 1
