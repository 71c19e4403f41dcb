"""Runs and what gates said, kept in the store, and turns of the past read from it; it runs and judges nothing."""

from __future__ import annotations

from collections.abc import Sequence

from understudy.errors import NotFound
from understudy.evaluation.gate import GateFound
from understudy.ports.clock import Clock
from understudy.ports.store import Store, Transaction
from understudy.records.gate import GateResult
from understudy.records.suite import Run, Trial


class Archive:
    """Reads and writes what evaluation keeps. Everything written stands in the ledger, by ids and counts."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def keep_run(
        self,
        *,
        run: str,
        suite: str,
        suite_digest: str,
        release: str,
        planned: int,
        trials: Sequence[Trial],
        is_ended: bool,
        actor: str = "command line",
    ) -> Run:
        """Keep a run with the trials that were not kept yet; a run that goes on is kept again, whole."""

        def step(tx: Transaction) -> Run:
            now = self._clock.now()
            try:
                before = tx.runs.get(run)
            except NotFound:
                before = None
            added = tx.runs.add_trials(run, trials)
            found = Run(
                id=run,
                suite=suite,
                suite_digest=suite_digest,
                release=release,
                planned=planned,
                began_at=now if before is None else before.began_at,
                done=added + (0 if before is None else before.done),
                ended_at=now if is_ended else None,
            )
            tx.runs.put(found)
            tx.ledger.append(
                "run.kept", at=now, actor=actor, run=run, suite=suite_digest, release=release, trials=found.done
            )
            return found

        return await self._store.write(step)

    async def baseline(
        self, release: str, suite: str, suite_digest: str, *, trials_min: int, error_share_max: float
    ) -> tuple[Trial, ...]:
        """The trials of the run that a gate may compare with, see `whole_run`; none where there is none."""

        def query(tx: Transaction) -> tuple[Trial, ...]:
            run = whole_run(tx, release, suite, suite_digest, trials_min=trials_min, error_share_max=error_share_max)
            return () if run is None else tuple(tx.runs.trials(run.id))

        return await self._store.read(query)

    async def keep_gate(
        self,
        found: GateFound,
        *,
        suite: str,
        suite_digest: str,
        baseline: str,
        candidate: str,
        actor: str = "command line",
    ) -> GateResult:
        """Keep what a gate said, under a new id."""
        result = gate_result(
            found,
            gate_id=self._clock.new_id("gate"),
            suite=suite,
            suite_digest=suite_digest,
            baseline=baseline,
            candidate=candidate,
            clock=self._clock,
        )

        def step(tx: Transaction) -> GateResult:
            keep_result(tx, result, actor=actor)
            return result

        return await self._store.write(step)


def whole_run(
    tx: Transaction, release: str, suite: str, suite_digest: str, *, trials_min: int, error_share_max: float
) -> Run | None:
    """The first run of this very suite against a release that was made to its end, has at least `trials_min` trials, and
    at most a share `error_share_max` of errors in it.

    The first and not the latest: a gate compares with what once was seen, and nobody draws again until the draw suits.
    """
    for run in reversed(tx.runs.of_release(release, suite)):
        is_whole = run.ended_at is not None and run.done == run.planned >= trials_min
        if run.suite_digest == suite_digest and is_whole:
            errors = sum(trial.error is not None for trial in tx.runs.trials(run.id))
            if errors <= error_share_max * run.done:
                return run
    return None


def keep_result(tx: Transaction, result: GateResult, *, actor: str) -> None:
    """Keep what a gate said, and tell the ledger."""
    tx.gates.add(result)
    tx.ledger.append(
        "gate.judged",
        at=result.at,
        actor=actor,
        gate=result.id,
        suite=result.suite_digest,
        baseline=result.baseline,
        candidate=result.candidate,
        verdict=result.verdict.value,
        pairs=result.pairs,
    )


def gate_result(
    found: GateFound, *, gate_id: str, suite: str, suite_digest: str, baseline: str, candidate: str, clock: Clock
) -> GateResult:
    """A verdict as a record."""
    return GateResult(
        id=gate_id,
        suite=suite,
        suite_digest=suite_digest,
        baseline=baseline,
        candidate=candidate,
        verdict=found.verdict,
        reason=found.reason,
        effect=found.effect,
        interval=found.interval,
        pairs=found.pairs,
        errors=found.errors,
        flipped=found.flipped,
        blocked_by=found.blocked_by,
        would_decide=found.would_decide,
        at=clock.now(),
    )
