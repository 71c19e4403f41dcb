"""What a made-up world consists of, as its TOML file says it; nothing happens here."""

from __future__ import annotations

from typing import Final, Self

from pydantic import Field, model_validator

from understudy.records.rulebook import UNKNOWN_TOPIC
from understudy.settings.section import Section

PEOPLE_MAX: Final = 100


class Regression(Section):
    """The day from which the agent is worse on a slice, without a new version to announce it."""

    day: float = Field(ge=0, description="from this day on")
    times: float = Field(gt=1, description="so many times as many drafts are bad")
    is_visible: bool = Field(True, description="whether the confidence of the bad ones falls, as that of others does")


class SliceWorld(Section):
    """A topic on a channel: how much comes in, how good the agent is there, how well its confidence tells."""

    topic: str = Field(min_length=1, description="what it is about")
    channel: str = Field("chat", min_length=1, description="where it is asked; slices of one topic share a certificate")
    per_day: float = Field(100.0, gt=0, le=100_000, description="drafts a day, on average")
    bad: float = Field(0.06, gt=0, lt=1, description="share of drafts that no careful reviewer would let pass")
    sharpness: float = Field(
        0.85,
        ge=0.5,
        lt=1,
        description="how often a good draft has more confidence than a bad one; 0.5 = it tells nothing",
    )
    minor: float = Field(0.0, ge=0, le=1, description="share of the bad ones that only need a small change (loss 0.2)")
    major: float = Field(
        0.0, ge=0, le=1, description="share of them that need a large one (loss 0.5); the rest costs 1"
    )
    severe: float = Field(0.002, ge=0, le=1, description="share of the others, of loss 1, that do harm")
    regression: Regression | None = Field(None, description="when it gets worse")

    @property
    def name(self) -> str:
        """Topic × channel."""
        return f"{self.topic}×{self.channel}"

    @property
    def loss_of_bad(self) -> float:
        """The mean loss of a bad draft, in [0, 1]."""
        return 1.0 - 0.8 * self.minor - 0.5 * self.major

    @property
    def severe_of_bad(self) -> float:
        """The share of bad drafts that do harm, in [0, 1]."""
        return (1.0 - self.minor - self.major) * self.severe

    @model_validator(mode="after")
    def _is_possible(self) -> Self:
        if self.minor + self.major > 1.0:
            raise ValueError(
                f"minor + major is a share of the bad drafts, so at most 1, not {self.minor + self.major:g}"
            )
        if self.regression is not None and self.bad * self.regression.times >= 1.0:
            raise ValueError(f"{self.regression.times:g} times {self.bad:g} is more than all drafts")
        if self.topic == UNKNOWN_TOPIC:
            raise ValueError(f"the topic {UNKNOWN_TOPIC!r} never earns autonomy, so there is nothing to simulate")
        return self


class People(Section):
    """Those who review. They are honest and human."""

    count: int = Field(3, ge=1, le=PEOPLE_MAX, description="reviewers, who share the drafts evenly")
    missed: float = Field(0.1, ge=0, lt=1, description="share of bad drafts that they let pass although they look")
    lazy: int = Field(0, ge=0, description="so many of them approve everything")
    delay_h: float = Field(2.0, gt=0, description="hours until half of the good drafts are judged")
    bad_delay: float = Field(3.0, gt=0, description="a bad draft takes so many times as long")
    unjudged: float = Field(0.0, ge=0, lt=1, description="share of drafts that nobody ever judges")
    confirm_h: float = Field(24.0, ge=0, description="hours until a lead confirms a promotion, if one has to")

    @model_validator(mode="after")
    def _is_possible(self) -> Self:
        if self.lazy > self.count:
            raise ValueError(f"{self.lazy} lazy ones are more than all {self.count}")
        return self


class Complaints(Section):
    """Which automatic replies customers complain of."""

    bad: float = Field(0.15, ge=0, le=1, description="share of the bad ones")
    good: float = Field(0.001, gt=0, lt=0.5, description="share of the good ones")


class World(Section):
    """All of it. The same world and seed give the same days."""

    days: int = Field(180, ge=1, le=3650, description="so long it goes on")
    looks_per_day: int = Field(1, ge=1, le=24, description="so often labels are counted; the product does at each")
    people: People = Field(People(), description="who reviews")
    complaints: Complaints = Field(Complaints(), description="what customers say")
    slices: tuple[SliceWorld, ...] = Field(min_length=1, max_length=1000, description="topics on channels")

    @model_validator(mode="after")
    def _is_possible(self) -> Self:
        names = [one.name for one in self.slices]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"{', '.join(twice)} stands there twice")
        return self


SHIPPED_WORLD = World(
    slices=(
        SliceWorld(topic="orders", per_day=300, bad=0.04, sharpness=0.9),
        SliceWorld(
            topic="delivery",
            per_day=250,
            bad=0.05,
            sharpness=0.88,
            regression=Regression(day=120, times=4, is_visible=False),
        ),
        SliceWorld(topic="returns", per_day=150, bad=0.06, sharpness=0.85, regression=Regression(day=130, times=3)),
        SliceWorld(topic="products", per_day=120, bad=0.12, sharpness=0.8),
        SliceWorld(topic="products", channel="email", per_day=40, bad=0.12, sharpness=0.8),
        SliceWorld(topic="complaints", per_day=30, bad=0.3, sharpness=0.65),
    )
)
"""A shop with a good agent: two easy topics, one of which it later gets wrong unnoticed, and some that are harder."""
