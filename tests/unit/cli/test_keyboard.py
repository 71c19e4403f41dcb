"""Keys, lines and the editor, over a real pseudo-terminal."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from io import StringIO

import pytest

from understudy.cli.editor import edit_in_editor, editor_command
from understudy.cli.keyboard import HAS_TERMIOS, LineKeyboard, TerminalKeyboard, open_keyboard

needs_terminal = pytest.mark.skipif(not HAS_TERMIOS, reason="no terminals on this operating system")


@pytest.fixture
def terminal() -> Iterator[tuple[int, TerminalKeyboard]]:
    ours, theirs = os.openpty()
    yield ours, TerminalKeyboard(theirs)
    os.close(ours)
    os.close(theirs)


@needs_terminal
@pytest.mark.parametrize(("typed", "key"), [(b"a", "a"), ("é".encode(), "é"), (b"\x1b[A", ""), (b"\n", "\n")])
def test_a_key_counts_at_once(terminal: tuple[int, TerminalKeyboard], typed: bytes, key: str) -> None:
    os.write(terminal[0], typed)
    assert terminal[1].key(5) == key
    assert terminal[1].key(0) is None


@needs_terminal
def test_no_key_in_time_is_none(terminal: tuple[int, TerminalKeyboard]) -> None:
    assert terminal[1].key(0.01) is None
    assert terminal[1].line(0.01) is None


@needs_terminal
def test_a_line_comes_whole_after_single_keys(terminal: tuple[int, TerminalKeyboard]) -> None:
    os.write(terminal[0], b"a")
    assert terminal[1].key(5) == "a"
    os.write(terminal[0], "für Dana\n".encode())
    assert terminal[1].line(5) == "für Dana"


@needs_terminal
def test_what_was_typed_ahead_can_be_forgotten(terminal: tuple[int, TerminalKeyboard]) -> None:
    assert terminal[1].key(0) is None
    os.write(terminal[0], b"aa\n")
    terminal[1].discard_typed()
    assert terminal[1].line(0) is None
    assert terminal[1].key(0) is None


@needs_terminal
def test_control_d_ends_the_input(terminal: tuple[int, TerminalKeyboard]) -> None:
    typing = threading.Timer(0.1, os.write, (terminal[0], b"\x04"))
    typing.start()
    with pytest.raises(EOFError):
        terminal[1].key(5)
    typing.join()


def test_a_pipe_gives_one_key_a_line() -> None:
    keys = open_keyboard(StringIO("approve\n\nlast words\n"))
    assert isinstance(keys, LineKeyboard)
    assert keys.key(0) == "a"
    assert keys.key(0) == ""
    assert keys.line() == "last words"
    with pytest.raises(EOFError):
        keys.key(0)


def test_the_editor_is_taken_from_the_environment() -> None:
    assert editor_command({"EDITOR": "nano", "VISUAL": "code --wait"}) == ("code", "--wait")
    assert editor_command({"EDITOR": "nano"}) == ("nano",)
    assert editor_command({"EDITOR": ""}) is None


def test_the_editor_changes_the_text() -> None:
    script = "import sys; p = sys.argv[1]; t = open(p).read(); open(p, 'w').write(t.upper() + '\\n')"
    assert edit_in_editor("hello", (sys.executable, "-c", script)) == "HELLO"


@pytest.mark.parametrize("command", [(sys.executable, "-c", "raise SystemExit(1)"), ("no-such-editor-here",)])
def test_an_editor_that_fails_changes_nothing(command: tuple[str, ...]) -> None:
    assert edit_in_editor("hello", command) is None
