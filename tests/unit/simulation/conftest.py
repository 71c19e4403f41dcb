"""A made-up world in one line, and what becomes of it under given terms."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from understudy.records.autonomy import Targets, Terms
from understudy.records.rulebook import Rules
from understudy.simulation.counting import Setup
from understudy.simulation.running import run
from understudy.simulation.tally import Tally
from understudy.simulation.world import People, SliceWorld, World

CAREFUL = People(missed=0.0, delay_h=1.0)
LAX = Targets(risk_max=0.1, severe_max=0.1, delta=0.05, sensitivity=1.0)
AT_ONCE = Terms(days_min=0.0, reviewers_min=1, is_automatic=True)


def make_world(*slices: SliceWorld, days: int = 30, people: People = CAREFUL, **more: Any) -> World:
    return World(slices=slices, days=days, people=people, **more)


def live(
    world: World,
    *,
    seed: int = 1,
    targets: Targets = LAX,
    terms: Terms = AT_ONCE,
    rules: Rules | None = None,
    confirm_s: float = 0.0,
    is_watched: bool = False,
) -> list[Tally]:
    setup = Setup(
        rules=rules or Rules(),
        terms=terms,
        judged_within=timedelta(hours=72),
        confirm_s=confirm_s,
        is_watched=is_watched,
    )
    return run(world, setup, lambda topic: targets, seed=seed)


@pytest.fixture(name="make_world")
def _make_world() -> Callable[..., World]:
    return make_world


@pytest.fixture(name="live")
def _live() -> Callable[..., list[Tally]]:
    return live


@pytest.fixture
def lax() -> Targets:
    return LAX


@pytest.fixture
def at_once() -> Terms:
    return AT_ONCE
