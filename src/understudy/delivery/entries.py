"""What is to be known of an outbox entry before it is settled: which letter it answers, which turn it belongs to, why it must not leave."""

from __future__ import annotations

from datetime import datetime

from understudy.delivery.leases import OptedOut
from understudy.effects.holds import open_hold
from understudy.effects.identity import group_of
from understudy.effects.sending import conversation_at
from understudy.ports.clock import Clock
from understudy.ports.store import Transaction
from understudy.records.conversation import Author
from understudy.records.outbox import OutboxEntry, Rejected
from understudy.records.pulls import Envelope
from understudy.records.review import Hold, HoldKind
from understudy.records.turn import Turn

UNSURE_PRIORITY = 1


def answered_by(tx: Transaction, entry: OutboxEntry) -> Envelope | None:
    """The letter that an entry answers, the same at every try; None where the conversation has none."""
    of_turn = None if entry.turn_id is None else tx.envelopes.latest(entry.conversation_id, turn_id=entry.turn_id)
    return of_turn or tx.envelopes.latest(conversation_at(tx, entry), until=entry.created_at)


def turn_of(tx: Transaction, entry: OutboxEntry) -> Turn | None:
    """The turn that an entry answers; most are open, and those are at hand."""
    if entry.turn_id is None:
        return None
    at_hand = (turn for turn in tx.turns.open_of(entry.conversation_id) if turn.id == entry.turn_id)
    return next(at_hand, None) or tx.turns.get(entry.turn_id)


def latest_turn(tx: Transaction, entry: OutboxEntry) -> Turn:
    """The turn under which people find a message that belongs to none: what a person wrote of their own accord."""
    turn = tx.turns.latest_of(entry.conversation_id)
    assert turn is not None, f"conversation {entry.conversation_id} began without a turn"
    return turn


def kept_back(tx: Transaction, entry: OutboxEntry, window_s: float | None, now: datetime) -> Rejected | None:
    """Why a message must not leave: the customer wants none on this channel, or the channel takes no reply any more."""
    contact_id = tx.conversations.get(entry.conversation_id).contact_id
    for out in tx.opt_outs.of_contacts(group_of(tx, contact_id)):
        if out.channel == entry.channel and out.confirmation != entry.id:
            said = f"the customer wants no messages on {entry.channel} ({out.said!r}, {out.at:%Y-%m-%d %H:%M} UTC)"
            return OptedOut(reason=said)
    closed = None if window_s is None else closed_window(tx, entry, window_s, now)
    return None if closed is None else Rejected(reason=closed)


def closed_window(tx: Transaction, entry: OutboxEntry, window_s: float, now: datetime) -> str | None:
    """Why a channel that takes replies only `window_s` after the customer's last message takes this one no more."""
    said = tx.messages.of_conversation(conversation_at(tx, entry))
    last = max((one.at for one in said if one.author is Author.CUSTOMER), default=None)
    if last is not None and (now - last).total_seconds() <= window_s:
        return None
    return (
        f"the customer's last message is more than {window_s / 3600:g} h old, and {entry.channel} takes no reply then"
    )


def ask_about_send(tx: Transaction, clock: Clock, turn: Turn) -> Hold:
    """Ask people whether a message reached the customer, of which nobody knows."""
    return open_hold(
        tx,
        clock,
        turn,
        kind=HoldKind.UNSURE_SEND,
        reasons=("send_outcome_unknown",),
        priority=UNSURE_PRIORITY,
        expires_after_s=None,
    )
