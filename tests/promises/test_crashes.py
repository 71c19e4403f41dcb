"""Real processes die by `kill -9` at every named point, and a database fails in other ways: nothing lost, twice or late.

The harness of `./dev bench crash`, small: every point once, on both stores, with a channel that honours keys and one that
does not. Seeds are printed, but real processes do not repeat themselves: the log of a failure is what it leaves.
Not verified here: a power cut.
"""

from __future__ import annotations

import asyncio
import random
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
if str(ROOT / "benchmarks") not in sys.path:
    sys.path.append(str(ROOT / "benchmarks"))

from crash_harness.books import Books  # noqa: E402
from crash_harness.campaign import Campaign, Ground  # noqa: E402
from crash_harness.each_call import Stages, breaks, play_each  # noqa: E402
from crash_harness.faults import FullDisk, RestartingPostgres, fault_figures  # noqa: E402
from crash_harness.ground import CONNECTIONS, new_folder, prepared, remove  # noqa: E402
from crash_harness.points import POINTS, SAME_COMMIT, points_of  # noqa: E402
from turns_harness.postgres import Postgres  # noqa: E402

CASES = [(store, keys) for store in ("sqlite", "postgres") for keys in (True, False)]
TRIES_MAX = 150
CELLS = 2
CUSTOMERS = 2
"""As many as keep all points in reach: more would only keep the machine from starting what was killed."""
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the harness reads /proc and forks")


@pytest.fixture(scope="module")
def postgres() -> Iterator[Postgres]:
    try:
        server = Postgres()
    except Exception as error:  # noqa: BLE001 - the wheel may fail in any way on a platform it does not know
        pytest.skip(f"PostgreSQL does not start from its wheel here: {type(error).__name__}: {error}")
    server.allow(CONNECTIONS)
    yield server
    server.stop()


@pytest.fixture(scope="module")
def seed() -> int:
    drawn = random.randrange(10**6)
    print(f"seed {drawn}")  # noqa: T201 - pytest shows it beside a failure
    return drawn


@pytest.fixture(scope="module")
def figures(postgres: Postgres, seed: int) -> dict[Any, dict[str, Any]]:
    """All that needs processes, in one run and beside each other: they mostly wait. PostgreSQL restarts at the end."""
    folder = new_folder()

    async def kills(ground: Ground, store: str, *, keys: bool) -> dict[str, Any]:
        small: dict[str, Any] = {"kills": TRIES_MAX, "cells": CELLS, "customers": CUSTOMERS, "each_point_once": True}
        return await Campaign(store=store, honours_keys=keys, seed=seed, **small).run(ground)

    async def fills(ground: Ground) -> dict[str, Any]:
        return await fault_figures(FullDisk(store="sqlite", honours_keys=True, kills=0, cells=1, seed=seed), ground)

    async def run() -> dict[Any, dict[str, Any]]:
        async with prepared(folder, postgres) as ground:
            told = await asyncio.gather(*(kills(ground, store, keys=keys) for store, keys in CASES), fills(ground))
            found: dict[Any, dict[str, Any]] = dict(zip((*CASES, "full disk"), told, strict=True))
            restarts = RestartingPostgres(store="postgres", honours_keys=False, kills=0, cells=1, seed=seed)
            found["restarts"] = await fault_figures(restarts, ground)
        return found

    try:
        return asyncio.run(run())
    finally:
        remove(folder)


@pytest.mark.slow
@pytest.mark.postgres
@pytest.mark.parametrize(("store", "keys"), CASES)
def test_a_killed_process_loses_doubles_and_reorders_nothing(figures: Any, store: str, keys: bool) -> None:
    found = figures[store, keys]
    assert found["faults"] == []
    assert (found["lost"], found["doubled"], found["reordered"], found["alien"]) == (0, 0, 0, 0)


@pytest.mark.slow
@pytest.mark.postgres
@pytest.mark.parametrize(("store", "keys"), CASES)
def test_a_process_died_at_every_named_point(figures: Any, store: str, keys: bool) -> None:
    killed_at = figures[store, keys]["killed_at"]
    assert [point.name for point in points_of(store, honours_keys=keys) if not killed_at[point.name]] == []


