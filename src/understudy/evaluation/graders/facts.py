"""A grader of facts: what must stand in a reply and what must not, compared as the check of grounding compares them.

"30 EUR", "€30.00" and "30 euros" are one fact, "2 weeks" and "14 days" too. A fact without any value is looked for by
its words, in order, whatever their endings.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import Field

from understudy.assessment.checks.grounding import Carriers
from understudy.assessment.entities import entities
from understudy.assessment.wording import stem, words
from understudy.evaluation.graders.contract import Attempted, Complaints, Grader, Means, Terms, read_terms
from understudy.records.suite import Grade


class FactTerms(Terms):
    """Facts that must all, must at least one of, and must not stand in the reply."""

    must: list[str] = Field([])
    any_of: list[str] = Field([])
    must_not: list[str] = Field([])


def facts(terms: Mapping[str, Any], means: Means) -> Grader:  # noqa: ARG001 - a maker's shape
    """Facts stand in the reply, or do not."""
    read = read_terms(FactTerms, terms, short="must")
    if not (read.must or read.any_of or read.must_not):
        raise ValueError("give at least one fact under must, any_of or must_not")
    empty = [fact for fact in (*read.must, *read.any_of, *read.must_not) if not words(fact) and not entities(fact)]
    if empty:
        raise ValueError(f"{empty[0]!r} holds neither a value nor a word")

    def grade(attempted: Attempted) -> Grade:
        complaints, text = Complaints(grader="facts"), attempted.text
        complaints.found += [f"{fact!r} is missing" for fact in read.must if not states(text, fact)]
        if read.any_of and not any(states(text, fact) for fact in read.any_of):
            complaints.found.append(f"none of {read.any_of!r} is there")
        complaints.found += [f"{fact!r} is there" for fact in read.must_not if states(text, fact, exactly=True)]
        return complaints.grade()

    return grade


def states(text: str, fact: str, *, exactly: bool = False) -> bool:
    """Whether a text states a fact. `exactly`: a bare number does not stand for an amount of money."""
    values = entities(fact)
    if not values:
        return _run_in([stem(word) for word in words(fact)], [stem(word) for word in words(text)])
    if not exactly:
        carriers = Carriers(text)
        return all(carriers.carry(value) for value in values)
    known = {(value.kind, reading) for value in entities(text) for reading in value.readings}
    return all(any((value.kind, reading) in known for reading in value.readings) for value in values)


def _run_in(wanted: list[str], words_there: list[str]) -> bool:
    length = len(wanted)
    return any(words_there[at : at + length] == wanted for at in range(len(words_there) - length + 1))
