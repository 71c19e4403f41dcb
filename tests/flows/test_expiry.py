"""Overdue holds: put before the others or answered by an approved reply, and never let out because nobody looked."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest

from understudy.errors import HoldClosed as HoldIsClosed
from understudy.ports.telemetry import HoldClosed, HoldOpened, HoldRaised
from understudy.records.conversation import Mode
from understudy.records.evidence import Draft
from understudy.records.review import HoldKind, HoldState, VerdictKind
from understudy.records.rulebook import Level
from understudy.records.turn import TurnState
from understudy.review.holds import Holds, ReviewLimits
from understudy.testing.scripted import ScriptedAgent

Build = Callable[..., Any]

BY_SAFE_REPLY = ReviewLimits(on_expiry="safe_reply")


def test_an_overdue_hold_is_put_before_the_others(build: Build, staging: ModuleType) -> None:
    stage = build(rules=staging.rules(Level.ASSIST))
    stage.ask("One", to="e-1")
    stage.pass_time(100)
    urgent = Draft(text="x", handoff=True)
    stage.agent._answer = lambda _request: urgent
    stage.ask("Two", to="e-2")
    assert stage.open_holds[0].kind is HoldKind.HAND_OFF
    stage.pass_time(801)
    raised = stage.open_holds[0]
    assert (raised.kind, raised.priority, raised.raised_at, raised.version) == (
        HoldKind.DRAFT,
        0,
        stage.clock.now(),
        2,
    )
    assert stage.channel.texts == []


def test_a_hold_is_left_alone_until_its_deadline(build: Build, staging: ModuleType) -> None:
    stage = build(rules=staging.rules(Level.ASSIST))
    stage.ask("One")
    before = stage.open_holds
    stage.pass_time(899.9)
    stage.run(stage.holds.look(before[0].id))
    assert stage.open_holds == before


def test_an_overdue_hold_is_raised_once(build: Build, staging: ModuleType) -> None:
    stage = build(rules=staging.rules(Level.ASSIST))
    stage.ask("One")
    for _ in range(3):
        stage.pass_time(901)
    assert len(stage.emitted(HoldRaised)) == 1
    assert stage.ledger_events.count("hold.raised") == 1


def test_a_raised_hold_can_still_be_decided(build: Build, staging: ModuleType) -> None:
    stage = build(rules=staging.rules(Level.ASSIST))
    stage.ask("One")
    stage.pass_time(901)
    stage.give(stage.open_holds[0], VerdictKind.APPROVE)
    stage.settle()
    assert stage.channel.texts == ["About: One"]


def test_a_hold_without_deadline_waits_for_as_long_as_it_takes(build: Build, staging: ModuleType) -> None:
    stage = build(rules=staging.rules(Level.ASSIST), hold_expires_after_s=None)
    stage.ask("One")
    stage.pass_time(10_000_000)
    assert stage.emitted(HoldRaised) == []


def test_an_overdue_draft_is_replaced_by_the_approved_reply(build: Build, staging: ModuleType) -> None:
    stage = build(rules=staging.rules(Level.ASSIST), review=BY_SAFE_REPLY)
    turn = stage.ask("One")
    hold = stage.open_holds[0]
    stage.pass_time(901)
    assert stage.channel.texts == [staging.OVERDUE.text]
    assert stage.read(lambda tx: tx.holds.get(hold.id)).state is HoldState.EXPIRED
    assert stage.turn(turn.id).state is TurnState.ANSWERED


def test_a_person_follows_up_on_an_expired_draft(build: Build, staging: ModuleType) -> None:
    stage = build(rules=staging.rules(Level.ASSIST), review=BY_SAFE_REPLY)
    stage.ask("One")
    stage.pass_time(901)
    assert [(hold.kind, hold.reasons, hold.priority) for hold in stage.open_holds] == [
        (HoldKind.HAND_OFF, ("hold_expired",), 0)
    ]
    assert stage.conversation().mode is Mode.PERSON


def test_an_expired_draft_is_reported(build: Build, staging: ModuleType) -> None:
    stage = build(rules=staging.rules(Level.ASSIST), review=BY_SAFE_REPLY)
    stage.ask("One")
    stage.pass_time(901)
    assert [(event.how, event.reviewer) for event in stage.emitted(HoldClosed)] == [("expired", None)]
    assert [event.kind for event in stage.emitted(HoldOpened)] == ["draft", "hand_off"]


def test_an_expired_draft_cannot_be_approved_any_more(build: Build, staging: ModuleType) -> None:
    stage = build(rules=staging.rules(Level.ASSIST), review=BY_SAFE_REPLY)
    stage.ask("One")
    hold = stage.open_holds[0]
    stage.pass_time(901)
    with pytest.raises(HoldIsClosed, match="a safe reply was sent"):
        stage.give(hold, VerdictKind.APPROVE)
    assert stage.channel.texts == [staging.OVERDUE.text]


def test_an_overdue_hand_off_is_raised_and_not_answered(build: Build) -> None:
    stage = build(agent=ScriptedAgent(Draft(text="x", handoff=True)), review=BY_SAFE_REPLY)
    stage.ask("One")
    stage.pass_time(901)
    assert [(hold.kind, hold.priority) for hold in stage.open_holds] == [(HoldKind.HAND_OFF, 0)]
    assert stage.channel.texts == []


@pytest.mark.parametrize("limits", [ReviewLimits(), BY_SAFE_REPLY])
def test_no_draft_is_ever_let_out_because_its_hold_expired(
    build: Build, staging: ModuleType, limits: ReviewLimits
) -> None:
    stage = build(rules=staging.rules(Level.ASSIST), review=limits)
    for number in range(3):
        stage.ask("One", to=f"e-{number}")
    for _ in range(5):
        stage.pass_time(901)
    assert "About: One" not in stage.channel.texts


def test_a_safe_reply_on_expiry_needs_one(build: Build) -> None:
    with pytest.raises(ValueError, match=r"review\.expiry_reply"):
        build(review=BY_SAFE_REPLY, expiry_reply=None)


def test_a_claim_needs_a_lease() -> None:
    with pytest.raises(ValueError, match="claim_lease_s"):
        ReviewLimits(claim_lease_s=0)


def test_holds_are_looked_at_even_if_every_hint_was_lost(build: Build, staging: ModuleType) -> None:
    stage = build(rules=staging.rules(Level.ASSIST))
    stage.ask("One")
    stage.hints.clear()
    stage.pass_time(901)
    assert len(stage.emitted(HoldRaised)) == 1
    assert isinstance(stage.holds, Holds)