@pytest.mark.slow
@pytest.mark.postgres
@pytest.mark.parametrize("store", ["sqlite", "postgres"])
def test_an_ambiguous_send_is_held_for_a_person_where_no_key_is_honoured(figures: Any, store: str) -> None:
    assert figures[store, False]["ambiguous_held"] > 0


@pytest.mark.slow
@pytest.mark.postgres
def test_a_full_disk_refuses_messages_and_loses_none(figures: Any) -> None:
    found = figures["full disk"]
    assert found["faults"] == []
    assert found["answered_503"] > 0


@pytest.mark.slow
@pytest.mark.postgres
def test_a_restart_of_postgresql_under_load_loses_nothing(figures: Any) -> None:
    found = figures["restarts"]
    assert found["faults"] == []
    assert (found["restarts_fast"], found["restarts_immediate"]) == (1, 1)


@pytest.mark.slow
def test_the_harness_sees_a_double(seed: int) -> None:
    """A channel said to honour keys that does not: what is repeated under its key is then read twice."""
    folder = new_folder()

    async def run() -> dict[str, Any]:
        async with prepared(folder, None) as ground:
            campaign = Campaign(
                store="sqlite", honours_keys=False, says_keys=True, kills=6, cells=2, seed=seed, only=("during send",)
            )
            return await campaign.run(ground)

    try:
        found = asyncio.run(run())
    finally:
        remove(folder)
    assert found["doubled"] > 0
    assert found["faults"]


@pytest.mark.slow
def test_an_io_error_at_any_call_to_the_database_leaves_nothing_half_done(tmp_path: Path) -> None:
    found = play_each(Stages(tmp_path), breaks(range(1, 500, 7), both=False))
    assert found["calls_a_story"] >= 500, "the story became too short to mean anything"
    assert found["faults"] == []


@pytest.mark.slow
@pytest.mark.postgres
def test_a_connection_lost_at_any_call_leaves_nothing_half_done(tmp_path: Path, postgres: Postgres) -> None:
    found = play_each(Stages(tmp_path, postgres), breaks(range(1, 500, 41), both=False))
    assert found["faults"] == []


def test_every_ledger_event_of_a_turn_is_a_named_point() -> None:
    """A step that writes something new needs a point at which its process is killed."""
    never_in_a_turn = {"request.answered", "conversation.mode", "rulebook.added", "run.given_up", "gate.given_up"}
    never_in_a_turn |= {
        "outbox.dropped",
        "conversation.handed_back",
    }  # in what a person does; the simulation dies around both
    never_in_a_turn |= {"channel.passed_over"}  # test_a_mailbox_is_read_once.py kills whoever reads one
    written = set()
    for path in (ROOT / "src" / "understudy").rglob("*.py"):
        if path.parts[-2] in ("turn", "effects"):
            written |= set(re.findall(r'ledger\.append\(\s*"([a-z_.]+)"', path.read_text(encoding="utf-8")))
    assert written - {point.event for point in POINTS} - SAME_COMMIT - never_in_a_turn == set()


def test_the_books_tell_a_lost_reply() -> None:
    books = Books("a", honours_keys=True)
    books.acknowledged(books.ask(books.begin(is_held=False)))
    books.close()
    assert books.counts["lost"] == 1


def test_the_books_tell_a_doubled_reply() -> None:
    books = Books("a", honours_keys=True)
    question = books.ask(books.begin(is_held=False))
    for key in ("out-1", "out-2"):
        books.took(key, question.conversation.id, f"About {question.number}")
    assert books.counts["doubled"] == 1


def test_the_books_take_a_repeated_key_for_one_message_only_where_keys_are_honoured() -> None:
    doubled = []
    for honours_keys in (True, False):
        books = Books("a", honours_keys=honours_keys)
        question = books.ask(books.begin(is_held=False))
        for _ in range(2):
            books.took("out-1", question.conversation.id, f"About {question.number}")
        doubled.append(books.counts["doubled"])
    assert doubled == [0, 1]


def test_the_books_tell_replies_in_another_order() -> None:
    books = Books("a", honours_keys=True)
    conversation = books.begin(is_held=False)
    first, second = books.ask(conversation), books.ask(conversation)
    for number in (second.number, first.number):
        books.took(f"out-{number}", conversation.id, f"About {number}")
    assert books.counts["reordered"] == 1
