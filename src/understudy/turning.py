"""The path of a turn, from the settings: ways in, drafting, the flow itself, second opinions, the way out. It starts nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from understudy.adapters.channels.collected import API, CollectedChannel
from understudy.adapters.stores.sql_store import SqlStore
from understudy.connections import build_channel, build_executors, build_summariser
from understudy.delivery.acting import Acting
from understudy.delivery.action_desk import ActionDesk
from understudy.delivery.outbox import Outbox, OutboxLimits
from understudy.delivery.outcomes import ActingLimits
from understudy.delivery.reports import Reports
from understudy.effects.absence import NobodyHome
from understudy.effects.disclosing import Disclosing
from understudy.errors import ConfigurationError
from understudy.handing_over import summaries_of, tickets_of
from understudy.plugins import checks_of
from understudy.ports.calls import CallLimits
from understudy.ports.channel import Channel, Fetched
from understudy.ports.clock import Clock
from understudy.ports.dispatch import Dispatcher
from understudy.ports.opinion import SecondOpinion
from understudy.ports.system import Found, System, Untold, Witness
from understudy.ports.telemetry import Telemetry
from understudy.records.facts import About, Proof
from understudy.records.rulebook import Rulebook
from understudy.records.systems import Known
from understudy.settings.absence import nobody_home_of
from understudy.settings.asked_words import opt_out_of, survey_of
from understudy.settings.channels import Remote
from understudy.settings.disclosed import disclosures_of
from understudy.settings.earning import feedback_terms_of
from understudy.settings.mail import Email
from understudy.settings.model import Settings, Webhook
from understudy.systems import build_system
from understudy.turn.admitting import IntakeLimits
from understudy.turn.asides import Asides
from understudy.turn.coalescing import CoalescingLimits
from understudy.turn.drafting import Drafting, DraftingLimits
from understudy.turn.facts import Consulted, FactReading
from understudy.turn.flow import TurnFlow
from understudy.turn.intake import Intake
from understudy.turn.limits import FlowLimits
from understudy.turn.opinions import Asked, SecondOpinions
from understudy.turn.places import Places
from understudy.turn.pulling import Pulling, PullLimits
from understudy.turn.releases import Picks, Routes
from understudy.upkeep.contracts import Contracts
from understudy.upkeep.sweeps import Sweeps

API_CHANNEL = API
"""The channel of callers who hand over drafts themselves and collect the reply; it needs no configuration."""
CONTRACTS_S = 30.0
"""How often what systems answered is added to what all processes saw."""
LAPSE_S = 6.0
"""Where several processes work on one store: a process that was silent for so long is dead, and others do its work."""


def second_opinions(settings: Settings, clock: Clock, opinions: Mapping[str, SecondOpinion]) -> SecondOpinions | None:
    """The second opinions to ask, in order of their names, with a budget of their own; None where there are none."""
    asked = [
        Asked(opinion=opinions[name], deadline_s=one.deadline_s, per_hour_max=one.per_hour_max)
        for name, one in sorted(settings.opinions.items())
    ]
    return SecondOpinions(clock, asked) if asked else None


def outside_of(settings: Settings, clock: Clock, telemetry: Telemetry, instead: Mapping[str, str]) -> dict[str, Any]:
    """All that is asked and told over the network beside agents, and what notices that systems answer otherwise than before,
    by their names in `App`; raises `ConfigurationError`."""
    contracts = Contracts(clock, telemetry)
    systems = systems_of(settings, clock, witness=contracts.answered)
    channels = channels_of(settings, clock, instead)
    disclosing = disclosing_of(settings, channels)
    summariser = None if settings.summaries is None else build_summariser(settings.summaries)
    return {
        "channels": channels,
        "disclosing": disclosing,
        "systems": systems,
        "contracts": contracts,
        "summariser": summariser,
    }


def channels_of(settings: Settings, clock: Clock, instead: Mapping[str, str]) -> dict[str, Channel]:
    """Every channel, and that of the HTTP API; raises `ConfigurationError` where one takes its name."""
    channels: dict[str, Channel] = {API_CHANNEL: CollectedChannel(API_CHANNEL)}
    for name, channel in settings.channels.items():
        if name == API_CHANNEL:
            raise ConfigurationError(f"channels.{API_CHANNEL}: this name belongs to the HTTP API; choose another")
        channels[name] = build_channel(name, channel, clock, settings, instead=instead.get(name))
    return channels


def systems_of(settings: Settings, clock: Clock, *, witness: Witness | None = None) -> dict[str, System]:
    """Every system of record; raises `ConfigurationError`, also where one names a channel that is none."""
    known = {API_CHANNEL, *settings.channels}
    for name, system in settings.systems.items():
        if unknown := sorted({*system.channels, *system.believes} - known):
            raise ConfigurationError(
                f"systems.{name}: there is no channel {unknown[0]!r}; there are {', '.join(sorted(known))}"
            )
    return {name: build_system(name, system, clock, witness=witness) for name, system in settings.systems.items()}


def fact_reading(
    settings: Settings, clock: Clock, telemetry: Telemetry, systems: Mapping[str, System]
) -> FactReading | None:
    """What reads facts before agents are asked; None where there is no system to read."""
    consulted = [
        Consulted(
            system=systems[name],
            reads=tuple(one.reads),
            channels=frozenset(one.channels) or None,
            believes=frozenset(one.believes),
            fresh_s=one.fresh_s,
            deadline_s=one.timeout_s,
            per_minute_max=one.per_minute_max,
        )
        for name, one in sorted(settings.systems.items())
        if one.reads
    ]
    return FactReading(clock, telemetry, consulted) if consulted else None


async def told_of(
    system: System, known: Known, abouts: Sequence[About], *, deadline_s: float
) -> dict[About, Found | Untold]:
    """Ask a system as it is asked before the agent drafts: the contact first, where the rest needs its name for them."""
    needs_name = any("contact_id" in system.wants(about) for about in abouts if about != "contact")
    contact: Found | Untold | None = None
    if system.can_look_up("contact") and ("contact" in abouts or needs_name):
        contact = await system.look_up("contact", known, deadline_s=deadline_s)
        if isinstance(contact, Found) and len(contact.items) == 1:
            known = replace(known, contact_id=contact.items[0].id)
    told: dict[About, Found | Untold] = {}
    for about in abouts:
        if about == "contact" and contact is not None:
            told[about] = contact
        elif "contact_id" in system.wants(about) and known.contact_id is None:
            told[about] = Untold(why="no_contact", says="see contact")
        else:
            told[about] = await system.look_up(about, known, deadline_s=deadline_s)
    return told


def proof_of(settings: Settings, channel: str) -> Proof:
    """What a channel vouches for of its customers."""
    if channel == API_CHANNEL:
        return "contact"  # whoever has a key is the business's own software
    match settings.channels.get(channel):
        case Webhook(insecure=False):
            return "contact"
        case Email():
            return "letter"
        case Remote(insecure=False):
            return "address"
        case _:
            return "none"


def call_limits(settings: Settings) -> dict[str, CallLimits]:
    """Limits on calls of agents that have any, by the agent's name."""
    bounds = {name: (agent.at_once_max, agent.per_minute_max) for name, agent in settings.agents.items()}
    return {
        name: CallLimits(at_once_max=at_once, per_minute_max=per_minute)
        for name, (at_once, per_minute) in bounds.items()
        if at_once is not None or per_minute is not None
    }


