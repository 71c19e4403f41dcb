"""A verdict counts only for what its reviewer saw: whatever happened to the hold since, a stale one changes nothing."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from understudy.errors import Conflict, HoldClosed, StaleVersion
from understudy.records.evidence import Draft
from understudy.records.review import HoldState, VerdictKind
from understudy.records.rulebook import Level
from understudy.review.holds import ReviewLimits
from understudy.testing.scripted import ScriptedAgent

Build = Callable[..., Any]

HAPPENINGS = ["customer writes", "another decides", "is claimed and released", "expires", "is taken over", "restart"]


def happen(stage: Any, hold: Any, what: str) -> Any:
    match what:
        case "customer writes":
            stage.ask("And another thing.")
        case "another decides":
            current = stage.read(lambda tx: tx.holds.get(hold.id))
            if current.state is HoldState.OPEN:
                stage.give(current, VerdictKind.RESPOND, "From Emil.", reviewer="emil")
                stage.settle()
        case "is claimed and released":
            if stage.read(lambda tx: tx.holds.get(hold.id)).state is HoldState.OPEN:
                stage.run(stage.holds.claim(hold.id, reviewer="emil"))
                stage.run(stage.holds.release(hold.id, reviewer="emil"))
        case "expires":
            stage.pass_time(901)
        case "is taken over":
            stage.run(stage.conversations.take_over(hold.conversation_id, reviewer="emil"))
        case "restart":
            return stage.restarted()
    return stage


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=80)
@given(
    happenings=st.lists(st.sampled_from(HAPPENINGS), max_size=4),
    verdict=st.sampled_from(list(VerdictKind)),
    on_expiry=st.sampled_from(["raise", "safe_reply"]),
)
def test_a_verdict_counts_exactly_where_its_hold_is_as_it_was_seen(
    build: Build, staging: ModuleType, happenings: list[str], verdict: VerdictKind, on_expiry: Any
) -> None:
    stage = build(rules=staging.rules(Level.ASSIST), review=ReviewLimits(on_expiry=on_expiry))
    stage.ask("When?")
    (seen,) = stage.open_holds
    for what in happenings:
        stage = happen(stage, seen, what)
    now = stage.read(lambda tx: tx.holds.get(seen.id))
    is_as_seen = (now.state, now.version) == (HoldState.OPEN, seen.version)
    before, attempts = stage.ledger, len(stage.channel.attempts)
    try:
        stage.give(seen, verdict)
        was_taken = True
    except Conflict:
        was_taken = False
    assert was_taken == is_as_seen
    event("taken" if was_taken else "refused")
    if not was_taken:
        stage.settle()
        assert stage.ledger == before
        assert len(stage.channel.attempts) == attempts
    stage.close()


def test_a_draft_the_customer_overtook_is_never_sent(build: Build, staging: ModuleType) -> None:
    stage = build(rules=staging.rules(Level.ASSIST))
    stage.ask("When?")
    (seen,) = stage.open_holds
    stage.ask("And where?")
    with pytest.raises(HoldClosed):
        stage.give(seen, VerdictKind.APPROVE)
    stage.let_people_finish()
    assert stage.channel.texts == ["About: When? + And where?"]


def test_an_answer_to_a_hand_off_is_refused_where_the_customer_has_written_since(build: Build) -> None:
    stage = build(agent=ScriptedAgent(Draft(text="One moment.", handoff=True)))
    stage.ask("My kettle is broken")
    (seen,) = stage.open_holds
    stage.ask("It burns!")
    with pytest.raises(StaleVersion):
        stage.give(seen, VerdictKind.RESPOND, "Send it back at your leisure.")
    assert stage.channel.texts == []
    (hold,) = stage.open_holds
    stage.give(hold, VerdictKind.RESPOND, "Pull the plug and leave the room.")
    stage.settle()
    assert stage.channel.texts == ["Pull the plug and leave the room."]
