"""Read what systems of record know of a customer, before the agent is asked; whatever goes wrong is a fact that is *unknown*.

Nothing is read of a customer nobody vouches for. Each system has its own time, rate and circuit breaker, so that one that
hangs or fails costs a customer that time at most, and after a few failures nothing.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from understudy.assessment.cards import mask_all
from understudy.effects.vouching import Who
from understudy.ports.clock import Clock
from understudy.ports.system import Found, System, Untold
from understudy.ports.telemetry import BreakerChanged, SystemAsked, Telemetry
from understudy.records.facts import ABOUT, WHY, About, FactItem, Facts, Unknown
from understudy.records.systems import Known
from understudy.records.text import storable
from understudy.turn.breaker import Breaker

FAILURES = frozenset({"timed_out", "unreachable", "refused", "nonsense", "rate_limited"})
"""What counts against a system; that it lacks a customer, or a path, does not."""
SAYS_CHARS_MAX = 300
GRACE_S = 1.0
"""For a look-up to end by itself before it is cut off."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Consulted:
    """A system and how it is read: what, for customers of which channels (None: all), and what bounds it.

    `believes`: channels of which all that they tell of a customer is taken for proven.
    """

    system: System
    reads: tuple[About, ...] = ABOUT
    channels: frozenset[str] | None = None
    believes: frozenset[str] = frozenset()
    fresh_s: float = 300.0
    deadline_s: float = 4.0
    per_minute_max: int | None = None

    def __post_init__(self) -> None:
        if self.fresh_s <= 0 or self.deadline_s <= 0:
            raise ValueError("a system of record needs fresh_s > 0 and deadline_s > 0")


@dataclass(slots=True)
class _Standing:
    """How a system stands in this process."""

    breaker: Breaker = field(default_factory=Breaker)
    asked: deque[datetime] = field(default_factory=deque)
    not_before: datetime | None = None


