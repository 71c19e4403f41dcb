"""Teams and what is promised of waits, from the settings: whatever is wrong is named, with what it may be."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from understudy.errors import ConfigurationError
from understudy.records.staffing import USUAL_STEPS, Staffing, StepDeed
from understudy.settings.load import load
from understudy.settings.staffed import staffing_of

BUSINESS = '[business]\ntimezone = "Europe/Berlin"\nhours = ["mon-fri 09:00-17:00"]\nholidays = [2026-12-25]\n'
CHANNELS = '[channels.web]\nkind = "webchat"\n'
ALL = '[teams.all]\nmembers = ["Ana", "Ben"]\n'


def read(folder: Path, text: str) -> Staffing:
    (folder / "understudy.toml").write_text(text, encoding="utf-8")
    return staffing_of(load(folder / "understudy.toml", {}))


def test_who_configures_nothing_has_nothing_to_do(tmp_path: Path) -> None:
    found = read(tmp_path, BUSINESS)
    assert not found.is_on
    assert found.teams == ()


def test_a_team_has_the_hours_of_the_business_unless_it_says_otherwise(tmp_path: Path) -> None:
    night = '[teams.night]\nmembers = ["Nox"]\nhours = ["mon-sun 18:00-23:00"]\ntimezone = "UTC"\nholidays = []\n'
    found = read(tmp_path, BUSINESS + ALL + night)
    own, other = found.teams
    assert found.is_on
    assert found.people == ("Ana", "Ben", "Nox")
    assert (own.name, own.members, own.capacity) == ("all", ("Ana", "Ben"), 3)
    assert own.hours == found.hours
    assert own.holidays == (date(2026, 12, 25),)
    assert other.hours is not None
    assert (other.hours.timezone, len(other.hours.periods), other.holidays) == ("UTC", 7, ())


def test_an_sla_alone_is_something_to_do(tmp_path: Path) -> None:
    found = read(tmp_path, "[sla]\nanswer_within_s = { 4 = 900, 0 = 120 }\n")
    assert found.is_on
    assert found.sla.targets == ((0, 120.0), (4, 900.0))
    assert found.sla.steps == USUAL_STEPS


def test_steps_are_read_in_their_order(tmp_path: Path) -> None:
    text = '[sla]\nanswer_within_s = { 0 = 60 }\nsteps = [{ at = 0.25, do = "tell" }, { at = 0.9, do = "overflow" }]\n'
    steps = read(tmp_path, text).sla.steps
    assert [(step.at, step.do) for step in steps] == [(0.25, StepDeed.TELL), (0.9, StepDeed.OVERFLOW)]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[teams.all]\nmembers = []\n", "teams.all.members: nobody is in it; name at least one reviewer"),
        ('[teams.all]\nmembers = ["Ana", " "]\n', "teams.all.members: a name is empty"),
        ('[teams.all]\nmembers = ["Ana", "Ana"]\n', "teams.all.members: 'Ana' stands there twice"),
        (ALL + 'overflow = "al"\n', "teams.all.overflow: there is no team 'al'; there is: all"),
        (ALL + 'overflow = "all"\n', "teams.all.overflow: all -> all goes round in a circle"),
        (
            ALL + 'overflow = "b"\n[teams.b]\nmembers = ["C"]\noverflow = "all"\n',
            "teams.all.overflow: all -> b -> all goes round in a circle",
        ),
        (CHANNELS + ALL + 'channels = ["wbe"]\n', "teams.all.channels: there is no channel 'wbe'; there is: web"),
        (ALL + 'hours = ["9 to 5"]\n', "teams.all.hours '9 to 5' is not of the form"),
        (ALL + "hours = []\n", "teams.all.hours: it is never there"),
        (ALL + 'timezone = "Mars"\n', "teams.all.timezone 'Mars' is no time zone"),
        ("[sla]\nanswer_within_s = { 0 = 0 }\n", "sla: the seconds of an SLA must be > 0"),
        ("[sla]\nanswer_within_s = { -1 = 5 }\n", "priority -1 is none"),
        (
            '[sla]\nsteps = [{ at = 0.9, do = "tell" }, { at = 0.2, do = "raise" }]\n',
            "sla: the steps of an SLA stand in order",
        ),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(ConfigurationError) as raised:
        read(tmp_path, text)
    assert said in raised.value.message


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (ALL + "overlow = 1\n", "teams.all.overlow: unknown key, did you mean 'overflow'?"),
        ("[teams.all]\n", "teams.all.members: Field required"),
        (ALL + "capacity = 0\n", "teams.all.capacity"),
        ("[sla]\nanswer_within_s = { soon = 5 }\n", "sla.answer_within_s.soon"),
        ('[sla]\nsteps = [{ at = 1.0, do = "tell" }]\n', "sla.steps.0.at"),
    ],
)
def test_what_is_no_setting_is_named(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(ConfigurationError) as raised:
        read(tmp_path, text)
    assert said in raised.value.message
