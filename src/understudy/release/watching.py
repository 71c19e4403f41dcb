"""Watch the releases that are being tried, and act on what is seen: take back, propose or take the next step.

What is seen is read from the ledger and kept under the number of the last entry read, so that a crash repeats nothing and
loses nothing. What follows is done only if the release is still as it was when it was judged: a person who moved it
meanwhile, or holds it, is never overridden. Where nothing was seen, nothing is done.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from understudy.effects.labelling import slice_key
from understudy.errors import Conflict
from understudy.ports.clock import Clock
from understudy.ports.store import Store, Transaction
from understudy.ports.telemetry import ReleaseMoved, Telemetry
from understudy.records.codec import digest, dump, load
from understudy.records.release import CANDIDATE, Release, Stage, Watched
from understudy.records.rollout import Advice, NextStep, ReleaseTerms
from understudy.records.turn import LEARNING_JOB, Job
from understudy.release import rollout
from understudy.release.gates import advise
from understudy.release.reading import CanaryReading
from understudy.release.signals import Progress, begun, seen

PAGE: Final = 1_000
"""How many ledger entries one look reads."""
PAGES_MAX: Final = 100
"""How many looks one sweep takes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Read:
    """A page as it was read: the release and what was known of it, and what is known now."""

    release: Release
    before: Watched
    progress: Progress
    read_to: int
    is_more: bool

    @property
    def is_news(self) -> bool:
        """Whether anything in it was about this release."""
        return dump(self.progress) != self.before.progress


class ReleaseWatch:
    """See the module. `sweep` looks at everything that is being tried; call it about once a second."""

    def __init__(self, store: Store, clock: Clock, telemetry: Telemetry, *, terms: ReleaseTerms) -> None:
        self._store = store
        self._clock = clock
        self._telemetry = telemetry
        self._terms = terms
        self._read_to: dict[str, int] = {}
        self._asked: dict[str, datetime] = {}
        self._greeted: set[tuple[str, datetime]] = set()
        self._told: set[tuple[str, int, str]] = set()

    async def sweep(self) -> int:
        """Look once; returns how many releases were looked at."""
        candidates = await self._store.read(lambda tx: tx.releases.roster().candidates())
        for release in candidates:
            await self._greet(release)
            await self._look(release)
        return len(candidates)

    async def _greet(self, release: Release) -> None:
        """Have learning begin a canary's epochs, so that it goes on where its baseline's autonomy is lent to it."""
        if release.stage is not Stage.CANARY or (release.id, release.since) in self._greeted:
            return
        self._greeted.add((release.id, release.since))

        def step(tx: Transaction) -> None:
            full = tx.releases.roster().full(release.agent)
            if full is None or not release.has_passed:
                return
            for topic, channel, name, _, _ in tx.candidates.slices():
                if name == full.key:
                    tx.announce(Job(kind=LEARNING_JOB, key=slice_key(topic, channel, release.key)))

        await self._store.write(step)

    async def _look(self, release: Release) -> None:
        for _ in range(PAGES_MAX):
            read = await self._store.read(lambda tx: self._read(tx, release.id))
            if read is None:
                return
            try:
                if read.is_news:
                    await self._keep(read)
                self._read_to[release.id] = read.read_to
                if not read.is_more:
                    await self._act(read)
                    return
            except Conflict:
                return  # somebody moved it, or another process looked; the next sweep sees it as it is then

    def _read(self, tx: Transaction, release_id: str) -> _Read | None:
        release = tx.releases.get(release_id)
        watched = tx.releases.watched(release_id)
        full = tx.releases.roster().full(release.agent)
        if release.stage not in CANDIDATE or watched is None or full is None:
            return None
        progress = load(Progress, watched.progress)
        if progress.stage is not release.stage:
            progress = begun(release.stage)
        if release.stage is Stage.SHADOW:  # what is seen there, rehearsals write themselves
            return _Read(release=release, before=watched, progress=progress, read_to=watched.consumed, is_more=False)
        after = max(watched.consumed, self._read_to.get(release_id, 0))
        entries = tx.ledger.entries(after=after, limit=PAGE)
        reading = CanaryReading(tx, release, full, self._terms, self._asked)
        return _Read(
            release=release,
            before=watched,
            progress=reading.take(progress, entries),
            read_to=entries[-1].seq if entries else after,
            is_more=len(entries) == PAGE,
        )

    async def _keep(self, read: _Read) -> None:
        text = dump(read.progress)

        def step(tx: Transaction) -> None:
            now = Watched(release_id=read.release.id, consumed=read.read_to, progress=text)
            tx.releases.watch(now, was=read.before.consumed)
            tx.ledger.append(
                "release.observed",
                at=self._clock.now(),
                release=read.release.id,
                consumed=read.read_to,
                progress=digest(text),
            )

        await self._store.write(step)

    async def _act(self, read: _Read) -> None:
        release, signals = read.release, seen(read.progress, self._terms)
        now = self._clock.now()
        found = advise(release, signals, harms=read.progress.harms, terms=self._terms, now=now)
        match found.step:
            case NextStep.ROLL_BACK if self._terms.takes_back:
                await self._take_back(release, found)
            case NextStep.ROLL_BACK:
                self._tell_once(release, "regressed", found.why)
            case NextStep.HOLD:
                freed = replace(release, hold=None)
                else_ = advise(freed, signals, harms=read.progress.harms, terms=self._terms, now=now)
                if else_.step is NextStep.ROLL_BACK:
                    self._tell_once(release, "regressed", found.why)
            case NextStep.GO_ON if self._terms.goes_on:
                await self._go_on(release, found)
            case NextStep.GO_ON:
                self._tell_once(release, "proposed", found.why)
            case NextStep.INCONCLUSIVE:
                pass

    async def _take_back(self, release: Release, found: Advice) -> None:
        def step(tx: Transaction) -> Release:
            as_judged = rollout.as_seen(tx, release.id, version=release.version)
            back, _ = rollout.rolled_back(tx, self._clock, as_judged, by=rollout.MACHINE, why=found.why)
            return back

        await self._store.write(step)
        self._tell(release, "rolled_back", found.why)

    async def _go_on(self, release: Release, found: Advice) -> None:
        def step(tx: Transaction) -> Release:
            as_judged = rollout.as_seen(tx, release.id, version=release.version)
            share = self._terms.share
            return rollout.promoted(tx, self._clock, as_judged, share=share, by=rollout.MACHINE, why=found.why)

        moved = await self._store.write(step)
        self._tell(moved, moved.stage.value, found.why)

    def _tell_once(self, release: Release, what: str, why: str) -> None:
        key = (release.id, release.version, what)
        if key not in self._told:
            self._told.add(key)
            self._tell(release, what, why)

    def _tell(self, release: Release, what: str, why: str) -> None:
        self._telemetry.emit(
            ReleaseMoved(release=release.id, agent=release.agent, what=what, by=rollout.MACHINE, why=why)
        )
