"""A release goes through the gate in one go: a mistake that comes again is stopped with its case named, a fixed one passes."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from understudy.databases import open_store
from understudy.evaluation.archive import Archive
from understudy.evaluation.attempts import Release
from understudy.evaluations import Evaluations
from understudy.gating import gate_release
from understudy.ports.agent import DraftRequest
from understudy.records.gate import GateVerdict
from understudy.settings.model import Settings
from understudy.testing.scripted import FrozenClock, ScriptedAgent

BAD, GOOD = "You get 50 EUR back.", "You get 30 EUR back."


class House:
    """A store, a suite, and releases to be gated."""

    def __init__(self, folder: Path) -> None:
        suite = folder / "suites" / "shop"
        suite.mkdir(parents=True)
        (suite / "suite.yaml").write_text("margin: 0.1\n")
        (suite / "refund.yaml").write_text(
            "id: refund\nrule: must_pass\nmessages: [{user: my refund}]\n"
            f"recorded: {{text: {BAD}, good: false}}\ngraders: [{{facts: {{must_not: [50 EUR]}}}}]\n"
        )
        for number in range(30):
            text = f"id: c{number}\nmessages: [{{user: question {number}}}]\ngraders: [{{regex: fine}}]\n"
            (suite / f"c{number}.yaml").write_text(text)
        self.evaluations = Evaluations(Settings(), folder)
        self.store = open_store(Settings(), folder)
        self.archive = Archive(self.store, FrozenClock())
        self.agents: dict[str, ScriptedAgent] = {}

    def release(self, name: str, *, refund: str, fails: float = 0.08) -> Release:
        def answer(request: DraftRequest) -> str:
            if "refund" in (request.messages[-1].content or ""):
                return refund
            assert request.rehearsal is not None
            dice = random.Random(f"{name} {request.rehearsal.case} {request.rehearsal.trial}")
            return "hm" if dice.random() < fails else "fine"

        agent = self.agents[name] = ScriptedAgent(answer)
        return Release(name=name, agent=agent, rulebook=self.evaluations.rulebook, checks=self.evaluations.checks)

    def gate(self, baseline: Release, candidate: Release):  # type: ignore[no-untyped-def]
        return asyncio.run(
            gate_release(self.evaluations, self.archive, suite="shop", baseline=baseline, candidate=candidate)
        )


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    built = House(tmp_path)
    yield built
    built.store.close_now()


def test_mistake_that_comes_again_is_stopped_with_its_case_named(house: House) -> None:
    found = house.gate(house.release("v1", refund=GOOD), house.release("v2", refund=BAD))
    assert (found.verdict, found.blocked_by) == (GateVerdict.FAIL, ("refund",))
    assert "case refund must pass and failed" in found.reason
    assert len(house.agents["v2"].requests) < 200


def test_fixed_release_passes_after_few_runs_and_the_baseline_is_tried_once(house: House) -> None:
    baseline = house.release("v1", refund=GOOD)
    first = house.gate(baseline, house.release("v3", refund=GOOD))
    asked = len(house.agents["v1"].requests)
    second = house.gate(house.release("v1", refund=GOOD), house.release("v4", refund=GOOD))
    assert (first.verdict, second.verdict) == (GateVerdict.PASS, GateVerdict.PASS)
    assert asked == 30 * 10 + 32
    assert house.agents["v1"].requests == []
    assert len(house.agents["v3"].requests) < 600


def test_release_that_is_worse_fails(house: House) -> None:
    found = house.gate(house.release("v1", refund=GOOD), house.release("v5", refund=GOOD, fails=0.4))
    assert found.verdict is GateVerdict.FAIL
    assert found.interval[0] > 0


def test_verdict_and_runs_are_kept(house: House) -> None:
    found = house.gate(house.release("v1", refund=GOOD), house.release("v2", refund=BAD))
    read: Callable[..., object] = house.store.read_now
    assert read(lambda tx: tx.gates.of_candidate("v2")) == [found]
    assert [run.done for run in read(lambda tx: tx.runs.of_release("v1", "shop"))] == [332]  # type: ignore[attr-defined]
    assert read(lambda tx: len(tx.runs.of_release("v2", "shop"))) == 1
