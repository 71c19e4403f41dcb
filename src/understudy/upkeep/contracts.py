"""Notice when a system of record answers in another shape than before: a field gone or new, another type, a new code.

It looks at what comes anyway and asks nothing. A difference is told once: what differs is learned. What is read all the same,
and what becomes unknown, the look-up itself decides.
"""

from __future__ import annotations

from typing import Any, Final

from understudy.ports.clock import Clock
from understudy.ports.store import Store, Transaction
from understudy.ports.telemetry import SystemDrifted, Telemetry
from understudy.records.facts import About
from understudy.records.shape import NOTHING, Change, Shape, changes, learned, merged
from understudy.records.systems import Contract

SEEN_MIN: Final = 20
"""Only what stood in so many answers is missed, and only after so many is a field new."""
CHANGES_MAX: Final = 20
"""No more differences of one answer are told: then it is another interface."""
WORDS_MAX: Final = 300

Key = tuple[str, About]


class Contracts:
    """What each system's answers look like, from all processes; this one's are added to the store now and then."""

    def __init__(self, clock: Clock, telemetry: Telemetry) -> None:
        self._clock = clock
        self._telemetry = telemetry
        self._known: dict[Key, Shape] = {}
        self._new: dict[Key, Shape] = {}
        self._told: dict[Key, list[str]] = {}
        self._is_loaded = False

    def answered(self, system: str, about: About, document: Any) -> None:
        """Look at an answer; never raises for what is in it."""
        key = (system, about)
        try:
            shape = learned([document])
            known = self._known.get(key, NOTHING)
            found = changes(known, document, seen_min=SEEN_MIN) if self._is_loaded and known.seen >= SEEN_MIN else ()
        except (TypeError, RecursionError):
            return
        for change in found[:CHANGES_MAX]:
            self._tell(key, change)
        self._known[key] = merged(known, shape)
        self._new[key] = merged(self._new.get(key, NOTHING), shape)

    async def keep(self, store: Store) -> int:
        """Add what was seen here to what all have seen; returns of how many kinds of answers there was anything new."""
        if not self._is_loaded:
            for contract in await store.read(lambda tx: tx.contracts.all()):
                key = (contract.system, contract.about)
                self._known[key] = merged(contract.shape, self._new.get(key, NOTHING))
            self._is_loaded = True
        new, told = self._new, self._told
        if not new:
            return 0
        self._new, self._told = {}, {}
        try:
            whole = await store.write(lambda tx: self._write(tx, new, told))
        except Exception:
            self._new = {key: merged(shape, self._new.get(key, NOTHING)) for key, shape in {**self._new, **new}.items()}
            self._told = {**told, **self._told}
            raise
        for key, shape in whole.items():
            self._known[key] = merged(shape, self._new.get(key, NOTHING))
        return len(new)

    def _tell(self, key: Key, change: Change) -> None:
        system, about = key
        words = str(change)[:WORDS_MAX]
        self._told.setdefault(key, []).append(words)
        self._telemetry.emit(SystemDrifted(system=system, about=about, kind=change.kind, path=change.path, words=words))

    def _write(self, tx: Transaction, new: dict[Key, Shape], told: dict[Key, list[str]]) -> dict[Key, Shape]:
        now = self._clock.now()
        whole: dict[Key, Shape] = {}
        for key, shape in sorted(new.items(), key=lambda item: item[0]):
            system, about = key
            stored = tx.contracts.get(system, about)
            whole[key] = merged(stored.shape, shape) if stored is not None else shape
            tx.contracts.put(Contract(system=system, about=about, shape=whole[key], changed_at=now))
            if told.get(key):
                tx.ledger.append("system.drifted", at=now, system=system, about=about, changes=told[key])
        return whole
