"""What reviewers set up around the queue: views of it, their own keys, canned replies; and who is there. It shows nothing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """A way to look at the queue, under a name. `owner` is the caller's id and `by` their name; a shared one is everybody's
    to use. `shows`: filters and order as canonical JSON; only the console reads it."""

    id: str
    owner: str
    by: str
    name: str
    is_shared: bool
    shows: str
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CannedReply:
    """A text that reviewers begin a reply with; `{words in braces}` are filled in by the console."""

    id: str
    name: str
    text: str
    changed_by: str
    changed_at: datetime


PRESENT_S = 45.0
"""Who was not heard of for so long is not there any more."""

HERE_S = 90.0
"""And for so long not there for hand-offs: a browser lets a page that is not looked at speak only once a minute."""

SEEN_KEPT_S = 86_400.0
"""For so long it is known when somebody was there last."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Presence:
    """Somebody who has the console open, and the hold they look at, if any."""

    owner: str
    name: str
    hold_id: str | None
    seen_at: datetime
