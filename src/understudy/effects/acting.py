"""What may be done to the actions of a turn: write them down, let them through, drop them, and send what waits for them.

How one is carried out stands in `delivery/acting.py`. There is no other way to an action than a decision or a verdict
in the same transaction: what rehearses, replays or evaluates writes none down.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final

from understudy.effects.identity import group_of
from understudy.effects.sending import queue_message
from understudy.errors import StepSuperseded
from understudy.ports.clock import Clock
from understudy.ports.store import Transaction
from understudy.records.acting import (
    OPEN_ACTION,
    ActionEntry,
    ActionState,
    ActionStep,
    WaitingReply,
    action_id,
)
from understudy.records.action_rules import ActionRule, ActionUse, Objection, amount_of, objections, rule_for
from understudy.records.codec import canonical, digest, dump, load
from understudy.records.conversation import Author
from understudy.records.evidence import Action
from understudy.records.turn import ACTION_JOB, Job, Turn, TurnState

DAY: Final = timedelta(hours=24)
REPLY: Final = "waiting_reply"
"""The kind of document that a reply is which waits for the actions of its turn."""


def propose(
    tx: Transaction, clock: Clock, turn: Turn, actions: Sequence[Action], rules: Sequence[ActionRule]
) -> list[ActionEntry]:
    """Write down the actions of a draft that was decided on; none where the business declares none.

    Raises `StepSuperseded` where they are written down already: another worker decided on the turn meanwhile.
    """
    if not rules:
        return []
    if actions and tx.actions.of_turn(turn.id):
        raise StepSuperseded(f"turn {turn.id} was decided on while this worker was at it")
    now = clock.now()
    contact_id = tx.conversations.get(turn.conversation_id).contact_id
    entries = []
    for place, action in enumerate(actions):
        rule = rule_for(rules, action.name)
        entry = ActionEntry(
            id=action_id(turn.id, place),
            seq=0,
            turn_id=turn.id,
            conversation_id=turn.conversation_id,
            contact_id=contact_id,
            place=place,
            name=action.name,
            arguments=canonical(action.arguments),
            amount=None if rule is None else amount_of(rule, action.arguments),
            state=ActionState.PROPOSED,
            step=ActionStep.CALL,
            attempts=0,
            tries=0,
            is_unsure=False,
            is_edited=False,
            due_at=None,
            called_at=None,
            approved_by=None,
            approved_at=None,
            provider_id=None,
            answer=None,
            last_error=None,
            created_at=now,
            settled_at=None,
        )
        entries.append(tx.actions.add(entry))
        tx.ledger.append(
            "action.proposed",
            at=now,
            turn_id=turn.id,
            conversation_id=turn.conversation_id,
            action=entry.id,
            name=entry.name,
            arguments=digest(entry.arguments),
            amount=entry.amount,
        )
    return entries


def uses_of(tx: Transaction, names: Sequence[str], contact_id: str, at: datetime) -> tuple[ActionUse, ...]:
    """How much of some actions was let through in the 24 hours before a moment, for a contact over all channels."""
    group = group_of(tx, contact_id)
    of_each = [tx.actions.uses(names, one, since=at - DAY) for one in group]
    return tuple(
        replace(
            of_each[0][name],
            contact_count=sum(uses[name].contact_count for uses in of_each),
            contact_amount=sum(uses[name].contact_amount for uses in of_each),
        )
        for name in sorted(of_each[0])
    )


def objections_now(
    tx: Transaction,
    rules: Sequence[ActionRule],
    actions: Sequence[tuple[str, Any]],
    *,
    contact_id: str,
    at: datetime,
) -> list[tuple[Objection, ...]]:
    """What stands against each of some actions (name and arguments) as things stand now, in order."""
    uses = {use.name: use for use in uses_of(tx, [name for name, _ in actions], contact_id, at)}
    amounts: dict[str, int] = {}
    counts: dict[str, int] = {}
    found = []
    for name, arguments in actions:
        rule = rule_for(rules, name)
        before, count_before = amounts.get(name, 0), counts.get(name, 0)
        found.append(objections(rule, arguments, uses.get(name), before=before, count_before=count_before))
        if rule is not None:
            amounts[name] = before + (amount_of(rule, arguments) or 0)
            counts[name] = count_before + 1
    return found


def let_through(
    tx: Transaction, clock: Clock, entry: ActionEntry, rule: ActionRule, *, by: str, arguments: str | None = None
) -> ActionEntry:
    """Approve a proposed action, with its own arguments or with others; it is carried out after those before it."""
    now = clock.now()
    is_edited = arguments is not None and arguments != entry.arguments
    given = replace(entry, arguments=arguments if arguments is not None else entry.arguments)
    approved = replace(
        given,
        amount=amount_of(rule, given.table),
        state=ActionState.APPROVED,
        attempts=entry.attempts + 1,
        is_edited=is_edited,
        due_at=now,
        approved_by=by,
        approved_at=now,
    )
    tx.actions.change(approved, attempts=entry.attempts)
    tx.ledger.append(
        "action.approved",
        at=now,
        turn_id=entry.turn_id,
        conversation_id=entry.conversation_id,
        actor=by,
        action=entry.id,
        arguments=digest(approved.arguments),
        amount=approved.amount,
        edited=is_edited,
    )
    tx.announce(Job(kind=ACTION_JOB, key=entry.conversation_id))
    return approved


def put_on(tx: Transaction, clock: Clock, entry: ActionEntry, *, was_done: bool, actor: str) -> ActionEntry:
    """Go on with an action that failed or of which nobody knows, by a person's word: it was done, or it is to be done."""
    now = clock.now()
    changed = replace(
        entry,
        state=ActionState.DONE if was_done else ActionState.APPROVED,
        step=ActionStep.CALL,
        attempts=entry.attempts + 1,
        tries=0,
        is_unsure=False,
        due_at=None if was_done else now,
        called_at=None,
        settled_at=now if was_done else None,
        last_error=None if was_done else entry.last_error,
    )
    tx.actions.change(changed, attempts=entry.attempts)
    if was_done:
        _tell(tx, "action.confirmed", entry, at=now, actor=actor)
    else:
        _tell(tx, "action.released", entry, at=now, actor=actor)
    if was_done:
        send_if_done(tx, clock, entry.turn_id)
    tx.announce(Job(kind=ACTION_JOB, key=entry.conversation_id))
    return changed


