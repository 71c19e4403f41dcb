"""A grader that is a function of yours, named as `module:function`; it runs in this process, unsandboxed.

It gets one dict (`case`, `reply`, `replies`, `messages`, `tool_calls`, `actions`, `handoff`) and returns true or false,
a score in [0, 1] where 1 is good, or `{"score": …, "why": "…"}`. Whatever it raises, or returns instead, is an error.
"""

from __future__ import annotations

import asyncio
import importlib
import inspect
import math
import sys
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from understudy.evaluation.graders.contract import Attempted, Grader, Means, Terms, read_terms
from understudy.records.codec import plain
from understudy.records.suite import Grade


class PythonTerms(Terms):
    """Which function."""

    function: str


def python(terms: Mapping[str, Any], means: Means) -> Grader:
    """A Python function says how good the reply is."""
    target = read_terms(PythonTerms, terms, short="function").function
    function, name = _imported(target, means), f"python:{target}"

    async def grade(attempted: Attempted) -> Grade:
        try:
            answer = await _called(function, _form(attempted))
        except Exception as error:  # noqa: BLE001 - a function of somebody else's may raise anything
            return Grade(grader=name, error=f"it raised {type(error).__name__}: {str(error)[:200]}")
        return _read(answer, name)

    return grade


async def _called(function: Callable[[dict[str, Any]], Any], form: dict[str, Any]) -> Any:
    if inspect.iscoroutinefunction(function):
        return await function(form)
    answer = await asyncio.to_thread(function, form)
    return await answer if isinstance(answer, Awaitable) else answer


def _form(attempted: Attempted) -> dict[str, Any]:
    return {
        "case": plain(attempted.case),
        "reply": attempted.draft.text,
        "replies": list(attempted.replies or (attempted.draft.text,)),
        "messages": [plain(message) for message in attempted.messages],
        "tool_calls": [plain(call) for call in attempted.calls],
        "actions": [plain(action) for action in attempted.actions],
        "handoff": attempted.draft.handoff,
    }


def _read(answer: Any, name: str) -> Grade:
    why = ""
    if isinstance(answer, Mapping):
        why = str(answer.get("why") or "")
        answer = answer.get("score")
    if isinstance(answer, bool):
        answer = float(answer)
    if not isinstance(answer, int | float) or not math.isfinite(answer) or not 0.0 <= answer <= 1.0:
        return Grade(grader=name, error=f"it returned {answer!r:.60}, neither true or false nor a score in [0, 1]")
    return Grade(grader=name, loss=1.0 - float(answer), why=why or ("" if answer == 1.0 else f"score {answer:g}"))


def _imported(target: str, means: Means) -> Callable[[dict[str, Any]], Any]:
    module, _, name = target.partition(":")
    if not module or not name:
        raise ValueError(f"{target!r} must be written as module:function")
    if means.folder is not None and str(means.folder) not in sys.path:
        sys.path.insert(0, str(means.folder))
    try:
        function: Any = importlib.import_module(module)
        for part in name.split("."):
            function = getattr(function, part)
    except Exception as error:
        raise ValueError(f"cannot import {target!r}: {type(error).__name__}: {error}") from error
    if not callable(function):
        raise ValueError(f"{target!r} is {type(function).__name__}, not a function")  # noqa: TRY004 - what a file says
    return function  # type: ignore[no-any-return]
