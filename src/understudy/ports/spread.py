"""The part of the store that knows what servers were asked to try: spread runs, who makes which trial, pending gates."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Protocol

from understudy.records.spread import GateProgress, LeasedTrial, PendingGate, RunProgress, SpreadRun
from understudy.records.suite import Trial


class SpreadRuns(Protocol):
    """Spread runs and their trials. A trial is leased under a token; its result is kept once, under the token it has."""

    def add(self, run: SpreadRun) -> None: ...

    def get(self, run_id: str) -> SpreadRun:
        """Read one; raises `NotFound`."""
        ...

    def change(self, run: SpreadRun, *, was: int) -> None:
        """Write one whose stored version is `was`; raises `StaleVersion` where it is not."""
        ...

    def unfinished(self) -> list[SpreadRun]:
        """Those that wait or are open, the first asked for first."""
        ...

    def of_content(self, release: str, suite: str, suite_digest: str) -> list[SpreadRun]:
        """Those of this very suite against a release, the latest first."""
        ...

    def listed(self, *, limit: int) -> list[SpreadRun]:
        """The latest, the latest first."""
        ...

    def has_work(self, run: SpreadRun, *, now: datetime) -> bool:
        """Whether a trial of an open run is nobody's: never leased yet, or its lease lapsed."""
        ...

    def lease(
        self, run: SpreadRun, plan: Sequence[tuple[str, int]], *, now: datetime, until: datetime, limit: int
    ) -> list[LeasedTrial]:
        """Take up to `limit` trials that are nobody's, those that lapsed first, then on in the plan of (case, trial).

        A lease is no news, so it needs no ledger entry. Nothing is leased of a run that is not open.
        """
        ...

    def holds(self, lease: LeasedTrial) -> bool:
        """Whether a trial is still this process's to make, and its run still open."""
        ...

    def renew(self, leases: Iterable[LeasedTrial], *, until: datetime) -> None:
        """Move the end of leases that still hold; no ledger entry. With the present moment they are anybody's."""
        ...

    def free(self, *, now: datetime) -> None:
        """Let every lease end. Only for the start of a store's sole process: whoever had them is dead."""
        ...

    def keep(self, lease: LeasedTrial, trial: Trial) -> None:
        """Keep the result of a trial; raises `StepSuperseded` where the lease holds no more, and keeps nothing then."""
        ...

    def drop_errors(self, run_id: str, *, now: datetime) -> int:
        """Let trials that ended in an error be made again; returns how many."""
        ...

    def results(self, run_id: str, *, after: int = 0, limit: int) -> list[Trial]:
        """The results from a place of the plan on, in its order, up to the first trial that has none."""
        ...

    def refuse(self, run_id: str, why: str | None) -> None:
        """Say why a process leaves the trials of a run to others, or that none does."""
        ...

    def progress(self, run_id: str, *, now: datetime) -> RunProgress:
        """How far one is; raises `NotFound`."""
        ...


class PendingGates(Protocol):
    """Gates that servers were asked for; of one candidate at most one is pending."""

    def add(self, gate: PendingGate) -> None: ...

    def get(self, gate_id: str) -> PendingGate:
        """Read one; raises `NotFound`."""
        ...

    def change(self, gate: PendingGate, *, was: int) -> None:
        """Write one whose stored version is `was`; raises `StaleVersion` where it is not."""
        ...

    def latest(self, candidate: str) -> PendingGate | None:
        """The one that was asked for last for a release."""
        ...

    def unfinished(self) -> list[PendingGate]:
        """Those that are pending, or judged and not told; the first asked for first."""
        ...

    def progress(self, candidate: str, *, now: datetime) -> GateProgress | None:
        """How far the one is that was asked for last for a release."""
        ...
