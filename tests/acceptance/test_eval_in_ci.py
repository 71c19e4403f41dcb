"""Evaluation in CI: each case is a test of pytest, and the example's gate lets through and stops what it says."""

from __future__ import annotations

import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "gated-agent"


@pytest.fixture
def example(tmp_path: Path) -> Path:
    folder = tmp_path / "gated-agent"
    shutil.copytree(EXAMPLE, folder)
    return folder


def run(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", *words], cwd=folder, check=False, capture_output=True, text=True, timeout=300
    )


def gated(folder: Path) -> subprocess.CompletedProcess[str]:
    """Do what the example's README and workflow do."""
    made = run(folder, "understudy", "eval", "run", "shop", "-o", "candidate.jsonl", "--measure", "--budget", "5000")
    assert made.returncode == 0, made.stderr
    names = ("--baseline", "evaluation/baseline.jsonl", "--candidate", "candidate.jsonl", "--margin", "0.1")
    return run(folder, "understudy", "eval", "gate", *names)


def change(folder: Path, old: str, new: str) -> None:
    agent = folder / "agent.py"
    assert old in agent.read_text()
    agent.write_text(agent.read_text().replace(old, new))


def test_example_passes_its_own_gate(example: Path) -> None:
    found = gated(example)
    assert found.returncode == 0, found.stdout + found.stderr


def test_release_that_repeats_the_mistake_is_stopped_with_the_case_named(example: Path) -> None:
    change(example, "30 EUR back", "50 EUR back")
    found = gated(example)
    assert found.returncode == 1
    assert "case refund-amount must pass and failed" in found.stdout


def test_release_that_is_worse_as_a_whole_is_stopped(example: Path) -> None:
    change(example, "DODGES = 0.05", "DODGES = 0.5")
    found = gated(example)
    assert found.returncode == 1
    assert "the candidate is worse" in found.stdout


def test_workflow_in_the_page_is_the_examples_but_for_names() -> None:
    """Both are YAML, and gate the same way."""
    example = yaml.safe_load((EXAMPLE / ".github" / "workflows" / "agent.yml").read_text())
    page = (ROOT / "docs" / "how-to" / "test-a-change.md").read_text()
    shown = yaml.safe_load(page.split("```yaml\nname: agent")[1].split("```")[0].join(["name: agent", ""]))
    for workflow in (example, shown):
        commands = [step.get("run", "") for step in workflow["jobs"]["gate"]["steps"]]
        assert any(command.startswith("understudy eval run shop") for command in commands)
        assert any(
            "eval gate --baseline evaluation/baseline.jsonl --candidate candidate.jsonl" in one for one in commands
        )


def test_every_case_is_a_test_of_pytest(example: Path) -> None:
    change(example, "24 months", "12 months")
    words = ("pytest", "--understudy-suite", "suites/shop", "--understudy-trials", "1", "--junitxml", "j.xml", "-q")
    found = run(example, *words, "-p", "no:cacheprovider", "-p", "no:randomly")
    assert found.returncode == 1, found.stdout
    assert "suites/shop: warranty-1" in found.stdout
    assert "Traceback" not in found.stdout
    report = ET.parse(example / "j.xml").getroot()
    assert report[0].get("tests") == "22"
    assert report[0].get("failures") not in (None, "0")
    assert report[0].get("errors") == "0"


def test_agent_that_cannot_be_reached_is_an_error_of_the_test_and_no_failure(example: Path) -> None:
    change(example, "question = request", 'raise OSError("no route")\n    question = request')
    (example / "understudy.toml").write_text(
        (example / "understudy.toml").read_text() + "[evaluation]\nattempts_max = 1\n"
    )
    found = run(example, "pytest", "--understudy-suite", "shop", "--junitxml", "j.xml", "-q", "-p", "no:cacheprovider")
    report = ET.parse(example / "j.xml").getroot()
    assert (report[0].get("failures"), report[0].get("errors")) == ("0", "22"), found.stdout


def test_wrong_suite_is_a_usage_error(example: Path) -> None:
    found = run(example, "pytest", "--understudy-suite", "none", "-q", "-p", "no:cacheprovider")
    assert found.returncode == 4
    assert "there is no suite" in found.stderr


def test_plugin_costs_nothing_where_no_suite_is_named() -> None:
    code = "import sys, understudy.pytest_plugin as p; print([m for m in sys.modules if m.startswith(('understudy.ev', 'numpy', 'fastapi'))])"
    found = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert found.stdout.strip() == "[]"
