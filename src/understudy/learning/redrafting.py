"""Have a new release draft once more for turns whose drafts were labelled, and make evidence of what it says: a redraft
that says the same carries the label, any other is put before people. It certifies nothing and sends nothing.

A redraft is a rehearsal: the agent is told so, and one that cannot promise to do nothing then is not asked. They become
evidence in the order that was drawn, and none is passed over: one that cannot be made holds up those behind it until it
counts as bad. Which ones are made when is a matter of time and room alone, never of what was drafted.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from understudy.assessment.assess import assess
from understudy.assessment.check import Check
from understudy.assessment.confidence import score_name
from understudy.effects.holds import close_holds, hold_opened
from understudy.errors import AgentError, Conflict
from understudy.hourly import Hourly
from understudy.learning.redraft_draw import is_wanted, plan_of, slices_without_plan
from understudy.learning.redraft_keep import Made, Source, Work, keep
from understudy.ports.agent import DraftRequest, rehearsal_of
from understudy.ports.clock import Clock
from understudy.ports.opinion import OpinionRequest
from understudy.ports.store import Store, Transaction
from understudy.ports.telemetry import Telemetry
from understudy.records.codec import digest, dump, load
from understudy.records.evidence import Draft, Evidence, Opinion, says_same
from understudy.records.redraft import RedraftPlan, RedraftTerms
from understudy.records.release import Chosen, Release, Stage, Stated
from understudy.records.review import Hold, HoldKind
from understudy.records.rulebook import Rulebook, Rules, calibrator_in

DRAW_EVERY: Final = timedelta(minutes=1)
AT_ONCE_MAX: Final = 4
"""Redrafts under way at a time."""
AWAITED_MAX: Final = 25
"""So many of a slice may wait for people; more are made when they have judged some."""
DRAFTS: Final = frozenset({Stage.SHADOW, Stage.CANARY, Stage.FULL})
"""Stages of a release for which redrafts are made."""
OVER: Final = frozenset({Stage.ROLLED_BACK, Stage.RETIRED})
"""Stages of a release whose redrafts nobody needs any more."""

Ask = Callable[[DraftRequest], Awaitable[Draft]]
"""Has the release that the request chose draft, as a rehearsal; raises `AgentError`."""
Opine = Callable[[OpinionRequest], Awaitable[tuple[Opinion, ...]]]
"""Asks the second opinions about a draft."""


class Redrafting:
    """See the module. `stated` are the versions that the configuration states, by id; `tuned_on` reads which turns are
    cases of the suites that releases have to pass. `opine` None: no opinions are configured."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        telemetry: Telemetry,
        rules: Callable[[], Rules],
        stated: Mapping[str, Stated],
        *,
        ask: Ask,
        checks: tuple[Check, ...],
        terms: RedraftTerms,
        tuned_on: Callable[[], frozenset[str]],
        opine: Opine | None = None,
    ) -> None:
        self._store = store
        self._clock = clock
        self._telemetry = telemetry
        self._rules = rules
        self._stated = stated
        self._ask = ask
        self._checks = checks
        self._terms = terms
        self._tuned_on = tuned_on
        self._opine = opine
        self._draw_at: datetime | None = None
        self._withdrawn: set[tuple[str, int]] = set()
        self._budget = Hourly(terms.per_hour_max)

    async def sweep(self) -> int:
        """Draw for new releases, and make what is next of every plan; returns how many were made."""
        now = self._clock.now()
        is_time = self._draw_at is None or self._draw_at <= now
        if is_time:
            self._draw_at = now + DRAW_EVERY
            await self._withdraw()
        if not self._terms.per_slice_max:
            return 0
        if is_time:
            await self._draw()
        done = 0
        for release_id, topic, channel in await self._store.read(self._under_way):
            done += await self._go_on(release_id, topic, channel)
        return done

    # Drawing -----------------------------------------------------------------------------------------------------

    async def _draw(self) -> None:
        def missing(tx: Transaction) -> list[Release]:
            found = (one for one in tx.releases.roster().candidates() if self._can_rehearse(one))
            return [one for one in found if slices_without_plan(tx, self._rules(), one)]

        releases = await self._store.read(missing)
        if not releases:
            return
        tuned_on = await asyncio.to_thread(self._tuned_on)
        for release in releases:
            await self._draw_for(release, tuned_on)

    async def _draw_for(self, release: Release, tuned_on: frozenset[str]) -> None:
        now, draw = self._clock.now(), self._clock.random()

        def step(tx: Transaction) -> None:
            for epoch in slices_without_plan(tx, self._rules(), tx.releases.get(release.id)):
                seed = f"{draw!r}\n{release.id}\n{epoch.id}"
                plan = plan_of(tx, epoch, release, self._terms, seed=seed, tuned_on=tuned_on, now=now)
                if plan is None:
                    continue
                tx.redrafts.add(plan)
                tx.ledger.append(
                    "redraft.drawn",
                    at=now,
                    release=release.id,
                    topic=plan.topic,
                    channel=plan.channel,
                    baseline=plan.baseline,
                    epoch=plan.epoch,
                    seed=plan.seed,
                    pool=plan.pool,
                    drawn=list(plan.drawn),
                    tuned_on=list(plan.tuned_on),
                )

        await self._store.write(step)

    async def _withdraw(self) -> None:
        """Spare people the redrafts of what was taken back or given up; they count as bad when their time has passed."""
        roster = await self._store.read(lambda tx: tx.releases.roster())
        over = [one for one in roster.releases if one.stage in OVER and (one.id, one.version) not in self._withdrawn]
        if not over:
            return

        def step(tx: Transaction) -> None:
            for release in over:
                for plan in tx.redrafts.of_release(release.id):
                    of_slice = (plan.topic, plan.channel, release.key)
                    for redraft in tx.candidates.awaited_redrafts(*of_slice, limit=len(plan.drawn)):
                        close_holds(tx, self._clock, redraft.turn_id, HoldKind.REDRAFT)

        await self._store.write(step)
        self._withdrawn.update((one.id, one.version) for one in over)

    def _can_rehearse(self, release: Release) -> bool:
        stated = self._stated.get(release.id)
        return stated is not None and stated.can_rehearse

    # Making ------------------------------------------------------------------------------------------------------

    def _under_way(self, tx: Transaction) -> list[tuple[str, str, str]]:
        now = self._clock.now()
        releases = [one for one in tx.releases.roster().releases if one.stage in DRAFTS and self._can_rehearse(one)]
        return [
            (release.id, plan.topic, plan.channel)
            for release in releases
            if not release.is_first
            for plan in tx.redrafts.of_release(release.id)
            if (plan.again_at is None or plan.again_at <= now) and is_wanted(tx, plan, release)
        ]

    async def _go_on(self, release_id: str, topic: str, channel: str) -> int:
        work = await self._store.read(lambda tx: self._next(tx, release_id, topic, channel))
        if work is None:
            return 0
        self._budget.spend(self._clock.now(), len(work.sources))
        found = await asyncio.gather(*(self._one(work, one) for one in work.sources))
        try:
            plan, opened = await self._store.write(lambda tx: self._keep(tx, work, found))
        except Conflict:
            return 0  # the release moved on, or what makes the confidence did, or another process made the same
        for hold in opened:
            self._telemetry.emit(hold_opened(hold))
        return plan.done - work.plan.done

    def _next(self, tx: Transaction, release_id: str, topic: str, channel: str) -> Work | None:
        release, plan = tx.releases.get(release_id), tx.redrafts.get(release_id, topic, channel)
        assert plan is not None, "it was read just before, and no plan is ever taken away"
        awaited = tx.candidates.awaited_redrafts(topic, channel, release.key, limit=AWAITED_MAX)
        room = min(AT_ONCE_MAX, self._budget.room(self._clock.now()), AWAITED_MAX - len(awaited))
        if room <= 0 or not is_wanted(tx, plan, release):
            return None
        rulebook = self._rulebook(tx, plan, release)
        return Work(
            plan=plan,
            release=release,
            sources=tuple(_source(tx, seq) for seq in plan.drawn[plan.done : plan.done + room]),
            rulebook=rulebook,
            score=score_name(rulebook.rules, rulebook.rules.calibrator),
        )

    def _rulebook(self, tx: Transaction, plan: RedraftPlan, release: Release) -> Rulebook:
        """The rules in force, with the calibrator that the release's drafts get here now."""
        own = tx.epochs.current(plan.topic, plan.channel, release.key)
        latest = tx.calibrators.latest() if own is None else tx.calibrators.get(calibrator_in(own.calibrator))
        rules = replace(self._rules(), calibrator=latest, earned=None)
        return Rulebook(id=digest(dump(rules)), rules=rules)

    async def _one(self, work: Work, one: Source) -> Made:
        """Have it draft and assess that as it would be assessed if a customer waited."""
        if one.evidence is None:
            return Made(source=one.candidate, error="no_evidence")
        release = work.release
        chosen = Chosen(agent=release.agent, id=release.id, release=release)
        request = rehearsal_of(one.evidence, chosen, deadline_s=self._terms.draft_s_max)
        try:
            draft = await self._ask(request)
        except AgentError as error:
            return Made(source=one.candidate, error=error.code)
        if draft.agent_version != release.key:
            return Made(source=one.candidate, error="other_version")  # what answered was never released
        opinions = await self._opinions(request, draft)
        if any(opinion.error is not None for opinion in opinions):
            return Made(source=one.candidate, error="no_opinion")
        evidence = replace(one.evidence, draft=draft, agent_error=None, opinions=opinions)
        assessment = assess(evidence, work.rulebook, checks=self._checks)
        is_same = says_same(one.evidence.draft, draft)
        return Made(source=one.candidate, evidence=evidence, assessment=assessment, is_same=is_same)

    async def _opinions(self, request: DraftRequest, draft: Draft) -> tuple[Opinion, ...]:
        if self._opine is None:
            return ()
        return await self._opine(
            OpinionRequest(
                turn_id=request.turn_id,
                conversation_id=request.conversation_id,
                channel=request.channel,
                messages=request.messages,
                draft=draft,
                deadline_s=request.deadline_s,
            )
        )

    def _keep(self, tx: Transaction, work: Work, found: list[Made]) -> tuple[RedraftPlan, list[Hold]]:
        release = tx.releases.get(work.release.id)
        rules = self._rulebook(tx, work.plan, release).rules
        if release.stage not in DRAFTS or score_name(rules, rules.calibrator) != work.score:
            raise Conflict(f"release {release.id}, or the score, moved on while turns were redrafted")
        return keep(tx, self._clock, work, found, judged_within=self._terms.judged_within)


def _source(tx: Transaction, seq: int) -> Source:
    source = tx.candidates.get(seq)
    assert source is not None, f"draft {seq} was drawn and is gone"
    evidence = tx.artifacts.get(source.turn_id, "evidence")
    return Source(candidate=source, evidence=None if evidence is None else load(Evidence, evidence))
