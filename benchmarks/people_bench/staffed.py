"""Hand-offs that find people: worlds of teams, skills, room, presence and an SLA until a thousand waits ended, on the real flows.

People come, go, are away, let lie, take over and answer, a lead gives by hand, processes die at a write; after each look every
promise is held against the tables and the ledger (`tests/simulation/staffed.py`).
"""

from __future__ import annotations

import importlib
import shutil
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

from understudy.adapters.stores.migrate import upgrade
from understudy.adapters.stores.sql_store import SqlStore

FILES = ()
WAITS = 1_000
FIRST_SEED = 300_000
"""Far from the seeds that the tests play."""
SHOWN_MAX = 5
_TESTS = Path(__file__).resolve().parents[2] / "tests"


def measure(_data: Path, *, quick: bool = False) -> dict[str, Any]:
    """Play until so many waits ended. `quick`: a tenth. `broken` counts worlds that broke a promise; each ends at its first."""
    if str(_TESTS) not in sys.path:
        sys.path.insert(0, str(_TESTS))
    wanted = WAITS // 10 if quick else WAITS
    ends, met, failures, worlds = Counter[str](), Counter[str](), list[str](), 0
    with tempfile.TemporaryDirectory() as folder:
        template = _migrated(Path(folder))
        while sum(ends.values()) < wanted:
            world, why = _played(template, seed=FIRST_SEED + worlds)
            worlds += 1
            met.update(world.met)
            ends.update(_end(steps) for steps in world.steps() if steps[-1] == "staffing.ended")
            if why is not None:
                failures.append(f"seed {FIRST_SEED + worlds - 1}: {why}")
            print(f"  waits: {min(sum(ends.values()), wanted)} of {wanted}", end="\r", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    names = ("assigned", "lost", "taken", "escalated", "broken")
    return {
        "waits": sum(ends.values()),
        "worlds": worlds,
        "sla": dict(sorted(ends.items())),
        "met": {name: met[f"staffing.{name}"] for name in names}
        | {
            "processes_that_died": met["it_dies"],
            "given_by_a_lead": met["a_lead_assigns"],
            "went_or_said_they_are_away": met["somebody_goes"] + met["somebody_is_away"],
        },
        "broken": len(failures),
        "failures": failures[:SHOWN_MAX],
    }


def _end(steps: list[str]) -> str:
    if "staffing.broken" in steps:
        return "escalated_before_it_was_late"
    return "in_time_after_steps" if len(steps) > 1 else "in_time"


def _migrated(folder: Path) -> Path:
    path = folder / "template.db"
    store = SqlStore(f"sqlite:///{path}")
    upgrade(store.engine)
    store.close_now()
    return path


def _played(template: Path, *, seed: int) -> tuple[Any, str | None]:
    staging, staffed = importlib.import_module("stage"), importlib.import_module("simulation.staffed")
    plan_of = importlib.import_module("stage_staffing").plan_of
    path = Path(shutil.copy(template, template.with_name(f"{seed}.db")))
    stage = staging.Stage(staging.Plan(path=path, **plan_of(staging.rules, staffed.STAFFING)))
    try:
        world = staffed.World(stage, seed)
        try:
            world.play()
        except AssertionError as error:
            return world, str(error) or "a promise was broken"
        return world, None
    finally:
        stage.close()
