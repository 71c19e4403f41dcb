"""Learning how a conversation that belongs with a person goes, for the shipped file and for the benchmark alike."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from checks_bench.logistic import fit_dense
from checks_bench.trajectories import last_turn, messages_of, trajectories
from understudy.assessment.course import CourseModel, numbers_of
from understudy.records.evidence import Evidence

RIDGE = 30.0
RECALL = 0.64
FOLDS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One conversation. `is_bad`: it belongs with a person; `was_handed_over`: the recorded agent passed it on."""

    task: str
    evidence: Evidence
    numbers: dict[str, float]
    is_bad: bool
    was_handed_over: bool


def cases_in(data: Path) -> list[Case]:
    """Read the conversations whose task says whether they belong with a person."""
    cases = []
    for row in trajectories(data):
        evidence = last_turn(messages_of(row))
        if row["gold_transfer"] is not None and evidence.draft is not None:
            cases.append(
                Case(
                    task=row["task_cluster"],
                    evidence=evidence,
                    numbers=numbers_of(evidence, evidence.draft),
                    is_bad=row["gold_transfer"],
                    was_handed_over=row["transferred"],
                )
            )
    return cases


def learned(cases: Sequence[Case]) -> CourseModel:
    """Fit, and take the threshold that finds `RECALL` of what it learned from."""
    names = sorted(cases[0].numbers)
    weights = _weights(cases)
    rows = [[case.numbers[name] for name in names] for case in cases]
    bias, beta = fit_dense(rows, [case.is_bad for case in cases], weights, ridge=RIDGE)
    model = CourseModel(bias=bias, weights=dict(zip(names, beta, strict=True)), threshold=1.0)
    found = sorted((model.probability(case.numbers) for case in cases if case.is_bad), reverse=True)
    threshold = found[min(len(found) - 1, int(RECALL * len(found)))]
    return CourseModel(bias=model.bias, weights=model.weights, threshold=threshold - 1e-3)


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
