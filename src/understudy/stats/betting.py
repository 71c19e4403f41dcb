"""A bet against "the mean loss is at least the target", whose growing wealth is evidence; it gathers no labels.

Wealth starts at 1. While the mean loss is at or above the target it is a nonnegative supermartingale, so it ever reaches
1/delta with probability at most delta, however often and for whatever reason somebody looks (Ville's inequality).
Wealth is an equal mixture of five bets, each best for another true risk, so none has to be chosen.

Sources: I. Waudby-Smith, A. Ramdas, "Estimating means of bounded random variables by betting", JRSS B 86, 2024
(arXiv 2010.09686), sections 3-4; G. Shafer, "Testing by betting", JRSS A 184, 2021.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bets:
    """A mixture of bets; bet j would grow fastest if the true risk were `fractions[j]` × target.

    `fractions`: distinct, in [0, 1). `weights`: positive, sum to 1; any weights fixed before the labels keep the
    guarantee, which is how sibling slices may lend their experience (`sibling_bets`). Raises `ValueError`.
    """

    fractions: tuple[float, ...] = (0.0, 0.125, 0.25, 0.5, 0.75)
    weights: tuple[float, ...] = (0.2, 0.2, 0.2, 0.2, 0.2)

    def __post_init__(self) -> None:
        if not self.fractions or len(self.fractions) != len(self.weights):
            raise ValueError(f"as many weights as fractions, at least one; got {self.fractions} and {self.weights}")
        if any(not 0.0 <= fraction < 1.0 for fraction in self.fractions):
            raise ValueError(f"fractions must be in [0, 1), got {self.fractions}")
        if any(not weight > 0.0 for weight in self.weights) or not math.isclose(math.fsum(self.weights), 1.0):
            raise ValueError(f"weights must be positive and sum to 1, got {self.weights}")


FIVE_BETS: Final = Bets()


def checked_target(target: float) -> float:
    """Pass a risk target through; raises `ValueError` unless it is in (0, 1)."""
    if not 0.0 < target < 1.0:
        raise ValueError(f"the risk target must be in (0, 1), got {target}")
    return target


def level(delta: float) -> float:
    """The log-wealth that certifies: log(1/delta). Raises `ValueError` unless `delta` is in (0, 1)."""
    if not 0.0 < delta < 1.0:
        raise ValueError(f"delta must be in (0, 1), got {delta}")
    return -math.log(delta)


def gains(losses: ArrayLike, *, target: float, bets: Bets = FIVE_BETS) -> Floats:
    """What each loss adds to the log-wealth of each bet: log(1 + stake × (target − loss)), −inf where it is ruined.

    `losses`: any shape, in [0, 1]; the result has one more axis, one column per bet. The stake of a bet on fraction u
    is (1 − u)/(1 − target), the log-optimal one for a Bernoulli risk of u × target (Kelly; Waudby-Smith & Ramdas,
    section 5). Raises `ValueError` for a loss outside [0, 1].
    """
    values, positions = np.unique(np.asarray(losses, dtype=np.float64), return_inverse=True)
    if values.size and not (values[0] >= 0.0 and values[-1] <= 1.0):  # NaN sorts last and fails the comparison
        raise ValueError(f"losses must be in [0, 1], got {values[0]} … {values[-1]}")
    table = np.array([_gains_of(float(value), checked_target(target), bets) for value in values])
    return table.reshape(-1, len(bets.fractions))[positions]


def _gains_of(loss: float, target: float, bets: Bets) -> list[float]:
    growth = [1.0 + (1.0 - fraction) / (1.0 - target) * (target - loss) for fraction in bets.fractions]
    return [
        # A stake of 1/(1 − target) loses all on a loss of 1; rounding must not leave a few 1e-17 of it.
        -math.inf if (fraction == 0.0 and loss == 1.0) or factor <= 0.0 else math.log(factor)
        for fraction, factor in zip(bets.fractions, growth, strict=True)
    ]


def log_mixture(log_wealth: Floats, bets: Bets = FIVE_BETS) -> Floats:
    """The log of the weighted mean of the bets' wealth along the last axis; −inf where all are ruined."""
    weighted = log_wealth + np.log(bets.weights)
    peak = weighted.max(axis=-1)
    peak = np.where(np.isfinite(peak), peak, 0.0)
    with np.errstate(divide="ignore"):
        found: Floats = peak + np.log(np.exp(weighted - peak[..., None]).sum(axis=-1))
    return found


