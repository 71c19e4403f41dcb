"""Which labels may be used yet: all drafts up to the first that is still unresolved, in draft order; it judges none.

Bad drafts take reviewers longer than good ones, so labels taken as they arrive look better than the drafts are:
certificates of a slice exactly at its target are then false in 21 to 97 % of cases instead of 4 %. A draft that nobody
resolved in time counts as bad for ever, also when its label comes later, so that what was once used never changes.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import ArrayLike

from understudy.stats.betting import Floats

TIMEOUT: Final = timedelta(hours=72)
TIMED_OUT_LOSS: Final = 1.0
"""For certificates. The detector takes 0, because a review that is not there may delay an alarm and not raise one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewedDraft:
    """A draft that is to be judged: when it was made, and its loss in [0, 1] and the moment it was known, if it is."""

    drafted_at: datetime
    loss: float | None = None
    resolved_at: datetime | None = None

    def __post_init__(self) -> None:
        if (self.loss is None) != (self.resolved_at is None):
            raise ValueError(f"a loss has a moment at which it was known, got {self.loss} at {self.resolved_at}")
        if self.resolved_at is not None and self.resolved_at < self.drafted_at:
            raise ValueError(f"a draft of {self.drafted_at} cannot have been resolved before, at {self.resolved_at}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Usable:
    """`losses`: those of the drafts before the watermark, in draft order. `timed_out`: how many of them nobody resolved
    in time. `waiting`: drafts from the first unresolved one on."""

    losses: tuple[float, ...]
    timed_out: int
    waiting: int


def usable(
    drafts: Iterable[ReviewedDraft],
    *,
    now: datetime,
    timeout: timedelta = TIMEOUT,
    timed_out_loss: float = TIMED_OUT_LOSS,
) -> Usable:
    """The losses that may be used at `now`; a later call has the same ones first.

    Raises `ValueError` unless the drafts stand in the order in which they were made.
    """
    queue = tuple(drafts)
    if any(later.drafted_at < earlier.drafted_at for earlier, later in pairwise(queue)):
        raise ValueError("drafts must stand in the order in which they were made")
    losses: list[float] = []
    timed_out = 0
    for draft in queue:
        due_at = draft.drafted_at + timeout
        if draft.loss is not None and draft.resolved_at is not None and draft.resolved_at <= min(now, due_at):
            losses.append(draft.loss)
        elif due_at < now:
            losses.append(timed_out_loss)
            timed_out += 1
        else:
            break
    return Usable(losses=tuple(losses), timed_out=timed_out, waiting=len(queue) - len(losses))


def usable_from(
    drafted_s: ArrayLike,
    resolved_s: ArrayLike,
    losses: ArrayLike,
    *,
    timeout_s: float,
    timed_out_loss: float = TIMED_OUT_LOSS,
) -> tuple[Floats, Floats]:
    """The same for whole histories at once: from when each draft's loss may be used, and that loss.

    All (..., drafts), in draft order, in seconds; `resolved_s` is inf where a draft was never resolved. The first result
    never falls along the last axis.
    """
    due = np.asarray(drafted_s, dtype=np.float64) + timeout_s
    resolved = np.asarray(resolved_s, dtype=np.float64)
    in_time = resolved <= due
    known = np.maximum.accumulate(np.where(in_time, resolved, due), axis=-1)
    return known, np.where(in_time, np.asarray(losses, dtype=np.float64), timed_out_loss)
