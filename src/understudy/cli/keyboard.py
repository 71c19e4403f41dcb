"""Keys and lines from whoever sits at the terminal; it prints nothing and knows no command.

At a terminal a key counts at once. Where standard input is a pipe or a file, each line stands for one key.
"""

from __future__ import annotations

import os
import select
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol, TextIO

try:
    import termios
    import tty
except ImportError:  # not on this operating system: lines stand for keys
    HAS_TERMIOS = False
else:
    HAS_TERMIOS = True

_END_OF_INPUT = b"\x04"
_ESCAPE = b"\x1b"
_REST_OF_SEQUENCE_S = 0.02
_LINE_BYTES_MAX = 65_536


class Keyboard(Protocol):
    """Where a reviewer's keys come from. Both ways of reading raise `EOFError` where the input has ended."""

    def key(self, timeout_s: float) -> str | None:
        """Return the next key as one character, "" for one without meaning, None where none came in time."""
        ...

    def line(self, timeout_s: float | None = None) -> str | None:
        """Return the next line without its end, None where none came in time."""
        ...

    def discard_typed(self) -> None:
        """Forget what was typed ahead, so that a key meant for one screen does not act on the next."""
        ...


class TerminalKeyboard:
    """Single keys from a terminal, by its file descriptor. Ctrl-C interrupts as usual, Ctrl-D ends the input."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def key(self, timeout_s: float) -> str | None:
        with _single_keys(self._descriptor):
            if not self._is_ready(timeout_s):
                return None
            first = os.read(self._descriptor, 1)
            if first in (b"", _END_OF_INPUT):
                raise EOFError
            if first == _ESCAPE:  # an arrow or function key sends several bytes; none has a meaning here
                while self._is_ready(_REST_OF_SEQUENCE_S):
                    os.read(self._descriptor, 16)
                return ""
            rest = os.read(self._descriptor, _utf8_length(first[0]) - 1) if first[0] >= 0xC0 else b""
        return (first + rest).decode("utf-8", errors="replace")

    def line(self, timeout_s: float | None = None) -> str | None:
        if not self._is_ready(timeout_s):
            return None
        read = os.read(self._descriptor, _LINE_BYTES_MAX)
        if not read:
            raise EOFError
        return read.decode("utf-8", errors="replace").rstrip("\r\n")

    def discard_typed(self) -> None:
        termios.tcflush(self._descriptor, termios.TCIFLUSH)

    def _is_ready(self, timeout_s: float | None) -> bool:
        return bool(select.select([self._descriptor], [], [], timeout_s)[0])


class LineKeyboard:
    """Lines from a pipe or file; a key is the first character of a line. It waits without regard to timeouts."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def key(self, timeout_s: float) -> str | None:
        return (self.line(timeout_s) or "").strip()[:1]

    def line(self, timeout_s: float | None = None) -> str | None:  # noqa: ARG002 - a pipe cannot be waited for
        read = self._stream.readline()
        if not read:
            raise EOFError
        return read.rstrip("\r\n")

    def discard_typed(self) -> None:
        """Keep everything: a script's lines are meant in their order."""


def open_keyboard(stream: TextIO | None = None) -> Keyboard:
    """Choose the keyboard that fits the stream (standard input where none is given)."""
    source = sys.stdin if stream is None else stream
    if HAS_TERMIOS and source.isatty():
        return TerminalKeyboard(source.fileno())
    return LineKeyboard(source)


@contextmanager
def _single_keys(descriptor: int) -> Iterator[None]:
    before = termios.tcgetattr(descriptor)
    tty.setcbreak(descriptor, termios.TCSANOW)
    try:
        yield
    finally:
        termios.tcsetattr(descriptor, termios.TCSANOW, before)


def _utf8_length(first: int) -> int:
    return 2 if first < 0xE0 else 3 if first < 0xF0 else 4
