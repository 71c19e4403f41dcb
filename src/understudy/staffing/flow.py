"""See to it that hand-offs find people: look at what waits, give it, take it away, escalate it, and end it. It answers nobody.

It is read from what is stored who waits, so that no other flow knows of this one and none can forget to tell it. All that one
look does is one transaction. What is done at a moment is chosen by `assessment/staffing.py`; the changes stand in `waits.py`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from understudy.assessment.staffing import is_there, route
from understudy.effects.absence import NobodyHome, say_nobody_is_there
from understudy.effects.holds import hold_opened
from understudy.effects.staffing import NOT_KNOWN, There, people_there
from understudy.ports.clock import Clock
from understudy.ports.store import Store, Transaction
from understudy.ports.telemetry import HandOffMoved, Telemetry
from understudy.records.conversation import Mode
from understudy.records.review import Hold, HoldKind, HoldState
from understudy.records.staffing import Assignment, Ending, HandOffFacts, Routed, Staffing, Why
from understudy.records.turn import WORKING, TurnState
from understudy.staffing.waits import Waits, facts_again, open_again

AT_ONCE_MAX: Final = 200
"""So many of each kind are looked at in one look; the rest in the next."""
LOOSE_MAX: Final = 2_000
"""So many that were taken are looked at, the longest waiting first; they stay among these until they have an answer."""
NOBODYS_MAX: Final = 1_000
"""So many that are nobody's are tried, the most urgent first."""
LOOK_AGAIN_S: Final = 30.0
"""Where nobody could take one anyway, it is looked only so often whether the reason is another one."""


@dataclass(slots=True)
class _Look:
    """What one look knows, and what it will tell after the commit."""

    tx: Transaction
    waits: Waits
    there: dict[str, There]
    load: dict[str, int]
    opened: list[Hold]
    here: set[str] = field(init=False)

    def __post_init__(self) -> None:
        self.here = {name for name, one in self.there.items() if one.is_here}

    @property
    def now(self) -> datetime:
        return self.waits.now


