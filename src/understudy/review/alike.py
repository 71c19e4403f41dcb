"""Several drafts that say the same, approved at once: each by a verdict of its own, of which one counts as evidence."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from understudy.errors import Conflict, InputError, NotFound, UnderstudyError
from understudy.ports.clock import Clock
from understudy.ports.store import Store, Transaction
from understudy.records.bulk import AT_ONCE_MAX, ApprovedAlike, RefusedHold
from understudy.records.review import HoldKind, HoldState, VerdictKind, VerdictRequest
from understudy.review.verdicts import Verdicts


class AlikeVerdicts:
    """Approves what is alike. Which drafts are is found by `assessment/alike.py` when they come before people."""

    def __init__(self, store: Store, clock: Clock, verdicts: Verdicts) -> None:
        self._store = store
        self._clock = clock
        self._verdicts = verdicts

    async def approve(self, holds: Sequence[tuple[str, int]], *, reviewer: str, undo_s: float) -> ApprovedAlike:
        """Approve the holds of these ids at these versions, the one that the reviewer looked at first.

        Raises `InputError` where they are not alike, too many, or none of them is claimed by the reviewer: who approves
        must have seen the text. A hold that changed meanwhile is refused alone.
        """
        if not 2 <= len(holds) <= AT_ONCE_MAX or len({hold_id for hold_id, _ in holds}) < len(holds):
            raise InputError(f"approve between 2 and {AT_ONCE_MAX} different holds at once, got {len(holds)}")
        seen = await self._store.read(lambda tx: self._seen(tx, [hold_id for hold_id, _ in holds], reviewer))
        bulk = self._clock.new_id("bulk")
        approved: list[str] = []
        refused: list[RefusedHold] = []
        undo_until: datetime | None = None
        for hold_id, version in sorted(holds, key=lambda one: one[0] != seen):
            request = VerdictRequest(
                hold_id=hold_id,
                version=version,
                kind=VerdictKind.APPROVE,
                reviewer=reviewer,
                bulk=bulk,
                is_repeat=hold_id != seen,
            )
            try:
                if undo_s > 0:
                    _, undo_until = await self._verdicts.give_later(request, undo_s=undo_s)
                else:
                    await self._verdicts.give(request)
                approved.append(hold_id)
            except (Conflict, NotFound) as error:
                refused.append(_refusal(hold_id, error))
        return ApprovedAlike(bulk=bulk, approved=tuple(approved), refused=tuple(refused), undo_until=undo_until)

    def _seen(self, tx: Transaction, ids: Sequence[str], reviewer: str) -> str:
        """Check that the holds are alike, as far as they are open, and return the one that the reviewer has before them."""
        found = [tx.holds.get(hold_id) for hold_id in ids]
        kinds = {hold.alike for hold in found if hold.kind is HoldKind.DRAFT}
        if len(kinds) != 1 or None in kinds or any(hold.kind is not HoldKind.DRAFT for hold in found):
            raise InputError("these drafts are not alike, or not harmless enough to be approved together")
        now = self._clock.now()
        for hold in found:
            is_mine = hold.claimed_by == reviewer and hold.claimed_until is not None and hold.claimed_until > now
            if is_mine and hold.state is HoldState.OPEN and hold.undo_until is None:
                return hold.id
        raise InputError("claim the one of them that you have read: the others say the same, and nobody else read it")


def _refusal(hold_id: str, error: UnderstudyError) -> RefusedHold:
    return RefusedHold(hold_id=hold_id, code=error.code, detail=str(error))
