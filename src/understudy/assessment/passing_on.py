"""By what an agent passes a customer on to a person: the names of its tools for that; it looks at no words."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Final

from understudy.records.evidence import Draft, Evidence

_ALONE: Final = re.compile(r"(?:\A|_)(?:hand_?offs?|hand_?overs?|escalate)(?:_|\Z)")
_VERB: Final = r"(?:transfer|escalate?|hand|pass|connect|route|forward|assign|request|call|get|contact|notify)"
_PERSON: Final = (
    r"(?:humans?|people|persons?|agents?|representatives?|reps?|operators?|supervisors?|staff|colleagues?|live|"
    r"customer_(?:service|care|support)|support_(?:team|staff))"
)
_TO_PERSON: Final = re.compile(
    rf"(?:\A|_){_VERB}(?:_over|_on|_up)?_(?:to_)?(?:\w{{1,20}}_){{0,2}}{_PERSON}(?:_(?:agents?|queue|team|support|desk|chat)){{0,2}}\Z"
)
_SMALL_BEFORE_CAPITAL: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_NO_LETTER: Final = re.compile(r"[^a-z0-9]+")
_NAME_CHARS_MAX: Final = 100


@lru_cache(maxsize=1_024)
def passes_on(name: str) -> bool:
    """Whether a tool or an action of this name calls a person in: `transfer_to_human_agents`, `escalateToSupervisor`.

    A transfer of money or of a file is none.
    """
    plain = _NO_LETTER.sub("_", _SMALL_BEFORE_CAPITAL.sub("_", name[:_NAME_CHARS_MAX]).lower())
    return bool(_ALONE.search(plain) or _TO_PERSON.search(plain))


def names_of_turn(evidence: Evidence, draft: Draft) -> Iterator[str]:
    """The tools that the agent called, or proposes to use, since the customer spoke last."""
    for message in reversed(evidence.messages):
        if message.role == "user":
            break
        yield from (call.name for call in message.tool_calls)
    yield from (call.name for call in draft.tool_calls)
    yield from (action.name for action in draft.actions)
