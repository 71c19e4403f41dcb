"""Drafting: tries within a deadline, a breaker, a fallback; whatever the agent does, the turn gets a decision."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from types import ModuleType
from typing import Any

import pytest

from understudy.errors import AgentAnsweredNonsense, AgentTimedOut, AgentUnavailable
from understudy.ports.agent import DraftRequest
from understudy.ports.calls import CallLimits
from understudy.ports.telemetry import AgentAsked, BreakerChanged
from understudy.records.evidence import Action, Draft, Passage
from understudy.records.turn import TurnState
from understudy.testing.scripted import FrozenClock, ScriptedAgent
from understudy.turn.drafting import DraftingLimits

Build = Callable[..., Any]

DOWN = AgentUnavailable("connection refused")


def outcomes(stage: Any) -> list[tuple[str, str]]:
    return [(event.agent, event.outcome) for event in stage.emitted(AgentAsked)]


def test_an_agent_that_fails_twice_is_asked_a_third_time(build: Build) -> None:
    stage = build(agent=ScriptedAgent([DOWN, AgentTimedOut(), "Tomorrow."]))
    assert stage.ask("When?").state is TurnState.ANSWERED
    assert [outcome for _, outcome in outcomes(stage)] == ["agent-unavailable", "agent-timed-out", "draft"]


def test_tries_are_numbered(build: Build) -> None:
    stage = build(agent=ScriptedAgent([DOWN, "Tomorrow."]))
    stage.ask("When?")
    assert [event.attempt for event in stage.emitted(AgentAsked)] == [1, 2]


def test_an_agent_is_asked_at_most_so_often(build: Build) -> None:
    stage = build(agent=ScriptedAgent(DOWN), drafting=DraftingLimits(attempts_max=2))
    assert stage.ask("When?").reasons == ("agent_failed",)
    assert len(stage.agent.requests) == 2


def test_nonsense_is_not_asked_for_again(build: Build) -> None:
    stage = build(agent=ScriptedAgent(AgentAnsweredNonsense()))
    stage.ask("When?")
    assert len(stage.agent.requests) == 1


def test_pauses_between_tries_grow_and_stay_within_their_bounds(build: Build) -> None:
    limits = DraftingLimits(attempts_max=5, backoff_base_s=0.2, backoff_max_s=0.5)
    stage = build(agent=ScriptedAgent(DOWN), drafting=limits)
    stage.ask("When?")
    bounds = [0.2, 0.4, 0.5, 0.5]
    assert len(stage.clock.slept) == len(bounds)
    assert all(0 <= slept <= bound for slept, bound in zip(stage.clock.slept, bounds, strict=True))


def test_a_retry_after_is_waited_for(build: Build) -> None:
    stage = build(agent=ScriptedAgent([AgentUnavailable("busy", retry_after_s=7.0), "Tomorrow."]))
    stage.ask("When?")
    assert stage.clock.slept == [7.0]


def test_a_retry_after_beyond_the_deadline_is_not_waited_for(build: Build) -> None:
    stage = build(agent=ScriptedAgent(AgentUnavailable("busy", retry_after_s=31.0)))
    assert stage.ask("When?").reasons == ("agent_failed",)
    assert stage.clock.slept == []


def test_tries_stop_at_the_deadline(build: Build) -> None:
    def slow(_request: DraftRequest) -> AgentTimedOut:
        stage.clock.advance(20)
        return AgentTimedOut()

    stage = build(agent=ScriptedAgent(slow), drafting=DraftingLimits(deadline_s=30, attempts_max=10))
    stage.ask("When?")
    assert len(stage.agent.requests) == 2


def test_each_try_is_told_how_much_time_is_left(build: Build) -> None:
    def slow(_request: DraftRequest) -> AgentTimedOut:
        stage.clock.advance(10)
        return AgentTimedOut()

    limits = DraftingLimits(deadline_s=30, attempts_max=2, backoff_base_s=0)
    stage = build(agent=ScriptedAgent(slow), drafting=limits)
    stage.ask("When?")
    assert [request.deadline_s for request in stage.agent.requests] == [30.0, 20.0]


def test_an_agent_that_hangs_is_given_up_at_the_deadline(build: Build) -> None:
    agent = ScriptedAgent("late", gate=asyncio.Event())
    stage = build(agent=agent, drafting=DraftingLimits(deadline_s=0.05, attempts_max=1))
    assert stage.ask("When?").reasons == ("agent_failed",)
    assert [outcome for _, outcome in outcomes(stage)] == ["agent-timed-out"]


def test_the_fallback_is_asked_when_the_first_gives_up(build: Build) -> None:
    fallback = ScriptedAgent("From the second.", name="second", version="v2")
    stage = build(agent=ScriptedAgent(DOWN, name="first"), fallback=fallback)
    turn = stage.ask("When?")
    assert (turn.agent_version, stage.channel.texts) == ("v2", ["From the second."])
    assert [agent for agent, _ in outcomes(stage)] == ["first"] * 3 + ["second"]


def test_the_fallback_has_time_left_however_slow_the_first_was(build: Build) -> None:
    def slow(request: DraftRequest) -> AgentTimedOut:
        stage.clock.advance(request.deadline_s)
        return AgentTimedOut()

    fallback = ScriptedAgent("From the second.", name="second")
    stage = build(agent=ScriptedAgent(slow, name="first"), fallback=fallback)
    stage.ask("When?")
    assert stage.channel.texts == ["From the second."]
    assert fallback.requests[0].deadline_s == pytest.approx(12.0)


def test_the_fallback_is_not_asked_where_the_first_answers(build: Build) -> None:
    fallback = ScriptedAgent("From the second.", name="second")
    stage = build(agent=ScriptedAgent("From the first.", name="first"), fallback=fallback)
    stage.ask("When?")
    assert fallback.requests == []


def test_where_both_fail_the_turn_goes_on_without_a_draft(build: Build) -> None:
    stage = build(agent=ScriptedAgent(DOWN, name="a"), fallback=ScriptedAgent(AgentAnsweredNonsense(), name="b"))
    turn = stage.ask("When?")
    assert (turn.state, turn.reasons) == (TurnState.HANDED_OFF, ("agent_failed",))


def test_five_failures_open_the_breaker_and_spare_the_agent(build: Build) -> None:
    stage = build(agent=ScriptedAgent(DOWN), drafting=DraftingLimits(attempts_max=1))
    for number in range(8):
        stage.ask("When?", to=f"e-{number}")
    assert len(stage.agent.requests) == 5
    assert [event.state for event in stage.emitted(BreakerChanged)] == ["open"]


def test_a_spared_agent_costs_the_customer_no_time(build: Build) -> None:
    stage = build(agent=ScriptedAgent(DOWN), drafting=DraftingLimits(attempts_max=5))
    stage.ask("When?", to="e-1")
    stage.clock.slept.clear()
    assert stage.ask("When?", to="e-2").reasons == ("agent_failed",)
    assert stage.clock.slept == []


def test_a_spared_agent_leaves_the_word_to_its_fallback(build: Build) -> None:
    first = ScriptedAgent(DOWN, name="first")
    stage = build(agent=first, fallback=ScriptedAgent("From the second.", name="second"))
    for number in range(4):
        stage.ask("When?", to=f"e-{number}")
    assert len(first.requests) == 5
    assert stage.channel.texts == ["From the second."] * 4


def test_a_probe_that_answers_closes_the_breaker(build: Build) -> None:
    answers: list[Any] = [DOWN] * 5 + ["Back again.", "And again."]
    stage = build(agent=ScriptedAgent(answers), drafting=DraftingLimits(attempts_max=1))
    for number in range(5):
        stage.ask("When?", to=f"e-{number}")
    stage.clock.advance(31)
    stage.ask("When?", to="e-5")
    stage.ask("When?", to="e-6")
    assert stage.channel.texts == ["Back again.", "And again."]
    assert [event.state for event in stage.emitted(BreakerChanged)] == ["open", "half_open", "closed"]


def test_a_probe_that_fails_opens_the_breaker_again(build: Build) -> None:
    stage = build(agent=ScriptedAgent(DOWN), drafting=DraftingLimits(attempts_max=1))
    for number in range(5):
        stage.ask("When?", to=f"e-{number}")
    stage.clock.advance(31)
    stage.ask("When?", to="e-5")
    assert [event.state for event in stage.emitted(BreakerChanged)] == ["open", "half_open", "open"]


def test_a_cancelled_request_counts_neither_way(build: Build) -> None:
    stage = build(agent=ScriptedAgent("late", gate=asyncio.Event()))
    stage.receive("When?")
    stage.start(stage.flow.advance(stage.conversation().id)).cancel()
    stage.start(asyncio.sleep(0))
    assert outcomes(stage) == [("scripted", "cancelled")]
    assert stage.drafting._breakers["scripted"].failures == 0


def test_only_so_many_drafts_are_in_flight_at_once(build: Build) -> None:
    gate = asyncio.Event()
    stage = build(agent=ScriptedAgent("Hello.", gate=gate), drafting=DraftingLimits(in_flight_max=2))
    for number in range(5):
        stage.receive("Hi", to=f"e-{number}")
    tasks = [stage.start(stage.flow.advance(stage.conversation(f"e-{number}").id)) for number in range(5)]
    assert len(stage.agent.requests) == 2
    gate.set()
    for task in tasks:
        stage.run(task)
    assert len(stage.agent.requests) == 5


@pytest.mark.parametrize(
    "answer",
    [
        ValueError("a bug in the agent"),
        RuntimeError("another"),
        KeyError("x"),
        Draft(text="ok", sources=(Passage(id="p", text="t", score=float("nan")),)),
        Draft(text="ok", actions=(Action(name="refund", arguments={"x": object()}),)),
        Draft(text=None),  # type: ignore[arg-type]
        Draft(text="ok", sources=({"id": "p"},)),  # type: ignore[arg-type]
        Draft(text="ok", pipeline=7),  # type: ignore[arg-type]
    ],
    ids=["ValueError", "RuntimeError", "KeyError", "NaN", "object", "None", "dict", "number"],
)
def test_whatever_else_an_agent_gives_is_nonsense_and_decided(build: Build, answer: Any) -> None:
    stage = build(agent=ScriptedAgent(lambda _request: answer))
    turn = stage.ask("When?")
    assert (turn.state, turn.reasons) == (TurnState.HANDED_OFF, ("agent_failed",))
    assert [outcome for _, outcome in outcomes(stage)] == ["agent-answered-nonsense"]


def test_an_answer_that_is_no_draft_is_nonsense(build: Build) -> None:
    class Odd(ScriptedAgent):
        async def draft(self, request: DraftRequest) -> Draft:
            return "just a string"  # type: ignore[return-value]

    stage = build(agent=Odd("x"))
    assert stage.ask("When?").reasons == ("agent_failed",)


def test_overlong_names_in_a_draft_are_cut_to_what_every_database_takes(build: Build) -> None:
    draft = Draft(text="Hello.", topic="t" * 1000, agent_version="v" * 1000)
    stage = build(agent=ScriptedAgent(draft))
    turn = stage.ask("Hi", topic=None)
    assert (turn.topic, turn.agent_version) == ("t" * 200, "v" * 200)


@pytest.mark.parametrize("bad", ["\x00", "\ud83d"], ids=["nul", "half an emoji"])
def test_what_no_database_takes_is_replaced_in_a_draft(build: Build, bad: str) -> None:
    answer = Draft(text=f"Hel{bad}lo.", sources=(Passage(id=f"{bad}", text=f"{bad}"),), agent=f"a{bad}")
    stage = build(agent=ScriptedAgent(answer))
    stage.ask("Hi")
    assert stage.channel.texts == ["Hel\ufffdlo."]


def test_half_an_emoji_in_an_agents_error_does_not_stop_the_turn(build: Build) -> None:
    stage = build(agent=ScriptedAgent(AgentAnsweredNonsense("I said \ud83d\x00")))
    assert stage.ask("Hi").reasons == ("agent_failed",)


def test_a_card_number_in_a_draft_is_masked_before_it_is_first_written(build: Build, staging: ModuleType) -> None:
    stage = build(agent=ScriptedAgent("Your card 4242424242424242 was charged."))
    stage.ask("Hi")
    path = stage.plan.path
    assert b"4242424242424242" not in b"".join(file.read_bytes() for file in path.parent.glob(f"{path.name}*"))


def test_the_agents_version_is_recorded_with_the_turn(build: Build) -> None:
    draft = Draft(text="Hello.", agent="bot", agent_version="2026-05")
    stage = build(agent=ScriptedAgent(draft))
    assert stage.ask("Hi").agent_version == "2026-05"


def test_the_turns_trace_is_the_agents_parent(build: Build) -> None:
    stage = build()
    turn = stage.ask("Hi")
    assert turn.trace is not None
    assert stage.agent.requests[0].traceparent == turn.trace
    assert [event.trace for event in stage.emitted(AgentAsked)] == [turn.trace]


@pytest.mark.parametrize("field", ["deadline_s", "attempts_max", "in_flight_max"])
def test_limits_without_sense_are_refused(field: str) -> None:
    with pytest.raises(ValueError, match="drafting needs"):
        replace(DraftingLimits(), **{field: 0})


class Standing(FrozenClock):
    """A clock that stands while somebody sleeps a moment."""

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(0.002)


def test_a_customer_who_writes_again_while_waiting_for_a_place_is_answered_once(build: Callable[..., Any]) -> None:
    limits = CallLimits(at_once_max=1, per_minute_max=None)
    agent = ScriptedAgent("Tomorrow.", name="slow")
    stage = build(agent=agent, clock=Standing(), call_limits={"slow": limits})
    until = stage.clock.now() + timedelta(hours=1)
    stage.kept.write_now(
        lambda tx: tx.calls.begin("another's", "slow", now=stage.clock.now(), until=until, limits=limits)
    )
    stage.receive("When do you")
    task = stage.start(stage.flow.advance(stage.conversation().id))
    assert agent.requests == []
    stage.receive("open on Sundays?")
    stage.kept.write_now(lambda tx: tx.calls.end("another's", now=stage.clock.now(), limits=limits))
    stage.run(task)
    assert [[message.content for message in request.messages] for request in agent.requests] == [
        ["When do you", "open on Sundays?"]
    ]
    assert [turn.state for turn in stage.turns] == [TurnState.SUPERSEDED, TurnState.DELIVERING]
