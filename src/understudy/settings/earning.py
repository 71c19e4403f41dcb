"""The sections `[autonomy]`, `[learning]` and `[review]` as what flows take: what is promised for a topic, the terms of a
promotion and of reviews, and those under which something learned comes into force.
"""

from __future__ import annotations

from datetime import timedelta

from understudy.records.autonomy import RefitTerms, Targets, Terms, TrialTerms
from understudy.records.feedback import FeedbackTerms
from understudy.records.reviewing import ReviewTerms
from understudy.records.topics import TopicTerms
from understudy.settings.autonomy import Autonomy, TopicTargets
from understudy.settings.learning import LearningSettings
from understudy.settings.model import Settings


def targets_of(autonomy: Autonomy, topic: str) -> Targets:
    """What a certificate of this topic promises."""
    own = autonomy.topics.get(topic, TopicTargets())
    return Targets(
        risk_max=autonomy.risk_max if own.risk_max is None else own.risk_max,
        severe_max=autonomy.severe_max if own.severe_max is None else own.severe_max,
        delta=round(1.0 - autonomy.confidence, 12),
        sensitivity=autonomy.sensitivity,
        alarm=autonomy.false_alarm_audits,
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
        release_audit_rate=autonomy.release_audit_rate,
        child_labels_min=autonomy.child_labels_min,
        is_automatic=autonomy.confirm == "automatic",
    )


def refit_terms_of(learning: LearningSettings) -> RefitTerms:
    """When a calibrator is tried, and when it is better."""
    return RefitTerms(
        every=timedelta(hours=learning.every_h),
        new_verdicts=learning.new_verdicts,
        trial=TrialTerms(
            verdicts_min=learning.verdicts_min,
            unseen_share=learning.unseen_share,
            gain_min=learning.gain_min,
            level=learning.level,
        ),
    )


def topic_terms_of(learning: LearningSettings) -> TopicTerms:
    """When a topic model is trained, and when it is better."""
    return TopicTerms(
        tags_min=learning.topic_tags_min,
        wrong_max=learning.topic_wrong_max,
        unknown_share=learning.topic_unknown_share,
        unseen_share=learning.unseen_share,
        level=learning.level,
    )
