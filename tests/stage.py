"""A whole house on a stage: every flow over a SQLite file, with a scripted agent, a recording channel, a frozen clock.

Jobs are run by hand and in order, so a test can look between any two steps; nothing happens while a test is not
asking for it. Everything is synchronous from outside: the stage owns an event loop. It judges nothing.
"""

from __future__ import annotations

import asyncio
import itertools
import shutil
import sys
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar

import pytest
from sqlalchemy import event

from understudy.adapters.stores.migrate import upgrade
from understudy.adapters.stores.sql_store import SqlStore
from understudy.assessment.checks import CHECKS, OPINIONS
from understudy.delivery.acting import Acting
from understudy.delivery.action_desk import ActionDesk
from understudy.delivery.outbox import Outbox
from understudy.delivery.reports import Reports
from understudy.learning.flow import Learning
from understudy.learning.orders import Orders
from understudy.ports.store import Committed, Transaction
from understudy.ports.telemetry import Event
from understudy.records.codec import digest, dump, load
from understudy.records.conversation import Conversation, Inbound, Message
from understudy.records.evidence import ChatMessage, Draft
from understudy.records.ledger import LedgerEntry
from understudy.records.outbox import OutboxEntry
from understudy.records.review import Hold, HoldState
from understudy.records.rulebook import Rulebook
from understudy.records.turn import (
    ACTION_JOB,
    HOLD_JOB,
    LEARNING_JOB,
    OUTBOX_JOB,
    SEED_JOB,
    TURN_JOB,
    VERDICT_JOB,
    Job,
    Turn,
)
from understudy.review.conversations import Conversations
from understudy.review.feedback import FeedbackDesk
from understudy.review.holds import Holds
from understudy.review.quality import Reviewers
from understudy.review.seeds import Seeds
from understudy.review.trust import Trust
from understudy.review.verdicts import Verdicts
from understudy.summaries.flow import SummaryDesk
from understudy.tickets.flow import TicketDesk
from understudy.turn.drafting import Drafting
from understudy.turn.facts import FactReading
from understudy.turn.flow import TurnFlow
from understudy.turn.intake import Intake, Received
from understudy.turn.limits import FlowLimits
from understudy.turn.opinions import SecondOpinions
from understudy.turn.places import Places

sys.path.insert(0, str(Path(__file__).parent))  # test files are no package
from chaining import is_chained
from postgres import Copies, Postgres
from stage_people import People
from stage_plan import FOLLOW_UP, NEVER_WAIT, NOTICE, OVERDUE, SORRY, TARGETS, TOPIC, Plan, answers_by_text, rules
from stage_releases import LettingOut, Versions

__all__ = [
    "FOLLOW_UP",
    "NEVER_WAIT",
    "NOTICE",
    "OVERDUE",
    "SORRY",
    "TARGETS",
    "TOPIC",
    "Plan",
    "answers_by_text",
    "is_chained",
    "rules",
]

T = TypeVar("T")

LOOKS_MAX = 2_000  # how many jobs one `settle` runs before it says that they never end


