"""Learning how a conversation that belongs with a person goes, for the shipped file and for the benchmark alike."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from checks_bench.logistic import fit_dense
from checks_bench.trajectories import last_turn, messages_of, trajectories, turns_to_the_end
from understudy.assessment.course import CourseModel, numbers_of
from understudy.records.evidence import Evidence

RIDGE = 30.0
RECALL_WEIGHS = 2.0
"""The threshold is that of the best F-score in which a person who is needed and missed weighs so much more (F2)."""
FOLDS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One conversation. `is_bad`: it belongs with a person; `was_handed_over`: the recorded agent passed it on.

    `evidence` and its `numbers` are those of the whole conversation, `course` those of each turn, in order.
    """

    task: str
    evidence: Evidence
    numbers: dict[str, float]
    course: tuple[dict[str, float], ...]
    is_bad: bool
    was_handed_over: bool


def cases_in(data: Path) -> list[Case]:
    """Read the conversations whose task says whether they belong with a person."""
    return [case_of(row) for row in trajectories(data) if row["gold_transfer"] is not None]


def case_of(row: dict[str, Any]) -> Case:
    """One recorded conversation as it is learned from."""
    messages = messages_of(row)
    evidence = last_turn(messages)
    return Case(
        task=row["task_cluster"],
        evidence=evidence,
        numbers=_numbers(evidence),
        course=tuple(map(_numbers, turns_to_the_end(messages))),
        is_bad=row["gold_transfer"],
        was_handed_over=row["transferred"],
    )


def _numbers(evidence: Evidence) -> dict[str, float]:
    assert evidence.draft is not None
    return numbers_of(evidence, evidence.draft)


def learned(cases: Sequence[Case]) -> CourseModel:
    """Fit on whole conversations; take the threshold that serves best where every turn is asked, as it is live.

    A conversation is found if one of its turns is. Asked so often, a threshold that suits whole conversations finds far
    too many: an ordinary one, too, begins with little done.
    """
    names = sorted(cases[0].numbers)
    rows = [[case.numbers[name] for name in names] for case in cases]
    bias, beta = fit_dense(rows, [case.is_bad for case in cases], _weights(cases), ridge=RIDGE)
    model = CourseModel(bias=bias, weights=dict(zip(names, beta, strict=True)), threshold=1.0)
    return replace(model, threshold=_threshold(model, cases))


def _threshold(model: CourseModel, cases: Sequence[Case]) -> float:
    highest = sorted(((max(map(model.probability, case.course)), case.is_bad) for case in cases), reverse=True)
    bad = sum(is_bad for _, is_bad in highest)
    rightly, best = 0, (0.0, 1.0)
    for place, (probability, is_bad) in enumerate(highest, start=1):
        rightly += is_bad
        if place == len(highest) or highest[place][0] < probability:
            score = (1 + RECALL_WEIGHS**2) * rightly / (RECALL_WEIGHS**2 * bad + place)
            best = max(best, (score, probability - 1e-3))
    return best[1]


def _weights(cases: Sequence[Case]) -> list[float]:
    counts = Counter(case.is_bad for case in cases)
    return [len(cases) / 2 / counts[case.is_bad] for case in cases]


def unseen(cases: Sequence[Case]) -> Iterator[tuple[CourseModel, Case]]:
    """Give each conversation with a model that saw no conversation of its task."""
    for fold in range(FOLDS):
        model = learned([case for case in cases if _fold(case.task) != fold])
        yield from ((model, case) for case in cases if _fold(case.task) == fold)


def scored_unseen(cases: Sequence[Case]) -> list[tuple[float, Case]]:
    """Score each conversation by such a model."""
    return [(model.probability(case.numbers), case) for model, case in unseen(cases)]


def precision_at(scored: Sequence[tuple[float, Case]], recall: float) -> float:
    """The precision where just so many of the bad ones are found, ties taken whole."""
    wanted = recall * sum(case.is_bad for _, case in scored)
    ordered = sorted(scored, key=lambda item: -item[0])
    found = 0
    for place, (score, case) in enumerate(ordered, start=1):
        found += case.is_bad
        if found >= wanted and (place == len(ordered) or ordered[place][0] < score):
            return found / place
    return 0.0


def _fold(task: str) -> int:
    return hashlib.sha256(f"fold|{task}".encode()).digest()[0] % FOLDS
