"""What counts as an answer to how it was, and what does not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy.records.feedback import FeedbackKind
from understudy.records.survey import Scale, asked_by, author_of_question, feedback_of, score_of


@pytest.mark.parametrize(
    ("text", "score"),
    [
        ("5", 5),
        (" 1 ", 1),
        ("3.", 3),
        ("4!", 4),
        ("4/5", 4),
        ("4 / 5", 4),
        ("2 out of 5", 2),
        ("5 stars", 5),
        ("1 star", 1),
        ("4 Sterne", 4),
        ("3 von 5", 3),
        ("\u2b50", 1),
        ("\u2b50\ufe0f\u2b50\ufe0f\u2b50\ufe0f", 3),
        ("\u2605\u2605\u2605\u2605\u2605", 5),
        ("\U0001f44d", 5),
        ("\U0001f44d\U0001f3fd", 5),
        ("\U0001f44e", 1),
        ("5\n-- \nAda Byron\n+44 20 7946 0000", 5),
    ],
)
def test_plain_answer_is_a_score(text: str, score: int) -> None:
    assert score_of(text, Scale.SCORE) == score


@pytest.mark.parametrize(
    "text",
    [
        "",
        "0",
        "6",
        "55",
        "-1",
        "5?",
        "5 boxes",
        "I want 5",
        "5, and where is my parcel?",
        "4711",
        "5/10",
        "5 or 4",
        "1 2 3",
        "3,5",
        "five",
        "yes",
        "\u2b50" * 6,
        "\U0001f44d\U0001f44e",
        "\U0001f44d thanks",
        "5\nWhere is it?",
        "\u0665",
    ],
)
def test_anything_more_or_else_is_no_answer(text: str) -> None:
    assert score_of(text, Scale.SCORE) is None


@pytest.mark.parametrize(("text", "score"), [("\U0001f44d", 5), ("\U0001f44e", 1), ("5", None), ("1", None)])
def test_thumb_is_asked_and_a_number_is_none(text: str, score: int | None) -> None:
    assert score_of(text, Scale.THUMBS) == score


@given(st.text(max_size=60))
def test_no_text_breaks_it_and_a_score_is_in_its_range(text: str) -> None:
    for scale in Scale:
        assert score_of(text, scale) in (None, 1, 2, 3, 4, 5)


@given(st.text(alphabet="abcdefgh ", min_size=1, max_size=20))
def test_words_after_a_number_make_it_a_message(text: str) -> None:
    assert score_of(f"5 {text.strip() or 'x'}", Scale.SCORE) is None or text.strip() == ""


@pytest.mark.parametrize(
    ("score", "kind"),
    [
        (1, FeedbackKind.THUMBS_DOWN),
        (2, FeedbackKind.THUMBS_DOWN),
        (3, None),
        (4, FeedbackKind.THUMBS_UP),
        (5, FeedbackKind.THUMBS_UP),
    ],
)
def test_score_says_what_a_thumb_would(score: int, kind: FeedbackKind | None) -> None:
    assert feedback_of(score) is kind


@pytest.mark.parametrize("scale", Scale)
def test_question_is_known_by_its_author(scale: Scale) -> None:
    assert asked_by(author_of_question(scale, 3)) is scale


@pytest.mark.parametrize("name", [None, "", "sorry@1", "csat@1", "csat.other@1", "score@1"])
def test_other_automatic_messages_ask_nothing(name: str | None) -> None:
    assert asked_by(name) is None