def disclosing_of(settings: Settings, channels: Mapping[str, Channel]) -> Disclosing:
    """How each channel tells customers that an AI writes; raises `ConfigurationError` that names the setting."""
    chars_max = {name: channel.capabilities.chars_max for name, channel in channels.items()}
    try:
        return Disclosing(disclosures_of(settings), chars_max=chars_max)
    except ValueError as error:
        raise ConfigurationError(str(error)) from error


def outbox_of(
    settings: Settings,
    store: SqlStore,
    clock: Clock,
    telemetry: Telemetry,
    outside: Mapping[str, Any],
    rulebook: Rulebook,
) -> Outbox:
    """The way out."""
    limits = OutboxLimits(**settings.outbox.model_dump(), lapse_s=LAPSE_S)
    return Outbox(
        store,
        clock,
        telemetry,
        outside["channels"],
        limits=limits,
        pledges=settings.pledges.terms(settings.business.timezone),
        disclose=outside["disclosing"].settle,
        minded=asides_of(settings).opt_out.channels,
        nobody_home=nobody_home_of(settings, rulebook),
    )


def acting_of(
    settings: Settings, store: SqlStore, clock: Clock, telemetry: Telemetry, rulebook: Rulebook
) -> dict[str, Any]:
    """What carries out the actions that were let through, and the desk for those that did not go well; by their names in
    `App`."""
    own = settings.actions
    limits = ActingLimits(lease_s=own.lease_s, attempts_max=own.attempts_max, read_back_s=own.read_back_s)
    away = nobody_home_of(settings, rulebook)
    acting = Acting(store, clock, telemetry, build_executors(settings, clock), limits=limits, nobody_home=away)
    desk = ActionDesk(store, clock, telemetry, rules=lambda: rulebook.rules.actions, nobody_home=away)
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
    outside: Mapping[str, Any],
) -> TurnFlow:
    """What carries a turn from a message to its decision."""
    limits = FlowLimits(
        hold_expires_after_s=settings.review.expires_after_s or None,
        judged_within_s=settings.autonomy.judged_within_h * 3600,
        lapse_s=LAPSE_S,
        seed_rate=settings.review.seed_rate,
        feedback=feedback_terms_of(settings.autonomy),
        nobody_home=nobody_home_of(settings, rulebook),
        timezone=settings.business.timezone,
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
        facts=fact_reading(settings, clock, telemetry, outside["systems"]),
        proofs=partial(proof_of, settings),
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
    outside: Mapping[str, Any],
    dispatcher: Dispatcher,
    rulebook: Rulebook,
    *,
    works: bool,
) -> dict[str, Any]:
    """What takes messages and reports in, fetches from those of the channels that do not call, and opens tickets for what
    was handed off; by their names in `App`."""
    away = nobody_home_of(settings, rulebook)
    intake = _intake(settings, store, clock, telemetry, flow, away)
    pledges = settings.pledges.terms(settings.business.timezone)
    reports = Reports(store, clock, telemetry, pledges=pledges, nobody_home=away)
    channels = outside["channels"] if works else {}
    fetched = {name: channel for name, channel in channels.items() if isinstance(channel, Fetched)}
    limits = PullLimits(lapse_s=LAPSE_S)
    pulling = Pulling(store, clock, telemetry, fetched, intake=intake, report=reports.take, limits=limits)
    summaries = summaries_of(settings, store, clock, telemetry, outside["summariser"])
    tickets = tickets_of(
        settings, store, clock, telemetry, outside["systems"], summaries, proofs=partial(proof_of, settings)
    )
    # Sweeps of their own: others cannot wait for a system, or a model, that takes its time.
    ticket_sweeps = Sweeps(clock, telemetry, {"tickets": tickets.sweep}, is_my_turn=dispatcher.may_sweep)
    summary_sweeps = Sweeps(clock, telemetry, {"summaries": summaries.sweep}, is_my_turn=dispatcher.may_sweep)
    keep = partial(outside["contracts"].keep, store)
    contract_sweeps = Sweeps(clock, telemetry, {"contracts": keep}, period_s=CONTRACTS_S)
    opens = any(one.hand_offs for one in settings.systems.values())
    return {
        "intake": intake,
        "reports": reports,
        "pulling": pulling,
        "tickets": tickets,
        "outside_sweeps": (
            *([ticket_sweeps] if opens else []),
            *([contract_sweeps] if settings.systems else []),
            *([summary_sweeps] if settings.summaries is not None else []),
        ),
    }


