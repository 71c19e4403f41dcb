"""The configuration as what is proposed after a bad reply: off without a text, and what cannot be is named."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from understudy.records.trust import CapCause
from understudy.records.win_back import CAUSES, WinBackTerms
from understudy.settings.model import Settings
from understudy.settings.winning_back import win_back_of

SORRY = {"text": "I am {reviewer}."}


def terms(trust: Any) -> WinBackTerms | None:
    return win_back_of(Settings.model_validate({"trust": trust}), {"desk": 60.0})


def test_nothing_is_proposed_until_a_text_is_approved() -> None:
    assert win_back_of(Settings(), {}) is None
    assert terms({"win_back": {"within_h": 5}}) is None


def test_a_text_is_for_all_causes_and_english_unless_it_says_otherwise() -> None:
    found = terms({"win_back": {"texts": {"sorry": SORRY, "de": {**SORRY, "language": "de", "causes": ["rejected"]}}}})
    assert found is not None
    sorry, german = found.texts
    assert (sorry.id, sorry.version, sorry.language, sorry.causes) == ("sorry", 1, "en", frozenset(CAUSES))
    assert (german.language, german.causes) == ("de", frozenset({CapCause.REJECTED}))
    assert (found.within, found.again_after) == (timedelta(hours=72), timedelta(days=30))
    assert found.windows == {"desk": 60.0}


@pytest.mark.parametrize(
    ("trust", "says"),
    [
        ({"cap": False, "win_back": {"texts": {"a": SORRY}}}, "needs trust.cap = true"),
        ({"win_back": {"texts": {"a": {"text": "Sorry."}}}}, "trust.win_back.texts.a: it names no person"),
        (
            {"win_back": {"texts": {"a": {"text": "{reviewer} {name}"}}}},
            "texts.a: {name} is no placeholder; there is business",
        ),
    ],
)
def test_what_cannot_be_is_named(trust: Any, says: str) -> None:
    with pytest.raises(ValueError, match=re.escape(says)):
        terms(trust)


@pytest.mark.parametrize(
    "win_back",
    [{"texts": {"a": {"text": "{reviewer"}}}, {"texts": {"a": {**SORRY, "causes": ["unproven"]}}}, {"within_h": 0}],
)
def test_wrong_values_are_refused(win_back: Any) -> None:
    with pytest.raises(ValidationError):
        Settings.model_validate({"trust": {"win_back": win_back}})
