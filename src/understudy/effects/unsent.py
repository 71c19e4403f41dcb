"""Entries that were not sent: how often each was tried, and that one shall not be; sending stands in `delivery/`."""

from __future__ import annotations

from dataclasses import replace

from understudy.ports.clock import Clock
from understudy.ports.store import Transaction
from understudy.records.codec import digest
from understudy.records.conversation import Author
from understudy.records.outbox import OutboxEntry, OutboxState
from understudy.records.turn import OUTBOX_JOB, TURN_JOB, Job, TurnState

MAY_HAVE_ARRIVED = "repeat"
"""Outcome of a try of which nobody can tell whether it arrived, and after which another does no harm."""

GIVEN_UP = ("dead", "rejected", "unknown")
"""Outcomes after which an entry is not tried any more, until a person says so."""

TAKEN_OVER = "a person answers"


def tries_of(tx: Transaction, entry: OutboxEntry) -> tuple[int, bool]:
    """How often an entry was tried since it was last given up (>= 1), and whether one of those before may have arrived.

    One that a person puts back begins anew. An attempt older than that has lost its lease, and cannot be recorded.
    """
    receipts = tx.outbox.receipts(entry.id)
    given_up = max((one.attempt for one in receipts if one.outcome in GIVEN_UP), default=0)
    unsure = any(one.attempt > given_up and one.outcome == MAY_HAVE_ARRIVED for one in receipts)
    return max(entry.attempts - given_up, 1), unsure


def drop_entry(tx: Transaction, clock: Clock, entry: OutboxEntry, *, why: str, actor: str) -> OutboxEntry:
    """Decide that an entry which is not under way is not sent."""
    dropped = replace(entry, state=OutboxState.DROPPED, due_at=None, last_error=f"dropped by {actor}: {why}")
    tx.outbox.change(dropped, attempts=entry.attempts)
    tx.ledger.append(
        "outbox.dropped",
        at=clock.now(),
        turn_id=entry.turn_id,
        conversation_id=entry.conversation_id,
        actor=actor,
        outbox=entry.id,
        attempt=entry.attempts,
        was=entry.state.value,
        reason=digest(why),
    )
    tx.announce(Job(kind=OUTBOX_JOB, key=entry.conversation_id))
    return dropped


def hand_over_turn(tx: Transaction, clock: Clock, entry: OutboxEntry) -> None:
    """The turn that an entry was to answer waits for a person, since the customer will not get it."""
    turn = None if entry.turn_id is None else tx.turns.get(entry.turn_id)
    if turn is not None and turn.state is TurnState.DELIVERING:
        tx.turns.advance(turn, TurnState.HANDED_OFF, finished_at=clock.now())
        tx.announce(Job(kind=TURN_JOB, key=entry.conversation_id))


def lay_replies_aside(tx: Transaction, clock: Clock, conversation_id: str, *, actor: str) -> None:
    """No words of the agent follow a person who took the conversation over: what certainly was not sent is dropped, and what is
    under way or may have arrived stays as it is."""
    for entry in tx.outbox.open_of(conversation_id):
        if entry.author is Author.AGENT and entry.state is OutboxState.PENDING and not tries_of(tx, entry)[1]:
            drop_entry(tx, clock, entry, why=TAKEN_OVER, actor=actor)
            hand_over_turn(tx, clock, entry)
