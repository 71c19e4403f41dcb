"""Which hand-offs a model may still write a summary of, as a part of the store's port; what it wrote is an artifact of its turn."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from understudy.records.review import Hold


class Summaries(Protocol):
    """Hand-offs without a written summary."""

    def missing(self, since: datetime, *, limit: int) -> list[Hold]:
        """Open hand-offs that began after this and of which nothing came yet, the oldest first; none of rehearsals."""
        ...
