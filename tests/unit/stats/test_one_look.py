"""The single look beside MAPIE, which knows only that mode: never stricter, and never with a larger p-value."""

from __future__ import annotations

import numpy as np
import pytest
from mapie.risk_control import BinaryClassificationController
from mapie.risk_control.methods import compute_hoeffding_bentkus_p_value

from understudy.stats.binomial import at_most_p
from understudy.stats.ladder import Ladder, one_look

THRESHOLDS = tuple(np.round(np.linspace(0.95, 0.05, 10), 3).tolist())
SEQUENCE = (1.0, *(0.0,) * 9)
EQUAL = (0.1,) * 10


def world(seed: int, labels: int) -> tuple[np.ndarray, np.ndarray]:
    """Scores in (0, 1), and whether each draft is bad: the less, the higher the score."""
    rng = np.random.default_rng(seed)
    scores = rng.beta(3, 1, labels)
    return scores, (rng.random(labels) < 0.35 * (1 - scores) ** 1.2).astype(int)


def of_mapie(scores: np.ndarray, bad: np.ndarray, method: str) -> list[float]:
    controller = BinaryClassificationController(
        predict_function=lambda x: np.column_stack([1 - x[:, 0], x[:, 0]]),
        risk="precision",
        target_level=0.95,
        confidence_level=0.95,
        list_predict_params=np.array(THRESHOLDS),
        fwer_method=method,
    )
    controller.calibrate(scores[:, None], 1 - bad)
    return [float(threshold) for threshold in controller.valid_predict_params]


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize(("method", "correction"), [("bonferroni", "bonferroni"), ("fixed_sequence", "fallback")])
def test_thresholds_are_those_of_mapie_or_laxer(seed: int, method: str, correction: str) -> None:
    scores, bad = world(seed, 900)
    ladder = Ladder(thresholds=THRESHOLDS, shares=SEQUENCE if method == "fixed_sequence" else EQUAL, target=0.05)
    held = one_look(ladder, scores, bad, correction=correction)
    ours = {threshold for threshold, is_held in zip(THRESHOLDS, held, strict=True) if is_held}
    theirs = set(of_mapie(scores, bad, method))
    assert ours >= theirs
    assert len(ours - theirs) <= 2


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_mapie_finds_something_in_most_of_these_worlds() -> None:
    assert sum(bool(of_mapie(*world(seed, 900), "fixed_sequence")) for seed in range(12)) >= 6


@pytest.mark.parametrize("target", [0.02, 0.05, 0.2])
def test_exact_p_values_are_never_larger_than_those_of_mapie(target: float) -> None:
    labels, bad = np.meshgrid([20, 100, 500, 2000], np.arange(0, 40), indexing="ij")
    possible = bad <= labels * target
    labels, bad = labels[possible], bad[possible]
    ours = at_most_p(bad, labels, target=target)
    theirs = compute_hoeffding_bentkus_p_value(bad / labels, labels, target, binary=True)
    assert (ours <= np.ravel(theirs) * (1 + 1e-9)).all()


def test_equal_shares_certify_all_that_bonferroni_does() -> None:
    ladder = Ladder(thresholds=THRESHOLDS, shares=EQUAL, target=0.05)
    for seed in range(12):
        scores, bad = world(seed, 900)
        strict, lax = (one_look(ladder, scores, bad, correction=kind) for kind in ("bonferroni", "fallback"))
        assert all(there or not here for here, there in zip(strict, lax, strict=True))