def log_e(labels: ArrayLike, bad: ArrayLike, *, target: float, bets: Bets = FIVE_BETS) -> Floats:
    """The log-wealth after `bad` losses of 1 among `labels` losses of 0 or 1, in any order (arrays broadcast).

    Closed form: bet on u has u^bad × ((1 − u·target)/(1 − target))^(labels − bad). Raises `ValueError` unless
    0 <= bad <= labels.
    """
    count, lost = np.asarray(labels, dtype=np.float64), np.asarray(bad, dtype=np.float64)
    if np.any(lost < 0) or np.any(lost > count):
        raise ValueError(f"bad must be between 0 and labels, got {bad!r} of {labels!r}")
    fractions, goal = np.array(bets.fractions), checked_target(target)
    good_gain = np.log1p(-fractions * goal) - math.log1p(-goal)
    with np.errstate(divide="ignore", invalid="ignore"):
        bad_gain = np.where(lost[..., None] > 0, lost[..., None] * np.log(fractions), 0.0)
    return log_mixture((count - lost)[..., None] * good_gain + bad_gain, bets)


def labels_needed(bad: int, *, target: float, delta: float, bets: Bets = FIVE_BETS) -> int:
    """The fewest labels that certify when `bad` of them are bad: the certificate table. Raises `ValueError`."""
    wanted = level(delta)
    low, high = bad, max(2 * bad, 1)
    while log_e(high, bad, target=target, bets=bets) < wanted:
        low, high = high, 2 * high
    return _bisected(low, high, lambda count: bool(log_e(count, bad, target=target, bets=bets) >= wanted))


def risk_upper(labels: int, bad: int, *, delta: float, bets: Bets = FIVE_BETS) -> float:
    """The smallest target that these counts certify: an upper bound for the risk that holds at all looks at once.

    In (0, 1]; 1.0 where there is nothing to say (no labels). For 0 bad it is about 3.8/labels at delta = 0.05, where a
    bound for a single look has 3.0/labels. By inverting the test: the wealth grows with the target.
    """
    wanted = level(delta)
    low, high = 0.0, 1.0
    while high - low > 1e-9 * high:
        middle = (low + high) / 2
        if log_e(labels, bad, target=middle, bets=bets) >= wanted:
            high = middle
        else:
            low = middle
        if low > 1.0 - 1e-9:
            return 1.0
    return high


def sibling_bets(
    labels: Sequence[int], bad: Sequence[int], *, target: float, bets: Bets = FIVE_BETS, share: float = 0.5
) -> Bets:
    """Bets weighted by what sibling slices' counts say of their risks, mixed with `share` of the given weights.

    The counts must be from before the new slice's first label. Weights by the EM algorithm for a mixture over the grid
    `fractions` × target (N. Laird, JASA 73, 1978). `share` in (0, 1] keeps every bet alive, so that misleading siblings
    cost at most log(1/share)/log-growth in labels.
    """
    if not 0.0 < share <= 1.0:
        raise ValueError(f"share must be in (0, 1], got {share}")
    count, lost = np.asarray(labels, dtype=np.float64)[:, None], np.asarray(bad, dtype=np.float64)[:, None]
    risks = np.maximum(np.array(bets.fractions) * checked_target(target), 1e-12)
    log_likelihood = lost * np.log(risks) + (count - lost) * np.log1p(-risks)
    likelihood = np.exp(log_likelihood - log_likelihood.max(axis=1, keepdims=True, initial=-np.inf))
    fitted = np.array(bets.weights)
    for _ in range(200 if len(likelihood) else 0):
        posterior = likelihood * fitted
        fitted = (posterior / posterior.sum(axis=1, keepdims=True)).mean(axis=0)
    mixed = share * np.array(bets.weights) + (1.0 - share) * fitted
    return Bets(fractions=bets.fractions, weights=tuple((mixed / mixed.sum()).tolist()))


def bets_expecting(fraction: float, *, bets: Bets = FIVE_BETS, share: float = 0.5) -> Bets:
    """Bets for a slice whose risk is predicted to be `fraction` × target: all but `share` goes to the nearest bet.

    In mid-size samples a right prediction certifies an eighth more, a wrong one costs at most log(1/share) of wealth.
    The prediction, a calibrator's say, must be older than the first label.
    """
    if not 0.0 < share <= 1.0 or not fraction >= 0.0:
        raise ValueError(f"share must be in (0, 1] and fraction >= 0, got {share} and {fraction}")
    nearest = min(range(len(bets.fractions)), key=lambda j: abs(bets.fractions[j] - fraction))
    weights = [share * weight + (1.0 - share) * (j == nearest) for j, weight in enumerate(bets.weights)]
    return Bets(fractions=bets.fractions, weights=tuple(weights))


