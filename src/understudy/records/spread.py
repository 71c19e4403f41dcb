"""Runs and gates that a server was asked for: what is written down before the answer, and how far they are.

The trials of a *spread run* are made by every process that has room; which those are, and in which order, follows from
its plan, which is the same everywhere because the suite's content is. A *pending gate* waits for its runs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from understudy.records.gate import GateResult


class RunState(StrEnum):
    """*waiting* for the run of its baseline; *open*: its trials are made; *ended*; *given up* by a person."""

    WAITING = "waiting"
    OPEN = "open"
    ENDED = "ended"
    GIVEN_UP = "given_up"


UNFINISHED = frozenset({RunState.WAITING, RunState.OPEN})
"""States in which something is still to be done for a run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Against:
    """What a candidate's run is held against as it grows: the run of its baseline, and the terms of the gate as canonical
    JSON, the same for every process that looks."""

    baseline_run: str
    terms: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SpreadRun:
    """A run whose trials are made by all processes that have room.

    `named`: how the suite was named, which leads to its folder; `suite` is its own name. `trials` of each case, and `clean` at least of each that must pass: with the suite's content they give the plan, of
    `planned` trials. `release` is the id of a version that a configuration states. `against` None: it is made to the
    end. `read`: how many trials from the beginning of the plan on count, once it has ended; others were under way then.
    """

    id: str
    version: int
    state: RunState
    suite: str
    suite_digest: str
    named: str
    release: str
    trials: int
    clean: int
    planned: int
    asked_by: str
    asked_at: datetime
    against: Against | None = None
    read: int = 0
    ended_at: datetime | None = None


TOKENS_A_TRY: Final = 100
"""A trial that ended in an error and is made again goes on at the next multiple of this."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LeasedTrial:
    """A trial that is one process's to make: its place in the plan, and the token under which its result counts.

    The token grows each time the trial changes hands, from 1; its remainder by `TOKENS_A_TRY` is how many had it this time.
    """

    run: str
    place: int
    case: str
    trial: int
    token: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RunProgress:
    """How far a spread run is, in trials: `done` have a result, of which `errors` tell nothing of the release; `under_way`
    are being made. `refused`: why a process that has room leaves its trials to others, None where none does."""

    id: str
    release: str
    suite: str
    suite_digest: str
    state: RunState
    planned: int
    done: int
    errors: int
    under_way: int
    read: int
    refused: str | None
    asked_by: str
    asked_at: datetime
    ended_at: datetime | None


class GateState(StrEnum):
    """*pending*: its runs are made; *judged*: it has its verdict, which the release has not been told; *told*; *given up*."""

    PENDING = "pending"
    JUDGED = "judged"
    TOLD = "told"
    GIVEN_UP = "given_up"


@dataclass(frozen=True, slots=True, kw_only=True)
class GatePart:
    """One suite of a pending gate: the two runs, the terms as canonical JSON, and what was said once both have ended.

    The baseline's run may be one that was kept before, and then it was never spread.
    """

    suite: str
    suite_digest: str
    baseline_run: str
    candidate_run: str
    terms: str
    result: GateResult | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingGate:
    """A gate that a server was asked for. `candidate` and `baseline` are ids of releases; `result` is the worst that any
    suite said, once all have."""

    id: str
    version: int
    state: GateState
    candidate: str
    baseline: str
    parts: tuple[GatePart, ...]
    asked_by: str
    asked_at: datetime
    result: GateResult | None = None
    why: str = ""
    """Why it was given up, where it was."""


class Pace(StrEnum):
    """How far a gate is, for people: *pending* until its first trial is begun, *running*, *decided*
    once its release knows the verdict, or *given up*."""

    PENDING = "pending"
    RUNNING = "running"
    DECIDED = "decided"
    GIVEN_UP = "given_up"


@dataclass(frozen=True, slots=True, kw_only=True)
class GateProgress:
    """How far a gate is: its runs in the order in which they are made, and trials of all of them together.

    `planned` is the most it can take; a gate that is decided sooner starts no more. `result` once it is decided.
    """

    id: str
    state: Pace
    planned: int
    done: int
    errors: int
    runs: tuple[RunProgress, ...]
    asked_by: str
    asked_at: datetime
    result: GateResult | None


def how_far(gate: GateProgress) -> str:
    """How far a gate is, in a sentence's part."""
    refused = next((f"; left to others: {run.refused}" for run in gate.runs if run.refused), "")
    errors = f", {gate.errors} of them errors" if gate.errors else ""
    return f"its gate is {gate.state.value}: {gate.done} of at most {gate.planned} trials{errors}{refused}"


def progress_of(gate: PendingGate, runs: Sequence[RunProgress]) -> GateProgress:
    """How far a gate is, by how far those of its runs are that were spread."""
    is_begun = any(run.done or run.under_way for run in runs)
    over = {GateState.TOLD: Pace.DECIDED, GateState.GIVEN_UP: Pace.GIVEN_UP}
    pace = over.get(gate.state) or (Pace.RUNNING if is_begun else Pace.PENDING)
    return GateProgress(
        id=gate.id,
        state=pace,
        planned=sum(run.planned for run in runs),
        done=sum(run.done for run in runs),
        errors=sum(run.errors for run in runs),
        runs=tuple(runs),
        asked_by=gate.asked_by,
        asked_at=gate.asked_at,
        result=gate.result,
    )
