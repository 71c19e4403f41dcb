"""One turn as one sentence: close the burst, draft, gather, assess, commit. Each step is committed before the next.

A crash between any two steps loses nothing: the row says how far the turn came, and the next look goes on from there.
Only the oldest open turn of a conversation advances, so replies keep the order of the questions.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from understudy.assessment.assess import assess
from understudy.assessment.check import Check
from understudy.assessment.checks import CHECKS
from understudy.effects.holds import hold_opened
from understudy.effects.taking_along import Nobody, TakenAlong, TakesAlong
from understudy.effects.under_way import under_way
from understudy.effects.vouching import Proofs, who_of
from understudy.errors import AgentError, StepSuperseded
from understudy.ports.clock import Clock
from understudy.ports.dispatch import Dispatcher
from understudy.ports.opinion import OpinionRequest
from understudy.ports.store import Store, Transaction
from understudy.ports.telemetry import Telemetry
from understudy.records.codec import digest, dump, load
from understudy.records.conversation import Mode
from understudy.records.evidence import Draft, Evidence, Opinion
from understudy.records.facts import Facts
from understudy.records.rulebook import Rulebook
from understudy.records.text import storable
from understudy.records.turn import TURN_JOB, WORKING, Job, Turn, TurnState
from understudy.turn.commit import Committed, commit, is_still_so, turn_decided
from understudy.turn.drafting import Drafting
from understudy.turn.facts import FactReading
from understudy.turn.gathering import draft_request, gather, keep_facts, transcript_of
from understudy.turn.limits import FlowLimits
from understudy.turn.opinions import SecondOpinions
from understudy.turn.releases import Route, nowhere
from understudy.turn.replay import judged_by
from understudy.turn.standing import in_force
from understudy.turn.work import Asked, Drafted, Gathered

SWEEP_MAX = 500
"""How many overdue turns one sweep announces; the rest wait for the next."""


class TurnFlow:
    """Takes turns from their first message to a decision. `following` sends what is decided; None: who hears of it does.

    `route` says which release of an agent drafts for a conversation. `facts` reads what systems of record know, before the
    agent is asked, of customers whom `proofs` vouches for; None: there are none.
    """

    def __init__(
        self,
        store: Store,
        clock: Clock,
        telemetry: Telemetry,
        drafting: Drafting,
        rulebook: Callable[[], Rulebook],
        *,
        limits: FlowLimits,
        checks: tuple[Check, ...] = CHECKS,
        opinions: SecondOpinions | None = None,
        following: TakesAlong | None = None,
        route: Route = nowhere,
        facts: FactReading | None = None,
        proofs: Proofs = lambda _channel: "none",
    ) -> None:
        self._store = store
        self._clock = clock
        self._telemetry = telemetry
        self._drafting = drafting
        self._rulebook = rulebook
        self._limits = limits
        self._checks = checks
        self._opinions = opinions
        self._route = route
        self._facts = facts
        self._proofs = proofs
        self._following = following or Nobody()
        self._under_way: set[Turn] = set()
        self._taken: TakenAlong[Asked | Drafted | Gathered] = TakenAlong(TURN_JOB)

    async def advance(self, conversation_id: str) -> None:
        """Take the conversation's oldest open turn as far as it goes now; does nothing where another has the move."""
        while True:
            try:
                work = self._taken.pop(conversation_id) or await self._store.write(
                    lambda tx: self._take_up(tx, conversation_id)
                )
                if work is None:
                    return
                if isinstance(work, Asked):
                    work = await self._draft(work)
                if isinstance(work, Drafted):
                    work = await self._ask_others(work)
                decided = await self._decide(work)
                if decided.state is not TurnState.HANDED_OFF:
                    return  # It is delivered or held; whoever ends that asks for the next look.
            except StepSuperseded:
                continue  # The customer wrote again, or another worker was quicker; look again from the start.

    def begin(self, dispatcher: Dispatcher) -> None:
        """Draft here what is taken in here, from now on, as long as there is room."""
        self._taken.begin(dispatcher)

    def take_along(self, tx: Transaction, conversation_id: str) -> Asked | Drafted | Gathered | None:
        """Take up a turn in the step that made it due, if this process can go on with it at once."""
        if not self._taken.has_room():
            return None
        work = self._take_up(tx, conversation_id)
        if work is not None:
            self._taken.leased(tx, conversation_id)
        return work

    def go_on(self, conversation_id: str, taken: Asked | Drafted | Gathered) -> None:
        """Go on with a turn that was taken along."""
        self._taken.put(conversation_id, taken)

    async def sweep(self) -> int:
        """Announce every working turn whose time has come: after a crash, and where a hint was lost."""

        def step(tx: Transaction) -> int:
            due = tx.turns.due(self._clock.now(), limit=SWEEP_MAX)
            for turn in due:
                tx.announce(Job(kind=TURN_JOB, key=turn.conversation_id))
            return len(due)

        return await self._store.write(step)

    async def renew(self) -> int:
        """Keep the turns that are being drafted here from lapsing; to be called several times in `lapse_s`.

        Returns for how many.
        """
        turns = self._leased()
        if turns and self._limits.lapse_s is not None:
            await self._lapse(turns, self._clock.now() + timedelta(seconds=self._limits.lapse_s))
        return len(turns)

    async def hand_over(self) -> None:
        """Let others take up at once what was cut off here by a stop."""
        if turns := self._leased():
            await self._lapse(turns, self._clock.now())

    def _leased(self) -> list[Turn]:
        """The turns whose agents are being asked by this process, or will be at once."""
        return [*self._under_way, *(work.turn for work in self._taken.waiting() if isinstance(work, Asked))]

    async def _lapse(self, turns: Sequence[Turn], at: datetime) -> None:
        def step(tx: Transaction) -> None:
            for turn in turns:
                tx.turns.renew(turn, until=at)
                if at <= self._clock.now():
                    tx.announce(Job(kind=TURN_JOB, key=turn.conversation_id))

        await self._store.write(step)

    async def release_leases(self) -> None:
        """Make every working turn due now. Only for the start of a store's sole process: whoever held them is dead."""
        now = self._clock.now()

        def step(tx: Transaction) -> None:
            for turn in tx.turns.due(now + timedelta(days=365), limit=1_000_000):
                if turn.state is not TurnState.COLLECTING and turn.due_at != now:
                    tx.turns.touch(turn, due_at=now)
            tx.ledger.append("server.started", at=now)

        await self._store.write(step)

    def _take_up(self, tx: Transaction, conversation_id: str) -> Asked | Drafted | Gathered | None:
        """Take every step that needs nothing but the store; None where nothing is to be done now."""
        open_turns = tx.turns.open_of(conversation_id)
        if not open_turns or open_turns[0].state not in WORKING:
            return None
        turn = open_turns[0]
        if turn.state is TurnState.COLLECTING:
            if not self._is_due(turn):
                return None
            turn = self._close_burst(tx, turn)
            if turn.state is TurnState.DRAFTING:
                return self._ask(tx, turn)
        if turn.state is TurnState.DRAFTING:
            if not self._is_due(turn):
                return None  # Another worker holds its lease.
            return self._ask(tx, tx.turns.touch(turn, due_at=self._lease_ends()))
        if turn.state is TurnState.ASSESSING and (gathered := self._gathered_before(tx, turn)) is not None:
            return gathered
        stored, error = tx.artifacts.get(turn.id, "draft"), tx.artifacts.get(turn.id, "agent_error")
        draft = None if stored is None else load(Draft, stored)
        agent_error = None if error is None or draft is not None else load(str, error)
        if self._wants_opinions(tx, turn, draft) and not self._is_due(turn):
            return None  # They are being asked.
        return self._go_on(tx, turn, draft, agent_error)

    def _is_due(self, turn: Turn) -> bool:
        return turn.due_at is None or turn.due_at <= self._clock.now()

    def _close_burst(self, tx: Transaction, turn: Turn) -> Turn:
        """No more messages join this turn. A draft that came with it, or a person at work, needs no agent."""
        now = self._clock.now()
        has_draft = tx.artifacts.get(turn.id, "draft") is not None
        with_person = tx.conversations.get(turn.conversation_id).mode is Mode.PERSON
        to = TurnState.GATHERING if has_draft or with_person else TurnState.DRAFTING
        tx.ledger.append(f"turn.{to.value}", at=now, turn_id=turn.id, conversation_id=turn.conversation_id)
        due_at = self._lease_ends() if to is TurnState.DRAFTING else now
        return tx.turns.advance(turn, to, due_at=due_at, trace=turn.trace or _new_trace())

    def _lease_ends(self) -> datetime:
        longest_s = self._drafting.lease_s + (0.0 if self._facts is None else self._facts.lease_s)
        return self._clock.now() + timedelta(seconds=self._limits.lapse_s or longest_s)

    def _ask(self, tx: Transaction, leased: Turn) -> Asked:
        now = self._clock.now()
        tx.ledger.append("agent.asked", at=now, turn_id=leased.id, conversation_id=leased.conversation_id)
        chosen = self._route(tx, leased.conversation_id, leased.channel)
        rules, deadline_s = self._rulebook().rules, self._drafting.lease_s
        proof = self._proofs(leased.channel)
        zone = self._limits.timezone
        request = draft_request(tx, leased, rules, deadline_s=deadline_s, chosen=chosen, proof=proof, timezone=zone)
        is_read = self._facts is not None and self._facts.reads(leased.channel)
        return Asked(turn=leased, request=request, who=who_of(tx, leased, self._proofs) if is_read else None)

    async def _draft(self, asked: Asked) -> Drafted | Gathered:
        draft: Draft | None = None
        error = ""
        facts: tuple[Facts, ...] | None = None
        with under_way(self._under_way, asked.turn):
            if self._facts is not None and asked.who is not None:
                facts = await self._facts.read(asked.who, channel=asked.turn.channel, turn_id=asked.turn.id)
            try:
                draft = await self._drafting.draft(
                    replace(asked.request, facts=facts or ()),
                    trace=asked.turn.trace,
                    since=asked.turn.created_at,
                    is_wanted=lambda tx: tx.turns.get(asked.turn.id).token == asked.turn.token,
                )
            except AgentError as failure:
                error = storable(f"{failure.code}: {failure.message}")
            return await self._store.write(lambda tx: self._keep_draft(tx, asked.turn, draft, error, facts))

    def _keep_draft(
        self, tx: Transaction, turn: Turn, draft: Draft | None, error: str, facts: tuple[Facts, ...] | None
    ) -> Drafted | Gathered:
        now = self._clock.now()
        if facts is not None:
            keep_facts(tx, turn, facts, now)
        version = draft.agent_version if draft is not None else None
        if draft is not None:
            name = tx.artifacts.put(turn.id, "draft", dump(draft))
        else:
            name = tx.artifacts.put(turn.id, "agent_error", dump(error))
        tx.ledger.append(
            "turn.drafted",
            at=now,
            turn_id=turn.id,
            conversation_id=turn.conversation_id,
            agent=draft.agent if draft is not None else None,
            agent_version=version,
            document=name,
            failed=draft is None,
        )
        return self._go_on(tx, turn, draft, None if draft is not None else error)

    def _wants_opinions(self, tx: Transaction, turn: Turn, draft: Draft | None) -> bool:
        """Whether others are to be asked; nobody is where a person has the conversation, or to gather once more."""
        if self._opinions is None or draft is None or turn.state is TurnState.ASSESSING:
            return False
        return tx.conversations.get(turn.conversation_id).mode is Mode.AGENT

    def _go_on(self, tx: Transaction, turn: Turn, draft: Draft | None, agent_error: str | None) -> Drafted | Gathered:
        """Gather, or first lease the turn for as long as asking for second opinions takes."""
        if draft is None or self._opinions is None or not self._wants_opinions(tx, turn, draft):
            return self._gather(tx, turn, draft, agent_error)
        now = self._clock.now()
        until = now + timedelta(seconds=self._opinions.lease_s)
        tx.ledger.append("opinions.asked", at=now, turn_id=turn.id, conversation_id=turn.conversation_id)
        if turn.state is TurnState.DRAFTING:
            version = turn.agent_version or draft.agent_version
            turn = tx.turns.advance(turn, TurnState.GATHERING, due_at=until, agent_version=version)
        else:
            turn = tx.turns.touch(turn, due_at=until)
        return Drafted(turn=turn, draft=draft, messages=transcript_of(tx, turn, self._rulebook().rules))

    async def _ask_others(self, drafted: Drafted) -> Gathered:
        """Ask for second opinions with no transaction open, and gather what they said."""
        assert self._opinions is not None
        turn, draft = drafted.turn, drafted.draft
        request = OpinionRequest(
            turn_id=turn.id,
            conversation_id=turn.conversation_id,
            channel=turn.channel,
            messages=drafted.messages,
            draft=draft,
            deadline_s=self._opinions.lease_s,
            traceparent=turn.trace,
        )
        opinions = await self._opinions.ask(request)
        return await self._store.write(lambda tx: self._gather(tx, turn, draft, None, opinions))

    def _gather(
        self,
        tx: Transaction,
        turn: Turn,
        draft: Draft | None,
        agent_error: str | None,
        opinions: tuple[Opinion, ...] = (),
    ) -> Gathered:
        """Complete the evidence and store it with the rulebook that will judge it."""
        rules = self._rulebook().rules
        evidence = gather(
            tx,
            self._clock,
            turn,
            draft=draft,
            agent_error=agent_error,
            rules=rules,
            opinions=opinions,
            proof=self._proofs(turn.channel),
            timezone=self._limits.timezone,
        )
        rulebook = in_force(tx, self._rulebook(), evidence)
        if tx.rulebooks.put(rulebook, now=evidence.at):
            tx.ledger.append("rulebook.added", at=evidence.at, rulebook=rulebook.id)
        text = dump(evidence)
        name = tx.artifacts.put(turn.id, "evidence", text)
        tx.ledger.append(
            "turn.gathered",
            at=evidence.at,
            turn_id=turn.id,
            conversation_id=turn.conversation_id,
            evidence=name,
            rulebook=rulebook.id,
        )
        changes = {
            "due_at": evidence.at,
            "topic": evidence.topic,
            "rulebook_id": rulebook.id,
            "agent_version": turn.agent_version or (draft.agent_version if draft is not None else None),
        }
        if turn.state is TurnState.ASSESSING:
            turn = tx.turns.touch(turn, **changes)  # gathered again
        elif turn.state is TurnState.DRAFTING:
            turn = tx.turns.advance(turn, TurnState.GATHERING, TurnState.ASSESSING, **changes)
        else:
            turn = tx.turns.advance(turn, TurnState.ASSESSING, **changes)
        return Gathered(turn=turn, evidence=text, rulebook=rulebook)

    def _gathered_before(self, tx: Transaction, turn: Turn) -> Gathered | None:
        """What was gathered before a crash; None where it no longer holds: a person took the conversation over or gave
        it back since, or the autonomy of its slice is another."""
        evidence, rulebook = judged_by(tx, turn)
        if not is_still_so(tx, load(Evidence, evidence), rulebook.rules):
            return None
        return Gathered(turn=turn, evidence=evidence, rulebook=rulebook)

    async def _decide(self, gathered: Gathered) -> Turn:
        """Assess what was stored, never what is in memory, and make the decision true."""
        evidence, rulebook = load(Evidence, gathered.evidence), gathered.rulebook
        began = time.perf_counter()
        assessment = assess(evidence, rulebook, checks=self._checks)
        assess_ms = (time.perf_counter() - began) * 1000

        def step(tx: Transaction) -> tuple[Committed, Any]:
            committed = commit(
                tx,
                self._clock,
                gathered.turn,
                evidence=evidence,
                evidence_digest=digest(gathered.evidence),
                assessment=assessment,
                rules=rulebook.rules,
                limits=self._limits,
            )
            return committed, self._following.take_along(tx, gathered.turn.conversation_id)

        committed, taken = await self._store.write(step)
        if taken is not None:
            self._following.go_on(gathered.turn.conversation_id, taken)
        self._telemetry.emit(turn_decided(committed, evidence, assessment, assess_ms))
        for hold in committed.holds:
            self._telemetry.emit(hold_opened(hold))
        return committed.turn


def _new_trace() -> str:
    """A W3C trace context of its own for each turn; it identifies and is no secret."""
    return f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-01"
