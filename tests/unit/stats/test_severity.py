"""What a judgement counts as."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy.stats.severity import LOSSES, Grade, conversation_loss, severity


@pytest.mark.parametrize(
    ("grade", "loss"),
    [("approved", 0), ("cosmetic", 0), ("minor", 0.2), ("major", 0.5), ("rejected", 1), ("harm", 1)],
)
def test_each_grade_has_its_loss(grade: str, loss: float) -> None:
    assert severity(Grade(grade)).loss == loss


def test_only_harm_is_severe() -> None:
    assert [grade for grade in Grade if severity(grade).is_severe] == [Grade.HARM]


def test_grades_get_worse_in_their_order() -> None:
    losses = [severity(grade).loss for grade in Grade]
    assert losses == sorted(losses)


@pytest.mark.parametrize("wrong", [{Grade.APPROVED: 0.1}, {Grade.MAJOR: 1.5}])
def test_losses_that_would_break_the_bounds_are_refused(wrong: dict[Grade, float]) -> None:
    with pytest.raises(ValueError, match="losses must be"):
        severity(Grade.MINOR, losses={**LOSSES, **wrong})


@given(losses=st.lists(st.floats(0, 1), min_size=1))
def test_a_conversation_is_at_least_as_bad_by_its_worst_draft_as_by_their_mean(losses: list[float]) -> None:
    assert 0 <= conversation_loss(losses, by="mean") <= conversation_loss(losses) + 1e-12 <= 1 + 1e-12


def test_a_conversation_without_drafts_has_no_loss() -> None:
    with pytest.raises(ValueError, match="no loss"):
        conversation_loss([])
