"""A grader of deeds: tool calls and proposed actions compared with the expected ones. It runs none of them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from pydantic import Field

from understudy.evaluation.graders.contract import Attempted, Complaints, Grader, Means, Terms, read_terms
from understudy.records.suite import Grade


class ExpectedCall(Terms):
    """A call by its tool's name, with at least these arguments."""

    name: str
    arguments: dict[str, Any] = Field({})


class ToolTerms(Terms):
    """`expected` calls, in this order where `in_order`; `forbidden` tools; `only`: no other calls than the expected."""

    expected: list[ExpectedCall] = Field([])
    forbidden: list[str] = Field([])
    in_order: bool = False
    only: bool = False


Call = tuple[str, Mapping[str, Any]]


def tools(terms: Mapping[str, Any], means: Means) -> Grader:  # noqa: ARG001 - a maker's shape
    """What the agent did is what was expected."""
    read = read_terms(ToolTerms, terms, short="expected")
    if not (read.expected or read.forbidden or read.only):
        raise ValueError("give expected calls, forbidden tools, or only: true")

    def grade(attempted: Attempted) -> Grade:
        complaints, done = Complaints(grader="tools"), calls_of(attempted)
        complaints.found += [f"{name} was called" for name, _ in done if name in read.forbidden]
        left, last = list(enumerate(done)), -1
        for wanted in read.expected:
            found = next(
                (one for one in left if is_call(one[1], wanted.name, wanted.arguments) and one[0] > last), None
            )
            if found is None:
                complaints.found.append(f"{wanted.name}({_shown(wanted.arguments)}) was not called")
                continue
            left.remove(found)
            last = found[0] if read.in_order else -1
        if read.only:
            complaints.found += [f"{name}({_shown(given)}) was called besides" for _, (name, given) in left]
        return complaints.grade()

    return grade


def calls_of(attempted: Attempted) -> list[Call]:
    """Calls and proposed actions of all replies."""
    made = [(call.name, arguments_of(call.arguments)) for call in attempted.calls]
    return made + [(action.name, action.arguments) for action in attempted.actions]


def arguments_of(text: str) -> dict[str, Any]:
    """The arguments of a call; what is no JSON object holds none."""
    try:
        read = json.loads(text or "{}")
    except ValueError:
        return {}
    return read if isinstance(read, dict) else {}


def is_call(call: Call, name: str, arguments: Mapping[str, Any]) -> bool:
    """Whether a call is of this tool and has at least these arguments; numbers and their texts are alike."""
    return call[0] == name and all(key in call[1] and _alike(call[1][key], wanted) for key, wanted in arguments.items())


def _alike(given: Any, wanted: Any) -> bool:
    if isinstance(wanted, Mapping) and isinstance(given, Mapping):
        return all(key in given and _alike(given[key], value) for key, value in wanted.items())
    if isinstance(wanted, list) and isinstance(given, list):
        return len(wanted) == len(given) and all(_alike(a, b) for a, b in zip(given, wanted, strict=True))
    return bool(given == wanted) or str(given).strip().casefold() == str(wanted).strip().casefold()


def _shown(arguments: Mapping[str, Any]) -> str:
    return json.dumps(dict(arguments), ensure_ascii=False, default=str)[:80] if arguments else ""
