"""Give up a run or a gate that a server was asked for: nothing more of it is begun; what is kept of it stays."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from understudy.ports.store import Transaction
from understudy.records.spread import UNFINISHED, GateState, PendingGate, RunState, SpreadRun


def give_up_gate(tx: Transaction, gate: PendingGate, *, by: str, why: str, at: datetime) -> PendingGate:
    """Give up a gate that is pending, and those of its runs that no other one needs."""
    given_up = replace(gate, version=gate.version + 1, state=GateState.GIVEN_UP, why=why)
    tx.pending_gates.change(given_up, was=gate.version)
    tx.ledger.append("gate.given_up", at=at, actor=by, gate=gate.id, candidate=gate.candidate, why=why)
    runs = {run.id: run for run in tx.spread.unfinished()}
    for part in gate.parts:
        for name in (part.baseline_run, part.candidate_run):
            if name in runs and needed_by(tx, name) is None:
                give_up_run(tx, runs[name], by=by, why=why, at=at)
    return given_up


def give_up_run(tx: Transaction, run: SpreadRun, *, by: str, why: str, at: datetime) -> SpreadRun:
    """Give up a run that is not finished; what was being made of it is kept nowhere."""
    assert run.state in UNFINISHED, f"run {run.id} is {run.state}"
    given_up = replace(run, version=run.version + 1, state=RunState.GIVEN_UP, ended_at=at)
    tx.spread.change(given_up, was=run.version)
    tx.ledger.append("run.given_up", at=at, actor=by, run=run.id, suite=run.suite_digest, release=run.release, why=why)
    return given_up


def needed_by(tx: Transaction, run_id: str) -> PendingGate | None:
    """The gate that waits for a run."""
    for gate in tx.pending_gates.unfinished():
        runs = {name for part in gate.parts for name in (part.baseline_run, part.candidate_run)}
        if gate.state is GateState.PENDING and run_id in runs:
            return gate
    return None
