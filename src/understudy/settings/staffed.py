"""The configuration as teams and what is promised of waits; what is wrong with it is named. It reads no file."""

from __future__ import annotations

from collections.abc import Mapping

from understudy.errors import ConfigurationError
from understudy.records.staffing import Sla, SlaStep, Staffing, Team
from understudy.settings.hours import check_timezone, opening_hours
from understudy.settings.model import Settings
from understudy.settings.rules import business_hours
from understudy.settings.staffing import TeamSettings


def staffing_of(settings: Settings) -> Staffing:
    """Who takes which hand-offs, and how long they may wait; raises `ConfigurationError` that names the setting."""
    try:
        return _staffing(settings)
    except ValueError as error:
        raise ConfigurationError(str(error)) from error


def _staffing(settings: Settings) -> Staffing:
    teams = tuple(_team(settings, name, team) for name, team in settings.teams.items())
    _check_overflow(settings.teams)
    own = settings.staffing
    try:
        sla = Sla(
            targets=tuple(sorted(settings.sla.answer_within_s.items())),
            steps=tuple(SlaStep(at=step.at, do=step.do) for step in settings.sla.steps),
            counts_closed=settings.sla.counts_closed,
        )
    except ValueError as error:
        raise ValueError(f"sla: {error}") from error
    if wrong := [priority for priority, _ in sla.targets if priority < 0]:
        raise ValueError(f"sla.answer_within_s: priority {wrong[0]} is none; 0 comes first, then 1, 2, …")
    return Staffing(
        teams=teams,
        sla=sla,
        hours=business_hours(settings.business),
        holidays=tuple(settings.business.holidays),
        take_within_s=own.take_within_s,
        answer_within_s=own.answer_within_s,
        gone_s=own.gone_s,
    )


def _team(settings: Settings, name: str, own: TeamSettings) -> Team:
    where, business = f"teams.{name}", settings.business
    members = [member.strip() for member in own.members]
    if not members:
        raise ValueError(f"{where}.members: nobody is in it; name at least one reviewer")
    if "" in members:
        raise ValueError(f"{where}.members: a name is empty; name reviewers as they sign in")
    if twice := next((member for member in members if members.count(member) > 1), None):
        raise ValueError(f"{where}.members: {twice!r} stands there twice; name everybody once")
    if unknown := [channel for channel in own.channels if channel not in settings.channels and channel != "api"]:
        known = ", ".join(sorted(settings.channels)) or "none"
        raise ValueError(f"{where}.channels: there is no channel {unknown[0]!r}; there is: {known}")
    timezone = own.timezone or business.timezone
    check_timezone(timezone, where=f"{where}.timezone")
    if own.hours is not None and not own.hours:
        raise ValueError(f"{where}.hours: it is never there; leave the setting out for `business.hours`")
    lines, named = (business.hours, "business.hours") if own.hours is None else (own.hours, f"{where}.hours")
    return Team(
        name=name,
        members=tuple(members),
        topics=tuple(own.topics),
        languages=tuple(own.languages),
        channels=tuple(own.channels),
        hours=opening_hours(lines, timezone, where=named),
        holidays=tuple(business.holidays if own.holidays is None else own.holidays),
        capacity=own.capacity,
        overflow=own.overflow,
        overflow_after_s=own.overflow_after_s,
    )


def _check_overflow(teams: Mapping[str, TeamSettings]) -> None:
    for name, team in teams.items():
        if team.overflow is not None and team.overflow not in teams:
            raise ValueError(f"teams.{name}.overflow: there is no team {team.overflow!r}; there is: {', '.join(teams)}")
    for name in teams:
        way = [name]
        while (following := teams[way[-1]].overflow) is not None:
            way.append(following)
            if following in way[:-1]:
                circle = " -> ".join(way)
                raise ValueError(f"teams.{name}.overflow: {circle} goes round in a circle; leave one of them out")
