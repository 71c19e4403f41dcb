"""Burnt customers: the first thing they have of the agent is bad; how many meet it again before they trust it, on the real flows.

A reply is rejected after it was sent, complained of, disliked, or a person has to take over; then the customer writes
again, in that conversation and in others (`tests/simulation/burnt.py`). A cap ends by its rule alone.
"""

from __future__ import annotations

import importlib
import sys
from collections import Counter
from pathlib import Path
from typing import Any

FILES = ()
CUSTOMERS = 500
FIRST_SEED = 200_000
"""Far from the seeds that the tests play."""
SHOWN_MAX = 5
_TESTS = Path(__file__).resolve().parents[2] / "tests"


def measure(_data: Path, *, quick: bool = False) -> dict[str, Any]:
    """Play until so many customers were burnt. `quick`: a tenth. `met_the_agent_again` counts worlds, for each ends at the first."""
    if str(_TESTS) not in sys.path:
        sys.path.insert(0, str(_TESTS))
    play_burnt = importlib.import_module("simulation.burnt").play_burnt
    not_twice = importlib.import_module("simulation.violation").NOT_BURNT_TWICE

    wanted = CUSTOMERS // 10 if quick else CUSTOMERS
    counts, failures, met_again, worlds = Counter[str](), list[str](), 0, 0
    while (burnt := _burnt(counts)) < wanted:
        outcome = play_burnt(FIRST_SEED + worlds)
        worlds += 1
        counts.update(outcome.counts)
        if outcome.violation is not None:
            met_again += outcome.violation.promise == not_twice
            failures.append(f"seed {outcome.seed}: {outcome.violation}")
        print(f"  burnt customers: {min(_burnt(counts), wanted)} of {wanted}", end="\r", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    return {
        "bad_contacts": burnt,
        "by_way": {way.removeprefix("burnt: "): n for way, n in sorted(counts.items()) if way.startswith("burnt: ")},
        "worlds": worlds,
        "messages_after_it": sum(n for what, n in counts.items() if what.startswith("after it: ")),
        "decided": {
            what.removeprefix("after it: "): n for what, n in sorted(counts.items()) if what.startswith("after it")
        },
        "met_the_agent_again": met_again,
        "share_that_met_the_agent_again": met_again / burnt,
        "broken": len(failures),
        "failures": failures[:SHOWN_MAX],
    }


def _burnt(counts: Counter[str]) -> int:
    return sum(n for what, n in counts.items() if what.startswith("burnt: "))
