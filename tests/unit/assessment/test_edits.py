"""An edit is graded by what it changed: nothing that says anything, wording, a fact, or all of it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy.assessment.edits import grade_of_edit
from understudy.stats.severity import Grade

DRAFT = "We sent your refund of £64 on 29 April. It takes 3 to 5 working days."


@pytest.mark.parametrize(
    ("sent", "grade"),
    [
        (DRAFT.lower().replace(".", "!"), Grade.COSMETIC),
        (f"Hello, {DRAFT} Thank you for your patience!", Grade.COSMETIC),
        (f"{DRAFT} Please keep the receipt until it has arrived.", Grade.MINOR),
        (DRAFT.replace("£64", "£46"), Grade.MAJOR),
        (DRAFT.replace("We sent", "We have not sent"), Grade.MAJOR),
        (DRAFT.replace(" on 29 April", ""), Grade.MAJOR),
        ("Your parcel is lost; a colleague will ring tomorrow about a replacement.", Grade.REJECTED),
        ("", Grade.REJECTED),
        (None, Grade.REJECTED),
    ],
)
def test_edit_is_graded_by_what_it_changed(sent: str | None, grade: Grade) -> None:
    assert grade_of_edit(DRAFT, sent) is grade


@given(st.text(max_size=80))
def test_same_text_is_no_change(text: str) -> None:
    if text.strip():
        assert grade_of_edit(text, text) is Grade.COSMETIC


@given(st.text(max_size=80), st.text(max_size=80) | st.none())
def test_any_two_texts_have_a_grade(draft: str, sent: str | None) -> None:
    assert grade_of_edit(draft, sent) in Grade
