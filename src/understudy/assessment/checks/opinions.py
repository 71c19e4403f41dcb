"""Check what second opinions said of the draft: a judge's word, a model's score. It asks nobody; answers are evidence.

A word is read strictly: only known words pass or fail, every other is unknown. An opinion that is missing, failed or
came too late is unknown too; the rulebook may let one opinion's silence pass.
"""

from __future__ import annotations

import re
from typing import Final, Literal

from understudy.assessment.check import Code, Examination, examination
from understudy.records.assessment import Finding, Severity
from understudy.records.evidence import Draft, Evidence, Opinion
from understudy.records.rulebook import OpinionRule, Rules

REJECTED = Code(
    check="opinions",
    code="rejected",
    severity=Severity.MAJOR,
    explanation="A second opinion says that the draft is not good.",
)
LOW_SCORE = Code(
    check="opinions",
    code="low_score",
    severity=Severity.MAJOR,
    explanation="A second opinion gives the draft a score below what the rulebook asks for.",
)
UNTOLD = Code(
    check="opinions",
    code="untold",
    severity=Severity.UNKNOWN,
    explanation="A second opinion was not given, came too late, or used a word that nobody knows.",
)
UNTOLD_IGNORED = Code(
    check="opinions",
    code="untold_ignored",
    severity=Severity.INFO,
    explanation="A second opinion could not tell, and the rulebook lets that pass.",
)
CODES = (REJECTED, LOW_SCORE, UNTOLD, UNTOLD_IGNORED)

GOOD_WORDS: Final = frozenset(
    "pass passed yes ok okay good approve approved satisfactory satisfied compliant correct supported".split()
)
BAD_WORDS: Final = frozenset(
    "fail failed failure no bad reject rejected unsatisfactory unsatisfied dissatisfied noncompliant non-compliant incorrect "
    "wrong unsupported contradicted".split()
)
_TRIMMINGS = re.compile(r"^[\s\"'`*_.:!]+|[\s\"'`*_.:!]+$")


class OpinionsCheck:
    """Do those who were asked as well hold the draft for good?"""

    name = "opinions"
    words = "a second opinion has doubts"
    needs_draft = True

    def examine(self, evidence: Evidence, _draft: Draft, rules: Rules) -> Examination:
        """Read each opinion that the rulebook asks for; the lowest score counts."""
        given = {opinion.name: opinion for opinion in evidence.opinions}
        found: list[Finding] = []
        lowest = 1.0
        for rule in rules.opinions:
            opinion = given.get(rule.name)
            found += _of_one(opinion, rule)
            if opinion is not None and opinion.score is not None:
                lowest = min(lowest, opinion.score)
        return examination(found, at_most=lowest)


def verdict_of(word: str) -> Literal["good", "bad", "unknown"]:
    """Read a judge's word: case, quotes and a full stop aside, it must be one that is known."""
    plain = _TRIMMINGS.sub("", word).casefold()
    return "good" if plain in GOOD_WORDS else "bad" if plain in BAD_WORDS else "unknown"


def _of_one(opinion: Opinion | None, rule: OpinionRule) -> list[Finding]:
    verdict = "unknown" if opinion is None or opinion.error is not None else _verdict(opinion, rule)
    match verdict:
        case "bad":
            return [REJECTED.found()]
        case "low":
            return [LOW_SCORE.found()]
        case "unknown":
            return [(UNTOLD_IGNORED if rule.on_failure == "ignore" else UNTOLD).found()]
        case _:
            return []


def _verdict(opinion: Opinion, rule: OpinionRule) -> Literal["good", "bad", "low", "unknown"]:
    read = "good" if opinion.word is None else verdict_of(opinion.word)
    if read != "good":
        return read
    if opinion.score is None:
        return "unknown" if opinion.word is None else "good"
    return "low" if opinion.score < rule.score_min else "good"