def _intake(
    settings: Settings, store: SqlStore, clock: Clock, telemetry: Telemetry, flow: TurnFlow, away: NobodyHome | None
) -> Intake:
    limits = IntakeLimits(backlog_max=settings.limits.backlog_max, message_chars_max=settings.limits.message_chars_max)
    coalescing, asides = coalescing_of(settings), asides_of(settings)
    proofs = partial(proof_of, settings)
    return Intake(
        store,
        clock,
        telemetry,
        limits=limits,
        coalescing=coalescing,
        following=flow,
        proofs=proofs,
        asides=asides,
        nobody_home=away,
    )


def asides_of(settings: Settings) -> Asides:
    """Which messages begin no turn; raises `ConfigurationError` that names the setting."""
    feedback = feedback_terms_of(settings.autonomy)
    try:
        return Asides(opt_out=opt_out_of(settings), survey=survey_of(settings), feedback=feedback)
    except ValueError as error:
        raise ConfigurationError(str(error)) from error


def coalescing_of(settings: Settings) -> CoalescingLimits:
    """How long a turn waits for more messages; raises `ConfigurationError` that names the setting."""
    try:
        return CoalescingLimits(**settings.coalescing.model_dump())
    except ValueError as error:
        raise ConfigurationError(f"coalescing: {error}") from error
