"""The small form of `./dev bench people` runs, and says that nothing broke; what it measures it measures in its large form."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DATA = ROOT.parent / "shared" / "data"


def ran(*parts: str) -> dict[str, dict[str, object]]:
    command = [sys.executable, "benchmarks/people.py", "--json", "--quick", "--only", ",".join(parts)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr[-2_000:] + done.stdout
    (line,) = done.stdout.splitlines()
    figures: dict[str, dict[str, object]] = json.loads(line)
    return figures


def test_hand_offs_and_burnt_customers_in_small() -> None:
    figures = ran("hand_offs", "burnt", "merges")
    assert figures["hand_offs"]["hand_offs"] >= 100  # type: ignore[operator]
    assert figures["hand_offs"]["broken"] == figures["burnt"]["broken"] == 0
    assert figures["burnt"]["share_that_met_the_agent_again"] == 0


@pytest.mark.skipif(not (DATA / "trajectories.jsonl.gz").is_file(), reason="the recorded conversations are not here")
def test_need_of_a_person_in_small() -> None:
    figures = ran("need")["need"]
    assert figures["conversations"] == 84
    assert figures["agents_calls_counted"]["all"]["agent_passed_on_and_nobody_came"] == 0  # type: ignore[index]
