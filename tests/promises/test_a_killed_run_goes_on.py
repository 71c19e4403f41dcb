"""A run killed by `kill -9` at any named point goes on: no finished trial is made again, none is lost, none stands twice."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import time
from collections import Counter
from pathlib import Path

import pytest

import starting

TRIALS = 4
CASES = 6

CONFIG = """
[agents.mine]
kind = "python"
target = "mine:draft"
version = "v1"
[evaluation]
at_once_max = 3
"""

# The agent notes each call in a file, so that the calls of all processes are counted.
AGENT = """
import os, time
async def draft(request):
    import asyncio
    of = request["rehearsal"]
    with open(os.environ["CALLS"], "a") as file:
        file.write(f"{of['case']} {of['trial']}\\n")
    await asyncio.sleep(float(os.environ.get("TAKES", "0.002")))
    return "yes"
"""

# Runs the command line, and dies without a word at the n-th time that a trial comes to a point.
PROGRAM = """
import os, signal, sys
from understudy.evaluation import runner
point, left = sys.argv[1], int(sys.argv[2])
made = runner.Runner.__init__
def begin(self, *args, watch=lambda *_: None, **more):
    def watched(at, case, trial):
        global left
        watch(at, case, trial)
        if at == point:
            left -= 1
            if left <= 0:
                os.kill(os.getpid(), signal.SIGKILL)
    made(self, *args, watch=watched, **more)
runner.Runner.__init__ = begin
sys.argv = ["understudy", *sys.argv[3:]]
from understudy.cli.main import main
main()
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "understudy.toml").write_text(CONFIG)
    (tmp_path / "mine.py").write_text(AGENT)
    (tmp_path / "suites" / "s").mkdir(parents=True)
    for name in "abcdef":
        text = f"id: {name}\nmessages: [{{user: hello {name}}}]\ngraders: [{{exact: 'yes'}}]\n"
        (tmp_path / "suites" / "s" / f"{name}.yaml").write_text(text)
    return tmp_path


ARGUMENTS = ("eval", "run", "s", "--trials", str(TRIALS), "-o", "out.jsonl", "--json")


def environment(folder: Path, **more: str) -> dict[str, str]:
    return {**os.environ, "CALLS": str(folder / "calls"), **more}


def finished(folder: Path) -> set[str]:
    """The trials whose line was whole when the process died."""
    file = folder / "out.jsonl"
    if not file.exists():
        return set()
    lines = file.read_bytes().split(b"\n")[:-1]
    return {f"{line['case']} {line['trial']}" for line in map(json.loads, lines)}


def calls(folder: Path) -> Counter[str]:
    file = folder / "calls"
    return Counter(file.read_text().splitlines() if file.exists() else [])


def go_on(folder: Path) -> None:
    """Run to the end, and see that every trial stands there once and that no finished one was made again."""
    done, before = finished(folder), calls(folder)
    ended = starting.run(["-m", "understudy", *ARGUMENTS], cwd=folder, env=environment(folder))
    assert ended.returncode == 0, ended.stderr
    said = json.loads(ended.stdout)
    assert (said["passed"], said["resumed"]) == (CASES * TRIALS, len(done))
    lines = [json.loads(line) for line in (folder / "out.jsonl").read_text().splitlines()]
    assert sorted((line["case"], line["trial"]) for line in lines) == [(c, t) for c in "abcdef" for t in range(TRIALS)]
    made = calls(folder) - before
    assert not done & set(made)
    assert set(made) | done == {f"{c} {t}" for c in "abcdef" for t in range(TRIALS)}


@pytest.mark.parametrize("nth", [1, 17])
@pytest.mark.parametrize("point", ["asking", "attempted", "graded", "added", "safe"])
def test_run_killed_at_a_named_point_goes_on(folder: Path, point: str, nth: int) -> None:
    killed = starting.run(["-c", PROGRAM, point, str(nth), *ARGUMENTS], cwd=folder, env=environment(folder))
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    if point == "safe":
        assert len(finished(folder)) >= nth
    go_on(folder)


@pytest.mark.slow
def test_run_killed_again_and_again_at_random_moments_goes_on(folder: Path) -> None:
    dice, kills = random.Random(4711), 0
    for _ in range(6):
        before = finished(folder)
        slow, nowhere = environment(folder, TAKES="0.15"), subprocess.DEVNULL
        process = starting.start(["-m", "understudy", *ARGUMENTS], cwd=folder, env=slow, stdout=nowhere, stderr=nowhere)
        began = calls(folder).total()
        while process.poll() is None and calls(folder).total() == began:
            time.sleep(0.02)
        time.sleep(dice.uniform(0, 0.4))
        kills += process.poll() is None
        process.kill()
        process.wait()
        assert before <= finished(folder)
    assert kills >= 3
    go_on(folder)
