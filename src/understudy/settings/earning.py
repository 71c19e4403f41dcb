"""The section `[autonomy]` as what learning takes: what is promised for a topic, and the terms of a promotion."""

from __future__ import annotations

from understudy.records.autonomy import Targets, Terms
from understudy.settings.autonomy import Autonomy, TopicTargets


def targets_of(autonomy: Autonomy, topic: str) -> Targets:
    """What a certificate of this topic promises."""
    own = autonomy.topics.get(topic, TopicTargets())
    return Targets(
        risk_max=autonomy.risk_max if own.risk_max is None else own.risk_max,
        severe_max=autonomy.severe_max if own.severe_max is None else own.severe_max,
        delta=round(1.0 - autonomy.confidence, 12),
        sensitivity=autonomy.sensitivity,
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
        child_labels_min=autonomy.child_labels_min,
        is_automatic=autonomy.confirm == "automatic",
    )
