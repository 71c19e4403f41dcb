"""The single changes of a customer's wait for a person, each with its ledger entry: begun, given, lost, taken, ended.

When each is due stands in `flow.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final

from understudy.assessment.staffing import deadline
from understudy.effects.handing_off import give_to_person, set_mode
from understudy.effects.staffing import facts_of
from understudy.ports.clock import Clock
from understudy.ports.store import Transaction
from understudy.ports.telemetry import HandOffMoved
from understudy.records.conversation import Mode
from understudy.records.review import Hold
from understudy.records.staffing import Assignment, Ending, HandOffFacts, Routed, Staffing, StepDeed, Why

LEFT_WAITING: Final = ("left_waiting",)
Emit = Callable[[HandOffMoved], None]


class Waits:
    """Writes them in one transaction; `emit` gets the events, to be told after the commit."""

    def __init__(self, tx: Transaction, clock: Clock, staffing: Staffing, emit: Emit) -> None:
        self._tx = tx
        self._clock = clock
        self._staffing = staffing
        self._emit = emit
        self.now = clock.now()

    def begin(self, hold: Hold, routed: Callable[[HandOffFacts], Routed]) -> Assignment:
        """Take a hand-off up; the clock runs since it was made."""
        tx, staffing = self._tx, self._staffing
        conversation = tx.conversations.get(hold.conversation_id)
        facts = facts_of(tx, tx.turns.get(hold.turn_id), staffing, since=hold.created_at)
        facts = replace(facts, id=self._clock.new_id("assignment"), keeper=conversation.taken_by)
        target_s = staffing.sla.target_s(hold.priority)
        due_at = None if target_s is None else deadline(staffing, facts, target_s=target_s)
        found = routed(facts)
        wait = Assignment(
            id=facts.id,
            version=1,
            hold_id=hold.id,
            conversation_id=hold.conversation_id,
            channel=facts.channel,
            topic=facts.topic,
            language=facts.language,
            priority=hold.priority,
            waits_since=hold.created_at,
            target_s=target_s,
            due_at=due_at,
            team=found.team,
            person=None,
            why=found.why,
            words=found.words,
            assigned_at=None,
            lapses_at=None,
            keeper=facts.keeper,
        )
        wait = replace(wait, step_at=self.step_at(wait))
        tx.assignments.add(wait)
        self._waits(wait)
        return wait if found.person is None else self.give(wait, found)

    def give(self, wait: Assignment, routed: Routed, *, actor: str = "system") -> Assignment:
        """Give a hand-off to a person, who loses it unless they begin in time."""
        until = self.now + timedelta(seconds=self._staffing.take_within_s)
        given = self._change(
            wait,
            team=routed.team,
            person=routed.person,
            why=routed.why,
            words=routed.words,
            assigned_at=self.now,
            lapses_at=until,
            is_taken=False,
        )
        self._tx.ledger.append(
            "staffing.assigned",
            at=self.now,
            turn_id=self._turn_of(given),
            conversation_id=given.conversation_id,
            actor=actor,
            assignment=given.id,
            hold=given.hold_id,
            team=given.team,
            person=given.person,
            why=given.why.value,
        )
        self._tell("assigned", given, given.why.value)
        return given

    def stay(self, wait: Assignment, routed: Routed) -> Assignment:
        """Keep in mind why it is nobody's, where that is another reason than before."""
        if (routed.why, routed.team) == (wait.why, wait.team):
            return wait
        kept = self._change(wait, why=routed.why, team=routed.team, words=routed.words)
        self._waits(kept)
        return kept

    def lose(self, wait: Assignment, why: str, *, hold_id: str | None = None, actor: str = "system") -> Assignment:
        """Take a hand-off away from whose it is; `why` is lies, gone or lead. `hold_id`: the one it waits with from now on."""
        lost = () if wait.person is None else (wait.person,)
        free = self._change(
            wait,
            hold_id=hold_id or wait.hold_id,
            person=None,
            assigned_at=None,
            lapses_at=None,
            is_taken=False,
            keeper=None if wait.keeper == wait.person else wait.keeper,
            lost=(*(name for name in wait.lost if name != wait.person), *lost),
        )
        conversation = self._tx.conversations.get(wait.conversation_id)
        if conversation.taken_by is not None and conversation.taken_by == wait.person:
            set_mode(
                self._tx, self._clock, conversation.id, Mode.PERSON, taken_by=None
            )  # or who gets it now is refused
        self._tx.ledger.append(
            "staffing.lost",
            at=self.now,
            turn_id=self._turn_of(free),
            conversation_id=free.conversation_id,
            actor=actor,
            assignment=free.id,
            hold=free.hold_id,
            team=free.team,
            person=wait.person,
            why=why,
        )
        self._tell("lost", free, why)
        return free

    def take(self, wait: Assignment, person: str) -> Assignment:
        """Note that somebody took the conversation; they answer in time, or lose it."""
        until = self.now + timedelta(seconds=self._staffing.answer_within_s)
        taken = self._change(
            wait,
            person=person,
            why=wait.why if person == wait.person else Why.TOOK,
            words=wait.words if person == wait.person else f"{person} took the conversation.",
            assigned_at=self.now if person != wait.person else wait.assigned_at,
            lapses_at=until,
            is_taken=True,
        )
        self._tx.ledger.append(
            "staffing.taken",
            at=self.now,
            turn_id=self._turn_of(taken),
            conversation_id=taken.conversation_id,
            assignment=taken.id,
            hold=taken.hold_id,
            team=taken.team,
            person=person,
        )
        self._tell("taken", taken, taken.why.value)
        return taken

    def follow(self, wait: Assignment, hold: Hold) -> Assignment:
        """Let a wait go on with another hold of its conversation: the customer wrote again and has no answer yet."""
        until = None if wait.person is None else self.now + timedelta(seconds=self._staffing.take_within_s)
        moved = self._change(wait, hold_id=hold.id, lapses_at=until, is_taken=False)
        self._waits(moved)
        return moved

    def escalate(self, wait: Assignment) -> Assignment:
        """Do the next step of the SLA, once: what the settings say, or note that it is broken."""
        steps = self._staffing.sla.steps
        if wait.steps >= len(steps):
            broken = self._change(wait, is_broken=True, is_told=True, steps=wait.steps + 1, step_at=None)
            self._tx.ledger.append(
                "staffing.broken",
                at=self.now,
                turn_id=self._turn_of(broken),
                conversation_id=broken.conversation_id,
                assignment=broken.id,
                hold=broken.hold_id,
                team=broken.team,
                priority=broken.priority,
            )
            self._tell("broken", broken, "")
            return broken
        step = steps[wait.steps]
        done = replace(wait, steps=wait.steps + 1)
        escalated = self._change(
            wait,
            steps=done.steps,
            step_at=self.step_at(done),
            **_changes(step.do, wait),
        )
        if escalated.priority != wait.priority:
            self._raise(escalated)
        self._tx.ledger.append(
            "staffing.escalated",
            at=self.now,
            turn_id=self._turn_of(escalated),
            conversation_id=escalated.conversation_id,
            assignment=escalated.id,
            hold=escalated.hold_id,
            team=escalated.team,
            step=escalated.steps,
            share=step.at,
            do=step.do.value,
        )
        self._tell("escalated", escalated, step.do.value)
        return escalated

    def end(self, wait: Assignment, ending: Ending, *, at: datetime) -> Assignment:
        """End a wait; one that was too long is broken first, if nobody looked in between."""
        while wait.due_at is not None and at > wait.due_at and not wait.is_broken:
            wait = self.escalate(wait)
        ended = self._change(wait, ended_at=at, ending=ending, step_at=None, lapses_at=None)
        self._tx.ledger.append(
            "staffing.ended",
            at=self.now,
            turn_id=self._turn_of(ended),
            conversation_id=ended.conversation_id,
            assignment=ended.id,
            hold=ended.hold_id,
            team=ended.team,
            person=ended.person,
            ending=ending.value,
            waited_s=round((at - wait.waits_since).total_seconds(), 3),
            late=ended.is_broken,
        )
        self._tell("ended", ended, ending.value)
        return ended

    def step_at(self, wait: Assignment) -> datetime | None:
        """When the next step of the SLA is due; None where none is any more."""
        steps = self._staffing.sla.steps
        if wait.target_s is None or wait.due_at is None or wait.steps > len(steps):
            return None
        if wait.steps == len(steps):
            return wait.due_at
        return deadline(self._staffing, facts_again(wait), steps[wait.steps].at, target_s=wait.target_s)

    def _raise(self, wait: Assignment) -> None:
        hold = self._tx.holds.get(wait.hold_id)
        if hold.closed_at is None and hold.priority > wait.priority:
            self._tx.holds.change(replace(hold, priority=wait.priority), was=hold.version)

    def _change(self, wait: Assignment, **changes: Any) -> Assignment:
        changed = replace(wait, version=wait.version + 1, **changes)
        self._tx.assignments.change(changed, was=wait.version)
        return changed

    def _waits(self, wait: Assignment) -> None:
        self._tx.ledger.append(
            "staffing.waits",
            at=self.now,
            turn_id=self._turn_of(wait),
            conversation_id=wait.conversation_id,
            assignment=wait.id,
            hold=wait.hold_id,
            team=wait.team,
            why=wait.why.value,
            priority=wait.priority,
            due_at=None if wait.due_at is None else wait.due_at.isoformat(),
        )
        self._tell("waits", wait, wait.why.value)

    def _turn_of(self, wait: Assignment) -> str:
        """The turn whose hold waits, so that its story says whose it was."""
        return self._tx.holds.get(wait.hold_id).turn_id

    def _tell(self, what: str, wait: Assignment, detail: str) -> None:
        self._emit(
            HandOffMoved(
                hold_id=wait.hold_id,
                conversation_id=wait.conversation_id,
                what=what,
                detail=detail,
                team=wait.team,
                waited_s=((wait.ended_at or self.now) - wait.waits_since).total_seconds(),
                is_late=wait.is_broken,
            )
        )


def open_again(tx: Transaction, clock: Clock, wait: Assignment) -> Hold | None:
    """Put a conversation before people again that somebody took and left waiting; returns its new hold, None where it has
    one."""
    turn = tx.turns.latest_of(wait.conversation_id)
    if turn is None:
        return None
    return give_to_person(tx, clock, turn, reasons=LEFT_WAITING, priority=wait.priority, expires_after_s=None)


def facts_again(wait: Assignment) -> HandOffFacts:
    """What a person is chosen by, of a wait that was taken up before."""
    return HandOffFacts(
        id=wait.id,
        topic=wait.topic,
        channel=wait.channel,
        language=wait.language,
        waits_since=wait.waits_since,
        keeper=wait.keeper,
        lost=wait.lost,
        is_urged=wait.is_urged,
    )


def _changes(do: StepDeed, wait: Assignment) -> dict[str, Any]:
    match do:
        case StepDeed.RAISE:
            return {"priority": max(0, wait.priority - 1)}
        case StepDeed.OVERFLOW:
            return {"is_urged": True}
        case StepDeed.TELL:
            return {"is_told": True}
