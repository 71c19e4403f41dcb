"""The reference pages name every finding and every reason there is, and none that there is not."""

from __future__ import annotations

import importlib
import pkgutil
import re
from pathlib import Path

from understudy.assessment import checks
from understudy.assessment.assess import CHECK_FAILED
from understudy.assessment.check import Code
from understudy.assessment.reasons import DEGRADABLE, HAND_OFF_CODES, PRIORITIES, REASONS

REFERENCE = Path(__file__).parents[3] / "docs" / "reference"
FINDINGS = (REFERENCE / "findings.md").read_text()
HEADING = re.compile(r"^### `(.+)`$", re.MULTILINE)


def codes() -> list[Code]:
    modules = [
        importlib.import_module(f"{checks.__name__}.{module.name}") for module in pkgutil.iter_modules(checks.__path__)
    ]
    return [code for module in modules for code in module.CODES]


def test_every_finding_has_a_section() -> None:
    assert sorted(HEADING.findall(FINDINGS)) == sorted([f"*.{CHECK_FAILED}", *(code.name for code in codes())])


def test_every_section_says_the_severity() -> None:
    sections = dict(zip(HEADING.findall(FINDINGS), HEADING.split(FINDINGS)[2::2], strict=True))
    wrong = [c.name for c in codes() if not sections[c.name].strip().startswith(f"Severity: {c.severity}")]
    assert wrong == []


def test_every_section_gives_an_example() -> None:
    assert [part[:30] for part in HEADING.split(FINDINGS)[2::2] if "Example:" not in part] == []


def test_every_reason_has_a_section() -> None:
    documented = HEADING.findall((REFERENCE / "reasons.md").read_text())
    assert sorted(documented) == sorted([*REASONS, "check_failed.NAME", "check_ignored.NAME"])


def test_codes_the_decision_names_exist() -> None:
    known = {code.name for code in codes()} | set(REASONS)
    assert [name for name in (*HAND_OFF_CODES, *DEGRADABLE, *PRIORITIES) if name not in known] == []


def test_every_check_is_named_after_its_module() -> None:
    modules = {module.name for module in pkgutil.iter_modules(checks.__path__)}
    assert modules == {check.name for check in (*checks.CHECKS, checks.OPINIONS)} == {code.check for code in codes()}
