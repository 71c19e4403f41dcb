"""Choose a person for a hand-off, and say how long it may wait; pure, and nobody is told anything here.

A person is asked who is there, whose team takes such hand-offs and is open, and who has fewer than they may have. Of those
who answers in the conversation already comes first, then who did not lose this hand-off before, then the least loaded; what
is left is settled by a digest of the hand-off and the name, so that it is spread evenly and comes out the same each time.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from hashlib import sha256
from typing import Final
from zoneinfo import ZoneInfo

from understudy.assessment.opening import is_open, next_opening
from understudy.records.policy import OpeningHours
from understudy.records.staffing import HandOffFacts, Routed, Staffing, Team, Why

CLOSINGS_MAX: Final = 1_000
"""So many closings are looked through for the moment at which a time has passed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A team that is asked about a hand-off, from `since` on."""

    team: Team
    since: datetime


def takes(team: Team, facts: HandOffFacts) -> bool:
    """Whether a team has the skill for a hand-off. A language that cannot be told asks for none."""
    return (
        (not team.topics or facts.topic in team.topics)
        and (not team.channels or facts.channel in team.channels)
        and (not team.languages or facts.language is None or facts.language in team.languages)
    )


def is_there(team: Team, at: datetime) -> bool:
    """Whether a moment (aware) lies within a team's hours."""
    return is_open(team.hours, at, team.holidays) if team.hours is not None else at.date() not in team.holidays


def comes_at(team: Team, at: datetime) -> datetime | None:
    """When a team comes that is not there at a moment; None where it is, or nobody knows."""
    if is_there(team, at) or team.hours is None:
        return None
    return next_opening(team.hours, at, team.holidays)


def opens_at_of(asked: Sequence[Asked], at: datetime) -> datetime | None:
    """When the first of these teams comes; None where one is there already, or nobody knows."""
    if any(is_there(one.team, at) for one in asked):
        return None
    return min((comes for one in asked if (comes := comes_at(one.team, at)) is not None), default=None)


def asked_for(facts: HandOffFacts, teams: Sequence[Team], at: datetime) -> list[Asked]:
    """The teams that are asked about a hand-off, in order: the one that says most about what it takes, or else stands first,
    then overflow after overflow. A team that is closed at `at` keeps nobody waiting for the next, and one without the skill
    is passed over."""
    by_name = {team.name: team for team in teams}
    able = [team for team in teams if takes(team, facts)]
    team = max(able, key=_says, default=None)
    asked: list[Asked] = []
    since, seen = facts.waits_since, set[str]()
    while team is not None and team.name not in seen:
        seen.add(team.name)
        is_able = takes(team, facts)
        if is_able:
            asked.append(Asked(team=team, since=since))
        if is_able and is_there(team, at) and not facts.is_urged:
            since += timedelta(seconds=team.overflow_after_s)
        team = by_name.get(team.overflow) if team.overflow is not None else None
    return asked


def route(
    facts: HandOffFacts, teams: Sequence[Team], here: Collection[str], load: Mapping[str, int], now: datetime
) -> Routed:
    """Choose who gets a hand-off at `now`. `here`: who is there and not away; `load`: how many open hand-offs each has.

    Nobody is chosen who is not among `here`, or has no skill for it, or whose team is closed, or who has as many as they may.
    """
    asked = asked_for(facts, teams, now)
    if not asked:
        return Routed(team=None, person=None, why=Why.NO_TEAM, words=f"No team takes {_shown(facts)}; anybody may.")
    able = [
        (name, one.team)
        for one in asked
        if one.since <= now and is_there(one.team, now)
        for name in one.team.members
        if name in here and load.get(name, 0) < one.team.capacity
    ]
    if not able:
        return _nobody(asked, here, now)
    order = {one.team.name: place for place, one in enumerate(asked)}

    def rank(choice: tuple[str, Team]) -> tuple[bool, int, int, int, str]:
        name, team = choice
        lost = facts.lost.index(name) + 1 if name in facts.lost else 0
        return (name != facts.keeper, lost, order[team.name], load.get(name, 0), _lot(facts.id, name))

    name, team = min(able, key=rank)
    return Routed(team=team.name, person=name, why=_why(name, facts), words=_words(name, team, facts, load, asked))


