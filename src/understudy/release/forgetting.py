"""Delete rehearsals that are older than they may be kept, for customers' words stand in them. What was learned of a release
by them stays: those are figures, and no text."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial
from typing import Final

from understudy.ports.clock import Clock
from understudy.ports.store import Store, Transaction
from understudy.records.release import Rehearsal
from understudy.records.rollout import ReleaseTerms

PAGE: Final = 200
"""So many rehearsals of a release are deleted in one step."""
LOOK_EVERY: Final = timedelta(minutes=10)
"""So often it is looked for some, once none is left."""


class Forgetting:
    """See the module. `sweep` looks at all releases, whatever became of them; call it about once a second."""

    def __init__(self, store: Store, clock: Clock, *, terms: ReleaseTerms) -> None:
        self._store = store
        self._clock = clock
        self._kept = timedelta(days=terms.rehearsals_kept_days)
        self._looks_at: datetime | None = None

    async def sweep(self) -> int:
        """Delete a page of each release; returns how many rehearsals are gone."""
        now = self._clock.now()
        if not self._kept or (self._looks_at is not None and now < self._looks_at):
            return 0
        before = now - self._kept
        found = await self._store.read(
            lambda tx: [one.id for one in tx.releases.roster().releases if _old(tx, one.id, before)]
        )
        if not found:
            self._looks_at = now + LOOK_EVERY
            return 0
        return sum([await self._store.write(partial(self._forget, release_id=one, before=before)) for one in found])

    def _forget(self, tx: Transaction, release_id: str, before: datetime) -> int:
        old = [one.turn_id for one in _old(tx, release_id, before)]
        if old:
            tx.releases.forget_rehearsals(old, release_id=release_id)
            tx.ledger.append("release.forgot", at=self._clock.now(), release=release_id, turns=old)
        return len(old)


def _old(tx: Transaction, release_id: str, before: datetime) -> list[Rehearsal]:
    """The oldest rehearsals of a release that were made before then."""
    return [one for one in tx.releases.rehearsals(release_id, limit=PAGE) if one.at <= before]
