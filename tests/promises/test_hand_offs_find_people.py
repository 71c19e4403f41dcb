"""Hand-offs find people who are there, in worlds of `simulation/staffed.py`: whoever waits is looked after, once, and in time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from simulation.staffed import STAFFING, World
from stage_staffing import plan_of

WORLDS = 12


@pytest.mark.parametrize("seed", range(WORLDS))
def test_whoever_waits_is_looked_after_once_and_in_time(build: Callable[..., Any], staging: Any, seed: int) -> None:
    World(build(**plan_of(staging.rules, STAFFING)), seed).play()


def test_the_worlds_are_full_of_what_may_happen(build: Callable[..., Any], staging: Any) -> None:
    met = Counter[str]()
    for seed in range(4):
        world = World(build(**plan_of(staging.rules, STAFFING)), seed)
        world.play()
        met.update(world.met)
    wanted = {"waits", "assigned", "lost", "taken", "escalated", "broken", "ended"}
    assert {f"staffing.{what}" for what in wanted} <= met.keys()
    assert met["it_dies"] > 4
    assert met["another hold"] > 4
