"""Escalation: recorded conversations that belonged with a person, and what customers write that must not look so."""

from __future__ import annotations

import statistics
import time
from collections import Counter
from pathlib import Path
from typing import Any

from checks_bench.course_learning import Case, cases_in, precision_at, scored_unseen
from checks_bench.sample import NO_RULES, auroc, evidence_for, is_for_training, rows
from checks_bench.trajectories import FILE, messages_of, trajectories, turns
from understudy.assessment.checks.escalation import EscalationCheck
from understudy.assessment.course import MODEL

NAME = "escalation"
QUESTIONS = "intents_banking77.jsonl.gz"
FILES = (FILE, QUESTIONS)
RECALL = 0.681
"""The recall at which issue 4 asks for a precision."""


def measure(data: Path) -> dict[str, Any]:
    """Score conversations by models that saw none of their task; count findings on ordinary questions to a bank."""
    cases = cases_in(data)
    scored = scored_unseen(cases)
    flagged = [case for score, threshold, case in scored if score >= threshold]
    handed_over = [case for case in cases if case.was_handed_over]
    bad = sum(case.is_bad for case in cases)
    baseline_recall = sum(case.is_bad for case in handed_over) / bad
    return {
        "gold_transfer": {
            "records": len(cases),
            "bad": bad,
            "tasks_bad": len({case.task for case in cases if case.is_bad}),
            "auroc": auroc([s for s, _, c in scored if c.is_bad], [s for s, _, c in scored if not c.is_bad]),
            "precision": _precision(flagged),
            "recall": sum(case.is_bad for case in flagged) / bad,
            "precision_at_recall_of_handed_over": precision_at(scored, baseline_recall),
            f"precision_at_recall_{RECALL}": precision_at(scored, RECALL),
            "shipped_precision_on_what_it_learned_from": _precision(
                [case for case in cases if MODEL.probability(case.numbers) >= MODEL.threshold]
            ),
        },
        "handed_over": {"precision": _precision(handed_over), "recall": baseline_recall},
        "questions": _on_questions(data),
        **_times(data),
    }


def _precision(cases: list[Case]) -> float | None:
    return sum(case.is_bad for case in cases) / len(cases) if cases else None


def _on_questions(data: Path) -> dict[str, Any]:
    """On what share of single questions to a bank each code is found: most should have none."""
    check, found, records = EscalationCheck(), Counter[str](), 0
    for row in rows(data / QUESTIONS):
        if not is_for_training(row["text"]):
            evidence = evidence_for(row["text"])
            assert evidence.draft is not None
            records += 1
            found.update({f.code for f in check.examine(evidence, evidence.draft, NO_RULES).findings})
    return {"records": records, **{code: count / records for code, count in sorted(found.items())}}


def _times(data: Path) -> dict[str, float]:
    check, times = EscalationCheck(), []
    for number, row in enumerate(trajectories(data)):
        for evidence in turns(messages_of(row)) if number % 5 == 0 else ():
            assert evidence.draft is not None
            began = time.perf_counter()
            check.examine(evidence, evidence.draft, NO_RULES)
            times.append((time.perf_counter() - began) * 1e3)
    times.sort()
    return {"ms_p50": statistics.median(times), "ms_p99": times[int(0.99 * (len(times) - 1))]}
