"""What customers say of replies after they were sent, and how often they do; what follows from it stands in `effects/`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class FeedbackKind(StrEnum):
    """*complaint* and *thumbs_down*: the customer is not content; *thumbs_up*: is; *recontact*: had to write again."""

    COMPLAINT = "complaint"
    THUMBS_DOWN = "thumbs_down"
    THUMBS_UP = "thumbs_up"
    RECONTACT = "recontact"


DISCONTENT = frozenset({FeedbackKind.COMPLAINT, FeedbackKind.THUMBS_DOWN})
"""Kinds after which somebody looks at the reply."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Feedback:
    """One kind of feedback on the reply to a turn; it is counted once however often it is given. `by`: who told."""

    turn_id: str
    kind: FeedbackKind
    by: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedbackTerms:
    """What follows: so many replies are all audited after one discontent customer (`burst`), and after discontent, or
    recontacts, became more frequent than usual (`rise_burst`). `recontact_within_h`: a customer who writes again about
    the same topic within so many hours after an automatic answer is a recontact; 0 = nobody is.
    """

    burst: int = 100
    rise_burst: int = 600
    recontact_within_h: float = 24.0


USUAL_FEEDBACK = FeedbackTerms()
"""Where the configuration says nothing else."""


class Stir(StrEnum):
    """What may become more frequent: discontent (complaints and thumbs down), or recontacts."""

    DISCONTENT = "discontent"
    RECONTACT = "recontact"


@dataclass(frozen=True, slots=True, kw_only=True)
class Frequency:
    """How often automatic replies of a slice stir customers, of all releases.

    `seen` is the seq of the last candidate counted. `usual`: stirs per reply that are as always, in (0, 1), or None while
    it is still being learned; `watch` is then the state of the detector as canonical JSON. `rises`: how often it fired.
    """

    topic: str
    channel: str
    stir: Stir
    seen: int = 0
    replies: int = 0
    stirs: int = 0
    usual: float | None = None
    watch: str | None = None
    rises: int = 0
