"""docs/reference/ledger.md and the reasons of holds, held against what the source appends and gives."""

from __future__ import annotations

import ast
import hashlib
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from understudy.records.codec import canonical, digest
from understudy.records.ledger import GENESIS, chain
from understudy.records.review import HoldState
from understudy.records.turn import TurnState

ROOT = Path(__file__).parents[2]
REFERENCE = ROOT / "docs" / "reference"
SOURCE = ROOT / "src" / "understudy"
COG_CODE = re.compile(r"<!-- \[\[\[cog.*?\]\]\] -->", re.DOTALL)
PYTHON = re.compile(r"^```python[^\n]*\n(.*?)^```", re.MULTILINE | re.DOTALL)

# What the names of ledger events that are put together at run time can become.
BUILT_EVENTS = {
    "hold.": {state.value for state in HoldState if state is not HoldState.OPEN},
    "turn.": {TurnState.DRAFTING.value, TurnState.GATHERING.value},
    "ticket.": {"opened", "retry", "unknown", "dead"},
    "ticket_step.": {"done", "retry", "unknown", "dead"},
    "outbox.": {"accepted", "rejected", "retry", "unknown", "dead"},
    "note.": {"written", "retry", "unsure", "unknown", "failed"},
}
FLOWS = {"delivery", "effects", "notes", "pledges", "review", "turn", "upkeep"}
ABOUT_EVERY_ENTRY = {"at", "turn_id", "conversation_id", "actor"}


@cache
def page(name: str) -> str:
    """A page as its readers see it, without the code that writes its tables."""
    return COG_CODE.sub("", (REFERENCE / name).read_text(encoding="utf-8"))


@cache
def modules() -> dict[Path, ast.Module]:
    paths = sorted(SOURCE.rglob("*.py"))
    return {path.relative_to(SOURCE): ast.parse(path.read_text(encoding="utf-8")) for path in paths}


@cache
def calls() -> tuple[tuple[Path, ast.Call], ...]:
    return tuple(
        (name, node) for name, tree in modules().items() for node in ast.walk(tree) if isinstance(node, ast.Call)
    )


def appended() -> Iterator[tuple[str, set[str]]]:
    """Every event that the source appends to a ledger, with the fields of its body."""
    for module, call in calls():
        function = call.func
        if not (
            isinstance(function, ast.Attribute)
            and function.attr == "append"
            and ast.unparse(function.value).endswith("ledger")
        ):
            continue
        body = {keyword.arg or "**" for keyword in call.keywords} - ABOUT_EVERY_ENTRY
        for name in event_names(modules()[module], call):
            yield name, body


def event_names(module: ast.Module, call: ast.Call) -> Iterator[str]:
    event = call.args[0]
    if isinstance(event, ast.Constant):
        yield str(event.value)
    elif isinstance(event, ast.JoinedStr):
        first = event.values[0]
        assert isinstance(first, ast.Constant), ast.unparse(event)
        yield from (f"{first.value!s}{ending}" for ending in BUILT_EVENTS[str(first.value)])
    else:
        # The name is a parameter: look at what the callers of the function around pass.
        around = next(
            node
            for node in ast.walk(module)
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
            and call in ast.walk(node)
            and node.name != "step"
        )
        trees = [module] if around.name.startswith("_") else modules().values()
        for other in (node for tree in trees for node in ast.walk(tree)):
            if isinstance(other, ast.Call) and ast.unparse(other.func).rpartition(".")[2] == around.name:
                passed = [arg.value for arg in other.args if isinstance(arg, ast.Constant)]
                assert passed, f"no literal event name in {ast.unparse(other)}"
                yield str(passed[0])


def documented_events() -> dict[str, set[str]]:
    rows = re.findall(r"^\| `(\w+\.\w+)` \| [^|]+ \| ([^|]+) \|$", page("ledger.md"), re.MULTILINE)
    return {name: set(re.findall(r"`(\w+)`(?! or)(?!\))", re.sub(r"\([^)]*\)", "", body))) for name, body in rows}


def test_every_ledger_event_is_documented_with_its_fields() -> None:
    found: dict[str, set[str]] = {}
    for name, body in appended():
        assert found.setdefault(name, body) == body, f"{name} is appended with different bodies"
    assert documented_events() == found


def test_hash_on_the_page_is_the_hash_of_the_ledger() -> None:
    (code,) = PYTHON.findall(page("ledger.md"))
    names: dict[str, Any] = {}
    exec(compile(code, "ledger.md", "exec"), names)
    for at in (datetime(2026, 5, 2, 10, 0, 1, 229536, tzinfo=UTC), datetime(2026, 5, 2, tzinfo=UTC)):
        entry = {"seq": 1, "event": "turn.decided", "turn_id": "t", "conversation_id": None, "actor": "Zoë"}
        body = {"reasons": ["level_assist"], "decision": "hold"}
        stored = chain(**entry, at=at, body=canonical(body), previous=GENESIS)  # type: ignore[arg-type]
        shown = {**entry, "at": at.isoformat().replace("+00:00", "Z"), "body": body, "previous": GENESIS}
        assert names["hash_of"](shown) == stored


def test_digest_on_the_page_is_the_digest_of_the_ledger() -> None:
    assert "first 32 hex digits of the SHA-256" in page("ledger.md")
    assert digest("é") == hashlib.sha256("é".encode()).hexdigest()[:32]


def test_reasons_given_outside_the_table_are_documented() -> None:
    """A hold opened without a decision names its reasons as literals: `reasons=("draft_rejected",)`."""
    given = {
        str(item.value)
        for module, call in calls()
        if module.parts[0] in FLOWS
        for keyword in call.keywords
        if keyword.arg == "reasons" and isinstance(keyword.value, ast.Tuple)
        for item in keyword.value.elts
        if isinstance(item, ast.Constant)
    }
    assert given
    assert not {code for code in given if f"`{code}`" not in page("decisions-and-levels.md")}
