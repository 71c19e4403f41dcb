"""What a model wrote of a hand-off, as it is kept with its turn. People read it; nothing is decided by it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

ASKED_KIND: Final = "summary_asked"
"""The artifact of a turn that says that a model is being asked for its summary."""
WRITTEN_KIND: Final = "summary"
"""The artifact of a turn that keeps what came of it, once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SummaryAsked:
    """Somebody asks: for the how manieth time, and since when."""

    attempts: int
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenSummary:
    """What came of asking. `lines` are empty where nothing did, and `error` says why; `by` is the model, `seen_to` the `seq` of the
    last message that it was shown."""

    lines: tuple[str, ...]
    by: str
    at: datetime
    seen_to: int
    error: str | None = None
