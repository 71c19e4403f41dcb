"""Ten times more than a server can handle: what it takes it finishes, what it refuses it refuses at once, and it stays small.

A real server process is written to with long messages, first while its agent answers nothing, then while it answers
slowly. What is refused is refused before it is acknowledged, with 503 and the time to come back, and leaves no trace.
Not promised: a bound on open connections; that is the proxy's matter.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx2
import pytest
from pytest_httpserver import HTTPServer

BACKLOG_MAX = 10
WAVE = 10 * BACKLOG_MAX
"""How many messages come at once; each wave alone would fill the backlog ten times."""
CHARS = 200_000
"""How long a message is: kept in memory, those of three waves would be twice the growth that is allowed."""
CUSTOMERS = 16
GROWTH_BYTES_MAX = 30_000_000

LIMITS = f"""
[limits]
backlog_max = {BACKLOG_MAX}
message_chars_max = {CHARS}
drafts_in_flight_max = 2

[drafting]
deadline_s = 600
"""


@pytest.fixture
def house(tmp_path: Path, houses: Any, httpserver: HTTPServer) -> Iterator[Any]:
    with houses.housed(tmp_path, "sqlite:///store.db", httpserver, more=LIMITS) as made:
        yield made


def peak_bytes(pid: int) -> int:
    """The most memory that a process ever had."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    (line,) = (line for line in lines if line.startswith("VmHWM:"))
    return int(line.split()[1]) * 1024


def wave(name: str, what: str, *, chars: int = 0) -> list[str]:
    """Messages whose beginning tells them apart; one in five is for a person to look at."""
    beginnings = ((f"please review {what}" if number % 5 == 0 else what) for number in range(WAVE))
    return [f"{beginning}, {name} {number} ".ljust(chars, "x") for number, beginning in enumerate(beginnings)]


def written(house: Any, texts: list[str]) -> dict[str, Any]:
    """Write messages, many at once; returns the answers by the beginning of the text."""
    with ThreadPoolExecutor(CUSTOMERS) as customers, httpx2.Client() as client:
        answers = list(customers.map(lambda text: house.post(text, client=client), texts))
    return {text[:100].strip(): answer for text, answer in zip(texts, answers, strict=True)}


def taken(answers: dict[str, Any]) -> set[str]:
    """Which messages were acknowledged; whatever was not has to be refused as it should be."""
    for answer in answers.values():
        if answer.status_code != 200:
            assert answer.status_code == 503, answer.text
            assert int(answer.headers["retry-after"]) >= 1
            assert answer.json()["type"] == "urn:understudy:problem:overloaded"
    return {text for text, answer in answers.items() if answer.status_code == 200}


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads memory from /proc")
def test_ten_times_the_load_is_refused_in_time_and_costs_no_memory(house: Any) -> None:
    key = house.key()
    server = house.start("serve", "--port", "0")
    acknowledged = taken(written(house, wave("first", "until told", chars=CHARS)))
    assert len(acknowledged) == BACKLOG_MAX
    before = peak_bytes(server.pid)
    for name in ("second", "third", "fourth"):
        assert not taken(written(house, wave(name, "until told", chars=CHARS)))
    assert peak_bytes(server.pid) - before < GROWTH_BYTES_MAX
    house.tell()
    while len(acknowledged) < 3 * BACKLOG_MAX:
        acknowledged |= taken(written(house, wave(f"after {len(acknowledged)}", "0.1 seconds")))
    house.until(lambda: len(house.sink.texts) + len(house.holds(key)) == len(acknowledged))
    # The messages of the first wave are longer than the checks read, so their answers wait for people too.
    for_people = {text for text in acknowledged if text.startswith("please review") or ", first " in text}
    assert {text.removeprefix("About ") for text in house.sink.texts} == acknowledged - for_people
    assert len(house.holds(key)) == len(for_people)
    assert len(house.sink.texts) == len(set(house.sink.texts))
