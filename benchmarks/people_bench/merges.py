"""Merges: random things that are said of who customers are, over the real flows; messages that reach the wrong person.

The world is `understudy.simulation.identity_world`.
"""

from __future__ import annotations

import asyncio
import random
import sys
import tempfile
from pathlib import Path
from typing import Any

from understudy.adapters.stores.migrate import upgrade
from understudy.adapters.stores.sql_store import SqlStore
from understudy.simulation.identity_people import Tally
from understudy.simulation.identity_world import fuzz

FILES = ()
EVENTS, WORLDS = 10_000, 10
SHOWN_MAX = 5


def measure(_data: Path, *, quick: bool = False) -> dict[str, Any]:
    """Let 10,000 things happen in ten worlds. `quick`: a tenth of them, in one."""
    worlds = 1 if quick else WORLDS
    tallies = []
    for number in range(worlds):
        print(
            f"  merges: {number * EVENTS // WORLDS} of {worlds * EVENTS // WORLDS}",
            end="\r",
            file=sys.stderr,
            flush=True,
        )
        tallies.append(_played(seed=9_000 + number, events=EVENTS // WORLDS))
    print(file=sys.stderr)
    wrong = [one for tally in tallies for one in tally.wrong]
    figures = ("events", "sent", "elsewhere", "codes_right", "linked", "unlinked")
    return {
        **{name: sum(getattr(tally, name) for tally in tallies) for name in figures},
        "to_the_wrong_person": len(wrong),
        "broken": len(wrong),
        "failures": [str(one) for one in wrong[:SHOWN_MAX]],
    }


def _played(*, seed: int, events: int) -> Tally:
    with tempfile.TemporaryDirectory() as folder:
        store = SqlStore(f"sqlite:///{Path(folder) / 'identity.db'}")
        upgrade(store.engine)
        try:
            return asyncio.run(_fuzzed(store, seed, events))
        finally:
            store.engine.dispose()


async def _fuzzed(store: SqlStore, seed: int, events: int) -> Tally:
    try:
        return await fuzz(store, random.Random(seed), events=events)
    finally:
        await store.close()
