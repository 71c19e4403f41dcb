"""Queue a message for a customer, and settle one that was sent; when and how it is sent stands in `delivery/`."""

from __future__ import annotations

from dataclasses import replace

from understudy.effects.pledging import make_pledges
from understudy.errors import Conflict
from understudy.ports.clock import Clock
from understudy.ports.store import Transaction
from understudy.records.codec import digest
from understudy.records.conversation import Author, Conversation, Message, Mode
from understudy.records.outbox import OutboxEntry, OutboxState
from understudy.records.pledges import PledgeTerms
from understudy.records.turn import OUTBOX_JOB, TURN_JOB, Job, Turn, TurnState


def queue_message(
    tx: Transaction,
    clock: Clock,
    conversation: Conversation,
    *,
    turn_id: str | None,
    text: str,
    author: Author,
    author_name: str | None = None,
    ai_generated: bool,
    actor: str = "system",
) -> OutboxEntry:
    """Add an outbox entry; it leaves after the entries before it in the same conversation.

    Raises `Conflict` in a rehearsal: whatever way led here, nothing is sent that was made for reviewers alone.
    """
    if conversation.mode is Mode.REHEARSAL:
        raise Conflict("nobody is behind this conversation: it was made for reviewers, so nothing in it is sent")
    now = clock.now()
    entry = tx.outbox.add(
        OutboxEntry(
            id=clock.new_id("out"),
            seq=0,
            turn_id=turn_id,
            conversation_id=conversation.id,
            channel=conversation.channel,
            address=conversation.address,
            external_id=conversation.external_id,
            text=text,
            author=author,
            author_name=author_name,
            ai_generated=ai_generated,
            state=OutboxState.PENDING,
            attempts=0,
            due_at=now,
            last_error=None,
            created_at=now,
        )
    )
    tx.ledger.append(
        "outbox.queued",
        at=now,
        turn_id=turn_id,
        conversation_id=conversation.id,
        actor=actor,
        outbox=entry.id,
        author=author.value,
        text=digest(text),
    )
    tx.announce(Job(kind=OUTBOX_JOB, key=conversation.id))
    return entry


def readdress(
    tx: Transaction, clock: Clock, entry: OutboxEntry, where: Conversation, *, why: str, actor: str = "system"
) -> OutboxEntry:
    """Have an entry that was not sent go to another conversation, or back to its own; that it may is looked at when it is sent."""
    moved = replace(entry, channel=where.channel, address=where.address, external_id=where.external_id)
    tx.outbox.readdress(moved)
    tx.ledger.append(
        "outbox.readdressed",
        at=clock.now(),
        turn_id=entry.turn_id,
        conversation_id=entry.conversation_id,
        actor=actor,
        outbox=entry.id,
        to=where.id,
        channel=where.channel,
        why=why,
    )
    return moved


def conversation_at(tx: Transaction, entry: OutboxEntry) -> str:
    """The conversation at the address that an entry goes to; mostly the one that it answers."""
    own = tx.conversations.get(entry.conversation_id)
    if (own.channel, own.external_id) == (entry.channel, entry.external_id):
        return own.id
    other = tx.conversations.find(entry.channel, entry.external_id)
    return own.id if other is None else other.id


def settle_sent(tx: Transaction, clock: Clock, entry: OutboxEntry, turn: Turn | None, pledges: PledgeTerms) -> None:
    """Make a sent entry part of the conversation that it went to, what it pledges a task, and the turn answered once nothing of
    it is left to send."""
    now = clock.now()
    message = Message(
        seq=0,
        id=clock.new_id("msg"),
        conversation_id=conversation_at(tx, entry),
        turn_id=entry.turn_id,
        author=entry.author,
        author_name=entry.author_name,
        text=entry.text,
        at=now,
        provider_id=None,
    )
    tx.messages.add(message, channel=entry.channel)
    make_pledges(tx, clock, message, pledges)
    if turn is not None and turn.state is TurnState.DELIVERING:
        open_entries = tx.outbox.open_of(entry.conversation_id)
        if not any(other.turn_id == turn.id and other.id != entry.id for other in open_entries):
            tx.turns.advance(turn, TurnState.ANSWERED, finished_at=now)
            tx.ledger.append("turn.answered", at=now, turn_id=turn.id, conversation_id=turn.conversation_id)
    if tx.turns.open_of(entry.conversation_id):
        tx.announce(Job(kind=TURN_JOB, key=entry.conversation_id))
