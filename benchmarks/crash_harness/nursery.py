"""The processes of a run, as the one who orders them from the zygote sees them; it kills only when told."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import os
import signal
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

BENCHMARKS = Path(__file__).resolve().parent.parent
IMPORTS_WITHIN_S = 120.0


@dataclass(slots=True, kw_only=True)
class Process:
    """One process; `ended_at` is `time.perf_counter()` in seconds."""

    pid: int
    log: Path
    started_at: float
    ended_at: float = 0.0
    code: int | None = None
    ended: asyncio.Event = field(default_factory=asyncio.Event)

    def signal(self, number: int) -> None:
        """Send a signal, unless it has ended."""
        if self.code is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def kill(self) -> None:
        """`kill -9`."""
        self.signal(signal.SIGKILL)


class Nursery:
    """Starts processes; use it as an async context manager."""

    def __init__(self) -> None:
        self.living: dict[int, Process] = {}
        self._numbers = itertools.count(1)
        self._ordered: dict[int, asyncio.Future[int]] = {}
        self._ended_early: dict[int, int] = {}
        self._zygote: asyncio.subprocess.Process | None = None
        self._listening: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Nursery:
        env = {name: value for name, value in os.environ.items() if not name.startswith("UNDERSTUDY")}
        self._zygote = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "crash_harness.zygote",
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
            env={**env, "PYTHONPATH": str(BENCHMARKS)},
        )  # fmt: skip
        assert self._zygote.stdout is not None
        async with asyncio.timeout(IMPORTS_WITHIN_S):
            first = await self._zygote.stdout.readline()
        if not first:
            raise RuntimeError("the zygote did not start; its error stands above")
        self._listening = asyncio.create_task(self._listen(self._zygote.stdout))
        return self

    async def __aexit__(self, *_error: object) -> None:
        for process in self.living.values():
            process.kill()
        assert self._zygote is not None
        assert self._zygote.stdin is not None
        self._zygote.stdin.close()
        await self._zygote.wait()
        if self._listening is not None:
            await self._listening

    async def start(self, words: Sequence[str], *, home: Path, name: str, fuse: Path | None = None) -> Process:
        """Start `understudy WORDS` in a folder; what it says goes to NAME.log there."""
        assert self._zygote is not None
        assert self._zygote.stdin is not None
        number = next(self._numbers)
        log = home / f"{name}.log"
        order = {
            "order": number,
            "words": list(words),
            "home": str(home),
            "stdout": str(home / f"{name}.out"),
            "stderr": str(log),
            "fuse": None if fuse is None else str(fuse),
        }
        began = time.perf_counter()
        self._ordered[number] = asyncio.get_running_loop().create_future()
        self._zygote.stdin.write(json.dumps(order).encode() + b"\n")
        pid = await self._ordered[number]
        process = Process(pid=pid, log=log, started_at=began)
        if pid in self._ended_early:
            self._end(process, self._ended_early.pop(pid))
        else:
            self.living[pid] = process
        return process

    async def run(self, words: Sequence[str], *, home: Path, name: str) -> tuple[int, str]:
        """Run a command to its end; returns its exit code and what it printed."""
        out = home / f"{name}.out"
        out.unlink(missing_ok=True)
        process = await self.start(words, home=home, name=name)
        await process.ended.wait()
        assert process.code is not None
        return process.code, out.read_text()

    async def _listen(self, stdout: asyncio.StreamReader) -> None:
        while line := await stdout.readline():
            told: dict[str, Any] = json.loads(line)
            if "pid" in told:
                self._ordered.pop(told["order"]).set_result(told["pid"])
            elif (process := self.living.pop(told["ended"], None)) is not None:
                self._end(process, told["code"])
            else:
                self._ended_early[told["ended"]] = told["code"]

    def _end(self, process: Process, code: int) -> None:
        process.ended_at = time.perf_counter()
        process.code = code
        process.ended.set()
