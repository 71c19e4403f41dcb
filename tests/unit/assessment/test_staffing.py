"""A hand-off goes to who is there, has the skill and has room, in an open team, the first that is asked; else it is said why not."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy.assessment.staffing import asked_for, comes_at, deadline, is_there, route, takes
from understudy.records.policy import OpeningHours, OpenPeriod
from understudy.records.staffing import HandOffFacts, Sla, SlaStep, Staffing, StepDeed, Team, Why

MONDAY = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
DAY = OpeningHours(periods=tuple(OpenPeriod(weekday=day, from_minute=540, to_minute=1020) for day in range(5)))
NIGHT = OpeningHours(periods=tuple(OpenPeriod(weekday=day, from_minute=1020, to_minute=1440) for day in range(7)))

BILLING = Team(name="billing", members=("ana", "ben"), topics=("refunds",), capacity=2, overflow="all")
GERMAN = Team(name="german", members=("dora",), languages=("de",), overflow="all")
ALL = Team(name="all", members=("eve", "ana"), capacity=1, hours=DAY)
TEAMS = (ALL, BILLING, GERMAN)
FACTS = HandOffFacts(id="hold-1", topic="refunds", channel="chat", language="en", waits_since=MONDAY)
EVERYBODY = ("ana", "ben", "dora", "eve")


def test_the_team_that_says_most_is_asked_first_and_its_overflow_after_it() -> None:
    asked = asked_for(FACTS, TEAMS, MONDAY)
    assert [one.team.name for one in asked] == ["billing", "all"]
    assert [one.since for one in asked] == [MONDAY, MONDAY + timedelta(seconds=300)]


def test_the_least_loaded_gets_it() -> None:
    found = route(FACTS, TEAMS, EVERYBODY, {"ana": 1}, MONDAY)
    assert (found.team, found.person, found.why) == ("billing", "ben", Why.LEAST_LOADED)
    assert found.words == "billing takes refunds on chat, en; ben is here with 0 of 2."


def test_among_equals_hand_offs_are_spread() -> None:
    got = [route(replace(FACTS, id=f"hold-{i}"), TEAMS, EVERYBODY, {}, MONDAY).person for i in range(200)]
    assert set(got) == {"ana", "ben"}
    assert 60 < got.count("ana") < 140


def test_who_answers_in_the_conversation_already_keeps_it() -> None:
    found = route(replace(FACTS, keeper="ana"), TEAMS, EVERYBODY, {"ana": 1}, MONDAY)
    assert (found.person, found.why) == ("ana", Why.KEEPS)
    assert found.words == "ana of billing answers in this conversation already."


def test_who_lost_it_is_asked_again_only_after_all_others() -> None:
    lost = replace(FACTS, lost=("ana",))
    assert route(lost, TEAMS, EVERYBODY, {"ben": 1}, MONDAY).person == "ben"
    assert route(lost, TEAMS, ("ana",), {}, MONDAY).person == "ana"
    both = replace(FACTS, lost=("ana", "ben"))
    assert route(both, TEAMS, EVERYBODY, {"ana": 1}, MONDAY).person == "ana"
    later = MONDAY + timedelta(seconds=300)
    assert route(both, TEAMS, EVERYBODY, {}, later).person == "eve"


def test_overflow_is_asked_once_it_waited_long_enough() -> None:
    here = ("eve",)
    soon, later = MONDAY + timedelta(seconds=299), MONDAY + timedelta(seconds=300)
    found = route(FACTS, TEAMS, here, {}, soon)
    assert (found.team, found.person, found.why) == ("billing", None, Why.NOBODY_HERE)
    assert found.words == "Nobody of billing is here. all is asked from 10:05:00 UTC on."
    assert route(FACTS, TEAMS, here, {}, later).person == "eve"
    assert route(FACTS, TEAMS, here, {}, later).words == "all was asked next; eve is here with 0 of 1."
    assert route(replace(FACTS, is_urged=True), TEAMS, here, {}, soon).person == "eve"


def test_nobody_waits_for_a_closed_team_before_the_next_is_asked() -> None:
    teams = (replace(BILLING, hours=NIGHT), ALL)
    assert route(FACTS, teams, EVERYBODY, {}, MONDAY).person in ("eve", "ana")


def test_who_has_as_many_as_they_may_gets_none() -> None:
    found = route(FACTS, TEAMS, ("ana", "ben"), {"ana": 2, "ben": 5}, MONDAY)
    assert (found.person, found.why) == (None, Why.ALL_FULL)
    assert found.words == "ana, ben have as many hand-offs as they may."


def test_where_all_are_closed_it_says_when_the_first_comes() -> None:
    teams = (replace(BILLING, hours=NIGHT), ALL)
    early = MONDAY.replace(hour=7)
    found = route(replace(FACTS, waits_since=early), teams, EVERYBODY, {}, early)
    assert (found.person, found.why, found.opens_at) == (None, Why.CLOSED, MONDAY.replace(hour=9))
    assert found.words == "billing, all are closed; they come 2026-03-02 09:00."


def test_what_no_team_takes_is_anybodys() -> None:
    found = route(replace(FACTS, topic="orders"), (BILLING,), EVERYBODY, {}, MONDAY)
    assert (found.team, found.person, found.why) == (None, None, Why.NO_TEAM)
    assert found.words == "No team takes orders on chat, en; anybody may."


def test_a_language_that_cannot_be_told_asks_for_no_skill() -> None:
    assert not takes(GERMAN, FACTS)
    assert takes(GERMAN, replace(FACTS, language=None))
    assert takes(GERMAN, replace(FACTS, language="de"))


# How long it may wait ---------------------------------------------------------------------------------------------


def staffed(
    *teams: Team, counts_closed: bool = False, targets: tuple[tuple[int, float], ...] = ((1, 600.0),)
) -> Staffing:
    return Staffing(teams=teams, sla=Sla(targets=targets, counts_closed=counts_closed))


def test_the_time_of_a_priority_is_its_own_or_that_of_the_next_more_urgent() -> None:
    sla = Sla(targets=((1, 60.0), (4, 600.0)))
    assert [sla.target_s(priority) for priority in (0, 1, 2, 4, 9)] == [60.0, 60.0, 60.0, 600.0, 600.0]
    assert Sla().target_s(0) is None


def test_hours_at_which_nobody_is_there_do_not_count() -> None:
    friday = datetime(2026, 3, 6, 16, 55, tzinfo=UTC)
    facts = replace(FACTS, topic="orders", waits_since=friday)
    assert deadline(staffed(ALL), facts, target_s=600) == datetime(2026, 3, 9, 9, 5, tzinfo=UTC)
    assert deadline(staffed(ALL), facts, 0.5, target_s=600) == datetime(2026, 3, 6, 17, 0, tzinfo=UTC)
    assert deadline(staffed(ALL, counts_closed=True), facts, target_s=600) == friday + timedelta(seconds=600)
    without = replace(ALL, hours=None)
    assert deadline(staffed(without), facts, target_s=600) == friday + timedelta(seconds=600)


def test_the_hours_of_whoever_is_asked_next_count_too() -> None:
    day = replace(BILLING, hours=DAY, overflow="night")
    night = Team(name="night", members=("nox",), hours=NIGHT)
    evening = replace(FACTS, waits_since=MONDAY.replace(hour=16, minute=58))
    assert deadline(staffed(day, night), evening, target_s=600) == MONDAY.replace(hour=17, minute=8)


def test_where_nobody_ever_comes_nothing_is_due() -> None:
    never = replace(ALL, hours=OpeningHours(periods=()))
    assert deadline(staffed(never), replace(FACTS, topic="x"), target_s=60) is None


def test_time_goes_on_over_a_change_of_the_hour() -> None:
    hours = OpeningHours(
        timezone="Europe/Berlin",
        periods=tuple(OpenPeriod(weekday=day, from_minute=0, to_minute=1440) for day in range(7)),
    )
    team = replace(ALL, hours=hours)
    before = datetime(2026, 3, 28, 22, 0, tzinfo=UTC)
    due = deadline(staffed(team), replace(FACTS, topic="x", waits_since=before), target_s=6 * 3600)
    assert due == before + timedelta(hours=6)


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (lambda: Team(name="t", members=()), "has nobody in it"),
        (lambda: replace(ALL, capacity=0), "capacity >= 1"),
        (lambda: SlaStep(at=1.0, do=StepDeed.TELL), r"in \(0, 1\)"),
        (lambda: Sla(targets=((2, 1.0), (1, 1.0))), "stand in order"),
        (lambda: Sla(targets=((2, 0.0),)), "> 0"),
        (lambda: Sla(steps=(SlaStep(at=0.8, do=StepDeed.TELL), SlaStep(at=0.5, do=StepDeed.RAISE))), "in order"),
    ],
)
def test_what_cannot_be_meant_is_refused(made: object, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        made()  # type: ignore[operator]


# Whatever the teams are -------------------------------------------------------------------------------------------

NAMES = ("ana", "ben", "cem", "dora", "eve")
TOPICS, LANGUAGES, CHANNELS = ("refunds", "orders"), ("en", "de"), ("chat", "mail")


def subsets(of: tuple[str, ...], least: int = 0) -> st.SearchStrategy[tuple[str, ...]]:
    return st.lists(st.sampled_from(of), unique=True, min_size=least).map(tuple)


@st.composite
def rosters(draw: st.DrawFn) -> tuple[Team, ...]:
    count = draw(st.integers(1, 4))
    return tuple(
        Team(
            name=f"team-{place}",
            members=draw(subsets(NAMES, 1)),
            topics=draw(subsets(TOPICS)),
            languages=draw(subsets(LANGUAGES)),
            channels=draw(subsets(CHANNELS)),
            hours=draw(st.sampled_from([None, DAY, NIGHT])),
            holidays=draw(st.sampled_from([(), (MONDAY.date(),)])),
            capacity=draw(st.integers(1, 3)),
            overflow=f"team-{place + 1}" if place + 1 < count and draw(st.booleans()) else None,
            overflow_after_s=draw(st.sampled_from([0.0, 60.0, 600.0])),
        )
        for place in range(count)
    )


hand_offs = st.builds(
    HandOffFacts,
    id=st.text("abc", min_size=1, max_size=5),
    topic=st.sampled_from([None, *TOPICS]),
    channel=st.sampled_from(CHANNELS),
    language=st.sampled_from([None, *LANGUAGES]),
    waits_since=st.just(MONDAY),
    keeper=st.sampled_from([None, *NAMES]),
    lost=subsets(NAMES),
    is_urged=st.booleans(),
)
moments = st.integers(0, 7 * 24 * 60).map(lambda minutes: MONDAY + timedelta(minutes=minutes))
loads = st.dictionaries(st.sampled_from(NAMES), st.integers(0, 4))


@given(hand_offs, rosters(), subsets(NAMES), loads, moments)
def test_nobody_gets_one_who_must_not(
    facts: HandOffFacts, teams: tuple[Team, ...], here: tuple[str, ...], load: dict[str, int], now: datetime
) -> None:
    found = route(facts, teams, here, load, now)
    assert found == route(facts, teams, tuple(reversed(here)), dict(reversed(load.items())), now)
    asked = {one.team.name: one for one in asked_for(facts, teams, now)}
    able = {
        (name, one.team.name)
        for one in asked.values()
        if one.since <= now and is_there(one.team, now)
        for name in one.team.members
        if name in here and load.get(name, 0) < one.team.capacity
    }
    assert found.words
    if found.person is None:
        assert not able
        assert found.why in (Why.NOBODY_HERE, Why.ALL_FULL, Why.CLOSED, Why.NO_TEAM)
        closed = bool(asked) and not any(is_there(one.team, now) for one in asked.values())
        assert (found.why is Why.CLOSED) == closed
        opens = [at for one in asked.values() if (at := comes_at(one.team, now)) is not None]
        assert found.opens_at == (min(opens, default=None) if closed else None)
        return
    (team,) = (team for team in teams if team.name == found.team)
    assert found.person in here
    assert found.person in team.members
    assert takes(team, facts)
    assert is_there(team, now)
    assert load.get(found.person, 0) < team.capacity
    assert (found.person, found.team) in able
    if facts.keeper not in {name for name, _ in able}:
        fresh = {(name, where) for name, where in able if name not in facts.lost}
        order = list(asked)
        if fresh:
            assert order.index(str(found.team)) == min(order.index(where) for _, where in fresh)
            same = [name for name, where in fresh if where == found.team]
            assert load.get(found.person, 0) == min(load.get(name, 0) for name in same)
    else:
        assert found.person == facts.keeper


@given(hand_offs, rosters(), st.floats(1, 86_400), st.lists(st.floats(0.01, 1.0), min_size=2, max_size=4))
def test_a_greater_share_is_never_due_before_a_smaller_one(
    facts: HandOffFacts, teams: tuple[Team, ...], target_s: float, shares: list[float]
) -> None:
    staffing = Staffing(teams=teams, hours=DAY)
    due = [deadline(staffing, facts, share, target_s=target_s) for share in sorted(shares)]
    known = [at for at in due if at is not None]
    assert len(known) in (0, len(due))
    assert known == sorted(known)
    for share, at in zip(sorted(shares), known, strict=False):
        assert at >= facts.waits_since + timedelta(seconds=target_s * share)
