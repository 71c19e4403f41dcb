"""Many processes give what one gives, in the file's order, and read no further ahead than they must."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import islice

import pytest

from understudy.cli.check_workers import ALONE_UP_TO, PIECE_LINES, PIECES_MAX, Line, assessed
from understudy.errors import MalformedInput
from understudy.settings.model import Settings

DRAFTS = (
    "You can return it within 30 days.",
    "I have refunded you £64 just now.",
    "Call +44 7700 900123 for help.",
    "Hello, {{name}}! How can we help?",
)
PROCESSES = 2
COUNT = ALONE_UP_TO + 130


def line(number: int) -> Line:
    record = {
        "id": f"r-{number}",
        "messages": [{"role": "user", "content": f"Where is order {10_000 + number}?"}],
        "draft": {"text": f"{DRAFTS[number % len(DRAFTS)]} ({number})"},
    }
    return number + 1, json.dumps(record).encode()


class Reading:
    """Lines that know how many of them were read."""

    def __init__(self, count: int, *, bad: int | None = None) -> None:
        self.read = 0
        self._count, self._bad = count, bad

    def __iter__(self) -> Iterator[Line]:
        for number in range(self._count):
            self.read += 1
            yield (number + 1, b"{") if number == self._bad else line(number)


def test_two_processes_give_the_same_lines_in_the_same_order_as_one() -> None:
    alone = list(assessed(Reading(COUNT), Settings(), processes=1))
    assert [json.loads(one.line)["id"] for one in alone] == [f"r-{number}" for number in range(COUNT)]
    assert list(assessed(Reading(COUNT), Settings(), processes=PROCESSES)) == alone


def test_no_more_is_read_ahead_than_the_processes_have_work() -> None:
    reading = Reading(100 * COUNT)
    results = assessed(reading, Settings(), processes=PROCESSES)
    for done, _ in enumerate(islice(results, 200)):
        assert reading.read <= max(ALONE_UP_TO, done + (PIECES_MAX * PROCESSES + 2) * PIECE_LINES)
    results.close()  # type: ignore[attr-defined]


@pytest.mark.parametrize("bad", [3, ALONE_UP_TO + 105])
def test_first_line_that_is_no_record_is_named(bad: int) -> None:
    with pytest.raises(MalformedInput, match=f"line {bad + 1}: "):
        list(assessed(Reading(COUNT, bad=bad), Settings(), processes=PROCESSES))


def test_nothing_gives_nothing() -> None:
    assert list(assessed([], Settings())) == []
