"""Whether a check of yours keeps the contract: put it in a test of your package; it does not say whether it finds well.

def test_my_check_conforms() -> None:
    assert nonconformities(ToneCheck()) == []
"""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Iterator
from typing import Any, Final, Protocol

from understudy.records.assessment import Finding, Severity, Span
from understudy.records.evidence import Draft, Evidence
from understudy.records.rulebook import Profile, Rules
from understudy.testing.turns import example_turn

LONG: Final = 100_000
"""Characters of the longest texts a check is given."""
SECONDS_MAX: Final = 2.0
"""Processor time one examination may take here: twenty times what a check should take, so that only a hang is found."""
_TEXTS: Final = (
    "",
    " \n\t ",
    "Your order #A123 was sent on 3 May 2026 for $12.50.",
    "caf\u00e9 \u202etxet desrever \u200b\U0001f468\u200d\U0001f469 \ufffd",
    "a" * LONG,
    "word " * (LONG // 5),
    "((((" * (LONG // 4),
    "1.1.1 " * (LONG // 6),
)


class AnyCheck(Protocol):
    """What is looked at; the contract itself is `understudy.assessment.check.Check`."""

    name: Any
    words: Any
    needs_draft: Any

    def examine(self, evidence: Evidence, draft: Draft, rules: Rules, /) -> Any: ...


def nonconformities(check: AnyCheck) -> list[str]:
    """Say in which ways a check breaks the contract; an empty list is a pass.

    It is run on awkward turns (no text, hidden characters, 100 kB, no draft) and must neither raise nor hang, must say
    the same twice, must leave what it is given as it was, and must point at places that exist.
    """
    problems = list(_of_its_name(check))
    for case, evidence in _cases(needs_draft=bool(check.needs_draft)):
        problems += [f"{case}: {problem}" for problem in _of_one(check, evidence)]
    return problems


def _of_its_name(check: AnyCheck) -> Iterator[str]:
    if not (isinstance(check.name, str) and check.name.isidentifier() and check.name == check.name.lower()):
        yield f"name is {check.name!r}; it must be a lower-case identifier"
    if not (isinstance(check.words, str) and check.words.strip()):
        yield 'words is empty; it ends the sentence "less confident because …"'
    if not isinstance(check.needs_draft, bool):
        yield f"needs_draft is {check.needs_draft!r}; it must be True or False"


def _of_one(check: AnyCheck, evidence: Evidence) -> Iterator[str]:
    draft, rules = evidence.draft or Draft(text=""), Rules(profile=Profile(name="Shop", domains=("shop.example",)))
    before = copy.deepcopy((evidence, draft, rules))
    began = time.process_time()
    try:
        first = check.examine(evidence, draft, rules)
        took_s = time.process_time() - began
        second = check.examine(evidence, draft, rules)
    except Exception as error:  # noqa: BLE001 - whatever it raises is the finding
        yield f"it raised {error!r}"
        return
    if took_s > SECONDS_MAX:
        yield f"it took {took_s:.1f} s of processor time"
    if first != second:
        yield "it says something else the second time"
    if before != (evidence, draft, rules):
        yield "it changed what it was given"
    yield from _of_its_answer(check, draft, first)


def _of_its_answer(check: AnyCheck, draft: Draft, answer: Any) -> Iterator[str]:
    score, findings = getattr(answer, "score", None), getattr(answer, "findings", None)
    if not isinstance(score, int | float) or isinstance(score, bool) or not math.isfinite(score) or not 0 <= score <= 1:
        yield f"its score is {score!r}; it must be a number in [0, 1]"
    if not isinstance(findings, tuple) or not all(isinstance(one, Finding) for one in findings):
        yield "its findings are no tuple of Finding"
        return
    for finding in findings:
        if finding.check != check.name:
            yield f"a finding belongs to {finding.check!r}"
        if not isinstance(finding.severity, Severity):
            yield f"{finding.code}: severity {finding.severity!r} is none"
        if not (isinstance(finding.explanation, str) and finding.explanation.strip()):
            yield f"{finding.code}: it has no explanation"
        if isinstance(finding.span, Span) and finding.span.end > len(draft.text):
            yield f"{finding.code}: the span ends at {finding.span.end}, the draft at {len(draft.text)}"
        if len(draft.text.strip()) > 20 and draft.text.strip() in finding.explanation:
            yield f"{finding.code}: the explanation quotes the draft"


def _cases(*, needs_draft: bool) -> Iterator[tuple[str, Evidence]]:
    for number, text in enumerate(_TEXTS):
        yield f"draft {number}", example_turn(draft=text)
        yield f"customer {number}", example_turn(customer=text)
        yield f"passage {number}", example_turn(source=text)
    if not needs_draft:
        yield "no draft", example_turn(draft=None)
