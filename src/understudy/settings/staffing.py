"""Who takes hand-offs and how long a customer may wait: `[teams.NAME]`, `[sla]` and `[staffing]`; it chooses nobody."""

from __future__ import annotations

from datetime import date

from pydantic import Field

from understudy.records.staffing import USUAL_STEPS, StepDeed
from understudy.settings.section import Section


class TeamSettings(Section):
    """People who take the same hand-offs."""

    members: list[str] = Field(description="names of reviewers, as they sign in")
    topics: list[str] = Field([], description="takes hand-offs of these topics; empty = of all")
    languages: list[str] = Field([], description="ISO 639-1 codes of the languages it answers in; empty = all")
    channels: list[str] = Field([], description="takes hand-offs of these channels; empty = of all")
    hours: list[str] | None = Field(
        None, description='when it is there, such as "mon-fri 09:00-17:00"; default: `business.hours`'
    )
    timezone: str | None = Field(
        None, description="IANA name of the zone that its hours are in; default: `business.timezone`"
    )
    holidays: list[date] | None = Field(
        None, description="days on which nobody of it is there; default: `business.holidays`"
    )
    capacity: int = Field(3, ge=1, le=100, description="open hand-offs that one of them is given at most")
    overflow: str | None = Field(None, description="the team that is asked next")
    overflow_after_s: float = Field(
        300.0, ge=0, le=604_800, description="once a hand-off has waited so long for this one"
    )


class SlaStepSettings(Section):
    """Something that is done before a wait is too long."""

    at: float = Field(gt=0, lt=1, description="at this share of the time")
    do: StepDeed = Field(
        description="`raise` puts it before others, `overflow` asks the next team at once, `tell` shows it to leads"
    )


class SlaSettings(Section):
    """Within how long a person answers after a hand-off, and what is done before that time is over."""

    answer_within_s: dict[int, float] = Field(
        {},
        description="priority -> seconds, such as { 0 = 120, 2 = 900 }; one that is not there has those of the next more urgent",
    )
    steps: list[SlaStepSettings] = Field(
        [SlaStepSettings(at=step.at, do=step.do) for step in USUAL_STEPS],
        description="what is done before, in order",
    )
    counts_closed: bool = Field(False, description="true: hours at which no team is there count as waiting too")


class StaffingSettings(Section):
    """When a hand-off goes to somebody else."""

    take_within_s: float = Field(
        120.0, gt=0, le=86_400, description="who was given one begins within so long, or loses it"
    )
    answer_within_s: float = Field(
        900.0, gt=0, le=604_800, description="who took a conversation answers within so long, or it is given to another"
    )
    gone_s: float = Field(
        60.0, ge=0, le=86_400, description="who is away, or whose console is gone, loses what they have after"
    )
