"""How long to wait for the rest of a burst of messages, as a pure function; it waits for nothing itself.

A customer who writes "hi" / "my order" / "where is it?" means one question. A fixed pause is too short for some and a
delay for all, so the pause adapts to the text (does it look finished?) and to how quickly this customer has been typing.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

FINISHED = re.compile(r"[.?!…)\"'”]\s*$")
DANGLING = re.compile(r"(,|:|;|-|\b(?:and|but|or|because|so|the|my|a|to|for|with|is))\s*$", re.IGNORECASE)
SHORT_WORDS = 4
"""A message of at most this many words without an end is probably the first part of something."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CoalescingLimits:
    """Bounds in seconds: of one pause, and of a whole burst from its first message on. All zero = never wait."""

    window_s_min: float = 0.4
    window_s_max: float = 4.0
    burst_s_max: float = 12.0

    def __post_init__(self) -> None:
        if not 0 <= self.window_s_min <= self.window_s_max <= self.burst_s_max:
            raise ValueError("coalescing needs 0 <= window_s_min <= window_s_max <= burst_s_max")


def window_s(text: str, *, gaps_s: Sequence[float], limits: CoalescingLimits) -> float:
    """Seconds to wait after `text` for a further message.

    `gaps_s` are the pauses between this customer's messages inside earlier bursts; the window follows twice their
    largest, because a customer who pauses two seconds between lines will do so again. Always within the limits.
    """
    if DANGLING.search(text):
        looks = limits.window_s_max
    elif FINISHED.search(text):
        looks = limits.window_s_min
    elif len(text.split()) <= SHORT_WORDS:
        looks = (limits.window_s_min + limits.window_s_max) / 2
    else:
        looks = limits.window_s_min + (limits.window_s_max - limits.window_s_min) / 4
    habit = 2 * max((gap for gap in gaps_s if gap <= limits.window_s_max), default=0.0)
    return min(max(looks, habit, limits.window_s_min), limits.window_s_max)
