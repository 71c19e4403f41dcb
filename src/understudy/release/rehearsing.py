"""Let a release in shadow draft beside the one that answers, assess both under the same rulebook, and compare; send nothing.

A rehearsal knows no outbox, no hold and no turn: what it makes is a record of its own. The agent is told that it is one
and asked under ids that are no customer's, so that it does nothing and mixes up nothing; one that cannot promise the
former is not asked. Which turns are rehearsed is a matter of time and room alone, never of what was drafted.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from understudy.assessment.assess import assess
from understudy.assessment.check import Check
from understudy.errors import AgentError, Conflict
from understudy.hourly import Hourly
from understudy.ports.agent import DraftRequest, rehearsal_of
from understudy.ports.clock import Clock
from understudy.ports.store import Store, Transaction
from understudy.records.assessment import Assessment
from understudy.records.codec import digest, dump, load
from understudy.records.conversation import Mode
from understudy.records.evidence import Draft, Evidence, says_same
from understudy.records.ledger import LedgerEntry, readable_body
from understudy.records.release import Chosen, Rehearsal, Rehearsed, Release, Stage, Stated, Watched
from understudy.records.rollout import LiveSignal, ReleaseTerms
from understudy.records.rulebook import Rulebook
from understudy.release.losses import checks_loss, latency_loss, said
from understudy.release.signals import Progress, begun, compared

PAGE: Final = 1_000
AT_ONCE_MAX: Final = 4
"""Rehearsals under way at a time; turns decided meanwhile are passed over."""

Ask = Callable[[DraftRequest], Awaitable[Draft]]
"""Has the release that the request chose draft, as a rehearsal; raises `AgentError`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Case:
    """A turn as it was decided: its evidence, the rulebook, and how long its own draft took."""

    seq: int
    evidence: Evidence
    rulebook: Rulebook
    took_ms: float | None


