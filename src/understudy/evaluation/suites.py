"""Suites as folders of YAML files: read, and written one case a file; it runs and grades nothing.

`suites/NAME/*.yaml` holds a case each, or several under `cases:`; `suites/NAME/suite.yaml` what holds for all of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import yaml
from pydantic import BaseModel, ConfigDict, Field

from understudy.errors import ConfigurationError, Conflict, MalformedInput
from understudy.evaluation.case_file import grader_terms, read_case, read_form, written_case
from understudy.records.suite import Case, GraderTerms, Suite

SUITE_FILE: Final = "suite.yaml"
FILE_BYTES_MAX: Final = 10_000_000
CASES_MAX: Final = 100_000
NAME_CHARS: Final = 60
_LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class SuiteForm(BaseModel):
    """What `suite.yaml` may hold."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    description: str = ""
    trials: int = Field(1, ge=1, le=1_000)
    margin: float = Field(0.03, gt=0, le=1)
    graders: list[Any] = []

    def shared_graders(self) -> tuple[GraderTerms, ...]:
        """Graders that look at every case; raises `ValueError`."""
        return tuple(grader_terms(one) for one in self.graders)


def read_suite(folder: Path) -> Suite:
    """Read a suite; raises `ConfigurationError` where there is none, `MalformedInput` that names file and key."""
    if not folder.is_dir():
        raise ConfigurationError(f"there is no suite {folder}; a suite is a folder of .yaml files, one case each")
    head = SuiteForm()
    shared: tuple[GraderTerms, ...] = ()
    if (folder / SUITE_FILE).is_file():
        place = str(folder / SUITE_FILE)
        head, shared = read_form(
            SuiteForm, _yaml(folder / SUITE_FILE) or {}, place, "suite", lambda form: (form, form.shared_graders())
        )
    cases: dict[str, tuple[Case, str]] = {}
    for data, place in _cases(folder):
        case = read_case(data, place, shared)
        if case.id in cases:
            raise MalformedInput(f"{place}: the id {case.id!r} is that of {cases[case.id][1]} too; give each its own")
        cases[case.id] = (case, place)
        if len(cases) > CASES_MAX:
            raise MalformedInput(f"{folder} holds more than {CASES_MAX} cases; divide it")
    if not cases:
        raise ConfigurationError(f"suite {folder} holds no case; add one: understudy eval case add TURN")
    return Suite(
        name=folder.resolve().name,
        cases=tuple(case for case, _ in cases.values()),
        description=head.description,
        trials=head.trials,
        margin=head.margin,
    )


def write_case(folder: Path, case: Case) -> Path:
    """Write a case as a file of its own, which appears only when it is complete; returns the file.

    Raises `ConfigurationError` where it cannot be written, and `Conflict` where a file of that name is there.
    """
    path = folder / f"{file_name(case.id)}.yaml"
    if path.exists():
        raise Conflict(f"{path} is there already; change it, or give the new case another id")
    part = path.with_name(path.name + ".part")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        part.write_text(case_text(case), encoding="utf-8")
        part.replace(path)
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be written: {error.strerror}") from error
    finally:
        part.unlink(missing_ok=True)
    return path


def case_text(case: Case) -> str:
    """A case as the text of its file."""
    text: str = yaml.dump(
        written_case(case), Dumper=_Readable, sort_keys=False, allow_unicode=True, width=100, default_flow_style=False
    )
    return text


def file_name(case_id: str) -> str:
    """A case's id as the name of a file on any system."""
    return re.sub(r"[^\w.-]+", "-", case_id).strip("-.")[:NAME_CHARS] or "case"


class _Readable(yaml.SafeDumper):
    """Writes texts of several lines as blocks, as people would."""


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.Node:
    style = "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Readable.add_representer(str, _text)


def _cases(folder: Path) -> Iterator[tuple[Any, str]]:
    for path in sorted((*folder.rglob("*.yaml"), *folder.rglob("*.yml"))):
        if path.name == SUITE_FILE:
            continue
        data = _yaml(path)
        if isinstance(data, dict) and set(data) == {"cases"} and isinstance(data["cases"], list):
            yield from ((one, f"{path}, case {number}") for number, one in enumerate(data["cases"], start=1))
        else:
            yield data, str(path)


def _yaml(path: Path) -> Any:
    try:
        if path.stat().st_size > FILE_BYTES_MAX:
            raise MalformedInput(f"{path} is larger than {FILE_BYTES_MAX:,} bytes; divide it")
        return yaml.load(path.read_text(encoding="utf-8"), Loader=_LOADER)  # noqa: S506 - a safe loader
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f", line {mark.line + 1}" if mark is not None else ""
        said = getattr(error, "problem", None) or type(error).__name__
        raise MalformedInput(f"{path}{where}: not YAML: {said}") from error
    except ValueError as error:  # a date that is none, and the like
        raise MalformedInput(f"{path}: not YAML: {error}") from error
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be read: {error.strerror}") from error