class StaffingFlow:
    """One look is `sweep`; where nothing is configured it does nothing at all."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        telemetry: Telemetry,
        *,
        staffing: Staffing,
        nobody_home: NobodyHome | None = None,
    ) -> None:
        self._store = store
        self._clock = clock
        self._telemetry = telemetry
        self._staffing = staffing
        self._nobody_home = nobody_home
        self._looked_at: datetime | None = None

    async def sweep(self) -> int:
        """Look at all that waits for people, once; returns how much happened."""
        if not self._staffing.is_on:
            return 0
        moved: list[HandOffMoved] = []
        opened: list[Hold] = []

        def step(tx: Transaction) -> None:
            moved.clear()
            opened.clear()
            waits = Waits(tx, self._clock, self._staffing, moved.append)
            there = people_there(tx, waits.now)
            self._look(_Look(tx=tx, waits=waits, there=there, load=tx.assignments.load(), opened=opened))

        await self._store.write(step)
        for event in moved:
            self._telemetry.emit(event)
        for hold in opened:
            self._telemetry.emit(hold_opened(hold))
        return len(moved)

    def _look(self, look: _Look) -> None:
        for wait in look.tx.assignments.loose(limit=LOOSE_MAX):
            self._settle(look, wait)
        for wait in look.tx.assignments.with_people():
            self._see_to(look, wait)
        for wait in look.tx.assignments.due(look.now, limit=AT_ONCE_MAX):
            due = wait
            while due.step_at is not None and due.step_at <= look.now:
                due = look.waits.escalate(due)
        if self._is_worth_it(look):
            for wait in look.tx.assignments.nobodys(limit=NOBODYS_MAX):
                self._place(look, wait)
        for hold in look.tx.assignments.unknown(limit=AT_ONCE_MAX):
            wait = look.waits.begin(hold, lambda facts: self._routed(look, facts))
            self._count(look, wait)
            self._say_if_closed(look, wait)

    # What became of it ---------------------------------------------------------------------------------------

    def _settle(self, look: _Look, wait: Assignment) -> None:
        """See why a wait has no open hold any more: somebody answered, took it, or it goes on with another."""
        tx = look.tx
        hold, conversation = tx.holds.get(wait.hold_id), tx.conversations.get(wait.conversation_id)
        ended_at = hold.closed_at or look.now
        if tx.assignments.is_answered(wait.conversation_id, since=wait.waits_since):
            self._end(look, wait, Ending.ANSWERED, at=ended_at)
            return
        others = [one for one in tx.holds.open_of_conversation(wait.conversation_id) if one.kind is HoldKind.HAND_OFF]
        latest = tx.turns.latest_of(wait.conversation_id)
        state = None if latest is None else latest.state
        if others and tx.turns.get(hold.turn_id).state is TurnState.HANDED_OFF:
            look.waits.follow(wait, others[0])
        elif conversation.mode is Mode.AGENT:
            self._end(look, wait, Ending.HANDED_BACK, at=look.now)
        elif (state is TurnState.HANDED_OFF or state in WORKING) and conversation.taken_by is not None and not others:
            if not wait.is_taken or wait.person != conversation.taken_by:
                self._forget(look, wait)
                self._count(look, look.waits.take(wait, conversation.taken_by))
        else:
            is_answer = state in (TurnState.DELIVERING, TurnState.ANSWERED)
            self._end(look, wait, Ending.ANSWERED if is_answer else Ending.OVER, at=ended_at)

    def _end(self, look: _Look, wait: Assignment, ending: Ending, *, at: datetime) -> None:
        self._forget(look, wait)
        look.waits.end(wait, ending, at=max(at, wait.waits_since))

    # Whose it is ---------------------------------------------------------------------------------------------

    def _see_to(self, look: _Look, wait: Assignment) -> None:
        """Take a hand-off away from who is gone, or does not begin."""
        assert wait.person is not None, f"{wait.id} is nobody's"
        hold = look.tx.holds.get(wait.hold_id)
        if hold.state is HoldState.OPEN:
            if self._is_worked_on(look, hold):
                return
        elif not wait.is_taken:
            return
        if (why := self._why_lost(look, wait, wait.person)) is None:
            return
        self._forget(look, wait)
        look.waits.lose(wait, why, hold_id=self._opened_again(look, wait) if wait.is_taken else None)

    def _why_lost(self, look: _Look, wait: Assignment, person: str) -> str | None:
        there, gone_after = look.there.get(person, NOT_KNOWN), timedelta(seconds=self._staffing.gone_s)
        if not there.is_here:
            moments = [at for at in (there.since, wait.assigned_at) if at is not None]
            if look.now >= max(moments, default=wait.waits_since) + gone_after:
                return "gone"
        return "lies" if wait.lapses_at is not None and wait.lapses_at <= look.now else None

    def _opened_again(self, look: _Look, wait: Assignment) -> str | None:
        """Put a conversation before people again that somebody took and left waiting."""
        hold = open_again(look.tx, self._clock, wait)
        if hold is not None:
            look.opened.append(hold)
        return None if hold is None else hold.id

    def _place(self, look: _Look, wait: Assignment) -> None:
        routed = self._routed(look, facts_again(wait))
        if routed.person is not None:
            if self._is_worked_on(look, look.tx.holds.get(wait.hold_id)):
                return
            self._count(look, look.waits.give(wait, routed))
            return
        stays = look.waits.stay(wait, routed)
        if stays is not wait:
            self._say_if_closed(look, stays)

    def _is_worked_on(self, look: _Look, hold: Hold) -> bool:
        """Whether somebody is at it, or has decided and may still take that back."""
        return (hold.claimed_until is not None and hold.claimed_until > look.now) or hold.undo_until is not None

    def _routed(self, look: _Look, facts: HandOffFacts) -> Routed:
        return route(facts, self._staffing.teams, look.here, look.load, look.now)

    def _is_worth_it(self, look: _Look) -> bool:
        """Whether anybody could take one, or it is time to look for another reason why nobody can."""
        has_room = any(
            name in look.here and look.load.get(name, 0) < team.capacity
            for team in self._staffing.teams
            if is_there(team, look.now)
            for name in team.members
        )
        last = self._looked_at
        if has_room or last is None or look.now >= last + timedelta(seconds=LOOK_AGAIN_S):
            self._looked_at = look.now
            return True
        return False

    def _say_if_closed(self, look: _Look, wait: Assignment) -> None:
        """Tell a customer whose teams are all closed when somebody comes, once, as at the hand-off itself."""
        if wait.why is not Why.CLOSED or wait.person is not None or self._nobody_home is None:
            return
        conversation, turn = (
            look.tx.conversations.get(wait.conversation_id),
            look.tx.turns.latest_of(wait.conversation_id),
        )
        if conversation.taken_by is None and turn is not None and turn.state is TurnState.HANDED_OFF:
            say_nobody_is_there(look.tx, self._clock, conversation, turn, self._nobody_home)

    def _count(self, look: _Look, wait: Assignment) -> None:
        if wait.person is not None:
            look.load[wait.person] = look.load.get(wait.person, 0) + 1

    def _forget(self, look: _Look, wait: Assignment) -> None:
        if wait.person is not None:
            look.load[wait.person] = max(0, look.load.get(wait.person, 0) - 1)
