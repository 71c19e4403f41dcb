"""Results of promptfoo (`promptfoo eval -o results.json`) as trials; it reads what is there and runs nothing.

A case is a test, named by its description, else by its variables, else by its number. Where several providers or
prompts were tried, they belong to the name, since a gate compares like with like. Its own errors (a provider that could
not be reached) are errors here; an assertion that failed is not.
"""

from __future__ import annotations

from collections import Counter
from typing import Any, Final

from understudy.errors import MalformedInput
from understudy.records.codec import canonical, digest
from understudy.records.suite import Trial

ERROR: Final = 2
"""promptfoo's `failureReason`: 0 none, 1 an assertion, 2 an error."""


def trials_of(data: dict[str, Any], place: str) -> tuple[Trial, ...]:
    """The trials of a result file of version 3 or 4; raises `MalformedInput`."""
    outer = data.get("results")
    rows = outer.get("results", outer.get("outputs")) if isinstance(outer, dict) else outer
    if not isinstance(rows, list):
        raise MalformedInput(f"{place}: `results.results` must be a list; is it a result file of promptfoo?")
    kept = [row for row in rows if isinstance(row, dict)]
    if len(kept) != len(rows):
        raise MalformedInput(f"{place}: every result must be an object")
    several = len({_asked(row) for row in kept}) > 1
    seen: Counter[str] = Counter()
    found = []
    for number, row in enumerate(kept):
        name = _name(row, number) + (f" ({_asked(row)})" if several else "")
        found.append(_trial(row, name, seen[name], f"{place}, result {number + 1}"))
        seen[name] += 1
    return tuple(found)


def _trial(row: dict[str, Any], case: str, trial: int, place: str) -> Trial:
    answered = row.get("response")
    response: dict[str, Any] = answered if isinstance(answered, dict) else {}
    reply = response.get("output")
    success, error = row.get("success"), row.get("error")
    is_error = row.get("failureReason") == ERROR or (
        bool(error) and row.get("failureReason") is None and row.get("gradingResult") is None
    )
    if is_error:
        return Trial(case=case, trial=trial, error=str(error or response.get("error") or "error")[:500])
    if not isinstance(success, bool):
        raise MalformedInput(f"{place}: `success` must be true or false, got {success!r:.60}")
    grading = row.get("gradingResult")
    why = str(grading.get("reason") or "") if isinstance(grading, dict) else str(error or "")
    return Trial(
        case=case,
        trial=trial,
        loss=float(not success),
        why="" if success else why[:500],
        reply=reply if isinstance(reply, str) else None,
    )


def _name(row: dict[str, Any], number: int) -> str:
    test = row.get("testCase")
    if isinstance(test, dict):
        if isinstance(test.get("description"), str) and test["description"].strip():
            return str(test["description"]).strip()
        values = test.get("vars") or row.get("vars")
        if isinstance(values, dict) and values:
            return f"vars {digest(canonical(values))[:12]}"
    at = row.get("testIdx")
    return f"test {at if isinstance(at, int) else number}"


def _asked(row: dict[str, Any]) -> str:
    provider = row.get("provider")
    name = provider.get("label") or provider.get("id") if isinstance(provider, dict) else provider
    prompt = row.get("promptIdx", 0)
    return f"{name or 'provider'}, prompt {prompt}"
