"""Options for every test: how hypothesis searches, in which order files are run. Fixtures live beside
their tests; only a PostgreSQL is for all of them.
"""

from __future__ import annotations

import gc
import os
import signal
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

import postgres

# A failure prints its seed and a blob that reproduces it anywhere. No deadline: the machine may be busy, and a slow
# example is a benchmark's business.
settings.register_profile(
    "dev", deadline=None, max_examples=50, print_blob=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("ci", settings.get_profile("dev"), max_examples=200)
settings.register_profile("night", settings.get_profile("dev"), max_examples=5000)
settings.load_profile("ci" if os.environ.get("CI") else "dev")

NEW_OBJECTS = 50_000
BYTECODE = Path(__file__).parents[1] / ".pytest_cache" / "bytecode"
postgres_server, postgres_template = postgres.postgres_server, postgres.postgres_template
new_postgres = postgres.new_postgres

LONGEST_FIRST = ("promises", "acceptance", "contract", "flows")

# Where Python is told to keep no bytecode, as in many containers, each process that a test starts would compile half of
# the packages anew, which takes longer than what it is started for. What is compiled is kept beside pytest's own cache.
if os.environ.pop("PYTHONDONTWRITEBYTECODE", None):
    os.environ.setdefault("PYTHONPYCACHEPREFIX", str(BYTECODE))
    sys.dont_write_bytecode, sys.pycache_prefix = False, os.environ["PYTHONPYCACHEPREFIX"]

# A shell that starts the tests in the background lets them ignore Ctrl-C, and with them what they start and interrupt.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Half as many processes again as there are cores: while one test waits for a timer or a process, another works."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return cores + (cores + 1) // 2


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files that take longest where several processes share them, so that none is left alone with one."""
    if "PYTEST_XDIST_WORKER" in os.environ:
        items.sort(key=_turn)


def pytest_collection_finish() -> None:
    """Let the collector of garbage leave alone what was imported and collected: it stays to the end."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(NEW_OBJECTS, 20, 20)


def _turn(item: pytest.Item) -> int:
    folder = item.path.relative_to(Path(__file__).parent).parts[0]
    return LONGEST_FIRST.index(folder) if folder in LONGEST_FIRST else len(LONGEST_FIRST)
