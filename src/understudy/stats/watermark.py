"""Which labels may be used yet: all drafts up to the first that is still unresolved, in draft order; it judges none.

Bad drafts take reviewers longer than good ones, so labels taken as they arrive look better than the drafts are:
certificates of a slice exactly at its target are then false in 21 to 97 % of cases instead of 4 %. A draft that nobody
resolved in time counts as bad for ever, also when its label comes later, so that what was once used never changes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from itertools import takewhile
from typing import Final, TypeVar

import numpy as np
from numpy.typing import ArrayLike

from understudy.stats.betting import Floats

T = TypeVar("T")

TIMED_OUT_LOSS: Final = 1.0
"""For certificates. The detector takes 0, because a review that is not there may delay an alarm and not raise one."""


def is_late(at: datetime, *, due_at: datetime) -> bool:
    """Whether a label of that moment comes when the draft has timed out already."""
    return at >= due_at


def before_watermark(drafts: Iterable[T], is_awaited: Callable[[T], bool]) -> list[T]:
    """The drafts, given in the order in which they were made, before the first whose label is still awaited.

    Once labels and time-outs stay as they are, a later call has the same ones first.
    """
    return list(takewhile(lambda draft: not is_awaited(draft), drafts))


def usable_from(
    drafted_s: ArrayLike,
    resolved_s: ArrayLike,
    losses: ArrayLike,
    *,
    timeout_s: float,
    timed_out_loss: float = TIMED_OUT_LOSS,
) -> tuple[Floats, Floats]:
    """Both for whole histories at once: from when each draft's loss may be used, and that loss.

    All (..., drafts), in draft order, in seconds; `resolved_s` is inf where a draft was never resolved. The first result
    never falls along the last axis.
    """
    due = np.asarray(drafted_s, dtype=np.float64) + timeout_s
    resolved = np.asarray(resolved_s, dtype=np.float64)
    in_time = resolved < due
    known = np.maximum.accumulate(np.where(in_time, resolved, due), axis=-1)
    return known, np.where(in_time, np.asarray(losses, dtype=np.float64), timed_out_loss)
