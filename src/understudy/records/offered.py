"""What a tool of ours answers to an agent that calls a declared action: a proposal, which its draft then holds; it does nothing.

An agent that calls tools by itself records the call and what came back. Such a call was none: nothing was done, so it may
carry no statement of the draft. It is read as what it is, an action that the agent proposes.

Tools answer what strangers wrote. So the answer alone proposes nothing: the agent itself must have called a tool of the
action's name with the very arguments.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final

from understudy.records.evidence import Action, Draft, ToolCall

MARK: Final = "understudy_proposal"
DEPTH_MAX: Final = 4
_SAYS: Final = (
    "Nothing was done. Give this call and its answer along with your draft: it is carried out once it is let through, and "
    "only then the reply leaves, so write the reply as if it were done. Do not call it again for the same thing."
)


def proposal(name: str, arguments: dict[str, Any]) -> dict[str, Any]:
    """The answer to a call, as JSON data."""
    return {MARK: {"name": name, "arguments": arguments}, "says": _SAYS}


def with_proposals(draft: Draft) -> Draft:
    """The draft with the calls that were proposals among its actions, each once, in the order in which they were made and
    before those it has; and no more among what tools said."""
    found = [(call, _proposed(call)) for call in draft.tool_calls]
    if not any(action for _, action in found):
        return draft
    actions: list[Action] = []
    for action in (*(one for _, one in found if one is not None), *draft.actions):
        if action not in actions:
            actions.append(action)
    calls = tuple(call for call, action in found if action is None)
    return replace(draft, tool_calls=calls, actions=tuple(actions))


def _proposed(call: ToolCall) -> Action | None:
    if call.result is None or MARK not in call.result:
        return None
    for told in _objects(call.result, DEPTH_MAX):
        name, arguments = told.get("name"), told.get("arguments")
        if isinstance(name, str) and isinstance(arguments, dict) and _was_called(call, name, arguments):
            return Action(name=name, arguments=arguments)
    return None


def _was_called(call: ToolCall, name: str, arguments: dict[str, Any]) -> bool:
    """Whether the agent called this: by its name, before which its library may put the server's, with these arguments."""
    before = call.name.removesuffix(name)
    if not name or before == call.name or (before and before[-1].isalnum()):
        return False
    try:
        given: Any = json.loads(call.arguments)
    except (ValueError, RecursionError):
        return False
    return bool(given == arguments)


def _objects(told: Any, depth: int) -> Iterator[dict[str, Any]]:
    """What stands under the mark, however the agent's library wrapped the answer: as JSON text, in a list of parts, beside
    other things."""
    if depth == 0:
        return
    if isinstance(told, str) and MARK in told:
        try:
            told = json.loads(told)
        except (ValueError, RecursionError):
            return
    if isinstance(told, dict):
        if isinstance(inner := told.get(MARK), dict):
            yield inner
        for name in ("structuredContent", "structured_content", "content", "text", "result", "output"):
            yield from _objects(told.get(name), depth - 1)
    elif isinstance(told, list):
        for one in told:
            yield from _objects(one, depth - 1)
