"""Plays the story of `io_errors` once for each of the first calls to the database; it counts what went wrong."""

from __future__ import annotations

import itertools
import logging
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from crash_harness.broken_calls import BrokenCalls
from crash_harness.io_errors import Story, staging
from turns_harness.postgres import Postgres

TEMPLATE = "template_of_stories"


@dataclass(frozen=True, slots=True, kw_only=True)
class Break:
    """Call number `at` breaks, before it does anything or after it did all."""

    at: int
    is_after: bool
    honours_keys: bool


class Stages:
    """Makes stages on fresh databases with the schema: SQLite files in `folder`, or databases of `postgres`."""

    def __init__(self, folder: Path, postgres: Postgres | None = None) -> None:
        from understudy.adapters.stores.migrate import upgrade
        from understudy.adapters.stores.sql_store import SqlStore

        self._folder = folder
        self._postgres = postgres
        self._template = folder / "template_of_stories.db"
        self._numbers = itertools.count(1)
        store = SqlStore(postgres.database(TEMPLATE) if postgres is not None else f"sqlite:///{self._template}")
        upgrade(store.engine)
        store.close_now()

    @contextmanager
    def stage(self) -> Iterator[Callable[..., Any]]:
        """What makes one stage, and takes it and its database away at the end."""
        name = f"story_{next(self._numbers)}"
        path = self._folder / f"{name}.db"
        url = None
        if self._postgres is None:
            shutil.copy(self._template, path)
        else:
            self._postgres.execute(f"CREATE DATABASE {name} TEMPLATE {TEMPLATE}")
            url = self._postgres.url(name)
        made: list[Any] = []

        def build(**plan: Any) -> Any:
            made.append(staging().Stage(staging().Plan(path=path, url=url, **plan)))
            return made[-1]

        yield build
        for stage in made:
            stage.close()
        if self._postgres is not None:
            self._postgres.execute(f"DROP DATABASE {name} WITH (FORCE)")
        for file in self._folder.glob(f"{name}.db*"):
            file.unlink()


def breaks(numbers: Iterable[int], *, both: bool) -> list[Break]:
    """Each call broken before and after, or by turns one of the two; channels with keys and without by turns."""
    return [
        Break(at=number, is_after=is_after, honours_keys=(number + is_after) % 2 == 0)
        for number in numbers
        for is_after in (False, True)
        if both or is_after is (number % 4 < 2)
    ]


def play(stages: Stages, one: Break) -> tuple[int, list[str]]:
    """Play the story with one broken call; returns how many calls it took, and what was wrong at the end."""
    calls = BrokenCalls(at=one.at, is_after=one.is_after)
    with stages.stage() as build:
        try:
            found = Story(build, calls, honours_keys=one.honours_keys).play()
        except Exception as error:  # noqa: BLE001 - whatever it is, it is a finding of this call
            found = [f"{type(error).__name__}: {error}"]
    when = "after" if one.is_after else "before"
    return calls.count, [f"call {one.at} broken {when} it was done ({calls.broke[:80]!r}): {fault}" for fault in found]


def play_each(stages: Stages, plan: list[Break], *, told: Callable[[int], None] = lambda _done: None) -> dict[str, Any]:
    """Play the story for each; the figures."""
    faults: list[str] = []
    shortest = 0
    logging.getLogger("sqlalchemy.pool").setLevel(logging.CRITICAL)  # it tells of every connection that broke
    for one in plan:
        count, found = play(stages, one)
        shortest = count if not shortest else min(count, shortest)
        faults.extend(found)
        told(1)
    return {
        "stories": len(plan),
        "calls_broken": len({one.at for one in plan}),
        "calls_a_story": shortest,
        "faults": faults,
    }
