"""See after a rollback that the old release answers, by asking it as a customer's turn would; nothing of it is sent.

A rollback that only says so is worse than none. So the way of a real turn is taken: the same look-up of the release, for a
conversation that the rolled-back one had, and the agent it leads to. Where asking could make an agent act, the first
draft that a customer's turn gets is waited for instead.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from understudy.errors import AgentError, Conflict
from understudy.ports.agent import DraftRequest, Rehearsal
from understudy.ports.clock import Clock
from understudy.ports.store import Store, Transaction
from understudy.ports.telemetry import ReleaseMoved, Telemetry
from understudy.records.autonomy import UNVERSIONED
from understudy.records.codec import load
from understudy.records.evidence import NO_FACTS, ChatMessage, Draft
from understudy.records.release import Chosen, Release, Stated
from understudy.records.rollout import ReleaseTerms
from understudy.release import rollout

PROBE_S: Final = 5.0
"""How long the old release may take to answer a probe."""
AGAIN: Final = timedelta(seconds=30)
"""After a probe that failed, the next one."""

Ask = Callable[[DraftRequest], Awaitable[Draft]]
"""Has the release that the request chose draft, as a rehearsal; raises `AgentError`."""
WouldDraft = Callable[[Transaction, str, str], Chosen | None]
"""Who would draft for a conversation of an agent, as a turn would find it; writes nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Case:
    """A rollback to be verified: who was taken back, who should answer, and who a turn would ask."""

    release: Release
    wanted: Release | None
    chosen: Chosen | None
    conversation_id: str
    channel: str
    has_answered: bool


class Probing:
    """See the module. `stated` are the versions the configuration states, by id."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        telemetry: Telemetry,
        stated: Mapping[str, Stated],
        *,
        ask: Ask,
        would_draft: WouldDraft,
        terms: ReleaseTerms,
    ) -> None:
        self._store = store
        self._clock = clock
        self._telemetry = telemetry
        self._stated = stated
        self._ask = ask
        self._would_draft = would_draft
        self._terms = terms
        self._again_at: dict[str, datetime] = {}

    async def sweep(self) -> int:
        """Verify what was rolled back and is not verified yet; returns how many there were."""
        waiting = await self._store.read(lambda tx: tx.releases.roster().unverified())
        agents = {one.agent for one in self._stated.values()}
        waiting = tuple(one for one in waiting if one.agent in agents)  # of another there is nobody to be asked
        for release in waiting:
            if self._again_at.get(release.id, self._clock.now()) <= self._clock.now():
                await self._verify(release)
        return len(waiting)

    async def _verify(self, release: Release) -> None:
        case = await self._store.read(lambda tx: self._case(tx, release))
        fault = self._fault_of_route(case)
        if fault is None and not case.has_answered:
            assert case.chosen is not None, "asked above"
            if not self._stated[case.chosen.id].can_rehearse:
                return  # the first real draft says it
            fault = await self._fault_of_answer(case)
        if fault is not None:
            self._again_at[release.id] = self._clock.now() + AGAIN
            if fault == release.unverified:
                return
        await self._keep(release, fault)

    def _case(self, tx: Transaction, release: Release) -> _Case:
        had = tx.releases.chosen(release.id, limit=1)
        wanted = tx.releases.roster().full(release.agent)
        if had:
            conversation = tx.conversations.get(had[0].conversation_id)
            chosen = self._would_draft(tx, conversation.id, release.agent)
            where, channel = conversation.id, conversation.channel
        else:
            chosen = None if wanted is None else self._as_stated(wanted)
            where, channel = "none", "none"
        return _Case(
            release=release,
            wanted=wanted,
            chosen=chosen,
            conversation_id=where,
            channel=channel,
            has_answered=wanted is not None and _has_answered(tx, wanted, release.since),
        )

    def _as_stated(self, wanted: Release) -> Chosen | None:
        return Chosen(agent=wanted.agent, id=wanted.id, release=wanted) if wanted.id in self._stated else None

    def _fault_of_route(self, case: _Case) -> str | None:
        if case.wanted is None:
            return f"no release of agent {case.release.agent!r} answers in its place"
        if case.wanted.id not in self._stated:
            return (
                f"{case.wanted.id}, which should answer, is stated nowhere in this configuration; every draft waits for a "
                f"person. Put agents.{case.wanted.entry} back as it was"
            )
        if case.chosen is None or case.chosen.id != case.wanted.id:
            found = "nobody" if case.chosen is None else case.chosen.id
            return f"{found} would draft for conversation {case.conversation_id}, not {case.wanted.id}"
        return None

    async def _fault_of_answer(self, case: _Case) -> str | None:
        assert case.chosen is not None, "asked before"
        assert case.wanted is not None, "asked before"
        request = DraftRequest(
            turn_id=self._clock.new_id("probe"),
            conversation_id=self._clock.new_id("probe"),
            channel=case.channel,
            topic=None,
            messages=(ChatMessage(role="user", content=self._terms.probe),),
            contact=NO_FACTS,
            deadline_s=PROBE_S,
            chosen=(case.chosen,),
            rehearsal=Rehearsal(case="probe"),
        )
        try:
            draft = await self._ask(request)
        except AgentError as error:
            return f"{case.wanted.id} was asked and did not answer: {error.message}"
        if not case.wanted.made(draft.agent_version):
            return f"a probe was answered by {draft.agent_version or UNVERSIONED}, not by {case.wanted.id}"
        return None

    async def _keep(self, release: Release, fault: str | None) -> None:
        def step(tx: Transaction) -> Release:
            as_seen = rollout.as_seen(tx, release.id, version=release.version)
            return rollout.looked_after(tx, self._clock, as_seen, fault=fault)

        try:
            await self._store.write(step)
        except Conflict:
            return  # somebody moved it meanwhile
        what = "verified" if fault is None else "unverified"
        self._telemetry.emit(
            ReleaseMoved(release=release.id, agent=release.agent, what=what, by=rollout.MACHINE, why=fault or "")
        )


def _has_answered(tx: Transaction, wanted: Release, since: datetime) -> bool:
    """Whether a customer's turn got its draft from a release, in a conversation that came to it since a moment."""
    for choice in tx.releases.chosen(wanted.id, limit=1):
        turn = tx.turns.latest_of(choice.conversation_id) if choice.at >= since else None
        stored = None if turn is None else tx.artifacts.get(turn.id, "draft")
        if stored is not None and wanted.made(load(Draft, stored).agent_version):
            return True
    return False
