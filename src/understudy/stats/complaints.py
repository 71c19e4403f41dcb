"""Whether complaints per reply became more frequent than usual, counted at each complaint; what to do then is not said.

The detector of `detector.py` with every reply audited: a reply without a complaint is a loss of 0. The replies between
two complaints are many and alike, so they are taken in one step.
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import Final

import numpy as np

from understudy.stats.betting import Floats, from_stored, to_stored
from understudy.stats.detector import Detector, Watch, after, complaint_detector, is_alarmed, log_ratios, unstirred

USUAL_MIN: Final = 1e-4
USUAL_MAX: Final = 0.6
"""Between these the usual rate is kept, so that there is something to bet on."""


def usual_rate(replies: int, complaints: int) -> float:
    """The rate that so many complaints in so many replies (>= 1) show, never 0: (complaints + 1)/(replies + 1)."""
    if replies < 1:
        raise ValueError(f"a rate needs at least one reply, got {replies}")
    return min(USUAL_MAX, max(USUAL_MIN, (complaints + 1) / (replies + 1)))


def complained(usual: float, watch: Watch | None, *, replies: int) -> tuple[Watch, bool]:
    """The watch after `replies` replies since the last complaint and then one complaint, and whether it fired.

    `watch` None = before the first. A watch that fired starts anew. In arrival order: which reply a complaint is about
    plays no part, since one that comes late would otherwise count for nothing.
    """
    detector = complaint_detector(usual)
    watch = after(detector, quiet(detector, watch or unstirred(detector), replies), rate=1.0, loss=1.0)
    return (unstirred(detector), True) if is_alarmed(detector, watch) else (watch, False)


def quiet(detector: Detector, watch: Watch, replies: int) -> Watch:
    """The watch after `replies` audited replies (>= 0) without a loss, as `after` one by one would leave it.

    With g the factor of a good reply, each makes of a bet's mass M the mass (M + 1)·g; n of them g^n·M + g(1 − g^n)/(1 − g).
    """
    if replies < 0:
        raise ValueError(f"replies must be >= 0, got {replies}")
    if not replies:
        return watch
    log_g = _of_a_good_reply(detector)
    log_n = replies * log_g
    started = log_g + np.log(-np.expm1(log_n)) - np.log(-np.expm1(log_g))
    mass = np.logaddexp(from_stored(watch.log_mass) + log_n, started)
    return replace(
        watch,
        log_mass=to_stored(mass),
        delivered=watch.delivered + replies,
        audited=watch.audited + replies,
        expected=watch.expected + replies,
    )


@lru_cache(maxsize=1024)
def _of_a_good_reply(detector: Detector) -> Floats:
    """What a reply without a loss adds to the log-mass of each bet; the same for all of a slice's."""
    return log_ratios(0.0, detector)