class Stage(People):
    """See the module. `telemetry` holds every event, `hints` the jobs that were announced and not yet looked at."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.clock = plan.clock
        self.agent, self.channel = plan.agent, plan.channel
        self.telemetry: list[Event] = []
        self.hints: deque[tuple[Job, datetime | None]] = deque()
        self._runner = asyncio.Runner()
        self._successor: Stage | None = None
        self.kept = SqlStore(plan.url or f"sqlite:///{plan.path}")
        if plan.url is None:
            event.listen(self.kept.engine, "connect", _do_not_sync)
        self.store = plan.wrap(self.kept)
        self.store.subscribe(self._announced)
        self.rulebook = Rulebook(id=digest(dump(plan.rules)), rules=plan.rules)
        agents = tuple(agent for agent in (plan.agent, plan.fallback) if agent is not None)
        store, clock = self.store, self.clock
        self.places = Places(store, clock, plan.call_limits)
        self.versions = Versions(plan, clock, agents)
        self.drafting = Drafting(clock, self, self.versions.picks, limits=plan.drafting, places=self.places)
        expires, lapse_s = plan.hold_expires_after_s, plan.lapse_s
        given = {"seed_rate": plan.seed_rate, "feedback": plan.feedback, "nobody_home": plan.nobody_home}
        limits = FlowLimits(hold_expires_after_s=expires, lapse_s=lapse_s, **given)
        others = SecondOpinions(clock, plan.opinions) if plan.opinions else None
        checks = (*CHECKS, OPINIONS) if plan.opinions else CHECKS
        self.outbox = outbox = Outbox(store, clock, self, plan.channels, **plan.sending)
        self.reports = Reports(store, clock, self, nobody_home=plan.nobody_home)
        self._do_beside(plan)
        self.flow = flow = TurnFlow(
            store,
            clock,
            self,
            self.drafting,
            lambda: self.rulebook,
            limits=limits,
            checks=checks,
            opinions=others,
            following=outbox,
            route=self.versions.routes,
            facts=FactReading(clock, self, plan.systems) if plan.systems else None,
            proofs=plan.vouches,
        )
        self.intake = Intake(store, clock, self, following=flow, **plan.taking_in)
        self.holds = Holds(store, clock, self, **plan.holding)
        self._review(plan, outbox)
        self._learn(plan)
        self.letting_out = LettingOut(plan, store, clock, self, self.versions, checks)
        self._handlers = {
            TURN_JOB: self.flow.advance,
            OUTBOX_JOB: self.outbox.deliver,
            ACTION_JOB: self.acting.carry_out,
            HOLD_JOB: self.holds.look,
            VERDICT_JOB: self.verdicts.look,
            LEARNING_JOB: self.learning.look,
            SEED_JOB: self.seeds.look,
        }

    def _do_beside(self, plan: Plan) -> None:
        store, clock, proof, away = self.store, self.clock, plan.proof, plan.nobody_home
        self.summaries = SummaryDesk(store, clock, self, plan.summariser, limits=plan.summary_limits)
        given = {"limits": plan.ticket_limits, "awaits": self.summaries.is_awaited}
        self.tickets = TicketDesk(store, clock, self, plan.opens, proofs=lambda _: proof, **given)
        self.acting = Acting(store, clock, self, plan.executors, limits=plan.acting, nobody_home=plan.nobody_home)
        self.action_desk = ActionDesk(store, clock, self, rules=lambda: self.rulebook.rules.actions, nobody_home=away)

    def _review(self, plan: Plan, outbox: Outbox) -> None:
        store, clock = self.store, self.clock
        terms: dict[str, Any] = {"terms": plan.reviewing}
        expiry: dict[str, Any] = {"hold_expires_after_s": plan.hold_expires_after_s}
        actions = {"actions": lambda: self.rulebook.rules.actions, "nobody_home": plan.nobody_home}
        self.verdicts = Verdicts(
            store, clock, self, business=lambda: "Acme", following=outbox, **actions, **expiry, **terms
        )
        self.seeds = Seeds(store, clock, self, age=plan.seed_age, **expiry)
        self.reviewers = Reviewers(store, **terms)
        self.conversations = Conversations(store, clock)
        self.trust = Trust(store, clock)
        self.feedback = FeedbackDesk(store, clock, self, terms=plan.feedback)

    def _learn(self, plan: Plan) -> None:
        earning: dict[str, Any] = {"targets_of": lambda _topic: plan.targets, "terms": plan.terms}
        self.learning = Learning(self.store, self.clock, self, lambda: self.rulebook.rules, **earning)
        self.orders = Orders(self.store, self.clock, self, lambda: self.rulebook.rules, **earning)

    def emit(self, happened: Event) -> None:
        self.telemetry.append(happened)

    def _announced(self, committed: Committed) -> None:
        self.hints.extend(committed.jobs)

    def take_along(self, *, has_room: bool = True) -> None:
        """Let steps take the next flow's first step along from now on, as in a server that has room."""
        self.has_room_here = has_room
        self.flow.begin(self)
        self.outbox.begin(self)

    def has_room(self, _kind: str) -> bool:
        """Be the dispatcher that is asked."""
        return self.has_room_here

    def go_on(self, job: Job) -> None:
        """Be the dispatcher that goes on: the job is run by the next `settle`."""
        self.hints.append((job, None))

    def run(self, coroutine: Awaitable[T]) -> T:
        """Run to the end, letting whatever was started go on meanwhile."""

        async def awaited() -> T:
            return await coroutine

        return self._runner.run(awaited())

    def start(self, coroutine: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Start something and let it go on until everything waits."""

        async def begin() -> asyncio.Task[T]:
            task = asyncio.ensure_future(coroutine)
            for _ in range(50):
                await asyncio.sleep(0.001)
            return task

        return self._runner.run(begin())

    def receive(self, text: str, *, provider_id: str | None = None, to: str = "e-1", **fields: Any) -> Received:
        """Take a customer's message in; nothing is done about it yet."""
        inbound = self.inbound(text, provider_id=provider_id, to=to, **fields)
        return self.run(self.intake.receive(self.channel.name, inbound))

    def inbound(self, text: str, *, provider_id: str | None = None, to: str = "e-1", **fields: Any) -> Inbound:
        return Inbound(
            provider_id=provider_id or self.clock.new_id("p"),
            external_id=to,
            text=text,
            **{"topic": TOPIC, "address": f"at-{to}", **fields},
        )

    def submit(
        self, text: str, *, draft: Draft | None = None, to: str = "e-1", provider_id: str | None = None
    ) -> Received:
        """Hand over a turn whose caller keeps the conversation."""
        transcript = (ChatMessage(role="user", content=text),)
        inbound = self.inbound(text, to=to, provider_id=provider_id)
        return self.run(self.intake.submit(self.channel.name, inbound, transcript=transcript, draft=draft))

    def settle(self) -> None:
        """Do everything that is due now."""
        for _ in range(LOOKS_MAX):
            job = self._next_due()
            if job is None:
                return
            self.look(job)
        raise AssertionError(f"{LOOKS_MAX} jobs were run and there is still one due: {job}")

    def look(self, job: Job) -> None:
        """Run one job."""
        self.run(self._handlers[job.kind](job.key))

    def _next_due(self) -> Job | None:
        for place, (job, at) in enumerate(self.hints):
            if at is None or at <= self.clock.now():
                del self.hints[place]
                return job
        return None

    def pass_time(self, seconds: float) -> None:
        """Let time pass and do what has become due."""
        self.clock.advance(seconds)
        self.sweep()

    def sweep(self) -> None:
        """Announce and do whatever the tables say is due."""
        for flow in (self.flow, self.outbox, self.acting, self.verdicts, self.holds, *self.beside):
            self.run(flow.sweep())
        self.settle()

    def gather_only(self) -> Any:
        """Take the only conversation's turn up to the moment before it is assessed, and say what was gathered."""
        conversation = self.conversation().id
        asked = self.store.write_now(lambda tx: self.flow._take_up(tx, conversation))
        return self.run(self.flow._draft(asked))

    def ask(self, text: str, **fields: Any) -> Turn:
        """Take a message in and see it through; returns its turn."""
        received = self.receive(text, **fields)
        self.settle()
        return self.turn(received.turn_id)

    def restarted(self, **changes: Any) -> Stage:
        """Leave everything as it is and go on in a new process over the same file, as a server does at its start."""
        self.close()
        self._successor = stage = Stage(replace(self.plan, **changes))
        stage.run(stage.flow.release_leases())
        stage.sweep()
        return stage

    def close(self) -> None:
        self.kept.close_now()
        self._runner.close()
        if self._successor is not None:
            self._successor.close()

    def read(self, query: Callable[[Transaction], T]) -> T:
        return self.kept.read_now(query)

    def turn(self, turn_id: str) -> Turn:
        return self.read(lambda tx: tx.turns.get(turn_id))

    @property
    def turns(self) -> list[Turn]:
        return self.read(lambda tx: tx.turns.listed(after=0, limit=100_000))

    @property
    def open_holds(self) -> list[Hold]:
        return self.read(lambda tx: tx.holds.queue(state=HoldState.OPEN, after=None, limit=100_000))

    @property
    def all_holds(self) -> list[Hold]:
        return self.read(lambda tx: tx.holds.queue(state=None, after=None, limit=100_000))

    def conversation(self, to: str = "e-1") -> Conversation:
        found = self.read(lambda tx: tx.conversations.find(self.channel.name, to))
        assert found is not None, f"no conversation {to!r}"
        return found

    def messages(self, to: str = "e-1") -> list[Message]:
        return self.read(lambda tx: tx.messages.of_conversation(self.conversation(to).id, limit=100_000))

    def entries_of(self, turn: Turn) -> list[OutboxEntry]:
        return self.read(lambda tx: tx.outbox.of_turn(turn.id))

    @property
    def ledger(self) -> list[LedgerEntry]:
        return self.read(lambda tx: tx.ledger.entries(limit=1_000_000))

    def draft(self, turn: Turn) -> Draft:
        """What an agent proposed for a turn."""
        stored = self.read(lambda tx: tx.artifacts.get(turn.id, "draft"))
        assert stored is not None, f"nobody drafted for {turn.id}"
        return load(Draft, stored)

    @property
    def ledger_events(self) -> list[str]:
        return [entry.event for entry in self.ledger]

    def emitted(self, kind: type[T]) -> list[T]:
        return [happened for happened in self.telemetry if isinstance(happened, kind)]


def _do_not_sync(connection: Any, _record: Any) -> None:
    """These tests kill no power; waiting for the disk would only make them slow."""
    connection.execute("PRAGMA synchronous=OFF")


# Fixtures of the folders that play on the stage, named in their conftest.py -----------------------------------


@pytest.fixture(scope="session")
def staging() -> ModuleType:
    """This module: its classes, rules and safe replies."""
    return sys.modules[__name__]


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database file with today's schema, to be copied for each stage."""
    path = tmp_path_factory.mktemp("template") / "store.db"
    store = SqlStore(f"sqlite:///{path}")
    upgrade(store.engine)
    store.close_now()  # The last to close also empties the write-ahead log, so the file alone is the database.
    return path


@pytest.fixture(scope="session")
def migrated_postgres(postgres_server: Postgres, postgres_template: str) -> Copies:
    """PostgreSQL databases with today's schema."""
    return Copies(postgres_server, postgres_template)


@pytest.fixture
def build(request: pytest.FixtureRequest, migrated: Path, tmp_path: Path) -> Iterator[Callable[..., Stage]]:
    """Make a stage on a fresh database, a SQLite file unless `ON_EACH_STORE` says more; name what is not as in `Plan`."""
    numbers = itertools.count(1)
    with ExitStack() as at_the_end:

        def stage(**plan: Any) -> Stage:
            path = tmp_path / f"store-{next(numbers)}.db"
            if getattr(request, "param", "sqlite") == "sqlite":
                plan = {"path": shutil.copy(migrated, path), **plan}
            else:
                lent = request.getfixturevalue("migrated_postgres").lent()
                plan = {"path": path, "url": at_the_end.enter_context(lent), **plan}
            made = Stage(Plan(**plan))
            at_the_end.callback(made.close)
            return made

        yield stage
