"""The composition root: the only module that names an adapter or a flow; it builds, opens and closes, nothing else."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from understudy.adapters.dispatch.embedded import EmbeddedDispatcher
from understudy.adapters.stores import migrate
from understudy.adapters.stores.sole_process import SoleProcess
from understudy.adapters.stores.sql_store import SqlStore
from understudy.adapters.system_clock import SystemClock
from understudy.adapters.telemetry import logs
from understudy.adapters.telemetry.fan_out import FanOut
from understudy.adapters.telemetry.metrics import Metrics
from understudy.adapters.telemetry.recent import Recent
from understudy.adapters.telemetry.spans import Spans
from understudy.audit.flow import Audit
from understudy.auditing import watching
from understudy.connections import build_agent, build_identity, build_opinion
from understudy.contacts.desk import ContactDesk
from understudy.contacts.erasing import Erasing
from understudy.databases import open_store, takes_one_process
from understudy.delivery.acting import Acting
from understudy.delivery.action_desk import ActionDesk
from understudy.delivery.dead_letters import DeadLetters
from understudy.delivery.outbox import Outbox
from understudy.delivery.reports import Reports
from understudy.effects.disclosing import Disclosing
from understudy.errors import ConfigurationError, UnderstudyError
from understudy.evaluation.asking import Asking
from understudy.evaluation.casebook import Casebook, Suites
from understudy.evaluation.flips import Flips
from understudy.evaluation.spread import Spread
from understudy.learning.flow import Learning
from understudy.learning.orders import Orders
from understudy.learning.status import Status
from understudy.learning.topics import TopicLearning
from understudy.notes.showing import NOTES_JOB
from understudy.notes.taking import REMARK_JOB, Remarks
from understudy.notes.writing import NOTE_JOB, Notes
from understudy.oversight import (
    earning_terms,
    expiry_reply,
    reviewing,
    slow_sweeps_of,
    sweeps_of,
    topic_terms,
)
from understudy.pledges.desk import PledgeDesk
from understudy.plugins import checks_of
from understudy.ports.agent import Agent
from understudy.ports.channel import Channel
from understudy.ports.clock import Clock
from understudy.ports.dispatch import Dispatcher
from understudy.ports.identity import IdentityProvider
from understudy.ports.opinion import SecondOpinion
from understudy.ports.store import Committed
from understudy.ports.summariser import Summariser
from understudy.ports.system import System
from understudy.ports.telemetry import Telemetry
from understudy.quality.desk import QualityDesk
from understudy.records.release import Stated
from understudy.records.rulebook import Rulebook
from understudy.records.turn import ACTION_JOB, HOLD_JOB, LEARNING_JOB, OUTBOX_JOB, SEED_JOB, TURN_JOB, VERDICT_JOB
from understudy.release.orders import ReleaseOrders
from understudy.release.status import ReleaseReports
from understudy.releasing import letting_out, versions_of
from understudy.review.alike import AlikeVerdicts
from understudy.review.conversations import Conversations
from understudy.review.feedback import FeedbackDesk
from understudy.review.holds import Holds
from understudy.review.quality import Reviewers
from understudy.review.seeds import Seeds
from understudy.review.surveys import Surveys
from understudy.review.trust import Trust
from understudy.review.verdicts import Verdicts
from understudy.review.winning_back import WinBacks
from understudy.settings.absence import nobody_home_of
from understudy.settings.asked import agents_asked
from understudy.settings.model import Settings
from understudy.settings.rules import rulebook_of
from understudy.settings.staffed import staffing_of
from understudy.settings.stated import agent_of
from understudy.spreading import spreading
from understudy.staffing.desk import StaffingDesk
from understudy.staffing.flow import StaffingFlow
from understudy.tickets.flow import TicketDesk
from understudy.turn.flow import TurnFlow
from understudy.turn.intake import Intake
from understudy.turn.places import Places
from understudy.turn.pulling import Pulling
from understudy.turning import (
    LAPSE_S,
    acting_of,
    asides_of,
    call_limits,
    coalescing_of,
    drafting_of,
    flow_of,
    outbox_of,
    outside_of,
    second_opinions,
    ways_in_of,
)
from understudy.upkeep.contracts import Contracts
from understudy.upkeep.health import HealthDesk, OwnProcess
from understudy.upkeep.sweeps import Sweeps

STOP_GRACE_S = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class App:
    """Everything, built and wired. `base` is the folder that relative paths of the configuration start from.

    `is_alone`: no other process can work on this store.
    """

    settings: Settings
    base: Path
    clock: Clock
    store: SqlStore
    telemetry: Telemetry
    metrics: Metrics
    rulebook: Rulebook
    agents: Mapping[str, Agent]
    opinions: Mapping[str, SecondOpinion]
    channels: Mapping[str, Channel]
    systems: Mapping[str, System]
    contracts: Contracts
    summariser: Summariser | None
    identity: IdentityProvider | None
    stated: Mapping[str, Stated]
    intake: Intake
    flow: TurnFlow
    outbox: Outbox
    disclosing: Disclosing
    acting: Acting
    actions: ActionDesk
    reports: Reports
    pulling: Pulling
    tickets: TicketDesk
    outside_sweeps: tuple[Sweeps, ...]
    rewriting: Sweeps
    notes: Notes
    remarks: Remarks
    holds: Holds
    verdicts: Verdicts
    alike: AlikeVerdicts
    seeds: Seeds
    reviewers: Reviewers
    conversations: Conversations
    trust: Trust
    contacts: ContactDesk
    erasing: Erasing
    pledges: PledgeDesk
    staffing: StaffingFlow
    teams: StaffingDesk
    surveys: Surveys
    win_backs: WinBacks
    feedback: FeedbackDesk
    quality: QualityDesk
    casebook: Casebook
    learning: Learning
    orders: Orders
    status: Status
    releases: ReleaseOrders
    release_reports: ReleaseReports
    release_watch: tuple[Sweeps, ...]
    asking: Asking
    flips: Flips
    spread: Spread
    trials: tuple[Sweeps, ...]
    dispatcher: Dispatcher
    sweeps: Sweeps
    renewals: Sweeps
    lessons: Sweeps
    topics: TopicLearning
    audit: Audit
    dead_letters: DeadLetters
    health: HealthDesk
    process: OwnProcess
    sole_process: SoleProcess
    is_alone: bool

    async def start(self) -> None:
        """Take up every turn where the last process left it, and go on from there."""
        self.sole_process.acquire()
        self.store.subscribe(self._announce)
        handlers: dict[str, Callable[[str], Awaitable[None]]] = {
            TURN_JOB: self.flow.advance,
            OUTBOX_JOB: self.outbox.deliver,
            ACTION_JOB: self.acting.carry_out,
        }
        handlers |= {HOLD_JOB: self.holds.look, VERDICT_JOB: self.verdicts.look}
        handlers |= {LEARNING_JOB: self.learning.look, SEED_JOB: self.seeds.look}
        handlers |= {NOTE_JOB: self.notes.look, NOTES_JOB: self.notes.write, REMARK_JOB: self.remarks.look}
        self.dispatcher.start(handlers)
        if self.is_alone:  # and so no program of another version works here either
            if self.settings.store.migrate_at_start:
                migrate.upgrade(self.store.engine)
            await self.flow.release_leases()
            await self.outbox.release_leases()
            await self.spread.release_leases()
            await self.pulling.release_leases()
        self.flow.begin(self.dispatcher)
        self.outbox.begin(self.dispatcher)
        self.renewals.start()
        self.pulling.start()
        self.sweeps.start()
        self.lessons.start()
        for sweeps in (*self.release_watch, *self.trials, *self.outside_sweeps, self.rewriting):
            sweeps.start()

    def _announce(self, committed: Committed) -> None:
        if jobs := (*committed.jobs, *self.notes.hear(committed)):
            self.dispatcher.hint_all(jobs)

    def drain(self) -> None:
        """Begin no new turn from now on, where another process can; requests are answered as before."""
        self.dispatcher.drain()
        self.spread.drain()
        self.pulling.drain()

    async def stop(self) -> None:
        """Finish what is under way, within a grace period, and let go of everything."""
        self.topics.stop()
        await self.pulling.stop()
        for sweeps in (*self.release_watch, *self.trials, *self.outside_sweeps, self.rewriting):
            await sweeps.stop()
        with suppress(UnderstudyError):  # what cannot be handed over lapses
            await self.spread.stop()
        await self.lessons.stop()
        await self.sweeps.stop()
        await self.dispatcher.stop(grace_s=STOP_GRACE_S)
        await self.renewals.stop()
        with suppress(UnderstudyError):  # what cannot be handed over lapses
            await self.flow.hand_over()
            await self.outbox.hand_over()
            await self.process.end()
        outside: tuple[Agent | SecondOpinion | Summariser | Channel | System, ...] = (
            *self.agents.values(),
            *self.opinions.values(),
            *self.channels.values(),
            *self.systems.values(),
            *([] if self.summariser is None else [self.summariser]),
        )
        for one in outside:
            await one.close()
        await self.acting.close()
        if self.identity is not None:
            await self.identity.close()
        await self.store.close()
        self.sole_process.release()


def build(settings: Settings, base: Path, *, works: bool = True, instead: Mapping[str, str] | None = None) -> App:
    """Build everything that the settings ask for; raises `ConfigurationError` that names the setting.

    `works` False: a process that leaves all turns to others; PostgreSQL only. `instead`: in a trial, where a channel sends to.
    """
    clock, metrics = SystemClock(), Metrics()
    telemetry = FanOut([logs.LogLines(settings.telemetry.log_level), metrics, recent := Recent(clock), Spans()])
    rulebook = _rulebook(settings)
    agents = {name: build_agent(name, agent, base) for name, agent in settings.agents.items()}
    versions = versions_of(settings, base, clock, agents)
    outside = outside_of(settings, clock, telemetry, instead or {})
    opinions = {name: build_opinion(name, one, base) for name, one in settings.opinions.items()}
    others, beside = [second_opinions(settings, clock, opinions) for _ in range(2)]  # each with a budget of its own
    store = open_store(settings, base)
    places = Places(store, clock, call_limits(settings), lapse_s=LAPSE_S)
    drafting = drafting_of(settings, clock, telemetry, versions.picks, places)
    outbox = outbox_of(settings, store, clock, telemetry, outside, rulebook)
    flow = flow_of(settings, store, clock, telemetry, drafting, rulebook, others, outbox, versions.routes, outside)
    nobody_home, earning = nobody_home_of(settings, rulebook), earning_terms(settings)
    desks = reviewing(settings, store, clock, telemetry, rulebook, outbox, outside["channels"], nobody_home)
    desks |= acting_of(settings, store, clock, telemetry, rulebook)
    learning = Learning(store, clock, telemetry, lambda: rulebook.rules, **earning)
    dispatcher = _dispatcher(store, clock, telemetry, works=works)
    topics = TopicLearning(store, clock, telemetry, **topic_terms(settings))
    shared = (settings, base, store, clock, telemetry, versions, places, dispatcher)
    tried = spreading(*shared, works=works)
    watched = watching(settings, store, clock, telemetry, recent, works=works, nobody_home=nobody_home)
    ways_in = ways_in_of(settings, store, clock, telemetry, flow, outside, dispatcher, rulebook, works=works)
    renewals = _renewals(watched["process"], flow, outbox, places, tried["spread"], ways_in["pulling"])
    return App(
        settings=settings,
        base=base,
        clock=clock,
        store=store,
        telemetry=telemetry,
        metrics=metrics,
        rulebook=rulebook,
        agents=agents,
        opinions=opinions,
        **outside,
        identity=build_identity(settings, clock),
        flow=flow,
        outbox=outbox,
        casebook=Casebook(store, clock, Suites(base / settings.evaluation.suites, rulebook.rules.profile)),
        learning=learning,
        orders=Orders(store, clock, telemetry, lambda: rulebook.rules, **earning),
        status=Status(store, lambda: rulebook.rules, **earning),
        dispatcher=dispatcher,
        sweeps=Sweeps(clock, telemetry, _sweeps(flow, outbox, learning, desks), is_my_turn=dispatcher.may_sweep),
        renewals=Sweeps(clock, telemetry, renewals, period_s=LAPSE_S / 3),
        **slow_sweeps_of(settings, store, clock, telemetry, rulebook, topics, desks, dispatcher),
        topics=topics,
        sole_process=SoleProcess(store.engine.url),
        is_alone=takes_one_process(settings),
        **ways_in,
        **desks,
        **tried,
        **watched,
        **letting_out(*shared, rules=lambda: rulebook.rules, opinions=beside, served=tried["asking"]),
    )


def _sweeps(
    flow: TurnFlow, outbox: Outbox, learning: Learning, desks: Mapping[str, Any]
) -> dict[str, Callable[[], Awaitable[int]]]:
    """What is looked for in the tables, so that a lost hint costs a second."""
    ways = {"turns": flow.sweep, "outbox": outbox.sweep, "actions": desks["acting"].sweep, "learning": learning.sweep}
    return ways | sweeps_of(desks)


def _renewals(
    process: OwnProcess, flow: TurnFlow, outbox: Outbox, places: Places, spread: Spread, pulling: Pulling
) -> dict[str, Callable[[], Awaitable[int]]]:
    """What this process says again and again, so that the others do not take it for dead."""
    own = {"process": process.tell, "turns": flow.renew, "outbox": outbox.renew}
    return {**own, "places": places.renew, "trials": spread.renew, "pulls": pulling.renew}


def check_wiring(settings: Settings) -> None:
    """See that the parts fit together, without building any; raises `ConfigurationError` as `build` would."""
    checks_of(settings)
    agents_asked(settings, settings.agents)
    for name in settings.agents:
        agent_of(name, settings)
    coalescing_of(settings)
    asides_of(settings)
    expiry_reply(settings, rulebook := _rulebook(settings))
    nobody_home_of(settings, rulebook)
    staffing_of(settings)


def system_clock() -> Clock:
    """The clock of this machine, for commands that need no more than that."""
    return SystemClock()


def configure_telemetry(settings: Settings) -> None:
    """Set up logging, and the export of spans and events where an endpoint is configured, for this process."""
    logs.configure(level=settings.telemetry.log_level, form=settings.telemetry.log_form)
    if settings.telemetry.otlp_endpoint is not None:
        try:
            from understudy.adapters.telemetry.otlp import export_to
        except ModuleNotFoundError as error:
            raise ConfigurationError(
                "telemetry.otlp_endpoint needs the exporter: pip install 'understudy[otel]'"
            ) from error
        export_to(settings.telemetry.otlp_endpoint)


def _dispatcher(store: SqlStore, clock: Clock, telemetry: Telemetry, *, works: bool) -> Dispatcher:
    if store.engine.dialect.name == "sqlite":
        if not works:
            raise ConfigurationError("SQLite takes one process, so that one has to work; use PostgreSQL (store.url)")
        return EmbeddedDispatcher(clock, telemetry)
    try:
        from understudy.adapters.dispatch.pgqueuer import PgQueuerDispatcher
    except ModuleNotFoundError as error:
        raise ConfigurationError("PostgreSQL needs its extra: pip install 'understudy[postgres]'") from error
    url = store.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    dispatcher = PgQueuerDispatcher(clock, telemetry, conninfo=url, works=works)
    store.share_by(dispatcher.share)
    return dispatcher


def _rulebook(settings: Settings) -> Rulebook:
    try:
        return rulebook_of(settings)
    except ValueError as error:
        raise ConfigurationError(f"the rules do not fit together: {error}") from error
