"""Quotas are circuit breakers: of twice as many turns as the quota allows, exactly the quota is answered alone."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from functools import partial
from types import ModuleType
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from understudy.errors import AgentAnsweredNonsense
from understudy.records.assessment import DecisionKind
from understudy.testing.scripted import ScriptedAgent

Build = Callable[..., Any]

MANY = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=20)


def decisions(stage: Any) -> Counter[DecisionKind]:
    return Counter(turn.decision for turn in stage.turns)


@MANY
@given(quota=st.integers(0, 6))
def test_one_after_the_other_exactly_the_quota_is_delivered(build: Build, staging: ModuleType, quota: int) -> None:
    stage = build(rules=staging.rules(automatic_per_hour_max=quota))
    for number in range(2 * quota + 2):
        stage.ask("Hi", to=f"e-{number}")
    assert decisions(stage) == Counter({DecisionKind.DELIVER: quota, DecisionKind.HOLD: quota + 2})
    assert len(stage.channel.texts) == quota
    stage.close()


@pytest.mark.parametrize("quota", [1, 7, 20])
def test_all_at_once_exactly_the_quota_is_delivered(build: Build, staging: ModuleType, quota: int) -> None:
    stage = build(rules=staging.rules(automatic_per_hour_max=quota))
    conversations = []
    for number in range(2 * quota):
        stage.receive("Hi", to=f"e-{number}")
        conversations.append(stage.conversation(f"e-{number}").id)

    async def at_once() -> None:
        await asyncio.gather(*(stage.flow.advance(conversation) for conversation in conversations))

    stage.run(at_once())
    stage.settle()
    assert decisions(stage)[DecisionKind.DELIVER] == quota
    assert len(stage.channel.texts) == quota


def _take_up(stage: Any, to: str, tx: Any) -> Any:
    return stage.flow._take_up(tx, tx.conversations.find(stage.channel.name, to).id)


@MANY
@given(order=st.permutations(range(6)), quota=st.integers(0, 4))
def test_steps_in_any_order_never_deliver_more_than_the_quota(
    build: Build, staging: ModuleType, order: list[int], quota: int
) -> None:
    """Every turn is gathered, in one order, before any is decided, in another."""
    stage = build(rules=staging.rules(automatic_per_hour_max=quota))
    gathered = []
    for number in range(6):
        stage.receive("Hi", to=f"e-{number}")
        asked = stage.store.write_now(partial(_take_up, stage, f"e-{number}"))
        gathered.append(stage.run(stage.flow._draft(asked)))
    for number in order:
        stage.run(stage.flow._decide(gathered[number]))
    stage.settle()
    assert decisions(stage)[DecisionKind.DELIVER] == quota
    stage.close()


def test_a_restart_does_not_reset_the_quota(build: Build, staging: ModuleType) -> None:
    stage = build(rules=staging.rules(automatic_per_hour_max=2))
    for number in range(6):
        stage.ask("Hi", to=f"e-{number}")
        stage = stage.restarted()
    assert decisions(stage)[DecisionKind.DELIVER] == 2


def test_the_quota_counts_per_hour(build: Build, staging: ModuleType) -> None:
    stage = build(rules=staging.rules(automatic_per_hour_max=2))
    for hour in range(3):
        for number in range(4):
            stage.ask("Hi", to=f"e-{hour}-{number}")
        stage.clock.advance(3601)
    assert decisions(stage)[DecisionKind.DELIVER] == 6


def test_safe_replies_have_a_quota_of_their_own(build: Build, staging: ModuleType) -> None:
    rules = staging.rules(automatic_per_hour_max=2, degrade_on=(("agent_failed", "sorry"),))
    answers = ["Gladly.", "Gladly."] + [AgentAnsweredNonsense()] * 4
    stage = build(agent=ScriptedAgent(answers), rules=rules)
    for number in range(6):
        stage.ask("Hi", to=f"e-{number}")
    assert stage.channel.texts == ["Gladly."] * 2 + [staging.SORRY.text] * 2


def test_a_quota_of_zero_delivers_nothing(build: Build, staging: ModuleType) -> None:
    stage = build(rules=staging.rules(automatic_per_hour_max=0))
    assert stage.ask("Hi").reasons == ("quota_exhausted",)
