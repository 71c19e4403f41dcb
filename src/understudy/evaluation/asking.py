"""What servers are asked to try, written down before the answer: runs of suites, and gates of releases; it makes no trial.

A suite is read here for its digest and for the number of its trials; who makes them reads it again. What was tried once
is not tried again: a gate that is asked for once more goes on with the trials there are, those that ended in an error
excepted, so that nobody draws until the draw is a good one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from understudy.effects.given_up import give_up_gate, give_up_run, needed_by
from understudy.errors import ConfigurationError, Conflict, KeyReused, MalformedInput
from understudy.evaluation.archive import whole_run
from understudy.evaluation.casebook import SUITE_NAME
from understudy.evaluation.gate import CACHED_FROM, GateTerms
from understudy.evaluation.plan import GATE_TRIALS_MAX, plan_with
from understudy.ports.access import Answered
from understudy.ports.clock import Clock
from understudy.ports.store import Store, Transaction
from understudy.records.codec import canonical, digest, dump
from understudy.records.spread import (
    UNFINISHED,
    Against,
    GatePart,
    GateState,
    PendingGate,
    RunProgress,
    RunState,
    SpreadRun,
)
from understudy.records.suite import Run, Suite

PLANNED_MAX: Final = 100_000
"""So many trials a run that a server is asked for may have."""

BeginGate = Callable[[Transaction, str, str, str], PendingGate]
"""Writes down a gate, in a transaction: of which candidate, against which baseline, and who asks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Read:
    """A suite as it is on this machine under the name it was asked by, and the terms under which its gate decides."""

    named: str
    suite: Suite
    terms: GateTerms

    @property
    def clean(self) -> int:
        """Trials that a case which must pass gets at least."""
        return self.terms.must_pass.clean_trials_needed()


