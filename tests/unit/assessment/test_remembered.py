"""A remembered result is the function's own, worked out once while it is remembered, and never for long."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from understudy.assessment.remembered import Remembered


@given(texts=st.lists(st.text(max_size=5), max_size=60), most=st.integers(1, 5))
def test_results_are_the_functions_own_whatever_is_forgotten(texts: list[str], most: int) -> None:
    remembered = Remembered(len, most=most)
    assert [remembered.of(text) for text in texts] == [len(text) for text in texts]


def test_the_same_text_is_looked_at_once_and_the_oldest_is_forgotten() -> None:
    looked_at: list[str] = []
    remembered = Remembered(looked_at.append, most=2)
    for text in ("a", "a", "b", "c", "b", "a"):
        remembered.of(text)
    assert looked_at == ["a", "b", "c", "a"]


def test_half_a_letter_pair_is_a_text_too() -> None:
    assert Remembered(len, most=1).of("\ud83d") == 1
