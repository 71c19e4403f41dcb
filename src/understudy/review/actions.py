"""What a verdict means for the actions of its draft: which are let through, with what arguments, and which are dropped.

By the verdict, where the reviewer says nothing of an action: *approve* and *edit* let it through, all others drop it.
Checked when the verdict is given and again when it is carried out, for others may have used up a limit meanwhile.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Final

from understudy.assessment.cards import mask_all
from understudy.effects.acting import drop_action, let_through, objections_now, put_on
from understudy.errors import Forbidden, InputError
from understudy.ports.clock import Clock
from understudy.ports.store import Transaction
from understudy.records.acting import ActionChoice, ActionEntry, ActionState
from understudy.records.action_rules import ActionRule, Approver, Fault, Objection, rule_for
from understudy.records.codec import canonical, load
from understudy.records.evidence import Draft
from understudy.records.review import Hold, HoldKind, Verdict, VerdictKind
from understudy.records.text import is_storable_json
from understudy.records.turn import Turn, TurnState

LETS_THROUGH: Final = frozenset({VerdictKind.APPROVE, VerdictKind.EDIT})
MAY_LET_THROUGH: Final = LETS_THROUGH | {VerdictKind.RESPOND}
DROPPED_SEVERITY: Final = 1.0
"""A draft with an action that must not be done is as bad as one that is rejected."""
CHANGED_SEVERITY: Final = 0.5
ARGUMENTS_CHARS_MAX: Final = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What becomes of each proposed action; `arguments` are those it is carried out with, in JSON."""

    chosen: tuple[tuple[ActionEntry, ActionRule, str], ...] = ()
    dropped: tuple[ActionEntry, ...] = ()

    @property
    def changed(self) -> bool:
        """Whether one of them gets other arguments than were proposed."""
        return any(arguments != entry.arguments for entry, _, arguments in self.chosen)

    def choices(self, *, as_lead: bool) -> tuple[ActionChoice, ...] | None:
        """The plan as it is kept with the verdict: every action, and what was made of it."""
        let = [
            ActionChoice(id=entry.id, is_approved=True, arguments=arguments, as_lead=as_lead)
            for entry, _, arguments in self.chosen
        ]
        return (*let, *(ActionChoice(id=entry.id, is_approved=False) for entry in self.dropped)) or None


NOTHING: Final = Plan()


def plan_for(
    tx: Transaction,
    clock: Clock,
    hold: Hold,
    turn: Turn,
    *,
    kind: VerdictKind,
    text: str | None,
    choices: tuple[ActionChoice, ...],
    rules: tuple[ActionRule, ...],
    as_lead: bool,
) -> Plan:
    """What a verdict means for the actions that are proposed.

    Raises `InputError` where a choice names none of them, where one that is to be let through is not declared, is given
    wrong arguments, or where the draft would be approved as it is without all of them; `Forbidden` where it is for a lead to
    let through.
    """
    if hold.kind is not HoldKind.DRAFT or turn.state is TurnState.PLANTED:
        return NOTHING
    proposed = [entry for entry in tx.actions.of_turn(turn.id) if entry.state is ActionState.PROPOSED]
    said = {choice.id: choice for choice in choices}
    unknown = said.keys() - {entry.id for entry in proposed}
    if unknown:
        raise InputError(f"{', '.join(sorted(unknown))} is no action that hold {hold.id} proposes")
    plan = _planned(proposed, said, kind, rules)
    _demand_fit(tx, clock, plan, as_lead=as_lead, rules=rules)
    if kind is VerdictKind.APPROVE and (plan.dropped or plan.changed):
        raise InputError(
            "a draft whose actions are not all let through as they are is not approved; "
            "edit it, so that it says what is done, or reject it"
        )
    if plan.dropped and kind is VerdictKind.EDIT:
        _demand_other_words(tx, turn, text, plan)
    return plan


def severity_of(plan: Plan, given: float | None, kind: VerdictKind) -> float | None:
    """How bad the draft was, by what was made of its actions, where the reviewer did not say worse."""
    if kind is not VerdictKind.EDIT or not (plan.dropped or plan.changed):
        return given
    return max(given or 0.0, DROPPED_SEVERITY if plan.dropped else CHANGED_SEVERITY)