def drop_action(
    tx: Transaction, clock: Clock, entry: ActionEntry, *, why: str, said: str | None = None, actor: str = "system"
) -> ActionEntry:
    """Decide that an action is not carried out; `why` is a code for the ledger, `said` words for people."""
    now = clock.now()
    dropped = replace(
        entry,
        state=ActionState.DROPPED,
        attempts=entry.attempts + 1,
        due_at=None,
        last_error=said or why,
        settled_at=now,
    )
    tx.actions.change(dropped, attempts=entry.attempts)
    tx.ledger.append(
        "action.dropped",
        at=now,
        turn_id=entry.turn_id,
        conversation_id=entry.conversation_id,
        actor=actor,
        action=entry.id,
        was=entry.state.value,
        why=why,
    )
    return dropped


def drop_proposed(tx: Transaction, clock: Clock, turn_id: str, *, why: str, actor: str = "system") -> None:
    """Drop whatever of a turn was proposed and not let through: its draft is void, or somebody decided otherwise."""
    for entry in tx.actions.of_turn(turn_id):
        if entry.state is ActionState.PROPOSED:
            drop_action(tx, clock, entry, why=why, actor=actor)


def drop_waiting(tx: Transaction, clock: Clock, turn_id: str, *, why: str) -> None:
    """Drop what was let through of a turn and not begun: it follows an action that came to nothing."""
    for entry in tx.actions.of_turn(turn_id):
        if entry.state is ActionState.APPROVED:
            drop_action(tx, clock, entry, why=why)


def has_open_actions(tx: Transaction, turn_id: str) -> bool:
    """Whether something of a turn was let through and is not settled."""
    return any(entry.state in OPEN_ACTION for entry in tx.actions.of_turn(turn_id))


def queue_after_actions(tx: Transaction, clock: Clock, turn: Turn, reply: WaitingReply) -> None:
    """Queue the reply of a turn, or keep it until all that was let through of the turn is done."""
    if has_open_actions(tx, turn.id):
        tx.artifacts.put(turn.id, REPLY, dump(reply))
        return
    _queue(tx, clock, turn, reply)


def send_if_done(tx: Transaction, clock: Clock, turn_id: str) -> bool:
    """Queue the reply that waits for a turn's actions once they are done; False where something is left, or nothing waits."""
    turn = tx.turns.get(turn_id)
    stored = tx.artifacts.get(turn_id, REPLY)
    is_answered = bool(tx.outbox.of_turn(turn_id))
    if stored is None or is_answered or turn.state is not TurnState.DELIVERING or has_open_actions(tx, turn_id):
        return False
    _queue(tx, clock, turn, load(WaitingReply, stored))
    return True


def _queue(tx: Transaction, clock: Clock, turn: Turn, reply: WaitingReply) -> None:
    queue_message(
        tx,
        clock,
        tx.conversations.get(turn.conversation_id),
        turn_id=turn.id,
        text=reply.text,
        author=Author(reply.author),
        author_name=reply.author_name,
        ai_generated=reply.ai_generated,
        actor=reply.actor,
    )


def _tell(tx: Transaction, event: str, entry: ActionEntry, *, at: datetime, actor: str) -> None:
    tx.ledger.append(
        event,
        at=at,
        turn_id=entry.turn_id,
        conversation_id=entry.conversation_id,
        actor=actor,
        action=entry.id,
        was=entry.state.value,
    )
