"""Untrusted text on a terminal: shown, never obeyed."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from understudy.cli.plain_text import shortened, shown, visible


@pytest.mark.parametrize(
    ("raw", "seen"),
    [
        ("\x1b]0;owned\x07", "␛]0;owned␇"),
        ("\x9b31m", "«U+009B»31m"),
        ("pay \u202elive", "pay «U+202E»live"),
        ("hid\u200bden", "hid«U+200B»den"),
        ("\U000e0041", "«U+E0041»"),
        ("\ud800", "«U+D800»"),
        ("back\rover", "back␍over"),
        ("two\r\nlines\tand a tab", "two\nlines    and a tab"),
        ("naïve 你好 👩\u200d🚀", "naïve 你好 👩\u200d🚀"),
    ],
)
def test_what_would_hide_or_command_is_shown(raw: str, seen: str) -> None:
    assert visible(raw) == seen


@given(st.text(alphabet=st.characters(), max_size=60))
def test_no_control_character_is_left(text: str) -> None:
    left = {c for c in visible(text) if unicodedata.category(c) in ("Cc", "Cs", "Cf")}
    assert left <= {"\n", "\u200c", "\u200d"}
    visible(text).encode()


def test_markup_and_emoji_codes_are_printed_as_they_are() -> None:
    console = Console(record=True, width=60)
    console.print(shown("[red]:smile:[/red] [link=https://x.example]y[/link]"))
    assert "[red]:smile:[/red] [link=https://x.example]y[/link]" in console.export_text()


def test_long_text_says_how_much_is_missing() -> None:
    assert shortened("x" * 30, 10).plain == "x" * 10 + " … (20 more characters, m shows all)"
    assert shortened("x" * 10, 10).plain == "x" * 10
