"""Planted drafts say what share of bad ones reviewers notice, and what that costs in labels."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from understudy.learning.sensitivity import LEAST, cost, measured, sensitivity_of
from understudy.records.autonomy import Targets
from understudy.records.reviewing import SeedCount

TARGETS = Targets(risk_max=0.05, severe_max=0.005, delta=0.05, sensitivity=0.7)


def test_too_few_seeds_leave_what_was_assumed() -> None:
    found = sensitivity_of(SeedCount(caught=0, judged=19), assumed=0.7, seeds_min=20)
    assert (found.share, found.is_measured) == (0.7, False)


def test_enough_seeds_replace_what_was_assumed_by_their_bound() -> None:
    """80 seeds of which 90 % were caught give 0.81; 20 give 0.68 (exact bounds at 97.5 %)."""
    assert round(measured(TARGETS, SeedCount(caught=72, judged=80), seeds_min=20).sensitivity, 2) == 0.81
    assert round(measured(TARGETS, SeedCount(caught=18, judged=20), seeds_min=20).sensitivity, 2) == 0.68


def test_reviewers_who_notice_nothing_leave_a_share_that_can_be_calculated_with() -> None:
    assert measured(TARGETS, SeedCount(caught=0, judged=50), seeds_min=20).sensitivity == LEAST


@given(caught=st.integers(0, 60), missed=st.integers(0, 60))
def test_a_certificate_never_assumes_more_than_was_seen(caught: int, missed: int) -> None:
    seeds = SeedCount(caught=caught, judged=caught + missed)
    found = sensitivity_of(seeds, assumed=0.7, seeds_min=20)
    assert 0.0 < found.share <= 1.0
    assert not found.is_measured or found.share <= max(LEAST, caught / max(1, caught + missed))


@given(sensitivity=st.floats(0.2, 1.0), bad=st.integers(0, 3))
def test_reviewers_who_miss_more_need_more_labels(sensitivity: float, bad: int) -> None:
    targets = Targets(risk_max=0.05, severe_max=0.005, delta=0.05, sensitivity=sensitivity)
    found = cost(targets, bad=bad)
    assert found.labels >= found.labels_at_best
