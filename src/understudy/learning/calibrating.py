"""Learn from verdicts how signals become the confidence, and try it on verdicts it has not seen. Pure; when this is done
and what follows from it stand in `refit.py`.

The confidence is the probability that a reviewer approves the draft unedited. Its weights are the most probable ones
after the verdicts, with the shipped or configured weights as what was known before (maximum a posteriori; see
`stats/logistic.py`). A better signal must never lower the confidence, so weights below 0 are not allowed: of all models
with weights >= 0 the most probable is found, by an active set, rather than cutting off what came out negative.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from understudy.assessment.confidence import OTHER_WEIGHT, rescored
from understudy.records.autonomy import Candidate, Outcome, TrialTerms
from understudy.records.codec import digest, dump
from understudy.records.rulebook import Calibrator
from understudy.stats import calibration
from understudy.stats.betting import Floats
from understudy.stats.calibration import ReliabilityBin
from understudy.stats.logistic import Prior, RiskModel, Scaling, fit

JUDGEMENTS: Final = frozenset({Outcome.APPROVE, Outcome.EDIT, Outcome.REJECT, Outcome.RESPOND, Outcome.TAKE_OVER})
"""Outcomes that say something of the draft; that nobody came in time says something of the queue."""
SD_PER_WEIGHT: Final = 2.0 / 3.0
"""How far a weight may be from the one known before, as a share of it: the same as in `stats.logistic.sign_informed`."""
SD_MIN: Final = 0.5
"""Even a weight of 0 may be wrong by so many log-odds."""
PROBABILITY_MIN: Final = 1e-6
"""No verdict surprises by more than this allows, so that a single one cannot decide a trial."""
_ROUNDS_MAX: Final = 50
_SLACK: Final = 1e-8


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """A calibrator learned from the earlier verdicts, and how it did on the later ones beside the one in force.

    `log_loss_before` and `log_loss_after` are means in nats over `unseen` verdicts; `p_value` is the probability of a
    gain like this where there is none.
    """

    calibrator: Calibrator
    unseen: int
    log_loss_before: float
    log_loss_after: float
    p_value: float
    is_better: bool


def lessons(candidates: Iterable[Candidate]) -> list[Candidate]:
    """The drafts whose verdict teaches something, in their order: judged by people, and by the second reviewer too
    where one is waited for."""
    taught = [
        candidate
        for candidate in candidates
        if candidate.label is not None and candidate.label.outcome in JUDGEMENTS and not candidate.awaits_second
    ]
    return sorted(taught, key=lambda candidate: candidate.seq)


def tried(
    candidates: Iterable[Candidate], *, in_force: Calibrator, known_before: Calibrator, terms: TrialTerms
) -> Trial | None:
    """Learn from the earlier verdicts and try on the later, of which neither calibrator has seen any.

    `known_before` gives the prior: the shipped or configured weights. None where there are too few verdicts.
    """
    taught = lessons(candidates)
    cut = len(taught) - math.floor(len(taught) * terms.unseen_share)
    unseen = [candidate for candidate in taught[cut:] if candidate.seq > in_force.trained_until]
    approvals = sum(map(_is_approved, unseen))
    if len(taught) < terms.verdicts_min or min(approvals, len(unseen) - approvals) < terms.kind_min:
        return None
    learned = replace(learn(taught[:cut], known_before), trained_until=taught[-1].seq)
    before, after = _surprises(in_force, unseen), _surprises(learned, unseen)
    p_value = _paired_p_value(before - after)
    is_gain = float(after.mean()) <= (1.0 - terms.gain_min) * float(before.mean())
    return Trial(
        calibrator=named(learned),
        unseen=len(unseen),
        log_loss_before=float(before.mean()),
        log_loss_after=float(after.mean()),
        p_value=p_value,
        is_better=is_gain and p_value <= terms.level,
    )


def learn(taught: Sequence[Candidate], known_before: Calibrator) -> Calibrator:
    """The most probable calibrator with weights >= 0; without verdicts the one known before. It has no name yet.

    A signal that `known_before` does not weigh enters with the weight that an unknown signal has.
    """
    prior = dict(known_before.weights)
    names = sorted({*prior, *(name for candidate in taught for name, _ in candidate.signals)})
    centre = np.array([prior.get(name, OTHER_WEIGHT) for name in names])
    lacks = np.array([_lacks(candidate, names) for candidate in taught]).reshape(len(taught), len(names))
    refused = np.array([0.0 if _is_approved(candidate) else 1.0 for candidate in taught])
    weights, intercept = _most_probable(lacks, refused, centre, -known_before.base_log_odds)
    return Calibrator(
        id="",
        base_log_odds=-intercept,
        weights=tuple(zip(names, weights.tolist(), strict=True)),
        trained_until=taught[-1].seq if taught else 0,
        labels=len(taught),
    )


def named(calibrator: Calibrator) -> Calibrator:
    """Name a calibrator by its content."""
    return replace(calibrator, id=digest(dump(replace(calibrator, id=""))))


def score_under(candidate: Candidate, calibrator: Calibrator) -> float:
    """The confidence of a past draft under a calibrator: what it was given, or would have been."""
    if candidate.calibrator == calibrator.id:
        return candidate.confidence
    return rescored(calibrator, candidate.signals)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reliability:
    """How a calibrator's confidences compare with what reviewers then said, on `verdicts` drafts that it had no part
    of: behind its cut-off, and with the confidence they had when they were decided.

    `brier` and `log_loss` (nats) are the lower the better, `calibration_error` in [0, 1] is 0 where it is honest,
    `auroc` in [0, 1] says how well it tells apart. All are None where there is nothing to compute them from.
    """

    calibrator: Calibrator
    verdicts: int
    approved: int
    table: tuple[ReliabilityBin, ...] = ()
    brier: float | None = None
    log_loss: float | None = None
    calibration_error: float | None = None
    auroc: float | None = None


def reliability_of(candidates: Iterable[Candidate], calibrator: Calibrator) -> Reliability:
    """Compare a calibrator's confidences with the verdicts that came after it was made."""
    own = [
        candidate
        for candidate in lessons(candidates)
        if candidate.calibrator == calibrator.id and candidate.seq > calibrator.trained_until
    ]
    approved = [float(_is_approved(candidate)) for candidate in own]
    if not own:
        return Reliability(calibrator=calibrator, verdicts=0, approved=0)
    sure = [candidate.confidence for candidate in own]
    surprises = _surprises(calibrator, own)
    return Reliability(
        calibrator=calibrator,
        verdicts=len(own),
        approved=int(sum(approved)),
        table=calibration.reliability(sure, approved),
        brier=calibration.brier_score(sure, approved),
        log_loss=float(surprises.mean()),
        calibration_error=calibration.expected_calibration_error(sure, approved),
        auroc=calibration.auroc(sure, approved),
    )


