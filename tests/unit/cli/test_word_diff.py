"""The difference between two texts, word by word."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from understudy.cli.word_diff import WORDS_MAX, changes, word_diff

texts = st.text(alphabet="ab \n,é", max_size=40)


def test_the_difference_is_marked_by_signs_and_not_by_colour_alone() -> None:
    before = "Refunds take 10 days to arrive."
    after = "Refunds take up to 5 working days to arrive."
    assert word_diff(before, after).plain == "Refunds take [-10-]{+up to 5 working+} days to arrive."


def test_control_characters_are_shown() -> None:
    assert word_diff("a", "a \x1b[31mred").plain == "a{+ ␛[31mred+}"


def test_markup_is_not_interpreted() -> None:
    assert word_diff("", "[bold]hello[/bold]").plain == "{+[bold]hello[/bold]+}"


@given(texts, texts)
def test_each_side_can_be_spelt_from_the_changes(before: str, after: str) -> None:
    found = changes(before, after)
    assert "".join(change.text for change in found if change.kind != "new") == before
    assert "".join(change.text for change in found if change.kind != "gone") == after


@given(texts)
def test_equal_texts_have_no_changes(text: str) -> None:
    assert all(change.kind == "same" for change in changes(text, text))


def test_long_texts_are_compared_by_lines() -> None:
    before = "one line of words\n" * WORDS_MAX
    found = changes(before, before + "and one more")
    assert [change.kind for change in found] == ["same", "new"]
