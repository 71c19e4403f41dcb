"""The configuration as a rulebook: what decisions depend on, under the name of its content."""

from __future__ import annotations

from understudy.assessment.decision import DEGRADABLE
from understudy.records.codec import digest, dump
from understudy.records.rulebook import (
    CheckPolicy,
    ForbiddenPhrase,
    Grant,
    OpinionRule,
    Profile,
    Rulebook,
    Rules,
    SafeReply,
    TopicRule,
)
from understudy.settings.model import Settings


def rulebook_of(settings: Settings) -> Rulebook:
    """Build the rulebook that a configuration asks for; the same settings give the same id."""
    for code in settings.routing.degrade_on:
        if code not in DEGRADABLE:
            raise ValueError(f"routing.degrade_on {code!r} is never answered by a safe reply; {list(DEGRADABLE)} are")
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
        safe_replies=tuple(
            SafeReply(id=name, version=reply.version, text=reply.text, then_hand_off=reply.then_hand_off)
            for name, reply in sorted(settings.safe_replies.items())
        ),
        degrade_on=tuple(sorted(settings.routing.degrade_on.items())),
        hand_off_codes=tuple(settings.routing.hand_off_codes),
        hand_off_notice=settings.routing.hand_off_notice,
        forbidden=tuple(ForbiddenPhrase(phrase=one.phrase, why=one.why) for one in settings.policy.forbidden),
        audit_rate=settings.autonomy.audit_rate,
        automatic_per_hour_max=settings.autonomy.automatic_per_hour_max,
    )
    return Rulebook(id=digest(dump(rules)), rules=rules)
