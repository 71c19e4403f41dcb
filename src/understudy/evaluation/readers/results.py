"""Results of any runner as trials: ours, promptfoo's, Inspect's, JUnit's; which it is, is seen from the file.

It says what a file holds and judges nothing. A case is named as its runner names it, so two files of one runner pair.
"""

from __future__ import annotations

import gzip
import json
import zipfile
from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from understudy.errors import ConfigurationError, MalformedInput
from understudy.evaluation.journal import read_line
from understudy.evaluation.readers import inspect_logs, junit, promptfoo
from understudy.records.suite import Trial

BYTES_MAX: Final = 1_000_000_000


class Form(StrEnum):
    """The forms of result files that are read."""

    LINES = "lines"
    PROMPTFOO = "promptfoo"
    INSPECT = "inspect"
    JUNIT = "junit"


@dataclass(frozen=True, slots=True, kw_only=True)
class Results:
    """What a file holds. `release`, `suite` and `suite_digest` are empty where the file does not say."""

    name: str
    form: Form
    trials: tuple[Trial, ...]
    release: str = ""
    suite: str = ""
    suite_digest: str = ""


def read_results(path: Path, *, form: Form | None = None) -> Results:
    """Read a result file; `form` None: as it looks. Raises `ConfigurationError` where it is not there or cannot be read,
    and `MalformedInput` that names the place."""
    try:
        if path.stat().st_size > BYTES_MAX:
            raise ConfigurationError(f"{path} is larger than {BYTES_MAX:,} bytes")
        if zipfile.is_zipfile(path):
            return _checked(path, Results(name=path.name, form=Form.INSPECT, trials=inspect_logs.from_archive(path)))
        content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    except FileNotFoundError:
        raise ConfigurationError(f"there is no file {path}") from None
    except (OSError, EOFError, zipfile.BadZipFile) as error:
        raise ConfigurationError(f"{path} cannot be read: {error}") from error
    return _checked(path, _read(path, content, form or recognised(content)))


def _read(path: Path, content: bytes, form: Form) -> Results:
    match form:
        case Form.LINES:
            return _lines(path, content)
        case Form.PROMPTFOO:
            return Results(name=path.name, form=form, trials=promptfoo.trials_of(_json(path, content), str(path)))
        case Form.INSPECT:
            return Results(name=path.name, form=form, trials=inspect_logs.trials_of(_json(path, content), str(path)))
        case Form.JUNIT:
            return Results(name=path.name, form=form, trials=junit.trials_of(content, str(path)))


def recognised(content: bytes) -> Form:
    """The form that a file looks like; lines where it is none of the others, for their error."""
    head = content[:4096].lstrip(b"\xef\xbb\xbf \t\r\n")
    if head.startswith(b"<"):
        return Form.JUNIT
    if head.startswith(b"{"):
        try:
            whole = json.loads(content)
        except ValueError:
            return Form.LINES
        if isinstance(whole, dict) and "samples" in whole:
            return Form.INSPECT
        if isinstance(whole, dict) and isinstance(whole.get("results"), dict | list):
            return Form.PROMPTFOO
    return Form.LINES


def _lines(path: Path, content: bytes) -> Results:
    trials: list[Trial] = []
    said: dict[str, str] = {}
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise MalformedInput(f"{path}: not UTF-8 at byte {error.start}") from error
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        place = f"{path}, line {number}"
        try:
            data = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise MalformedInput(f'{place}: not JSON; each line is one trial: {{"case", "trial", "passed"}}') from error
        if not isinstance(data, dict):
            raise MalformedInput(f"{place}: each line is one JSON object, got {type(data).__name__}")
        trials.append(read_line(data, place))
        for field in ("release", "suite", "suite_digest"):
            if isinstance(data.get(field), str):
                said.setdefault(field, data[field])
    return Results(name=path.name, form=Form.LINES, trials=tuple(trials), **said)


def _checked(path: Path, found: Results) -> Results:
    if not found.trials:
        raise MalformedInput(f"{path} holds no trial")
    twice = [key for key, count in Counter((one.case, one.trial) for one in found.trials).items() if count > 1]
    if twice:
        raise MalformedInput(f"{path}: trial {twice[0][1]} of case {twice[0][0]!r} stands there twice")
    return found


def _json(path: Path, content: bytes) -> dict[str, Any]:
    try:
        read = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise MalformedInput(f"{path}: not JSON: {error}") from error
    if not isinstance(read, dict):
        raise MalformedInput(f"{path}: a JSON object was expected, got {type(read).__name__}")
    return read
