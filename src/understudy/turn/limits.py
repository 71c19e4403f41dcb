"""What bounds a turn from outside, and what follows a decision by chance or by time; the rules of decisions are no part."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from understudy.effects.absence import NobodyHome
from understudy.records.feedback import USUAL_FEEDBACK, FeedbackTerms


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowLimits:
    """`hold_expires_after_s`: how long a hold waits for a person before its expiry rule applies.

    `judged_within_s`: a draft that nobody judged for so long counts as bad for the autonomy of its slice.
    `lapse_s`: a turn whose agent is being asked is another worker's after so long, unless it is renewed; None = after
    the longest time that drafting takes, and nobody has to renew.
    `seed_rate` in [0, 1]: beside so many of the drafts that are held a known-bad one is planted.
    `nobody_home`: what is said outside opening hours to whoever needs a person; None: nothing.
    `timezone`: the IANA name of the zone in which promises mean their times.
    `feedback`: what follows where a message says something of the automatic reply before it.
    """

    hold_expires_after_s: float | None = 900.0
    judged_within_s: float = 72 * 3600.0
    lapse_s: float | None = None
    seed_rate: float = 0.0
    feedback: FeedbackTerms = USUAL_FEEDBACK
    nobody_home: NobodyHome | None = None
    timezone: str = "UTC"

    @property
    def judged_within(self) -> timedelta:
        """The same as `judged_within_s`."""
        return timedelta(seconds=self.judged_within_s)
