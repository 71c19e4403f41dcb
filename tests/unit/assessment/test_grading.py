"""How bad a draft was, by what a person did with it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy.assessment.grading import changed, grade
from understudy.records.review import VerdictKind
from understudy.stats.severity import Grade

DRAFT = "Your parcel arrives on Monday. It costs £4.90 and you can not return it."


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("your parcel arrives on monday!  It costs £4.90, and you can not return it", Grade.COSMETIC),
        (DRAFT + " Have a nice day.", Grade.MINOR),
        (DRAFT.replace("4.90", "3.50"), Grade.MAJOR),
        (DRAFT.replace("can not", "can"), Grade.MAJOR),
        ("Please call us.", Grade.MAJOR),
    ],
)
def test_an_edit_weighs_what_it_changed(text: str, wanted: Grade) -> None:
    assert changed(DRAFT, text) is wanted


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
    assert changed(one, other) in (Grade.COSMETIC, Grade.MINOR, Grade.MAJOR)
    assert changed(one, one) is Grade.COSMETIC
