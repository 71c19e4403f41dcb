"""Processes beside each other make the trials that a server was asked for: once each, and with the verdict that one alone
comes to."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from dataclasses import replace
from functools import wraps
from pathlib import Path
from typing import Any, TypeVar

import pytest

from understudy.databases import open_store
from understudy.errors import AgentUnavailable, Conflict, MalformedInput
from understudy.evaluation.archive import Archive
from understudy.evaluation.attempts import Release
from understudy.evaluation.judging import Judging
from understudy.evaluation.spread import HANDS_MAX, Spread
from understudy.evaluations import Evaluations
from understudy.gating import gate_release
from understudy.ports.agent import DraftRequest
from understudy.ports.store import CallLimits
from understudy.ports.telemetry import Event, TrialMade, TrialsRefused
from understudy.records.evidence import Draft
from understudy.records.gate import GateVerdict
from understudy.records.spread import GateState, PendingGate, RunProgress, RunState
from understudy.settings.model import Settings
from understudy.spreading import Benches, asking_of
from understudy.testing.scripted import FrozenClock, ScriptedAgent
from understudy.turn.places import Places

T = TypeVar("T")
CASES = 24
SETTINGS = Settings.model_validate({"releases": {"suites": ["shop"]}, "evaluation": {"attempts_max": 1}})


class SlowAgent:
    """An agent that answers by a coroutine."""

    name, version = "slow", None

    def __init__(self, answer: Callable[[DraftRequest], Awaitable[Any]]) -> None:
        self._answer = answer

    async def draft(self, request: DraftRequest) -> Any:
        return Draft(text=await self._answer(request))


class House:
    """A store, a suite, two versions of an agent, and as many processes as a test starts."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "suites" / "shop"
        self.folder.mkdir(parents=True)
        (self.folder / "suite.yaml").write_text("margin: 0.1\n")
        for number in range(CASES):
            self.write_case(number)
        self.base = folder
        self.clock = FrozenClock()
        self.store = open_store(SETTINGS, folder)
        self.evaluations = Evaluations(SETTINGS, folder)
        self.asking = asking_of(self.evaluations, self.store, self.clock)
        self.told: list[Event] = []
        self.fails = {"old": 0.1, "new": 0.1}
        self.agents = {name: ScriptedAgent(self._answers(name), name=name) for name in self.fails}

    def write_case(self, number: int, *, wants: str = "fine") -> None:
        text = f"id: c{number}\nmessages: [{{user: question {number}}}]\ngraders: [{{regex: {wants}}}]\n"
        (self.folder / f"c{number}.yaml").write_text(text)

    def _answers(self, name: str) -> Callable[[DraftRequest], str]:
        def answer(request: DraftRequest) -> str:
            assert request.rehearsal is not None
            dice = random.Random(f"{name} {request.rehearsal.case} {request.rehearsal.trial}")
            return "hm" if dice.random() < self.fails[name] else "fine"

        return answer

    def emit(self, event: Event) -> None:
        self.told.append(event)

    def process(self, *, limits: dict[str, CallLimits] | None = None, **options: Any) -> Spread:
        """Another process on the same store."""
        places = Places(self.store, self.clock, limits or {})
        benches = Benches(self.evaluations, self.agents, {f"rel-{name}": name for name in self.agents}, places)
        judging = Judging(self.store, self.clock)
        given = {"at_once_max": 4, **options}
        return Spread(self.store, self.clock, self, benches, judging, **given)

    async def ask(self) -> PendingGate:
        begin = await self.asking.prepare()
        return await self.store.write(lambda tx: begin(tx, "rel-new", "rel-old", "Ines"))

    async def until_judged(self, *processes: Spread) -> PendingGate:
        for _ in range(100):
            await asyncio.gather(*(process.sweep() for process in processes))
            await asyncio.gather(*(process.settled() for process in processes))
            await Judging(self.store, self.clock).sweep()
            gate = self.read(lambda tx: tx.pending_gates.latest("rel-new"))
            if gate.state is GateState.JUDGED:
                return gate
        raise AssertionError("it is never judged")

    def read(self, query: Callable[..., T]) -> T:
        return self.store.read_now(query)

    def asked(self, name: str) -> Counter[tuple[str, int]]:
        """Which trials an agent was asked for, and how often."""
        rehearsals = [request.rehearsal for request in self.agents[name].requests]
        return Counter((one.case, one.trial) for one in rehearsals if one is not None)

    def progress(self, run_id: str) -> RunProgress:
        return self.read(lambda tx: tx.spread.progress(run_id, now=self.clock.now()))


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    built = House(tmp_path)
    yield built
    built.store.close_now()


def keep(tx: Any, gate: PendingGate) -> None:
    """Keep a gate as if its release had been told of it."""
    tx.pending_gates.change(gate, was=gate.version - 1)
    tx.ledger.append("release.gated", at=gate.asked_at)


async def work(process: Spread) -> None:
    """Let a process make all it can."""
    await process.sweep()
    await process.settled()


