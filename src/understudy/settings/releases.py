"""The section `[releases]`: how versions of agents are let out and watched; it names no version itself."""

from __future__ import annotations

from datetime import timedelta
from typing import Literal

from pydantic import Field

from understudy.records.redraft import RedraftTerms
from understudy.records.rollout import ReleaseTerms
from understudy.settings.section import Section


class ReleasesSettings(Section):
    """How a new version of an agent comes to the customers, and what takes it back."""

    suites: tuple[str, ...] = Field(
        (),
        description="suites in `evaluation.suites` that a release has to pass; without any only a person's word lets it go on",
    )
    canary_share: float = Field(0.1, gt=0, le=1, description="share of new conversations that a canary drafts for")
    shadow_per_hour_max: int = Field(
        600,
        ge=0,
        description="drafts that a release in shadow makes beside the real ones, per hour, at most; and as many again for turns of the past",
    )
    redrafts_max: int = Field(
        0,
        ge=0,
        le=5_000,
        description="turns of each slice for which a release that passed its gate drafts once more, so that labels of drafts that say the same carry over; 0 = none. Only where nobody tunes a version on the labelled turns of the last `redraft_age_days`",
    )
    redraft_age_days: float = Field(30.0, gt=0, description="only turns at most so old are redrafted")
    rehearsals_kept_days: float = Field(
        30.0,
        ge=0,
        description="drafts that were only made beside the real ones are deleted after so many days; 0 = never",
    )
    confirm: Literal["releaser", "automatic"] = Field(
        "releaser", description="who takes the next step where live signals allow it"
    )
    rollback: Literal["automatic", "report"] = Field(
        "automatic", description="what a regression does: take the release back, or only tell"
    )
    margin: float = Field(0.03, gt=0, lt=1, description="mean loss by which a candidate may seem worse and still go on")
    delta: float = Field(
        0.05, gt=0, lt=0.5, description="probability that a candidate no worse than its baseline is taken back at all"
    )
    pairs_min: int = Field(30, ge=1, description="comparisons of each signal before anything follows from it")
    days_min: float = Field(1.0, ge=0, description="a stage lasts at least so many days before the next is proposed")
    draft_s_max: float = Field(10.0, gt=0, description="a draft that takes so long counts as slow as can be")
    draft_cost_max: float | None = Field(
        None,
        gt=0,
        description="a draft that costs so much counts as expensive as can be; default: costs are not compared",
    )
    probe: str = Field(
        "Hello, what can you help me with?",
        min_length=1,
        description="what the old release is asked after a rollback, to see that it answers; never shown to a customer",
    )


def release_terms_of(section: ReleasesSettings) -> ReleaseTerms:
    """The terms under which releases come to the customers."""
    return ReleaseTerms(
        share=section.canary_share,
        margin=section.margin,
        delta=section.delta,
        pairs_min=section.pairs_min,
        days_min=section.days_min,
        draft_s_max=section.draft_s_max,
        draft_cost_max=section.draft_cost_max,
        takes_back=section.rollback == "automatic",
        goes_on=section.confirm == "automatic",
        shadow_per_hour_max=section.shadow_per_hour_max,
        rehearsals_kept_days=section.rehearsals_kept_days,
        probe=section.probe,
    )


def redraft_terms_of(section: ReleasesSettings, *, judged_within: timedelta, draft_s_max: float) -> RedraftTerms:
    """The terms under which labels carry over to a release."""
    return RedraftTerms(
        per_slice_max=section.redrafts_max,
        age=timedelta(days=section.redraft_age_days),
        judged_within=judged_within,
        draft_s_max=draft_s_max,
        per_hour_max=section.shadow_per_hour_max,
    )