def observed_target(target: float, sensitivity_lower: float) -> float:
    """The target for what reviewers *see* when they find at least `sensitivity_lower` (in (0, 1]) of the bad drafts.

    Observed risk <= true risk × sensitivity at most, so certifying the observed risk below target × sensitivity_lower
    certifies the true one below target; `binomial.sensitivity_lower` gives the bound from seeded bad drafts.
    """
    if not 0.0 < sensitivity_lower <= 1.0:
        raise ValueError(f"the reviewers' sensitivity must be in (0, 1], got {sensitivity_lower}")
    return checked_target(target) * sensitivity_lower


def attempt_delta(delta: float, attempt: int) -> float:
    """The share of `delta` for a slice's n-th attempt (1 is the first): delta/(n(n+1)), which sums to delta.

    So that trying one trivial new release after the other cannot buy a certificate.
    """
    if attempt < 1:
        raise ValueError(f"attempt must be >= 1, got {attempt}")
    return delta / (attempt * (attempt + 1))


def progress(log_wealth: float, delta: float) -> int:
    """How far the evidence is, of 100; 100 only at the level, 0 at or below the start."""
    return max(0, min(100, math.floor(100.0 * log_wealth / level(delta)))) if log_wealth > -math.inf else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Wealth:
    """All that labels so far have shown about one claim: "the mean loss is below `target`".

    Plain finite numbers, so JSON carries it exactly (`None` is the log-wealth of a ruined bet). Labels in the same order
    give the same record bit for bit, one by one or at once; other builds of numpy may differ in a last digit. A
    certificate is sticky: `log_peak` is the highest log-wealth at any label, 0 at the start.
    """

    target: float
    bets: Bets = FIVE_BETS
    labels: int = 0
    loss_sum: float = 0.0
    log_wealth: tuple[float | None, ...] = ()
    log_peak: float = 0.0

    def __post_init__(self) -> None:
        checked_target(self.target)
        if not self.log_wealth:
            object.__setattr__(self, "log_wealth", (0.0,) * len(self.bets.fractions))
        if len(self.log_wealth) != len(self.bets.fractions):
            raise ValueError(f"one log-wealth per bet, got {self.log_wealth} for {self.bets.fractions}")

    def after(self, losses: Iterable[float]) -> Wealth:
        """The wealth after further losses in [0, 1], in draft order. Raises `ValueError` for one outside."""
        more = np.fromiter(losses, dtype=np.float64)
        if not more.size:
            return self
        paths = np.cumsum(
            np.vstack([from_stored(self.log_wealth), gains(more, target=self.target, bets=self.bets)]), axis=0
        )[1:]
        return Wealth(
            target=self.target,
            bets=self.bets,
            labels=self.labels + more.size,
            loss_sum=float(np.cumsum(np.append(self.loss_sum, more))[-1]),
            log_wealth=to_stored(paths[-1]),
            log_peak=max(self.log_peak, float(log_mixture(paths, self.bets).max())),
        )

    @property
    def log_e(self) -> float:
        """The evidence now; it falls with every bad label."""
        return float(log_mixture(from_stored(self.log_wealth), self.bets))

    def is_certified(self, delta: float) -> bool:
        """Whether the claim was established at some label so far, with error probability `delta`."""
        return self.log_peak >= level(delta)

    def labels_to_go(self, delta: float) -> int:
        """How many further labels without loss would certify; 0 if it is certified."""
        if self.is_certified(delta):
            return 0
        now, clean, wanted = from_stored(self.log_wealth), gains(0.0, target=self.target, bets=self.bets), level(delta)
        if not np.isfinite(now).any():
            raise ValueError("every bet is ruined; this mixture can no longer certify anything")

        def suffices(count: int) -> bool:
            return bool(log_mixture(now + count * clean, self.bets) >= wanted)

        low, high = 0, 1
        while not suffices(high):
            low, high = high, 2 * high
        return _bisected(low, high, suffices)


def to_stored(values: Floats) -> tuple[float | None, ...]:
    """Log-wealths as JSON can carry them: `None` for −inf."""
    return tuple(value if value > -math.inf else None for value in values.tolist())


def from_stored(values: Sequence[float | None]) -> Floats:
    """The inverse of `to_stored`."""
    return np.array([-math.inf if value is None else value for value in values])


def _bisected(low: int, high: int, suffices: Callable[[int], bool]) -> int:
    """The least count in (low, high] that suffices, where `low` may (only if it is the start) and `high` does."""
    if suffices(low):
        return low
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if suffices(middle) else (middle, high)
    return high
