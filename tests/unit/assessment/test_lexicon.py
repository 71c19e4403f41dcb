"""Lexicons are data: each is read whole, and a broken one says where."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from understudy.assessment.language import SMALL_WORDS, UNKNOWN, language_of
from understudy.assessment.lexicon import LANGUAGES, LEXICONS, plain, read

HOW_TO = Path(__file__).parents[3] / "docs" / "how-to" / "add-a-language.md"


def test_language_with_a_lexicon_can_be_told() -> None:
    assert set(SMALL_WORDS) >= LANGUAGES


def test_no_shipped_pattern_repeats_anything_without_a_bound() -> None:
    patterns = [pattern.pattern for lexicon in LEXICONS for pattern in lexicon.kinds.values()]
    assert [found for pattern in patterns for found in re.findall(r".{0,20}\.[*+]", pattern)] == []


def test_lexicon_of_the_how_to_can_be_read() -> None:
    (text,) = re.findall(r"```text\n(.+?)```", HOW_TO.read_text(), re.DOTALL)
    german = read("de", text)
    assert (
        german.kinds["wish"].search(plain("Kann ich mit einem echten Menschen oder einem Mitarbeiter reden?")) is None
    )
    assert german.kinds["wish"].search(plain("Kann ich mit einem Mitarbeiter reden?"))
    assert german.wish_alone.fullmatch("bitte mensch")


def test_pattern_that_is_none_is_named() -> None:
    with pytest.raises(ValueError, match=r"lexicon xx, anger: '\(' is no regular expression"):
        read("xx", "[anger]\npatterns = '''\n(\n'''\n")


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Where is my order, I have not received it", "en"),
        ("O\u00f9 est ma commande, je ne l'ai pas re\u00e7ue", "fr"),
        ("\u00bfD\u00f3nde est\u00e1 mi pedido? No ha llegado", "es"),
        ("\u6ce8\u6587\u306f\u3069\u3053\u3067\u3059\u304b", "ja"),
        ("asdf qwer zxcv uiop hjkl vbnm qwer tyui", UNKNOWN),
        ("W3445693", None),
        ("thanks!", None),
        ("", None),
    ],
)
def test_language_is_told_where_there_is_enough_to_tell(text: str, language: str | None) -> None:
    assert language_of(text) == language
