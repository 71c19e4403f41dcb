"""Look at whether a customer gets people, and let them have the agent again; by what rule it ends is not known here."""

from __future__ import annotations

from understudy.effects.trust import caps_of, lift_cap
from understudy.errors import Conflict
from understudy.ports.clock import Clock
from understudy.ports.store import Store, Transaction
from understudy.records.trust import WhyLifted


class Trust:
    """What a lead may do about a cap."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def lift(self, contact_id: str, *, by: str, why: WhyLifted | None = None) -> None:
        """Lift a contact's cap, and those of all who are the same person, for every decision after this; raises `NotFound`, or `Conflict` where there is none."""

        def step(tx: Transaction) -> None:
            tx.contacts.get(contact_id)
            lifted = [lift_cap(tx, self._clock, cap.contact_id, actor=by, why=why) for cap in caps_of(tx, contact_id)]
            if not any(lifted):
                raise Conflict(
                    f"contact {contact_id} has no cap; the agent may answer already where its topics allow it"
                )

        await self._store.write(step)
