"""Check that the draft is a finished message: not empty, not cut off, no template left in it, and an answer at all.

Style, tone and whether the answer helps are not looked at.
"""

from __future__ import annotations

import re
from typing import Final

from understudy.assessment.check import Code, Examination, examination
from understudy.records.assessment import Finding, Severity, Span
from understudy.records.evidence import Draft, Evidence
from understudy.records.rulebook import Rules

EMPTY = Code(
    check="quality",
    code="empty",
    severity=Severity.BLOCKING,
    explanation="The draft has no text to send.",
)
TRUNCATED = Code(
    check="quality",
    code="truncated",
    severity=Severity.BLOCKING,
    explanation="The draft was cut off before its end.",
)
DOES_NOT_KNOW = Code(
    check="quality",
    code="does_not_know",
    severity=Severity.MAJOR,
    explanation="The agent says that it does not know the answer.",
)
HANDOFF_REQUESTED = Code(
    check="quality",
    code="handoff_requested",
    severity=Severity.MAJOR,
    explanation="The agent asks that a person takes over.",
)
PLACEHOLDER = Code(
    check="quality",
    code="placeholder",
    severity=Severity.BLOCKING,
    explanation="The draft contains a placeholder that was never filled in.",
)
MARKUP = Code(
    check="quality",
    code="markup",
    severity=Severity.MINOR,
    explanation="The draft contains raw HTML, which most channels show as it stands.",
)
CODES = (EMPTY, TRUNCATED, DOES_NOT_KNOW, HANDOFF_REQUESTED, PLACEHOLDER, MARKUP)

DOES_NOT_KNOW_CHARS_MAX: Final = 400
"""Only a draft up to this length that says "I don't know" is taken to say nothing else."""
_CUT_LINE_CHARS_MIN: Final = 60

_DOES_NOT_KNOW = re.compile(
    r"\b(?:i|we)(?: am|'m| are|'re)? (?:really |honestly |afraid i )?(?:do not|don't) know\b(?! (?:yet|which))"
    r"|\b(?:i|we)(?:'m not| am not) (?:sure (?:about|how|what|if|whether)|able to answer)"
    r"|\b(?:i|we) (?:do not|don't) have (?:any |that |the |this |enough )?(?:information|an answer|details)\b(?! yet)"
    r"|\b(?:i|we) (?:could not|couldn't|cannot|can't) find (?:any |an |the )?(?:information|answer|article)",
    re.IGNORECASE,
)
_TO_FILL_IN = r"insert|your|customer|client|agent|company|first|last|user|recipient|order|tracking|phone|name|date|link"
_PLACEHOLDER = re.compile(
    r"\{\{[^{}\n]{0,60}\}\}|\{%[^%\n]{0,60}%\}|(?<![\w{$])\{[a-z][a-z0-9_.]{1,40}\}|\$\{[^}\n]{1,40}\}"
    rf"|\[(?:[A-Z][A-Z _]{{2,40}}|(?i:(?:{_TO_FILL_IN})(?: [^\]\n\d]{{1,40}})?))\](?!\()"
    r"|<(?i:insert|your|customer|name)(?:[ _][A-Za-z _]{1,30})?>|\bTODO\b|\bTBD\b|\bX{4,}\b|(?i:\blorem ipsum\b)"
)
_TAGS = "p|br|div|span|b|i|u|a|ul|ol|li|table|tr|td|th|img|h[1-6]|script|style|strong|em|font|iframe"
_MARKUP = re.compile(rf"</?(?:{_TAGS})(?:\s[^<>]{{0,300}})?/?>", re.IGNORECASE)
_HANGING = re.compile(
    r"(?:[,(\[{\u2014\u2013&/]|\b(?:and|or|but|the|an?|to|of|with|for|your|because|if))\Z", re.IGNORECASE
)
_ITEM = re.compile(r"\s*(?:[-*\u2022#>|]|\d{1,3}[.)])")


class QualityCheck:
    """Is the draft a finished message that answers?"""

    name = "quality"
    words = "the draft is not a finished answer"
    needs_draft = True

    def examine(self, _evidence: Evidence, draft: Draft, _rules: Rules) -> Examination:
        """Find what makes the draft unfit to send as it stands."""
        findings: list[Finding] = []
        text = draft.text.strip()
        if not text:
            findings.append(EMPTY.found())
        if draft.finish_reason == "length":
            findings.append(TRUNCATED.found())
        elif _is_cut_off(text):
            end = len(draft.text.rstrip())
            findings.append(TRUNCATED.found(Span(start=end, end=end), severity=Severity.MAJOR))
        if draft.does_not_know or _says_it_does_not_know(text):
            findings.append(DOES_NOT_KNOW.found())
        if draft.handoff:
            findings.append(HANDOFF_REQUESTED.found())
        findings += [PLACEHOLDER.found(_span(match)) for match in _PLACEHOLDER.finditer(draft.text)]
        if markup := _MARKUP.search(draft.text):
            findings.append(MARKUP.found(_span(markup)))
        return examination(findings)


def _span(match: re.Match[str]) -> Span:
    return Span(start=match.start(), end=match.end())


def _says_it_does_not_know(text: str) -> bool:
    return len(text) <= DOES_NOT_KNOW_CHARS_MAX and _DOES_NOT_KNOW.search(text.replace("\u2019", "'")) is not None


def _is_cut_off(text: str) -> bool:
    """Whether the text ends in the middle of a sentence: on a hanging word, or a long line of prose without an end."""
    if _HANGING.search(text):
        return True
    line = text.rpartition("\n")[2]
    is_prose = len(line) >= _CUT_LINE_CHARS_MIN and not _ITEM.match(line) and "://" not in line.rpartition(" ")[2]
    return is_prose and line[-1].isalnum()
