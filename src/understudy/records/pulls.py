"""What is fetched from a channel: whose turn it is to fetch, how far that is, and what came around a message; it fetches nothing."""

from __future__ import annotations

import re
from dataclasses import dataclass

_MARKS = re.compile(r"\s*(?:(?:re|aw|sv|vs|ref|antw|fwd?|wg|tr|rif|odp|res|enc)\s*(?:\[\d{1,4}\])?\s*[:\uff1a]|\[[^\]\[]{1,60}\])\s*", re.IGNORECASE)  # fmt: skip
_MARKS_MAX = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """What came around a message that is a letter: the `subject`, and the ids of the letters it follows.

    `chain` is oldest first and ends with the letter's own id: what a reply to it refers to. `whole`: what was written
    before the quoted history was taken away, where that left something out. `is_proven` False: nobody vouches for the
    sender's address.
    """

    chain: tuple[str, ...]
    subject: str = ""
    whole: str | None = None
    is_proven: bool = True

    @property
    def theme(self) -> str:
        """The subject without what replying and forwarding put before it: letters of one theme belong together."""
        return theme_of(self.subject)


@dataclass(frozen=True, slots=True, kw_only=True)
class PullLease:
    """A channel is this process's to fetch from. `cursor`: how far it is, in the channel's own words; None = never begun."""

    channel: str
    token: int
    cursor: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PullState:
    """How far a channel is, and whether somebody fetches from it now."""

    channel: str
    cursor: str | None
    is_held: bool


def theme_of(subject: str) -> str:
    """Strip `Re:`, `Fwd:`, their cousins and `[list]` marks from the front, and fold case and white space."""
    rest = subject
    for _ in range(_MARKS_MAX):
        found = _MARKS.match(rest)
        if found is None or not rest[found.end() :].strip():
            break
        rest = rest[found.end() :]
    return " ".join(rest.split()).casefold()
