"""Processes beside each other make the trials that a server was asked for: once each, and with the verdict that one alone
comes to."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import pytest

from stage_spread import CASES, House, SlowAgent, played, work
from understudy.evaluation.archive import Archive
from understudy.evaluation.attempts import Release
from understudy.evaluation.spread import HANDS_MAX
from understudy.gating import gate_release
from understudy.ports.agent import DraftRequest
from understudy.ports.calls import CallLimits
from understudy.ports.telemetry import TrialMade, TrialsRefused
from understudy.records.gate import GateVerdict
from understudy.records.spread import PendingGate, RunState

T = TypeVar("T")


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    built = House(tmp_path)
    yield built
    built.store.close_now()


def play(story: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(story)


@pytest.mark.parametrize("fails", [0.1, 0.5])
def test_two_processes_come_to_the_verdict_that_one_run_comes_to(house: House, tmp_path: Path, fails: float) -> None:
    house.fails["new"] = fails

    async def story() -> PendingGate:
        await house.ask()
        return await house.until_judged(house.process(), house.process())

    found = play(story()).result
    alone = House(tmp_path / "alone")
    alone.fails["new"] = fails
    parts = {"rulebook": alone.evaluations.rulebook, "checks": alone.evaluations.checks}
    old, new = (Release(name=f"rel-{name}", agent=alone.agents[name], **parts) for name in ("old", "new"))
    archive = Archive(alone.store, alone.clock)
    wanted = play(gate_release(alone.evaluations, archive, suite="shop", baseline=old, candidate=new))
    alone.store.close_now()
    assert found is not None
    assert found.verdict is (GateVerdict.PASS if fails == 0.1 else GateVerdict.FAIL)
    for field in ("verdict", "reason", "effect", "interval", "pairs", "errors", "flipped", "suite_digest"):
        assert getattr(found, field) == getattr(wanted, field), field


def test_every_trial_is_made_once_and_none_is_begun_once_it_is_decided(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    late: list[DraftRequest] = []
    processes = [house.process(), house.process()]
    draft = house.agents["new"].draft

    async def noted(request: DraftRequest) -> Any:
        """Answer as ever, and note who is asked though the run has ended: what was leased before, and no more."""
        gate = house.read(lambda tx: tx.pending_gates.latest("rel-new"))
        if all(house.progress(one.candidate_run).state is RunState.ENDED for one in gate.parts):
            late.append(request)
        return await draft(request)

    monkeypatch.setattr(house.agents["new"], "draft", noted)

    async def story() -> PendingGate:
        await house.ask()
        judged = await house.until_judged(*processes)
        asked = house.asked("new").total()
        for process in processes:
            await work(process)
        assert house.asked("new").total() == asked, "after the verdict nothing more is begun"
        return judged

    (part,) = play(story()).parts
    assert set(house.asked("old").values()) == set(house.asked("new").values()) == {1}
    assert house.asked("old").total() == CASES * 10
    run, baseline = house.progress(part.candidate_run), house.progress(part.baseline_run)
    assert (baseline.state, baseline.done, baseline.read) == (RunState.ENDED, CASES * 10, CASES * 10)
    assert run.read <= run.done <= house.asked("new").total() < run.planned == CASES * 40
    assert len(late) <= 2 * 4
    assert sum(isinstance(event, TrialMade) for event in house.told) == run.done + baseline.done


@played
async def test_a_dead_process_s_trial_is_made_by_another_and_kept_once(house: House) -> None:
    stuck = asyncio.Event()
    run = await house.asking.run("shop", "rel-new", trials=1, by="Ines")

    async def never(request: DraftRequest) -> Any:
        await stuck.wait()
        return "late"

    alive = house.agents["new"]
    house.agents["new"] = SlowAgent(never)
    dead = house.process(at_once_max=1)
    await dead.sweep()
    house.agents["new"] = alive
    await asyncio.sleep(0)
    heir = house.process()
    await work(heir)
    assert house.progress(run.id).done == CASES - 1
    house.clock.advance(7.0)  # nobody renewed the lease of the first
    await work(heir)
    assert (house.progress(run.id).done, house.progress(run.id).state) == (CASES, RunState.ENDED)
    stuck.set()
    await dead.settled()
    trials = house.read(lambda tx: tx.runs.trials(run.id))
    assert len(trials) == CASES
    assert "late" not in {trial.reply for trial in trials}


@played
async def test_a_process_that_renews_keeps_what_it_makes(house: House) -> None:
    stuck = asyncio.Event()
    run = await house.asking.run("shop", "rel-new", trials=1, by="Ines")

    async def slow(request: DraftRequest) -> Any:
        await stuck.wait()
        return "fine"

    house.agents["new"] = SlowAgent(slow)
    process = house.process(at_once_max=CASES)
    assert await process.sweep() == CASES
    for _ in range(5):
        house.clock.advance(4.0)
        assert await process.renew() == CASES
    assert await house.process().sweep() == 0
    stuck.set()
    await process.settled()
    assert house.progress(run.id).done == CASES


@played
async def test_a_process_that_stops_hands_over_at_once(house: House) -> None:
    run = await house.asking.run("shop", "rel-new", trials=1, by="Ines")
    alive = house.agents["new"]

    async def never(request: DraftRequest) -> Any:
        await asyncio.Event().wait()

    house.agents["new"] = SlowAgent(never)
    stopping = house.process()
    await stopping.sweep()
    await asyncio.sleep(0)
    await stopping.stop()
    assert await stopping.sweep() == 0
    house.agents["new"] = alive
    heir = house.process()
    await work(heir)
    assert house.progress(run.id).done == CASES


@played
async def test_a_process_with_another_suite_leaves_the_trials_to_others_and_says_so_once(house: House) -> None:
    run = await house.asking.run("shop", "rel-new", trials=1, by="Ines")
    house.write_case(3, wants="something else")
    other = house.process()
    assert [await other.sweep() for _ in range(3)] == [0, 0, 0]
    assert house.agents["new"].requests == []
    (refused,) = [event for event in house.told if isinstance(event, TrialsRefused)]
    assert (refused.code, refused.run) == ("suite-differs", run.id)
    assert "other cases" in (house.progress(run.id).refused or "")
    house.write_case(3)
    house.clock.advance(31.0)
    await work(other)
    assert (house.progress(run.id).done, house.progress(run.id).refused) == (CASES, None)


@played
async def test_a_process_that_does_not_state_the_release_leaves_the_trials_to_others(house: House) -> None:
    run = await house.asking.run("shop", "rel-elsewhere", trials=1, by="Ines")
    assert await house.process().sweep() == 0
    assert "stated nowhere" in (house.progress(run.id).refused or "")


@played
async def test_a_trial_that_no_process_survives_becomes_an_error(house: House) -> None:
    run = await house.asking.run("shop", "rel-new", trials=1, by="Ines")
    stored = house.read(lambda tx: tx.spread.get(run.id))
    first = {"now": house.clock.now(), "until": house.clock.now(), "limit": 1}
    for _ in range(HANDS_MAX):
        await house.store.write(lambda tx: tx.spread.lease(stored, [("c0", 0)], **first))
    process = house.process()
    await work(process)
    (error,) = [one for one in house.read(lambda tx: tx.runs.trials(run.id)) if one.error]
    assert error.error == f"{HANDS_MAX} processes began it and none ended it"
    ended = house.read(lambda tx: tx.spread.get(run.id))
    again = replace(ended, version=ended.version + 1, state=RunState.OPEN, read=0, ended_at=None)

    def made_again(tx: Any) -> None:
        tx.spread.drop_errors(run.id, now=house.clock.now())
        tx.spread.change(again, was=ended.version)
        tx.ledger.append("run.asked", at=house.clock.now(), run=run.id)

    await house.store.write(made_again)
    await work(process)
    assert [one for one in house.read(lambda tx: tx.runs.trials(run.id)) if one.error] == []


@played
async def test_a_grader_that_breaks_makes_an_error_and_not_a_loop(house: House, tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text("def grade(attempted):\n    raise SystemError('no')\n")
    (house.folder / "c0.yaml").write_text("id: c0\nmessages: [{user: q}]\ngraders: [{python: 'own:grade'}]\n")
    run = await house.asking.run("shop", "rel-new", trials=1, by="Ines")
    process = house.process()
    await work(process)
    assert (house.progress(run.id).state, house.progress(run.id).errors) == (RunState.ENDED, 1)


@played
async def test_trials_keep_the_limit_of_their_agent(house: House) -> None:
    most = under_way = 0

    async def counting(request: DraftRequest) -> Any:
        nonlocal most, under_way
        under_way += 1
        most = max(most, under_way)
        await asyncio.sleep(0.005)
        under_way -= 1
        return "fine"

    run = await house.asking.run("shop", "rel-new", trials=1, by="Ines")
    house.agents["new"] = SlowAgent(counting)
    limits = {"new": CallLimits(at_once_max=2, per_minute_max=None)}
    process = house.process(limits=limits)
    await work(process)
    assert (most, house.progress(run.id).done) == (2, CASES)
