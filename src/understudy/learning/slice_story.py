"""What one slice's labels and the ledger tell, in the form people look at: a curve, stretches of time, moves. Pure; it
decides nothing, and whether anything is certified is asked of `ladder.py`.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import numpy as np

from understudy.learning.ladder import Progress, certified_at
from understudy.learning.promotion import ALONE
from understudy.records.autonomy import EVERY, NOTHING_SAID, Candidate, Epoch, Label, Outcome, Targets
from understudy.records.ledger import LedgerEntry
from understudy.records.rulebook import Level
from understudy.records.slice_story import CurvePoint, LabelBucket, LabelSource, Rung, SliceMove
from understudy.records.standing import SliceStatus
from understudy.stats.coverage import risk_coverage

CURVE_POINTS_MAX: Final = 120
BUCKETS_MAX: Final = 60
BUCKETS_S: Final = (10, 60, 600, 3_600, 6 * 3_600, 86_400, 7 * 86_400, 30 * 86_400, 365 * 86_400)
"""How long a stretch of time may be: the shortest is taken that gives no more than `BUCKETS_MAX`."""
MOVES_MAX: Final = 200


def leading(statuses: Sequence[SliceStatus]) -> SliceStatus:
    """The release whose state says most of a slice, the first of `in_order`. Raises `ValueError` for none."""
    return max(statuses, key=_rank)


def in_order(statuses: Iterable[SliceStatus]) -> tuple[SliceStatus, ...]:
    """The releases of a slice: first who answers now, the larger share first, last whose release is over; else who answers
    alone, then who has a promotion proposed, then whose evidence began last, then who has most drafts."""
    return tuple(sorted(statuses, key=_rank, reverse=True))


def _rank(one: SliceStatus) -> tuple[float, bool, bool, bool, float, int, str]:
    since = 0.0 if one.since is None else one.since.timestamp()
    return (
        one.answers,
        not one.is_over,
        one.level in ALONE,
        one.proposal is not None,
        since,
        one.drafts,
        one.release,
    )


def told_of(drafts: Iterable[Candidate]) -> list[tuple[Candidate, Label]]:
    """The sampled drafts with a label, and the label. One that waits for a second reviewer has none yet: who gives second
    reviews must not learn the first from a count."""
    return [(one, one.label) for one in drafts if one.is_sampled and one.label is not None and not one.awaits_second]


def evidence_of(drafts: Iterable[Candidate], epoch: Epoch | None) -> list[tuple[Candidate, Label]]:
    """The drafts that are evidence by their label, of an epoch or (None) of all; with the label."""
    return [
        (one, label)
        for one, label in told_of(drafts)
        if not one.is_repeat
        and label.outcome not in NOTHING_SAID
        and (epoch is None or (one.seq > epoch.after and one.calibrator == epoch.calibrator))
    ]


def curve_of(evidence: Sequence[tuple[Candidate, Label]]) -> tuple[CurvePoint, ...]:
    """The risk-coverage curve, strict to lax, thinned. A label counts for as many drafts as it was drawn from."""
    if not evidence:
        return ()
    curve = risk_coverage(
        [one.confidence for one, _ in evidence],
        [label.loss for _, label in evidence],
        weights=[1.0 / one.rate if one.rate > 0.0 else 1.0 for one, _ in evidence],
    )
    count = len(curve.thresholds)
    picks = np.unique(np.linspace(0, count - 1, min(count, CURVE_POINTS_MAX)).round().astype(int))
    return tuple(
        CurvePoint(
            threshold=float(curve.thresholds[place]),
            coverage=float(curve.coverage[place]),
            risk=float(curve.risk[place]),
        )
        for place in picks
    )


def rungs_of(progress: Progress, targets: Targets) -> tuple[Rung, ...]:
    """The thresholds of an epoch, strict to lax, with what the labels show at each."""
    return tuple(
        Rung(threshold=threshold, labels=labels, loss_sum=lost, severe=round(severe), is_certified=is_certified)
        for threshold, labels, lost, severe, is_certified in zip(
            progress.thresholds,
            progress.mean.labels,
            progress.mean.loss_sums,
            progress.severe.loss_sums,
            certified_at(progress, targets),
            strict=True,
        )
    )


def bucket_for(first: datetime, last: datetime) -> int:
    """How many seconds long stretches are so that at most `BUCKETS_MAX` reach from the first moment to the last."""
    span = (last - first).total_seconds()
    return next((size for size in BUCKETS_S if span / size < BUCKETS_MAX - 1), BUCKETS_S[-1])


def buckets_of(drafts: Iterable[Candidate]) -> tuple[int, tuple[LabelBucket, ...]]:
    """Labels by stretch of time and source, in order, and how many seconds a stretch is."""
    given = told_of(drafts)
    if not given:
        return BUCKETS_S[0], ()
    size = bucket_for(min(label.at for _, label in given), max(label.at for _, label in given))
    counts: dict[tuple[datetime, LabelSource], Counter[str]] = {}
    for one, label in given:
        since = label.at.astimezone(UTC).timestamp()
        key = datetime.fromtimestamp(since - since % size, UTC), _source(one, label)
        counts.setdefault(key, Counter())[_kind(label)] += 1
        if label.is_severe:
            counts[key]["severe"] += 1
    return size, tuple(
        LabelBucket(
            at=at,
            source=source,
            good=found["good"],
            bad=found["bad"],
            severe=found["severe"],
            silent=found["silent"],
        )
        for (at, source), found in sorted(counts.items())
    )


def _source(one: Candidate, label: Label) -> LabelSource:
    if label.outcome in (Outcome.TIMEOUT, Outcome.NO_DRAFT):
        return LabelSource.NOBODY
    if one.redraft_of is not None:
        return LabelSource.CARRIED
    return LabelSource.AUDIT if one.is_delivered else LabelSource.REVIEW


def _kind(label: Label) -> str:
    if label.outcome in NOTHING_SAID:
        return "silent"
    return "bad" if label.loss > 0.0 else "good"


def days_of(progress: Progress | None) -> float:
    """Over how many days the labels of an epoch reach."""
    if progress is None or progress.first_at is None or progress.last_at is None:
        return 0.0
    return (progress.last_at - progress.first_at) / timedelta(days=1)


def moves_of(
    entries: Iterable[LedgerEntry], topic: str, channel: str, epochs: Collection[Epoch]
) -> tuple[SliceMove, ...]:
    """What happened to a slice, in the order of `entries`: of its `epochs`, and stops that cover it."""
    by_id = {epoch.id: epoch for epoch in epochs}
    found: list[SliceMove] = []
    for entry in entries:
        body: dict[str, Any] = json.loads(entry.body)
        epoch = by_id.get(body.get("epoch", ""))
        is_stop = entry.event in ("autonomy.stopped", "autonomy.resumed")
        covers = is_stop and body["topic"] in (EVERY, topic) and body["channel"] in (EVERY, channel)
        if epoch is None and not covers:
            continue
        level = body.get("level")
        found.append(
            SliceMove(
                seq=entry.seq,
                at=entry.at,
                by=entry.actor,
                what=entry.event.partition(".")[2],
                topic=body["topic"] if is_stop else topic,
                channel=body["channel"] if is_stop else channel,
                release=None if epoch is None else epoch.release,
                level=None if level is None else Level(level),
                threshold=body.get("threshold"),
                why=body.get("why") or None,
                replies=body.get("replies"),
            )
        )
        if len(found) == MOVES_MAX:
            break
    return tuple(found)
