"""A file of history opened as often as needed, plain or gzip, as lines or as JSON values; it knows no format."""

from __future__ import annotations

import gzip
import io
import json
import os
import re
import shutil
import sys
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final, NoReturn

from understudy.errors import ConfigurationError, MalformedInput

STANDARD_INPUT: Final = "-"
GZIP_MAGIC: Final = b"\x1f\x8b"
VALUE_CHARS_MAX: Final = 64_000_000
"""One JSON value may be so long; a file may hold any number of them."""
CHUNK_CHARS: Final = 1 << 20
CUT_CHARS_MAX: Final = 16
"""An error so near to the end of what was read may be a value cut off there: `tru`, or half an escape."""
SHOWN_CHARS_MAX: Final = 60
_SPACE: Final = re.compile(r"[ \t\r\n]*")
_SPACE_AND_COMMAS: Final = re.compile(r"[ \t\r\n,]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where something stands: the file as the user named it, and a line from 1 on."""

    file: str
    line: int

    def refuse(self, what: str) -> NoReturn:
        """Raise `MalformedInput` for what stands here."""
        raise MalformedInput(f"{self.file}, line {self.line}: {what}")


@dataclass(frozen=True, slots=True)
class Source:
    """A history that can be read again from its beginning. `path` None: standard input, which was copied to `copy`."""

    path: Path | None
    copy: IO[bytes] | None = None

    @classmethod
    def opened(cls, path: Path) -> Source:
        """Take a file, or keep all of standard input in a temporary one; `ConfigurationError` where it cannot be read."""
        if str(path) != STANDARD_INPUT:
            if not path.exists():
                raise ConfigurationError(f"there is no file {path}")
            return cls(path)
        copy = tempfile.TemporaryFile()  # noqa: SIM115 - it lives as long as the source and is gone with the process
        shutil.copyfileobj(sys.stdin.buffer, copy)
        return cls(None, copy)

    @property
    def name(self) -> str:
        """The file as the user named it."""
        return "standard input" if self.path is None else str(self.path)

    @property
    def suffixes(self) -> tuple[str, ...]:
        """The endings of the file's name, in lower case, without `.gz`."""
        return tuple(ending for ending in map(str.lower, self.path.suffixes) if ending != ".gz") if self.path else ()

    def at(self, line: int) -> Place:
        """The place of a line."""
        return Place(file=self.name, line=line)

    def lines(self) -> Iterator[tuple[int, bytes]]:
        """Number and content of every line that is not blank."""
        with self._bytes() as source:
            for number, line in enumerate(source, start=1):
                if line.strip():
                    yield number, line

    @contextmanager
    def text(self) -> Iterator[IO[str]]:
        """The whole as UTF-8 text, a byte order mark passed over. Raises `ConfigurationError` where it cannot be read and
        `MalformedInput` where it is no such text."""
        with self._bytes() as source, io.TextIOWrapper(source, encoding="utf-8-sig", newline="") as text:
            try:
                yield text
            except UnicodeDecodeError as error:
                raise MalformedInput(f"{self.name} is not UTF-8 text: {error.reason} at byte {error.start}") from error

    def values(self) -> Iterator[tuple[int, Any]]:
        """Every JSON value with the line it begins in: one a line, several on many lines, or the items of one list.

        Memory is bounded by the longest value. Raises `MalformedInput` at what is no JSON.
        """
        with self.text() as source:
            yield from _Values(source, self).each()

    @contextmanager
    def _bytes(self) -> Iterator[IO[bytes]]:
        try:
            with self._stored() as stored:
                is_packed = self._is_packed or stored.read(2) == GZIP_MAGIC
                stored.seek(0)
                if is_packed:
                    with gzip.GzipFile(fileobj=stored) as unpacked:
                        yield unpacked  # type: ignore[misc]
                else:
                    yield stored
        except (OSError, EOFError, zlib.error) as error:
            raise ConfigurationError(f"{self.name} cannot be read: {error}") from error

    def _stored(self) -> IO[bytes]:
        if self.path is not None:
            return self.path.open("rb")
        assert self.copy is not None
        again = os.fdopen(os.dup(self.copy.fileno()), "rb")
        again.seek(0)
        return again

    @property
    def _is_packed(self) -> bool:
        return self.path is not None and self.path.suffix.lower() == ".gz"


class _Values:
    """The JSON values of a text, decoded one after the other from a window that slides over it."""

    def __init__(self, text: IO[str], source: Source) -> None:
        self._text, self._source = text, source
        self._decoder = json.JSONDecoder()
        self._window, self._begin, self._line, self._is_ended = "", 0, 1, False

    def each(self) -> Iterator[tuple[int, Any]]:
        """Decode them."""
        is_list = self._skip(_SPACE) == "["
        if is_list:
            self._pass(self._begin + 1)
        while True:
            first = self._skip(_SPACE_AND_COMMAS if is_list else _SPACE)
            if is_list and first == "]":
                self._pass(self._begin + 1)
                is_list = False
            elif first:
                line = self._line
                yield line, self._next()
            elif is_list:
                self._source.at(self._line).refuse("the list that begins the file does not end")
            else:
                return

    def _next(self) -> Any:
        """Decode the value that begins here, reading on as long as the window cuts it off."""
        while True:
            try:
                value, end = self._decoder.raw_decode(self._window, self._begin)
            except json.JSONDecodeError as error:
                is_cut_off = error.pos >= len(self._window) - CUT_CHARS_MAX or error.msg.startswith("Unterminated")
                if self._is_ended or not is_cut_off or len(self._window) - self._begin > VALUE_CHARS_MAX:
                    line = self._line + self._window.count("\n", self._begin, error.pos)
                    rest = self._window[error.pos : error.pos + SHOWN_CHARS_MAX]
                    self._source.at(line).refuse(f"not JSON: {error.msg}, at {shown(rest)}")
            except RecursionError:
                self._source.at(self._line).refuse("JSON that is nested too deeply")
            else:
                # A number at the very end of the window may go on behind it.
                if end < len(self._window) or self._is_ended:
                    self._pass(end)
                    return value
            self._read_on()

    def _skip(self, passed_over: re.Pattern[str]) -> str:
        """Pass over such characters; gives the next one, empty at the end of the text."""
        while True:
            found = passed_over.match(self._window, self._begin)
            assert found is not None
            self._pass(found.end())
            if self._begin < len(self._window) or self._is_ended:
                return self._window[self._begin : self._begin + 1]
            self._read_on()

    def _pass(self, end: int) -> None:
        self._line += self._window.count("\n", self._begin, end)
        self._begin = end

    def _read_on(self) -> None:
        more = self._text.read(max(CHUNK_CHARS, len(self._window) - self._begin))
        self._is_ended = not more
        self._window, self._begin = self._window[self._begin :] + more, 0


def shown(value: Any, *, chars_max: int = SHOWN_CHARS_MAX) -> str:
    """A value as a message may quote it: one line, cut short."""
    text = repr(value)
    return text if len(text) <= chars_max else text[: chars_max - 1] + "…"
