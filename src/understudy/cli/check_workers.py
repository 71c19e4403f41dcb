"""Assess the lines of a file, in order, in as many processes as there are cores; it reads no file and prints nothing.

A line is one record, assessed by a pure function, so the result does not depend on how many processes there are. At
most a few pieces a process are under way, however long the file is. The first line that is no record ends it.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain, islice
from typing import Any, Final

from understudy.assessment.assess import assess
from understudy.assessment.check import Check
from understudy.assessment.checks import OPINIONS
from understudy.assessment.recorded import evidence_of
from understudy.errors import MalformedInput, UnderstudyError
from understudy.plugins import checks_of
from understudy.records.assessment import Assessment
from understudy.records.codec import canonical, plain
from understudy.records.rulebook import Rulebook
from understudy.records.wire import parse_turn_record
from understudy.settings.model import Settings
from understudy.settings.rules import rulebook_of

Line = tuple[int, bytes]
"""A line's number in its file, from 1, and what it holds."""

ALONE_UP_TO: Final = 400
"""A file of fewer records is done before other processes have begun."""
PIECE_LINES: Final = 25
PIECES_MAX: Final = 4
"""So many pieces of so many lines are under way for each process."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessed:
    """One record's line of the output, and the kind of its decision."""

    line: str
    decision: str


class Assessor:
    """Assesses lines by the rules and checks of the settings; second opinions aside: a file holds none, nobody is asked."""

    def __init__(self, settings: Settings) -> None:
        self._rulebook: Rulebook = rulebook_of(settings)
        self._checks: tuple[Check, ...] = tuple(check for check in checks_of(settings) if check is not OPINIONS)

    def assess(self, line: Line) -> Assessed:
        """Assess one record; raises `MalformedInput` that names the line."""
        number, written = line
        try:
            record = parse_turn_record(written)
        except MalformedInput as error:
            raise MalformedInput(f"line {number}: {error.message}") from error
        assessment = assess(evidence_of(record, self._rulebook.rules), self._rulebook, checks=self._checks)
        return Assessed(line=canonical(as_line(record.id, assessment)), decision=assessment.decision.kind.value)


def as_line(record_id: str, assessment: Assessment) -> dict[str, Any]:
    """One assessment in the public form of `understudy check`."""
    return {
        "id": record_id,
        "decision": assessment.decision.kind.value,
        "confidence": None if assessment.confidence is None else assessment.confidence.value,
        "reasons": [reason.code for reason in assessment.decision.reasons],
        "signals": {signal.check: signal.score for signal in assessment.signals},
        "findings": [
            {
                "check": finding.check,
                "code": finding.code,
                "severity": finding.severity.value,
                "explanation": finding.explanation,
                "span": None if finding.span is None else plain(finding.span),
                "passage_id": finding.passage_id,
            }
            for finding in assessment.findings
        ],
    }


def assessed(lines: Iterable[Line], settings: Settings, *, processes: int | None = None) -> Iterator[Assessed]:
    """Assess each line, in order, in `processes` processes (default: one a core, and one for a small file).

    Raises `MalformedInput` at the first line that is no record, `ConfigurationError` where the rules do not fit.
    """
    given = iter(lines)
    assessor = Assessor(settings)
    first = list(islice(given, ALONE_UP_TO))
    several = min(processes or os.cpu_count() or 1, 64) if len(first) == ALONE_UP_TO else 1
    if several == 1:
        yield from map(assessor.assess, chain(first, given))
    else:
        yield from _by_processes(chain(first, given), settings, several)


def _by_processes(lines: Iterator[Line], settings: Settings, processes: int) -> Iterator[Assessed]:
    # Spawned, not forked: this process has threads. Each waits for this one's end, so none is left behind.
    context = multiprocessing.get_context("spawn")
    executor = ProcessPoolExecutor(processes, mp_context=context, initializer=_begin, initargs=(settings,))
    under_way: deque[Future[list[Assessed] | str]] = deque()
    try:
        while True:
            while len(under_way) < PIECES_MAX * processes and (piece := list(islice(lines, PIECE_LINES))):
                with _interrupts_wait():
                    under_way.append(executor.submit(_assess_piece, piece))
            if not under_way:
                return
            found = under_way.popleft().result()
            if isinstance(found, str):
                raise MalformedInput(found)
            yield from found
    except BrokenProcessPool as error:
        raise UnderstudyError(
            "a process that assessed records was killed; is there enough memory? Cut the file into smaller ones"
        ) from error
    finally:
        executor.shutdown(cancel_futures=True)


@contextmanager
def _interrupts_wait() -> Iterator[None]:
    """Let Ctrl-C wait meanwhile. Processes that begin here inherit it: only this one is interrupted, and ends them."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


# --- in the other processes ---

_assessor: Assessor | None = None


def _begin(settings: Settings) -> None:
    global _assessor  # noqa: PLW0603 - what a process begins with can only be kept where its work finds it
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _assessor = Assessor(settings)


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _assess_piece(lines: list[Line]) -> list[Assessed] | str:
    """Assess some lines; a message where one is no record."""
    assert _assessor is not None, "begun"
    try:
        return [_assessor.assess(line) for line in lines]
    except MalformedInput as error:
        return error.message
