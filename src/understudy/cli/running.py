"""Run a process that stays: the quicker event loop where it is installed, and a garbage collector that looks less often.

What starts, serves and stops is the caller's; a command that does one thing and ends needs none of this.
"""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Coroutine
from importlib.util import find_spec
from typing import Any, TypeVar

T = TypeVar("T")

NEW_OBJECTS = 50_000
"""How many objects more than before make the collector look: a burst of turns makes thousands that reference counting
frees, and each look costs as much as a turn."""


def run_for_long(main: Coroutine[Any, Any, T]) -> T:
    """Do as `asyncio.run` does, tuned for a process that serves."""
    if find_spec("uvloop") is None:
        return asyncio.run(main)
    import uvloop

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(main)


def settle() -> None:
    """Say that the process has started: what is loaded now stays, and need not be looked at again and again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(NEW_OBJECTS, 20, 20)
