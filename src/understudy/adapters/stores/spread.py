"""Spread runs, who makes which of their trials, and pending gates, in SQL."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import fields
from datetime import datetime

from sqlalchemy import and_, bindparam, case, delete, exists, func, select, update

from understudy.adapters.stores.evaluation_tables import trials
from understudy.adapters.stores.session import Session
from understudy.adapters.stores.spread_tables import pending_gates, spread_runs, spread_trials
from understudy.adapters.stores.statement import Statement, among, insert_into
from understudy.errors import NotFound, StaleVersion, StepSuperseded
from understudy.records.spread import (
    TOKENS_A_TRY,
    UNFINISHED,
    GateProgress,
    GateState,
    LeasedTrial,
    PendingGate,
    RunProgress,
    RunState,
    SpreadRun,
    progress_of,
)
from understudy.records.suite import Trial

_RUN = select(spread_runs.c.body)
_ADD_RUN = insert_into(spread_runs)
_RUN_BY_ID = Statement(select(spread_runs.c.body, spread_runs.c.refused).where(spread_runs.c.id == bindparam("which")))
_CHANGE_RUN = Statement(
    update(spread_runs)
    .where(spread_runs.c.id == bindparam("which"), spread_runs.c.version == bindparam("was"))
    .values({name: bindparam(name) for name in ("version", "state", "body")})
)
_UNFINISHED = Statement(
    _RUN.where(among(spread_runs.c.state, UNFINISHED)).order_by(spread_runs.c.asked_at, spread_runs.c.id)
)
_OF_CONTENT = Statement(
    _RUN.where(
        spread_runs.c.release == bindparam("release"),
        spread_runs.c.suite == bindparam("suite"),
        spread_runs.c.suite_digest == bindparam("suite_digest"),
    ).order_by(spread_runs.c.asked_at.desc(), spread_runs.c.id.desc())
)
_LISTED = Statement(_RUN.order_by(spread_runs.c.asked_at.desc(), spread_runs.c.id.desc()).limit(bindparam("limit")))
_REFUSE = Statement(
    update(spread_runs).where(spread_runs.c.id == bindparam("which")).values(refused=bindparam("refused"))
)

_OF_RUN = spread_trials.c.run_id == bindparam("which")
_AT_PLACE = (_OF_RUN, spread_trials.c.place == bindparam("at_place"))
_UNDER_TOKEN = (*_AT_PLACE, spread_trials.c.token == bindparam("was"), spread_trials.c.due_at.is_not(None))
_LAPSED = Statement(
    select(spread_trials.c.place, spread_trials.c.case_id, spread_trials.c.trial, spread_trials.c.token)
    .where(_OF_RUN, spread_trials.c.due_at <= bindparam("now"))
    .order_by(spread_trials.c.place)
    .limit(bindparam("limit"))
)
_LAST_PLACE = Statement(select(func.max(spread_trials.c.place)).where(_OF_RUN))
_ADD_LEASE = insert_into(spread_trials)
_TAKE_OVER = Statement(
    update(spread_trials).where(*_UNDER_TOKEN).values(token=bindparam("token"), due_at=bindparam("until"))
)
_HELD = Statement(select(spread_trials.c.token, spread_trials.c.due_at).where(*_AT_PLACE))
_RENEW = Statement(update(spread_trials).where(*_UNDER_TOKEN).values(due_at=bindparam("until")))
_FREE = Statement(
    update(spread_trials).where(spread_trials.c.due_at > bindparam("now")).values(due_at=bindparam("until"))
)
_SETTLE = Statement(update(spread_trials).where(*_UNDER_TOKEN).values(due_at=None, is_error=bindparam("failed")))
_ADD_TRIAL = insert_into(trials)
_IS_ERROR = (_OF_RUN, spread_trials.c.due_at.is_(None), spread_trials.c.is_error)
_COUNT_ERRORS = Statement(select(func.count()).select_from(spread_trials).where(*_IS_ERROR))
_FORGET_ERRORS = Statement(
    delete(trials).where(
        trials.c.run_id == bindparam("which"),
        exists()
        .where(*_IS_ERROR, spread_trials.c.case_id == trials.c.case_id, spread_trials.c.trial == trials.c.trial)
        .correlate(trials),
    )
)
_MAKE_ERRORS_AGAIN = Statement(
    update(spread_trials)
    .where(*_IS_ERROR)
    .values(
        due_at=bindparam("until"),
        is_error=bindparam("failed"),
        token=(spread_trials.c.token // TOKENS_A_TRY + 1) * TOKENS_A_TRY,  # it never falls, so it goes on fencing
    )
)
_RESULTS = Statement(
    select(spread_trials.c.place, trials.c.body)
    .join(
        trials,
        and_(
            trials.c.run_id == spread_trials.c.run_id,
            trials.c.case_id == spread_trials.c.case_id,
            trials.c.trial == spread_trials.c.trial,
        ),
    )
    .where(_OF_RUN, spread_trials.c.place >= bindparam("after"), spread_trials.c.due_at.is_(None))
    .order_by(spread_trials.c.place)
    .limit(bindparam("limit"))
)
_COUNTS = Statement(
    select(
        func.sum(case((spread_trials.c.due_at.is_(None), 1), else_=0)),
        func.sum(case((and_(spread_trials.c.due_at.is_(None), spread_trials.c.is_error), 1), else_=0)),
        func.sum(case((spread_trials.c.due_at > bindparam("now"), 1), else_=0)),
    ).where(_OF_RUN)
)

_ADD_GATE = insert_into(pending_gates)
_GATE = Statement(select(pending_gates.c.body).where(pending_gates.c.id == bindparam("which")))
_CHANGE_GATE = Statement(
    update(pending_gates)
    .where(pending_gates.c.id == bindparam("which"), pending_gates.c.version == bindparam("was"))
    .values({name: bindparam(name) for name in ("version", "state", "body")})
)
_LATEST_GATE = Statement(
    select(pending_gates.c.body)
    .where(pending_gates.c.candidate == bindparam("candidate"))
    .order_by(pending_gates.c.asked_at.desc(), pending_gates.c.id.desc())
    .limit(1)
)
_UNTOLD = Statement(
    select(pending_gates.c.body)
    .where(among(pending_gates.c.state, [GateState.PENDING, GateState.JUDGED]))
    .order_by(pending_gates.c.asked_at, pending_gates.c.id)
)
_IN_PROGRESS = tuple(
    field.name for field in fields(RunProgress) if field.name not in ("done", "errors", "under_way", "refused")
)


class SqlSpreadRuns:
    """`ports.spread.SpreadRuns` in SQL."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def add(self, run: SpreadRun) -> None:
        names = ("id", "version", "state", "release", "suite", "suite_digest", "asked_at")
        self._session.change(_ADD_RUN, {name: getattr(run, name) for name in names} | {"refused": None, "body": run})

    def get(self, run_id: str) -> SpreadRun:
        return self._found(run_id)[0]

    def change(self, run: SpreadRun, *, was: int) -> None:
        values = {"version": run.version, "state": run.state, "body": run}
        self._session.change_one(
            _CHANGE_RUN,
            {"which": run.id, "was": was, **values},
            refused=lambda: StaleVersion(f"run {run.id} is no longer at version {was}; read it again"),
        )

    def unfinished(self) -> list[SpreadRun]:
        return [row[0] for row in self._session.rows(_UNFINISHED)]

    def of_content(self, release: str, suite: str, suite_digest: str) -> list[SpreadRun]:
        rows = self._session.rows(_OF_CONTENT, release=release, suite=suite, suite_digest=suite_digest)
        return [row[0] for row in rows]

    def listed(self, *, limit: int) -> list[SpreadRun]:
        return [row[0] for row in self._session.rows(_LISTED, limit=limit)]

    def has_work(self, run: SpreadRun, *, now: datetime) -> bool:
        if run.state is not RunState.OPEN:
            return False
        return self._next_place(run.id) < run.planned or bool(
            self._session.rows(_LAPSED, which=run.id, now=now, limit=1)
        )

    def lease(
        self, run: SpreadRun, plan: Sequence[tuple[str, int]], *, now: datetime, until: datetime, limit: int
    ) -> list[LeasedTrial]:
        if limit < 1 or self.get(run.id).state is not RunState.OPEN:
            return []
        taken = []
        for place, name, trial, token in self._session.rows(_LAPSED, which=run.id, now=now, limit=limit):
            lease = LeasedTrial(run=run.id, place=place, case=name, trial=trial, token=token + 1)
            key = {"which": run.id, "at_place": place, "was": token}
            self._session.renew(_TAKE_OVER, {**key, "token": lease.token, "until": until})
            taken.append(lease)
        first = self._next_place(run.id)
        for place in range(first, min(len(plan), first + limit - len(taken))):
            name, trial = plan[place]
            row = {"run_id": run.id, "place": place, "case_id": name, "trial": trial}
            self._session.renew(_ADD_LEASE, {**row, "token": 1, "due_at": until, "is_error": False})
            taken.append(LeasedTrial(run=run.id, place=place, case=name, trial=trial, token=1))
        return taken

    def holds(self, lease: LeasedTrial) -> bool:
        row = self._session.row(_HELD, which=lease.run, at_place=lease.place)
        return (
            row is not None
            and row[0] == lease.token
            and row[1] is not None
            and self.get(lease.run).state is RunState.OPEN
        )

    def renew(self, leases: Iterable[LeasedTrial], *, until: datetime) -> None:
        for lease in leases:
            self._session.renew(
                _RENEW, {"which": lease.run, "at_place": lease.place, "was": lease.token, "until": until}
            )

    def free(self, *, now: datetime) -> None:
        self._session.renew(_FREE, {"now": now, "until": now})

    def keep(self, lease: LeasedTrial, trial: Trial) -> None:
        def refused() -> StepSuperseded:
            return StepSuperseded(
                f"trial {lease.trial} of {lease.case!r} is no longer this process's; nothing was kept"
            )

        if not self.holds(lease):
            raise refused()
        key = {"which": lease.run, "at_place": lease.place, "was": lease.token}
        self._session.change_one(_SETTLE, {**key, "failed": trial.error is not None}, refused=refused)
        values = {"run_id": lease.run, "case_id": lease.case, "trial": lease.trial, "body": trial}
        self._session.change(_ADD_TRIAL, values)

    def drop_errors(self, run_id: str, *, now: datetime) -> int:
        count = int(self._session.scalar(_COUNT_ERRORS, which=run_id))
        if count:
            self._session.change(_FORGET_ERRORS, {"which": run_id})
            self._session.change(_MAKE_ERRORS_AGAIN, {"which": run_id, "until": now, "failed": False})
        return count

    def results(self, run_id: str, *, after: int = 0, limit: int) -> list[Trial]:
        found: list[Trial] = []
        for place, trial in self._session.rows(_RESULTS, which=run_id, after=after, limit=limit):
            if place != after + len(found):
                break
            found.append(trial)
        return found

    def refuse(self, run_id: str, why: str | None) -> None:
        self._session.change(_REFUSE, {"which": run_id, "refused": why})

    def progress(self, run_id: str, *, now: datetime) -> RunProgress:
        run, refused = self._found(run_id)
        row = self._session.row(_COUNTS, which=run_id, now=now) or (0, 0, 0)
        done, errors, under_way = (int(number or 0) for number in row)
        told = {name: getattr(run, name) for name in _IN_PROGRESS}
        under_way = under_way if run.state is RunState.OPEN else 0
        return RunProgress(**told, done=done, errors=errors, under_way=under_way, refused=refused)

    def _found(self, run_id: str) -> tuple[SpreadRun, str | None]:
        row = self._session.row(_RUN_BY_ID, which=run_id)
        if row is None:
            raise NotFound(f"there is no run {run_id!r} that a server was asked for")
        return row[0], row[1]

    def _next_place(self, run_id: str) -> int:
        last = self._session.scalar(_LAST_PLACE, which=run_id)
        return 0 if last is None else int(last) + 1


