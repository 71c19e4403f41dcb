"""How well a score learnt from few labels sorts drafts, beside the oracle that knows the true weights."""

from __future__ import annotations

from typing import Any

import numpy as np

from autonomy_bench.study import Study
from understudy.stats.calibration import auroc, expected_calibration_error, log_loss
from understudy.stats.coverage import coverage_at_risk, risk_coverage
from understudy.stats.logistic import Prior, fit, learnt_elsewhere, scaling_of, sign_informed

FILES = ()
SIGNALS, TOPICS, TARGET, BASE = 7, 12, 0.02, 0.059
LABELS = (50, 100, 200, 500, 1000, 3000)


def measure(study: Study) -> dict[str, Any]:
    """Seven signals that resemble each other and twelve topics; 6 % of drafts are bad. Means over worlds.

    The worlds keep what the shipped prior claims, the signs, and nothing else: weights are exponential, many near 0.
    """
    rows: dict[str, list[dict[str, float]]] = {}
    for world in study.steps(range(study.runs(50)), "scores"):
        for name, figures in _world(study.dice("score", world)).items():
            rows.setdefault(name, []).append(figures)
    means = {
        name: {key: float(np.mean([row[key] for row in found])) for key in found[0]} for name, found in rows.items()
    }
    return means | {"of_oracle_at_50": means["sign_informed.50"]["auroc"] / means["oracle"]["auroc"]}


def _world(rng: np.random.Generator) -> dict[str, dict[str, float]]:
    weights, topic_weights = -rng.exponential(0.45, SIGNALS), rng.normal(0, 0.3, TOPICS)
    intercept = 0.0

    def draw(count: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        signals = np.sqrt(0.5) * rng.normal(size=(count, 1)) + np.sqrt(0.5) * rng.normal(size=(count, SIGNALS))
        topics = np.eye(TOPICS)[rng.integers(0, TOPICS, count)]
        truth = 1 / (1 + np.exp(-intercept - signals @ weights - topics @ topic_weights))
        return np.column_stack([signals, topics]), truth, (rng.random(count) < truth).astype(float)

    for _ in range(30):
        intercept += float(np.log(BASE / draw(5000)[1].mean())) / 2
    unseen, truth, bad = draw(20_000)
    found = {"oracle": _figures(truth, truth, bad)}
    rows, _, labels = draw(LABELS[-1])
    scaling = scaling_of(draw(2000)[0], as_they_are=range(SIGNALS, SIGNALS + TOPICS))
    priors = {
        "sign_informed": sign_informed(SIGNALS, topics=TOPICS),
        "learnt_elsewhere": learnt_elsewhere((weights + rng.normal(0, 0.15, SIGNALS)).tolist(), topics=TOPICS),
        "ridge": Prior(means=(0.0,) * (SIGNALS + TOPICS), sds=(0.5,) * (SIGNALS + TOPICS)),
        "no_prior": Prior(means=(0.0,) * (SIGNALS + TOPICS), sds=(30.0,) * (SIGNALS + TOPICS)),
    }
    for name, prior in priors.items():
        for count in LABELS:
            model = fit(rows[:count], labels[:count], prior=prior, scaling=scaling)
            found[f"{name}.{count}"] = _figures(model.risks(unseen), truth, bad)
    return found


def _figures(risks: np.ndarray, truth: np.ndarray, bad: np.ndarray) -> dict[str, float]:
    return {
        "auroc": auroc(risks, bad) or 0.0,
        "calibration_error": expected_calibration_error(risks, bad),
        "log_loss": log_loss(np.clip(risks, 1e-9, 1 - 1e-9), bad),
        "coverage_at_2pct": coverage_at_risk(risk_coverage(-risks, truth), TARGET),
    }
