"""What can be certified from judged drafts with scores: a pure function of numbers; it reads no file and learns nothing.

A label is a conversation. At a threshold it is made of the drafts that reach it, and its loss is the largest of theirs:
they share a customer and often a mistake, so they are one piece of evidence, and the worst reply is what the customer
had. With one judged draft a conversation this is the plain case. Labels count in the order of drafts.

Thresholds and their shares of delta come from the earlier part (`Judged.early`), on which nothing is certified; the
certificate is `stats.ladder`'s fallback on `stats.betting`'s wealth. Source of both: there.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from understudy.records.backtest import CurvePoint, Goal, PlainThreshold, SliceBacktest
from understudy.stats import ladder_design
from understudy.stats.betting import (
    FIVE_BETS,
    Bets,
    Wealth,
    from_stored,
    gains,
    level,
    log_mixture,
    observed_target,
    progress,
)
from understudy.stats.coverage import information_limited_coverage, risk_coverage
from understudy.stats.ladder import fallback

CURVE_POINTS: Final = 60
NEVER_FROM: Final = 1_000_000
"""More labels than this to go, at the loss seen so far, is as good as never."""
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


def certify(name: str, parts: tuple[tuple[str, str], ...], drafts: Drafts, design: Design, goal: Goal) -> SliceBacktest:
    """Certify one slice; what each figure means stands at `SliceBacktest`."""
    rungs = [_rung(drafts, threshold, goal) for threshold in design.thresholds]
    levels = _levels([rung.log_peak for rung in rungs], design.shares, goal.delta)
    held = [k for k, (rung, at) in enumerate(zip(rungs, levels, strict=True)) if _is_held(rung, at)]
    best = held[-1] if held else _nearest(drafts, rungs, levels)
    if best is None:
        rung, at = _rung(drafts, math.inf, goal), goal.delta
    else:
        rung, at = rungs[best], levels[best]
    is_certified = bool(held)
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
        risk_upper=_upper(rung.losses, at, is_within=is_certified, limit=goal.risk_max, sensitivity=goal.sensitivity),
        severe_upper=None
        if goal.severe_max is None
        else _upper(rung.severe, at, is_within=is_certified, limit=goal.severe_max, sensitivity=goal.sensitivity),
        labels_needed=0 if is_certified else max(wealth.labels_to_go(at) for wealth in rung.wealths),
        labels_expected=0 if is_certified else _expected(rung, at, candidate_coverage),
        candidate=rung.threshold if best is not None else None,
        candidate_coverage=candidate_coverage,
        accepted=rung.losses.size,
        accepted_bad=int((rung.losses > 0.0).sum()),
        risk=_mean(rung.losses),
        log_e=rung.log_peak,
        progress=progress(rung.log_peak, at),
        level=at,
        plain=_plain(drafts, goal),
        coverage_limit=_coverage_limit(drafts, everything.size, goal),
        curve=_curve(drafts, goal),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rung:
    """One threshold: its labels and what they have shown. Two constraints hold where both do (intersection-union)."""

    threshold: float
    losses: Floats
    severe: Floats
    wealths: tuple[Wealth, ...]

    @property
    def log_peak(self) -> float:
        return min(wealth.log_peak for wealth in self.wealths)


def _rung(drafts: Drafts, threshold: float, goal: Goal) -> _Rung:
    losses, severe = drafts.losses_at(threshold), drafts.severe_at(threshold)
    claims = [(losses, goal.risk_max)] + ([] if goal.severe_max is None else [(severe, goal.severe_max)])
    wealths = tuple(
        Wealth(target=observed_target(limit, goal.sensitivity)).after(values.tolist()) for values, limit in claims
    )
    return _Rung(threshold=threshold, losses=losses, severe=severe, wealths=wealths)


def _levels(log_peaks: Sequence[float], shares: Sequence[float], delta: float) -> list[float]:
    """The error level each threshold is tested at: its share, plus that of the certified ones just before it."""
    rejected = fallback(-np.array(log_peaks, dtype=np.float64), shares, delta)
    levels: list[float] = []
    for k, share in enumerate(shares):
        levels.append(share * delta + (levels[k - 1] if k and rejected[k - 1] else 0.0))
    return levels


def _is_held(rung: _Rung, at: float) -> bool:
    return at > 0.0 and rung.log_peak >= level(at)


def _nearest(drafts: Drafts, rungs: Sequence[_Rung], levels: Sequence[float]) -> int | None:
    """The threshold that needs the fewest further labels of the slice, if all are without loss."""
    costs = {
        k: max(wealth.labels_to_go(at) for wealth in rung.wealths) / coverage
        for k, (rung, at) in enumerate(zip(rungs, levels, strict=True))
        if at > 0.0 and (coverage := drafts.coverage_at(rung.threshold)) > 0.0
    }
    return min(costs, key=lambda k: (costs[k], k)) if costs else None


def _upper(losses: Floats, at: float, *, is_within: bool, limit: float, sensitivity: float) -> float:
    """The smallest limit that these losses certify at an error level: inverts the test, peak and order included.

    `is_within` says on which side of `limit` the result lies, so that rounding cannot contradict the certificate.
    """

    def certifies(risk: float) -> bool:
        return Wealth(target=risk * sensitivity).after(losses.tolist()).is_certified(at)

    if not losses.size or (not is_within and not certifies(1.0 - 1e-9)):
        return 1.0
    low, high = (0.0, limit) if is_within else (0.0, 1.0)
    return _bisected(low, high, certifies)


def _bisected(low: float, high: float, suffices: Callable[[float], bool]) -> float:
    while high - low > 1e-6 * high:
        middle = (low + high) / 2
        low, high = (low, middle) if suffices(middle) else (middle, high)
    return high


def _expected(rung: _Rung, at: float, coverage: float) -> int | None:
    """Further labels of the slice until the certificate, at the losses seen and half a bad label more."""
    labels = max(
        (
            _steps(from_stored(wealth.log_wealth), gains(np.append(values, 0.5), target=wealth.target), level(at))
            for wealth, values in zip(rung.wealths, (rung.losses, rung.severe), strict=False)
            if not wealth.is_certified(at)
        ),
        default=math.inf,
    )
    return math.ceil(labels / coverage) if coverage and labels < NEVER_FROM else None


def _steps(now: Floats, growth: Floats, wanted: float) -> float:
    """How many labels of mean growth lift the mixture to the wanted log-wealth; infinite past `NEVER_FROM`."""
    # A bet that one bad label has ruined may grow on the others for ever and still be ruined by the next.
    mean = np.where(np.isfinite(now) & np.isfinite(growth).all(axis=0), growth.mean(axis=0), -math.inf)
    alive = np.isfinite(mean)
    bets = Bets(
        fractions=tuple(np.array(FIVE_BETS.fractions)[alive].tolist()), weights=(1.0 / alive.sum(),) * int(alive.sum())
    )
    low, high = 0, 1
    shift = math.log(alive.sum() / alive.size)

    def suffices(count: int) -> bool:
        return bool(log_mixture(now[alive] + count * mean[alive], bets) + shift >= wanted)

    while not suffices(high):
        if high > NEVER_FROM:
            return math.inf
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if suffices(middle) else (middle, high)
    return high


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
    return tuple(
        CurvePoint(
            threshold=threshold,
            coverage=drafts.coverage_at(threshold),
            risk=_mean(losses),
            risk_upper=_final_upper(losses, goal),
        )
        for threshold in _cuts(drafts, CURVE_POINTS)
        if (losses := drafts.losses_at(threshold)).size
    )


def _final_upper(losses: Floats, goal: Goal) -> float:
    """The bound after the last label, whatever the order; at most a little above the one with the peak."""
    values, counts = np.unique(losses, return_counts=True)

    def certifies(risk: float) -> bool:
        wealth = (gains(values, target=risk * goal.sensitivity) * counts[:, None]).sum(axis=0)
        return bool(log_mixture(wealth) >= level(goal.delta))

    return _bisected(0.0, 1.0, certifies) if certifies(1.0 - 1e-9) else 1.0


def _cuts(drafts: Drafts, count: int) -> list[float]:
    """Up to so many of the distinct scores, spread over the drafts, strict to lax."""
    ordered = np.sort(drafts.score)[::-1]
    if not ordered.size:
        return []
    places = np.unique(np.linspace(0, ordered.size - 1, min(count, ordered.size)).astype(int))
    return list(dict.fromkeys(ordered[places].tolist()))
