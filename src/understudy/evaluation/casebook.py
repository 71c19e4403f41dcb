"""Adds turns of the past to suites as cases, each once; a case is a file that people read, edit and review afterwards."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from understudy.errors import ConfigurationError, MalformedInput
from understudy.evaluation.cases import Past, case_of, duplicate_of
from understudy.evaluation.conversation_cases import PastConversation, conversation_case_of
from understudy.evaluation.history import stored, stored_conversation
from understudy.evaluation.suites import case_text, read_suite, write_case
from understudy.ports.clock import Clock
from understudy.ports.store import Store, Transaction
from understudy.records.rulebook import Profile
from understudy.records.suite import Case, CaseKind, CaseRule

SUITE_NAME: Final = re.compile(r"[A-Za-z0-9][\w.-]{0,99}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Added:
    """What became of a turn: a new `file`, or `duplicate_of` a case that is there; `text` is the case as its file says it."""

    case: Case
    text: str
    file: Path | None
    duplicate_of: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A suite in the folder: how many `cases` it has and their `checksum`, or the `problem` that keeps it from being read."""

    name: str
    cases: int
    checksum: str
    problem: str | None


class Suites:
    """The folder of suites, by name."""

    def __init__(self, folder: Path, business: Profile) -> None:
        self._folder = folder
        self._business = business

    def add(
        self,
        past: Past | PastConversation,
        suite: str,
        *,
        rule: CaseRule | None = None,
        tags: Sequence[str] = (),
        write: bool = True,
    ) -> Added:
        """Make a case of a turn or a conversation and write it, unless the suite holds its like; raises `MalformedInput`."""
        folder = self.folder(suite)
        if isinstance(past, PastConversation):
            case = conversation_case_of(past, self._business, rule=rule, tags=tags)
        else:
            case = case_of(past, self._business, rule=rule, tags=tags)
        known = read_suite(folder).cases if _has_cases(folder) else ()
        twin = duplicate_of(case, known)
        file = write_case(folder, case) if twin is None and write else None
        return Added(case=case, text=case_text(case), file=file, duplicate_of=twin)

    def listed(self) -> list[Listed]:
        """Every suite that is there, by name; one that cannot be read says why."""
        if not self._folder.is_dir():
            return []
        names = sorted(
            path.name for path in self._folder.iterdir() if path.is_dir() and SUITE_NAME.fullmatch(path.name)
        )
        return [_listed(name, self._folder / name) for name in names if _has_cases(self._folder / name)]

    def folder(self, suite: str) -> Path:
        """Where a suite is, by its name alone; raises `MalformedInput` for what is no name."""
        if not SUITE_NAME.fullmatch(suite):
            raise MalformedInput(f"suite {suite!r}: a name has letters, digits, dots, dashes and underscores only")
        return self._folder / suite


class Casebook:
    """Cases from the turns and conversations of this installation."""

    def __init__(self, store: Store, clock: Clock, suites: Suites) -> None:
        self._store = store
        self._clock = clock
        self._suites = suites

    async def suites(self) -> list[Listed]:
        """Every suite in the folder."""
        return await asyncio.to_thread(self._suites.listed)

    async def add(
        self,
        turn_id: str,
        suite: str,
        *,
        actor: str,
        kind: CaseKind = CaseKind.TURN,
        rule: CaseRule | None = None,
        tags: Sequence[str] = (),
        write: bool = True,
    ) -> Added:
        """Add a turn to a suite, or the conversation up to it (`kind`); `write` False only shows what would be written.

        In the place of a turn a conversation may be named, up to its latest turn. Raises `NotFound`, and `MalformedInput`
        where nothing was decided yet.
        """

        def read(tx: Transaction) -> tuple[Past | PastConversation, Past]:
            if kind is CaseKind.TURN:
                past = stored(tx, turn_id)
                return past, past
            conversation = stored_conversation(tx, turn_id)
            return conversation, conversation.last

        past, last = await self._store.read(read)
        added = await asyncio.to_thread(self._suites.add, past, suite, rule=rule, tags=tags, write=write)
        if added.file is not None:

            def step(tx: Transaction) -> None:
                tx.ledger.append(
                    "case.added",
                    at=self._clock.now(),
                    turn_id=last.id,
                    actor=actor,
                    case=added.case.id,
                    suite=suite,
                    kind=kind.value,
                )

            await self._store.write(step)
        return added


def _listed(name: str, folder: Path) -> Listed:
    try:
        suite = read_suite(folder)
    except (ConfigurationError, MalformedInput) as error:
        return Listed(name=name, cases=0, checksum="", problem=error.message)
    return Listed(name=name, cases=len(suite.cases), checksum=suite.checksum, problem=None)


def _has_cases(folder: Path) -> bool:
    if not folder.exists():
        return False
    if not folder.is_dir():
        raise ConfigurationError(f"{folder} is no folder; a suite is a folder of .yaml files")
    return any(path.name != "suite.yaml" for path in folder.rglob("*.y*ml"))
