"""The sections `[autonomy]` and `[review]` as what flows take: promises for a topic, terms of a promotion and of reviews."""

from __future__ import annotations

from understudy.records.autonomy import Targets, Terms
from understudy.records.feedback import FeedbackTerms
from understudy.records.reviewing import ReviewTerms
from understudy.settings.autonomy import Autonomy, TopicTargets
from understudy.settings.model import Settings


def targets_of(autonomy: Autonomy, topic: str) -> Targets:
    """What a certificate of this topic promises."""
    own = autonomy.topics.get(topic, TopicTargets())
    return Targets(
        risk_max=autonomy.risk_max if own.risk_max is None else own.risk_max,
        severe_max=autonomy.severe_max if own.severe_max is None else own.severe_max,
        delta=round(1.0 - autonomy.confidence, 12),
        sensitivity=autonomy.sensitivity,
    )


def feedback_terms_of(autonomy: Autonomy) -> FeedbackTerms:
    """What follows from what customers say."""
    return FeedbackTerms(
        burst=autonomy.burst, rise_burst=autonomy.rise_burst, recontact_within_h=autonomy.recontact_within_h
    )


def review_terms_of(settings: Settings) -> ReviewTerms:
    """How reviewers are looked at."""
    return ReviewTerms(
        second_rate=settings.review.second_rate,
        second_within_s=settings.autonomy.judged_within_h * 3600,
        discounts=settings.review.discounts,
        sensitivity=settings.autonomy.sensitivity,
        words_per_minute_max=settings.review.words_per_minute_max,
    )


def terms_of(autonomy: Autonomy) -> Terms:
    """When promotions are proposed, and how long they last."""
    return Terms(
        days_min=autonomy.days_min,
        reviewers_min=autonomy.reviewers_min,
        probation_audit_rate=autonomy.probation_audit_rate,
        probation_replies=autonomy.probation_replies,
        audit_rate=autonomy.audit_rate,
        valid_days=autonomy.valid_days,
        burst=autonomy.burst,
        seeds_min=autonomy.seeds_min,
        child_labels_min=autonomy.child_labels_min,
        is_automatic=autonomy.confirm == "automatic",
    )