def carry_choices(
    tx: Transaction, clock: Clock, hold: Hold, turn: Turn, verdict: Verdict, rules: tuple[ActionRule, ...]
) -> None:
    """Let through and drop what a verdict says, if it still may; raises as `plan_for`."""
    choices = verdict.actions or ()
    plan = plan_for(
        tx,
        clock,
        hold,
        turn,
        kind=verdict.kind,
        text=verdict.text,
        choices=choices,
        rules=rules,
        as_lead=any(choice.as_lead for choice in choices),
    )
    for entry in plan.dropped:
        drop_action(tx, clock, entry, why=verdict.kind.value, actor=verdict.reviewer)
    for entry, rule, arguments in plan.chosen:
        let_through(tx, clock, entry, rule, by=verdict.reviewer, arguments=arguments)


def settle_unsure_action(tx: Transaction, clock: Clock, hold: Hold, verdict: Verdict) -> None:
    """Take a person's word on an action of which nobody knew: *reject* says that it was done, *approve* that it was not
    and is to be done now."""
    # What waits for this verdict stands before every other action of the conversation.
    entry = tx.actions.head(hold.conversation_id)
    if entry is None or entry.state is not ActionState.UNKNOWN:
        return
    put_on(tx, clock, entry, was_done=verdict.kind is VerdictKind.REJECT, actor=verdict.reviewer)


def _planned(
    proposed: list[ActionEntry],
    said: dict[str, ActionChoice],
    kind: VerdictKind,
    rules: tuple[ActionRule, ...],
) -> Plan:
    chosen, dropped = [], []
    for entry in proposed:
        choice = said.get(entry.id, ActionChoice(id=entry.id, is_approved=kind in LETS_THROUGH))
        if not choice.is_approved or kind not in MAY_LET_THROUGH:
            dropped.append(entry)
            continue
        rule = rule_for(rules, entry.name)
        if rule is None:
            raise InputError(
                f"action {entry.name!r} is not declared in the configuration, so nobody here can carry it out; "
                "drop it, or declare it under [actions]"
            )
        arguments = entry.arguments if choice.arguments is None else _read(entry, choice.arguments)
        chosen.append((entry, rule, arguments))
    return Plan(chosen=tuple(chosen), dropped=tuple(dropped))


def _read(entry: ActionEntry, arguments: str) -> str:
    """What a reviewer wrote as arguments, in canonical form."""
    if len(arguments) > ARGUMENTS_CHARS_MAX:
        raise InputError(f"the arguments of {entry.name} have more than {ARGUMENTS_CHARS_MAX} characters")
    try:
        read: Any = json.loads(arguments)
        text = canonical(mask_all(read))
    except (ValueError, RecursionError) as error:
        raise InputError(f"the arguments of {entry.name} must be a JSON object: {error}") from error
    if not isinstance(read, dict):
        raise InputError(f"the arguments of {entry.name} must be a JSON object, got {text[:60]}")
    if not is_storable_json(text):
        raise InputError(f"the arguments of {entry.name} hold a character that no database takes")
    return text


def _demand_fit(tx: Transaction, clock: Clock, plan: Plan, *, as_lead: bool, rules: tuple[ActionRule, ...]) -> None:
    if not plan.chosen:
        return
    actions = [(entry.name, json.loads(arguments)) for entry, _, arguments in plan.chosen]
    contact_id = plan.chosen[0][0].contact_id
    against = objections_now(tx, rules, actions, contact_id=contact_id, at=clock.now())
    for (entry, rule, _), objections in zip(plan.chosen, against, strict=True):
        wrong = [one for one in objections if one.fault is not Fault.OVER_LIMIT]
        if wrong:
            raise InputError(
                f"action {entry.name} cannot be carried out: {_words(wrong)}; correct its arguments or drop it"
            )
        if objections and not as_lead:
            raise Forbidden(
                f"action {entry.name} is beyond its limits ({_words(objections)}); only a lead may let it through"
            )
        if rule.approver is Approver.LEAD and not as_lead:
            raise Forbidden(f"action {entry.name} is a lead's to let through (scope actions:approve)")


def _demand_other_words(tx: Transaction, turn: Turn, text: str | None, plan: Plan) -> None:
    """A draft that says what is done must not leave as it is when that is not done."""
    stored = tx.artifacts.get(turn.id, "draft")
    draft = None if stored is None else load(Draft, stored).text
    if draft is not None and (text or "").split() == draft.split():
        names = ", ".join(sorted({entry.name for entry in plan.dropped}))
        raise InputError(
            f"the text is still the draft's, which was written to go with {names}; say what is true without it"
        )


def _words(objections: list[Objection] | tuple[Objection, ...]) -> str:
    return "; ".join(one.why for one in objections)
