"""Staffing as people work with it: who is there and what waits, saying that one is away, and a lead who gives a hand-off to
somebody. Nothing here is chosen by rule.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from understudy.assessment.staffing import comes_at, is_there, route
from understudy.effects.holds import hold_opened
from understudy.effects.staffing import NOT_KNOWN, There, people_there
from understudy.errors import Conflict, InputError, NotFound
from understudy.ports.clock import Clock
from understudy.ports.store import Store, Transaction
from understudy.ports.telemetry import HandOffMoved, Telemetry
from understudy.records.review import Hold, HoldKind, HoldState
from understudy.records.staffing import (
    Assignment,
    Availability,
    HandOffFacts,
    PersonNow,
    Routed,
    Staffing,
    TeamNow,
    Why,
)
from understudy.staffing.waits import Waits, open_again

WAITING_MAX: Final = 1_000
SAID_S_MAX: Final = 7 * 86_400.0


class StaffingDesk:
    """What people may know and say of who takes hand-offs."""

    def __init__(self, store: Store, clock: Clock, telemetry: Telemetry, *, staffing: Staffing) -> None:
        self._store = store
        self._clock = clock
        self._telemetry = telemetry
        self._staffing = staffing

    @property
    def is_on(self) -> bool:
        """Whether hand-offs are looked after at all."""
        return self._staffing.is_on

    @property
    def now(self) -> datetime:
        """The moment as this desk knows it, for saying how long somebody waits."""
        return self._clock.now()

    async def teams(self) -> list[TeamNow]:
        """Each team as it is now, in the order of the configuration."""

        def query(tx: Transaction) -> list[TeamNow]:
            now = self._clock.now()
            there, load = people_there(tx, now), tx.assignments.load()
            waits = tx.assignments.live(limit=WAITING_MAX)
            return [self._team_now(team.name, there, load, waits, now) for team in self._staffing.teams]

        return await self._store.read(query)

    async def waiting(self, *, limit: int = WAITING_MAX) -> list[Assignment]:
        """Customers who wait for a person, the most urgent first, then the longest waiting."""
        return await self._store.read(lambda tx: tx.assignments.live(limit=limit))

    async def waiting_with(self, hold_id: str) -> Assignment | None:
        """The wait of one hand-off; None where nobody waits with it."""
        wait = await self._store.read(lambda tx: tx.assignments.of_hold(hold_id))
        return None if wait is None or wait.ended_at is not None else wait

    async def person(self, name: str) -> PersonNow:
        """Somebody as they are now, in a team or not."""

        def query(tx: Transaction) -> PersonNow:
            there, load = people_there(tx, self._clock.now()), tx.assignments.load()
            return _person_now(name, there, load)

        return await self._store.read(query)

    async def say(self, name: str, *, is_away: bool, for_s: float | None = None, by: str) -> PersonNow:
        """Say that somebody is away, or there.

        Away: until they say otherwise, or for `for_s` seconds. There: as long as their console is heard of, and for `for_s`
        seconds without one. Raises `InputError`.
        """
        if for_s is not None and not 0 < for_s <= SAID_S_MAX:
            raise InputError(f"for_s is {for_s:g}; it must be > 0 and at most {SAID_S_MAX:.0f} seconds, a week")
        now = self._clock.now()
        until = None if for_s is None else now + timedelta(seconds=for_s)
        said = Availability(name=name, is_away=is_away, until=until, said_at=now, said_by=by)

        def step(tx: Transaction) -> PersonNow:
            tx.assignments.put_availability(said)
            tx.ledger.append(
                "staffing.said",
                at=now,
                actor=by,
                person=name,
                away=is_away,
                until=None if until is None else until.isoformat(),
            )
            return _person_now(name, people_there(tx, now), tx.assignments.load())

        return await self._store.write(step)

    async def assign(self, hold_id: str, person: str | None, *, by: str) -> Assignment:
        """Give a hand-off to somebody, whatever they have already; None: take it from whose it is, so that it is given by rule.

        Raises `NotFound` where no such hold is open, `Conflict` where it is no hand-off or nothing is configured, and
        `InputError` where nobody of that name is in a team.
        """
        if not self.is_on:
            raise Conflict("no team and no SLA is configured, so hand-offs are not given to anybody; see [teams.NAME]")
        people = self._staffing.people
        if person is not None and people and person not in people:
            raise InputError(f"person {person!r} is in no team; there is: {', '.join(people)}")
        moved: list[HandOffMoved] = []
        opened: list[Hold] = []

        def step(tx: Transaction) -> Assignment:
            moved.clear()
            opened.clear()
            hold = tx.holds.get(hold_id)
            if hold.kind is not HoldKind.HAND_OFF:
                raise Conflict(f"hold {hold_id} is a {hold.kind.value}; only hand-offs are given to people")
            waits = Waits(tx, self._clock, self._staffing, moved.append)
            wait = tx.assignments.of_hold(hold_id)
            if wait is None:
                if hold.state is not HoldState.OPEN:
                    raise NotFound(
                        f"nobody waits with hold {hold_id!r} any more; `understudy teams waiting` shows who does"
                    )
                wait = waits.begin(hold, lambda facts: self._routed_to_nobody(facts, waits.now))
            if wait.person is not None and wait.person != person:
                hold_again = open_again(tx, self._clock, wait) if wait.is_taken else None
                opened.extend([] if hold_again is None else [hold_again])
                wait = waits.lose(wait, "lead", hold_id=None if hold_again is None else hold_again.id, actor=by)
            if person is None or wait.person == person:
                return wait
            words = f"{by} gave it to {person}."
            routed = Routed(team=self._team_of(person, wait.team), person=person, why=Why.LEAD, words=words)
            return waits.give(wait, routed, actor=by)

        assigned = await self._store.write(step)
        for event in moved:
            self._telemetry.emit(event)
        for hold in opened:
            self._telemetry.emit(hold_opened(hold))
        return assigned

    def _routed_to_nobody(self, facts: HandOffFacts, now: datetime) -> Routed:
        return route(facts, self._staffing.teams, (), {}, now)

    def _team_of(self, person: str, otherwise: str | None) -> str | None:
        teams = [team.name for team in self._staffing.teams if person in team.members]
        return otherwise if otherwise in teams or not teams else teams[0]

    def _team_now(
        self, name: str, there: dict[str, There], load: dict[str, int], waits: list[Assignment], now: datetime
    ) -> TeamNow:
        team = next(team for team in self._staffing.teams if team.name == name)
        own = [wait.waits_since for wait in waits if wait.team == name]
        return TeamNow(
            team=team,
            is_open=is_there(team, now),
            opens_at=comes_at(team, now),
            people=tuple(_person_now(member, there, load) for member in team.members),
            waiting=len(own),
            oldest_at=min(own, default=None),
        )


def _person_now(name: str, there: dict[str, There], load: dict[str, int]) -> PersonNow:
    one = there.get(name, NOT_KNOWN)
    return PersonNow(
        name=name,
        is_here=one.is_here,
        is_away=one.is_away,
        open_hand_offs=load.get(name, 0),
        seen_at=one.seen_at,
        until=one.until,
    )
