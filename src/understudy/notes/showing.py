"""Which notes a hold needs, in one step: it is shown once at each version, and its outcome is told where colleagues saw it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final, Literal

from understudy.notes.wording import Shown, Worded, hold_note, outcome_note
from understudy.ports.clock import Clock
from understudy.ports.store import Transaction
from understudy.records.assessment import Assessment
from understudy.records.codec import readable
from understudy.records.conversation import Conversation, Mode
from understudy.records.evidence import Draft
from understudy.records.notes import Note, NoteKind, NoteState
from understudy.records.outbox import OutboxState
from understudy.records.review import Hold, HoldKind, HoldState
from understudy.records.turn import Job

NOTES_JOB: Final = "conversation_notes"
"""Write the notes of a conversation, whatever they belong to."""
NOTED = frozenset({HoldKind.DRAFT, HoldKind.HAND_OFF, HoldKind.UNSURE_SEND})
"""Kinds of hold that notes show: a customer waits for each."""
TOLD = frozenset({NoteKind.OUTCOME, NoteKind.DONE})
REJECTED = "draft_rejected"
OVERTAKEN = "overtaken before it was written"


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """How a channel's help desk takes part. `where`: *notes* shows a hold there alone, *both* here too."""

    where: Literal["notes", "both"]
    chars_max: int
    needs_threads: bool
    undo_s: float = 0.0
    on_expiry: str = "it is put before all others"


def reconcile(tx: Transaction, clock: Clock, hold: Hold, desk: Desk) -> str | None:
    """Add the note that a hold lacks, if it lacks one; returns the conversation whose notes are to be written.

    None where nothing can be said there: nobody is behind the conversation, or the help desk has no thread for it yet.
    """
    conversation = tx.conversations.get(hold.conversation_id)
    if hold.kind not in NOTED or conversation.mode is Mode.REHEARSAL:
        return None
    thread = thread_name(tx, conversation, desk)
    if thread is None:
        return None
    notes = tx.notes.of_hold(hold.id)
    shown = next((note for note in reversed(notes) if note.kind is NoteKind.HOLD), None)
    if hold.state is HoldState.OPEN and hold.undo_until is None:
        if shown is None or shown.version < hold.version:
            is_again = shown is not None and not _overtake(tx, clock, shown)
            _show(tx, clock, hold, desk, thread, is_again=is_again)
    elif hold.state is not HoldState.OPEN and shown is not None and not _is_told(notes, shown):
        _overtake(tx, clock, shown)
        _tell(tx, clock, hold, desk, thread, conversation)
    return conversation.id


def thread_name(tx: Transaction, conversation: Conversation, desk: Desk) -> str | None:
    """The help desk's name of a conversation, where it is known."""
    if not desk.needs_threads:
        return conversation.external_id
    thread = tx.notes.thread_of(conversation.channel, conversation.external_id)
    return None if thread is None else thread.name


def queue_note(
    tx: Transaction,
    clock: Clock,
    *,
    note_id: str,
    kind: NoteKind,
    text: Worded,
    channel: str,
    conversation_id: str,
    thread: str,
    hold: Hold | None,
    is_only: bool = False,
) -> Note:
    """Add a note that is to be written after those before it in the same conversation."""
    now = clock.now()
    note = Note(
        id=note_id,
        kind=kind,
        state=NoteState.PENDING,
        channel=channel,
        conversation_id=conversation_id,
        thread=thread,
        hold_id=None if hold is None else hold.id,
        version=0 if hold is None else hold.version,
        text=text.text,
        is_only=is_only,
        is_whole=text.is_whole,
        attempts=0,
        due_at=now,
        provider_id=None,
        last_error=None,
        created_at=now,
    )
    tx.notes.add(note)
    note_told(tx, clock, "note.queued", note)
    tx.announce(Job(kind=NOTES_JOB, key=conversation_id))
    return note


def note_told(tx: Transaction, clock: Clock, event: str, note: Note) -> None:
    """Write down what became of a note."""
    tx.ledger.append(
        event,
        at=clock.now(),
        conversation_id=note.conversation_id,
        note=note.id,
        kind=note.kind.value,
        hold=note.hold_id,
        attempt=note.attempts,
    )


def is_kept_blind(tx: Transaction, turn_id: str) -> bool:
    """Whether somebody gives a second review of a turn, who must not learn what the first said."""
    return any(hold.kind is HoldKind.SECOND for hold in tx.holds.open_of_turn(turn_id))


def _is_told(notes: list[Note], shown: Note) -> bool:
    return any(note.kind in TOLD and note.version >= shown.version for note in notes)


def _overtake(tx: Transaction, clock: Clock, shown: Note) -> bool:
    """Leave a note unwritten that nobody began to write and that is not true any more; whether it was one."""
    if shown.state is not NoteState.PENDING or shown.attempts:
        return False
    gone = replace(shown, state=NoteState.FAILED, due_at=None, last_error=OVERTAKEN)
    tx.notes.change(gone, attempts=shown.attempts)
    note_told(tx, clock, "note.overtaken", gone)
    return True


def _show(tx: Transaction, clock: Clock, hold: Hold, desk: Desk, thread: str, *, is_again: bool) -> None:
    note_id = clock.new_id("note")
    turn = tx.turns.get(hold.turn_id)
    unsure = tx.outbox.head(hold.conversation_id) if hold.kind is HoldKind.UNSURE_SEND else None
    if is_kept_blind(tx, turn.id):  # that the customer still waits for a person may be said, and why may not
        hold = replace(hold, reasons=tuple(reason for reason in hold.reasons if reason != REJECTED))
    shown = Shown(
        hold=hold,
        draft=readable(Draft, tx.artifacts.get(turn.id, "draft")),
        assessment=readable(Assessment, tx.artifacts.get(turn.id, "assessment")),
        confidence=turn.confidence,
        undelivered=unsure.text if unsure is not None and unsure.state is OutboxState.UNKNOWN else None,
        on_expiry=desk.on_expiry,
        undo_s=desk.undo_s,
    )
    queue_note(
        tx,
        clock,
        note_id=note_id,
        kind=NoteKind.HOLD,
        text=hold_note(note_id, shown, is_again=is_again, chars_max=desk.chars_max),
        channel=hold.channel,
        conversation_id=hold.conversation_id,
        thread=thread,
        hold=hold,
        is_only=desk.where == "notes",
    )


def _tell(tx: Transaction, clock: Clock, hold: Hold, desk: Desk, thread: str, conversation: Conversation) -> None:
    given = [verdict for verdict in tx.verdicts.of_turn(hold.turn_id) if verdict.hold_id == hold.id]
    blind = is_kept_blind(tx, hold.turn_id)
    note_id = clock.new_id("note")
    text = outcome_note(note_id, hold, given[-1] if given else None, conversation, is_kept_blind=blind)
    queue_note(
        tx,
        clock,
        note_id=note_id,
        kind=NoteKind.OUTCOME,
        text=Worded(text=text[: desk.chars_max]),
        channel=hold.channel,
        conversation_id=hold.conversation_id,
        thread=thread,
        hold=hold,
    )
