"""numpy and scipy take long to import, so only who computes something waits for them."""

from __future__ import annotations

import subprocess
import sys


def loaded_by(*modules: str) -> set[str]:
    code = f"import sys, {', '.join(modules)}; print(*sorted({{name.split('.')[0] for name in sys.modules}}))"
    finished = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    return set(finished.stdout.split())


def test_the_command_line_starts_without_them() -> None:
    assert not {"numpy", "scipy"} & loaded_by("understudy.cli.main")


def test_what_runs_in_production_does_without_scipy() -> None:
    names = ("agreement", "betting", "coverage", "detector", "gate", "ladder", "ladder_design", "logistic", "watermark")
    assert "scipy" not in loaded_by(*(f"understudy.stats.{name}" for name in names))


def test_what_needs_only_arithmetic_has_only_that() -> None:
    assert not {"numpy", "scipy"} & loaded_by("understudy.stats.severity", "understudy.stats.sprt")
