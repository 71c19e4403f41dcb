"""How far two reviewers agree on the same drafts; who is right it does not know.

Sources: J. Cohen, "A coefficient of agreement for nominal scales", Educ. Psychol. Meas. 20, 1960; its large-sample
error: J. Fleiss, J. Cohen, B. Everitt, "Large sample standard errors of kappa and weighted kappa", Psychol. Bull. 72,
1969, equation 13.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """`raw`: the share of drafts judged alike, in [0, 1]. `kappa`: how much of what chance leaves was agreed on, in
    [−1, 1]; `None` where both always said the same one thing, so that chance leaves nothing. `low`, `high`: its
    large-sample interval, rough below some 30 drafts and useless where they agree on all."""

    drafts: int
    raw: float
    kappa: float | None
    low: float | None
    high: float | None


def agreement(first: Sequence[Hashable], second: Sequence[Hashable], *, delta: float = 0.05) -> Agreement:
    """Compare two reviewers' judgements of the same drafts, in the same order; interval of confidence 1 − `delta`.

    Raises `ValueError` for none or for different numbers of judgements.
    """
    if len(first) != len(second) or not first:
        raise ValueError(f"the same drafts judged twice, at least one; got {len(first)} and {len(second)} judgements")
    numbers = {kind: number for number, kind in enumerate(dict.fromkeys([*first, *second]))}
    table = np.zeros((len(numbers), len(numbers)))
    for one, other in zip(first, second, strict=True):
        table[numbers[one], numbers[other]] += 1.0
    p = table / len(first)
    rows, columns = p.sum(axis=1), p.sum(axis=0)
    agreed, by_chance = float(np.trace(table)) / len(first), float(rows @ columns)
    if by_chance >= 1.0:
        return Agreement(drafts=len(first), raw=agreed, kappa=None, low=None, high=None)
    kappa = (agreed - by_chance) / (1.0 - by_chance)
    pulls = columns[:, None] + rows[None, :]  # for a cell (i, j): p.i + pj. with i and j swapped, equation 13
    on_diagonal = float((np.diag(p) * (1.0 - (rows + columns) * (1.0 - kappa)) ** 2).sum())
    off_diagonal = float(((p * pulls**2).sum() - (np.diag(p) * np.diag(pulls) ** 2).sum()) * (1.0 - kappa) ** 2)
    variance = (on_diagonal + off_diagonal - (kappa - by_chance * (1.0 - kappa)) ** 2) / (1.0 - by_chance) ** 2
    margin = NormalDist().inv_cdf(1.0 - delta / 2) * math.sqrt(max(0.0, variance) / len(first))
    return Agreement(
        drafts=len(first), raw=agreed, kappa=kappa, low=max(-1.0, kappa - margin), high=min(1.0, kappa + margin)
    )
