"""The configuration as a rulebook: what decisions depend on, under the name of its content."""

from __future__ import annotations

import re

from understudy.assessment.patterns import problem
from understudy.assessment.reasons import DEGRADABLE
from understudy.records.assessment import WANTS_PERSON, Severity
from understudy.records.codec import digest, dump
from understudy.records.disclosure import SEPARATOR_CHARS, ChannelDisclosure, Shown
from understudy.records.policy import ActionVerb, ChannelForm, OpeningHours, PolicyRule
from understudy.records.rulebook import (
    CheckPolicy,
    ForbiddenPhrase,
    Grant,
    IdentityRules,
    OpinionRule,
    Profile,
    Rulebook,
    Rules,
    SafeReply,
    TopicRule,
)
from understudy.records.trust import TrustRules
from understudy.settings.disclosed import disclosures_of
from understudy.settings.hours import check_timezone, opening_hours
from understudy.settings.model import Business, PolicyRuleSettings, Settings


def rulebook_of(settings: Settings) -> Rulebook:
    """Build the rulebook that a configuration asks for; the same settings give the same id.

    Raises `ValueError` that names the setting, its value and what is allowed.
    """
    for code in settings.routing.degrade_on:
        if code not in DEGRADABLE:
            raise ValueError(f"routing.degrade_on {code!r} is never answered by a safe reply; {list(DEGRADABLE)} are")
    told = disclosures_of(settings)
    rules = Rules(
        profile=Profile(
            name=settings.business.name,
            domains=tuple(settings.business.domains),
            emails=tuple(settings.business.emails),
            phones=tuple(settings.business.phones),
            facts=tuple(settings.business.facts),
        ),
        checks=tuple(
            CheckPolicy(check=name, enabled=check.enabled, on_failure=check.on_failure, weight=check.weight)
            for name, check in sorted(settings.checks.items())
        ),
        opinions=tuple(
            OpinionRule(name=name, on_failure=one.on_failure, score_min=getattr(one, "score_min", 0.0))
            for name, one in sorted(settings.opinions.items())
        ),
        grants=tuple(Grant(**grant.model_dump()) for grant in settings.autonomy.grants),
        never_auto=tuple(settings.autonomy.never_auto),
        topics=tuple(TopicRule(topic=name, phrases=tuple(topic.phrases)) for name, topic in settings.topics.items()),
        safe_replies=_safe_replies(settings),
        degrade_on=tuple(sorted(settings.routing.degrade_on.items())),
        hand_off_codes=_hand_off_codes(settings.routing.hand_off_codes),
        hand_off_notice=settings.routing.hand_off_notice,
        forbidden=tuple(ForbiddenPhrase(phrase=one.phrase, why=one.why) for one in settings.policy.forbidden),
        policy=tuple(_policy_rule(rule) for rule in settings.policy.rules),
        hours=business_hours(settings.business),
        actions=settings.actions.rules(),
        verbs=tuple(ActionVerb(words=tuple(v.words), tools=tuple(v.tools)) for v in settings.actions.verbs),
        channels=tuple(
            ChannelForm(channel=name, chars_max=_room(channel.chars_max, told.get(name)), markup=channel.markup)
            for name, channel in sorted(settings.channels.items())
        ),
        languages=tuple(settings.business.languages),
        audit_rate=settings.autonomy.audit_rate,
        automatic_per_hour_max=settings.autonomy.automatic_per_hour_max,
        trust=TrustRules(
            is_on=settings.trust.cap, days=settings.trust.days, good_contacts=settings.trust.good_contacts
        ),
        identity=IdentityRules(
            code_reply=settings.identity.code_reply,
            code_minutes=settings.identity.code_minutes,
            by_rule=settings.identity.code_by_rule,
        ),
    )
    return Rulebook(id=digest(dump(rules)), rules=rules)


def _safe_replies(settings: Settings) -> tuple[SafeReply, ...]:
    return tuple(
        SafeReply(
            id=name,
            version=reply.version,
            text=reply.text,
            then_hand_off=reply.then_hand_off,
            translations=_translations(name, reply.translations),
        )
        for name, reply in sorted(settings.safe_replies.items())
    )


def _translations(name: str, given: dict[str, str]) -> tuple[tuple[str, str], ...]:
    for language, text in given.items():
        if re.fullmatch("[a-z]{2}", language) is None or not text.strip():
            raise ValueError(f"safe_replies.{name}.translations {language!r} must be an ISO 639-1 code with a text")
    return tuple(sorted(given.items()))


def _room(chars_max: int | None, told: ChannelDisclosure | None) -> int | None:
    """How long a draft may be: what the channel takes, without the shortest words that may have to stand before it."""
    if chars_max is None or told is None or told.shown is not Shown.MESSAGE:
        return chars_max
    return max(1, chars_max - SEPARATOR_CHARS - max(len(words.short) for words in told.texts.values()))


def _hand_off_codes(stated: list[str]) -> tuple[str, ...]:
    """The findings that hand off; who asks for a person gets one, whatever the list says."""
    if not stated or WANTS_PERSON in stated:
        return tuple(stated)
    return (WANTS_PERSON, *stated)


def _policy_rule(rule: PolicyRuleSettings) -> PolicyRule:
    if not (rule.phrases or rule.patterns):
        raise ValueError(f"policy.rules {rule.name!r} has neither phrases nor patterns; give at least one")
    for pattern in rule.patterns:
        wrong = problem(pattern)
        if wrong is not None:
            raise ValueError(f"policy.rules {rule.name!r}: {pattern!r} is no RE2 expression ({wrong})")
    severity = None if rule.severity is None else Severity(rule.severity)
    lists = {name: tuple(value) for name, value in rule.model_dump().items() if isinstance(value, list)}
    return PolicyRule(name=rule.name, kind=rule.kind, why=rule.why, severity=severity, hours=rule.hours, **lists)


def business_hours(business: Business) -> OpeningHours | None:
    """When the business is open; None where it does not say. Raises `ValueError` that names the setting."""
    check_timezone(business.timezone, where="business.timezone")
    return opening_hours(business.hours, business.timezone, where="business.hours")
