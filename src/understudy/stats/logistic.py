"""A score from signals: a logistic model with prior knowledge, fitted to a few labels; whether it is used, others say.

Maximum a posteriori with a normal prior for each weight, so that fifty labels bend what is known beforehand and three
thousand overrule it. Features are standardised on traffic that needs no labels, and the model speaks of the risk:
the probability that a draft is bad. Found by Newton's method, which for a strictly convex loss of some dozens of
weights is exact to the last digits within ten steps.
Source: A. Gelman et al., "A weakly informative default prior distribution for logistic and other regression models",
Ann. Appl. Stat. 2, 2008.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike

from understudy.stats.betting import Floats

SIGNAL_MEAN: Final = -0.45
SIGNAL_SD: Final = 0.3
"""A signal one standard deviation better lowers the log-odds of a bad draft by this much, give or take."""
TOPIC_SD: Final = 0.3
LEARNT_SD: Final = 0.25
"""How far a tenant's weights may be from those learnt on others."""
INTERCEPT_SD: Final = 5.0
STEPS_MAX: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Scaling:
    """How features are brought to mean 0 and standard deviation 1 on past traffic, one `centre` and `scale` each."""

    centres: tuple[float, ...]
    scales: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Prior:
    """What is known of each weight before the labels, a normal mean and standard deviation (> 0), in log-odds of a bad
    draft per standard deviation of the feature; the intercept's are wide. Raises `ValueError`."""

    means: tuple[float, ...]
    sds: tuple[float, ...]
    intercept_mean: float = 0.0
    intercept_sd: float = INTERCEPT_SD

    def __post_init__(self) -> None:
        if len(self.means) != len(self.sds) or any(not sd > 0.0 for sd in (*self.sds, self.intercept_sd)):
            raise ValueError(f"one mean and one sd > 0 for each weight, got {self.means} and {self.sds}")


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskModel:
    """A fitted model; plain numbers, so JSON carries it and two machines agree on what it is."""

    scaling: Scaling
    weights: tuple[float, ...]
    intercept: float

    def log_odds(self, features: Sequence[float]) -> float:
        """The log-odds that a draft is bad."""
        return math.fsum([self.intercept, *self.contributions(features)])

    def risk(self, features: Sequence[float]) -> float:
        """The probability that a draft is bad, in [0, 1]."""
        log_odds = self.log_odds(features)
        return 1.0 / (1.0 + math.exp(-log_odds)) if log_odds > -700.0 else math.exp(log_odds)

    def contributions(self, features: Sequence[float]) -> tuple[float, ...]:
        """What each feature adds to the log-odds, against an average draft; positive means worse."""
        return tuple(
            weight * (value - centre) / scale
            for weight, value, centre, scale in zip(
                self.weights, features, self.scaling.centres, self.scaling.scales, strict=True
            )
        )

    def risks(self, features: ArrayLike) -> Floats:
        """The risks of many drafts, one row of features each."""
        log_odds = _standardised(features, self.scaling) @ np.array(self.weights) + self.intercept
        return _sigmoid(log_odds)


def scaling_of(features: ArrayLike, *, as_they_are: Sequence[int] = ()) -> Scaling:
    """Learn the scaling from past traffic, (drafts, features), labelled or not; needs at least one row.

    A feature that never varies, and those whose columns are `as_they_are` (a topic's 0 or 1), keep centre 0, scale 1.
    """
    rows = np.asarray(features, dtype=np.float64)
    if rows.ndim != 2 or not rows.shape[0] or not np.isfinite(rows).all():
        raise ValueError(f"finite features of at least one draft are needed, got shape {rows.shape}")
    centres, scales = rows.mean(axis=0), rows.std(axis=0)
    kept = scales < 1e-9
    kept[list(as_they_are)] = True
    return Scaling(
        centres=tuple(np.where(kept, 0.0, centres).tolist()), scales=tuple(np.where(kept, 1.0, scales).tolist())
    )


def sign_informed(signals: int, *, topics: int = 0) -> Prior:
    """The prior that ships: each signal's higher value means a better draft, topics differ a little, in that order."""
    return Prior(
        means=(SIGNAL_MEAN,) * signals + (0.0,) * topics, sds=(SIGNAL_SD,) * signals + (TOPIC_SD,) * topics
    )  # fmt: skip


def learnt_elsewhere(weights: Sequence[float], *, topics: int = 0) -> Prior:
    """The prior from the signals' weights of models with many labels, with topics after the signals."""
    return Prior(means=(*weights, *(0.0,) * topics), sds=(LEARNT_SD,) * len(weights) + (TOPIC_SD,) * topics)


def fit(
    features: ArrayLike, bad: ArrayLike, *, prior: Prior, scaling: Scaling, counts: ArrayLike | None = None
) -> RiskModel:
    """Fit to labelled drafts: `features` (drafts, weights), `bad` in [0, 1] for each, `counts` > 0 to weigh them by.

    Without labels the result is the prior's mean. Raises `ValueError` where the numbers do not fit together.
    """
    rows, label = _standardised(features, scaling), np.asarray(bad, dtype=np.float64)
    weight = np.ones(label.shape) if counts is None else np.asarray(counts, dtype=np.float64)
    if rows.shape != (label.size, len(prior.means)) or weight.shape != label.shape:
        raise ValueError(f"{label.size} labels, {len(prior.means)} weights and features {rows.shape} do not fit")
    if not np.isfinite(rows).all() or not np.all((label >= 0.0) & (label <= 1.0)) or not np.all(weight > 0.0):
        raise ValueError("features must be finite, labels in [0, 1] and counts above 0")
    design = np.column_stack([np.ones(label.size), rows])
    centre = np.array([prior.intercept_mean, *prior.means])
    precision = np.array([prior.intercept_sd, *prior.sds]) ** -2.0
    beta = centre.copy()
    for _ in range(STEPS_MAX):
        risk = _sigmoid(design @ beta)
        slope = design.T @ (weight * (risk - label)) + precision * (beta - centre)
        curve = (design.T * (weight * risk * (1.0 - risk))) @ design + np.diag(precision)
        step = np.linalg.solve(curve, slope)
        # The loss may be flatter ahead than it is here; halving until it falls keeps Newton from overshooting.
        while _loss(beta - step, design, label, weight, centre, precision) > _loss(
            beta, design, label, weight, centre, precision
        ) + 1e-12 * (1.0 + label.size):
            step = step / 2
        beta = beta - step
        if np.abs(step).max() < 1e-10:
            break
    return RiskModel(scaling=scaling, weights=tuple(beta[1:].tolist()), intercept=float(beta[0]))


def _loss(beta: Floats, design: Floats, label: Floats, weight: Floats, centre: Floats, precision: Floats) -> float:
    log_odds = design @ beta
    surprise = (weight * (np.logaddexp(0.0, log_odds) - label * log_odds)).sum()
    return float(surprise + (precision * (beta - centre) ** 2).sum() / 2)


def _standardised(features: ArrayLike, scaling: Scaling) -> Floats:
    found: Floats = (np.asarray(features, dtype=np.float64) - np.array(scaling.centres)) / np.array(scaling.scales)
    return found.reshape(-1, len(scaling.centres))


def _sigmoid(log_odds: Floats) -> Floats:
    found: Floats = 0.5 * (1.0 + np.tanh(0.5 * log_odds))
    return found
