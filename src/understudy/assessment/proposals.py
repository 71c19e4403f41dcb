"""What stands against the actions a draft proposes: undeclared, wrongly given, beyond their limits. It carries nothing out.

Only where the business declares actions. Where it declares none, a proposal is for whoever handed the draft over to
carry out, and waits for a person all the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from understudy.assessment.check import Code
from understudy.records.action_rules import Fault, amount_of, objections, rule_for
from understudy.records.assessment import Finding, Severity
from understudy.records.evidence import Draft, Evidence
from understudy.records.rulebook import Rules

ACTIONS_MAX: Final = 20
"""So many proposed actions of one draft are looked at; more of them hold it."""

UNDECLARED = Code(
    check="actions",
    code="undeclared",
    severity=Severity.BLOCKING,
    explanation="The draft proposes an action that the configuration does not declare; nobody here can carry it out.",
)
WRONG_ARGUMENTS = Code(
    check="actions",
    code="wrong_arguments",
    severity=Severity.BLOCKING,
    explanation="The draft proposes an action with arguments that its declaration does not allow.",
)
AMOUNT_UNKNOWN = Code(
    check="actions",
    code="amount_unknown",
    severity=Severity.UNKNOWN,
    explanation="The amount of a proposed action cannot be told, so no limit can be compared with it.",
)
OVER_LIMIT = Code(
    check="actions",
    code="over_limit",
    severity=Severity.BLOCKING,
    explanation="A proposed action is beyond the limits that the configuration sets for it.",
)
TOO_MANY = Code(
    check="actions",
    code="too_many",
    severity=Severity.BLOCKING,
    explanation="The draft proposes more actions than one reply may.",
)
PROPOSAL_CODES: Final = (UNDECLARED, WRONG_ARGUMENTS, AMOUNT_UNKNOWN, OVER_LIMIT, TOO_MANY)
_CODE_OF: Final[Mapping[Fault, Code]] = {
    Fault.UNDECLARED: UNDECLARED,
    Fault.WRONG_ARGUMENTS: WRONG_ARGUMENTS,
    Fault.AMOUNT_UNKNOWN: AMOUNT_UNKNOWN,
    Fault.OVER_LIMIT: OVER_LIMIT,
}


def objections_found(evidence: Evidence, draft: Draft, rules: Rules) -> Iterator[Finding]:
    """Find what stands against the proposed actions, each kind once."""
    if not rules.actions or not draft.actions:
        return
    if len(draft.actions) > ACTIONS_MAX:
        yield TOO_MANY.found()
    uses = {use.name: use for use in evidence.uses}
    amounts: dict[str, int] = {}
    counts: dict[str, int] = {}
    codes: dict[str, Code] = {}
    for action in draft.actions[:ACTIONS_MAX]:
        rule, name = rule_for(rules.actions, action.name), action.name
        against = objections(
            rule,
            action.arguments,
            uses.get(name),
            before=amounts.get(name, 0),
            count_before=counts.get(name, 0),
        )
        for objection in against:
            code = _CODE_OF[objection.fault]
            codes.setdefault(code.code, code)
        if rule is not None:
            amounts[name] = amounts.get(name, 0) + (amount_of(rule, action.arguments) or 0)
            counts[name] = counts.get(name, 0) + 1
    for code in codes.values():
        yield code.found()
