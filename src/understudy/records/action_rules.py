"""What a business declares of its actions, as far as decisions depend on it: schema, limits, who may approve; it does nothing.

Amounts are kept in millionths of whatever unit the arguments are in, as whole numbers, so that sums are exact. A day is
any 24 hours.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any, Final

from understudy.records.argument_schema import faults
from understudy.records.json_paths import found

MICRO: Final = 1_000_000
AMOUNT_MAX: Final = 1_000_000_000
"""In units; a larger amount is none."""


class Reversibility(StrEnum):
    """Whether an action can be taken back: as if it had not been; by another that makes up for it; or not at all."""

    REVERSIBLE = "reversible"
    COMPENSABLE = "compensable"
    IRREVERSIBLE = "irreversible"


class Approver(StrEnum):
    """Who may approve an action: whoever gives verdicts, or only a lead."""

    REVIEWER = "reviewer"
    LEAD = "lead"


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionLimits:
    """How much may be done: amounts in millionths, and how often, each within any 24 hours where it says day; None = any."""

    amount: int | None = None
    contact_day_amount: int | None = None
    day_amount: int | None = None
    contact_day_count: int | None = None
    day_count: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionRule:
    """One declared action. `schema` is a checked schema in canonical JSON; `amount` the JSON path of the amount in the
    arguments, None where it has none. `is_automatic`: it may be done without a person where the slice answers alone.
    """

    name: str
    schema: str
    limits: ActionLimits = ActionLimits()
    amount: str | None = None
    unit: str = ""
    reversibility: Reversibility = Reversibility.IRREVERSIBLE
    approver: Approver = Approver.REVIEWER
    is_automatic: bool = False

    def __post_init__(self) -> None:
        if self.is_automatic and self.reversibility is Reversibility.IRREVERSIBLE:
            raise ValueError(f"action {self.name!r} is irreversible, so it is never automatic")


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionUse:
    """How much of an action was let through in the last 24 hours, for this contact and in all; amounts in millionths."""

    name: str
    contact_count: int = 0
    contact_amount: int = 0
    count: int = 0
    amount: int = 0


class Fault(StrEnum):
    """What stands against an action; the names of the findings that say so."""

    UNDECLARED = "undeclared"
    WRONG_ARGUMENTS = "wrong_arguments"
    AMOUNT_UNKNOWN = "amount_unknown"
    OVER_LIMIT = "over_limit"


@dataclass(frozen=True, slots=True, kw_only=True)
class Objection:
    """What stands against an action and why, in words that repeat nothing of what it was given but its own limits."""

    fault: Fault
    why: str


def rule_for(rules: Sequence[ActionRule], name: str) -> ActionRule | None:
    """The declaration of an action by its name."""
    return next((rule for rule in rules if rule.name == name), None)


def unused(rules: Sequence[ActionRule]) -> tuple[ActionUse, ...]:
    """Stands for the counts where nothing was let through before: in a case, and for turns out of a file, which show no
    others."""
    return tuple(ActionUse(name=rule.name) for rule in rules)


def amount_of(rule: ActionRule, arguments: Any) -> int | None:
    """The amount in an action's arguments, in millionths; None where it is none, below 0 or beyond all reason."""
    if rule.amount is None:
        return None
    values = found(rule.amount, arguments)
    if len(values) != 1 or isinstance(values[0], bool) or not isinstance(values[0], int | float | str):
        return None
    try:
        units = Decimal(str(values[0]).strip())
    except InvalidOperation:
        return None
    if not units.is_finite() or not 0 <= units <= AMOUNT_MAX:
        return None
    return int((units * MICRO).to_integral_value())


def objections(
    rule: ActionRule | None, arguments: Any, used: ActionUse | None, *, before: int = 0, count_before: int = 0
) -> tuple[Objection, ...]:
    """What stands against doing an action with these arguments; empty where nothing does.

    `used` is what was let through in the last 24 hours; None where nobody counted, which passes no limit of a day.
    `before` and `count_before` are what other actions of the same name in the same draft would add.
    """
    if rule is None:
        return (Objection(fault=Fault.UNDECLARED, why="it is not declared in the configuration"),)
    wrong = [Objection(fault=Fault.WRONG_ARGUMENTS, why=one) for one in faults(rule.schema, arguments)]
    if wrong:
        return tuple(wrong)
    amount = amount_of(rule, arguments)
    if amount is None and rule.amount is not None:
        return (Objection(fault=Fault.AMOUNT_UNKNOWN, why="its amount cannot be read from its arguments"),)
    exceeded = _exceeded(rule, amount or 0, used, before=before, count_before=count_before)
    return tuple(Objection(fault=Fault.OVER_LIMIT, why=why) for why in exceeded)


def _exceeded(rule: ActionRule, amount: int, used: ActionUse | None, *, before: int, count_before: int) -> list[str]:
    limits, unit = rule.limits, rule.unit
    said: list[str] = []
    if limits.amount is not None and amount > limits.amount:
        said.append(f"at most {shown(limits.amount, unit)} at a time")
    of_day = (
        (limits.contact_day_amount, "contact_amount", amount + before, "for one customer in 24 hours"),
        (limits.day_amount, "amount", amount + before, "in 24 hours"),
    )
    for limit, name, adds, words in of_day:
        if limit is not None and (used is None or getattr(used, name) + adds > limit):
            said.append(f"at most {shown(limit, unit)} {words}")
    often = (
        (limits.contact_day_count, "contact_count", "for one customer in 24 hours"),
        (limits.day_count, "count", "in 24 hours"),
    )
    for limit, name, words in often:
        if limit is not None and (used is None or getattr(used, name) + 1 + count_before > limit):
            said.append(f"at most {limit} times {words}")
    return said


def shown(amount: int, unit: str) -> str:
    """Write an amount for people: 129.9 GBP."""
    number = Decimal(amount) / MICRO
    text = f"{number.normalize():f}"
    return f"{text} {unit}".strip()


def limits_shown(rule: ActionRule) -> tuple[str, ...]:
    """Write an action's limits for people, one each."""
    full = ActionUse(name=rule.name, contact_count=2**31, contact_amount=2**62, count=2**31, amount=2**62)
    return tuple(_exceeded(rule, 2**62, full, before=0, count_before=0))


def canonical_schema(schema: dict[str, Any]) -> str:
    """Write a checked schema as canonical JSON."""
    return json.dumps(schema, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
