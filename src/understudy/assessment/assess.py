"""The pure core as one function: run the checks, weigh their signals, decide. Everything else is the shell's work.

The same evidence under the same rulebook gives the same assessment, bit for bit, on every machine. A check that
raises or answers nonsense becomes a finding of severity *unknown* with a signal of 0; it never stops the others.
"""

from __future__ import annotations

import math
from typing import Final

from understudy.assessment.check import NO_DRAFT, Check, Examination
from understudy.assessment.checks import CHECKS
from understudy.assessment.confidence import AGENT_SIGNAL, AGENT_WORDS, confidence
from understudy.assessment.decision import decide
from understudy.records.assessment import Assessment, Finding, Severity, Signal, Span
from understudy.records.evidence import Evidence
from understudy.records.rulebook import CheckPolicy, Rulebook, Rules

CHECK_FAILED: Final = "check_failed"
"""The code of the finding that stands for a check that could not tell; every check can have it."""


def assess(evidence: Evidence, rulebook: Rulebook, *, checks: tuple[Check, ...] = CHECKS) -> Assessment:
    """Assess the draft of a turn, or what to do without one.

    Signals and findings stand in the order of `checks`. Without a draft only the checks that need none run, and
    there is no confidence. A check whose failure the rulebook ignores does not count in the confidence.
    """
    rules = rulebook.rules
    policies = {policy.check: policy for policy in rules.checks}
    running = [check for check in checks if _runs(check, evidence, policies)]
    examinations = [(check, _examine(check, evidence, rules)) for check in running]
    findings = tuple(finding for _, examination in examinations for finding in examination.findings)
    signals = [Signal(check=check.name, score=float(examination.score)) for check, examination in examinations]
    if evidence.draft is not None and evidence.draft.confidence is not None and _is_enabled(AGENT_SIGNAL, policies):
        signals.append(Signal(check=AGENT_SIGNAL, score=evidence.draft.confidence))
    counted = counted_signals(tuple(signals), findings, rules)
    words = {AGENT_SIGNAL: AGENT_WORDS} | {check.name: check.words for check in running}
    sure = None if evidence.draft is None else confidence(counted, rules, words=words)
    return Assessment(
        rulebook_id=rulebook.id,
        signals=tuple(signals),
        findings=findings,
        confidence=sure,
        decision=decide(evidence, findings, sure, rules),
    )


def counted_signals(signals: tuple[Signal, ...], findings: tuple[Finding, ...], rules: Rules) -> tuple[Signal, ...]:
    """The signals that the confidence is made of: all but those of checks whose failure the rulebook ignores."""
    policies = {policy.check: policy for policy in rules.checks}
    ignored = {f.check for f in findings if f.severity is Severity.UNKNOWN and _is_ignored(f.check, policies)}
    return tuple(signal for signal in signals if signal.check not in ignored)


def _runs(check: Check, evidence: Evidence, policies: dict[str, CheckPolicy]) -> bool:
    return _is_enabled(check.name, policies) and (evidence.draft is not None or not check.needs_draft)


def _is_enabled(name: str, policies: dict[str, CheckPolicy]) -> bool:
    return name not in policies or policies[name].enabled


def _is_ignored(name: str, policies: dict[str, CheckPolicy]) -> bool:
    return name in policies and policies[name].on_failure == "ignore"


def _examine(check: Check, evidence: Evidence, rules: Rules) -> Examination:
    draft = evidence.draft or NO_DRAFT
    try:
        examination = check.examine(evidence, draft, rules)
    except Exception as error:  # noqa: BLE001 - whatever a check raises, its result is unknown, and unknown never passes
        return _failed(check, f"The check stopped with {type(error).__name__}.")
    nonsense = _nonsense(examination, check, draft.text)
    return examination if nonsense is None else _failed(check, f"The check answered nonsense: {nonsense}.")


def _failed(check: Check, explanation: str) -> Examination:
    """Stand in for what a check did not say. The explanation never quotes the error: it may hold a customer's words."""
    finding = Finding(check=check.name, code=CHECK_FAILED, severity=Severity.UNKNOWN, explanation=explanation)
    return Examination(score=0.0, findings=(finding,))


def _nonsense(examination: object, check: Check, text: str) -> str | None:
    """Say what is wrong with a check's answer, if anything is."""
    if not isinstance(examination, Examination):
        return "no examination"
    score: object = examination.score
    if not isinstance(score, int | float) or isinstance(score, bool) or not math.isfinite(score):
        return "a score that is no number"
    if not 0.0 <= score <= 1.0:
        return "a score outside 0 to 1"
    findings: object = examination.findings
    if not isinstance(findings, tuple) or not all(isinstance(finding, Finding) for finding in findings):
        return "findings that are none"
    if not all(_fits(finding, check, text) for finding in findings):
        return "a finding that is not its own, of no severity, or outside the draft"
    return None


def _fits(finding: Finding, check: Check, text: str) -> bool:
    is_inside = finding.span is None or (isinstance(finding.span, Span) and finding.span.end <= len(text))
    words: tuple[object, ...] = (finding.code, finding.explanation)
    return (
        finding.check == check.name
        and isinstance(finding.severity, Severity)
        and is_inside
        and all(isinstance(word, str) for word in words)
    )
