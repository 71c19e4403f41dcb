"""The results of a run as a file of JSON lines, one trial a line: what is written survives `kill -9`, a half line does not.

The file is the result file of `eval run`, `eval gate` and `eval compare` and says of itself what it is, line by line.
Opened again it goes on: finished trials are known, a line cut off by a crash is taken back. It judges nothing.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final

from understudy.errors import ConfigurationError, MalformedInput
from understudy.records.codec import canonical, plain
from understudy.records.suite import CaseRule, Grade, Trial

LINE_BYTES_MAX: Final = 4_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class RunHead:
    """What every line says of its run."""

    run: str
    suite: str
    suite_digest: str
    release: str


class Journal:
    """An open result file. `known` are the trials that it held when it was opened."""

    def __init__(self, path: Path, head: RunHead, known: dict[tuple[str, int], Trial], file: IO[bytes]) -> None:
        self.path, self.head, self.known = path, head, known
        self._file = file
        self._waiting: list[tuple[bytes, Callable[[], None]]] = []
        self._flushing: asyncio.Task[None] | None = None

    @classmethod
    def opened(cls, path: Path, head: RunHead, *, drops_errors: bool = False) -> Journal:
        """Begin a file, or go on with one of the same suite and release.

        `drops_errors`: trials that ended in an error are taken out, to be tried again. Raises `ConfigurationError`
        where the file is of another run or cannot be written.
        """
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            lines = _whole_lines(path)
            kept = [(line, data) for line, data in lines if not (drops_errors and data.get("error"))]
            for _, data in kept:
                _demand_same(path, data, head)
            known = {(trial.case, trial.trial): trial for trial in (read_line(data, str(path)) for _, data in kept)}
            if kept:
                head = RunHead(
                    run=str(kept[0][1].get("run", head.run)),
                    suite=head.suite,
                    suite_digest=head.suite_digest,
                    release=head.release,
                )
            _rewrite(path, [line for line, _ in kept])
            return cls(path, head, known, path.open("ab"))
        except OSError as error:
            raise ConfigurationError(f"{path} cannot be written: {error.strerror}") from error

    def add(self, trial: Trial, *, when_safe: Callable[[], None] = lambda: None) -> None:
        """Write a trial soon, with all others that wait by then; `when_safe` is called once it is on disk."""
        line = canonical(as_line(trial, self.head)).encode() + b"\n"
        self._waiting.append((line, when_safe))
        if self._flushing is None or self._flushing.done():
            self._flushing = asyncio.get_running_loop().create_task(self._flush())

    async def close(self) -> None:
        """Wait until everything is on disk."""
        try:
            if self._flushing is not None:
                await self._flushing
        finally:
            self._file.close()

    async def _flush(self) -> None:
        while self._waiting:
            waiting, self._waiting = self._waiting, []
            await asyncio.to_thread(self._write, b"".join(line for line, _ in waiting))
            for _, when_safe in waiting:
                when_safe()

    def _write(self, lines: bytes) -> None:
        try:
            self._file.write(lines)
            self._file.flush()
            os.fsync(self._file.fileno())
        except OSError as error:
            raise ConfigurationError(f"{self.path} cannot be written: {error.strerror}") from error


def as_line(trial: Trial, head: RunHead) -> dict[str, Any]:
    """A trial in the public form of result files."""
    line: dict[str, Any] = {
        "case": trial.case,
        "trial": trial.trial,
        "passed": None if trial.loss is None else trial.is_passed,
        "loss": trial.loss,
        "error": trial.error,
        "why": trial.why,
        "decision": trial.decision,
        "reply": trial.reply,
        "rule": trial.rule.value,
        "teeth": trial.has_teeth,
        "took_ms": None if trial.took_ms is None else round(trial.took_ms, 1),
        "attempts": trial.attempts,
        "grades": [plain(grade) for grade in trial.grades],
    }
    return line | {"run": head.run, "suite": head.suite, "suite_digest": head.suite_digest, "release": head.release}


def read_line(data: dict[str, Any], place: str) -> Trial:
    """A line of anybody's result file as a trial: `case`, `trial`, and `passed`, `loss` or `error`.

    Raises `MalformedInput` that names the place and the field.
    """
    case, number = data.get("case"), data.get("trial", 0)
    if isinstance(case, int) and not isinstance(case, bool):
        case = str(case)
    if not isinstance(case, str) or not case:
        raise MalformedInput(f"{place}: `case` must name a case, got {case!r:.60}")
    if not isinstance(number, int) or isinstance(number, bool) or number < 0:
        raise MalformedInput(f"{place}: `trial` must be a number from 0 on, got {number!r:.60}")
    error = data.get("error")
    error = None if error in (None, False, "") else _text(error)
    return _trial(
        place,
        case=case,
        trial=number,
        loss=None if error else _loss(data, place),
        error=error,
        why=_text(data.get("why") or ""),
        reply=data["reply"] if isinstance(data.get("reply"), str) else None,
        decision=data["decision"] if isinstance(data.get("decision"), str) else None,
        grades=_grades(data.get("grades")),
        rule=_rule(data.get("rule"), place),
        has_teeth=data["teeth"] if isinstance(data.get("teeth"), bool) else None,
        took_ms=_number(data.get("took_ms")),
        attempts=data["attempts"] if isinstance(data.get("attempts"), int) else 1,
    )


def _trial(place: str, **fields: Any) -> Trial:
    try:
        return Trial(**fields)
    except ValueError as error:
        raise MalformedInput(f"{place}: {error}") from error


def _loss(data: dict[str, Any], place: str) -> float:
    loss, passed = data.get("loss"), data.get("passed")
    if loss is None:
        if not isinstance(passed, bool):
            raise MalformedInput(f"{place}: give `passed` (true or false), `loss` (0 to 1) or `error`")
        return float(not passed)
    if not isinstance(loss, int | float) or isinstance(loss, bool) or not 0.0 <= loss <= 1.0:
        raise MalformedInput(f"{place}: `loss` must be in 0 to 1, got {loss!r:.60}")
    if isinstance(passed, bool) and passed != (loss == 0.0):
        raise MalformedInput(f"{place}: `passed` {str(passed).lower()} and `loss` {loss:g} contradict each other")
    return float(loss)


def _rule(value: Any, place: str) -> CaseRule:
    try:
        return CaseRule.ORDINARY if value is None else CaseRule(value)
    except ValueError:
        raise MalformedInput(f"{place}: `rule` must be one of {', '.join(CaseRule)}, got {value!r:.60}") from None


def _grades(value: Any) -> tuple[Grade, ...]:
    if not isinstance(value, list):
        return ()
    found = []
    for one in value:
        if isinstance(one, dict) and isinstance(one.get("grader"), str):
            loss, error = _number(one.get("loss")), one.get("error")
            if (loss is None) != (error is None) and (loss is None or 0.0 <= loss <= 1.0):
                found.append(
                    Grade(
                        grader=one["grader"],
                        loss=loss,
                        why=_text(one.get("why") or ""),
                        error=None if error is None else _text(error),
                    )
                )
    return tuple(found)


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def _whole_lines(path: Path) -> list[tuple[bytes, dict[str, Any]]]:
    """The lines that are complete; what stands behind the last line break was cut off by a crash."""
    if not path.exists():
        return []
    lines = path.read_bytes().split(b"\n")[:-1]
    found = []
    for number, line in enumerate(lines, start=1):
        try:
            data = json.loads(line)
        except ValueError as error:
            raise ConfigurationError(f"{path}, line {number}: no result of a trial; name another file by -o") from error
        if not isinstance(data, dict):
            raise ConfigurationError(f"{path}, line {number}: no result of a trial; name another file by -o")
        found.append((line, data))
    return found


def _demand_same(path: Path, data: dict[str, Any], head: RunHead) -> None:
    for field, wanted in (("suite_digest", head.suite_digest), ("release", head.release)):
        if data.get(field) != wanted:
            raise ConfigurationError(
                f"{path} holds trials of another {field.replace('_', ' ')} ({data.get(field)}, now {wanted}); "
                "name another file by -o, or delete it"
            )


def _rewrite(path: Path, lines: Iterable[bytes]) -> None:
    """Leave exactly these lines in the file; it is never without them, whenever the process dies."""
    content = b"".join(line + b"\n" for line in lines)
    if path.exists() and path.read_bytes() == content:
        return
    part = path.with_name(path.name + ".part")
    with part.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
