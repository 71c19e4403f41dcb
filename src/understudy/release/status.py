"""How releases are doing, for people to read; it changes nothing."""

from __future__ import annotations

from collections.abc import Mapping

from understudy.ports.clock import Clock
from understudy.ports.store import Store, Transaction
from understudy.records.codec import load
from understudy.records.redraft import Redrafted
from understudy.records.release import CANDIDATE, Release, Stated
from understudy.records.rollout import AgentReleases, ReleaseStatus, ReleaseTerms
from understudy.release.gates import admit, advise
from understudy.release.orders import named
from understudy.release.signals import Progress, seen


class ReleaseReports:
    """See the module. `stated` are the versions that the configuration at hand states, by entry."""

    def __init__(self, store: Store, clock: Clock, stated: Mapping[str, Stated], *, terms: ReleaseTerms) -> None:
        self._store = store
        self._clock = clock
        self._stated = stated
        self._terms = terms

    async def agents(self) -> tuple[AgentReleases, ...]:
        """Every agent that has releases or an entry, with all its releases, the latest first."""
        return await self._store.read(self._agents)

    async def release(self, name: str) -> ReleaseStatus:
        """One release, by id, the beginning of it, or its entry; raises `NotFound`."""
        return await self._store.read(
            lambda tx: self._status(tx, named(tx.releases.roster(), self._stated, name), with_counts=True)
        )

    def _agents(self, tx: Transaction) -> tuple[AgentReleases, ...]:
        roster = tx.releases.roster()
        names = sorted({one.agent for one in self._stated.values()} | {one.agent for one in roster.releases})
        found = []
        for agent in names:
            own = self._stated.get(agent)
            full = roster.full(agent)
            known = None if own is None else roster.get(own.id)
            found.append(
                AgentReleases(
                    agent=agent,
                    configured="" if own is None else own.id,
                    is_released=known is not None,
                    full=None if full is None else full.id,
                    releases=tuple(
                        self._status(tx, one, with_counts=one.stage in CANDIDATE) for one in roster.of(agent)[::-1]
                    ),
                    unreleased=tuple(
                        entry
                        for entry, stated in sorted(self._stated.items())
                        if stated.agent == agent and roster.get(stated.id) is None
                    ),
                )
            )
        return tuple(found)

    def _status(self, tx: Transaction, release: Release, *, with_counts: bool) -> ReleaseStatus:
        is_stated = release.id in {one.id for one in self._stated.values()}
        count = tx.releases.count_chosen(release.id) if with_counts else 0
        gate = tx.pending_gates.progress(release.id, now=self._clock.now())
        redrafts = _redrafts(tx, release) if with_counts else ()
        if release.stage not in CANDIDATE:
            advice = admit(release.gate) if release.gate is not None else None
            return ReleaseStatus(
                release=release,
                is_stated=is_stated,
                conversations=count,
                redrafts=redrafts,
                advice=advice,
                gate=gate,
            )
        kept = tx.releases.watched(release.id)
        progress = None if kept is None else load(Progress, kept.progress)
        progress = (
            progress if progress is not None and progress.stage is release.stage else Progress(stage=release.stage)
        )
        signals = seen(progress, self._terms)
        return ReleaseStatus(
            release=release,
            is_stated=is_stated,
            conversations=count,
            signals=signals,
            harms=progress.harms,
            rehearsals=tx.releases.count_rehearsals(release.id) if with_counts else 0,
            redrafts=redrafts,
            advice=advise(release, signals, harms=progress.harms, terms=self._terms, now=self._clock.now()),
            gate=gate,
        )


def _redrafts(tx: Transaction, release: Release) -> tuple[Redrafted, ...]:
    return tuple(
        Redrafted(
            topic=plan.topic,
            channel=plan.channel,
            drawn=len(plan.drawn),
            done=plan.done,
            same=plan.same,
            asked=plan.asked,
            kept=plan.kept,
            apart=plan.apart,
            failed=plan.failed,
            awaited=len(tx.candidates.awaited_redrafts(plan.topic, plan.channel, release.key, limit=len(plan.drawn))),
        )
        for plan in tx.redrafts.of_release(release.id)
    )
