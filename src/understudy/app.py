"""The composition root: the only module that names an adapter or a flow; it builds, opens and closes, nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from understudy.adapters.channels.collected import CollectedChannel
from understudy.adapters.dispatch.embedded import EmbeddedDispatcher
from understudy.adapters.stores import migrate
from understudy.adapters.stores.sole_process import SoleProcess
from understudy.adapters.stores.sql_store import SqlStore
from understudy.adapters.system_clock import SystemClock
from understudy.adapters.telemetry import logs
from understudy.adapters.telemetry.fan_out import FanOut
from understudy.adapters.telemetry.metrics import Metrics
from understudy.adapters.telemetry.spans import Spans
from understudy.connections import build_agent, build_channel, build_opinion
from understudy.databases import open_store, takes_one_process
from understudy.delivery.outbox import Outbox, OutboxLimits
from understudy.delivery.reports import Reports
from understudy.errors import ConfigurationError, UnderstudyError
from understudy.evaluation.asking import Asking
from understudy.evaluation.casebook import Casebook, Suites
from understudy.evaluation.spread import Spread
from understudy.learning.flow import Learning
from understudy.learning.orders import Orders
from understudy.learning.status import Status
from understudy.learning.topics import TopicLearning
from understudy.oversight import earning_terms, expiry_reply, lessons_of, reviewing, topic_terms
from understudy.plugins import checks_of
from understudy.ports.agent import Agent
from understudy.ports.channel import Channel, Fetched
from understudy.ports.clock import Clock
from understudy.ports.dispatch import Dispatcher
from understudy.ports.opinion import SecondOpinion
from understudy.ports.store import CallLimits, Committed
from understudy.ports.telemetry import Telemetry
from understudy.records.release import Stated
from understudy.records.rulebook import Rulebook
from understudy.records.turn import HOLD_JOB, LEARNING_JOB, OUTBOX_JOB, SEED_JOB, TURN_JOB
from understudy.release.orders import ReleaseOrders
from understudy.release.status import ReleaseReports
from understudy.releasing import letting_out, versions_of
from understudy.review.conversations import Conversations
from understudy.review.feedback import FeedbackDesk
from understudy.review.holds import Holds
from understudy.review.quality import Reviewers
from understudy.review.seeds import Seeds
from understudy.review.trust import Trust
from understudy.review.verdicts import Verdicts
from understudy.settings.asked import agents_asked
from understudy.settings.earning import (
    feedback_terms_of,
)
from understudy.settings.model import Settings
from understudy.settings.rules import rulebook_of
from understudy.settings.stated import agent_of
from understudy.spreading import spreading
from understudy.turn.coalescing import CoalescingLimits
from understudy.turn.drafting import Drafting, DraftingLimits
from understudy.turn.flow import TurnFlow
from understudy.turn.intake import Intake, IntakeLimits
from understudy.turn.limits import FlowLimits
from understudy.turn.opinions import Asked, SecondOpinions
from understudy.turn.places import Places
from understudy.turn.pulling import Pulling, PullLimits
from understudy.turn.releases import Picks, Routes
from understudy.upkeep.sweeps import Sweeps

API_CHANNEL = "api"
"""The channel of callers who hand over drafts themselves and collect the reply; it needs no configuration."""

STOP_GRACE_S = 10.0
LAPSE_S = 6.0
"""Where several processes work on one store: a process that was silent for so long is dead, and others do its work."""


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
    stated: Mapping[str, Stated]
    intake: Intake
    flow: TurnFlow
    outbox: Outbox
    reports: Reports
    pulling: Pulling
    holds: Holds
    verdicts: Verdicts
    seeds: Seeds
    reviewers: Reviewers
    conversations: Conversations
    trust: Trust
    feedback: FeedbackDesk
    casebook: Casebook
    learning: Learning
    orders: Orders
    status: Status
    releases: ReleaseOrders
    release_reports: ReleaseReports
    release_watch: tuple[Sweeps, ...]
    asking: Asking
    spread: Spread
    trials: tuple[Sweeps, ...]
    dispatcher: Dispatcher
    sweeps: Sweeps
    renewals: Sweeps
    lessons: Sweeps
    topics: TopicLearning
    sole_process: SoleProcess
    is_alone: bool

    async def start(self) -> None:
        """Take up every turn where the last process left it, and go on from there."""
        self.sole_process.acquire()
        self.store.subscribe(self._announce)
        handlers = {TURN_JOB: self.flow.advance, OUTBOX_JOB: self.outbox.deliver, HOLD_JOB: self.holds.look}
        self.dispatcher.start({**handlers, LEARNING_JOB: self.learning.look, SEED_JOB: self.seeds.look})
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
        for sweeps in (*self.release_watch, *self.trials):
            sweeps.start()

    def _announce(self, committed: Committed) -> None:
        if committed.jobs:
            self.dispatcher.hint_all(committed.jobs)

    def drain(self) -> None:
        """Begin no new turn from now on, where another process can; requests are answered as before."""
        self.dispatcher.drain()
        self.spread.drain()
        self.pulling.drain()

    async def stop(self) -> None:
        """Finish what is under way, within a grace period, and let go of everything."""
        self.topics.stop()
        await self.pulling.stop()
        for sweeps in (*self.release_watch, *self.trials):
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
        for agent in self.agents.values():
            await agent.close()
        for opinion in self.opinions.values():
            await opinion.close()
        for channel in self.channels.values():
            await channel.close()
        await self.store.close()
        self.sole_process.release()


def build(settings: Settings, base: Path, *, works: bool = True) -> App:
    """Build everything that the settings ask for; raises `ConfigurationError` that names the setting.

    `works` False: a process that takes messages and verdicts and leaves all turns to others; PostgreSQL only.
    """
    clock = SystemClock()
    metrics = Metrics()
    telemetry = FanOut([logs.LogLines(settings.telemetry.log_level), metrics, Spans()])
    rulebook = _rulebook(settings)
    agents = {name: build_agent(name, agent, base) for name, agent in settings.agents.items()}
    versions = versions_of(settings, base, clock, agents)
    channels = _channels(settings, clock)
    opinions = {name: build_opinion(name, one, base) for name, one in settings.opinions.items()}
    others, beside = [_second_opinions(settings, clock, opinions) for _ in range(2)]  # each with a budget of its own
    store = open_store(settings, base)
    places = Places(store, clock, _call_limits(settings), lapse_s=LAPSE_S)
    drafting = _drafting(settings, clock, telemetry, versions.picks, places)
    sending = OutboxLimits(**settings.outbox.model_dump(), lapse_s=LAPSE_S)
    outbox = Outbox(store, clock, telemetry, channels, limits=sending)
    flow = _flow(settings, store, clock, telemetry, drafting, rulebook, others, outbox, versions.routes)
    desks = reviewing(settings, store, clock, telemetry, rulebook, outbox)
    earning = earning_terms(settings)
    learning = Learning(store, clock, telemetry, lambda: rulebook.rules, **earning)
    dispatcher = _dispatcher(store, clock, telemetry, works=works)
    topics = TopicLearning(store, clock, telemetry, **topic_terms(settings))
    sweeps = {"turns": flow.sweep, "outbox": outbox.sweep, "holds": desks["holds"].sweep, "learning": learning.sweep}
    shared = (settings, base, store, clock, telemetry, versions, places, dispatcher)
    tried = spreading(*shared, works=works)
    ways_in = _ways_in(settings, store, clock, telemetry, flow, channels if works else {})
    renewals = {"turns": flow.renew, "outbox": outbox.renew, "places": places.renew, "trials": tried["spread"].renew}
    renewals["pulls"] = ways_in["pulling"].renew
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
        channels=channels,
        flow=flow,
        outbox=outbox,
        casebook=Casebook(store, clock, Suites(base / settings.evaluation.suites, rulebook.rules.profile)),
        learning=learning,
        orders=Orders(store, clock, telemetry, lambda: rulebook.rules, **earning),
        status=Status(store, lambda: rulebook.rules, **earning),
        dispatcher=dispatcher,
        sweeps=Sweeps(clock, telemetry, sweeps, is_my_turn=dispatcher.may_sweep),
        renewals=Sweeps(clock, telemetry, renewals, period_s=LAPSE_S / 3),
        lessons=lessons_of(settings, store, clock, telemetry, rulebook, topics, dispatcher),
        topics=topics,
        sole_process=SoleProcess(store.engine.url),
        is_alone=takes_one_process(settings),
        **ways_in,
        **desks,
        **tried,
        **letting_out(*shared, rules=lambda: rulebook.rules, opinions=beside, served=tried["asking"]),
    )


def check_wiring(settings: Settings) -> None:
    """See that the parts fit together, without building any; raises `ConfigurationError` as `build` would."""
    checks_of(settings)
    agents_asked(settings, settings.agents)
    for name in settings.agents:
        agent_of(name, settings)
    _coalescing(settings)
    expiry_reply(settings, _rulebook(settings))


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


def _second_opinions(settings: Settings, clock: Clock, opinions: Mapping[str, SecondOpinion]) -> SecondOpinions | None:
    asked = [
        Asked(opinion=opinions[name], deadline_s=one.deadline_s, per_hour_max=one.per_hour_max)
        for name, one in sorted(settings.opinions.items())
    ]
    return SecondOpinions(clock, asked) if asked else None


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


def _channels(settings: Settings, clock: Clock) -> dict[str, Channel]:
    channels: dict[str, Channel] = {API_CHANNEL: CollectedChannel(API_CHANNEL)}
    for name, channel in settings.channels.items():
        if name == API_CHANNEL:
            raise ConfigurationError(f"channels.{API_CHANNEL}: this name belongs to the HTTP API; choose another")
        channels[name] = build_channel(name, channel, clock, settings)
    return channels


def _call_limits(settings: Settings) -> dict[str, CallLimits]:
    bounds = {name: (agent.at_once_max, agent.per_minute_max) for name, agent in settings.agents.items()}
    return {
        name: CallLimits(at_once_max=at_once, per_minute_max=per_minute)
        for name, (at_once, per_minute) in bounds.items()
        if at_once is not None or per_minute is not None
    }


def _flow(
    settings: Settings,
    store: SqlStore,
    clock: Clock,
    telemetry: Telemetry,
    drafting: Drafting,
    rulebook: Rulebook,
    others: SecondOpinions | None,
    outbox: Outbox,
    routes: Routes,
) -> TurnFlow:
    limits = FlowLimits(
        hold_expires_after_s=settings.review.expires_after_s or None,
        judged_within_s=settings.autonomy.judged_within_h * 3600,
        lapse_s=LAPSE_S,
        seed_rate=settings.review.seed_rate,
        feedback=feedback_terms_of(settings.autonomy),
    )
    checks = checks_of(settings)
    return TurnFlow(
        store,
        clock,
        telemetry,
        drafting,
        lambda: rulebook,
        limits=limits,
        checks=checks,
        opinions=others,
        following=outbox,
        route=routes,
    )


def _drafting(settings: Settings, clock: Clock, telemetry: Telemetry, picks: Picks, places: Places) -> Drafting:
    limits = DraftingLimits(
        deadline_s=settings.drafting.deadline_s,
        place_wait_s_max=settings.drafting.place_wait_s_max,
        attempts_max=settings.drafting.attempts_max,
        in_flight_max=settings.limits.drafts_in_flight_max,
    )
    return Drafting(clock, telemetry, picks, limits=limits, places=places)


def _ways_in(
    settings: Settings,
    store: SqlStore,
    clock: Clock,
    telemetry: Telemetry,
    flow: TurnFlow,
    channels: Mapping[str, Channel],
) -> dict[str, Any]:
    """What takes messages and reports in, and fetches from those of the channels that do not call; by their names in `App`."""
    intake, reports = _intake(settings, store, clock, telemetry, flow), Reports(store, clock, telemetry)
    fetched = {name: channel for name, channel in channels.items() if isinstance(channel, Fetched)}
    limits = PullLimits(lapse_s=LAPSE_S)
    pulling = Pulling(store, clock, telemetry, fetched, intake=intake, report=reports.take, limits=limits)
    return {"intake": intake, "reports": reports, "pulling": pulling}


def _intake(settings: Settings, store: SqlStore, clock: Clock, telemetry: Telemetry, flow: TurnFlow) -> Intake:
    limits = IntakeLimits(backlog_max=settings.limits.backlog_max, message_chars_max=settings.limits.message_chars_max)
    return Intake(store, clock, telemetry, limits=limits, coalescing=_coalescing(settings), following=flow)


def _coalescing(settings: Settings) -> CoalescingLimits:
    try:
        return CoalescingLimits(**settings.coalescing.model_dump())
    except ValueError as error:
        raise ConfigurationError(f"coalescing: {error}") from error
