"""Graders that compare texts as they stand: exact, by pattern, and whether a reply is a known bad one again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from pydantic import Field
from rapidfuzz import fuzz

from understudy.assessment.patterns import matches, problem
from understudy.assessment.wording import words
from understudy.evaluation.graders.contract import Attempted, Complaints, Grader, Means, Terms, read_terms
from understudy.records.suite import Grade

REPEATED_FROM: Final = 0.9


class ExactTerms(Terms):
    """One of these texts, white space and, unless `case` is true, case aside."""

    texts: list[str] | str
    case: bool = False


class RegexTerms(Terms):
    """RE2 patterns that must, or must not, match somewhere; case is ignored."""

    must: list[str] | str = Field([])
    must_not: list[str] | str = Field([])


class DiffersTerms(Terms):
    """A text that the reply must not repeat; at this share of likeness, in (0, 1], it does."""

    text: str = Field(alias="from")
    below: float = Field(REPEATED_FROM, gt=0, le=1)


def exact(terms: Mapping[str, Any], means: Means) -> Grader:  # noqa: ARG001 - a maker's shape
    """The reply is one of the given texts."""
    read = read_terms(ExactTerms, terms, short="texts")
    wanted = _several(read.texts)
    if not wanted:
        raise ValueError("give at least one text")

    def form(text: str) -> str:
        plain = " ".join(text.split())
        return plain if read.case else plain.casefold()

    known = {form(text) for text in wanted}

    def grade(attempted: Attempted) -> Grade:
        if form(attempted.text) in known:
            return Grade(grader="exact", loss=0.0)
        return Grade(grader="exact", loss=1.0, why=f"the reply is not {wanted[0]!r:.80}")

    return grade


def regex(terms: Mapping[str, Any], means: Means) -> Grader:  # noqa: ARG001
    """Patterns match, or do not."""
    read = read_terms(RegexTerms, terms, short="must")
    must, must_not = _several(read.must), _several(read.must_not)
    if not (must or must_not):
        raise ValueError("give at least one pattern")
    for pattern in (*must, *must_not):
        wrong = problem(pattern)
        if wrong is not None:
            raise ValueError(f"{pattern!r} is no RE2 expression ({wrong})")

    def grade(attempted: Attempted) -> Grade:
        complaints = Complaints(grader="regex")
        complaints.found += [f"nothing matches {one!r:.80}" for one in must if not matches(one, attempted.text)]
        complaints.found += [f"something matches {one!r:.80}" for one in must_not if matches(one, attempted.text)]
        return complaints.grade()

    return grade


def differs(terms: Mapping[str, Any], means: Means) -> Grader:  # noqa: ARG001
    """The reply is not, nearly word for word, one that is known to be bad."""
    read = read_terms(DiffersTerms, terms, short="from")
    bad = " ".join(words(read.text))
    if not bad:
        raise ValueError("`from` holds no word")

    def grade(attempted: Attempted) -> Grade:
        likeness = max(_likeness(bad, reply) for reply in (attempted.replies or (attempted.draft.text,)))
        if likeness < read.below:
            return Grade(grader="differs", loss=0.0)
        return Grade(
            grader="differs", loss=1.0, why=f"the reply repeats one that was bad: {likeness:.0%} of the words are its"
        )

    return grade


def _likeness(bad: str, reply: str) -> float:
    return fuzz.ratio(bad, " ".join(words(reply))) / 100


def _several(given: list[str] | str) -> list[str]:
    return [given] if isinstance(given, str) else list(given)
