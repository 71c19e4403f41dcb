"""Move a conversation between the agent and people, as the table in `records/answering.py` says, and make sure somebody sees that it waits.

It never takes one from a person who has it, unless that is asked for by name.
"""

from __future__ import annotations

from dataclasses import replace

from understudy.effects.absence import NobodyHome, due_at_for, is_said, say_nobody_is_there
from understudy.effects.holds import close_hold, join_hold, open_hold
from understudy.effects.safe_replies import queue_safe_reply, was_last_said
from understudy.effects.unsent import lay_replies_aside
from understudy.errors import Conflict, TakenByOther
from understudy.ports.clock import Clock
from understudy.ports.store import Transaction
from understudy.records.answering import (
    AWAY,
    HAD_BY_OTHER,
    TABLE,
    Answering,
    Effect,
    Event,
    Goes,
    answering,
    is_others,
)
from understudy.records.conversation import Author, Conversation, Mode
from understudy.records.pledges import UNKEPT, PledgeKind
from understudy.records.review import Hold, HoldKind, HoldState
from understudy.records.rulebook import SafeReply
from understudy.records.trust import CapCause
from understudy.records.turn import Turn


def answering_of(tx: Transaction, conversation: Conversation) -> Answering:
    """Who answers a conversation now; reads its open holds, what is promised and whether its customer asked for people."""
    kinds = {hold.kind for hold in tx.holds.open_of_conversation(conversation.id)}
    cap = tx.caps.of_contact(conversation.contact_id)
    pledges = tx.pledges.of_conversation(conversation.id) if conversation.mode is Mode.PERSON else []
    return answering(
        conversation,
        is_handed_off=HoldKind.HAND_OFF in kinds,
        is_on_hold=HoldKind.DRAFT in kinds,
        wants_people=cap is not None and cap.cause is CapCause.WANTS_PEOPLE,
        is_promised=any(
            one.kind is PledgeKind.WRITE and one.state in UNKEPT and one.author is Author.SAFE_REPLY for one in pledges
        ),
    )


def asked_of(tx: Transaction, conversation: Conversation, event: Event) -> frozenset[Effect]:
    """What is to be done where a person asks for something. Raises `TakenByOther` where another person has the conversation and
    `Conflict` where the table refuses it for another reason."""
    outcome = TABLE[answering_of(tx, conversation), event]
    if isinstance(outcome, Goes):
        return outcome.does
    if outcome.why == HAD_BY_OTHER:
        raise TakenByOther(
            f"{conversation.taken_by} has this conversation; nothing was changed. Take it from them by name, and they are told",
            taken_by=conversation.taken_by,
        )
    raise Conflict(f"{outcome.why}; nothing was changed")


def check_taking(tx: Transaction, conversation_id: str, reviewer: str, take_from: str | None) -> None:
    """Who answers a hold takes its conversation: raises `TakenByOther` where another person has it who is not named."""
    conversation = tx.conversations.get(conversation_id)
    if is_others(conversation, reviewer) and conversation.taken_by != take_from:
        asked_of(tx, conversation, Event.RESPONDS_UNASKED)


def give_to_person(
    tx: Transaction,
    clock: Clock,
    turn: Turn,
    *,
    reasons: tuple[str, ...],
    priority: int,
    expires_after_s: float | None,
    event: Event = Event.LOST,
    nobody_home: NobodyHome | None = None,
    notice: SafeReply | None = None,
) -> Hold | None:
    """Set the conversation to mode person, tell the customer what there is to tell, and open a hand-off hold.

    `event`: what brings it to people. `nobody_home`: what is said where nobody is there; `notice`: what is said where somebody
    is. Neither is said to whoever a person talks to already, nor twice in a row. Returns None where a hold is open already: a
    second would be the same hand-off twice. The open one gets a new version, so that an answer written before this turn was
    known is refused and cannot leave it without anybody.
    """
    conversation = tx.conversations.get(turn.conversation_id)
    waiting = [hold for hold in tx.holds.open_of_conversation(turn.conversation_id) if hold.kind is HoldKind.HAND_OFF]
    due_at = due_at_for(tx, clock.now(), turn, nobody_home) if nobody_home is not None and event in AWAY else None
    is_promised = due_at is not None and is_said(tx, conversation, due_at)
    had_draft = event in (Event.REJECTED, Event.EXPIRED)  # its hold was closed in this step
    before = answering(conversation, is_handed_off=bool(waiting), is_on_hold=had_draft, is_promised=is_promised)
    outcome = TABLE[before, event if due_at is None else AWAY[event]]
    does = outcome.does if isinstance(outcome, Goes) else frozenset()
    if Effect.SAY_WHEN in does:
        say_nobody_is_there(tx, clock, conversation, turn, nobody_home)
    elif Effect.SAY_NOTICE in does and notice is not None and not was_last_said(tx, conversation, notice):
        queue_safe_reply(tx, clock, conversation, notice, turn_id=turn.id)
    if conversation.mode is not Mode.PERSON:
        set_mode(tx, clock, turn.conversation_id, Mode.PERSON, taken_by=None)
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


def end_hand_off(
    tx: Transaction, clock: Clock, conversation_id: str, *, actor: str, answered_by: Turn | None = None
) -> None:
    """Nobody waits for a person any more: its hand-off hold is closed, once. `answered_by`: the turn in which the agent is asked."""
    state = HoldState.DECIDED if answered_by is None else HoldState.SUPERSEDED
    instead = None if answered_by is None else answered_by.id
    for hold in tx.holds.open_of_conversation(conversation_id):
        if hold.kind is HoldKind.HAND_OFF:
            close_hold(tx, clock, hold, state, actor=actor, superseded_by=instead)


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
    first = conversation.taken_by
    tx.ledger.append(
        "conversation.mode",
        at=clock.now(),
        conversation_id=conversation_id,
        actor=actor,
        mode=mode.value,
        taken_by=taken_by,
        taken_from=None if first in (None, taken_by, actor) else first,
    )
