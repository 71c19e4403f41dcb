"""The gate of a release: the suites it has to pass, by the settings; how one is passed stands in `gating.py`."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from understudy.errors import ConfigurationError
from understudy.evaluation.archive import Archive
from understudy.evaluation.suites import read_suite
from understudy.evaluations import Evaluations, Tries
from understudy.gating import Watching, gate_release, unwatched
from understudy.ports.store import Store
from understudy.records.gate import GateResult, worst_of
from understudy.records.release import Release
from understudy.settings.model import Settings
from understudy.settings.stated import stated


class SuiteGate:
    """Compares two releases that the configuration states; the worst that any suite says is what it says."""

    def __init__(self, settings: Settings, base: Path, store: Store, *, watching: Watching = unwatched) -> None:
        self._settings = settings
        self._base = base
        self._store = store
        self._watching = watching
        self._entries: Mapping[str, str] = {one.id: one.entry for one in stated(settings, base).values()}

    async def __call__(self, candidate: Release, baseline: Release) -> GateResult:
        """Try both and compare; raises `ConfigurationError` where a suite or a release is not there."""
        results = [await self._on(name, candidate, baseline) for name in self._settings.releases.suites]
        return worst_of(results)

    async def _on(self, suite: str, candidate: Release, baseline: Release) -> GateResult:
        evaluations = Evaluations(self._settings, self._base)
        async with (
            evaluations.release(self._entry(baseline), name=baseline.id, tries=Tries()) as before,
            evaluations.release(self._entry(candidate), name=candidate.id, tries=Tries()) as after,
        ):
            return await gate_release(
                evaluations,
                Archive(self._store, evaluations.clock),
                suite=suite,
                baseline=before,
                candidate=after,
                watching=self._watching,
            )

    def _entry(self, release: Release) -> str:
        entry = self._entries.get(release.id)
        if entry is None:
            raise ConfigurationError(
                f"release {release.id} is stated nowhere in this configuration, so it cannot be tried"
            )
        return entry


def gate_of(settings: Settings, base: Path, store: Store, *, watching: Watching = unwatched) -> SuiteGate | None:
    """The gate that the settings ask for; None where they name no suite, and then only a person lets a release go on."""
    return SuiteGate(settings, base, store, watching=watching) if settings.releases.suites else None


OF_TURN: Final = re.compile(r"turn:|conversation:.*@")
"""Before the id of a turn, where a case says what it is from; a conversation goes up to one."""


def tuned_on(settings: Settings, base: Path) -> Callable[[], frozenset[str]]:
    """Reads which turns are cases of the suites that releases have to pass, and so what versions are tuned on; raises
    `ConfigurationError` or `MalformedInput` where a suite cannot be read."""

    def read() -> frozenset[str]:
        folder = Evaluations(settings, base).suite_folder
        suites = (read_suite(folder(name)) for name in settings.releases.suites)
        sources = (case.source for suite in suites for case in suite.cases if case.source is not None)
        found = ((source, OF_TURN.match(source)) for source in sources)
        return frozenset(source[begin.end() :] for source, begin in found if begin is not None)

    return read
