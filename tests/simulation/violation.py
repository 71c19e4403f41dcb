"""A broken promise, by name; it says what was seen and judges nothing."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Violation:
    """`promise` is which of the promises was broken, `what` was seen."""

    promise: str
    what: str

    def __str__(self) -> str:
        return f"{self.promise}: {self.what}"


NOT_LOST = "no acknowledged message is lost"
NOT_TWICE = "nothing is sent twice for one decision"
IN_ORDER = "replies of a conversation keep their order"
NOT_VOID = "no void draft is sent"
DECIDED = "nothing is sent without a decision"
NOT_STALE = "a stale verdict changes nothing"
ONE_HAND_OFF = "a hand-off is neither lost nor repeated"
UNSURE_IS_HELD = "an ambiguous send is held for a person"
CHAINED = "the ledger is one chain"
QUOTA = "quotas are never exceeded"
IN_TIME = "every turn ends in time"
REPLAYED = "replay gives the same decision"
DONE_ONCE = "what was let through is done once, and its reply leaves after it"
LEGAL = "records change only as their life allows"
REMEMBERED = "what a process remembers of the store is so"
NO_SURPRISE = "nothing breaks that nobody foresaw"
OWN_ECHO = "our own message that comes back is nobody's answer"
NOT_MUTED = "who was handed back is answered by the agent again"
NO_LOOP = "nothing is handed off twice for the same cause"
SLA_KEPT = "a hand-off is seen to in time, or raised before all others"
NOT_BURNT_TWICE = "who had a bad answer does not meet the agent again before the cap is lifted"
OF_HAND_OFFS = (OWN_ECHO, NOT_MUTED, NO_LOOP, SLA_KEPT)
"""What a world of hand-offs is held to besides."""
ALL = (
    NOT_LOST,
    NOT_TWICE,
    IN_ORDER,
    NOT_VOID,
    DECIDED,
    NOT_STALE,
    ONE_HAND_OFF,
    UNSURE_IS_HELD,
    CHAINED,
    QUOTA,
    IN_TIME,
    REPLAYED,
    DONE_ONCE,
    LEGAL,
    REMEMBERED,
    NO_SURPRISE,
)
"""Every promise that a world is held to."""
