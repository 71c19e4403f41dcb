"""How customers ask for a person, in every language that has a lexicon: what is heard, and the nearest that is none."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

from understudy.assessment.checks.escalation import wants_person
from understudy.assessment.lexicon import LANGUAGES, LEXICONS, WISH_LANGUAGES

TABLE: dict[str, Any] = tomllib.loads(Path(__file__).with_name("wishes.toml").read_text(encoding="utf-8"))
UNSEEN: dict[str, Any] = TABLE.pop("unseen")
UNSEEN_HEARD_MIN = 22


def lines(kind: str, table: dict[str, Any] = TABLE) -> list[Any]:
    return [
        pytest.param(line, id=f"{language}: {line}")
        for language, of_language in table.items()
        for line in of_language[kind].strip().splitlines()
    ]


def test_every_language_that_has_a_lexicon_has_a_table() -> None:
    assert TABLE.keys() == WISH_LANGUAGES


@pytest.mark.parametrize("text", lines("heard"))
def test_wish_for_a_person_is_heard(text: str) -> None:
    assert wants_person(text)


@pytest.mark.parametrize("text", lines("not_heard"))
def test_nearest_that_is_no_wish_is_not_taken_for_one(text: str) -> None:
    assert not wants_person(text)


def test_of_wishes_that_nobody_looked_at_most_are_heard() -> None:
    heard = [text for (text,) in (line.values for line in lines("heard", UNSEEN)) if wants_person(text)]
    assert len(heard) >= UNSEEN_HEARD_MIN


@pytest.mark.parametrize("text", lines("not_heard", UNSEEN))
def test_nothing_else_that_nobody_looked_at_is_taken_for_a_wish(text: str) -> None:
    assert not wants_person(text)


@pytest.mark.parametrize("text", lines("heard"))
def test_wish_is_heard_in_capitals_between_other_words(text: str) -> None:
    assert wants_person(f"12345 - 27.11.\n{text.upper()}\nxyz")


def test_word_with_a_slip_is_taken_for_the_nearest_and_a_word_of_its_own_is_not() -> None:
    (english,) = (lexicon for lexicon in LEXICONS if lexicon.language == "en")
    assert english.corrected("a humna managed the perosn") == "a human managed the person"


def test_language_is_understood_only_with_every_sign_that_a_person_is_needed() -> None:
    assert frozenset({"en"}) == LANGUAGES
