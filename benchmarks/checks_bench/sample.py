"""One record put through one check, the sums over many, and which records may be learned from; it knows no data set."""

from __future__ import annotations

import gzip
import hashlib
import json
import statistics
import time
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from understudy.assessment.check import NO_DRAFT, Check
from understudy.records.evidence import ChatMessage, Draft, Evidence
from understudy.records.rulebook import Rules

TRAINING_SHARE = 0.7
AT = datetime(2026, 5, 4, 10, 0, tzinfo=UTC)
NO_RULES = Rules()


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """What a check said of one record. `is_bad` is the label; `suspicion` in [0, 1] is 1 - the check's signal (or
    another number that rises with it); `is_flagged`: the check found it at the shipped threshold."""

    is_bad: bool
    suspicion: float
    is_flagged: bool
    codes: frozenset[str] = frozenset()
    took_ms: float = 0.0


def rows(path: Path) -> Iterator[dict[str, Any]]:
    """Read a gzip file of JSON lines."""
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)


def is_for_training(key: str, *, share: float = TRAINING_SHARE) -> bool:
    """Whether what comes from the source `key` may be learned from; the rest is for measuring."""
    digest = hashlib.sha256(f"understudy-bench|{key}".encode()).digest()
    return int.from_bytes(digest[:8]) / 2**64 < share


def evidence_for(*customer: str, draft: Draft | None = None, messages: Sequence[ChatMessage] = ()) -> Evidence:
    """A conversation in which the customer wrote these messages after `messages`; no draft means `NO_DRAFT`."""
    said = tuple(ChatMessage(role="user", content=text) for text in customer)
    return Evidence(
        turn_id="bench",
        conversation_id="bench",
        channel="webchat",
        topic="unknown",
        at=AT,
        messages=(*messages, *said),
        burst=len(said),
        draft=draft or NO_DRAFT,
    )


def examined(
    check: Check, evidence: Evidence, *, is_bad: bool, flags: Iterable[str] | None = None, rules: Rules = NO_RULES
) -> Sample:
    """Run a check once. `flags` names the codes that count as "found it"; None is any finding."""
    draft = evidence.draft or NO_DRAFT
    began = time.thread_time()
    examination = check.examine(evidence, draft, rules)
    took_ms = (time.thread_time() - began) * 1e3
    codes = frozenset(finding.code for finding in examination.findings)
    return Sample(
        is_bad=is_bad,
        suspicion=1.0 - examination.score,
        is_flagged=bool(codes if flags is None else codes & set(flags)),
        codes=codes,
        took_ms=took_ms,
    )


def figures(samples: Sequence[Sample]) -> dict[str, Any]:
    """Sum samples up; a figure that needs both kinds of record is None where there is only one."""
    bad = [sample for sample in samples if sample.is_bad]
    flagged = [sample for sample in samples if sample.is_flagged]
    found = sum(sample.is_bad for sample in flagged)
    good = [sample.suspicion for sample in samples if not sample.is_bad]
    times = sorted(sample.took_ms for sample in samples)
    return {
        "records": len(samples),
        "bad": len(bad),
        "auroc": auroc([sample.suspicion for sample in bad], good),
        "precision": found / len(flagged) if flagged else None,
        "recall": found / len(bad) if bad else None,
        "tpr_at_1pct_fpr": tpr_at_fpr([sample.suspicion for sample in bad], good, fpr=0.01),
        "ms_p50": statistics.median(times) if times else None,
        "ms_p99": times[int(0.99 * (len(times) - 1))] if times else None,
        "codes": _codes(samples),
    }


def auroc(bad: Sequence[float], good: Sequence[float]) -> float | None:
    """The probability that a bad record is more suspicious than a good one; ties count half (Mann-Whitney U)."""
    if not bad or not good:
        return None
    ranked = sorted(good)
    wins = sum(bisect_left(ranked, one) + bisect_right(ranked, one) for one in bad)
    return wins / (2 * len(bad) * len(good))


def tpr_at_fpr(bad: Sequence[float], good: Sequence[float], *, fpr: float) -> float | None:
    """The share of bad records above the threshold that at most a share `fpr` of good ones is above."""
    if not bad or not good:
        return None
    allowed = int(fpr * len(good))
    threshold = sorted(good, reverse=True)[allowed]
    return sum(one > threshold for one in bad) / len(bad)


def _codes(samples: Sequence[Sample]) -> dict[str, dict[str, float]]:
    """For each finding code on how many records it was found, and on what share of those rightly."""
    names = sorted({code for sample in samples for code in sample.codes})
    having = {name: [sample.is_bad for sample in samples if name in sample.codes] for name in names}
    return {name: {"found": len(labels), "precision": sum(labels) / len(labels)} for name, labels in having.items()}
