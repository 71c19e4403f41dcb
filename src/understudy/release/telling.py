"""Tell a release what its gate said, where servers made the trials: by then the verdict is on disk. It judges nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Literal

from understudy.errors import Conflict
from understudy.ports.clock import Clock
from understudy.ports.store import Store, Transaction
from understudy.ports.telemetry import ReleaseMoved, Telemetry
from understudy.records.release import Release, Stage
from understudy.records.spread import GateState, PendingGate
from understudy.release import rollout

Watch = Callable[[Literal["telling", "told"], str], None]
"""Hears of each gate before and after its release was told."""


class Telling:
    """See the module. `sweep` tells all that were judged; call it about once a second."""

    def __init__(
        self, store: Store, clock: Clock, telemetry: Telemetry, *, watch: Watch = lambda point, gate: None
    ) -> None:
        self._store = store
        self._clock = clock
        self._telemetry = telemetry
        self._watch = watch

    async def sweep(self) -> int:
        """Tell every release whose gate was judged; returns how many there were."""
        gates = await self._store.read(lambda tx: tx.pending_gates.unfinished())
        judged = [gate for gate in gates if gate.state is GateState.JUDGED]
        for gate in judged:
            await self._tell(gate)
        return len(judged)

    async def _tell(self, gate: PendingGate) -> None:
        result = gate.result
        assert result is not None, "a judged gate has a result"

        def step(tx: Transaction) -> Release | None:
            tx.pending_gates.change(replace(gate, version=gate.version + 1, state=GateState.TOLD), was=gate.version)
            release = tx.releases.get(gate.candidate)
            full = tx.releases.roster().full(release.agent)
            answers = full is not None and full.id == gate.baseline
            if release.stage is not Stage.CREATED or not answers:  # a person was quicker, or it is about what was
                tx.ledger.append(
                    "gate.missed", at=self._clock.now(), gate=gate.id, candidate=release.id, stage=release.stage.value
                )
                return None
            return rollout.gated(tx, self._clock, release, result, by=gate.asked_by)

        self._watch("telling", gate.id)
        try:
            release = await self._store.write(step)
        except Conflict:
            return  # another process told it
        self._watch("told", gate.id)
        if release is not None:
            what = "gated" if release.stage is Stage.GATED else "not gated"
            self._telemetry.emit(
                ReleaseMoved(release=release.id, agent=release.agent, what=what, by=gate.asked_by, why=result.reason)
            )
