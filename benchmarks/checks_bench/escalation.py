"""Escalation: recorded conversations that belonged with a person, and what customers write that must not look so."""

from __future__ import annotations

import statistics
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from checks_bench.course_learning import Case, cases_in, precision_at, scored_unseen, unseen
from checks_bench.sample import NO_RULES, auroc, evidence_for, is_for_training, rows
from checks_bench.trajectories import FILE, messages_of, trajectories, turns
from understudy.assessment.assess import assess
from understudy.assessment.checks import CHECKS
from understudy.assessment.checks.escalation import NEEDS_PERSON, EscalationCheck
from understudy.assessment.course import MODEL
from understudy.records.assessment import DecisionKind
from understudy.records.rulebook import Rulebook

NAME = "escalation"
QUESTIONS = "intents_banking77.jsonl.gz"
FILES = (FILE, QUESTIONS)
RECALL = 0.681
"""The recall at which issue 4 asks for a precision."""


def measure(data: Path) -> dict[str, Any]:
    """Score conversations by models that saw none of their task; count findings on ordinary questions to a bank."""
    cases = cases_in(data)
    handed_over = [case for case in cases if case.was_handed_over]
    return {
        "gold_transfer": _gold_transfer(cases, recall_of_agents=_found(handed_over, cases)["recall"]),
        "handed_over": _found(handed_over, cases),
        "questions": _on_questions(data),
        **_times(data),
    }


def _gold_transfer(cases: list[Case], *, recall_of_agents: float) -> dict[str, Any]:
    """What the check and the decision say, as they ship but for the weights, which saw nothing of the task."""
    signals, named, handed_off = [], [], []
    for model, case in unseen(cases):
        checks = tuple(EscalationCheck(model) if check.name == NAME else check for check in CHECKS)
        assessment = assess(case.evidence, Rulebook(id="bench", rules=NO_RULES), checks=checks)
        signals += [(1.0 - signal.score, case) for signal in assessment.signals if signal.check == NAME]
        named += [case] * any(finding.name == NEEDS_PERSON.name for finding in assessment.findings)
        handed_off += [case] * (assessment.decision.kind is DecisionKind.HAND_OFF)
    scored = scored_unseen(cases)
    return {
        "records": len(cases),
        "bad": sum(case.is_bad for case in cases),
        "tasks_bad": len({case.task for case in cases if case.is_bad}),
        "auroc": _auroc(scored),
        **_found(named, cases),
        f"precision_at_recall_{RECALL}": precision_at(scored, RECALL),
        "precision_at_recall_of_handed_over": precision_at(scored, recall_of_agents),
        "signal": {"auroc": _auroc(signals), f"precision_at_recall_{RECALL}": precision_at(signals, RECALL)},
        "decided_hand_off": _found(handed_off, cases),
        "shipped_on_what_it_learned_from": _found(
            [case for case in cases if MODEL.probability(case.numbers) >= MODEL.threshold], cases
        ),
    }


def _auroc(scored: Sequence[tuple[float, Case]]) -> float | None:
    return auroc([score for score, case in scored if case.is_bad], [s for s, case in scored if not case.is_bad])


def _found(found: list[Case], cases: list[Case]) -> dict[str, Any]:
    rightly = sum(case.is_bad for case in found)
    return {
        "found": len(found),
        "precision": rightly / len(found) if found else None,
        "recall": rightly / sum(case.is_bad for case in cases),
    }


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
