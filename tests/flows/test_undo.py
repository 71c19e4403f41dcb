"""A verdict that can be taken back: until it is carried out nothing is sent, nothing is learned, and nobody else decides."""

from __future__ import annotations

import json
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest

from stage_plan import ON_EACH_STORE
from understudy.errors import Forbidden, HoldClosed, InputError, StaleVersion, TooLate
from understudy.records.access import Role
from understudy.records.conversation import Mode
from understudy.records.evidence import Draft
from understudy.records.review import Hold, HoldKind, HoldState, VerdictKind, VerdictRequest
from understudy.records.reviewing import ReviewTerms
from understudy.records.rulebook import Level
from understudy.records.turn import TurnState
from understudy.testing.scripted import ScriptedAgent
from understudy.web.users import add_user, change_user, make_user_with

pytestmark = ON_EACH_STORE

Build = Callable[..., Any]
UNDO_S = 10.0
SAID = {"verdict.given", "label.given", "outbox.queued", "hold.decided", "trust.credited"}


@pytest.fixture
def stage(build: Build, staging: ModuleType) -> Any:
    return build(rules=staging.rules(Level.ASSIST))


def held(stage: Any, text: str = "When?", to: str = "e-1") -> Hold:
    turn = stage.ask(text, to=to)
    (hold,) = (hold for hold in stage.open_holds if hold.turn_id == turn.id)
    return hold


def give(stage: Any, hold: Hold, kind: VerdictKind = VerdictKind.APPROVE, text: str | None = None, **more: Any) -> Any:
    request = VerdictRequest(
        hold_id=hold.id, version=hold.version, kind=kind, reviewer=more.pop("reviewer", "rosa"), text=text, **more
    )
    return stage.run(stage.verdicts.give_later(request, undo_s=UNDO_S))


def take_back(stage: Any, hold: Hold, *, reviewer: str = "rosa") -> Any:
    return stage.run(stage.verdicts.take_back(hold.id, reviewer=reviewer, claim_lease_s=60))


def stored(stage: Any, hold: Hold) -> Hold:
    found: Hold = stage.read(lambda tx: tx.holds.get(hold.id))
    return found


def label(stage: Any, hold: Hold) -> Any:
    candidate = stage.read(lambda tx: tx.candidates.of_turn(hold.turn_id))
    return None if candidate is None else candidate.label


def test_it_is_carried_out_when_its_time_has_come_and_not_before(stage: Any) -> None:
    hold = held(stage)
    verdict, due_at = give(stage, hold)
    stage.pass_time(UNDO_S - 0.001)
    assert stage.channel.delivered == []
    assert SAID.isdisjoint(stage.ledger_events)
    assert label(stage, hold) is None
    stage.pass_time(0.001)
    assert due_at == stage.clock.now()
    assert [entry.text for entry in stage.channel.delivered] == ["About: When?"]
    assert stored(stage, hold).state is HoldState.DECIDED
    assert stage.read(lambda tx: tx.verdicts.of_turn(hold.turn_id)) == [verdict]
    assert label(stage, hold).outcome.value == "approve"


def test_it_does_the_same_as_one_that_is_given_at_once(build: Build, staging: ModuleType) -> None:
    def after(kind: VerdictKind, *, later: bool) -> Any:
        stage = build(rules=staging.rules(Level.ASSIST))
        hold = held(stage)
        text = "Tomorrow." if kind in (VerdictKind.EDIT, VerdictKind.RESPOND) else None
        if later:
            give(stage, hold, kind, text)
            stage.pass_time(UNDO_S)
        else:
            stage.give(hold, kind, text)
            stage.settle()
        events = [entry for entry in stage.ledger_events if entry not in ("hold.deciding", "review.verdict_waiting")]
        return events, [entry.text for entry in stage.channel.delivered], label(stage, hold).outcome

    for kind in (VerdictKind.APPROVE, VerdictKind.EDIT, VerdictKind.REJECT, VerdictKind.RESPOND):
        assert after(kind, later=True) == after(kind, later=False)


def test_taken_back_the_hold_waits_again_and_nothing_was_ever_said_of_the_draft(stage: Any) -> None:
    hold = held(stage)
    verdict, _ = give(stage, hold, VerdictKind.EDIT, "Tomorrow.")
    again, given = take_back(stage, hold)
    assert given == verdict
    assert (again.state, again.version, again.claimed_by, again.undo_until) == (
        HoldState.OPEN,
        hold.version + 2,
        "rosa",
        None,
    )
    assert stage.open_holds == [again]
    stage.pass_time(2 * UNDO_S)
    assert stage.channel.delivered == []
    assert SAID.isdisjoint(stage.ledger_events)
    assert stage.read(lambda tx: tx.verdicts.of_turn(hold.turn_id)) == []
    assert label(stage, hold) is None
    assert [event for event in stage.ledger_events if event.startswith("review.")] == [
        "review.verdict_waiting",
        "review.verdict_taken_back",
    ]
    stage.give(again, VerdictKind.APPROVE)
    stage.settle()
    assert [entry.text for entry in stage.channel.delivered] == ["About: When?"]


