"""The part of the store that keeps runs, their trials, and what gates said of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from understudy.records.gate import GateResult
from understudy.records.suite import Run, Trial


class Runs(Protocol):
    """Runs of suites against releases, and their trials."""

    def put(self, run: Run) -> None:
        """Write a run in the place of what was known of it."""
        ...

    def get(self, run_id: str) -> Run:
        """Read one; raises `NotFound`."""
        ...

    def of_release(self, release: str, suite: str) -> list[Run]:
        """Runs of a suite against a release, the latest first."""
        ...

    def listed(self, *, limit: int) -> list[Run]:
        """The latest runs, the latest first."""
        ...

    def add_trials(self, run_id: str, trials: Sequence[Trial]) -> int:
        """Add those that are not there yet, by case and number, and return how many were added."""
        ...

    def trials(self, run_id: str) -> list[Trial]:
        """All trials of a run, by case and number."""
        ...

    def of_case(self, run_id: str, case: str, *, limit: int) -> list[Trial]:
        """The first `limit` trials of one case of a run, by number; of a run that servers made too."""
        ...


class Gates(Protocol):
    """What gates said."""

    def add(self, result: GateResult) -> None: ...

    def get(self, gate_id: str) -> GateResult:
        """Read one; raises `NotFound`."""
        ...

    def of_candidate(self, candidate: str) -> list[GateResult]:
        """What was said of a release, the latest first."""
        ...
