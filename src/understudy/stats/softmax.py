"""A multinomial logistic model over sparse rows, found by L-BFGS; what the rows and classes mean, others say.

Penalised by half of `penalty` times the squared weights, the biases apart. Single precision is enough, since the weights
are found to a few digits only: further steps change no answer.
Source: D. Liu, J. Nocedal, "On the limited memory BFGS method for large scale optimization", Math. Programming 45, 1989.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Singles = NDArray[np.float32]

STEPS_MAX = 40


class Stopped(Exception):
    """The caller asked to stop before the model was found."""


def fit(
    rows: Any,
    classes: NDArray[np.int64],
    *,
    count: int,
    penalty: float,
    should_stop: Callable[[], bool] = lambda: False,
) -> tuple[Singles, Singles]:
    """Fit to `rows` (examples, features; a scipy.sparse CSR matrix) and their `classes` in 0 … `count` − 1.

    Returns the weights (features, count) and the biases (count). Raises `Stopped`.
    """
    from scipy.optimize import minimize
    from scipy.sparse import csr_matrix

    forth, back = csr_matrix(rows, dtype=np.float32), csr_matrix(rows.T, dtype=np.float32)
    examples, features = forth.shape
    which = np.arange(examples)

    def loss(flat: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        if should_stop():
            raise Stopped
        weights = flat[: features * count].reshape(features, count).astype(np.float32)
        logits = forth @ weights + flat[features * count :].astype(np.float32)
        logits -= logits.max(axis=1, keepdims=True)
        own = float(logits[which, classes].sum(dtype=np.float64))
        odds = np.exp(logits, out=logits)
        total = odds.sum(axis=1, keepdims=True)
        surprise = float(np.log(total).sum(dtype=np.float64)) - own
        odds /= total
        odds[which, classes] -= 1.0
        slope = np.concatenate([(back @ odds + penalty * weights).ravel(), odds.sum(axis=0)])
        squared = float(np.einsum("ij,ij->", weights, weights))
        return surprise + penalty / 2 * squared, slope.astype(np.float64)

    start = np.zeros((features + 1) * count)
    options = {"maxiter": STEPS_MAX, "maxcor": 5}
    found = minimize(loss, start, jac=True, method="L-BFGS-B", options=options).x
    return (
        found[: features * count].reshape(features, count).astype(np.float32),
        found[features * count :].astype(np.float32),
    )