class Asking:
    """See the module. `suites` are those that a release has to pass; `read` reads one, `terms` says what its gate asks for."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        *,
        suites: Sequence[str],
        read: Callable[[str], Suite],
        terms: Callable[[Suite], GateTerms],
    ) -> None:
        self._store = store
        self._clock = clock
        self._suites = suites
        self._read = read
        self._terms = terms

    @property
    def of_the_gate(self) -> tuple[str, ...]:
        """The suites that a release has to pass."""
        return tuple(self._suites)

    @property
    def has_gate(self) -> bool:
        """Whether the settings name a suite that releases have to pass."""
        return bool(self._suites)

    async def prepare(self) -> BeginGate:
        """Read the suites of the gate; returns what writes it down. Raises `Conflict` where one cannot be used."""
        try:
            found = [await asyncio.to_thread(self._reading, name) for name in self._suites]
        except (ConfigurationError, MalformedInput) as error:
            raise Conflict(f"the gate cannot be run: {error.message}") from error

        def begin(tx: Transaction, candidate: str, baseline: str, by: str) -> PendingGate:
            return self._begin(tx, found, candidate=candidate, baseline=baseline, by=by)

        return begin

    async def run(
        self, suite: str, release: str, *, trials: int | None, by: str, once: tuple[str, str] | None = None
    ) -> RunProgress:
        """Write down a run of a suite against a release that is stated; `trials` of each case, None: as the suite says.

        `once`: who asks and under which idempotency key; the same request again is answered with the run of the first.
        Raises `MalformedInput` where the suite cannot be used or the run would be too long, and `KeyReused` where the key
        came with another request.
        """
        if not SUITE_NAME.fullmatch(suite):
            raise MalformedInput(f"suite {suite!r}: a name has letters, digits, dots, dashes and underscores only")
        try:
            found = await asyncio.to_thread(self._reading, suite)
        except ConfigurationError as error:
            raise MalformedInput(f"suite {suite!r} cannot be run: {error.message}") from error
        of_each = trials or found.suite.trials
        asked = digest(canonical(["run", suite, release, trials]))

        def step(tx: Transaction) -> RunProgress:
            known = None if once is None else tx.idempotency.get(*once)
            if known is not None and known.request_digest != asked:
                raise KeyReused
            run_id = self._new(tx, found, release=release, trials=of_each, by=by).id if known is None else known.body
            now = self._clock.now()
            if once is not None and known is None:
                tx.idempotency.put(*once, Answered(request_digest=asked, status=202, body=run_id), now=now)
            return tx.spread.progress(run_id, now=now)

        return await self._store.write(step)

    async def give_up(self, run_id: str, *, by: str, why: str = "") -> RunProgress:
        """Give up a run; raises `NotFound`, and `Conflict` where a gate waits for it or it is over."""

        def step(tx: Transaction) -> RunProgress:
            run = tx.spread.get(run_id)
            gate = needed_by(tx, run_id)
            if gate is not None:
                raise Conflict(f"run {run_id} belongs to the gate of release {gate.candidate}: give that up instead")
            if run.state not in UNFINISHED:
                raise Conflict(f"run {run_id} is over: {run.state.value}")
            give_up_run(tx, run, by=by, why=why, at=self._clock.now())
            return tx.spread.progress(run_id, now=self._clock.now())

        return await self._store.write(step)

    async def progress(self, run_id: str) -> RunProgress:
        """How far a run is; raises `NotFound`."""
        return await self._store.read(lambda tx: tx.spread.progress(run_id, now=self._clock.now()))

    async def listed(self, *, limit: int) -> list[RunProgress]:
        """The latest runs that servers were asked for, the latest first."""
        now = self._clock.now()
        return await self._store.read(
            lambda tx: [tx.spread.progress(run.id, now=now) for run in tx.spread.listed(limit=limit)]
        )

    def _reading(self, name: str) -> _Read:
        suite = self._read(name)
        return _Read(named=name, suite=suite, terms=self._terms(suite))

    def _begin(self, tx: Transaction, found: Sequence[_Read], *, candidate: str, baseline: str, by: str) -> PendingGate:
        """Write a gate down; one that is under way for the same contents is that one."""
        now = self._clock.now()
        before = tx.pending_gates.latest(candidate)
        if before is not None and before.state in (GateState.PENDING, GateState.JUDGED):
            if before.state is GateState.JUDGED or _is_same(before, found, baseline):
                return before
            why = "asked for again, and a suite or what answers is another by now"
            give_up_gate(tx, before, by=by, why=why, at=now)
        gate = PendingGate(
            id=self._clock.new_id("ask"),
            version=1,
            state=GateState.PENDING,
            candidate=candidate,
            baseline=baseline,
            parts=tuple(self._part(tx, one, candidate=candidate, baseline=baseline, by=by) for one in found),
            asked_by=by,
            asked_at=now,
        )
        tx.pending_gates.add(gate)
        digests = [part.suite_digest for part in gate.parts]
        tx.ledger.append(
            "gate.asked", at=now, actor=by, gate=gate.id, candidate=candidate, baseline=baseline, suites=digests
        )
        return gate

    def _part(self, tx: Transaction, found: _Read, *, candidate: str, baseline: str, by: str) -> GatePart:
        suite = found.suite
        trials = max(CACHED_FROM, suite.trials)
        before = whole_run(
            tx,
            baseline,
            suite.name,
            suite.checksum,
            trials_min=len(plan_with(suite.cases, trials=trials, clean=found.clean)),
            error_share_max=found.terms.error_share_max,
        )
        baseline_run = self._baseline_run(tx, found, baseline, by=by) if before is None else before.id
        against = Against(baseline_run=baseline_run, terms=dump(found.terms))
        state = RunState.OPEN if before is not None else RunState.WAITING
        known = self._known(tx, found, candidate, trials=GATE_TRIALS_MAX, is_candidate=True)
        if known is None:
            own = self._new(tx, found, release=candidate, trials=GATE_TRIALS_MAX, by=by, state=state, against=against)
        else:
            own = self._again(tx, known, by=by, state=state, against=against)
        return GatePart(
            suite=suite.name,
            suite_digest=suite.checksum,
            baseline_run=baseline_run,
            candidate_run=own.id,
            terms=against.terms,
        )

    def _baseline_run(self, tx: Transaction, found: _Read, baseline: str, *, by: str) -> str:
        """The run of the baseline that is under way or was given up, or a new one."""
        trials = max(CACHED_FROM, found.suite.trials)
        known = self._known(tx, found, baseline, trials=trials, is_candidate=False)
        if known is None:
            return self._new(tx, found, release=baseline, trials=trials, by=by).id
        if known.state is not RunState.OPEN:
            self._again(tx, known, by=by, state=RunState.OPEN, against=None)
        return known.id

    def _known(
        self, tx: Transaction, found: _Read, release: str, *, trials: int, is_candidate: bool
    ) -> SpreadRun | None:
        """The latest run of the same content and plan."""
        runs = tx.spread.of_content(release, found.suite.name, found.suite.checksum)
        for run in runs:
            if (run.trials, run.clean, run.against is not None) == (trials, found.clean, is_candidate):
                return run
        return None

    def _again(
        self, tx: Transaction, run: SpreadRun, *, by: str, state: RunState, against: Against | None
    ) -> SpreadRun:
        """Go on with a run; what ended in an error is tried again."""
        now = self._clock.now()
        dropped = tx.spread.drop_errors(run.id, now=now)
        again = replace(run, version=run.version + 1, state=state, against=against, read=0, ended_at=None)
        tx.spread.change(again, was=run.version)
        self._tell(tx, again, by=by, at=now, kept=tx.spread.progress(run.id, now=now).done, dropped=dropped)
        return again

    def _new(
        self,
        tx: Transaction,
        found: _Read,
        *,
        release: str,
        trials: int,
        by: str,
        state: RunState = RunState.OPEN,
        against: Against | None = None,
    ) -> SpreadRun:
        suite, now = found.suite, self._clock.now()
        planned = len(plan_with(suite.cases, trials=trials, clean=found.clean))
        if planned > PLANNED_MAX:
            raise MalformedInput(
                f"{planned:,} trials are more than {PLANNED_MAX:,}: ask for fewer, or divide the suite"
            )
        run = SpreadRun(
            id=self._clock.new_id("run"),
            version=1,
            state=state,
            suite=suite.name,
            suite_digest=suite.checksum,
            named=found.named,
            release=release,
            trials=trials,
            clean=found.clean,
            planned=planned,
            asked_by=by,
            asked_at=now,
            against=against,
        )
        tx.spread.add(run)
        tx.runs.put(
            Run(
                id=run.id,
                suite=run.suite,
                suite_digest=run.suite_digest,
                release=release,
                planned=planned,
                began_at=now,
            )
        )
        self._tell(tx, run, by=by, at=now, kept=0, dropped=0)
        return run

    def _tell(self, tx: Transaction, run: SpreadRun, *, by: str, at: datetime, kept: int, dropped: int) -> None:
        tx.ledger.append(
            "run.asked",
            at=at,
            actor=by,
            run=run.id,
            suite=run.suite_digest,
            release=run.release,
            planned=run.planned,
            kept=kept,
            dropped=dropped,
        )


def _is_same(gate: PendingGate, found: Sequence[_Read], baseline: str) -> bool:
    """Whether a gate compares what would be compared now."""
    asked = [(one.suite.name, one.suite.checksum, dump(one.terms)) for one in found]
    were = [(part.suite, part.suite_digest, part.terms) for part in gate.parts]
    return gate.baseline == baseline and were == asked
