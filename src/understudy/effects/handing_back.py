"""What a conversation is handed back with: what a person says they did, for the agent alone, and what nobody has answered yet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from understudy.effects.holds import close_hold
from understudy.effects.unsent import drop_entry
from understudy.ports.clock import Clock
from understudy.ports.store import Transaction
from understudy.records.codec import digest, dump, load
from understudy.records.conversation import Author, Message
from understudy.records.evidence import ChatMessage
from understudy.records.outbox import OutboxState
from understudy.records.review import HoldKind, HoldState
from understudy.records.turn import SUPERSEDABLE, TURN_JOB, Job, Turn, TurnState

MESSAGES_MAX: Final = 200
ASKED_AGAIN: Final = "the agent is asked again"
KIND: Final = "handed_back"
"""The artifact of a turn that keeps what was said when the conversation was last handed back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HandedBack:
    """What a person did, in their words."""

    by: str
    at: datetime
    note: str


def keep_note(tx: Transaction, clock: Clock, conversation_id: str, note: str, *, by: str) -> None:
    """Keep it with the latest turn, in place of what was kept before: it goes where that goes, as by an erasure."""
    turn = tx.turns.latest_of(conversation_id)
    if turn is None:
        return
    now = clock.now()
    tx.artifacts.put(turn.id, KIND, dump(HandedBack(by=by, at=now, note=note)))
    tx.ledger.append(
        "conversation.handed_back",
        at=now,
        turn_id=turn.id,
        conversation_id=conversation_id,
        actor=by,
        note=digest(note),
    )


def ask_again(tx: Transaction, clock: Clock, conversation_id: str, *, by: str) -> Turn | None:
    """Begin a turn for what came to people and nobody answered, whether or not somebody took it; None where all was answered.

    It takes the messages over from the turns that waited, as a newer message of the customer does from a draft on hold.
    """
    waited = _waiting(tx, conversation_id)
    if not any(turn.state is TurnState.HANDED_OFF for turn in waited):
        return None
    now, last = clock.now(), waited[-1]
    turn = tx.turns.add(
        Turn(
            id=clock.new_id("turn"),
            conversation_id=conversation_id,
            channel=last.channel,
            state=TurnState.COLLECTING,
            due_at=now,
            topic=last.topic,
            created_at=now,
        )
    )
    for older in waited:
        tx.turns.advance(older, TurnState.SUPERSEDED, superseded_by=turn.id, due_at=None, finished_at=now)
        tx.messages.move(conversation_id, from_turn=older.id, to_turn=turn.id)
        if (kept := tx.artifacts.get(older.id, KIND)) is not None:
            tx.artifacts.put(turn.id, KIND, kept)
        tx.ledger.append(
            "turn.superseded",
            at=now,
            turn_id=older.id,
            conversation_id=conversation_id,
            superseded_by=turn.id,
            was=older.state.value,
        )
        for entry in tx.outbox.of_turn(older.id):
            if entry.state in (OutboxState.PENDING, OutboxState.DEAD):
                drop_entry(tx, clock, entry, why=ASKED_AGAIN, actor=by)  # what did not arrive is answered anew, once
        for hold in tx.holds.open_of_turn(older.id):
            if hold.kind in (HoldKind.DRAFT, HoldKind.HAND_OFF):
                close_hold(tx, clock, hold, HoldState.SUPERSEDED, actor=by, superseded_by=turn.id)
    tx.announce(Job(kind=TURN_JOB, key=conversation_id), at=now)
    return turn


def _waiting(tx: Transaction, conversation_id: str) -> list[Turn]:
    """The turns that nobody has answered, oldest first: those of the open hand-off (which may be one whose reply was lost), those that came
    since somebody last wrote, and what is not decided yet, which nobody would ask the agent about."""
    said = tx.messages.of_conversation(conversation_id, limit=MESSAGES_MAX)
    asked = {one.turn_id for one in said if one.author is Author.CUSTOMER and one.text and one.turn_id is not None}
    turns = sorted((tx.turns.get(turn_id) for turn_id in asked), key=lambda turn: turn.position)
    handed_off = [hold for hold in tx.holds.open_of_conversation(conversation_id) if hold.kind is HoldKind.HAND_OFF]
    since = [tx.turns.get(hold.turn_id).position for hold in handed_off]
    if (answered := _answered(tx, conversation_id, said, turns)) is not None:
        since.append(answered + 1)
    waits = (TurnState.HANDED_OFF, *SUPERSEDABLE)
    return [turn for turn in turns if turn.state in waits and any(turn.position >= first for first in since)]


def _answered(tx: Transaction, conversation_id: str, said: Sequence[Message], turns: Sequence[Turn]) -> int | None:
    """The position of the last turn that was answered, 0 where none was; None where a person's words that answer all of them wait to be sent.

    What a person writes answers whatever stands before it. A standard reply answers nothing.
    """
    if any(entry.author is Author.REVIEWER for entry in tx.outbox.open_of(conversation_id)):
        return None
    position = {turn.id: turn.position for turn in turns}
    answered, seen = 0, 0
    for message in said:
        own = position.get(message.turn_id or "", 0)
        if message.author is Author.CUSTOMER:
            seen = max(seen, own)
        elif message.author is not Author.SAFE_REPLY:
            answered = max(answered, own if message.turn_id is not None else seen)
    return answered


def carry_note(tx: Transaction, turn: Turn, said: Sequence[Message]) -> None:
    """Keep it with the next turn too, so that the agent goes on knowing it."""
    kept = _kept(tx, turn, said)
    if kept is not None and tx.artifacts.get(turn.id, KIND) is None:
        tx.artifacts.put(turn.id, KIND, kept)


def note_for(tx: Transaction, turn: Turn, said: Sequence[Message]) -> tuple[ChatMessage, ...]:
    """What the agent is told of it before the messages that it is to answer."""
    kept = _kept(tx, turn, said)
    if kept is None:
        return ()
    note = load(HandedBack, kept)
    words = f"A person had this conversation and handed it back on {note.at:%Y-%m-%d}. What they did: {note.note}"
    return (ChatMessage(role="system", content=words, person=True),)


def _kept(tx: Transaction, turn: Turn, said: Sequence[Message]) -> str | None:
    """The artifact of this turn or of the one before. Most conversations never had a person, which their messages and the lack of a cap show
    without another query: whoever takes one over caps it."""
    before = [message for message in said if message.turn_id != turn.id]
    had_person = any(message.author in (Author.REVIEWER, Author.SAFE_REPLY) for message in before)
    if not had_person and tx.caps.of_contact(tx.conversations.get(turn.conversation_id).contact_id) is None:
        return None
    own = tx.artifacts.get(turn.id, KIND)
    past = next((message.turn_id for message in reversed(before) if message.turn_id is not None), None)
    return tx.artifacts.get(past, KIND) if own is None and past is not None else own
