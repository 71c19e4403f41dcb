"""What can be certified from judged drafts with scores: a pure function of numbers; it reads no file and learns nothing.

A label is a conversation. At a threshold it is made of the drafts that reach it, and its loss is the largest of theirs:
they share a customer and often a mistake, so they are one piece of evidence, and the worst reply is what the customer
had. With one judged draft a conversation this is the plain case.

The evidence is what stands at the end of the history, the same in any order. Live, a certificate stays once it is reached
and a detector watches what comes after. Here nobody watched: histories span versions and seasons, and evidence counted at
its highest certifies a good stretch that is over (recorded agents whose systems follow each other then broke the promise
on unseen tasks). The price is reach: fewer drafts are certified from a few hundred labels than live.

Thresholds and their shares of delta come from the earlier part of the history, on which nothing is certified; the
certificate is `stats.ladder`'s fallback on `stats.betting`'s wealth. Source of both: there.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from understudy.records.backtest import CurvePoint, Goal, PlainThreshold, SliceBacktest
from understudy.stats import ladder_design
from understudy.stats.betting import gains, level, log_mixture, observed_target, progress
from understudy.stats.coverage import information_limited_coverage, risk_coverage
from understudy.stats.ladder import fallback

CURVE_POINTS: Final = 40
NEVER_FROM: Final = 1_000_000
"""More labels than this to go, at the loss seen so far, is as good as never."""
LIMIT_MAX: Final = 1.0 - 1e-9
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Drafts:
    """Judged drafts in order, as columns of one length. `conversation` never falls: drafts of one stand together."""

    conversation: NDArray[np.int64]
    score: Floats
    loss: Floats
    is_severe: NDArray[np.bool_]

    def losses_at(self, threshold: float) -> Floats:
        """The loss of each label at a threshold, in order."""
        return self._worst(self.score >= threshold, self.loss)

    def severe_at(self, threshold: float) -> Floats:
        """1 for each label at a threshold in which a draft is severe, else 0."""
        return self._worst(self.score >= threshold, self.is_severe.astype(np.float64))

    def coverage_at(self, threshold: float) -> float:
        """The share of drafts that reach a threshold."""
        return float((self.score >= threshold).mean()) if self.score.size else 0.0

    def _worst(self, chosen: NDArray[np.bool_], values: Floats) -> Floats:
        conversation = self.conversation[chosen]
        if not conversation.size:
            return np.zeros(0)
        starts = np.flatnonzero(np.append(True, conversation[1:] != conversation[:-1]))
        return np.maximum.reduceat(values[chosen], starts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Design:
    """Thresholds, strict to lax, and their shares of delta, fixed before the first label."""

    thresholds: tuple[float, ...]
    shares: tuple[float, ...]


def design_for(goal: Goal, past_scores: Floats, predicted_coverage: float) -> Design:
    """The asked threshold alone at the full level, or a ladder over the quantiles of past scores."""
    if goal.threshold is not None:
        return Design(thresholds=(goal.threshold,), shares=(1.0,))
    if not past_scores.size:
        return Design(thresholds=(), shares=())
    thresholds = ladder_design.thresholds_at(past_scores)
    coverages = ladder_design.coverage_of(thresholds, past_scores)
    return Design(thresholds=thresholds, shares=ladder_design.shares_for(coverages, predicted_coverage))


def certify(
    name: str,
    parts: tuple[tuple[str, str], ...],
    drafts: Drafts,
    design: Design,
    goal: Goal,
    *,
    with_curve: bool = True,
) -> SliceBacktest:
    """Certify one slice; what each figure means stands at `SliceBacktest`. The curve takes most of the time."""
    rungs = [_rung(drafts, threshold, goal) for threshold in design.thresholds]
    levels = _levels([rung.log_e for rung in rungs], design.shares, goal.delta)
    held = [k for k, (rung, at) in enumerate(zip(rungs, levels, strict=True)) if at > 0.0 and rung.log_e >= level(at)]
    is_certified = bool(held)
    best = held[-1] if is_certified else _nearest(drafts, rungs, levels)
    rung, at = (_rung(drafts, math.inf, goal), goal.delta) if best is None else (rungs[best], levels[best])
    everything = drafts.losses_at(-math.inf)
    candidate_coverage = drafts.coverage_at(rung.threshold)
    return SliceBacktest(
        name=name,
        parts=parts,
        drafts=drafts.score.size,
        labels=everything.size,
        bad=int((everything > 0.0).sum()),
        threshold=rung.threshold if is_certified else goal.threshold,
        is_certified=is_certified,
        coverage=candidate_coverage if is_certified else 0.0,
        risk_upper=rung.mean.upper(at),
        severe_upper=None if rung.severe is None else rung.severe.upper(at),
        labels_needed=0 if is_certified else max(claim.clean_to_go(at) for claim in rung.claims),
        labels_expected=0 if is_certified else _expected(rung, at, candidate_coverage),
        candidate=rung.threshold if best is not None else None,
        candidate_coverage=candidate_coverage,
        accepted=rung.mean.losses.size,
        accepted_bad=int((rung.mean.losses > 0.0).sum()),
        risk=_mean(rung.mean.losses),
        log_e=rung.log_e,
        progress=progress(rung.log_e, at),
        level=at,
        plain=_plain(drafts, goal),
        coverage_limit=_coverage_limit(drafts, everything.size, goal),
        curve=_curve(drafts, goal) if with_curve else (),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Claim:
    """ "The mean of these losses is below `limit`", where reviewers saw a part of what was bad."""

    losses: Floats
    values: Floats
    counts: NDArray[np.int64]
    limit: float
    sensitivity: float

    @classmethod
    def of(cls, losses: Floats, limit: float, sensitivity: float) -> _Claim:
        """Keep the distinct losses and how often each came, because the order does not matter."""
        values, counts = np.unique(losses, return_counts=True)
        return cls(losses=losses, values=values, counts=counts, limit=limit, sensitivity=sensitivity)

    def log_wealth(self, limit: float) -> Floats:
        """The log-wealth of each bet against another limit."""
        grown: Floats = (gains(self.values, target=limit * self.sensitivity) * self.counts[:, None]).sum(axis=0)
        return grown

    @property
    def log_e(self) -> float:
        return float(log_mixture(self.log_wealth(self.limit)))

    def upper(self, at: float) -> float:
        """The smallest limit in (0, 1] that these losses establish at an error level: inverts the test.

        Bisected from the limit itself, so that rounding cannot contradict the certificate.
        """

        def holds(limit: float) -> bool:
            return bool(log_mixture(self.log_wealth(limit)) >= level(at))

        if holds(self.limit):
            low, high = 0.0, self.limit
        elif holds(LIMIT_MAX):
            low, high = self.limit, LIMIT_MAX
        else:
            return 1.0
        while high - low > 1e-4 * high:
            middle = (low + high) / 2
            low, high = (low, middle) if holds(middle) else (middle, high)
        return high

    def clean_to_go(self, at: float) -> int:
        """How many further losses of 0 establish it; 0 if it is."""
        return int(self._to_go(at, np.zeros(1)))

    def likely_to_go(self, at: float) -> float:
        """How many further labels like those seen, and half a bad one, establish it; infinite past `NEVER_FROM`."""
        return self._to_go(at, np.append(self.losses, 0.5))

    def _to_go(self, at: float, coming: Floats) -> float:
        now, growth = self.log_wealth(self.limit), gains(coming, target=self.limit * self.sensitivity)
        # A bet that a bad label ruins cannot win where such labels come.
        alive = np.isfinite(now) & np.isfinite(growth).all(axis=0)
        step = np.where(alive, np.where(np.isfinite(growth), growth, 0.0).mean(axis=0), 0.0)
        start = np.where(alive, now, -math.inf)

        def suffices(count: int) -> bool:
            return bool(log_mixture(start + count * step) >= level(at))

        low, high = -1, 0
        while not suffices(high):
            if high > NEVER_FROM:
                return math.inf
            low, high = high, max(1, 2 * high)
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (low, middle) if suffices(middle) else (middle, high)
        return high


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rung:
    """One threshold and what is claimed of it. Two claims hold where both do, each at the full level (intersection)."""

    threshold: float
    mean: _Claim
    severe: _Claim | None

    @property
    def claims(self) -> tuple[_Claim, ...]:
        return (self.mean,) if self.severe is None else (self.mean, self.severe)

    @property
    def log_e(self) -> float:
        return min(claim.log_e for claim in self.claims)


def _rung(drafts: Drafts, threshold: float, goal: Goal) -> _Rung:
    return _Rung(
        threshold=threshold,
        mean=_Claim.of(drafts.losses_at(threshold), goal.risk_max, goal.sensitivity),
        severe=None
        if goal.severe_max is None
        else _Claim.of(drafts.severe_at(threshold), goal.severe_max, goal.sensitivity),
    )


def _levels(log_e: Sequence[float], shares: Sequence[float], delta: float) -> list[float]:
    """The error level each threshold is tested at: its share, plus that of the certified ones just before it."""
    rejected = fallback(-np.array(log_e, dtype=np.float64), shares, delta)
    levels: list[float] = []
    for k, share in enumerate(shares):
        levels.append(share * delta + (levels[k - 1] if k and rejected[k - 1] else 0.0))
    return levels


def _nearest(drafts: Drafts, rungs: Sequence[_Rung], levels: Sequence[float]) -> int | None:
    """The threshold that needs the fewest further labels of the slice, if all are without loss."""
    costs = {
        k: max(claim.clean_to_go(at) for claim in rung.claims) / coverage
        for k, (rung, at) in enumerate(zip(rungs, levels, strict=True))
        if at > 0.0 and (coverage := drafts.coverage_at(rung.threshold)) > 0.0
    }
    return min(costs, key=lambda k: (costs[k], k)) if costs else None


def _expected(rung: _Rung, at: float, coverage: float) -> int | None:
    """Further labels of the slice until the certificate, at the losses seen."""
    labels = max(claim.likely_to_go(at) for claim in rung.claims)
    return math.ceil(labels / coverage) if coverage and labels < math.inf else None


def _mean(losses: Floats) -> float:
    return float(losses.mean()) if losses.size else 0.0


def _plain(drafts: Drafts, goal: Goal) -> PlainThreshold | None:
    """The laxest threshold whose observed mean loss, draft by draft, is within the goal."""
    if not drafts.score.size:
        return None
    curve = risk_coverage(drafts.score, drafts.loss)
    held = np.flatnonzero(curve.risk <= goal.risk_max)
    if not held.size:
        return None
    last = held[-1]
    return PlainThreshold(
        threshold=float(curve.thresholds[last]), coverage=float(curve.coverage[last]), risk=float(curve.risk[last])
    )


def _coverage_limit(drafts: Drafts, labels: int, goal: Goal) -> float:
    """The Wald limit at each coverage, taking the losses seen for the true risks."""
    if not labels:
        return 0.0
    target = observed_target(goal.risk_max, goal.sensitivity)
    curve = risk_coverage(drafts.score, drafts.loss)
    return information_limited_coverage(curve, labels, target=target, delta=goal.delta)


def _curve(drafts: Drafts, goal: Goal) -> tuple[CurvePoint, ...]:
    """Observed risk and its bound at thresholds spread over the coverage, strict to lax."""
    points = []
    for threshold in _cuts(drafts, CURVE_POINTS):
        claim = _rung(drafts, threshold, goal).mean
        points.append(
            CurvePoint(
                threshold=threshold,
                coverage=drafts.coverage_at(threshold),
                risk=_mean(claim.losses),
                risk_upper=claim.upper(goal.delta),
            )
        )
    return tuple(points)


def _cuts(drafts: Drafts, count: int) -> list[float]:
    """Up to so many of the distinct scores, spread over the drafts, strict to lax."""
    ordered = np.sort(drafts.score)[::-1]
    if not ordered.size:
        return []
    places = np.unique(np.linspace(0, ordered.size - 1, min(count, ordered.size)).astype(int))
    return list(dict.fromkeys(ordered[places].tolist()))