def played(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    """Run a test's coroutine."""

    @wraps(test)
    def run(**fixtures: Any) -> None:
        asyncio.run(test(**fixtures))

    return run


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


def test_every_trial_is_made_once_and_none_is_begun_once_it_is_decided(house: House) -> None:
    async def story() -> PendingGate:
        await house.ask()
        return await house.until_judged(house.process(), house.process())

    (part,) = play(story()).parts
    assert set(house.asked("old").values()) == set(house.asked("new").values()) == {1}
    assert house.asked("old").total() == CASES * 10
    run, baseline = house.progress(part.candidate_run), house.progress(part.baseline_run)
    assert (baseline.state, baseline.done, baseline.read) == (RunState.ENDED, CASES * 10, CASES * 10)
    assert run.read <= run.done <= house.asked("new").total() <= run.read + 2 * 4
    assert run.planned == CASES * 40
    assert sum(isinstance(event, TrialMade) for event in house.told) == run.done + baseline.done


@played
async def test_the_baseline_is_tried_once_for_many_candidates(house: House) -> None:
    await house.ask()
    await house.until_judged(house.process())
    begin = await house.asking.prepare()
    gate = await house.store.write(lambda tx: begin(tx, "rel-other", "rel-old", "Ines"))
    run = house.progress(gate.parts[0].candidate_run)
    assert (run.state, run.done) == (RunState.OPEN, 0)


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
async def test_errors_stand_apart_and_are_tried_again_when_the_gate_is_asked_for_again(house: House) -> None:
    await house.ask()
    alive = house.agents["new"]

    async def down(request: DraftRequest) -> Any:
        raise AgentUnavailable

    house.agents["new"] = SlowAgent(down)
    first = await house.until_judged(house.process(at_once_max=16))
    assert first.result is not None
    assert (first.result.verdict, first.result.errors) == (GateVerdict.INCONCLUSIVE, CASES * 40)
    house.agents["new"] = alive
    told = replace(first, version=first.version + 1, state=GateState.TOLD)
    await house.store.write(lambda tx: keep(tx, told))
    again = await house.ask()
    assert again.parts[0].candidate_run == first.parts[0].candidate_run
    second = await house.until_judged(house.process())
    assert second.result is not None
    assert (second.result.verdict, second.result.errors) == (GateVerdict.PASS, 0)
    assert house.asked("old").total() == CASES * 10, "the baseline's run was whole"


@played
async def test_asking_again_while_it_runs_is_the_same_gate_unless_the_suite_changed(house: House) -> None:
    first = await house.ask()
    assert await house.ask() == first
    house.write_case(CASES)
    other = await house.ask()
    assert other.id != first.id
    assert house.read(lambda tx: tx.pending_gates.get(first.id)).state is GateState.GIVEN_UP
    states = [house.progress(run).state for run in (first.parts[0].baseline_run, other.parts[0].baseline_run)]
    assert states == [RunState.GIVEN_UP, RunState.OPEN]


@played
async def test_asking_again_under_another_margin_is_another_gate(house: House) -> None:
    first = await house.ask()
    (house.folder / "suite.yaml").write_text("margin: 0.02\n")
    other = await house.ask()
    assert other.id != first.id
    assert other.parts[0].terms != first.parts[0].terms


@played
async def test_a_short_run_is_no_baseline_and_the_first_long_one_stays_it(house: House) -> None:
    short = await house.asking.run("shop", "rel-old", trials=1, by="Ines")
    await work(house.process(at_once_max=16))
    assert house.progress(short.id).state is RunState.ENDED
    baseline = (await house.ask()).parts[0].baseline_run
    assert (baseline != short.id, house.progress(baseline).planned) == (True, CASES * 10)
    await house.until_judged(house.process(at_once_max=16))
    long = await house.asking.run("shop", "rel-old", trials=12, by="Ines")
    await work(house.process(at_once_max=16))
    assert house.progress(long.id).state is RunState.ENDED
    begin = await house.asking.prepare()
    gate = await house.store.write(lambda tx: begin(tx, "rel-other", "rel-old", "Ines"))
    assert gate.parts[0].baseline_run == baseline


@played
async def test_a_baseline_that_was_down_is_made_again(house: House) -> None:
    alive = house.agents["old"]

    async def down(request: DraftRequest) -> Any:
        raise AgentUnavailable

    house.agents["old"] = SlowAgent(down)
    await house.ask()
    first = await house.until_judged(house.process(at_once_max=16))
    assert first.result is not None
    assert first.result.verdict is GateVerdict.INCONCLUSIVE
    house.agents["old"] = alive
    told = replace(first, version=first.version + 1, state=GateState.TOLD)
    await house.store.write(lambda tx: keep(tx, told))
    await house.ask()
    second = await house.until_judged(house.process(at_once_max=16))
    assert second.result is not None
    assert (second.result.verdict, second.result.errors) == (GateVerdict.PASS, 0)


@played
async def test_a_run_that_is_given_up_begins_no_trial_any_more(house: House) -> None:
    run = await house.asking.run("shop", "rel-new", trials=1, by="Ines")
    given_up = await house.asking.give_up(run.id, by="Ines")
    assert given_up.state is RunState.GIVEN_UP
    assert await house.process().sweep() == 0
    with pytest.raises(Conflict, match="is over"):
        await house.asking.give_up(run.id, by="Ines")
    gate = await house.ask()
    with pytest.raises(Conflict, match="belongs to the gate of release rel-new"):
        await house.asking.give_up(gate.parts[0].baseline_run, by="Ines")


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


@played
async def test_what_cannot_be_run_is_refused_by_name(house: House) -> None:
    for suite, words in (("nothing", "there is no suite"), ("../shop", "letters, digits"), ("", "letters, digits")):
        with pytest.raises(MalformedInput, match=words):
            await house.asking.run(suite, "rel-new", trials=1, by="Ines")
    with pytest.raises(MalformedInput, match="more than"):
        await house.asking.run("shop", "rel-new", trials=10_000, by="Ines")
    (house.folder / "c0.yaml").write_text("id: c0\nmessages: [{user: q}]\ngraders: [{judge: is it good?}]\n")
    with pytest.raises(MalformedInput, match="name the opinion that judges"):
        await house.asking.run("shop", "rel-new", trials=1, by="Ines")
    (house.folder / "c0.yaml").write_text("id: [")
    with pytest.raises(Conflict, match="the gate cannot be run"):
        await house.ask()