def test_who_saw_the_hold_before_it_was_taken_back_decides_on_it_no_more(stage: Any) -> None:
    hold = held(stage)
    give(stage, hold)
    take_back(stage, hold)
    with pytest.raises(StaleVersion):
        stage.give(hold, VerdictKind.APPROVE)


def test_what_was_carried_out_is_not_taken_back(stage: Any) -> None:
    hold = held(stage)
    give(stage, hold)
    stage.pass_time(UNDO_S)
    before = stage.ledger
    with pytest.raises(TooLate, match="carried out"):
        take_back(stage, hold)
    assert stage.ledger == before


def test_only_who_gave_it_takes_it_back(stage: Any) -> None:
    hold = held(stage)
    give(stage, hold)
    with pytest.raises(Forbidden, match="only they"):
        take_back(stage, hold, reviewer="tom")
    stage.pass_time(UNDO_S)
    assert len(stage.channel.delivered) == 1


def test_nobody_else_sees_or_decides_on_the_hold_meanwhile(stage: Any) -> None:
    hold = held(stage)
    give(stage, hold)
    kept = stored(stage, hold)
    assert stage.open_holds == []
    assert stage.read(lambda tx: (tx.holds.count_open(), tx.holds.waiting(limit=10, reader="tom"))) == (0, [])
    assert [row.hold for row in stage.read(lambda tx: tx.holds.waiting(limit=10, reader="tom", only=[hold.id]))] == [
        kept
    ]
    for act in (
        lambda: stage.give(kept, VerdictKind.APPROVE, reviewer="tom"),
        lambda: give(stage, kept),
        lambda: stage.run(stage.holds.claim(hold.id, reviewer="tom")),
        lambda: stage.run(stage.holds.release(hold.id, reviewer="rosa")),
    ):
        with pytest.raises(HoldClosed, match="rosa decided on this hold; that takes effect at"):
            act()


def test_a_customer_who_writes_meanwhile_makes_it_void(stage: Any) -> None:
    hold = held(stage)
    give(stage, hold)
    new = stage.ask("And where?")
    assert stored(stage, hold).state is HoldState.SUPERSEDED
    stage.pass_time(UNDO_S)
    assert stage.channel.delivered == []
    assert stage.turn(new.id).state is TurnState.HELD
    lapsed = next(entry for entry in stage.ledger if entry.event == "review.verdict_lapsed")
    assert json.loads(lapsed.body)["why"] == "superseded"
    with pytest.raises(TooLate):
        take_back(stage, hold)


def test_a_further_message_under_a_hand_off_makes_the_answer_void_and_leaves_the_hold(build: Build) -> None:
    stage = build(agent=ScriptedAgent(Draft(text="I will get somebody.", handoff=True)))
    hold = held(stage)
    assert hold.kind is HoldKind.HAND_OFF
    give(stage, hold, VerdictKind.RESPOND, "Tomorrow.")
    stage.ask("Hello?")
    (again,) = stage.open_holds
    assert (again.id, again.version, again.undo_until) == (hold.id, hold.version + 2, None)
    stage.pass_time(UNDO_S)
    assert [entry.text for entry in stage.channel.delivered if entry.text == "Tomorrow."] == []


def test_a_colleague_who_takes_over_meanwhile_makes_it_void(stage: Any) -> None:
    hold = held(stage)
    give(stage, hold)
    stage.run(stage.conversations.take_over(hold.conversation_id, reviewer="tom"))
    stage.pass_time(UNDO_S)
    assert stage.channel.delivered == []
    assert stage.conversation().mode is Mode.PERSON


def employ(stage: Any) -> None:
    user = make_user_with("rosa", Role.REVIEWER, "old", now=stage.clock.now())
    stage.store.write_now(lambda tx: add_user(tx, user, actor="ada"))


def change(stage: Any, **changes: Any) -> None:
    now = stage.clock.now()
    stage.store.write_now(lambda tx: change_user(tx, "rosa", now=now, actor="ada", **changes))


