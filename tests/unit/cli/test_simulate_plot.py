"""The picture of a simulated slice: well-formed, complete, and safe whatever a slice is called."""

from __future__ import annotations

from datetime import timedelta
from xml.etree import ElementTree

import pytest

from understudy.cli.simulate_plot import svg
from understudy.records.autonomy import Targets, Terms
from understudy.records.rulebook import Rules
from understudy.simulation.counting import Setup
from understudy.simulation.running import run
from understudy.simulation.world import Regression, SliceWorld, World


def drawn(topic: str = "orders", *, days: int = 30, per_day: float = 80, risk_max: float = 0.1) -> str:
    worse = Regression(day=20, times=6, is_visible=False)
    of = SliceWorld(topic=topic, per_day=per_day, bad=0.04, severe=0.0, regression=worse)
    setup = Setup(
        rules=Rules(),
        terms=Terms(days_min=0, reviewers_min=1, is_automatic=True),
        judged_within=timedelta(hours=72),
        confirm_s=0.0,
        is_watched=True,
    )
    targets = Targets(risk_max=risk_max, severe_max=0.5, delta=0.05, sensitivity=0.8)
    (tally,) = run(World(slices=(of,), days=days), setup, lambda topic: targets, seed=3)
    return svg(of, tally, days=days)


def test_picture_tells_the_whole_story() -> None:
    picture = drawn()
    ElementTree.fromstring(picture)
    for words in ("assist", "probation from 0.", "6 × as many are bad", ">alarm<", "demoted", "target: 10 %"):
        assert words in picture


@pytest.mark.parametrize("topic", ["<b>&\"'x", "長い名前"])
def test_names_are_text_and_never_markup(topic: str) -> None:
    picture = drawn(topic, days=3)
    ElementTree.fromstring(picture)
    assert "<b>" not in picture


@pytest.mark.parametrize(("days", "per_day", "risk_max"), [(1, 0.01, 0.1), (2, 50, 0.001), (400, 1, 0.9)])
def test_any_length_and_any_traffic_can_be_drawn(days: int, per_day: float, risk_max: float) -> None:
    ElementTree.fromstring(drawn(days=days, per_day=per_day, risk_max=risk_max))


def test_both_themes_have_a_colour_for_everything() -> None:
    style = drawn(days=2).split("<style>")[1].split("</style>")[0]
    light, dark = style.split("@media (prefers-color-scheme: dark)")
    names = (
        "paper ink soft grid axis event worse evidence alarm probation auto demoted held audited alone loss true target"
    )
    assert all(f".{name} " in part for name in names.split() for part in (light, dark.replace(",", " ")))
