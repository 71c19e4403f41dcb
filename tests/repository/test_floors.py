"""The import contracts of pyproject.toml hold, and each one catches what it is there to catch."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LINT_IMPORTS = Path(sys.executable).parent / "lint-imports"
CONTRACTS = {
    contract["id"]: contract["name"]
    for contract in tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Break:
    """A line of code added to a file of `src/understudy`, or a new file with it, that one contract must catch."""

    sentence: str
    contract: str
    files: dict[str, str]

    def __str__(self) -> str:
        return self.sentence.replace(" ", "_")


BREAKS = [
    Break(
        sentence="a record looks up at a port",
        contract="floors",
        files={"records/intruder.py": "import understudy.ports.clock"},
    ),
    Break(
        sentence="a record looks up at a port for its types only",
        contract="floors",
        files={
            "records/intruder.py": "from typing import TYPE_CHECKING\n"
            "if TYPE_CHECKING:\n    from understudy.ports.clock import Clock"
        },
    ),
    Break(
        sentence="one flow imports another",
        contract="floors",
        files={"turn/intruder.py": "import understudy.review"},
    ),
    Break(
        sentence="an adapter imports a flow",
        contract="floors",
        files={"adapters/intruder.py": "import understudy.turn"},
    ),
    Break(
        sentence="a statistic knows a record",
        contract="floors",
        files={"stats/intruder.py": "import understudy.records.review"},
    ),
    Break(
        sentence="a statistic counts on an error of the product",
        contract="floors",
        files={"stats/intruder.py": "import understudy.errors"},
    ),
    Break(
        sentence="a flow imports a fake",
        contract="floors",
        files={"delivery/intruder.py": "import understudy.testing"},
    ),
    Break(
        sentence="a backtest counts as autonomy is counted live",
        contract="floors",
        files={"backtest/intruder.py": "import understudy.learning.ladder"},
    ),
    Break(
        sentence="a flow knows that it is simulated",
        contract="floors",
        files={"learning/intruder.py": "import understudy.simulation"},
    ),
    Break(
        sentence="the web face imports the command line",
        contract="floors",
        files={"web/intruder.py": "import understudy.cli"},
    ),
    Break(
        sentence="the core imports a port",
        contract="floors",
        files={"assessment/check.py": "import understudy.ports.clock"},
    ),
    Break(
        sentence="a new module has no floor",
        contract="floors",
        files={"intruder.py": ""},
    ),
    Break(
        sentence="a check imports the decision",
        contract="core",
        files={"assessment/checks/intruder.py": "import understudy.assessment.decision"},
    ),
    Break(
        sentence="the contract of a check imports the confidence",
        contract="core",
        files={"assessment/check.py": "import understudy.assessment.confidence"},
    ),
    Break(
        sentence="a new module of the core has no floor",
        contract="core",
        files={"assessment/intruder.py": ""},
    ),
    Break(
        sentence="one check imports another",
        contract="strangers",
        files={
            "assessment/checks/intruder.py": "",
            "assessment/checks/second_intruder.py": "import understudy.assessment.checks.intruder",
        },
    ),
    Break(
        sentence="a channel imports a store",
        contract="strangers",
        files={"adapters/channels/intruder.py": "import understudy.adapters.stores"},
    ),
    Break(
        sentence="the core opens a database",
        contract="pure",
        files={"assessment/checks/intruder.py": "import sqlite3"},
    ),
    Break(
        sentence="a record reads the clock",
        contract="pure",
        files={"records/intruder.py": "from time import time"},
    ),
    Break(
        sentence="the core throws dice",
        contract="pure",
        files={"assessment/checks/intruder.py": "import random"},
    ),
    Break(
        sentence="a statistic reads the clock",
        contract="pure",
        files={"stats/intruder.py": "import time"},
    ),
    Break(
        sentence="the delay before the next attempt logs",
        contract="pure",
        files={"backoff.py": "import logging"},
    ),
    Break(
        sentence="an adapter judges",
        contract="carry",
        files={"adapters/channels/intruder.py": "import understudy.assessment.check"},
    ),
    Break(
        sentence="an adapter computes a certificate",
        contract="carry",
        files={"adapters/intruder.py": "import understudy.stats.betting"},
    ),
    Break(
        sentence="the web face names an adapter",
        contract="composition",
        files={"web/intruder.py": "import understudy.adapters.stores"},
    ),
    Break(
        sentence="the command line names a flow",
        contract="composition",
        files={"cli/intruder.py": "import understudy.review"},
    ),
    Break(
        sentence="two modules of one flow import each other",
        contract="circles",
        files={
            "turn/intruder.py": "import understudy.turn.second_intruder",
            "turn/second_intruder.py": "import understudy.turn.intruder",
        },
    ),
]


def lint(folder: Path) -> str:
    """Check the contracts of a copy of the repository and return the report; the cache is off."""
    finished = subprocess.run(
        [LINT_IMPORTS, "--config", folder / "pyproject.toml", "--no-cache", "--no-logo"],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(folder / "src"), "COLUMNS": "200", "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    return finished.stdout + finished.stderr


def outcomes(report: str) -> dict[str, str]:
    """Read which contract was kept or broken, by its id."""
    found = {}
    for key, name in CONTRACTS.items():
        outcome = re.search(rf"^{re.escape(name)} (KEPT|BROKEN)", report, re.MULTILINE)
        assert outcome, f"no outcome for the contract {name!r}:\n{report}"
        found[key] = outcome[1]
    return found


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of what the contracts look at."""
    shutil.copytree(ROOT / "src", tmp_path / "src", ignore=shutil.ignore_patterns("__pycache__", "static"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def test_every_contract_is_kept() -> None:
    report = lint(ROOT)
    assert set(outcomes(report).values()) == {"KEPT"}, report


@pytest.mark.parametrize("broken", BREAKS, ids=str)
def test_contract_catches_that(broken: Break, copy: Path) -> None:
    for name, line in broken.files.items():
        path = copy / "src" / "understudy" / name
        before = path.read_text() if path.exists() else ""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{before}\n{line}\n")
    report = lint(copy)
    culprit = Path(next(iter(broken.files))).stem
    assert outcomes(report)[broken.contract] == "BROKEN", report
    assert culprit in report, f"{culprit} is not named as the culprit:\n{report}"


def test_every_contract_is_broken_once_on_purpose() -> None:
    assert {broken.contract for broken in BREAKS} == set(CONTRACTS)
