"""What is to be known of an outbox entry before it is settled: how often it was tried, and which turn it belongs to."""

from __future__ import annotations

from datetime import datetime

from understudy.effects.sending import conversation_at
from understudy.ports.store import Transaction
from understudy.records.conversation import Author
from understudy.records.outbox import OutboxEntry
from understudy.records.pulls import Envelope
from understudy.records.turn import Turn

MAY_HAVE_ARRIVED = "repeat"
"""Outcome of a try of which nobody can tell whether it arrived, and after which another does no harm."""

GIVEN_UP = ("dead", "rejected", "unknown")
"""Outcomes after which an entry is not tried any more, until a person says so."""


def tries_of(tx: Transaction, entry: OutboxEntry) -> tuple[int, bool]:
    """How often an entry was tried since it was last given up (>= 1), and whether one of those before may have arrived.

    One that a person puts back begins anew. An attempt older than that has lost its lease, and cannot be recorded.
    """
    receipts = tx.outbox.receipts(entry.id)
    given_up = max((one.attempt for one in receipts if one.outcome in GIVEN_UP), default=0)
    unsure = any(one.attempt > given_up and one.outcome == MAY_HAVE_ARRIVED for one in receipts)
    return max(entry.attempts - given_up, 1), unsure


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


def closed_window(tx: Transaction, entry: OutboxEntry, window_s: float, now: datetime) -> str | None:
    """Why a channel that takes replies only `window_s` after the customer's last message takes this one no more."""
    said = tx.messages.of_conversation(conversation_at(tx, entry))
    last = max((one.at for one in said if one.author is Author.CUSTOMER), default=None)
    if last is not None and (now - last).total_seconds() <= window_s:
        return None
    return (
        f"the customer's last message is more than {window_s / 3600:g} h old, and {entry.channel} takes no reply then"
    )
