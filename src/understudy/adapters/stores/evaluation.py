"""Runs, trials and what gates said, in SQL."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import bindparam, func, select, update

from understudy.adapters.stores.evaluation_tables import gates, runs, trials
from understudy.adapters.stores.session import Session, columns_of, record_of, values_of
from understudy.adapters.stores.statement import Statement, insert_into
from understudy.errors import NotFound
from understudy.records.gate import GateResult
from understudy.records.suite import Run, Trial

_RUN = columns_of(runs, Run)
_ADD_RUN = insert_into(runs)
_CHANGE_RUN = Statement(
    update(runs)
    .where(runs.c.id == bindparam("which"))
    .values({column.name: bindparam(column.name) for column in _RUN if column.name != "id"})
)
_RUN_BY_ID = Statement(select(*_RUN).where(runs.c.id == bindparam("which")))
_OF_RELEASE = Statement(
    select(*_RUN)
    .where(runs.c.release == bindparam("release"), runs.c.suite == bindparam("suite"))
    .order_by(runs.c.began_at.desc(), runs.c.id.desc())
)
_LISTED = Statement(select(*_RUN).order_by(runs.c.began_at.desc(), runs.c.id.desc()).limit(bindparam("limit")))
_ADD_TRIAL = insert_into(trials)
_KNOWN = Statement(select(trials.c.case_id, trials.c.trial).where(trials.c.run_id == bindparam("run_id")))
_TRIALS = Statement(
    select(trials.c.body).where(trials.c.run_id == bindparam("run_id")).order_by(trials.c.case_id, trials.c.trial)
)
_OF_CASE = Statement(
    select(trials.c.body)
    .where(trials.c.run_id == bindparam("run_id"), trials.c.case_id == bindparam("case_id"))
    .order_by(trials.c.trial)
    .limit(bindparam("limit"))
)
_COUNT = Statement(select(func.count()).select_from(trials).where(trials.c.run_id == bindparam("run_id")))
_ADD_GATE = insert_into(gates)
_GATE = Statement(select(gates.c.body).where(gates.c.id == bindparam("which")))
_OF_CANDIDATE = Statement(
    select(gates.c.body)
    .where(gates.c.candidate == bindparam("candidate"))
    .order_by(gates.c.at.desc(), gates.c.id.desc())
)


class SqlRuns:
    """`ports.evaluation.Runs` in SQL."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def put(self, run: Run) -> None:
        if self._session.row(_RUN_BY_ID, which=run.id) is None:
            self._session.change(_ADD_RUN, values_of(run))
        else:
            self._session.change(_CHANGE_RUN, {**values_of(run, leave_out=("id",)), "which": run.id})

    def get(self, run_id: str) -> Run:
        row = self._session.row(_RUN_BY_ID, which=run_id)
        if row is None:
            raise NotFound(f"there is no run {run_id!r}")
        return record_of(Run, row)

    def of_release(self, release: str, suite: str) -> list[Run]:
        return [record_of(Run, row) for row in self._session.rows(_OF_RELEASE, release=release, suite=suite)]

    def listed(self, *, limit: int) -> list[Run]:
        return [record_of(Run, row) for row in self._session.rows(_LISTED, limit=limit)]

    def add_trials(self, run_id: str, trials: Sequence[Trial]) -> int:
        known = {(row[0], row[1]) for row in self._session.rows(_KNOWN, run_id=run_id)}
        added = 0
        for trial in trials:
            if (trial.case, trial.trial) not in known:
                known.add((trial.case, trial.trial))
                values = {"run_id": run_id, "case_id": trial.case, "trial": trial.trial, "body": trial}
                self._session.change(_ADD_TRIAL, values)
                added += 1
        return added

    def trials(self, run_id: str) -> list[Trial]:
        return [row[0] for row in self._session.rows(_TRIALS, run_id=run_id)]

    def of_case(self, run_id: str, case: str, *, limit: int) -> list[Trial]:
        return [row[0] for row in self._session.rows(_OF_CASE, run_id=run_id, case_id=case, limit=limit)]


class SqlGates:
    """`ports.evaluation.Gates` in SQL."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def add(self, result: GateResult) -> None:
        values = {
            "id": result.id,
            "suite": result.suite,
            "candidate": result.candidate,
            "verdict": result.verdict,
            "at": result.at,
            "body": result,
        }
        self._session.change(_ADD_GATE, values)

    def get(self, gate_id: str) -> GateResult:
        found = self._session.scalar(_GATE, which=gate_id)
        if found is None:
            raise NotFound(f"there is no gate result {gate_id!r}")
        result: GateResult = found
        return result

    def of_candidate(self, candidate: str) -> list[GateResult]:
        return [row[0] for row in self._session.rows(_OF_CANDIDATE, candidate=candidate)]
