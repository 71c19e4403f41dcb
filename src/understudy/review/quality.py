"""How well each reviewer reviews: how fast, what they miss, how far others agree; and when approvals are mere stamps.

It ranks nobody and pays nobody. What follows from a stamp is one thing: the approval is no evidence that a draft was good.
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median
from typing import Final

from understudy.assessment.wording import words
from understudy.ports.clock import Clock
from understudy.ports.store import Store, Transaction
from understudy.records.codec import load
from understudy.records.evidence import Draft
from understudy.records.review import Hold, HoldKind, Verdict, VerdictKind
from understudy.records.reviewing import (
    Agreed,
    Discount,
    Judgement,
    ReviewerQuality,
    ReviewTerms,
    SecondReview,
    SeedCount,
)
from understudy.stats.agreement import agreement
from understudy.stats.binomial import interval
from understudy.stats.severity import LOSSES, Grade

LATEST: Final = 500
"""So many of a reviewer's verdicts, and of second reviews, are looked at."""
APPROVALS_MIN: Final = 10
"""Fewer approvals say nothing of how fast somebody approves."""
BOUNDS_DELTA: Final = 0.05
READING: Final = frozenset({HoldKind.DRAFT, HoldKind.AUDIT, HoldKind.SECOND, HoldKind.REDRAFT})
"""Kinds of hold on which there is a draft to read."""
MAJOR_FROM: Final = LOSSES[Grade.MAJOR]


class Reviewers:
    """What a lead may look at."""

    def __init__(self, store: Store, *, terms: ReviewTerms) -> None:
        self._store = store
        self._terms = terms

    async def all(self) -> list[ReviewerQuality]:
        """Everybody who judged a draft, by name."""
        return await self._store.read(lambda tx: [quality_of(tx, name, self._terms) for name in tx.reviews.reviewers()])

    async def agreement(self) -> Agreed | None:
        """How far any two agree on the same draft; None where no second review was given."""
        return agreed(await self._store.read(lambda tx: tx.reviews.seconds(limit=LATEST)))


def note_judgement(tx: Transaction, hold: Hold, verdict: Verdict) -> None:
    """Keep how long a verdict on a draft took: since the claim, or since it could be seen and the last one was done.

    Of drafts approved together one was read, and only that one says how long it took.
    """
    stored = tx.artifacts.get(hold.turn_id, "draft") if hold.kind in READING else None
    if stored is None or verdict.is_repeat:
        return
    last = tx.reviews.of_reviewer(verdict.reviewer, limit=1)
    since = max([hold.created_at, *(one.at for one in last)])
    if hold.claimed_by == verdict.reviewer and hold.claimed_at is not None:
        since = hold.claimed_at
    tx.reviews.add(
        Judgement(
            verdict_id=verdict.id,
            reviewer=verdict.reviewer,
            hold_kind=hold.kind,
            kind=verdict.kind,
            took_s=max(0.0, (verdict.at - since).total_seconds()),
            words=len(words(load(Draft, stored).text)),
            at=verdict.at,
        )
    )


def review_standing(tx: Transaction, clock: Clock, reviewer: str, terms: ReviewTerms) -> None:
    """Discount a reviewer's approvals, or let them count again, by what their verdicts show now."""
    quality = quality_of(tx, reviewer, terms)
    why = stamps(quality, terms)
    if (why is None) == (quality.discounted is None):
        return
    now = clock.now()
    if why is None:
        tx.reviews.restore(reviewer)
        tx.ledger.append("reviewer.restored", at=now, reviewer=reviewer)
    else:
        tx.reviews.discount(Discount(reviewer=reviewer, since=now, why=why))
        tx.ledger.append("reviewer.discounted", at=now, reviewer=reviewer, why=why)


def quality_of(tx: Transaction, reviewer: str, terms: ReviewTerms) -> ReviewerQuality:
    """Put together what is known of a reviewer."""
    judged = tx.reviews.of_reviewer(reviewer, limit=LATEST)
    approvals = [one for one in judged if one.kind is VerdictKind.APPROVE]
    seeds = tx.seeds.count(reviewer)
    low, high = noticed(seeds)
    discount = tx.reviews.discounted(reviewer)
    return ReviewerQuality(
        reviewer=reviewer,
        verdicts=len(judged),
        decision_s=_median([one.took_s for one in judged]),
        approval_s=_median([one.took_s for one in approvals]),
        reading_s=_median([_reading_s(one, terms) for one in approvals]),
        approval_rate=len(approvals) / len(judged) if judged else None,
        seeds=seeds,
        noticed_low=low,
        noticed_high=high,
        second=agreed(tx.reviews.seconds(reviewer, limit=LATEST)),
        discounted=None if discount is None else discount.why,
        last_at=judged[0].at if judged else None,
    )


def noticed(seeds: SeedCount) -> tuple[float, float]:
    """Between which shares of the bad drafts are noticed, each bound missed in at most 2.5 % of cases; (0, 1) of none."""
    return interval(seeds.caught, seeds.judged, delta=BOUNDS_DELTA) if seeds.judged else (0.0, 1.0)


def stamps(quality: ReviewerQuality, terms: ReviewTerms) -> str | None:
    """Why a reviewer's approvals are mere stamps; None where they are not.

    Both must hold: the median approval is quicker than the draft can be read, and planted drafts were missed so often
    that the reviewer cannot be one who notices `terms.sensitivity` of the bad ones. Either alone is no proof: short
    drafts are read in passing, and a careful reader may have bad luck.
    """
    if not terms.discounts or quality.approval_s is None or quality.reading_s is None:
        return None
    approvals = round(quality.verdicts * (quality.approval_rate or 0.0))
    is_quick = approvals >= APPROVALS_MIN and quality.approval_s < quality.reading_s
    if not is_quick or quality.noticed_high >= terms.sensitivity:
        return None
    missed = quality.seeds.judged - quality.seeds.caught
    return (
        f"Approves in {quality.approval_s:.1f} s what takes at least {quality.reading_s:.1f} s to read, and missed {missed} "
        f"of {quality.seeds.judged} planted drafts: notices at most {quality.noticed_high:.0%} of the bad ones, where "
        f"{terms.sensitivity:.0%} are needed."
    )


def agreed(reviews: Sequence[SecondReview]) -> Agreed | None:
    """How far first and second judgements agree on what a draft was: good, in need of other words, or wrong."""
    if not reviews:
        return None
    found = agreement([_kind(one.first.loss) for one in reviews], [_kind(one.second.loss) for one in reviews])
    return Agreed(drafts=found.drafts, rate=found.raw, kappa=found.kappa, low=found.low, high=found.high)


def _kind(loss: float) -> str:
    return "good" if loss == 0.0 else "reworded" if loss < MAJOR_FROM else "wrong"


def _reading_s(one: Judgement, terms: ReviewTerms) -> float:
    return 60.0 * one.words / terms.words_per_minute_max


def _median(values: Sequence[float]) -> float | None:
    return median(values) if values else None
