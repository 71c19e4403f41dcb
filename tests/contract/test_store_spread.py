"""Spread runs, who makes which trial, and pending gates as the store keeps them, on both databases."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from understudy.adapters.stores.sql_store import SqlStore
from understudy.errors import NotFound, StaleVersion, StepSuperseded, StoreError
from understudy.records.gate import GateResult, GateVerdict
from understudy.records.spread import (
    Against,
    GatePart,
    GateState,
    LeasedTrial,
    Pace,
    PendingGate,
    RunState,
    SpreadRun,
)
from understudy.records.suite import Grade, Trial

NOW = datetime(2026, 1, 1, 12, 0, 0, 123456, tzinfo=UTC)
LATER = NOW + timedelta(seconds=6)
PLAN = [("a", 0), ("b", 0), ("a", 1), ("b", 1)]
Commit = Callable[[Callable[..., Any]], Any]


def run(name: str = "run-1", *, asked_s: float = 0, **fields: Any) -> SpreadRun:
    given: dict[str, Any] = {
        "version": 1,
        "state": RunState.OPEN,
        "suite": "shop",
        "suite_digest": "d" * 32,
        "named": "shop",
        "release": "rel-1",
        "trials": 2,
        "clean": 29,
        "planned": len(PLAN),
        "asked_by": "Ines",
        "asked_at": NOW + timedelta(seconds=asked_s),
    }
    return SpreadRun(id=name, **{**given, **fields})


def gate(name: str = "ask-1", *, candidate: str = "rel-2", asked_s: float = 0, **fields: Any) -> PendingGate:
    part = GatePart(suite="shop", suite_digest="d", baseline_run="run-0", candidate_run="run-1", terms="{}")
    given: dict[str, Any] = {
        "version": 1,
        "state": GateState.PENDING,
        "baseline": "rel-1",
        "parts": (part,),
        "asked_by": "Ines",
        "asked_at": NOW + timedelta(seconds=asked_s),
    }
    return PendingGate(id=name, candidate=candidate, **{**given, **fields})


@pytest.fixture
def lease(commit: Commit) -> Callable[..., list[LeasedTrial]]:
    def take(limit: int = 1, *, at: datetime = NOW, name: str = "run-1") -> list[LeasedTrial]:
        until = at + timedelta(seconds=6)
        taken: list[LeasedTrial] = commit(
            lambda tx: tx.spread.lease(tx.spread.get(name), PLAN, now=at, until=until, limit=limit)
        )
        return taken

    return take


Lease = Callable[..., list[LeasedTrial]]


def result(of: LeasedTrial, **fields: Any) -> Trial:
    return Trial(case=of.case, trial=of.trial, **(fields or {"loss": 0.0, "grades": (Grade(grader="g", loss=0.0),)}))


def test_run_is_read_as_it_was_written_and_changed_once(commit: Commit) -> None:
    commit(lambda tx: tx.spread.add(run(against=Against(baseline_run="run-0", terms='{"margin":0.1}'))))
    ended = replace(commit(lambda tx: tx.spread.get("run-1")), version=2, state=RunState.ENDED, read=3, ended_at=LATER)
    commit(lambda tx: tx.spread.change(ended, was=1))
    assert commit(lambda tx: tx.spread.get("run-1")) == ended
    with pytest.raises(StaleVersion, match="version 1"):
        commit(lambda tx: tx.spread.change(replace(ended, read=4), was=1))
    with pytest.raises(NotFound, match="run-9"):
        commit(lambda tx: tx.spread.get("run-9"))


def test_runs_are_found_by_what_is_left_of_them_and_by_their_content(commit: Commit) -> None:
    runs = [
        run("run-1", asked_s=3),
        run("run-2", asked_s=1, state=RunState.WAITING),
        run("run-3", asked_s=2, state=RunState.ENDED),
        run("run-4", asked_s=4, release="rel-2", state=RunState.GIVEN_UP),
    ]
    for one in runs:
        commit(lambda tx, one=one: tx.spread.add(one))
    names = lambda found: [one.id for one in found]  # noqa: E731 - three times the same, and no more
    assert names(commit(lambda tx: tx.spread.unfinished())) == ["run-2", "run-1"]
    assert names(commit(lambda tx: tx.spread.of_content("rel-1", "shop", "d" * 32))) == ["run-1", "run-3", "run-2"]
    assert names(commit(lambda tx: tx.spread.listed(limit=2))) == ["run-4", "run-1"]


def test_trials_are_leased_once_in_the_order_of_the_plan(commit: Commit, lease: Lease) -> None:
    commit(lambda tx: tx.spread.add(run()))
    first, second = lease(2), lease(3)
    assert [(one.place, one.case, one.trial, one.token) for one in first] == [(0, "a", 0, 1), (1, "b", 0, 1)]
    assert [one.place for one in second] == [2, 3]
    assert lease(3) == []
    assert not commit(lambda tx: tx.spread.has_work(tx.spread.get("run-1"), now=NOW))


def test_a_lease_that_lapsed_is_taken_over_and_its_first_holder_keeps_nothing(commit: Commit, lease: Lease) -> None:
    commit(lambda tx: tx.spread.add(run()))
    (old,) = lease()
    assert commit(lambda tx: tx.spread.has_work(tx.spread.get("run-1"), now=LATER))
    (new,) = lease(at=LATER)
    assert (new.place, new.token) == (0, 2)
    assert not commit(lambda tx: tx.spread.holds(old))
    with pytest.raises(StepSuperseded, match="trial 0 of 'a'"):
        commit(lambda tx: tx.spread.keep(old, result(old)))
    commit(lambda tx: tx.spread.keep(new, result(new, loss=1.0)))
    with pytest.raises(StepSuperseded):
        commit(lambda tx: tx.spread.keep(new, result(new)))
    assert [one.loss for one in commit(lambda tx: tx.runs.trials("run-1"))] == [1.0]


def test_a_lease_that_is_renewed_does_not_lapse(commit: Commit, lease: Lease) -> None:
    commit(lambda tx: tx.spread.add(run()))
    (held,) = lease()
    commit(lambda tx: tx.spread.renew([held], until=LATER + timedelta(seconds=6)))
    assert [one.place for one in lease(at=LATER)] == [1]
    commit(lambda tx: tx.spread.renew([held], until=LATER))
    assert [(one.place, one.token) for one in lease(at=LATER)] == [(0, 2)]


def test_every_lease_ends_where_a_sole_process_starts(commit: Commit, lease: Lease) -> None:
    commit(lambda tx: tx.spread.add(run()))
    (kept, _) = lease(2)
    commit(lambda tx: tx.spread.keep(kept, result(kept)))
    commit(lambda tx: tx.spread.free(now=NOW))
    assert [one.place for one in lease(4)] == [1, 2, 3]


def test_nothing_is_leased_or_kept_of_a_run_that_is_over(commit: Commit, lease: Lease) -> None:
    commit(lambda tx: tx.spread.add(run()))
    (held,) = lease()
    commit(lambda tx: tx.spread.change(run(version=2, state=RunState.GIVEN_UP), was=1))
    assert lease() == []
    with pytest.raises(StepSuperseded):
        commit(lambda tx: tx.spread.keep(held, result(held)))


def test_results_are_read_in_the_order_of_the_plan_up_to_the_first_that_lacks(commit: Commit, lease: Lease) -> None:
    commit(lambda tx: tx.spread.add(run()))
    leases = lease(4)
    for place in (3, 0, 1):
        commit(lambda tx, one=leases[place]: tx.spread.keep(one, result(one)))
    read = lambda **where: commit(  # noqa: E731 - the same three times
        lambda tx: [(one.case, one.trial) for one in tx.spread.results("run-1", **where)]
    )
    assert read(limit=10) == PLAN[:2]
    assert read(limit=1) == PLAN[:1]
    assert read(after=2, limit=10) == []
    commit(lambda tx: tx.spread.keep(leases[2], result(leases[2])))
    assert read(after=1, limit=10) == PLAN[1:]


def test_progress_counts_what_is_made_what_failed_to_be_and_what_is_under_way(commit: Commit, lease: Lease) -> None:
    commit(lambda tx: tx.spread.add(run()))
    first, second, _ = lease(3)
    commit(lambda tx: tx.spread.keep(first, result(first)))
    commit(lambda tx: tx.spread.keep(second, result(second, error="down")))
    commit(lambda tx: tx.spread.refuse("run-1", "another suite"))
    found = commit(lambda tx: tx.spread.progress("run-1", now=NOW))
    assert (found.planned, found.done, found.errors, found.under_way) == (4, 2, 1, 1)
    assert (found.refused, found.asked_by, found.state) == ("another suite", "Ines", RunState.OPEN)
    assert commit(lambda tx: tx.spread.progress("run-1", now=LATER)).under_way == 0


def test_trials_that_ended_in_an_error_can_be_made_again(commit: Commit, lease: Lease) -> None:
    commit(lambda tx: tx.spread.add(run()))
    first, second = lease(2)
    commit(lambda tx: tx.spread.keep(first, result(first, error="down")))
    commit(lambda tx: tx.spread.keep(second, result(second)))
    assert commit(lambda tx: tx.spread.drop_errors("run-1", now=NOW)) == 1
    assert [(one.case, one.trial) for one in commit(lambda tx: tx.runs.trials("run-1"))] == [("b", 0)]
    (again,) = lease()
    assert (again.place, again.token) == (0, 101)
    commit(lambda tx: tx.spread.keep(again, result(again)))
    assert commit(lambda tx: tx.spread.progress("run-1", now=NOW)).errors == 0


def test_pending_gate_is_read_as_it_was_written_and_changed_once(commit: Commit) -> None:
    said = GateResult(
        id="gate-1",
        suite="shop",
        suite_digest="d",
        baseline="rel-1",
        candidate="rel-2",
        verdict=GateVerdict.PASS,
        reason="no worse",
        effect=0.0,
        interval=(-0.1, 0.05),
        pairs=40,
        errors=0,
        flipped=(),
        blocked_by=(),
        would_decide=None,
        at=NOW,
    )
    commit(lambda tx: tx.pending_gates.add(gate()))
    judged = gate(version=2, state=GateState.JUDGED, result=said)
    commit(lambda tx: tx.pending_gates.change(judged, was=1))
    assert commit(lambda tx: tx.pending_gates.get("ask-1")) == judged
    with pytest.raises(StaleVersion):
        commit(lambda tx: tx.pending_gates.change(judged, was=1))
    with pytest.raises(NotFound, match="ask-9"):
        commit(lambda tx: tx.pending_gates.get("ask-9"))


def test_of_a_candidate_one_gate_is_pending_at_a_time(commit: Commit) -> None:
    commit(lambda tx: tx.pending_gates.add(gate()))
    commit(lambda tx: tx.pending_gates.add(gate("ask-2", candidate="rel-3", asked_s=-1)))
    with pytest.raises(StoreError):
        commit(lambda tx: tx.pending_gates.add(gate("ask-3", asked_s=1)))
    assert [one.id for one in commit(lambda tx: tx.pending_gates.unfinished())] == ["ask-2", "ask-1"]
    commit(lambda tx: tx.pending_gates.change(gate(version=2, state=GateState.TOLD), was=1))
    commit(lambda tx: tx.pending_gates.add(gate("ask-3", asked_s=1)))
    assert commit(lambda tx: tx.pending_gates.latest("rel-2")).id == "ask-3"
    assert commit(lambda tx: tx.pending_gates.latest("rel-9")) is None


def test_progress_of_a_gate_is_that_of_its_runs(store: SqlStore, commit: Commit, lease: Lease) -> None:
    """The baseline's run was kept before, so it was never spread."""
    assert commit(lambda tx: tx.pending_gates.progress("rel-2", now=NOW)) is None
    commit(lambda tx: tx.pending_gates.add(gate()))
    commit(lambda tx: tx.spread.add(run(release="rel-2")))
    found = commit(lambda tx: tx.pending_gates.progress("rel-2", now=NOW))
    assert (found.state, found.planned, found.done, len(found.runs)) == (Pace.PENDING, 4, 0, 1)
    (held,) = lease()
    assert commit(lambda tx: tx.pending_gates.progress("rel-2", now=NOW)).state is Pace.RUNNING
    commit(lambda tx: tx.spread.keep(held, result(held, error="down")))
    commit(lambda tx: tx.pending_gates.change(gate(version=2, state=GateState.TOLD), was=1))
    found = commit(lambda tx: tx.pending_gates.progress("rel-2", now=NOW))
    assert (found.state, found.done, found.errors) == (Pace.DECIDED, 1, 1)
