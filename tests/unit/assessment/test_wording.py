"""Sentences and words are found where they stand."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from understudy.assessment.wording import content_words, sentences, stem


def test_sentences_end_at_stops_and_line_breaks() -> None:
    assert [sentence.text for sentence in sentences("One. Two? Three\nfour.")] == ["One.", "Two?", "Three", "four."]


def test_point_inside_a_number_ends_no_sentence() -> None:
    assert len(sentences("It costs 4.50 today.")) == 1


def test_question_is_recognised_behind_closing_marks() -> None:
    assert sentences('Did you say "yes?"')[0].is_question


def test_polite_words_carry_no_content() -> None:
    assert content_words("Thank you, I'm happy to help you with that!") == []


def test_forms_of_a_word_have_one_stem() -> None:
    assert {stem(word) for word in ("refund", "refunds", "refunded", "refunding")} == {"refund"}


@given(st.text(alphabet="ab.?! \n\"'", max_size=60))
def test_sentence_stands_where_it_says(text: str) -> None:
    for sentence in sentences(text):
        assert text[sentence.start : sentence.start + len(sentence.text)] == sentence.text
