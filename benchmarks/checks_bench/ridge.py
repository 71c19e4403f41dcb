"""Logistic regression over rows of named values with one L2 penalty for all of them, rare or not; it knows no data.

Unlike `logistic.fit_sparse`, whose penalty grows with how often a name occurs, a rare word is held back like any other.
"""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Sequence

from checks_bench.logistic import sigmoid


def fit(
    rows: Sequence[dict[str, float]], labels: Sequence[bool], *, penalty: float, rounds: int = 25, rate: float = 0.2
) -> tuple[float, dict[str, float]]:
    """Minimise log-loss + penalty / 2 · |weights|² by AdaGrad, shuffled by a fixed seed; gives bias and weights."""
    dice = random.Random(1)
    shares = {name: penalty / count for name, count in Counter(name for row in rows for name in row).items()}
    weights = dict.fromkeys(shares, 0.0)
    seen = dict.fromkeys(shares, 1e-6)
    bias, bias_seen = 0.0, 1e-6
    order = list(range(len(rows)))
    for _ in range(rounds):
        dice.shuffle(order)
        for i in order:
            row = rows[i]
            error = sigmoid(bias + sum(weights[name] * value for name, value in row.items())) - labels[i]
            bias_seen += error * error
            bias -= rate * error / math.sqrt(bias_seen)
            for name, value in row.items():
                slope = error * value + shares[name] * weights[name]
                seen[name] += slope * slope
                weights[name] -= rate * slope / math.sqrt(seen[name])
    return bias, weights
