"""Look at spread runs as they grow: end those that are decided or whole, and judge the gates whose runs have ended.

Results are read from the store in the order of the plan (`reading.py`), so that any process that looks comes to the same
end. Each change is a compare-and-set: of two that come to it at once one is committed, and both said the same.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final, Literal

from understudy.errors import Conflict
from understudy.evaluation.archive import gate_result, keep_result
from understudy.evaluation.gate import GateTerms, decide, settling
from understudy.evaluation.reading import Reading
from understudy.ports.clock import Clock
from understudy.ports.store import Store, Transaction
from understudy.records.codec import load
from understudy.records.gate import GateResult, worst_of
from understudy.records.spread import GatePart, GateState, PendingGate, RunState, SpreadRun
from understudy.records.suite import Trial

PAGE: Final = 500
"""How many results are read at once."""

Point = Literal["ending", "ended", "judging", "judged"]
Watch = Callable[[Point, str], None]
"""Hears of each step and of which run or gate it is: before and after the commit."""


@dataclass(slots=True)
class _Followed:
    """A run as this process has read it so far; `version` of the run: another one is read anew."""

    version: int
    reading: Reading


class Judging:
    """See the module. `watch` hears of every step."""

    def __init__(self, store: Store, clock: Clock, *, watch: Watch = lambda point, key: None) -> None:
        self._store = store
        self._clock = clock
        self._watch = watch
        self._followed: dict[str, _Followed] = {}
        self._looking: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def sweep(self) -> int:
        """Look at everything that is not finished; returns how much there is."""
        runs, gates = await self._store.read(lambda tx: (tx.spread.unfinished(), tx.pending_gates.unfinished()))
        for gone in self._followed.keys() - {run.id for run in runs}:
            self._followed.pop(gone, None)
            self._looking.pop(gone, None)
        for run in runs:
            if run.state is RunState.OPEN:
                await self.look(run.id)
        await self.judge()
        return len(runs) + len(gates)

    async def look(self, run_id: str) -> bool:
        """Read what is new of a run, and end it where nothing more is to be told; returns whether it goes on."""
        async with self._looking[run_id]:
            run = await self._store.read(lambda tx: tx.spread.get(run_id))
            if run.state is not RunState.OPEN:
                return False
            reading = await self._read(run)
            if not reading.is_decided and len(reading.trials) < run.planned:
                return True
            await self._end(run, len(reading.trials), is_whole=len(reading.trials) == run.planned)
        await self.judge()
        return False

    async def judge(self) -> None:
        """Judge the gates all of whose runs have ended."""
        for gate in await self._store.read(_ripe):
            await self._judge(gate)

    async def _read(self, run: SpreadRun) -> Reading:
        followed = self._followed.get(run.id)
        if followed is None or followed.version != run.version:
            followed = self._followed[run.id] = _Followed(run.version, Reading(await self._is_decided(run)))
        reading = followed.reading
        while not reading.is_decided:
            page = await self._store.read(lambda tx: tx.spread.results(run.id, after=len(reading.trials), limit=PAGE))
            if page:
                await asyncio.to_thread(_take, reading, page)
            if len(page) < PAGE:
                break
        return reading

    async def _is_decided(self, run: SpreadRun) -> Callable[..., bool]:
        if run.against is None:
            return lambda trials: False
        against = run.against
        before = await self._store.read(lambda tx: tx.runs.trials(against.baseline_run))
        return settling(before, load(GateTerms, against.terms))

    async def _end(self, run: SpreadRun, read: int, *, is_whole: bool) -> None:
        """End a run, and let those begin that waited for it."""

        def step(tx: Transaction) -> None:
            now = self._clock.now()
            ended = replace(run, version=run.version + 1, state=RunState.ENDED, read=read, ended_at=now)
            tx.spread.change(ended, was=run.version)
            done = tx.spread.progress(run.id, now=now).done
            tx.runs.put(replace(tx.runs.get(run.id), done=done, ended_at=now if is_whole else None))
            for other in tx.spread.unfinished():
                if other.state is RunState.WAITING and other.against and other.against.baseline_run == run.id:
                    tx.spread.change(replace(other, version=other.version + 1, state=RunState.OPEN), was=other.version)
            tx.ledger.append(
                "run.ended",
                at=now,
                run=run.id,
                suite=run.suite_digest,
                release=run.release,
                trials=done,
                read=read,
                whole=is_whole,
            )

        self._watch("ending", run.id)
        try:
            await self._store.write(step)
        except Conflict:
            return  # another process ended it, or a person gave it up
        self._watch("ended", run.id)

    async def _judge(self, gate: PendingGate) -> None:
        results = [await self._judged(gate, part) for part in gate.parts]
        parts = tuple(replace(part, result=result) for part, result in zip(gate.parts, results, strict=True))

        def step(tx: Transaction) -> None:
            judged = replace(
                gate,
                version=gate.version + 1,
                state=GateState.JUDGED,
                parts=parts,
                result=worst_of(results),
            )
            tx.pending_gates.change(judged, was=gate.version)
            for result in results:
                keep_result(tx, result, actor=gate.asked_by)

        self._watch("judging", gate.id)
        try:
            await self._store.write(step)
        except Conflict:
            return  # another process judged it, or a person gave it up
        self._watch("judged", gate.id)

    async def _judged(self, gate: PendingGate, part: GatePart) -> GateResult:
        """What one suite says, both of whose runs have ended."""

        def query(tx: Transaction) -> tuple[list[Trial], list[Trial]]:
            run = tx.spread.get(part.candidate_run)
            return tx.runs.trials(part.baseline_run), tx.spread.results(run.id, limit=run.read)

        before, after = await self._store.read(query)
        found = await asyncio.to_thread(decide, before, after, load(GateTerms, part.terms))
        return gate_result(
            found,
            gate_id=self._clock.new_id("gate"),
            suite=part.suite,
            suite_digest=part.suite_digest,
            baseline=gate.baseline,
            candidate=gate.candidate,
            clock=self._clock,
        )


def _ripe(tx: Transaction) -> list[PendingGate]:
    """The gates all of whose runs have ended, not judged yet."""
    return [
        gate
        for gate in tx.pending_gates.unfinished()
        if gate.state is GateState.PENDING
        and all(tx.spread.get(part.candidate_run).state is RunState.ENDED for part in gate.parts)
    ]


def _take(reading: Reading, trials: list[Trial]) -> None:
    for trial in trials:
        if reading.is_decided:
            return
        reading.take(trial)
