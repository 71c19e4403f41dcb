"""What a model wrote of a hand-off, and where that stands. People read it; nothing is decided by it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class SummaryState(StrEnum):
    """A model is being asked, has written, or there is nothing of it and will not be."""

    ASKED = "asked"
    WRITTEN = "written"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenSummary:
    """One for each hand-off hold. `attempts`: how often a model was asked; `due_at`: from when on whoever asked is taken for dead;
    `by`: the model; `seen_to`: the `seq` of the last message that it was shown; `error`: why there are no lines."""

    hold_id: str
    turn_id: str
    conversation_id: str
    state: SummaryState
    attempts: int
    due_at: datetime
    at: datetime
    by: str
    lines: tuple[str, ...] = ()
    seen_to: int = 0
    error: str | None = None
