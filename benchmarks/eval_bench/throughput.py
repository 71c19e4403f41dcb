"""Trials a second and processor time a trial of three runners, one after the other against one agent of 50 ms.

Each command is run with 1 and with `MORE` trials of each case. The difference is what a trial costs, without what
starting the program costs; both are given. Results are read back, so that only trials that were made and passed count.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.request import urlopen

from eval_bench import fake_agent
from eval_bench.runners import AT_ONCE, CASES, Missing, Runner, inspect, promptfoo, understudy
from understudy.evaluation.readers.results import read_results

MORE = 3
MAKERS: dict[str, Callable[[Path, int], Runner]] = {
    "understudy": understudy,
    "promptfoo": promptfoo,
    "inspect": inspect,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What one command cost."""

    wall_s: float
    cpu_s: float
    passed: int
    asked: int


def measure(*, rounds: int, only: tuple[str, ...] = ()) -> dict[str, Any]:
    """All runners, in turn, `rounds` times; the median of the rounds stands."""
    found: dict[str, Any] = {"cases": CASES, "at_once": AT_ONCE, "agent_ms": fake_agent.TAKES_S * 1000}
    with tempfile.TemporaryDirectory(prefix="understudy-eval-") as folder, _agent() as port:
        runners: list[Runner] = []
        for name, make in MAKERS.items():
            if only and name not in only:
                continue
            try:
                runners.append(make(Path(folder), port))
            except Missing as why:
                sys.stderr.write(f"without {name}: {why}\n")
                found[name] = {"skipped": str(why)}
        rows: dict[str, list[dict[str, float]]] = {runner.name: [] for runner in runners}
        for number in range(rounds):
            for runner in runners:
                sys.stderr.write(f"round {number + 1}: {runner.name}\n")
                try:
                    rows[runner.name].append(_figures(runner, port))
                except Missing as why:
                    found[runner.name] = {"version": runner.version, "skipped": str(why)}
        for runner in runners:
            if rows[runner.name]:
                found[runner.name] = {"version": runner.version} | _median(rows[runner.name])
    ours = found.get("understudy", {})
    for name in ("promptfoo", "inspect"):
        if "trials_per_s" in found.get(name, {}) and "trials_per_s" in ours:
            found[f"beside_{name}"] = {
                "trials_per_s": ours["trials_per_s"] / found[name]["trials_per_s"],
                "whole_command": found[name]["command_s"] / ours["command_s"],
                "cpu_per_trial": ours["cpu_ms_per_trial"] / found[name]["cpu_ms_per_trial"],
            }
    return found


def _figures(runner: Runner, port: int) -> dict[str, float]:
    once, more = (_cost(runner, trials, port) for trials in (1, MORE))
    trials = (MORE - 1) * CASES
    if more.wall_s <= once.wall_s or more.cpu_s <= once.cpu_s:
        raise Missing("the machine was too busy: more trials took less time; run it again")
    return {
        "trials_per_s": trials / (more.wall_s - once.wall_s),
        "cpu_ms_per_trial": 1000 * (more.cpu_s - once.cpu_s) / trials,
        "command_s": once.wall_s,
        "command_cpu_s": once.cpu_s,
        "trials_per_s_whole_command": CASES / once.wall_s,
    }


def _cost(runner: Runner, trials: int, port: int) -> Cost:
    words, results = runner.call(trials)
    asked = _asked(port)
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    ended = subprocess.run(
        words,
        cwd=runner.folder,
        check=False,
        capture_output=True,
        text=True,
        env={**os.environ, **runner.environment},
        timeout=900,
    )
    wall = time.perf_counter() - began
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    file = next(results.glob("*.json"), results) if results.is_dir() else results
    if not file.is_file():
        said = (ended.stderr or ended.stdout).strip().splitlines()[-1:] or ["no word why"]
        raise Missing(f"exit {ended.returncode}: {said[0][:300]}")
    passed = sum(trial.is_passed for trial in read_results(file).trials)
    made = _asked(port) - asked
    if passed != trials * CASES or made != trials * CASES:
        raise Missing(f"{passed} trials passed and {made} were asked, of {trials * CASES}")
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Cost(wall_s=wall, cpu_s=cpu, passed=passed, asked=made)


def _median(rows: list[dict[str, float]]) -> dict[str, float]:
    return {name: sorted(row[name] for row in rows)[len(rows) // 2] for name in rows[0]}


def _asked(port: int) -> int:
    with urlopen(f"http://127.0.0.1:{port}/asked") as answer:
        return int(json.load(answer)["asked"])


@contextmanager
def _agent() -> Iterator[int]:
    process = subprocess.Popen([sys.executable, fake_agent.__file__], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield int(process.stdout.readline())
    finally:
        process.kill()
        process.wait()
