"""The made-up drafts are what their slice says: as often bad, as well told by the score, as late judged."""

from __future__ import annotations

import math
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy.simulation.drafts import DAY_S, Drafts, drawn, true_risk
from understudy.simulation.world import People, Regression, SliceWorld, World

WORSE = Regression(day=5, times=3)
UNSEEN = Regression(day=5, times=3, is_visible=False)
SLICES = [
    SliceWorld(topic="a", per_day=20_000, bad=0.1, sharpness=0.85),
    SliceWorld(topic="a", per_day=20_000, bad=0.1, sharpness=0.5, minor=0.3, major=0.3),
    SliceWorld(topic="a", per_day=20_000, bad=0.05, sharpness=0.9, severe=0.3, regression=WORSE),
    SliceWorld(topic="a", per_day=20_000, bad=0.05, sharpness=0.8, severe=0.3, regression=UNSEEN),
]


def draw(of: SliceWorld, *, people: People | None = None, seed: int = 1) -> Drafts:
    world = World(slices=(of,), days=10, people=people or People())
    return drawn(of, world, timedelta(hours=72), np.random.default_rng(seed))


@pytest.mark.parametrize("of", SLICES, ids=lambda of: f"{of.sharpness}")
@pytest.mark.parametrize("share", [0.0, 0.3, 0.7])
@pytest.mark.parametrize("day", [2, 8])
def test_true_risk_is_what_many_drafts_cost(of: SliceWorld, share: float, day: int) -> None:
    drafts = draw(of)
    threshold = float(np.quantile(drafts.confidence, share))
    is_in = (drafts.confidence >= threshold) & ((drafts.at_s >= 5 * DAY_S) == (day >= 5))
    for seen, said in zip(
        (drafts.loss[is_in], drafts.is_severe[is_in]), true_risk(of, threshold, at_day=day), strict=True
    ):
        assert seen.mean() == pytest.approx(said, abs=4.5 * math.sqrt((said + 1e-6) / is_in.sum()))


@given(
    bad=st.floats(0.01, 0.4),
    sharpness=st.floats(0.5, 0.99),
    low=st.floats(0, 1),
    high=st.floats(0, 1),
    regression=st.sampled_from([None, Regression(day=0, times=2), Regression(day=0, times=2, is_visible=False)]),
)
def test_a_stricter_threshold_never_has_more_risk(
    bad: float, sharpness: float, low: float, high: float, regression: Regression | None
) -> None:
    of = SliceWorld(topic="a", bad=bad, sharpness=sharpness, regression=regression)
    lax, strict = sorted((low, high))
    assert true_risk(of, strict, at_day=1)[0] <= true_risk(of, lax, at_day=1)[0] + 1e-9


def test_confidence_is_the_share_of_good_ones() -> None:
    drafts = draw(SLICES[0])
    for low in (0.5, 0.7, 0.9, 0.97):
        is_in = (drafts.confidence >= low) & (drafts.confidence < low + 0.03)
        assert (~drafts.is_bad[is_in]).mean() == pytest.approx(drafts.confidence[is_in].mean(), abs=0.02)


def test_sharpness_is_how_often_the_better_one_has_more_confidence() -> None:
    drafts = draw(SLICES[0])
    dice = np.random.default_rng(2)
    good, bad = (dice.choice(drafts.confidence[which], 100_000) for which in (~drafts.is_bad, drafts.is_bad))
    assert (good > bad).mean() == pytest.approx(0.85, abs=0.01)


def test_who_looks_too_late_finds_it_bad() -> None:
    drafts = draw(SLICES[0], people=People(delay_h=40.0))
    is_late = drafts.reviewer < 0
    assert 0.2 < is_late.mean() < 0.4
    assert (drafts.label_loss[is_late] == 1.0).all()
    assert drafts.label_at_s[is_late] == pytest.approx(drafts.at_s[is_late] + 72 * 3600)


def test_reviewers_miss_as_many_as_they_are_said_to_and_lazy_ones_all() -> None:
    drafts = draw(SLICES[0], people=People(missed=0.2, lazy=1, count=4, delay_h=0.1))
    is_bad = drafts.is_bad & (drafts.reviewer >= 0)
    is_seen = drafts.label_loss > 0
    assert not is_seen[drafts.reviewer == 0].any()
    assert is_seen[is_bad & (drafts.reviewer > 0)].mean() == pytest.approx(0.8, abs=0.02)
    assert not is_seen[~drafts.is_bad & (drafts.reviewer >= 0)].any()


def test_the_same_seed_draws_the_same() -> None:
    one, same, other = draw(SLICES[2]), draw(SLICES[2]), draw(SLICES[2], seed=2)
    assert (one.confidence == same.confidence).all()
    assert (one.label_at_s == same.label_at_s).all()
    assert one.at_s.size != other.at_s.size or (one.at_s != other.at_s).any()
