"""Graders of what became of an attempt: findings of the checks, Understudy's decision, the end of a conversation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal

from pydantic import Field

from understudy.evaluation.graders.contract import Attempted, Complaints, Grader, Means, Terms, read_terms
from understudy.records.assessment import DecisionKind, Severity
from understudy.records.suite import Grade

End = Literal["satisfied", "unsatisfied", "handed_off", "turns_max"]

_RANK: Final = {Severity.INFO: 0, Severity.MINOR: 1, Severity.MAJOR: 2, Severity.BLOCKING: 3}


class CheckTerms(Terms):
    """The worst finding that is still no failure; the checks that count (empty: all); findings never allowed, whatever
    their severity, by full name such as `grounding.unsupported_amount`."""

    at_most: Literal["info", "minor", "major"] = "minor"
    only: list[str] = Field([])
    forbidden: list[str] = Field([])


class DecisionTerms(Terms):
    """The decisions that are right here."""

    one_of: list[DecisionKind] | DecisionKind


class EndTerms(Terms):
    """How a conversation should have ended."""

    one_of: list[End] | End


def checks(terms: Mapping[str, Any], means: Means) -> Grader:  # noqa: ARG001 - a maker's shape
    """The checks find nothing worse than allowed; one that could not tell is an error."""
    read = read_terms(CheckTerms, terms, short="forbidden")
    limit = _RANK[Severity(read.at_most)]

    def grade(attempted: Attempted) -> Grade:
        counted = [one for one in attempted.assess().findings if not read.only or one.check in read.only]
        unknown = [one.name for one in counted if one.severity is Severity.UNKNOWN]
        bad = [one for one in counted if _RANK.get(one.severity, 0) > limit or one.name in read.forbidden]
        if unknown and not bad:
            return Grade(grader="checks", error=f"a check could not tell: {', '.join(sorted(set(unknown)))}")
        complaints = Complaints(grader="checks")
        complaints.found += sorted({f"{one.name} ({one.severity.value})" for one in bad})
        return complaints.grade()

    return grade


def decision(terms: Mapping[str, Any], means: Means) -> Grader:  # noqa: ARG001
    """Understudy would decide as it should."""
    read = read_terms(DecisionTerms, terms, short="one_of")
    wanted = [read.one_of] if isinstance(read.one_of, DecisionKind) else read.one_of
    if not wanted:
        raise ValueError("give at least one decision")

    def grade(attempted: Attempted) -> Grade:
        made = attempted.assess().decision
        if made.kind in wanted:
            return Grade(grader="decision", loss=0.0)
        reasons = ", ".join(reason.code for reason in made.reasons)
        named = " or ".join(kind.value for kind in wanted)
        return Grade(grader="decision", loss=1.0, why=f"decided {made.kind.value} ({reasons}), not {named}")

    return grade


def ended(terms: Mapping[str, Any], means: Means) -> Grader:  # noqa: ARG001
    """The simulated customer ended as it should."""
    read = read_terms(EndTerms, terms, short="one_of")
    wanted = [read.one_of] if isinstance(read.one_of, str) else read.one_of

    def grade(attempted: Attempted) -> Grade:
        if attempted.ended is None:
            return Grade(grader="ended", error="only a conversation ends; this case is one turn")
        is_right = attempted.ended in wanted
        why = "" if is_right else f"the conversation ended {attempted.ended}, not {' or '.join(wanted)}"
        return Grade(grader="ended", loss=float(not is_right), why=why)

    return grade
