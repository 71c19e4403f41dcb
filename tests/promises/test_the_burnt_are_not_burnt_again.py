"""Simulated customers whose first contact with the agent was bad get nothing unseen of it before the cap is lifted by its rule."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
if str(TESTS) not in sys.path:
    sys.path.insert(0, str(TESTS))  # tests are no package; the simulation is one, and its modules import each other

from simulation import violation as promise  # noqa: E402
from simulation.burnt import WAYS, play_burnt  # noqa: E402
from understudy.records.trust import Cap  # noqa: E402

SEEDS = 20
SEEDS_TO_FIND_A_PLANT_MAX = 20


def test_nobody_who_had_a_bad_answer_meets_the_agent_again_before_the_cap_is_lifted() -> None:
    met = Counter[str]()
    for seed in range(SEEDS):
        outcome = play_burnt(seed)
        assert outcome.violation is None, f"\n{outcome.told()}"
        met.update(outcome.counts)
    assert {f"burnt: {way}" for way in WAYS} <= met.keys()
    assert met["after it: hold"] > 20


def first_broken() -> str | None:
    for seed in range(SEEDS_TO_FIND_A_PLANT_MAX):
        outcome = play_burnt(seed)
        if outcome.violation is not None:
            assert f"./dev simulate --burnt --seed {seed}" in outcome.told()
            return outcome.violation.promise
    return None


def test_cap_that_is_forgotten_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Cap, "holds", lambda *_: False)
    assert first_broken() == promise.NOT_BURNT_TWICE
