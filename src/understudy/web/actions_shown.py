"""Put together what the API shows of the actions of a turn, out of the store's records; it changes nothing."""

from __future__ import annotations

from datetime import timedelta

from understudy.errors import NotFound
from understudy.ports.store import Transaction
from understudy.records.acting import ActionEntry, ActionState, action_id
from understudy.records.action_rules import (
    MICRO,
    ActionRule,
    amount_of,
    limits_shown,
    objections,
    rule_for,
)
from understudy.records.evidence import Draft
from understudy.records.turn import Turn, TurnState
from understudy.web.shapes import ActionOut

DAY = timedelta(hours=24)
_PLAYED = frozenset({TurnState.PLANTED, TurnState.SPENT})
"""States of a turn that only looks like one: nobody wrote its actions down, and nobody will."""


def actions_of_turn(tx: Transaction, turn: Turn, draft: Draft | None) -> list[ActionOut]:
    """Show the actions of a turn, with what stands against those that are still proposed."""
    entries = tx.actions.of_turn(turn.id)
    rules = rules_of_turn(tx, turn)
    if entries:
        return _shown(tx, entries, rules)
    if turn.state not in _PLAYED or draft is None or not rules:
        return []
    return [
        _proposal(action_id(turn.id, place), action.name, action.arguments, rule_for(rules, action.name))
        for place, action in enumerate(draft.actions)
    ]


def rules_of_turn(tx: Transaction, turn: Turn) -> tuple[ActionRule, ...]:
    """What was declared when the turn was decided."""
    try:
        return () if turn.rulebook_id is None else tx.rulebooks.get(turn.rulebook_id).rules.actions
    except NotFound:
        return ()


def as_first_seen(action: ActionOut) -> ActionOut:
    """An action as its first reviewer saw it: proposed."""
    nothing = dict.fromkeys(
        ("approved_by", "approved_at", "provider_id", "answer", "last_error", "due_at", "settled_at"), None
    )
    return action.model_copy(
        update={**nothing, "state": ActionState.PROPOSED, "tries": 0, "is_unsure": False, "is_edited": False}
    )


def shown_action(entry: ActionEntry, rule: ActionRule | None, against: tuple[str, ...] = ()) -> ActionOut:
    """Show one action."""
    return ActionOut(
        id=entry.id,
        name=entry.name,
        arguments=entry.table,
        amount=None if entry.amount is None else entry.amount / MICRO,
        state=entry.state,
        is_edited=entry.is_edited,
        is_unsure=entry.is_unsure,
        tries=entry.tries,
        due_at=entry.due_at,
        approved_by=entry.approved_by,
        approved_at=entry.approved_at,
        provider_id=entry.provider_id,
        answer=entry.answer,
        last_error=entry.last_error,
        settled_at=entry.settled_at,
        against=list(against),
        **_declared(rule),
    )


def _shown(tx: Transaction, entries: list[ActionEntry], rules: tuple[ActionRule, ...]) -> list[ActionOut]:
    proposed = [entry for entry in entries if entry.state is ActionState.PROPOSED]
    uses = {}
    if proposed:
        # What was let through since the proposal counts too: that is what a verdict will meet.
        names = [entry.name for entry in proposed]
        uses = dict(tx.actions.uses(names, proposed[0].contact_id, since=proposed[0].created_at - DAY))
    amounts: dict[str, int] = {}
    counts: dict[str, int] = {}
    shown = []
    for entry in entries:
        rule = rule_for(rules, entry.name)
        against: tuple[str, ...] = ()
        if entry.state is ActionState.PROPOSED:
            before, count_before = amounts.get(entry.name, 0), counts.get(entry.name, 0)
            found = objections(rule, entry.table, uses.get(entry.name), before=before, count_before=count_before)
            against = tuple(one.why for one in found)
            amounts[entry.name] = before + (entry.amount or 0)
            counts[entry.name] = count_before + 1
        shown.append(shown_action(entry, rule, against))
    return shown


def _proposal(name_of_it: str, name: str, arguments: dict[str, object], rule: ActionRule | None) -> ActionOut:
    amount = None if rule is None else amount_of(rule, arguments)
    return ActionOut(
        id=name_of_it,
        name=name,
        arguments=arguments,
        amount=None if amount is None else amount / MICRO,
        state=ActionState.PROPOSED,
        against=[one.why for one in objections(rule, arguments, None)] if rule is None else [],
        **_declared(rule),
    )


def _declared(rule: ActionRule | None) -> dict[str, object]:
    if rule is None:
        return {}
    return {
        "is_declared": True,
        "unit": rule.unit,
        "reversibility": rule.reversibility,
        "approver": rule.approver,
        "limits": list(limits_shown(rule)),
    }
