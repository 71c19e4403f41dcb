"""What people decide and what is learned from it: those flows, built from the settings. It opens and starts nothing."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from functools import partial
from typing import Any

from understudy.adapters.stores.scrubbing import scrubber_of
from understudy.adapters.stores.sql_store import SqlStore
from understudy.contacts.desk import ContactDesk
from understudy.contacts.erasing import Erasing
from understudy.delivery.outbox import Outbox
from understudy.effects.absence import NobodyHome
from understudy.errors import ConfigurationError
from understudy.learning.refit import Refit
from understudy.learning.topics import TopicLearning
from understudy.noting import noting
from understudy.pledges.desk import PledgeDesk
from understudy.ports.channel import Channel
from understudy.ports.clock import Clock
from understudy.ports.dispatch import Dispatcher
from understudy.ports.telemetry import Telemetry
from understudy.quality.desk import QualityDesk
from understudy.records.rulebook import Rulebook, SafeReply
from understudy.records.survey import SurveyTerms
from understudy.records.win_back import WinBackTerms
from understudy.review.alike import AlikeVerdicts
from understudy.review.conversations import Conversations
from understudy.review.feedback import FeedbackDesk
from understudy.review.holds import Holds, ReviewLimits
from understudy.review.quality import Reviewers
from understudy.review.seeds import Seeds
from understudy.review.surveys import Surveys
from understudy.review.trust import Trust
from understudy.review.verdicts import Verdicts
from understudy.review.winning_back import WinBacks
from understudy.settings.absence import nobody_home_of
from understudy.settings.asked_words import survey_of
from understudy.settings.earning import (
    feedback_terms_of,
    refit_terms_of,
    review_terms_of,
    targets_of,
    terms_of,
    topic_terms_of,
)
from understudy.settings.model import Settings
from understudy.settings.staffed import staffing_of
from understudy.settings.winning_back import win_back_of
from understudy.staffing.desk import StaffingDesk
from understudy.staffing.flow import StaffingFlow
from understudy.upkeep.sweeps import Sweeps

LESSONS_S = 60.0
REWRITING_S = 2.0
"""How often it is looked whether there is something to learn."""


def reviewing(
    settings: Settings,
    store: SqlStore,
    clock: Clock,
    telemetry: Telemetry,
    rulebook: Rulebook,
    outbox: Outbox,
    channels: Mapping[str, Channel],
    nobody_home: NobodyHome | None,
) -> dict[str, Any]:
    """The flows of people, here and in other help desks, by their names in `App`."""
    expires_after_s = settings.review.expires_after_s or None
    age = timedelta(days=settings.review.seed_age_days)
    verdicts = Verdicts(
        store,
        clock,
        telemetry,
        business=lambda: rulebook.rules.profile.name,
        hold_expires_after_s=expires_after_s,
        terms=review_terms_of(settings),
        following=outbox,
        actions=lambda: rulebook.rules.actions,
        pledges=settings.pledges.terms(settings.business.timezone),
        nobody_home=nobody_home,
    )
    conversations = Conversations(store, clock)
    staffing = staffing_of(settings)
    return {
        "staffing": StaffingFlow(store, clock, telemetry, staffing=staffing, nobody_home=nobody_home),
        "teams": StaffingDesk(store, clock, telemetry, staffing=staffing),
        "holds": _holds(settings, store, clock, telemetry, rulebook),
        "verdicts": verdicts,
        **noting(settings, store, clock, telemetry, channels, verdicts, conversations),
        "alike": AlikeVerdicts(store, clock, verdicts),
        "seeds": Seeds(store, clock, telemetry, age=age, hold_expires_after_s=expires_after_s),
        "reviewers": Reviewers(store, terms=review_terms_of(settings)),
        "quality": QualityDesk(store, clock, recontact_h=settings.autonomy.recontact_within_h),
        "conversations": conversations,
        "trust": Trust(store, clock),
        "contacts": ContactDesk(store, clock, rules=lambda: rulebook.rules),
        "erasing": Erasing(store, clock, scrub=scrubber_of(store.engine), nobody_home=nobody_home),
        "pledges": PledgeDesk(store, clock, telemetry, terms=settings.pledges.terms(settings.business.timezone)),
        "win_backs": WinBacks(
            store, clock, telemetry, business=settings.business.name, terms=_win_back_of(settings, channels)
        ),
        "surveys": Surveys(store, clock, terms=_survey_of(settings)),
        "feedback": FeedbackDesk(store, clock, telemetry, terms=feedback_terms_of(settings.autonomy)),
    }


def _survey_of(settings: Settings) -> SurveyTerms | None:
    try:
        return survey_of(settings)
    except ValueError as error:
        raise ConfigurationError(str(error)) from error


def _win_back_of(settings: Settings, channels: Mapping[str, Channel]) -> WinBackTerms | None:
    ways = {name: one.capabilities for name, one in channels.items()}
    windows = {name: way.window_s for name, way in ways.items() if not way.asker_fetches}
    try:
        return win_back_of(settings, windows)
    except ValueError as error:
        raise ConfigurationError(str(error)) from error


def sweeps_of(desks: Mapping[str, Any]) -> dict[str, Callable[[], Awaitable[int]]]:
    """What of the flows of people is looked for in the tables."""
    names = ("verdicts", "holds", "notes", "remarks", "pledges", "win_backs")
    return {name: desks[name].sweep for name in (*names, *(["staffing"] if desks["teams"].is_on else []))}


def _holds(settings: Settings, store: SqlStore, clock: Clock, telemetry: Telemetry, rulebook: Rulebook) -> Holds:
    review = settings.review
    limits = ReviewLimits(claim_lease_s=review.claim_lease_s, on_expiry=review.on_expiry)
    return Holds(
        store,
        clock,
        telemetry,
        limits=limits,
        expiry_reply=expiry_reply(settings, rulebook),
        nobody_home=nobody_home_of(settings, rulebook),
    )


def expiry_reply(settings: Settings, rulebook: Rulebook) -> SafeReply | None:
    """The safe reply that answers an overdue draft; raises `ConfigurationError` where there is none by that name."""
    wanted = settings.review.expiry_reply
    for reply in rulebook.rules.safe_replies:
        if reply.id == wanted:
            return reply
    if wanted is not None or settings.review.on_expiry == "safe_reply":
        known = ", ".join(sorted(settings.safe_replies)) or "none"
        raise ConfigurationError(f"review.expiry_reply: {wanted!r} is no safe reply; there is: {known}")
    return None


def slow_sweeps_of(
    settings: Settings,
    store: SqlStore,
    clock: Clock,
    telemetry: Telemetry,
    rulebook: Rulebook,
    topics: TopicLearning,
    desks: Mapping[str, Any],
    dispatcher: Dispatcher,
) -> dict[str, Any]:
    """What is done beside the other sweeps, which cannot wait for it: learning, and writing the store's file anew after an erasure."""
    targets = partial(targets_of, settings.autonomy)
    terms = refit_terms_of(settings.learning)
    seeds_min = settings.autonomy.seeds_min
    refit = Refit(store, clock, telemetry, lambda: rulebook.rules, targets_of=targets, seeds_min=seeds_min, terms=terms)
    learned = {"calibrator": refit.sweep, "topics": topics.sweep, "surveys": desks["surveys"].sweep}
    anew = {"erasures": desks["erasing"].sweep}
    turn = dispatcher.may_sweep
    return {
        "lessons": Sweeps(clock, telemetry, learned, period_s=LESSONS_S, is_my_turn=turn),
        "rewriting": Sweeps(clock, telemetry, anew, period_s=REWRITING_S, is_my_turn=turn),
    }


def topic_terms(settings: Settings) -> dict[str, Any]:
    """When topics are learned anew, and when that comes into force."""
    return {"cadence": refit_terms_of(settings.learning), "terms": topic_terms_of(settings.learning)}


def earning_terms(settings: Settings) -> dict[str, Any]:
    """What is promised and asked for where autonomy is earned."""
    return {"targets_of": partial(targets_of, settings.autonomy), "terms": terms_of(settings.autonomy)}
