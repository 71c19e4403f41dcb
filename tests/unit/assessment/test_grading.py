"""How bad a draft was, by what a person did with it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy.assessment.grading import MAJOR, MINOR, changed, grade
from understudy.records.review import VerdictKind

DRAFT = "Your parcel arrives on Monday. It costs £4.90 and you can not return it."


@pytest.mark.parametrize(
    ("text", "loss"),
    [
        ("your parcel arrives on monday!  It costs £4.90, and you can not return it", 0.0),
        (DRAFT + " Have a nice day.", MINOR),
        (DRAFT.replace("4.90", "3.50"), MAJOR),
        (DRAFT.replace("can not", "can"), MAJOR),
        ("Please call us.", MAJOR),
    ],
)
def test_an_edit_weighs_what_it_changed(text: str, loss: float) -> None:
    assert changed(DRAFT, text) == loss


def test_a_reviewers_own_grade_of_an_edit_comes_first() -> None:
    given_ = grade(VerdictKind.EDIT, draft=DRAFT, text="Something else.", severity=0.1, reasons=())
    assert (given_.loss, given_.is_severe) == (0.1, False)


@pytest.mark.parametrize("kind", [VerdictKind.REJECT, VerdictKind.RESPOND, VerdictKind.TAKE_OVER])
def test_a_draft_that_is_not_used_is_bad(kind: VerdictKind) -> None:
    assert grade(kind, draft=DRAFT, text="x", severity=0.1, reasons=()).loss == 1.0


@pytest.mark.parametrize("kind", list(VerdictKind))
def test_harm_is_severe_whatever_the_verdict(kind: VerdictKind) -> None:
    found = grade(kind, draft=DRAFT, text="x", severity=0.0, reasons=("other", "Harm"))
    assert (found.loss, found.is_severe) == (1.0, True)


@given(st.text(max_size=200), st.text(max_size=200))
def test_a_change_is_a_loss_and_no_change_is_none(one: str, other: str) -> None:
    assert 0.0 <= changed(one, other) <= 1.0
    assert changed(one, one) == 0.0
