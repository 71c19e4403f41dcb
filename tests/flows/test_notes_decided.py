"""What colleagues write in the notes of other help desks: carried out once, for whom may decide, on what they saw."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from help_desks import Chatwoot, Zendesk, serving
from stage_notes import NotedStage
from stage_plan import ON_EACH_STORE
from understudy.effects.pledging import add_pledge
from understudy.notes.wording import code_of
from understudy.records.access import Role
from understudy.records.autonomy import Outcome
from understudy.records.conversation import Mode
from understudy.records.outbox import Unknown
from understudy.records.pledges import USUAL_PLEDGES, PledgeKind, PledgeState
from understudy.records.review import HoldKind, VerdictKind
from understudy.records.reviewing import ReviewTerms
from understudy.records.turn import TurnState
from understudy.testing.scripted import FrozenClock
from understudy.web.users import add_user, make_user_with

pytestmark = ON_EACH_STORE

Make = Callable[..., NotedStage]


@pytest.fixture
def stage(make: Make, desk: Any) -> NotedStage:
    return make(desk)


def test_approval_in_a_note_sends_the_draft(stage: NotedStage) -> None:
    turn = stage.ask("When?")
    stage.remark("/approve")
    assert stage.customer_got == ["About: When?"]
    assert stage.stage.turn(turn.id).state is TurnState.ANSWERED
    (verdict,) = stage.stage.read(lambda tx: tx.verdicts.of_turn(turn.id))
    assert (verdict.kind, verdict.reviewer) == (VerdictKind.APPROVE, "rosa")
    assert "rosa approved the draft" in stage.noted[-1]
    label = stage.stage.read(lambda tx: tx.candidates.of_turn(turn.id)).label
    assert label.outcome is Outcome.APPROVE
    assert "verdict.given" in stage.stage.ledger_events


def test_edit_in_a_note_sends_the_new_text_alone(stage: NotedStage) -> None:
    stage.ask()
    stage.remark("/edit On *Monday*,\n/promised.")
    assert stage.customer_got == ["On *Monday*,\n/promised."]


def test_rejection_in_a_note_keeps_the_customer_waiting_for_a_person(stage: NotedStage) -> None:
    turn = stage.ask()
    stage.remark("/reject wrong_date")
    assert stage.customer_got == []
    assert [hold.kind for hold in stage.holds()] == [HoldKind.HAND_OFF]
    (verdict,) = stage.stage.read(lambda tx: tx.verdicts.of_turn(turn.id))
    assert verdict.reasons == ("wrong_date",)
    assert "waits for a person" in stage.noted[-1]
    stage.remark("/respond It left today.")
    assert stage.customer_got == ["It left today."]


def taken_by(stage: NotedStage) -> str | None:
    found: str | None = stage.stage.conversation(stage.to).taken_by
    return found


def test_what_a_colleague_has_is_taken_in_a_note_by_naming_them(stage: NotedStage) -> None:
    stage.ask("When?")
    where = stage.stage.conversation(stage.to).id
    stage.stage.run(stage.stage.conversations.take_over(where, reviewer="ben"))
    stage.ask("Are you there?")
    stage.remark("/take-over")
    assert taken_by(stage) == "ben"
    assert "nothing was done" in stage.noted[-1]
    assert "/take-over from ben" in stage.noted[-1]
    stage.remark("/take-over from Cem")
    assert taken_by(stage) == "ben"
    stage.remark("/Take-Over from ben")
    assert taken_by(stage) == "rosa"
    assert stage.holds() == []
    assert "rosa" in stage.noted[-1]


def test_what_a_colleague_has_is_taken_in_a_note_where_nothing_waits(stage: NotedStage) -> None:
    stage.ask("When?")
    where = stage.stage.conversation(stage.to).id
    stage.stage.run(stage.stage.conversations.take_over(where, reviewer="ben"))
    stage.settle()
    stage.remark("/take-over from cem")
    assert (taken_by(stage), "ben has this conversation" in stage.noted[-1]) == ("ben", True)
    stage.remark("/take-over from ben")
    assert taken_by(stage) == "rosa"


def test_nobody_is_named_of_whom_a_conversation_could_be_taken(stage: NotedStage) -> None:
    stage.ask("When?")
    stage.remark("/take-over from ben")
    assert taken_by(stage) is None
    assert "nothing was done" in stage.noted[-1]


def test_take_over_in_a_note_gives_the_conversation_to_who_wrote_it(stage: NotedStage) -> None:
    stage.ask()
    stage.remark("/take-over")
    conversation = stage.stage.conversation(stage.to)
    assert (conversation.mode, conversation.taken_by) == (Mode.PERSON, "rosa")
    assert stage.customer_got == []


def test_a_remark_that_comes_ten_times_has_its_effect_once(stage: NotedStage) -> None:
    stage.ask()
    stage.desk.remark("/approve")  # type: ignore[attr-defined]
    stage.settle(times=10)
    assert stage.customer_got == ["About: When?"]
    assert stage.stage.ledger_events.count("verdict.given") == 1
    assert sum("approved the draft" in note for note in stage.noted) == 1


def test_trap_3_own_reply_echoed_back_by_webhook_is_not_read_as_a_human_takeover(stage: NotedStage) -> None:
    stage.ask()
    stage.remark("/approve")
    stage.settle(times=3)
    assert stage.stage.conversation(stage.to).mode is Mode.AGENT
    stage.ask("And then?")
    assert [hold.kind for hold in stage.holds()] == [HoldKind.DRAFT]


def test_trap_10_a_command_in_one_conversation_decides_nothing_in_another(make: Make) -> None:
    desk = Chatwoot()
    with serving(desk):
        stage = make(desk)
        stage.ask("Mine?")
        (hold,) = stage.holds()
        code = code_of(stage.kept_notes(hold)[0].id)
        stage.to = "11"
        stage.ask("And mine?")
        stage.remark(f"/approve #{code}", conversation="11")
        assert stage.customer_got == []
        assert "no note of ours is called" in stage.noted[-1]
        stage.remark(f"/approve #{code}", conversation="10")
        assert stage.customer_got == ["About: Mine?"]


@pytest.mark.parametrize(
    ("by", "told"),
    [(9, "you are no user"), (8, "may not decide on drafts (role viewer)"), (1234, "you are no user")],
    ids=["unverified", "viewer", "stranger"],
)
def test_remark_of_who_may_not_decide_does_nothing_but_say_so(make: Make, by: int, told: str) -> None:
    desk = Chatwoot()
    with serving(desk):
        stage = make(desk, colleagues={"rosa@shop.example": "rosa", "una@shop.example": "rosa", "8": "vic"})
        turn = stage.ask()
        stage.remark("/approve", by=by)
        assert told in stage.noted[-1]
        assert stage.customer_got == []
        assert stage.stage.turn(turn.id).state is TurnState.HELD
        assert "verdict.given" not in stage.stage.ledger_events


def test_comment_that_came_by_mail_or_from_an_end_user_is_nobodys(make: Make) -> None:
    desk = Zendesk()
    with serving(desk):
        stage = make(desk)
        stage.ask()
        stage.remark("/approve", via="email")
        assert "you are no user" in stage.noted[-1]
        stage.remark("/approve", by=66)
        assert stage.customer_got == []
        stage.remark("/approve")
        assert stage.customer_got == ["About: When?"]


def test_colleague_is_known_by_a_configured_id_where_nobody_can_be_asked(make: Make) -> None:
    desk = Chatwoot()
    with serving(desk):
        clock = FrozenClock()
        stage = make(desk, colleagues={"7": "rosa"}, channel=desk.channel(clock, token=None))
        stage.ask()
        stage.remark("/approve")
        assert stage.customer_got == ["About: When?"]


def test_user_whose_name_is_the_verified_address_needs_no_entry(make: Make, desk: Any) -> None:
    stage = make(desk, colleagues={})
    stage.ask()
    stage.remark("/approve")
    assert "you are no user" in stage.noted[-1]
    user = make_user_with("Rosa@shop.example", Role.LEAD, "x", now=stage.stage.clock.now())
    stage.stage.store.write_now(lambda tx: add_user(tx, user, actor="test"))
    stage.remark("/approve")
    assert stage.customer_got == ["About: When?"]


def test_command_on_a_draft_that_the_customer_overtook_is_refused(stage: NotedStage) -> None:
    stage.ask("When?")
    stage.stage.receive("No, where?", to=stage.to)  # the note on the next draft is not there yet
    stage.desk.remark("/approve")  # type: ignore[attr-defined]
    stage.deliver()
    stage.settle()
    assert stage.customer_got == []
    assert any("draft above is void" in note for note in stage.noted)
    assert any("nothing was done" in note and "void" in note for note in stage.noted)
    stage.remark("/approve")
    assert stage.customer_got == ["About: When? + No, where?"]


def test_claim_in_the_console_keeps_a_command_from_deciding(make: Make, desk: Any) -> None:
    stage = make(desk, where="both")
    stage.ask()
    (hold,) = stage.holds()
    stage.stage.run(stage.stage.holds.claim(hold.id, reviewer="Bea"))
    stage.remark("/approve")
    assert "Bea works on hold" in stage.noted[-1]
    assert stage.customer_got == []


def test_answer_in_the_help_desk_keeps_what_was_to_be_written(stage: NotedStage) -> None:
    stage.ask()
    where = stage.stage.conversation(stage.to).id
    owed = stage.stage.store.write_now(
        lambda tx: add_pledge(
            tx, stage.stage.clock, where, "We will write to you.", kind=PledgeKind.WRITE, terms=USUAL_PLEDGES
        )
    )
    stage.remark("It left on Monday.", private=False)
    assert stage.stage.read(lambda tx: tx.pledges.get(owed.id)).state is PledgeState.KEPT


def test_person_who_answers_in_the_help_desk_takes_the_conversation_over(stage: NotedStage) -> None:
    turn = stage.ask()
    stage.remark("It left on Monday. 4111 1111 1111 1111", private=False)
    conversation = stage.stage.conversation(stage.to)
    assert conversation.mode is Mode.PERSON
    assert conversation.taken_by == ("rosa" if isinstance(stage.desk, Chatwoot) else "Rosa (chat)")
    assert stage.holds() == []
    assert stage.stage.turn(turn.id).state is TurnState.HANDED_OFF
    assert len(stage.customer_got) == 1  # what the person wrote, and no draft after it
    said = [message.text for message in stage.stage.messages(stage.to)]
    assert said[-1].startswith("It left on Monday.")
    assert "4111 1111" not in said[-1]
    assert "taken over" in stage.noted[-1]
    stage.remark("/approve")
    assert len(stage.customer_got) == 1


def test_answer_of_an_automation_is_no_persons(make: Make, desk: Any) -> None:
    stage = make(desk, automations=frozenset({"Rosa"}))
    stage.ask()
    stage.remark("We got your message.", private=False)
    assert [hold.kind for hold in stage.holds()] == [HoldKind.DRAFT]
    assert stage.stage.conversation(stage.to).mode is Mode.AGENT


def test_undo_takes_a_verdict_back_within_its_time(make: Make, desk: Any) -> None:
    stage = make(desk, undo_s=10.0)
    stage.ask()
    stage.remark("/approve")
    assert stage.customer_got == []
    assert "/undo until then" in stage.noted[-1]
    stage.remark("/undo")
    stage.pass_time(11)
    assert stage.customer_got == []
    assert any("waits again" in note for note in stage.noted[-2:])
    stage.remark("/edit Tomorrow.")
    stage.pass_time(11)
    assert stage.customer_got == ["Tomorrow."]
    stage.remark("/undo")
    assert "nothing was done" in stage.noted[-1]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("/approve but be nicer", "/approve stands alone"),
        ("/aprove", "there is no command /aprove"),
        ("/edit", "/edit needs the text"),
        ("/send-again", "takes another command"),
        ("/approve #abcdef", "no note of ours is called #abcdef"),
    ],
)
def test_command_that_is_not_clear_does_nothing(stage: NotedStage, text: str, told: str) -> None:
    stage.ask()
    stage.remark(text)
    assert told in stage.noted[-1]
    assert stage.customer_got == []
    assert [hold.kind for hold in stage.holds()] == [HoldKind.DRAFT]


def test_slash_words_in_conversations_where_nothing_of_ours_stands_are_not_answered(make: Make) -> None:
    desk = Chatwoot()
    with serving(desk):
        stage = make(desk)
        stage.ask()
        stage.remark("/giphy cat", conversation="77")
        assert len(stage.noted) == 1


def test_remark_waits_while_nobody_can_say_who_wrote_it(stage: NotedStage) -> None:
    stage.ask()
    stage.desk.asking_fails = True
    stage.remark("/approve")
    assert stage.customer_got == []
    stage.desk.asking_fails = False
    for _ in range(3):
        stage.pass_time(121)
    assert stage.customer_got == ["About: When?"]


def test_whoever_gives_the_second_review_does_not_learn_the_first_from_a_note(make: Make, desk: Any) -> None:
    stage = make(desk, reviewing=ReviewTerms(second_rate=1.0))
    stage.ask("One")
    stage.stage.give(stage.holds()[0], VerdictKind.APPROVE, reviewer="ann")
    stage.settle()
    stage.ask("Two")
    stage.remark("/reject no")
    (second,) = [hold for hold in stage.holds() if hold.kind is HoldKind.SECOND]
    assert "rosa decided." in "".join(stage.noted)
    assert "rejected" not in "".join(stage.noted)
    assert stage.kept_notes(second) == []
    assert stage.stage.read(lambda tx: tx.reviews.is_barred(second.id, "rosa"))


def test_help_desk_in_which_nobody_reviews_is_written_nothing(make: Make, desk: Any) -> None:
    stage = make(desk, where="console")
    stage.ask()
    assert stage.noted == []
    desk.events.clear()
    if isinstance(desk, Chatwoot):
        stage.remark("/approve")
        assert stage.customer_got == []
    stage.remark("I answer.", private=False)
    assert stage.stage.conversation(stage.to).mode is Mode.PERSON


def test_two_processes_that_look_at_one_remark_carry_it_out_once(stage: NotedStage) -> None:
    stage.ask()
    stage.desk.remark("/approve")  # type: ignore[attr-defined]
    stage.deliver()
    (remark,) = stage.remarks_left()

    async def both() -> None:
        await asyncio.gather(*(stage.remarks.look(remark.id) for _ in range(4)))

    stage.stage.run(both())
    stage.settle()
    assert stage.customer_got == ["About: When?"]
    assert stage.stage.ledger_events.count("verdict.given") == 1


def test_remark_whose_process_died_before_its_effect_is_carried_out_later(stage: NotedStage) -> None:
    stage.ask()
    stage.desk.remark("/approve")  # type: ignore[attr-defined]
    stage.deliver()
    (remark,) = stage.remarks_left()
    stage.stage.store.write_now(lambda tx: stage.remarks._lease(tx, remark.id))  # begun, and no more
    stage.settle()
    assert stage.customer_got == []
    stage.pass_time(61)
    assert stage.customer_got == ["About: When?"]


def test_unsure_send_is_settled_in_a_note(stage: NotedStage) -> None:
    stage.ask()
    send, stage.channel.send = stage.channel.send, _unknown
    look_up, stage.channel.look_up = stage.channel.look_up, _unknown
    stage.remark("/approve")
    stage.channel.send, stage.channel.look_up = send, look_up
    assert "nobody knows whether this message reached the customer" in stage.noted[-1]
    assert "> About: When?" in stage.noted[-1]
    stage.remark("/approve")
    assert "takes /arrived or /send-again" in stage.noted[-1]
    stage.remark("/send-again")
    assert stage.customer_got == ["About: When?"]


async def _unknown(_entry: Any) -> Any:
    return Unknown(reason="reset")