class SqlPendingGates:
    """`ports.spread.PendingGates` in SQL."""

    def __init__(self, session: Session, runs: SqlSpreadRuns) -> None:
        self._session = session
        self._runs = runs

    def add(self, gate: PendingGate) -> None:
        names = ("id", "version", "state", "candidate", "asked_at")
        self._session.change(_ADD_GATE, {name: getattr(gate, name) for name in names} | {"body": gate})

    def get(self, gate_id: str) -> PendingGate:
        found: PendingGate | None = self._session.scalar(_GATE, which=gate_id)
        if found is None:
            raise NotFound(f"there is no gate {gate_id!r} that a server was asked for")
        return found

    def change(self, gate: PendingGate, *, was: int) -> None:
        values = {"version": gate.version, "state": gate.state, "body": gate}
        self._session.change_one(
            _CHANGE_GATE,
            {"which": gate.id, "was": was, **values},
            refused=lambda: StaleVersion(f"gate {gate.id} is no longer at version {was}; read it again"),
        )

    def latest(self, candidate: str) -> PendingGate | None:
        found: PendingGate | None = self._session.scalar(_LATEST_GATE, candidate=candidate)
        return found

    def unfinished(self) -> list[PendingGate]:
        return [row[0] for row in self._session.rows(_UNTOLD)]

    def progress(self, candidate: str, *, now: datetime) -> GateProgress | None:
        gate = self.latest(candidate)
        if gate is None:
            return None
        names = [name for part in gate.parts for name in (part.baseline_run, part.candidate_run)]
        spread = [name for name in names if self._session.row(_RUN_BY_ID, which=name) is not None]
        return progress_of(gate, [self._runs.progress(name, now=now) for name in spread])  # others were kept before
