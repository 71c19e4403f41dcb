"""Merges: random things that are said of who customers are, over the real flows; messages that reach the wrong person.

The world is `understudy.simulation.identity_world`; a checkout without it says so.
"""

from __future__ import annotations

import asyncio
import importlib
import importlib.util
import random
import sys
import tempfile
from pathlib import Path
from typing import Any

from understudy.adapters.stores.migrate import upgrade
from understudy.adapters.stores.sql_store import SqlStore

FILES = ()
EVENTS, WORLDS = 10_000, 10
WORLD = "understudy.simulation.identity_world"
SHOWN_MAX = 5


def measure(_data: Path, *, quick: bool = False) -> dict[str, Any]:
    """Let 10,000 things happen in ten worlds. `quick`: a tenth of them, in one."""
    if importlib.util.find_spec(WORLD) is None:
        return {"skipped": "this part is not in this checkout"}
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


def _played(*, seed: int, events: int) -> Any:
    world = importlib.import_module(WORLD)
    with tempfile.TemporaryDirectory() as folder:
        store = SqlStore(f"sqlite:///{Path(folder) / 'identity.db'}")
        upgrade(store.engine)
        try:
            return asyncio.run(_fuzzed(world, store, seed, events))
        finally:
            store.engine.dispose()


async def _fuzzed(world: Any, store: SqlStore, seed: int, events: int) -> Any:
    try:
        return await world.fuzz(store, random.Random(seed), events=events)
    finally:
        await store.close()