@pytest.mark.parametrize("changes", [{"is_disabled": True}, {"role": Role.AUDITOR}], ids=["shut-out", "other-role"])
def test_what_somebody_decided_who_may_not_review_any_more_is_void(stage: Any, changes: dict[str, Any]) -> None:
    """Whoever shuts somebody out does so for what they are doing now. The hold waits for others."""
    employ(stage)
    hold, other = held(stage, to="e-1"), held(stage, "And where?", to="e-2")
    give(stage, hold)
    give(stage, other, reviewer="max")
    change(stage, **changes)
    assert (stored(stage, hold).state, stored(stage, hold).undo_until) == (HoldState.OPEN, None)
    stage.pass_time(UNDO_S)
    assert [entry.text for entry in stage.channel.delivered] == ["About: And where?"]
    (lapsed,) = (json.loads(entry.body) for entry in stage.ledger if entry.event == "review.verdict_lapsed")
    assert (lapsed["hold"], lapsed["why"]) == (hold.id, "may_not_review")
    assert label(stage, hold) is None


def test_who_got_a_new_password_and_more_to_do_has_decided(stage: Any) -> None:
    employ(stage)
    hold = held(stage)
    give(stage, hold)
    change(stage, password_hash="new", role=Role.LEAD)
    stage.pass_time(UNDO_S)
    assert [entry.text for entry in stage.channel.delivered] == ["About: When?"]


def test_a_deadline_that_passes_meanwhile_changes_nothing_and_counts_again_once_it_is_taken_back(
    build: Build, staging: ModuleType
) -> None:
    stage = build(rules=staging.rules(Level.ASSIST), hold_expires_after_s=5.0)
    hold = held(stage)
    give(stage, hold)
    stage.pass_time(6)
    assert stored(stage, hold).raised_at is None
    take_back(stage, hold)
    stage.settle()
    assert stored(stage, hold).raised_at is not None


def test_an_empty_draft_is_refused_when_it_is_approved_and_not_later(build: Build, staging: ModuleType) -> None:
    stage = build(rules=staging.rules(Level.ASSIST), agent=ScriptedAgent(Draft(text=" ")))
    hold = held(stage)
    with pytest.raises(InputError, match="the draft is empty"):
        give(stage, hold)
    assert stage.open_holds == [hold]


def test_a_process_that_ends_meanwhile_leaves_it_to_the_next(stage: Any) -> None:
    hold = held(stage)
    give(stage, hold)
    stage.clock.advance(UNDO_S)
    following = stage.restarted()
    assert [entry.text for entry in following.channel.delivered] == ["About: When?"]
    assert stored(following, hold).state is HoldState.DECIDED


def test_how_long_it_took_is_until_it_was_given(stage: Any) -> None:
    hold = held(stage)
    stage.run(stage.holds.claim(hold.id, reviewer="rosa"))
    stage.clock.advance(7)
    give(stage, stored(stage, hold))
    stage.pass_time(UNDO_S)
    (judged,) = stage.read(lambda tx: tx.reviews.of_reviewer("rosa", limit=5))
    assert judged.took_s == 7.0


def test_a_second_reviewer_is_asked_once_it_is_carried_out_and_is_told_nothing_before(
    build: Build, staging: ModuleType
) -> None:
    stage = build(rules=staging.rules(Level.ASSIST), reviewing=ReviewTerms(second_rate=1.0))
    first = held(stage, to="e-0")
    stage.give(first, VerdictKind.APPROVE, reviewer="ann")
    stage.settle()
    hold = held(stage)
    give(stage, hold)
    told = [
        entry for entry in stage.ledger if entry.turn_id == hold.turn_id and entry.event.startswith("hold.deciding")
    ]
    assert [entry.event for entry in told] == ["hold.deciding"]
    assert all("kind" not in json.loads(entry.body) for entry in told)
    assert [one.kind for one in stage.open_holds if one.turn_id == hold.turn_id] == []
    stage.pass_time(UNDO_S)
    assert [one.kind for one in stage.open_holds if one.turn_id == hold.turn_id] == [HoldKind.SECOND]


def test_the_ledger_says_what_was_taken_back_without_its_text(stage: Any) -> None:
    hold = held(stage)
    give(stage, hold, VerdictKind.EDIT, "A secret xylophone.", reasons=("wrong_date",))
    take_back(stage, hold)
    waiting = json.loads(next(entry.body for entry in stage.ledger if entry.event == "review.verdict_waiting"))
    back = json.loads(next(entry.body for entry in stage.ledger if entry.event == "review.verdict_taken_back"))
    assert (waiting["kind"], waiting["reasons"], waiting["verdict"]) == ("edit", ["wrong_date"], back["verdict"])
    assert "xylophone" not in repr(stage.ledger)
