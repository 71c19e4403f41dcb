"""Logistic regression in plain Python, small and exactly repeatable: dense by Newton, sparse by AdaGrad; no data."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence


def sigmoid(log_odds: float) -> float:
    """The probability of log-odds."""
    return 1.0 / (1.0 + math.exp(-max(-60.0, min(60.0, log_odds))))


def fit_dense(
    rows: Sequence[Sequence[float]], labels: Sequence[bool], weights: Sequence[float], *, ridge: float, steps: int = 12
) -> tuple[float, list[float]]:
    """Fit by Newton's method with an L2 penalty `ridge` on standardised columns; gives bias and raw coefficients."""
    count = len(rows[0])
    total = sum(weights)
    means = [sum(w * row[j] for row, w in zip(rows, weights, strict=True)) / total for j in range(count)]
    spreads = [
        math.sqrt(sum(w * (row[j] - means[j]) ** 2 for row, w in zip(rows, weights, strict=True)) / total) or 1.0
        for j in range(count)
    ]
    scaled = [[1.0, *((row[j] - means[j]) / spreads[j] for j in range(count))] for row in rows]
    beta = [0.0] * (count + 1)
    for _ in range(steps):
        gradient = [0.0] + [ridge * value for value in beta[1:]]
        hessian = [[0.0] * (count + 1) for _ in range(count + 1)]
        for j in range(1, count + 1):
            hessian[j][j] = ridge
        for row, label, weight in zip(scaled, labels, weights, strict=True):
            probability = sigmoid(sum(b * x for b, x in zip(beta, row, strict=True)))
            error = weight * (probability - label)
            slope = weight * probability * (1 - probability)
            for j, x in enumerate(row):
                gradient[j] += error * x
                line, factor = hessian[j], slope * x
                for k in range(j + 1):
                    line[k] += factor * row[k]
        for j in range(count + 1):
            for k in range(j):
                hessian[k][j] = hessian[j][k]
        beta = [b - d for b, d in zip(beta, _solved(hessian, gradient), strict=True)]
    raw = [beta[j + 1] / spreads[j] for j in range(count)]
    return beta[0] - sum(value * means[j] for j, value in enumerate(raw)), raw


def _solved(matrix: list[list[float]], right: list[float]) -> list[float]:
    """Solve a symmetric positive definite system by elimination."""
    size = len(right)
    rows = [[*line, value] for line, value in zip(matrix, right, strict=True)]
    for i in range(size):
        pivot = rows[i][i] + 1e-9
        for j in range(i + 1, size):
            factor = rows[j][i] / pivot
            if factor:
                rows[j] = [a - factor * b for a, b in zip(rows[j], rows[i], strict=True)]
    solution = [0.0] * size
    for i in reversed(range(size)):
        rest = sum(rows[i][j] * solution[j] for j in range(i + 1, size))
        solution[i] = (rows[i][size] - rest) / (rows[i][i] + 1e-9)
    return solution


def fit_sparse(
    rows: Sequence[dict[str, float]],
    labels: Sequence[bool],
    weights: Sequence[float],
    *,
    ridge: float,
    rounds: int = 20,
    rate: float = 0.3,
) -> tuple[float, dict[str, float]]:
    """Fit by AdaGrad over rows of named values, shuffled by a fixed seed; `ridge` per row on the values it has."""
    dice = random.Random(1)
    beta: dict[str, float] = {}
    seen: dict[str, float] = {}
    bias, bias_seen = 0.0, 1e-6
    order = list(range(len(rows)))
    for _ in range(rounds):
        dice.shuffle(order)
        for i in order:
            row = rows[i]
            probability = sigmoid(bias + sum(beta.get(name, 0.0) * value for name, value in row.items()))
            error = weights[i] * (probability - labels[i])
            bias_seen += error * error
            bias -= rate * error / math.sqrt(bias_seen)
            for name, value in row.items():
                slope = error * value + ridge * beta.get(name, 0.0)
                seen[name] = seen.get(name, 1e-6) + slope * slope
                beta[name] = beta.get(name, 0.0) - rate * slope / math.sqrt(seen[name])
    return bias, beta
