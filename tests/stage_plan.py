"""What a stage (tests/stage.py) is built of, and the rules most stages play by; it builds nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from understudy.delivery.outbox import OutboxLimits
from understudy.delivery.outcomes import ActingLimits
from understudy.effects.absence import NobodyHome
from understudy.effects.disclosing import Disclosing
from understudy.ports.acting import Executor
from understudy.ports.agent import Agent
from understudy.ports.calls import CallLimits
from understudy.ports.store import Store
from understudy.ports.summariser import Summariser
from understudy.records.autonomy import Targets, Terms
from understudy.records.codec import digest
from understudy.records.disclosure import ChannelDisclosure
from understudy.records.evidence import Draft
from understudy.records.facts import Proof
from understudy.records.feedback import FeedbackTerms
from understudy.records.redraft import RedraftTerms
from understudy.records.release import Part, Stated, content_id
from understudy.records.reviewing import ReviewTerms
from understudy.records.rollout import ReleaseTerms
from understudy.records.rulebook import Grant, Level, Rules, SafeReply
from understudy.records.staffing import NO_STAFFING, Staffing
from understudy.release.orders import Gate
from understudy.review.holds import ReviewLimits
from understudy.summaries.flow import SummaryLimits
from understudy.testing.scripted import FrozenClock, RecordingChannel, ScriptedAgent
from understudy.tickets.flow import Opens, TicketLimits
from understudy.turn.admitting import IntakeLimits
from understudy.turn.asides import Asides
from understudy.turn.coalescing import CoalescingLimits
from understudy.turn.drafting import DraftingLimits
from understudy.turn.facts import Consulted
from understudy.turn.opinions import Asked

TARGETS = Targets(risk_max=0.05, severe_max=0.05, delta=0.05, sensitivity=1.0)
TOPIC = "orders"
NEVER_WAIT = CoalescingLimits(window_s_min=0, window_s_max=0, burst_s_max=0)

ON_EACH_STORE = pytest.mark.parametrize(
    "build", ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)], indirect=True
)
"""Marks a test, or a file of them, whose stages are to be played on PostgreSQL as well as on a SQLite file."""

SORRY = SafeReply(id="sorry", version=1, text="Sorry, please try again in a minute.")
FOLLOW_UP = SafeReply(id="follow_up", version=2, text="A colleague will look into this.", then_hand_off=True)
NOTICE = SafeReply(id="notice", version=1, text="A colleague takes over from here.")
OVERDUE = SafeReply(id="overdue", version=1, text="This takes us longer than it should.")


def rules(level: Level = Level.AUTO, **fields: Any) -> Rules:
    """Rules that let every draft out that no hard rule holds (or, with another level, none)."""
    given: dict[str, Any] = {
        "grants": (Grant(topic="*", channel="*", level=level, threshold=0.0),),
        "safe_replies": (SORRY, FOLLOW_UP, NOTICE, OVERDUE),
        "audit_rate": 0.0,
    }
    return Rules(**{**given, **fields})


def answers_by_text(request: Any) -> Draft:
    """An agent that repeats what it was asked, so that each answer can be told from every other."""
    asked = " + ".join(message.content for message in request.messages if message.role == "user")
    return Draft(text=f"About: {asked}", agent="echo", agent_version="v1")


@dataclass(kw_only=True)
class Plan:
    """What a stage is built of; a restarted stage is built of the same plan. `url`: a database instead of the file."""

    path: Path
    url: str | None = None
    agent: Agent = field(default_factory=lambda: ScriptedAgent(answers_by_text, name="echo"))
    fallback: Agent | None = None
    channel: RecordingChannel = field(default_factory=RecordingChannel)
    clock: FrozenClock = field(default_factory=FrozenClock)
    rules: Rules = field(default_factory=rules)
    coalescing: CoalescingLimits = NEVER_WAIT
    intake: IntakeLimits = field(default_factory=IntakeLimits)
    drafting: DraftingLimits = field(default_factory=DraftingLimits)
    outbox: OutboxLimits = field(default_factory=OutboxLimits)
    asides: Asides = field(default_factory=Asides)
    disclosures: Mapping[str, ChannelDisclosure] = field(default_factory=dict)
    review: ReviewLimits = field(default_factory=ReviewLimits)
    expiry_reply: SafeReply | None = OVERDUE
    hold_expires_after_s: float | None = 900.0
    lapse_s: float | None = None
    opinions: Sequence[Asked] = ()
    systems: Sequence[Consulted] = ()
    proof: Proof = "address"
    proofs: Mapping[str, Proof] = field(default_factory=dict)
    """What single channels vouch for; the others all vouch for `proof`."""
    more_channels: Sequence[RecordingChannel] = ()
    opens: Sequence[Opens] = ()
    ticket_limits: TicketLimits = field(default_factory=TicketLimits)
    summariser: Summariser | None = None
    summary_limits: SummaryLimits | None = None
    targets: Targets = TARGETS
    terms: Terms = field(default_factory=Terms)
    reviewing: ReviewTerms = field(default_factory=ReviewTerms)
    feedback: FeedbackTerms = field(default_factory=FeedbackTerms)
    seed_rate: float = 0.0
    nobody_home: NobodyHome | None = None
    staffing: Staffing = NO_STAFFING
    seed_age: timedelta = timedelta(days=14)
    executors: Mapping[str, Executor] = field(default_factory=dict)
    acting: ActingLimits = field(default_factory=ActingLimits)
    call_limits: Mapping[str, CallLimits] = field(default_factory=dict)
    versions: Mapping[str, Agent] = field(default_factory=dict)
    """Further versions of the agent, by entry; each answers as the agent does, as far as it was released."""
    release_terms: ReleaseTerms = field(default_factory=ReleaseTerms)
    gate: Gate | None = None
    redrafting: RedraftTerms = field(default_factory=RedraftTerms)
    tuned_on: list[str] = field(default_factory=list)
    """Turns that are cases of the suites that releases have to pass."""
    may_act: Sequence[str] = ()
    """Entries whose agents may do something when they are asked."""
    changed_in_place: str = ""
    """What the agent's own entry was changed to without being another entry."""
    wrap: Callable[[Store], Store] = lambda store: store

    def vouches(self, channel: str) -> Proof:
        """What a channel vouches for."""
        return self.proofs.get(channel, self.proof)

    @property
    def channels(self) -> dict[str, RecordingChannel]:
        """All channels by name."""
        return {channel.name: channel for channel in (self.channel, *self.more_channels)}

    @property
    def sending(self) -> dict[str, Any]:
        """How messages are sent."""
        minded = self.asides.opt_out.channels
        away = {"nobody_home": self.nobody_home}
        return {"limits": self.outbox, "disclose": self.disclosing.settle, "minded": minded, **away}

    @property
    def holding(self) -> dict[str, Any]:
        """How holds end where nobody looks."""
        return {"limits": self.review, "expiry_reply": self.expiry_reply, "nobody_home": self.nobody_home}

    @property
    def taking_in(self) -> dict[str, Any]:
        """How messages are taken in."""
        return {
            "limits": self.intake,
            "coalescing": self.coalescing,
            "proofs": self.vouches,
            "asides": self.asides,
            "nobody_home": self.nobody_home,
        }

    @property
    def disclosing(self) -> Disclosing:
        """What the channel discloses."""
        return Disclosing(self.disclosures, chars_max={self.channel.name: self.channel.capabilities.chars_max})

    @property
    def entries(self) -> dict[str, Agent]:
        """All versions of the agent, its own entry first."""
        return {self.agent.name: self.agent, **self.versions}

    @property
    def stated(self) -> dict[str, Stated]:
        """The versions, each made of nothing but its name."""

        def of(entry: str) -> Stated:
            content = self.changed_in_place or entry if entry == self.agent.name else entry
            parts = (Part(name="model", digest=digest(content), words=entry),)
            agent, may_act = self.agent.name, entry in self.may_act
            return Stated(id=content_id(agent, parts), agent=agent, entry=entry, parts=parts, may_act=may_act)

        return {entry: of(entry) for entry in self.entries}
