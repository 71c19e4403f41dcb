"""The path of a turn, from the settings: ways in, drafting, the flow itself, second opinions, the way out. It starts nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from understudy.adapters.channels.collected import API, CollectedChannel
from understudy.adapters.stores.sql_store import SqlStore
from understudy.connections import build_channel, build_executors
from understudy.delivery.acting import Acting
from understudy.delivery.action_desk import ActionDesk
from understudy.delivery.outbox import Outbox, OutboxLimits
from understudy.delivery.outcomes import ActingLimits
from understudy.delivery.reports import Reports
from understudy.errors import ConfigurationError
from understudy.plugins import checks_of
from understudy.ports.channel import Channel, Fetched
from understudy.ports.clock import Clock
from understudy.ports.opinion import SecondOpinion
from understudy.ports.store import CallLimits
from understudy.ports.telemetry import Telemetry
from understudy.records.rulebook import Rulebook
from understudy.settings.earning import feedback_terms_of
from understudy.settings.model import Settings
from understudy.turn.coalescing import CoalescingLimits
from understudy.turn.drafting import Drafting, DraftingLimits
from understudy.turn.flow import TurnFlow
from understudy.turn.intake import Intake, IntakeLimits
from understudy.turn.limits import FlowLimits
from understudy.turn.opinions import Asked, SecondOpinions
from understudy.turn.places import Places
from understudy.turn.pulling import Pulling, PullLimits
from understudy.turn.releases import Picks, Routes

API_CHANNEL = API
"""The channel of callers who hand over drafts themselves and collect the reply; it needs no configuration."""
LAPSE_S = 6.0
"""Where several processes work on one store: a process that was silent for so long is dead, and others do its work."""


def second_opinions(settings: Settings, clock: Clock, opinions: Mapping[str, SecondOpinion]) -> SecondOpinions | None:
    """The second opinions to ask, in order of their names, with a budget of their own; None where there are none."""
    asked = [
        Asked(opinion=opinions[name], deadline_s=one.deadline_s, per_hour_max=one.per_hour_max)
        for name, one in sorted(settings.opinions.items())
    ]
    return SecondOpinions(clock, asked) if asked else None


def channels_of(settings: Settings, clock: Clock) -> dict[str, Channel]:
    """Every channel, and that of the HTTP API; raises `ConfigurationError` where one takes its name."""
    channels: dict[str, Channel] = {API_CHANNEL: CollectedChannel(API_CHANNEL)}
    for name, channel in settings.channels.items():
        if name == API_CHANNEL:
            raise ConfigurationError(f"channels.{API_CHANNEL}: this name belongs to the HTTP API; choose another")
        channels[name] = build_channel(name, channel, clock, settings)
    return channels


def call_limits(settings: Settings) -> dict[str, CallLimits]:
    """Limits on calls of agents that have any, by the agent's name."""
    bounds = {name: (agent.at_once_max, agent.per_minute_max) for name, agent in settings.agents.items()}
    return {
        name: CallLimits(at_once_max=at_once, per_minute_max=per_minute)
        for name, (at_once, per_minute) in bounds.items()
        if at_once is not None or per_minute is not None
    }


def outbox_of(
    settings: Settings, store: SqlStore, clock: Clock, telemetry: Telemetry, channels: Mapping[str, Channel]
) -> Outbox:
    """The way out."""
    limits = OutboxLimits(**settings.outbox.model_dump(), lapse_s=LAPSE_S)
    return Outbox(store, clock, telemetry, channels, limits=limits)


def acting_of(
    settings: Settings, store: SqlStore, clock: Clock, telemetry: Telemetry, rulebook: Rulebook
) -> dict[str, Any]:
    """What carries out the actions that were let through, and the desk for those that did not go well; by their names in
    `App`."""
    own = settings.actions
    limits = ActingLimits(lease_s=own.lease_s, attempts_max=own.attempts_max, read_back_s=own.read_back_s)
    acting = Acting(store, clock, telemetry, build_executors(settings, clock), limits=limits)
    desk = ActionDesk(store, clock, telemetry, rules=lambda: rulebook.rules.actions)
    return {"acting": acting, "actions": desk}


def flow_of(
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
    """What carries a turn from a message to its decision."""
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


def drafting_of(settings: Settings, clock: Clock, telemetry: Telemetry, picks: Picks, places: Places) -> Drafting:
    """What asks agents for drafts."""
    limits = DraftingLimits(
        deadline_s=settings.drafting.deadline_s,
        place_wait_s_max=settings.drafting.place_wait_s_max,
        attempts_max=settings.drafting.attempts_max,
        in_flight_max=settings.limits.drafts_in_flight_max,
    )
    return Drafting(clock, telemetry, picks, limits=limits, places=places)


def ways_in_of(
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
    return Intake(store, clock, telemetry, limits=limits, coalescing=coalescing_of(settings), following=flow)


def coalescing_of(settings: Settings) -> CoalescingLimits:
    """How long a turn waits for more messages; raises `ConfigurationError` that names the setting."""
    try:
        return CoalescingLimits(**settings.coalescing.model_dump())
    except ValueError as error:
        raise ConfigurationError(f"coalescing: {error}") from error
