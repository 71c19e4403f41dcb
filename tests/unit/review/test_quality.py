"""When approvals are mere stamps: quicker than one can read, and blind to planted drafts; either alone is no proof."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy.records.reviewing import ReviewerQuality, ReviewTerms, SeedCount
from understudy.review.quality import noticed, stamps

TERMS = ReviewTerms()


def quality(caught: int, judged: int, **fields: Any) -> ReviewerQuality:
    seeds = SeedCount(caught=caught, judged=judged)
    low, high = noticed(seeds)
    given: dict[str, Any] = {
        "reviewer": "rosa",
        "verdicts": 100,
        "decision_s": 1.0,
        "approval_s": 1.0,
        "reading_s": 4.0,
        "approval_rate": 0.99,
        "seeds": seeds,
        "noticed_low": low,
        "noticed_high": high,
        "second": None,
        "discounted": None,
        "last_at": None,
    }
    return ReviewerQuality(**{**given, **fields})


def test_quick_and_blind_is_a_stamp() -> None:
    why = stamps(quality(0, 4), TERMS)
    assert why is not None
    assert "1.0 s" in why
    assert "missed 4 of 4" in why


@pytest.mark.parametrize(
    "found",
    [
        pytest.param(quality(0, 4, approval_s=5.0), id="slow"),
        pytest.param(quality(0, 3), id="three misses may be bad luck"),
        pytest.param(quality(20, 22), id="notices"),
        pytest.param(quality(0, 0), id="no seeds"),
        pytest.param(quality(0, 9, verdicts=9), id="few approvals"),
        pytest.param(quality(0, 9, approval_s=None, reading_s=None, approval_rate=0.0), id="no approvals"),
    ],
)
def test_anything_less_is_not(found: ReviewerQuality) -> None:
    assert stamps(found, TERMS) is None


def test_the_rule_can_be_off() -> None:
    assert stamps(quality(0, 40), ReviewTerms(discounts=False)) is None


@given(caught=st.integers(0, 40), missed=st.integers(0, 40))
def test_who_notices_enough_is_never_a_stamp_however_quick(caught: int, missed: int) -> None:
    found = quality(caught, caught + missed)
    if caught + missed and caught / (caught + missed) >= TERMS.sensitivity:
        assert stamps(found, TERMS) is None
