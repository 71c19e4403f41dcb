"""A business that lets its agent propose refunds, for tests: the declaration, an agent that proposes them, rules to play by."""

from __future__ import annotations

import json
from typing import Any

from understudy.records.action_rules import (
    MICRO,
    ActionLimits,
    ActionRule,
    Approver,
    Reversibility,
    canonical_schema,
)
from understudy.records.evidence import Action, Draft
from understudy.records.review import HoldKind, VerdictKind
from understudy.records.rulebook import Level, Rules
from understudy.testing.acting import ScriptedSystem
from understudy.testing.scripted import ScriptedAgent

SCHEMA = {
    "type": "object",
    "properties": {
        "order": {"type": "string", "pattern": "^A[0-9]{1,6}$"},
        "amount": {"type": "number", "exclusiveMinimum": 0},
        "reason": {"type": "string", "maxLength": 200},
    },
    "required": ["order", "amount"],
}
LIMITS = ActionLimits(
    amount=100 * MICRO,
    contact_day_amount=150 * MICRO,
    day_amount=1_000 * MICRO,
    contact_day_count=3,
    day_count=50,
)
NAME = "refund"


def refund(**fields: Any) -> ActionRule:
    """The declaration of a refund."""
    given: dict[str, Any] = {
        "name": NAME,
        "schema": canonical_schema(SCHEMA),
        "limits": LIMITS,
        "amount": "$.amount",
        "unit": "GBP",
        "reversibility": Reversibility.COMPENSABLE,
        "approver": Approver.REVIEWER,
    }
    return ActionRule(**{**given, **fields})


def proposes(*actions: tuple[str, dict[str, Any]], text: str = "About: your order.") -> ScriptedAgent:
    """An agent that proposes the same actions for every message; none where it was told that one was done."""

    def answer(request: Any) -> Draft:
        told = [call for message in request.messages for call in message.tool_calls]
        if told:
            return Draft(text="You have been helped.", agent="echo", agent_version="v1")
        made = tuple(Action(name=name, arguments=arguments) for name, arguments in actions)
        return Draft(text=text, actions=made, agent="echo", agent_version="v1")

    return ScriptedAgent(answer, name="echo")


def of_amount(amount: Any, order: str = "A17", **more: Any) -> tuple[str, dict[str, Any]]:
    """A proposed refund."""
    return NAME, {"order": order, "amount": amount, **more}


def acting_rules(staging: Any, *declared: ActionRule, level: Level = Level.AUTO, **fields: Any) -> Rules:
    """Rules that let out whatever no hard rule holds, with these declarations, or one refund."""
    rules: Rules = staging.rules(level, actions=declared or (refund(),), **fields)
    return rules


def actions_of(stage: Any, turn: Any) -> list[Any]:
    """What a turn proposes, as stored."""
    return list(stage.read(lambda tx: tx.actions.of_turn(turn.id)))


def states_of(stage: Any, turn: Any) -> list[str]:
    """Where the actions of a turn stand."""
    return [entry.state.value for entry in actions_of(stage, turn)]


def told_of(stage: Any, turn: Any) -> list[str]:
    """What the ledger tells of the actions of a turn, in order, without the prefix."""
    entries = [entry for entry in stage.ledger if entry.turn_id == turn.id and entry.event.startswith("action.")]
    return [entry.event.removeprefix("action.") for entry in entries]


def body_of(entry: Any) -> dict[str, Any]:
    """What a ledger entry says."""
    body: dict[str, Any] = json.loads(entry.body)
    return body


def play(
    build: Any, staging: Any, *actions: Any, system: ScriptedSystem | None = None, rule: Any = None, **plan: Any
) -> Any:
    """Make a stage with an agent that proposes these actions, or a refund of 40, and a system of record."""
    rules = plan.pop("rules", None) or acting_rules(staging, *(() if rule is None else (rule,)))
    given = {"agent": proposes(*(actions or (of_amount(40),))), "rules": rules}
    return build(**{**given, "executors": {NAME: system or ScriptedSystem()}, **plan})


def system_of(stage: Any) -> ScriptedSystem:
    """The system of record of a stage."""
    found: ScriptedSystem = stage.plan.executors[NAME]
    return found


def approve(stage: Any, kind: VerdictKind = VerdictKind.APPROVE, text: str | None = None, **said: Any) -> None:
    """Give a verdict on the one draft that waits, and let be done what follows at once."""
    (hold,) = (hold for hold in stage.open_holds if hold.kind is HoldKind.DRAFT)
    stage.give(hold, kind, text, **said)
    stage.settle()
