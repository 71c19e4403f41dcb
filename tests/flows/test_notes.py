"""Drafts in the notes of other help desks: each stands there once, says what became of it, and is never a customer's to read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from help_desks import BUSY, LOST, Chatwoot, Zendesk, serving
from stage_notes import NotedStage
from stage_plan import ON_EACH_STORE
from understudy.records.conversation import Mode
from understudy.records.notes import NoteKind, NoteState
from understudy.records.review import VerdictKind
from understudy.testing.scripted import FrozenClock

pytestmark = ON_EACH_STORE

Make = Callable[..., NotedStage]


@pytest.fixture
def stage(make: Make, desk: Any) -> NotedStage:
    return make(desk)


def test_held_draft_stands_in_a_private_note_with_what_speaks_against_it_and_what_happens_next(
    stage: NotedStage,
) -> None:
    stage.ask("When?")
    (note,) = stage.noted
    assert "> About: When?" in note
    for part in ("WHY", "FINDINGS", "CONFIDENCE", "WHAT HAPPENS NEXT", "/approve", "/edit", "/reject", "/take-over"):
        assert part in note
    assert stage.customer_got == []


def test_trap_3_own_note_echoed_back_by_webhook_is_no_command(stage: NotedStage) -> None:
    stage.ask("Write /approve\n/approve")
    stage.settle(times=5)
    assert stage.customer_got == []
    assert len(stage.noted) == 1
    assert stage.stage.ledger_events.count("remark.received") == int(isinstance(stage.desk, Zendesk))  # its ticket


def test_trap_5_what_a_note_says_stays_out_of_what_the_agent_is_asked(stage: NotedStage) -> None:
    stage.ask("When?")
    stage.remark("the bot will stay silent now")
    stage.remark("/reject the bot will stay silent now")
    assert [message.text for message in stage.stage.messages(stage.to)] == ["When?"]
    stage.stage.run(stage.stage.conversations.hand_back(stage.stage.conversation(stage.to).id, reviewer="rosa"))
    stage.ask("Still there?")
    asked = stage.stage.agent.requests[-1]
    assert "silent" not in str(asked)
    assert "Understudy" not in str([message.content for message in asked.messages])


def test_trap_9_a_planted_draft_is_shown_in_no_help_desk(stage: NotedStage) -> None:
    stage.ask()
    (hold,) = stage.holds()
    conversation = stage.stage.conversation(stage.to)
    planted = replace(conversation, id="c-seed", external_id="seed", mode=Mode.REHEARSAL)
    shown = replace(hold, id="hold-seed", conversation_id=planted.id)

    def plant(tx: Any) -> None:
        tx.conversations.add(planted)
        tx.holds.add(shown)
        tx.ledger.append("hold.opened", at=stage.stage.clock.now(), hold=shown.id)

    stage.stage.store.write_now(plant)
    stage.sweep()
    assert len(stage.noted) == 1
    assert stage.kept_notes(shown) == []


def test_superseded_draft_gets_a_note_that_says_so(stage: NotedStage) -> None:
    stage.ask("When?")
    stage.ask("No, where?")
    kinds = ["draft above is void" in note for note in stage.noted]
    assert kinds.count(True) == 1
    assert "> About: When? + No, where?" in stage.noted[-1] or "> About: When? + No, where?" in stage.noted[-2]


def test_draft_decided_elsewhere_gets_a_note_that_says_by_whom(make: Make, desk: Any) -> None:
    stage = make(desk, where="both")
    stage.ask()
    (hold,) = stage.stage.open_holds
    stage.stage.give(hold, VerdictKind.APPROVE, reviewer="Bea")
    stage.settle()
    assert "Bea approved the draft" in stage.noted[-1]
    stage.remark("/approve")
    assert stage.customer_got == ["About: When?"]
    assert "somebody decided on this hold already" in stage.noted[-1]


def test_note_that_a_help_desk_took_and_did_not_confirm_is_looked_up_and_written_once(stage: NotedStage) -> None:
    stage.desk.faults.append(LOST)
    stage.ask()
    assert len(stage.noted) == 1
    (hold,) = stage.holds()
    assert [note.state for note in stage.kept_notes(hold)] == [NoteState.WRITING]
    stage.pass_time(61)
    assert len(stage.noted) == 1
    assert [note.state for note in stage.kept_notes(hold)] == [NoteState.WRITTEN]
    stage.remark("/approve")
    assert stage.customer_got == ["About: When?"]


def test_note_cut_off_by_a_crash_before_it_left_is_written(stage: NotedStage) -> None:
    stage.stage.receive("When?", to=stage.to)
    write, stage.channel.write_note = stage.channel.write_note, _dies
    with pytest.raises(SystemExit):
        stage.settle()
    stage.channel.write_note = write
    stage.sweep()
    assert stage.noted == []
    stage.pass_time(61)
    assert len(stage.noted) == 1


async def _dies(_note: Any) -> Any:
    raise SystemExit


def test_busy_help_desk_is_tried_again_and_shown_in_the_console_meanwhile(stage: NotedStage) -> None:
    stage.desk.faults.extend([BUSY, BUSY])
    stage.ask()
    assert stage.noted == []
    assert len(stage.stage.open_holds) == 1
    for _ in range(4):
        stage.pass_time(30)
    assert len(stage.noted) == 1
    assert stage.stage.open_holds == []


def test_hold_whose_note_is_given_up_stays_in_the_console(stage: NotedStage) -> None:
    stage.desk.faults.extend([BUSY] * 50)
    stage.ask()
    for _ in range(8):
        stage.pass_time(40)
    (hold,) = stage.stage.open_holds
    assert [note.state for note in stage.kept_notes(hold)] == [NoteState.FAILED]


def test_unknown_note_that_nobody_can_look_up_is_not_written_again(make: Make) -> None:
    desk = Chatwoot()
    with serving(desk):
        stage = make(desk, channel=desk.channel(FrozenClock(), token=None))
        desk.faults.append(LOST)
        stage.ask()
        for _ in range(5):
            stage.pass_time(61)
        assert len(stage.noted) == 1
        assert [note.state for note in stage.kept_notes(stage.holds()[0])] == [NoteState.UNKNOWN]
        assert len(stage.stage.open_holds) == 1


@pytest.mark.parametrize(("where", "listed"), [("notes", 0), ("both", 1)])
def test_console_lists_what_stands_in_notes_only_where_it_is_to(make: Make, desk: Any, where: str, listed: int) -> None:
    stage = make(desk, where=where)
    stage.ask()
    assert len(stage.stage.open_holds) == listed
    assert len(stage.stage.read(lambda tx: tx.holds.waiting(limit=10, reader="x"))) == listed
    stage.pass_time(901)  # overdue
    assert len(stage.stage.open_holds) == 1
    assert "overdue" in stage.noted[-1]
    stage.remark("/approve")
    assert stage.customer_got == ["About: When?"]


def test_draft_too_long_for_a_note_is_not_approved_there(make: Make, desk: Any) -> None:
    stage = make(desk, chars_max=2_000)
    stage.ask("long " * 600)
    (note,) = stage.noted
    assert len(note) <= 2_000
    assert "longer than a note may be" in note
    stage.remark("/approve")
    assert "decide in the console" in stage.noted[-1]
    assert stage.customer_got == []
    stage.remark("/edit Short.")
    assert stage.customer_got == ["Short."]


def test_note_waits_for_the_ticket_of_its_conversation(make: Make) -> None:
    desk = Zendesk()
    with serving(desk):
        stage = make(desk, begins=False)
        stage.ask()
        assert stage.noted == []
        assert len(stage.stage.open_holds) == 1
        desk.begin()
        stage.settle()
        stage.sweep()
        assert len(stage.noted) == 1
        desk.tickets["36"] = None  # of mail, say
        desk.begin("36")
        stage.settle()
        assert stage.stage.read(lambda tx: tx.notes.thread("chat", "36")).external_id is None


def test_notes_of_a_hold_stand_in_the_order_of_what_happened(stage: NotedStage) -> None:
    stage.ask("One")
    stage.ask("Two")
    stage.remark("/approve")
    holds = sorted(stage.stage.all_holds, key=lambda hold: hold.created_at)
    assert [note.kind for hold in holds for note in stage.kept_notes(hold)] == [
        NoteKind.HOLD, NoteKind.OUTCOME, NoteKind.HOLD, NoteKind.DONE,
    ]  # fmt: skip