def deadline(staffing: Staffing, facts: HandOffFacts, share: float = 1.0, *, target_s: float) -> datetime | None:
    """When this share of a target has passed since the hand-off; time at which nobody of the teams it is for is there does not
    count, unless the SLA says that it does. None where that never comes."""
    left = timedelta(seconds=target_s * share)
    if staffing.sla.counts_closed:
        return facts.waits_since + left
    asked = asked_for(facts, staffing.teams, facts.waits_since)
    open_times = [(one.team.hours, one.team.holidays) for one in asked] or [(staffing.hours, staffing.holidays)]
    if any(hours is None for hours, _ in open_times):
        return facts.waits_since + left
    times = [(hours, holidays) for hours, holidays in open_times if hours is not None]
    return _after_open(times, facts.waits_since, left)


def _after_open(
    times: Sequence[tuple[OpeningHours, Collection[date]]], since: datetime, left: timedelta
) -> datetime | None:
    """When somebody will have been there for so long."""
    at = since.astimezone(UTC)
    for _ in range(CLOSINGS_MAX):
        if not any(is_open(hours, at, holidays) for hours, holidays in times):
            opens = [next_opening(hours, at, holidays) for hours, holidays in times]
            known = [one for one in opens if one is not None]
            if not known:
                return None
            at = min(one.astimezone(UTC) for one in known)
        closes = max(_closes_at(hours, at) for hours, holidays in times if is_open(hours, at, holidays))
        if closes - at >= left:
            return at + left
        left -= closes - at
        at = closes
    return None


def _closes_at(hours: OpeningHours, at: datetime) -> datetime:
    """When the period ends in which a moment lies."""
    zone = ZoneInfo(hours.timezone)
    local = at.astimezone(zone)
    minute = 60 * local.hour + local.minute
    ends = max(
        period.to_minute
        for period in hours.periods
        if period.weekday == local.weekday() and period.from_minute <= minute < period.to_minute
    )
    midnight = datetime.combine(local.date(), time(), zone)
    return (midnight + timedelta(minutes=ends)).astimezone(UTC)


def _says(team: Team) -> int:
    return sum(map(bool, (team.topics, team.languages, team.channels)))


def _nobody(asked: Sequence[Asked], here: Collection[str], now: datetime) -> Routed:
    first = asked[0].team.name
    there = [one for one in asked if is_there(one.team, now)]
    if not there:
        opens_at = opens_at_of(asked, now)
        when = "nobody knows when they come" if opens_at is None else f"they come {opens_at:%Y-%m-%d %H:%M}"
        return Routed(
            team=first, person=None, why=Why.CLOSED, words=f"{_named(asked)} closed; {when}.", opens_at=opens_at
        )
    now_asked = [one for one in there if one.since <= now]
    names = {name for one in now_asked for name in one.team.members if name in here}
    if names:
        has = "has" if len(names) == 1 else "have"
        words = f"{', '.join(sorted(names))} {has} as many hand-offs as they may."
        return Routed(team=first, person=None, why=Why.ALL_FULL, words=words)
    shown = ", ".join(one.team.name for one in now_asked)
    later = next((one for one in there if one.since > now), None)
    more = "" if later is None else f" {later.team.name} is asked from {later.since:%H:%M:%S} UTC on."
    return Routed(team=first, person=None, why=Why.NOBODY_HERE, words=f"Nobody of {shown or first} is here.{more}")


def _named(asked: Sequence[Asked]) -> str:
    return f"{', '.join(one.team.name for one in asked)} {'is' if len(asked) == 1 else 'are'}"


def _why(name: str, facts: HandOffFacts) -> Why:
    return Why.KEEPS if name == facts.keeper else Why.LEAST_LOADED


def _words(name: str, team: Team, facts: HandOffFacts, load: Mapping[str, int], asked: Sequence[Asked]) -> str:
    if name == facts.keeper:
        return f"{name} of {team.name} answers in this conversation already."
    takes_it = f"{team.name} takes {_shown(facts)}" if team is asked[0].team else f"{team.name} was asked next"
    again = ", and had it before" if name in facts.lost else ""
    return f"{takes_it}; {name} is here with {load.get(name, 0)} of {team.capacity}{again}."


def _shown(facts: HandOffFacts) -> str:
    language = "" if facts.language is None else f", {facts.language}"
    return f"{facts.topic or 'no topic'} on {facts.channel}{language}"


def _lot(hand_off: str, name: str) -> str:
    return sha256(f"{hand_off}\0{name}".encode()).hexdigest()
