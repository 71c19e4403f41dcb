"""What a business writes down for its checks: rules on wording, opening hours, its own verbs, what its channels show.

These are parts of the rulebook; what is made of them stands in the checks.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from understudy.records.assessment import Severity

RuleKind = Literal["forbidden", "promise", "competitor", "advice", "required"]
Markup = Literal["none", "markdown", "html"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyRule:
    """A rule on what drafts say: none of `phrases` and `patterns`, or, where the kind is *required*, at least one.

    Phrases are plain words; patterns are RE2 expressions; case counts in neither. The rule holds for these `topics` and
    `channels` (empty = all), only where the draft or the customer says one of `when` (empty = always), and only while
    the business is open or closed where `hours` says so. `passes` and `fails` are drafts that show what is meant.
    """

    name: str
    kind: RuleKind = "forbidden"
    phrases: tuple[str, ...] = ()
    patterns: tuple[str, ...] = ()
    why: str = ""
    severity: Severity | None = None
    topics: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    when: tuple[str, ...] = ()
    hours: Literal["always", "open", "closed"] = "always"
    passes: tuple[str, ...] = ()
    fails: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not (self.phrases or self.patterns):
            raise ValueError(f"PolicyRule {self.name!r} needs phrases or patterns")


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenPeriod:
    """Open on one weekday (0 = Monday) from a minute of the day to another, the end not included."""

    weekday: int
    from_minute: int
    to_minute: int

    def __post_init__(self) -> None:
        if not (0 <= self.weekday <= 6 and 0 <= self.from_minute < self.to_minute <= 1440):
            raise ValueError(f"OpenPeriod must lie within one day of the week, got {self!r}")


@dataclass(frozen=True, slots=True, kw_only=True)
class OpeningHours:
    """When people of the business are there, in the time of `timezone` (an IANA name)."""

    timezone: str = "UTC"
    periods: tuple[OpenPeriod, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionVerb:
    """A deed of this business: its participles as drafts write them, and parts of the names of the tools that do it."""

    words: tuple[str, ...]
    tools: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelForm:
    """What a channel can show. `chars_max` None = any length; `markup` None = nobody said."""

    channel: str
    chars_max: int | None = None
    markup: Markup | None = None