class Rehearsing:
    """See the module. `stated` are the versions the configuration states, by id; `checks` those that turns are assessed
    with. Second opinions are not asked about a rehearsal, so they count for neither side."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        stated: Mapping[str, Stated],
        *,
        ask: Ask,
        checks: tuple[Check, ...],
        terms: ReleaseTerms,
    ) -> None:
        self._store = store
        self._clock = clock
        self._stated = stated
        self._ask = ask
        self._checks = checks
        self._terms = terms
        self._budget = Hourly(terms.shadow_per_hour_max)

    async def sweep(self) -> int:
        """Rehearse the latest turns of everything in shadow, as far as there is room; returns how many."""
        candidates = await self._store.read(lambda tx: tx.releases.roster().candidates())
        done = 0
        for release in candidates:
            stated = self._stated.get(release.id)
            if release.stage is Stage.SHADOW and stated is not None and stated.can_rehearse:
                done += await self._rehearse(release)
        return done

    async def _rehearse(self, release: Release) -> int:
        room = min(AT_ONCE_MAX, self._budget.room(self._clock.now()))
        if room <= 0:
            return 0
        cases, read_to, was = await self._store.read(lambda tx: self._due(tx, release, room))
        if not cases:
            return 0
        self._budget.spend(self._clock.now(), len(cases))
        found = await asyncio.gather(*(self._one(release, case) for case in cases))
        try:
            await self._keep(release, found, read_to=read_to, was=was)
        except Conflict:
            return 0  # it is in shadow no more, or another process rehearsed the same
        return len(found)

    def _due(self, tx: Transaction, release: Release, room: int) -> tuple[list[_Case], int, Watched]:
        watched = tx.releases.watched(release.id)
        full = tx.releases.roster().full(release.agent)
        assert watched is not None, "it was begun with the stage"
        entries = tx.ledger.entries(after=watched.consumed, limit=PAGE)
        read_to = entries[-1].seq if entries else watched.consumed
        asked = {entry.turn_id: entry.at for entry in entries if entry.event == "agent.asked"}
        read = {
            entry.turn_id: readable_body(entry).get("took_ms") or 0 for entry in entries if entry.event == "facts.read"
        }
        took = {
            entry.turn_id: (entry.at - asked[entry.turn_id]).total_seconds() * 1e3 - read.get(entry.turn_id, 0)
            for entry in entries
            if entry.event == "turn.drafted" and entry.turn_id in asked
        }
        cases: list[_Case] = []
        for entry in reversed(entries):
            if full is None or len(cases) == room:
                break
            case = self._case(tx, entry, full, took) if entry.event == "turn.decided" else None
            if case is not None:
                cases.append(case)
        return cases[::-1], read_to, watched

    def _case(
        self, tx: Transaction, entry: LedgerEntry, full: Release, took: Mapping[str | None, float]
    ) -> _Case | None:
        """A turn that the baseline was asked for; None for one that it had no part in."""
        assert entry.turn_id is not None, "a decision is about a turn"
        assert entry.conversation_id is not None, "a turn has a conversation"
        choice = tx.releases.choice(entry.conversation_id, full.agent)
        evidence = tx.artifacts.get(entry.turn_id, "evidence")
        turn = tx.turns.get(entry.turn_id)
        if choice is None or choice.release_id != full.id or evidence is None or turn.rulebook_id is None:
            return None
        found = load(Evidence, evidence)
        if found.mode is not Mode.AGENT or (found.draft is not None and not full.made(found.draft.agent_version)):
            return None  # a person had it, another agent stood in, or its caller handed over a draft of their own
        return _Case(
            seq=entry.seq, evidence=found, rulebook=tx.rulebooks.get(turn.rulebook_id), took_ms=took.get(turn.id)
        )

    async def _one(self, release: Release, case: _Case) -> tuple[Rehearsal, float, float]:
        """Have it draft and compare: the rehearsal, and what either side cost by its checks."""
        began = self._clock.now()
        draft, error = await self._drafted(release, case)
        took_ms = (self._clock.now() - began).total_seconds() * 1e3
        theirs = self._assessed(case, case.evidence.draft, case.evidence.agent_error)
        ours = self._assessed(case, draft, error)
        rehearsal = Rehearsal(
            release_id=release.id,
            turn_id=case.evidence.turn_id,
            seq=case.seq,
            at=began,
            baseline=_side(theirs, case.evidence.draft, case.evidence.agent_error, case.took_ms),
            candidate=_side(ours, draft, error, took_ms),
            is_same=says_same(case.evidence.draft, draft),
        )
        return rehearsal, _loss(theirs, case.evidence.draft), _loss(ours, draft)

    async def _drafted(self, release: Release, case: _Case) -> tuple[Draft | None, str | None]:
        chosen = Chosen(agent=release.agent, id=release.id, release=release)
        request = rehearsal_of(case.evidence, chosen, deadline_s=self._terms.draft_s_max)
        try:
            return await self._ask(request), None
        except AgentError as error:
            return None, f"{error.code}: {error.message}"

    def _assessed(self, case: _Case, draft: Draft | None, error: str | None) -> Assessment:
        rules = replace(case.rulebook.rules, opinions=())
        evidence = replace(case.evidence, draft=draft, agent_error=None if draft is not None else error, opinions=())
        return assess(evidence, Rulebook(id=case.rulebook.id, rules=rules), checks=self._checks)

    async def _keep(
        self, release: Release, found: list[tuple[Rehearsal, float, float]], *, read_to: int, was: Watched
    ) -> None:
        progress = load(Progress, was.progress)
        progress = progress if progress.stage is release.stage else begun(release.stage)
        for rehearsal, theirs, ours in found:
            progress = compared(progress, LiveSignal.CHECKS, candidate=ours, baseline=theirs, terms=self._terms)
            progress = self._with_latency(progress, rehearsal)
        text = dump(progress)

        def step(tx: Transaction) -> None:
            now = tx.releases.get(release.id)
            if now.version != release.version:
                raise Conflict(f"release {release.id} moved on while it was rehearsed")
            tx.releases.watch(Watched(release_id=release.id, consumed=read_to, progress=text), was=was.consumed)
            for rehearsal, _, _ in found:
                tx.releases.rehearse(rehearsal)
            tx.ledger.append(
                "release.rehearsed",
                at=self._clock.now(),
                release=release.id,
                turns=[rehearsal.turn_id for rehearsal, _, _ in found],
                consumed=read_to,
                progress=digest(text),
            )

        await self._store.write(step)

    def _with_latency(self, progress: Progress, rehearsal: Rehearsal) -> Progress:
        theirs, ours = rehearsal.baseline, rehearsal.candidate
        if theirs.took_ms is None or ours.took_ms is None or theirs.error or ours.error:
            return progress
        longest = self._terms.draft_s_max
        candidate = latency_loss(ours.took_ms / 1e3, draft_s_max=longest)
        baseline = latency_loss(theirs.took_ms / 1e3, draft_s_max=longest)
        return compared(progress, LiveSignal.LATENCY, candidate=candidate, baseline=baseline, terms=self._terms)


def _loss(assessment: Assessment, draft: Draft | None) -> float:
    return 1.0 if draft is None else checks_loss(assessment.findings)


def _side(assessment: Assessment, draft: Draft | None, error: str | None, took_ms: float | None) -> Rehearsed:
    return Rehearsed(
        decision=assessment.decision.kind.value,
        findings=said(assessment.findings),
        confidence=None if assessment.confidence is None else assessment.confidence.value,
        error=error if draft is None else None,
        took_ms=took_ms,
        text=None if draft is None else draft.text,
    )
