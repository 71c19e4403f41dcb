"""The commands of colleagues: what is clear is read, what is not does nothing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy.notes.grammar import Command, Unclear, read
from understudy.records.review import HoldKind, VerdictKind


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("/approve", Command(verdict=VerdictKind.APPROVE, code=None)),
        ("  /Approve  #3f9a1c \n", Command(verdict=VerdictKind.APPROVE, code="3f9a1c")),
        ("/edit It left.\n\n/today", Command(verdict=VerdictKind.EDIT, code=None, text="It left.\n\n/today")),
        ("/edit\nIt left.", Command(verdict=VerdictKind.EDIT, code=None, text="It left.")),
        ("/edit #abcd It left.", Command(verdict=VerdictKind.EDIT, code="abcd", text="It left.")),
        ("/edit #1 is the parcel", Command(verdict=VerdictKind.EDIT, code=None, text="#1 is the parcel")),
        ("/reject", Command(verdict=VerdictKind.REJECT, code=None)),
        ("/reject wrong date", Command(verdict=VerdictKind.REJECT, code=None, reasons=("wrong date",))),
        ("/take-over", Command(verdict=VerdictKind.TAKE_OVER, code=None)),
        ("/take-over from Ben Lee ", Command(verdict=VerdictKind.TAKE_OVER, code=None, take_from="Ben Lee")),
        ("/takeover #3f9a1c FROM ben", Command(verdict=VerdictKind.TAKE_OVER, code="3f9a1c", take_from="ben")),
        ("/take\\_over", Command(verdict=VerdictKind.TAKE_OVER, code=None)),
        ("/undo", Command(verdict=None, code=None)),
        ("/arrived", Command(verdict=VerdictKind.REJECT, code=None, is_of_send=True)),
        ("/send-again", Command(verdict=VerdictKind.APPROVE, code=None, is_of_send=True)),
    ],
)
def test_commands_are_read(text: str, expected: Command) -> None:
    assert read(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "/approve it, but be nicer",
        "/approve.",
        "/approveit",
        "/",
        "//approve",
        "/respond",
        "/edit   ",
        "/undo that",
        "/help",
        "approve",
    ],
)
def test_what_is_not_clear_does_nothing(text: str) -> None:
    assert isinstance(read(text), Unclear)


@given(st.text(max_size=200))
def test_whatever_stands_behind_approve_is_no_approval(rest: str) -> None:
    found = read(f"/approve {rest}")
    if isinstance(found, Command):
        assert rest.split()[1:] == []
        assert found.code == (rest.strip().removeprefix("#") or None)


@given(st.text(max_size=500))
def test_no_text_breaks_the_reading(text: str) -> None:
    assert isinstance(read(text), Command | Unclear)
    assert isinstance(read(f"/{text}"), Command | Unclear)


def test_commands_on_sends_and_on_drafts_are_not_mixed_up() -> None:
    arrived, approve, undo = (read(text) for text in ("/arrived", "/approve", "/undo"))
    assert isinstance(arrived, Command)
    assert isinstance(approve, Command)
    assert isinstance(undo, Command)
    assert arrived.fits(HoldKind.UNSURE_SEND)
    assert not arrived.fits(HoldKind.DRAFT)
    assert approve.fits(HoldKind.DRAFT)
    assert not approve.fits(HoldKind.UNSURE_SEND)
    assert undo.fits(HoldKind.DRAFT)
    assert undo.fits(HoldKind.UNSURE_SEND)
