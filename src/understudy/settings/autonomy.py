"""The section `[autonomy]`: what is promised, how it is earned, how long it lasts; it grants nothing itself."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from understudy.records.rulebook import Level
from understudy.settings.section import Section


class GrantSettings(Section):
    """The autonomy level of a slice."""

    topic: str = Field("*", description="topic, or * for any known one")
    channel: str = Field("*", description="channel, or *")
    level: Level = Field(description="shadow, assist, probation, auto or demoted")
    threshold: float = Field(0.9, ge=0, le=1, description="lowest confidence that is delivered")


class TopicTargets(Section):
    """What is promised for one topic, where it differs."""

    risk_max: float | None = Field(None, gt=0, lt=1, description="mean loss among its automatic replies, at most")
    severe_max: float | None = Field(None, gt=0, lt=1, description="share of severe ones among them, at most")


class Autonomy(Section):
    """Where the agent may answer alone. Without a grant a slice is in assist: people decide on every draft."""

    grants: list[GrantSettings] = Field([], description="where slices start; the first that matches counts")
    never_auto: list[str] = Field([], description="topics that are never answered automatically")
    automatic_per_hour_max: int = Field(200, ge=0, description="automatic replies per slice and hour")
    risk_max: float = Field(0.05, gt=0, lt=1, description="mean loss among automatic replies, at most (0 good, 1 bad)")
    severe_max: float = Field(
        0.005, gt=0, lt=1, description="share of severe ones (harm, a broken policy) among them, at most"
    )
    confidence: float = Field(0.95, ge=0.5, lt=1, description="how sure a certificate is that both hold")
    sensitivity: float = Field(
        0.7,
        gt=0,
        le=1,
        description="share of bad drafts that reviewers notice, as long as too few were planted to know",
    )
    topics: dict[str, TopicTargets] = Field({}, description="promises for single topics")
    confirm: Literal["lead", "automatic"] = Field("lead", description="who grants a promotion that the evidence allows")
    days_min: float = Field(3.0, ge=0, description="labels must span so many days before a promotion is proposed")
    reviewers_min: int = Field(2, ge=1, le=10, description="and come from so many people")
    judged_within_h: float = Field(72.0, gt=0, description="a draft that nobody judged for so many hours counts as bad")
    probation_audit_rate: float = Field(0.2, gt=0, le=1, description="share of replies audited in probation")
    probation_replies: int = Field(4_000, ge=1, description="automatic replies before the next promotion is proposed")
    release_audit_rate: float = Field(
        0.5,
        gt=0,
        le=1,
        description="share audited where a release that passed its gate goes on alone, until it earned more",
    )
    false_alarm_audits: float = Field(
        1_000,
        ge=200,
        description="a slice that keeps its promise is demoted by mistake once in so many audits at the most, on average; 5,000 where there are many slices",
    )
    audit_rate: float = Field(
        0.05, ge=0, le=1, description="share of automatic replies reviewed afterwards; without any, nothing is noticed"
    )
    burst: int = Field(100, ge=0, description="so many replies are all audited when something stirs")
    rise_burst: int = Field(
        600, ge=0, description="so many are all audited when complaints, or recontacts, are more frequent than usual"
    )
    recontact_within_h: float = Field(
        24.0,
        ge=0,
        description="who writes again about the same topic so soon after an automatic reply, in whichever conversation: a recontact",
    )
    valid_days: float = Field(90.0, gt=0, description="a certificate lasts so many days")
    seeds_min: int = Field(
        20, ge=1, description="planted drafts with a verdict, from which on they say what reviewers notice"
    )
    child_labels_min: int = Field(
        30, ge=1, description="labels a slice needs of its own to rest on the certificate of its topic on all channels"
    )
