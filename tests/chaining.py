"""Whether ledger entries are one unbroken chain; it reads no store."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields

from understudy.records.ledger import GENESIS, LedgerEntry, chain


def is_chained(entries: Sequence[LedgerEntry], *, after: int = 0, previous: str | None = None) -> bool:
    """Whether entries are one unbroken chain, from the first on or from behind entry `after` whose hash is given."""
    before = previous or GENESIS
    for number, entry in enumerate(entries, start=after + 1):
        values = {each.name: getattr(entry, each.name) for each in fields(entry) if each.name != "hash"}
        if entry.seq != number or entry.previous != before or entry.hash != chain(**values):
            return False
        before = entry.hash
    return True
