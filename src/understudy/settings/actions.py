"""What agents may ask to have done, and how it is done: `[actions]` and a table for each action; it asks nobody."""

from __future__ import annotations

import re
from typing import Final, Literal

from pydantic import ConfigDict, Field, SecretStr, model_validator

from understudy.records.action_calls import OF_THE_ACTION, ActionCalls
from understudy.records.action_rules import (
    MICRO,
    ActionLimits,
    ActionRule,
    Approver,
    Reversibility,
    canonical_schema,
)
from understudy.records.argument_schema import ArgumentSchema
from understudy.records.json_paths import Path
from understudy.settings.section import Section

_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,59}")


class VerbSettings(Section):
    """A deed of this business that drafts may claim."""

    words: list[str] = Field(min_length=1, description='participles as drafts write them, such as "ported"')
    tools: list[str] = Field([], description="parts of the names of tools that do it; empty = any tool that acts")


class LimitSettings(Section):
    """How much of an action there may be; amounts are in the unit of its arguments, a day is any 24 hours."""

    amount_max: float | None = Field(None, ge=0, le=1e9, description="highest amount at a time")
    contact_day_amount_max: float | None = Field(None, ge=0, le=1e9, description="for one customer in a day")
    day_amount_max: float | None = Field(None, ge=0, le=1e9, description="for all customers in a day")
    contact_day_count_max: int | None = Field(None, ge=0, description="so often for one customer in a day")
    day_count_max: int | None = Field(None, ge=0, description="so often for all customers in a day")


class DeclaredAction(Section, ActionCalls):
    """An action that agents may propose."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    arguments: ArgumentSchema = Field(description="JSON Schema of its arguments; what it does not name is refused")
    amount: Path | None = Field(None, description="where the amount stands in the arguments, such as $.amount")
    unit: str = Field("", max_length=20, description="of the amount, shown to people, such as GBP")
    limits: LimitSettings = Field(LimitSettings(), description="how much of it there may be")
    reversibility: Literal["reversible", "compensable", "irreversible"] = Field(
        "irreversible", description="whether it can be taken back, made up for, or neither; shown to reviewers"
    )
    approver: Literal["reviewer", "lead"] = Field(
        "reviewer", description="who may approve it; beyond its limits it is always a lead"
    )
    automatic: bool = Field(
        False, description="true: done without a person where the slice answers alone; never what is irreversible"
    )
    values: dict[str, str] = Field({}, description="what {placeholders} stand for")
    credentials: dict[str, SecretStr] = Field({}, description="the same for what nobody may read")
    timeout_s: float = Field(10.0, gt=0, le=60, description="for one request")

    @model_validator(mode="after")
    def _fits_together(self) -> DeclaredAction:
        unknown = sorted(self.unknown_placeholders([*self.values, *self.credentials, *self.argument_names]))
        if unknown:
            raise ValueError(
                f"{', '.join('{' + one + '}' for one in unknown)} stands for nothing; it is no argument, "
                f"none of {', '.join(sorted(OF_THE_ACTION))}, and not in values, values_of or credentials"
            )
        taken = sorted(OF_THE_ACTION & self.argument_names)
        if taken:
            raise ValueError(
                f"{', '.join(taken)}: this name is the action's own; give its argument another in values_of"
            )
        of_amount = ("amount_max", "contact_day_amount_max", "day_amount_max")
        if self.amount is None and any(getattr(self.limits, name) is not None for name in of_amount):
            raise ValueError("limits on amounts need `amount`, which says where the amount stands")
        if self.automatic and self.reversibility == "irreversible":
            raise ValueError("what is irreversible is never automatic; set automatic = false")
        if self.automatic and self.read_back is None:
            raise ValueError("what is automatic needs a read_back, by which it is seen that it was done")
        return self

    @property
    def argument_names(self) -> frozenset[str]:
        """The arguments that its schema names, as far as they can be placeholders."""
        return frozenset(name for name in self.arguments.get("properties", {}) if _NAME.fullmatch(name))

    def rule(self, name: str) -> ActionRule:
        """What decisions depend on."""
        limits = self.limits
        return ActionRule(
            name=name,
            schema=canonical_schema(self.arguments),
            limits=ActionLimits(
                amount=_micro(limits.amount_max),
                contact_day_amount=_micro(limits.contact_day_amount_max),
                day_amount=_micro(limits.day_amount_max),
                contact_day_count=limits.contact_day_count_max,
                day_count=limits.day_count_max,
            ),
            amount=self.amount,
            unit=self.unit,
            reversibility=Reversibility(self.reversibility),
            approver=Approver(self.approver),
            is_automatic=self.automatic,
        )


class Actions(Section):
    """What drafts may claim to have done, and the actions that agents may propose, each a table under its name."""

    model_config = ConfigDict(extra="allow", frozen=True)
    __pydantic_extra__: dict[str, DeclaredAction]

    verbs: list[VerbSettings] = Field([], description="tried before the built-in verbs")
    attempts_max: int = Field(5, ge=1, le=20, description="calls before an action that is clearly not done has failed")
    lease_s: float = Field(60.0, gt=0, description="longest that one call and its read-back may take")
    read_back_s: float = Field(
        20.0, ge=0, description="for so long it is read back again and again until the system shows what it took"
    )

    @model_validator(mode="after")
    def _are_named_well(self) -> Actions:
        for name in self.declared:
            if not _NAME.fullmatch(name):
                raise ValueError(f"action {name[:60]!r}: a name has small letters, digits and _, as in refund_order")
        return self

    @property
    def declared(self) -> dict[str, DeclaredAction]:
        """The declared actions by name."""
        return self.__pydantic_extra__ or {}

    def rules(self) -> tuple[ActionRule, ...]:
        """What decisions depend on."""
        return tuple(one.rule(name) for name, one in sorted(self.declared.items()))


def _micro(amount: float | None) -> int | None:
    return None if amount is None else round(amount * MICRO)
