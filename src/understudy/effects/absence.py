"""Tell whoever needs a person outside opening hours when one will be there, once, and owe them that; who needs one is not decided here."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from understudy.assessment.opening import next_opening
from understudy.assessment.staffing import asked_for, opens_at_of
from understudy.effects.pledging import add_pledge
from understudy.effects.safe_replies import queue_safe_reply
from understudy.effects.staffing import facts_of
from understudy.ports.clock import Clock
from understudy.ports.store import Transaction
from understudy.records.conversation import Conversation
from understudy.records.pledges import UNKEPT, PledgeKind, PledgeTerms
from understudy.records.policy import OpeningHours
from understudy.records.rulebook import SafeReply
from understudy.records.staffing import NO_STAFFING, HandOffFacts, Staffing
from understudy.records.turn import Turn

PLACES: Final = ("{date}", "{time}")


@dataclass(frozen=True, slots=True, kw_only=True)
class NobodyHome:
    """What is said while nobody is there. `reply` has `{date}` and `{time}`, by when somebody writes: `within_h` hours after
    people come, never on `holidays`. Where a team of `staffing` takes a hand-off, its hours and those of the teams asked after
    it count in place of `hours`."""

    reply: SafeReply
    hours: OpeningHours
    holidays: tuple[date, ...] = ()
    within_h: float = 1.0
    pledges: PledgeTerms
    staffing: Staffing = NO_STAFFING

    def __post_init__(self) -> None:
        for text in self.reply.texts:
            if missing := [place for place in PLACES if place not in text]:
                raise ValueError(
                    f"the safe reply {self.reply.id!r} says nobody when: {missing[0]} is missing in {text!r}"
                )

    def due_at(self, now: datetime, facts: HandOffFacts | None = None) -> datetime | None:
        """By when somebody writes; None where people are there, or it is not known when they are."""
        asked = [] if facts is None else asked_for(facts, self.staffing.teams, now)
        if asked:
            opens_at = opens_at_of(asked, now)
        else:
            opens_at = next_opening(self.hours, now, self.holidays)
        return None if opens_at is None else opens_at + timedelta(hours=self.within_h)


def due_at_for(tx: Transaction, now: datetime, turn: Turn, absence: NobodyHome) -> datetime | None:
    """By when somebody writes to whom a turn is of; None where people are there, or it is not known when they are."""
    staffing = absence.staffing
    return absence.due_at(now, facts_of(tx, turn, staffing, since=now) if staffing.teams else None)


def is_said(tx: Transaction, conversation: Conversation, due_at: datetime) -> bool:
    """Whether it is owed already that somebody writes by then."""
    return any(
        one.kind is PledgeKind.WRITE and one.state in UNKEPT and one.due_at <= due_at
        for one in tx.pledges.of_conversation(conversation.id)
    )


def say_nobody_is_there(
    tx: Transaction, clock: Clock, conversation: Conversation, turn: Turn, absence: NobodyHome | None
) -> bool:
    """Say by when somebody writes, and owe it; False where people are there, or it was said already for this absence."""
    due_at = None if absence is None else due_at_for(tx, clock.now(), turn, absence)
    if absence is None or due_at is None or is_said(tx, conversation, due_at):
        return False
    fills = {"{date}": f"{due_at:%Y-%m-%d}", "{time}": f"{due_at:%H:%M}"}
    said = queue_safe_reply(tx, clock, conversation, absence.reply, turn_id=turn.id, fills=fills)
    add_pledge(
        tx,
        clock,
        conversation.id,
        said.text,
        kind=PledgeKind.WRITE,
        terms=absence.pledges,
        due_at=due_at,
        turn_id=turn.id,
    )
    return True
