"""Give a conversation to a person and make sure somebody sees that it waits; it never takes one back from a person."""

from __future__ import annotations

from dataclasses import replace

from understudy.effects.holds import join_hold, open_hold
from understudy.effects.unsent import lay_replies_aside
from understudy.errors import Conflict
from understudy.ports.clock import Clock
from understudy.ports.store import Transaction
from understudy.records.conversation import Mode
from understudy.records.review import Hold, HoldKind
from understudy.records.turn import Turn


def give_to_person(
    tx: Transaction,
    clock: Clock,
    turn: Turn,
    *,
    reasons: tuple[str, ...],
    priority: int,
    expires_after_s: float | None,
) -> Hold | None:
    """Set the conversation to mode person and open a hand-off hold.

    Returns None where one is open already: a second would be the same hand-off twice. The open one gets a new version,
    so that an answer written before this turn was known is refused and cannot leave it without anybody.
    """
    conversation = tx.conversations.get(turn.conversation_id)
    if conversation.mode is not Mode.PERSON:
        set_mode(tx, clock, turn.conversation_id, Mode.PERSON, taken_by=None)
    waiting = [hold for hold in tx.holds.open_of_conversation(turn.conversation_id) if hold.kind is HoldKind.HAND_OFF]
    if waiting:
        join_hold(tx, clock, waiting[0], turn)
        return None
    return open_hold(
        tx,
        clock,
        turn,
        kind=HoldKind.HAND_OFF,
        reasons=reasons,
        priority=priority,
        expires_after_s=expires_after_s,
    )


def set_mode(
    tx: Transaction, clock: Clock, conversation_id: str, mode: Mode, *, taken_by: str | None, actor: str = "system"
) -> None:
    """Say who answers in a conversation from now on; what the agent has not said yet does not follow who takes it.

    Raises `Conflict` in a rehearsal, where nobody does.
    """
    conversation = tx.conversations.get(conversation_id)
    if conversation.mode is Mode.REHEARSAL:
        raise Conflict("nobody is behind this conversation: it was made for reviewers, so nothing in it is sent")
    tx.conversations.change(replace(conversation, mode=mode, taken_by=taken_by))
    if taken_by is not None:
        lay_replies_aside(tx, clock, conversation_id, actor=actor)
    tx.ledger.append(
        "conversation.mode",
        at=clock.now(),
        conversation_id=conversation_id,
        actor=actor,
        mode=mode.value,
        taken_by=taken_by,
    )
