"""Trials that servers are asked for, built from the settings: what is written down, who makes them, who judges. It starts
nothing.

An agent under trial keeps the limits it has for customers, and they go first: a trial stands behind all of them.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, Final

from understudy.errors import ConfigurationError, SuiteDiffers
from understudy.evaluation import teeth
from understudy.evaluation.asking import Asking
from understudy.evaluation.attempts import Release
from understudy.evaluation.flips import Flips
from understudy.evaluation.judging import Judging
from understudy.evaluation.plan import Planned, plan_with
from understudy.evaluation.runner import Runner
from understudy.evaluation.spread import Bench, Spread, Watch
from understudy.evaluation.suites import read_suite
from understudy.evaluations import Evaluations
from understudy.ports.agent import Agent
from understudy.ports.clock import Clock
from understudy.ports.dispatch import Dispatcher
from understudy.ports.store import Store, Transaction
from understudy.ports.telemetry import Telemetry
from understudy.records.spread import SpreadRun
from understudy.records.suite import Suite, Trial
from understudy.releasing import Versions
from understudy.settings.model import Settings
from understudy.turn.places import Places, Waiting
from understudy.upkeep.sweeps import Sweeps

BEHIND_ALL: Final = datetime.max.replace(tzinfo=UTC)
"""As if a trial had begun to wait for its place after every customer."""
PLACE_WAIT_S_MAX: Final = 3_600.0
"""So long a trial waits for a place at its agent; it is no customer."""


def spreading(
    settings: Settings,
    base: Path,
    store: Store,
    clock: Clock,
    telemetry: Telemetry,
    versions: Versions,
    places: Places,
    dispatcher: Dispatcher,
    *,
    works: bool,
) -> dict[str, Any]:
    """Build it, by its names in `App`; `works` False: this process makes no trial."""
    evaluations = Evaluations(settings, base, place=partial(_place, places, is_wanted=lambda tx: True))
    judging = Judging(store, clock)
    benches = Benches(evaluations, versions.agents, {one.id: one.entry for one in versions.stated.values()}, places)
    spread = Spread(
        store,
        clock,
        telemetry,
        benches,
        judging,
        at_once_max=settings.evaluation.at_once_max if works else 0,
        close=evaluations.close,
    )
    return {
        "asking": asking_of(evaluations, store, clock),
        "flips": Flips(store, read=lambda name: read_suite(evaluations.suite_folder(name))),
        "spread": spread,
        "trials": (
            Sweeps(clock, telemetry, {"trials": spread.sweep}),
            Sweeps(clock, telemetry, {"runs": judging.sweep}, is_my_turn=dispatcher.may_sweep),
        ),
    }


def asking_of(evaluations: Evaluations, store: Store, clock: Clock) -> Asking:
    """What writes down what servers are to try, by the settings."""

    def read(name: str) -> Suite:
        suite = read_suite(evaluations.suite_folder(name))
        evaluations.graders(suite)  # that each case can be graded and played is seen before anybody waits for it
        return suite

    return Asking(
        store,
        clock,
        suites=evaluations.settings.releases.suites,
        read=read,
        terms=lambda suite: evaluations.terms(margin=suite.margin),
    )


class Benches:
    """Prepares this process for a run: `entries` are the entries of `[agents]` by the id of the version they state."""

    def __init__(
        self, evaluations: Evaluations, agents: Mapping[str, Agent], entries: Mapping[str, str], places: Places
    ) -> None:
        self._evaluations = evaluations
        self._agents = agents
        self._entries = entries
        self._places = places

    async def __call__(self, run: SpreadRun) -> Bench:
        """Read the suite; raises `SuiteDiffers` where its content is not the run's, `ConfigurationError` where the suite or
        the release is not here."""
        entry = self._entries.get(run.release)
        if entry is None:
            raise ConfigurationError(f"release {run.release} is stated nowhere in this configuration")
        suite, plan = await asyncio.to_thread(self._read, run)
        evaluations, graders = self._evaluations, self._evaluations.graders(suite)
        release = Release(
            name=run.release,
            agent=self._agents[entry],
            rulebook=evaluations.rulebook,
            checks=evaluations.checks,
            deadline_s=evaluations.settings.evaluation.deadline_s,
        )
        bites: dict[str, bool] = {}

        async def make(planned: Planned, is_wanted: Callable[[Transaction], bool], watch: Watch) -> Trial:
            case = planned.case
            if planned.trial == 0:  # once for each case of a run, whoever makes the rest
                tried = await teeth.tried(case, graders[case.id], release.rulebook, release.checks)
                if tried is not None and not tried.is_good and tried.refused is not None:
                    bites[case.id] = tried.refused
            runner = Runner(
                replace(release, room=partial(_place, self._places, entry, is_wanted=is_wanted)),
                evaluations.clock,
                graders=graders,
                player=evaluations.player,
                limits=evaluations.limits(None),
                teeth=bites,
                watch=watch,
            )
            return await runner.make(planned)

        return Bench(plan=plan, make=make, places=[(one.case.id, one.trial) for one in plan])

    def _read(self, run: SpreadRun) -> tuple[Suite, tuple[Planned, ...]]:
        folder = self._evaluations.suite_folder(run.named)
        suite = read_suite(folder)
        if suite.checksum != run.suite_digest:
            raise SuiteDiffers(
                f"suite {run.suite!r} in {folder} has other cases ({suite.checksum[:12]}) than run {run.id} was asked for "
                f"with ({run.suite_digest[:12]}): bring the files to one content on every server, or ask for it again"
            )
        return suite, plan_with(suite.cases, trials=run.trials, clean=run.clean)


@asynccontextmanager
async def _place(places: Places, entry: str, *, is_wanted: Callable[[Transaction], bool]) -> AsyncIterator[None]:
    """Have a place at an agent, behind all who wait for it."""
    waiting = Waiting(since=BEHIND_ALL, s_max=PLACE_WAIT_S_MAX, is_wanted=is_wanted)
    async with places.place(entry, waiting):
        yield
