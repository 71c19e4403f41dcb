"""Make trials of the runs that servers were asked for, in every process that has room; it ends and judges nothing.

A trial is leased, made as `Runner` makes it, and its result is kept under the lease's token: a process that was thought
dead keeps nothing. A dead one's lease lapses, and another makes its trial. Customers go first: a trial waits for its
place at an agent behind all of them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from understudy.errors import StepSuperseded, UnderstudyError
from understudy.evaluation.judging import Judging
from understudy.evaluation.plan import Planned
from understudy.ports.clock import Clock
from understudy.ports.store import Store, Transaction
from understudy.ports.telemetry import StepFailed, Telemetry, TrialMade, TrialsRefused
from understudy.records.spread import TOKENS_A_TRY, LeasedTrial, RunState, SpreadRun
from understudy.records.suite import Trial

LAPSE_S: Final = 6.0
"""A trial whose lease is not renewed for so long is another process's."""
HANDS_MAX: Final = 5
"""A trial that so many processes began and none ended is an error: it may be what killed them."""
AGAIN_S: Final = 30.0
"""How long a process that cannot make the trials of a run waits before it looks again whether it can."""

Watch = Callable[[str, str, int], None]
"""Hears of each step of a trial: *leased*, those of the runner, *keeping*, *kept*; of which case and number."""
Make = Callable[[Planned, Callable[[Transaction], bool], Watch], Awaitable[Trial]]
"""Makes a trial as `Runner` does; raises `StepSuperseded` where it is not wanted any more, as the second says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """What a process needs to make the trials of one run: its plan, and how one is made."""

    plan: Sequence[Planned]
    make: Make
    places: Sequence[tuple[str, int]]
    """The plan by case and number, as the store has it; made once, since every lease looks into it."""


Benches = Callable[[SpreadRun], Awaitable[Bench]]
"""Prepares a process for a run; raises `UnderstudyError` where it has another suite, or does not state the release."""


@dataclass(slots=True)
class _Set:
    """A run that this process works on; `bench` None: it cannot, and looks again after `again_at`."""

    bench: Bench | None
    again_at: float = 0.0


class Spread:
    """See the module. `at_once_max` trials at a time in this process; 0: it makes none. `close` lets go of what benches
    have opened."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        telemetry: Telemetry,
        benches: Benches,
        judging: Judging,
        *,
        at_once_max: int,
        lapse_s: float = LAPSE_S,
        close: Callable[[], Awaitable[None]] | None = None,
        watch: Watch = lambda point, case, trial: None,
    ) -> None:
        self._store = store
        self._clock = clock
        self._telemetry = telemetry
        self._benches = benches
        self._judging = judging
        self._at_once_max = at_once_max
        self._lapse_s = lapse_s
        self._close = close
        self._watch = watch
        self._sets: dict[str, _Set] = {}
        self._leases: set[LeasedTrial] = set()
        self._under_way: set[asyncio.Task[None]] = set()
        self._is_draining = at_once_max < 1

    async def sweep(self) -> int:
        """Begin as many trials as there are and there is room for; returns how many."""
        if self._is_draining:
            return 0
        now = self._clock.now()

        def query(tx: Transaction) -> list[tuple[SpreadRun, bool]]:
            return [(run, tx.spread.has_work(run, now=now)) for run in tx.spread.unfinished()]

        runs = await self._store.read(query)
        for gone in self._sets.keys() - {run.id for run, _ in runs}:
            del self._sets[gone]
        begun = 0
        for run, has_work in runs:
            # One that was asked for again may be decided by what is kept of it.
            if not has_work or self._room() < 1 or not await self._judging.look(run.id):
                continue
            if (bench := await self._bench(run)) is not None:
                begun += await self._begin(run, bench)
        return begun

    async def renew(self) -> int:
        """Keep what is made here from lapsing; to be called several times in `lapse_s`. Returns how many there are."""
        leases = list(self._leases)
        if leases:
            until = self._clock.now() + timedelta(seconds=self._lapse_s)
            await self._store.write(lambda tx: tx.spread.renew(leases, until=until))
        return len(leases)

    def drain(self) -> None:
        """Begin no trial from now on; those under way go on."""
        self._is_draining = True

    async def stop(self) -> None:
        """Let go of everything: what is under way is cut off, and other processes make it at once."""
        self.drain()
        leases = list(self._leases)
        for task in self._under_way:
            task.cancel()
        await asyncio.gather(*self._under_way, return_exceptions=True)
        if leases:
            now = self._clock.now()
            await self._store.write(lambda tx: tx.spread.renew(leases, until=now))
        if self._close is not None:
            await self._close()

    async def release_leases(self) -> None:
        """Let all leases end. Only for the start of a store's sole process: whoever had them is dead."""
        now = self._clock.now()
        await self._store.write(lambda tx: tx.spread.free(now=now))

    async def settled(self) -> None:
        """Wait until nothing is under way here."""
        while self._under_way:
            await asyncio.gather(*self._under_way)

    def _room(self) -> int:
        return self._at_once_max - len(self._under_way)

    async def _bench(self, run: SpreadRun) -> Bench | None:
        """What this process needs for a run; None where it cannot make its trials, which is said once and kept."""
        known = self._sets.get(run.id)
        now = self._clock.now().timestamp()
        if known is not None and (known.bench is not None or now < known.again_at):
            return known.bench
        was_refused = known is not None
        try:
            bench = await self._benches(run)
        except UnderstudyError as error:
            self._sets[run.id] = _Set(None, now + AGAIN_S)
            if not was_refused:
                await self._refuse(run, error.code, error.message)
            return None
        self._sets[run.id] = _Set(bench)
        if was_refused:
            await self._refuse(run, None, None)
        return bench

    async def _refuse(self, run: SpreadRun, code: str | None, why: str | None) -> None:
        def step(tx: Transaction) -> None:
            tx.spread.refuse(run.id, why)
            tx.ledger.append(
                "run.refused",
                at=self._clock.now(),
                run=run.id,
                suite=run.suite_digest,
                release=run.release,
                code=code,
            )

        await self._store.write(step)
        if code is not None and why is not None:
            self._telemetry.emit(TrialsRefused(run=run.id, suite=run.suite, release=run.release, code=code, why=why))

    async def _begin(self, run: SpreadRun, bench: Bench) -> int:
        leases = await self._store.write(lambda tx: self._lease(tx, run, bench, self._room()))
        for lease in leases:
            self._leases.add(lease)
            task = asyncio.ensure_future(self._work(run, bench, lease))
            self._under_way.add(task)
            task.add_done_callback(self._under_way.discard)
        return len(leases)

    def _lease(self, tx: Transaction, run: SpreadRun, bench: Bench, limit: int) -> list[LeasedTrial]:
        now = self._clock.now()
        until = now + timedelta(seconds=self._lapse_s)
        return tx.spread.lease(run, bench.places, now=now, until=until, limit=limit)

    async def _work(self, run: SpreadRun, bench: Bench, first: LeasedTrial) -> None:
        """Make one trial after the other, as long as there are any and nothing decided the run."""
        lease: LeasedTrial | None = first
        goes_on = True
        try:
            while lease is not None and goes_on:
                self._watch("leased", lease.case, lease.trial)
                trial = await self._made(bench, lease)
                self._watch("keeping", lease.case, lease.trial)
                made, lease = lease, await self._keep(run, bench, lease, trial)
                self._watch("kept", made.case, made.trial)
                goes_on = await self._judging.look(run.id)
        except StepSuperseded:
            pass  # another process has it, or the run is over
        except Exception as error:  # noqa: BLE001 - told; the lease lapses, and it is made again
            self._telemetry.emit(StepFailed(flow="trial", key=run.id, error=f"{type(error).__name__}: {error}"))
        finally:
            if lease is not None:
                self._leases.discard(lease)

    async def _made(self, bench: Bench, lease: LeasedTrial) -> Trial:
        planned = bench.plan[lease.place]
        if lease.token % TOKENS_A_TRY > HANDS_MAX:
            return _error(planned, f"{HANDS_MAX} processes began it and none ended it")
        try:
            return await bench.make(planned, lambda tx: tx.spread.holds(lease), self._watch)
        except UnderstudyError:
            raise
        except Exception as error:  # noqa: BLE001 - what broke in a grader must not be made for ever
            return _error(planned, f"it could not be made: {type(error).__name__}: {error}")

    async def _keep(self, run: SpreadRun, bench: Bench, lease: LeasedTrial, trial: Trial) -> LeasedTrial | None:
        def step(tx: Transaction) -> LeasedTrial | None:
            tx.spread.keep(lease, trial)
            tx.ledger.append(
                "trial.kept",
                at=self._clock.now(),
                run=lease.run,
                case=lease.case,
                trial=lease.trial,
                token=lease.token,
                error=trial.error is not None,
            )
            if self._is_draining or tx.spread.get(run.id).state is not RunState.OPEN:
                return None
            return next(iter(self._lease(tx, run, bench, 1)), None)

        following = await self._store.write(step)
        self._leases.discard(lease)
        if following is not None:
            self._leases.add(following)
        outcome = "error" if trial.error is not None else "passed" if trial.is_passed else "failed"
        self._telemetry.emit(
            TrialMade(
                run=run.id,
                suite=run.suite,
                release=run.release,
                outcome=outcome,
                attempts=trial.attempts,
                took_ms=trial.took_ms or 0.0,
            )
        )
        return following


def _error(planned: Planned, why: str) -> Trial:
    return Trial(case=planned.case.id, trial=planned.trial, error=why, rule=planned.case.rule)
