"""The demo's agent for repairs: it states what the book has of a repair that was named, and nothing else."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from understudy.demo.people import ADDRESS, AWAY_NOW, CALL_ME, INSTEAD, PARCEL, SENT_IN, WHERE
from understudy.demo.repairs import BOOK, draft


def drafted(*said: str, elsewhere: tuple[str, ...] = ()) -> dict[str, Any]:
    messages = [{"role": "user", "content": text} for text in said]
    return asyncio.run(
        draft({"messages": messages, "elsewhere": [{"role": "user", "content": text} for text in elsewhere]})
    )


def test_it_states_what_stands_in_the_book_and_says_where_it_has_it_from() -> None:
    found = drafted(WHERE)
    assert PARCEL in found["text"]
    assert ADDRESS in found["tool_calls"][0]["result"]
    assert found["topic"] == "repairs"


def test_a_code_that_follows_a_question_gets_its_answer() -> None:
    assert PARCEL in drafted(WHERE, "The code is ••••••")["text"]


def test_a_repair_that_was_named_on_another_channel_is_known() -> None:
    assert PARCEL in drafted("Where is my repair?", elsewhere=(SENT_IN,))["text"]


@pytest.mark.parametrize("said", [SENT_IN, AWAY_NOW, "Where is my repair R-9999?", "Where is my repair?"])
def test_what_it_has_no_answer_to_it_notes_and_states_nothing(said: str) -> None:
    found = drafted(said)
    assert found.get("tool_calls") is None
    assert not any(repair["parcel"] in found["text"] for repair in BOOK.values())


@pytest.mark.parametrize("said", [INSTEAD, CALL_ME])
def test_what_a_person_has_to_do_it_leaves_to_one(said: str) -> None:
    assert drafted(said)["handoff"] is True
