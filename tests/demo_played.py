"""The demo, played once for all tests of a run that look at what it leaves behind; the worker that needs it first plays it.

Whoever comes later waits for that playing. Nobody changes what is in its folder: copy it. Nothing here judges.
"""

from __future__ import annotations

import json
import os
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pytest

WITHIN_S = 300.0


@dataclass(frozen=True)
class Played:
    """What a demo printed and left behind."""

    code: int
    out: str
    err: str
    folder: Path


@pytest.fixture(scope="session")
def demo_once(tmp_path_factory: pytest.TempPathFactory, understudy: Any) -> Played:
    mine = tmp_path_factory.getbasetemp()
    shared = (mine.parent if "PYTEST_XDIST_WORKER" in os.environ else mine) / "demo-once"
    folder, told = shared / "played", shared / "told.json"
    try:
        shared.mkdir()
    except FileExistsError:
        _wait_for(told)
        return Played(**json.loads(told.read_text(encoding="utf-8")), folder=folder)
    folder.mkdir()
    # At INFO every event is written, so that a test can see what they say.
    loud = {"UNDERSTUDY__TELEMETRY__LOG_LEVEL": "INFO"}
    words = ("demo", "--headless", "--json", "--folder", str(folder))
    ended = asdict(understudy(*words, cwd=folder, env=loud, timeout_s=WITHIN_S))
    part = told.with_suffix(".part")
    part.write_text(json.dumps(ended), encoding="utf-8")
    part.rename(told)
    return Played(**ended, folder=folder)


def _wait_for(told: Path) -> None:
    ends = time.monotonic() + WITHIN_S
    while not told.exists():
        assert time.monotonic() < ends, "another worker plays the demo, and does not end; its error says why"
        time.sleep(0.1)
