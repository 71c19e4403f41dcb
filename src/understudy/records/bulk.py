"""Several drafts that say the same, approved at once: what became of each. Whether they may be is not said here."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

AT_ONCE_MAX: Final = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedHold:
    """A hold on which the verdict was not taken, and why, as a code and in words."""

    hold_id: str
    code: str
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovedAlike:
    """What became of each hold; `undo_until` says until when the verdicts can be taken back, None where they took effect."""

    bulk: str
    approved: tuple[str, ...]
    refused: tuple[RefusedHold, ...]
    undo_until: datetime | None
