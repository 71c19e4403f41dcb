"""Exposure: sentences with made-up personal data of eleven kinds, each as a draft to a customer nobody knows."""

from __future__ import annotations

import statistics
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

from checks_bench.sample import NO_RULES, evidence_for, is_for_training, rows
from understudy.assessment.checks.exposure import ExposureCheck
from understudy.records.evidence import Draft

NAME = "exposure"
FILES = ("pii_presidio.jsonl.gz",)
KINDS = {
    "card": ("CREDIT_CARD", {"card_number"}),
    "iban": ("IBAN_CODE", {"bank_account"}),
    "email": ("EMAIL_ADDRESS", {"foreign_email", "unverified_email"}),
    "ssn": ("US_SSN", {"national_id"}),
    "phone": ("PHONE_NUMBER", {"foreign_phone", "unverified_phone"}),
}
"""For each kind the label in the data and the codes that should find it."""


def measure(data: Path) -> dict[str, Any]:
    """Compare what is found with what is labelled, span by span: one finds the other where they share a character.

    `unseen` counts only sentences of templates that were not looked at while the forms were written; `all` counts all.
    """
    check = ExposureCheck()
    counts: dict[str, dict[str, list[int]]] = {part: defaultdict(lambda: [0, 0, 0, 0]) for part in ("unseen", "all")}
    times = []
    for row in rows(data / FILES[0]):
        evidence = evidence_for("Hello.", draft=Draft(text=row["text"]))
        assert evidence.draft is not None
        began = time.perf_counter()
        found = check.examine(evidence, evidence.draft, NO_RULES).findings
        times.append((time.perf_counter() - began) * 1e3)
        parts = ("all",) if is_for_training(row["template"]) else ("all", "unseen")
        for kind, (label, codes) in KINDS.items():
            labelled = [(span["start"], span["end"]) for span in row["spans"] if span["type"] == label]
            spans = [(f.span.start, f.span.end) for f in found if f.code in codes and f.span]
            for part in parts:
                _count(counts[part][kind], labelled, spans)
    times.sort()
    return {
        **{part: {kind: _figures(*counts[part][kind]) for kind in KINDS} for part in counts},
        "ms_p50": statistics.median(times),
        "ms_p99": times[int(0.99 * (len(times) - 1))],
    }


def _count(count: list[int], labelled: list[tuple[int, int]], found: list[tuple[int, int]]) -> None:
    """Add up: findings that are right, labels that are found, labels, findings."""
    count[0] += sum(any(_meet(one, other) for other in labelled) for one in found)
    count[1] += sum(any(_meet(one, other) for other in found) for one in labelled)
    count[2] += len(labelled)
    count[3] += len(found)


def _meet(one: tuple[int, int], other: tuple[int, int]) -> bool:
    return one[0] < other[1] and other[0] < one[1]


def _figures(right: int, reached: int, labels: int, found: int) -> dict[str, Any]:
    return {
        "labels": labels,
        "precision": right / found if found else None,
        "recall": reached / labels if labels else None,
    }