def scores_under(past: Iterable[Candidate], calibrator: Calibrator) -> list[float]:
    """The confidences of past drafts under a calibrator."""
    return [score_under(candidate, calibrator) for candidate in past]


def _is_approved(candidate: Candidate) -> bool:
    return candidate.label is not None and candidate.label.outcome is Outcome.APPROVE


def _lacks(candidate: Candidate, names: Sequence[str]) -> list[float]:
    """How much each signal lacks to 1; one that the draft has not lacks nothing, as in the confidence."""
    scores = dict(candidate.signals)
    return [1.0 - scores.get(name, 1.0) for name in names]


def _surprises(calibrator: Calibrator, taught: Sequence[Candidate]) -> Floats:
    """The log loss of each verdict, in nats."""
    sure = np.array([score_under(candidate, calibrator) for candidate in taught])
    approved = np.array([_is_approved(candidate) for candidate in taught])
    given: Floats = np.where(approved, sure, 1.0 - sure)
    found: Floats = -np.log(np.clip(given, PROBABILITY_MIN, 1.0))
    return found


def _paired_p_value(gains: Floats) -> float:
    """One-sided paired t-test: how probable a mean gain like this is where the true one is 0."""
    from scipy.special import stdtr  # background work only: no turn waits for scipy

    spread = float(gains.std(ddof=1))
    if spread == 0.0:
        return 0.0 if gains[0] > 0.0 else 1.0
    statistic = float(gains.mean()) / (spread / math.sqrt(gains.size))
    return float(stdtr(gains.size - 1, -statistic))


def _most_probable(lacks: Floats, refused: Floats, centre: Floats, intercept: float) -> tuple[Floats, float]:
    """Weights >= 0 and the intercept of the log-odds of a refusal, of maximal probability.

    The problem is convex: a weight stays at 0 exactly where moving it up would make the verdicts less probable.
    """
    free = np.ones(centre.size, dtype=bool)
    for round_number in range(_ROUNDS_MAX):
        model = _fitted(lacks, refused, centre, intercept, free)
        found = np.zeros(centre.size)
        found[free] = model.weights
        if (found < 0.0).any():
            free &= found > 0.0
            continue
        risk = 1.0 / (1.0 + np.exp(-(lacks @ found + model.intercept)))
        slope = lacks.T @ (risk - refused) + (found - centre) / _sds(centre) ** 2
        wanting = ~free & (slope < -_SLACK)
        if not wanting.any() or round_number > _ROUNDS_MAX // 2:
            return found, model.intercept
        free[int(np.argmin(np.where(wanting, slope, 0.0)))] = True
    raise AssertionError("an active set that only shrinks comes to an end")


def _fitted(lacks: Floats, refused: Floats, centre: Floats, intercept: float, free: NDArray[np.bool_]) -> RiskModel:
    count = int(free.sum())
    prior = Prior(means=tuple(centre[free].tolist()), sds=tuple(_sds(centre)[free].tolist()), intercept_mean=intercept)
    scaling = Scaling(centres=(0.0,) * count, scales=(1.0,) * count)
    return fit(lacks[:, free], refused, prior=prior, scaling=scaling)


def _sds(centre: Floats) -> Floats:
    found: Floats = np.maximum(SD_MIN, SD_PER_WEIGHT * centre)
    return found
