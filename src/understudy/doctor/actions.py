"""What `understudy doctor` says of declared actions: whether each can be carried out, and what it cannot promise. It calls none."""

from __future__ import annotations

from collections.abc import Iterator

from understudy.doctor.result import Result
from understudy.errors import UnderstudyError
from understudy.settings.actions import DeclaredAction
from understudy.settings.model import Settings

_SEE = "see docs/how-to/let-an-agent-act.md"


def actions(settings: Settings) -> Iterator[Result]:
    """Look at every declared action; nothing is asked of a system of record, since any request may do something."""
    from understudy.app import system_clock
    from understudy.connections import build_executor

    for name, action in sorted(settings.actions.declared.items()):
        what = f"actions.{name}"
        try:
            build_executor(name, action, system_clock())
        except UnderstudyError as error:
            yield Result(what=what, state="error", says=error.message, mend=_SEE)
            continue
        doubts = list(_doubts(action))
        for says, mend in doubts:
            yield Result(what=what, state="warning", says=says, mend=mend)
        if not doubts:
            yield Result(what=what, state="ok", says=_promises(action))


def _doubts(action: DeclaredAction) -> Iterator[tuple[str, str]]:
    is_looked_up = action.read_back is not None and action.read_back.not_done is not None
    if not action.call.honours_keys and not is_looked_up:
        says = "neither honours keys nor shows that it was not done: a call whose outcome is unknown waits for a person"
        yield says, "set call.honours_keys where the system does, or read_back.not_done"
    if action.read_back is None:
        says = "cannot be read back: nothing but the answer to the call says that it was done"
        yield says, "declare read_back"
    limits = action.limits.model_dump(exclude_none=True)
    if action.automatic and not limits:
        yield "is done without a person, and has no limit", "set limits"


def _promises(action: DeclaredAction) -> str:
    by = "by key" if action.call.honours_keys else "by looking"
    who = "without a person within its limits" if action.automatic else f"once a {action.approver} lets it through"
    return f"done once, {by}; read back; {who}"
