"""Check that the draft keeps to what this business wrote down: what it never says, and what it always says.

The rules come from the rulebook; there is none built in. Words that only mean the same are not found.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Final

from understudy.assessment.check import Code, Examination, examination
from understudy.assessment.opening import is_open
from understudy.assessment.patterns import matches
from understudy.assessment.wording import Visible, visible
from understudy.records.assessment import Finding, Severity, Span
from understudy.records.evidence import Draft, Evidence
from understudy.records.policy import PolicyRule
from understudy.records.rulebook import Rules


def _code(code: str, explanation: str, severity: Severity = Severity.BLOCKING) -> Code:
    return Code(check="policy", code=code, severity=severity, explanation=explanation)


FORBIDDEN_PHRASE = _code("forbidden_phrase", "The draft uses a phrase that this business forbids.")
PROMISE = _code("promise", "The draft promises what this business does not promise.")
COMPETITOR = _code("competitor", "The draft names a competitor.", Severity.MAJOR)
ADVICE = _code("advice", "The draft gives advice that this business does not give.")
REQUIRED_MISSING = _code("required_missing", "The draft lacks a sentence that this business requires.", Severity.MAJOR)
CODES = (FORBIDDEN_PHRASE, PROMISE, COMPETITOR, ADVICE, REQUIRED_MISSING)

_OF_KIND: Final = {
    "forbidden": FORBIDDEN_PHRASE,
    "promise": PROMISE,
    "competitor": COMPETITOR,
    "advice": ADVICE,
    "required": REQUIRED_MISSING,
}
FINDINGS_MAX: Final = 50
"""No more findings of one rule are listed; the first few say enough."""


class PolicyCheck:
    """Does the draft keep to what this business says?"""

    name = "policy"
    words = "the draft says something this business does not say"
    needs_draft = True

    def examine(self, evidence: Evidence, draft: Draft, rules: Rules) -> Examination:
        """Find each forbidden phrase, whole words only, without regard to case and spaces, and what is missing."""
        if not (rules.forbidden or rules.policy):
            return Examination(score=1.0)
        text = visible(draft.text)
        found = [
            _finding(FORBIDDEN_PHRASE, forbidden.why, text, span)
            for forbidden in rules.forbidden
            for span in _phrase_spans(forbidden.phrase, text.text)[:FINDINGS_MAX]
        ]
        for rule in rules.policy:
            if _applies(rule, evidence, rules):
                found += broken(rule, text, said=(text.text, evidence.burst_text))
        return examination(sorted(found, key=lambda finding: finding.span.start if finding.span else len(draft.text)))


def broken(rule: PolicyRule, text: Visible, *, said: tuple[str, ...]) -> Iterator[Finding]:
    """Find where a draft breaks a rule; `said` is where the rule's `when` is looked for. Raises `re2.error`."""
    if rule.when and not any(_phrase_spans(phrase, one) for phrase in rule.when for one in said):
        return
    spans = sorted(
        [
            *(span for phrase in rule.phrases for span in _phrase_spans(phrase, text.text)),
            *(span for pattern in rule.patterns for span in matches(pattern, text.text)),
        ]
    )
    code = _OF_KIND[rule.kind]
    if rule.kind != "required":
        yield from (_finding(code, rule.why, text, span, rule.severity) for span in spans[:FINDINGS_MAX])
    elif not spans:
        yield _finding(code, rule.why, text, None, rule.severity)


def wrong_examples(rule: PolicyRule) -> tuple[str, ...]:
    """Say of which examples beside a rule the rule says the opposite; where it is open or closed makes no difference."""
    wrong = []
    for example, should_pass in [*((text, True) for text in rule.passes), *((text, False) for text in rule.fails)]:
        text = visible(example)
        does_pass = not any(True for _ in broken(rule, text, said=(text.text,)))
        if does_pass != should_pass:
            wrong.append(f"{example!r} should {'pass' if should_pass else 'fail'}, and it does not")
    return tuple(wrong)


def _applies(rule: PolicyRule, evidence: Evidence, rules: Rules) -> bool:
    if (rule.topics and evidence.topic not in rule.topics) or (rule.channels and evidence.channel not in rule.channels):
        return False
    if rule.hours == "always" or rules.hours is None:
        return rule.hours == "always"
    return is_open(rules.hours, evidence.at) == (rule.hours == "open")


def _finding(
    code: Code, why: str, text: Visible, span: tuple[int, int] | None, severity: Severity | None = None
) -> Finding:
    return Finding(
        check=code.check,
        code=code.code,
        severity=severity or code.severity,
        explanation=f"{code.explanation[:-1]}: {why}" if why else code.explanation,
        span=None if span is None else Span(start=text.place(span[0]), end=text.place(span[1] - 1) + 1),
    )


def _phrase_spans(phrase: str, text: str) -> list[tuple[int, int]]:
    pattern = _phrase(phrase)
    return [match.span() for match in pattern.finditer(text)] if pattern else []


@lru_cache(maxsize=1_024)
def _phrase(phrase: str) -> re.Pattern[str] | None:
    parts = [re.escape(part) for part in phrase.replace("\u2019", "'").split()]
    return re.compile(r"(?<!\w)" + r"\s{1,20}".join(parts) + r"(?!\w)", re.IGNORECASE) if parts else None
