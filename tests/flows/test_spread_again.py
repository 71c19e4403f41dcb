"""A gate that servers are asked for again: the same, another, or made anew where nothing was learned; what its baseline is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from stage_spread import CASES, House, SlowAgent, keep, played, work
from understudy.errors import AgentUnavailable, Conflict, MalformedInput
from understudy.ports.agent import DraftRequest
from understudy.records.gate import GateVerdict
from understudy.records.spread import GateState, RunState


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    built = House(tmp_path)
    yield built
    built.store.close_now()


@played
async def test_the_baseline_is_tried_once_for_many_candidates(house: House) -> None:
    await house.ask()
    await house.until_judged(house.process())
    begin = await house.asking.prepare()
    gate = await house.store.write(lambda tx: begin(tx, "rel-other", "rel-old", "Ines"))
    run = house.progress(gate.parts[0].candidate_run)
    assert (run.state, run.done) == (RunState.OPEN, 0)


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