class FactReading:
    """Reads them. `lease_s` is the longest time that takes."""

    def __init__(self, clock: Clock, telemetry: Telemetry, consulted: Sequence[Consulted]) -> None:
        self._clock = clock
        self._telemetry = telemetry
        self._consulted = tuple(consulted)
        self._standing = {one.system.name: _Standing() for one in consulted}

    @property
    def lease_s(self) -> float:
        """How long reading may hold its turn: the customer first, then what is theirs."""
        return max((2 * (one.deadline_s + GRACE_S) for one in self._consulted), default=0.0)

    def reads(self, channel: str) -> bool:
        """Whether anything is read for customers of this channel."""
        return any(one.channels is None or channel in one.channels for one in self._consulted)

    async def read(self, who: Who, *, channel: str, turn_id: str) -> tuple[Facts, ...]:
        """Ask every system at once; never raises for what a system does."""
        asked = [one for one in self._consulted if one.channels is None or channel in one.channels]
        read = await asyncio.gather(*(self._of_system(one, who, channel, turn_id) for one in asked))
        return tuple(facts for of_system in read for facts in of_system)

    async def _of_system(self, one: Consulted, who: Who, channel: str, turn_id: str) -> list[Facts]:
        can = [about for about in one.reads if one.system.can_look_up(about)]
        known = who.told if channel in one.believes else who.proven
        if known.is_nobody:
            return [self._unknown(one, about, "not_verified", who.why) for about in can]
        by_id = [about for about in can if about != "contact" and "contact_id" in one.system.wants(about)]
        found: dict[About, Facts] = {}
        if one.system.can_look_up("contact") and ("contact" in can or by_id):
            found["contact"] = await self._one(one, "contact", known, turn_id)
        rest = [about for about in can if about != "contact"]
        named, why = _named(known, found.get("contact"))
        asking = [
            self._one(one, about, named, turn_id)
            if about not in by_id or named.contact_id is not None
            else self._not_asked(one, about, why)
            for about in rest
        ]
        found |= dict(zip(rest, await asyncio.gather(*asking), strict=True))
        return [found[about] for about in can]

    async def _not_asked(self, one: Consulted, about: About, why: Unknown) -> Facts:
        return self._unknown(one, about, why, f"its contact: {WHY[why]}")

    async def _one(self, one: Consulted, about: About, known: Known, turn_id: str) -> Facts:
        """Make one look-up, if the system may be asked now."""
        name, began = one.system.name, self._clock.now()
        standing = self._standing[name]
        if (barred := self._barred(one, standing, began)) is not None:
            return self._unknown(one, about, *barred)
        before, ticket = standing.breaker, None
        standing.breaker, ticket = before.admit(began)
        if ticket is None:
            return self._unknown(one, about, "left_alone", WHY["left_alone"])
        standing.asked.append(began)
        told = await _told(one, about, known)
        ended = self._clock.now()
        why = told.why if isinstance(told, Untold) else None
        was = standing.breaker
        standing.breaker = was.settle(ticket, succeeded=why not in FAILURES, now=ended)
        if before.state(began) is not standing.breaker.state(ended):
            state = standing.breaker.state(ended).value
            self._telemetry.emit(BreakerChanged(agent=f"systems.{name}", state=state))
        took_ms = (ended - began).total_seconds() * 1000
        outcome = why or "known"
        self._telemetry.emit(SystemAsked(system=name, about=about, outcome=outcome, took_ms=took_ms, turn_id=turn_id))
        if isinstance(told, Untold):
            if told.after_s is not None:
                standing.not_before = ended + timedelta(seconds=told.after_s)
            return replace(self._unknown(one, about, told.why, told.says), took_ms=took_ms)
        at = min(told.as_of or began, began)
        if at + timedelta(seconds=one.fresh_s) < ended:
            return replace(self._unknown(one, about, "stale", f"it is as of {at:%Y-%m-%d %H:%M} UTC"), took_ms=took_ms)
        return Facts(
            system=name,
            about=about,
            taken_at=at,
            fresh_until=at + timedelta(seconds=one.fresh_s),
            items=tuple(_masked(item) for item in told.items),
            has_more=told.has_more,
            took_ms=took_ms,
        )

    def _barred(self, one: Consulted, standing: _Standing, now: datetime) -> tuple[Unknown, str] | None:
        """Why a system may not be asked now, for its own limits."""
        if standing.not_before is not None and now < standing.not_before:
            return "rate_limited", f"it asked to be left alone until {standing.not_before:%H:%M:%S} UTC"
        while standing.asked and standing.asked[0] <= now - timedelta(minutes=1):
            standing.asked.popleft()
        if one.per_minute_max is not None and len(standing.asked) >= one.per_minute_max:
            return "rate_limited", f"per_minute_max = {one.per_minute_max}"
        return None

    def _unknown(self, one: Consulted, about: About, why: Unknown, says: str) -> Facts:
        now = self._clock.now()
        return Facts(
            system=one.system.name,
            about=about,
            taken_at=now,
            fresh_until=now + timedelta(seconds=one.fresh_s),
            unknown=why,
            says=storable(says)[:SAYS_CHARS_MAX],
        )


def _named(known: Known, contact: Facts | None) -> tuple[Known, Unknown]:
    """The customer with the system's own name for them, or why there is none."""
    if contact is None:
        return known, "no_contact"
    if contact.unknown is not None:
        return known, contact.unknown
    if len(contact.items) != 1 or contact.has_more:
        return known, "ambiguous" if contact.items else "no_contact"
    return replace(known, contact_id=contact.items[0].id), "no_contact"


async def _told(one: Consulted, about: About, known: Known) -> Found | Untold:
    """Ask within the time; whatever breaks inside is a system that could not say."""
    try:
        async with asyncio.timeout(one.deadline_s + GRACE_S):
            told: object = await one.system.look_up(about, known, deadline_s=one.deadline_s)
    except TimeoutError:
        return Untold(why="timed_out", says=f"no answer within {one.deadline_s:g} s")
    except Exception as error:  # noqa: BLE001 - whatever breaks inside a system is no reason to lose the turn
        return Untold(why="nonsense", says=type(error).__name__)
    if not isinstance(told, Found | Untold):
        return Untold(why="nonsense", says=f"it gave a {type(told).__name__}")
    if about == "contact" and isinstance(told, Found) and (len(told.items) > 1 or told.has_more):
        return Untold(why="ambiguous", says=f"it knows {len(told.items)} people by what is vouched for")
    return told


def _masked(item: FactItem) -> FactItem:
    """What a database takes, card numbers masked."""
    values = {storable(name): mask_all(storable(value)) for name, value in item.values.items()}
    return replace(item, values=values, id=None if item.id is None else mask_all(storable(item.id)))
