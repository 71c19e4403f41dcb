"""Who answers a conversation: every cell of the table in `records/answering.py`, on real flows and both stores.

For each state and event a stage is brought into the state by what customers, agents and people do, the event happens, and where
that led and what was done on the way is read from the store and the ledger. What cannot happen says why.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from types import ModuleType
from typing import Any

import pytest

from stage_plan import ON_EACH_STORE
from systems import ScriptedSystem
from understudy.effects.absence import NobodyHome
from understudy.effects.handing_off import answering_of
from understudy.effects.pledging import add_pledge
from understudy.effects.trust import cap_contact
from understudy.errors import Conflict, TakenByOther
from understudy.notes.deciding import Deciding, House
from understudy.notes.taking import Remarks
from understudy.ports.channel import KeepsNotes
from understudy.records.answering import AWAY as TWINS
from understudy.records.answering import (
    HAD_BY_OTHER,
    TABLE,
    Answering,
    Effect,
    Event,
    Goes,
    Never,
    Refused,
)
from understudy.records.autonomy import Slice
from understudy.records.codec import digest
from understudy.records.conversation import Mode
from understudy.records.evidence import Draft
from understudy.records.ledger import LedgerEntry
from understudy.records.notes import Colleague, RemarkKind, Said
from understudy.records.opt_out import OptOutTerms, OptOutWords
from understudy.records.outbox import OutboxEntry, OutboxState, Report
from understudy.records.pledges import USUAL_PLEDGES, PledgeKind
from understudy.records.policy import OpeningHours, OpenPeriod
from understudy.records.review import Hold, HoldKind, VerdictKind
from understudy.records.rulebook import Grant, Level, SafeReply
from understudy.records.trust import CapCause
from understudy.records.turn import SEED_JOB, Job
from understudy.review.holds import ReviewLimits
from understudy.testing.scripted import FrozenClock, RecordingChannel, ScriptedAgent
from understudy.tickets.flow import Opens
from understudy.turn.asides import Asides

Build = Callable[..., Any]
pytestmark = ON_EACH_STORE

NOTICE = SafeReply(id="handed_over", version=1, text="A colleague takes over.")
AWAY = SafeReply(id="away", version=2, text="Nobody is here now. Somebody writes to you by {date}, {time}.")
SLOW = SafeReply(id="slow", version=1, text="This takes us longer than it should.")
HOURS = OpeningHours(
    timezone="UTC", periods=tuple(OpenPeriod(weekday=day, from_minute=540, to_minute=1020) for day in range(7))
)
DAY = datetime(2026, 6, 2, 11, 0, tzinfo=UTC)
HERE = frozenset({"recording"})
WORDS = {"en": OptOutWords(stop=("stop",), start=("start",), stopped="No more.", started="Again.")}
BEN, ANN, CEM = "ben", "ann", "cem (recording)"
TO = "e-1"

CELLS = [(state, event) for (state, event), outcome in TABLE.items() if not isinstance(outcome, Never)]
OF_DRAFT = {Event.APPROVED, Event.REJECTED, Event.REJECTED_AWAY, Event.EXPIRED, Event.EXPIRED_AWAY}
AT_NIGHT = {event for event in Event if event.value.endswith("_away")}


def drafted(request: Any) -> Draft:
    last = next(message.content for message in reversed(request.messages) if message.role == "user")
    return Draft(text=f"About: {last}", handoff=last.startswith("hand off"))


class Desk(RecordingChannel, KeepsNotes):
    """A channel that tells what stands in its conversations; no notes are written there."""

    needs_threads, looks_up_notes, knows_authors, note_chars_max = False, False, True, 10_000

    def read_notes(self, request: Any) -> Any:
        raise NotImplementedError(request.url)

    async def write_note(self, note: Any) -> Any:
        raise NotImplementedError(note.id)

    async def look_up_note(self, note: Any) -> Any:
        raise NotImplementedError(note.id)

    async def colleague(self, remark: Any) -> Colleague:
        return Colleague(id=remark.author, name=remark.author_name)

    async def conversation_of(self, thread: str) -> str | None:
        return thread


class Scene:
    """A stage, brought into a state, and what can happen there."""

    def __init__(self, build: Build, staging: ModuleType, event: Event) -> None:
        rules = staging.rules(
            safe_replies=(NOTICE, AWAY, SLOW),
            hand_off_notice="handed_over",
            hours=HOURS,
            grants=(
                Grant(topic="alone", channel="*", level=Level.AUTO, threshold=0.0),
                Grant(topic="*", channel="*", level=Level.ASSIST, threshold=0.0),
            ),
        )
        is_replaced = event in (Event.EXPIRED, Event.EXPIRED_AWAY)
        self.stage = build(
            rules=rules,
            clock=FrozenClock(DAY),
            agent=ScriptedAgent(drafted),
            channel=Desk(),
            nobody_home=NobodyHome(reply=AWAY, hours=HOURS, pledges=USUAL_PLEDGES),
            review=ReviewLimits(on_expiry="safe_reply" if is_replaced else "raise"),
            expiry_reply=SLOW,
            hold_expires_after_s=900.0 if is_replaced or event is Event.RAISED else None,
            opens=[Opens(system=ScriptedSystem(), assignee="grace")],
            asides=Asides(opt_out=OptOutTerms(channels=HERE, confirmed=HERE, words=WORDS)),
        )
        self.event = event
        self.remarks = 0
        self.conversation_id = ""

    # Into a state -------------------------------------------------------------------------------------------------

    def bring(self, state: Answering) -> None:
        if state is Answering.REHEARSAL:
            self._plant()
            return
        self.ask("Hello", alone=True)
        self.conversation_id = self.stage.conversation(TO).id
        if state is Answering.PROMISED:
            self.go_to(night=True)
        if state is Answering.REVIEW or (self.event in OF_DRAFT and state in (Answering.WAITING, Answering.PROMISED)):
            self.ask("When?")
        if self.event in OF_DRAFT and state in (Answering.WAITING, Answering.PROMISED):
            self.lose()
        elif state is Answering.PEOPLE_ONLY:
            cause, which = CapCause.WANTS_PEOPLE, self.conversation_id
            self.stage.store.write_now(lambda tx: cap_contact(tx, self.stage.clock, which, cause, turn_id=None))
        elif state not in (Answering.AGENT, Answering.REVIEW):
            self.ask("hand off")
        if state in (Answering.TAKEN, Answering.TAKEN_WAITING):
            self.take(BEN)
        if state is Answering.TAKEN_WAITING:
            self.ask("Are you there?")

    def _plant(self) -> None:
        stage = self.stage
        rejected = self.ask("Where is my kettle?", to="past")
        stage.give(self.hold(HoldKind.DRAFT, rejected.id), VerdictKind.REJECT, reviewer="rosa")
        stage.pass_time(timedelta(days=14).total_seconds() + 1)
        other = self.ask("Is it on its way?", to="other")
        stage.give(self.hold(HoldKind.DRAFT, other.id), VerdictKind.APPROVE, reviewer=BEN)
        stage.settle()
        before = {hold.id for hold in stage.open_holds}
        stage.look(Job(kind=SEED_JOB, key="now"))
        (planted,) = (hold for hold in stage.open_holds if hold.id not in before)
        self.conversation_id = planted.conversation_id

    def go_to(self, *, night: bool) -> None:
        """Let the clock go on to the next night, or day; nothing that becomes due by it is done."""
        now = self.stage.clock.now()
        then = now.replace(hour=22 if night else 11, minute=0, second=0)
        if (now.hour >= 17 or now.hour < 9) == night:
            return
        self.stage.clock.advance(((then if then > now else then + timedelta(days=1)) - now).total_seconds())

    # What happens -------------------------------------------------------------------------------------------------

    def ask(self, text: str, *, alone: bool = False, to: str = TO) -> Any:
        return self.stage.ask(text, to=to, topic="alone" if alone else "orders")

    def hold(self, kind: HoldKind, turn_id: str | None = None) -> Hold:
        (found,) = (
            hold
            for hold in self.stage.open_holds
            if hold.kind is kind
            and (hold.turn_id == turn_id if turn_id is not None else hold.conversation_id == self.conversation_id)
        )
        return found

    def lose(self) -> None:
        """The channel reports that the agent's first reply never arrived."""
        entry = self.first_reply()
        self.stage.run(self.stage.reports.take("recording", Report(key=entry.id, provider_id=None, has_arrived=False)))
        self.stage.settle()

    def first_reply(self) -> OutboxEntry:
        turn = next(turn for turn in self.stage.turns if turn.conversation_id == self.conversation_id)
        (entry,) = self.stage.entries_of(turn)
        assert entry.state is OutboxState.SENT
        return entry

    def take(self, who: str, take_from: str | None = None) -> None:
        self.stage.run(self.stage.conversations.take_over(self.conversation_id, reviewer=who, take_from=take_from))

    def say(self, who: str) -> None:
        self.stage.run(self.stage.conversations.say(self.conversation_id, "I am here.", reviewer=who))

    def back(self, who: str) -> None:
        self.stage.run(self.stage.conversations.hand_back(self.conversation_id, reviewer=who, note="Called her."))

    def respond(self, who: str) -> None:
        kinds = (HoldKind.HAND_OFF, HoldKind.DRAFT)
        holds = [hold for hold in self.stage.open_holds if hold.conversation_id == self.conversation_id]
        (hold,) = (hold for hold in holds if hold.kind in kinds)
        self.stage.give(hold, VerdictKind.RESPOND, reviewer=who)

    def remark(self, text: str, number: str, who: str) -> None:
        """Something stands in the help desk's conversation, or comes from the phone."""
        stage, desks = self.stage, {"recording": self.stage.channel}
        deciding = Deciding(
            stage.store,
            stage.clock,
            desks={},
            houses={"recording": House(colleagues={}, automations=frozenset())},
            verdicts=stage.verdicts,
            conversations=stage.conversations,
            undo_s=0.0,
            claim_lease_s=60.0,
        )
        remarks = Remarks(stage.store, stage.clock, stage, desks, deciding)
        said = Said(
            id=f"answer:{number}", kind=RemarkKind.ANSWER, text=text, thread=None, conversation=TO, author_name=who
        )
        stage.run(remarks.take("recording", said))
        (left,) = stage.read(lambda tx: tx.remarks.due(stage.clock.now(), limit=9))
        stage.run(remarks.look(left.id))

    def overdue(self, kind: HoldKind) -> None:
        hold = self.hold(kind)
        self.stage.clock.advance(901)
        self.stage.run(self.stage.holds.look(hold.id))

    def happen(self, state: Answering) -> None:
        stage, event = self.stage, self.event
        has_draft = state in (Answering.REVIEW, Answering.REHEARSAL)
        drivers: dict[Event, Callable[[], Any]] = {
            Event.CUSTOMER_WRITES: lambda: stage.receive("Hello again", to=TO),
            Event.DELIVERS: lambda: self.ask("Thanks", alone=True),
            Event.HOLDS: lambda: self.ask("When?"),
            Event.HANDS_OFF: lambda: self.ask("hand off"),
            Event.APPROVED: lambda: stage.give(self.hold(HoldKind.DRAFT), VerdictKind.APPROVE, reviewer="rosa"),
            Event.REJECTED: lambda: stage.give(self.hold(HoldKind.DRAFT), VerdictKind.REJECT, reviewer="rosa"),
            Event.EXPIRED: lambda: self.overdue(HoldKind.DRAFT),
            Event.RAISED: lambda: self.overdue(HoldKind.DRAFT if has_draft else HoldKind.HAND_OFF),
            Event.LOST: self.lose,
            Event.PLEDGE_DUE: self._pledge_falls_due,
            Event.TAKES_OVER: lambda: self.take(BEN),
            Event.TAKES_OVER_UNASKED: lambda: self.take(ANN),
            Event.TAKES_FROM: lambda: self.take(ANN, BEN),
            Event.WRITES: lambda: self.say(BEN),
            Event.WRITES_UNASKED: lambda: self.say(ANN),
            Event.RESPONDS: lambda: self.respond(BEN),
            Event.RESPONDS_UNASKED: lambda: self.respond(ANN),
            Event.ANSWERS_ELSEWHERE: lambda: self.remark("By phone: Friday.", "h-1", "cem"),
            Event.OWN_ECHO: self._echo,
            Event.STATUS_ECHO: self._report_arrival,
            Event.HANDS_BACK: lambda: self.back(BEN),
            Event.HANDS_BACK_UNASKED: lambda: self.back(ANN),
            Event.TICKET_CLOSED: lambda: [stage.run(stage.tickets.sweep()) for _ in range(4)],
            Event.OPTS_OUT: lambda: (stage.receive("STOP", to=TO), stage.settle()),
            Event.STOPPED: lambda: stage.run(stage.orders.stop(Slice(), by="lena")),
            Event.RESTARTED: self._restart,
        }
        drivers[next((by_day for by_day, away in TWINS.items() if away is event), event)]()

    def _pledge_falls_due(self) -> None:
        stage, which = self.stage, self.conversation_id
        owed = stage.clock.now() + timedelta(hours=1)
        stage.store.write_now(
            lambda tx: add_pledge(
                tx, stage.clock, which, "We call.", kind=PledgeKind.CALL, terms=USUAL_PLEDGES, due_at=owed, by=BEN
            )
        )
        stage.clock.advance(3_000)
        stage.run(stage.pledges.sweep())

    def _echo(self) -> None:
        """The agent's reply comes back, under the name that the channel gave it."""
        entry = self.first_reply()
        receipts = self.stage.read(lambda tx: tx.outbox.receipts(entry.id))
        self.remark(entry.text, str(receipts[0].provider_id), "Acme")

    def _report_arrival(self) -> None:
        key = self.first_reply().id
        self.stage.run(self.stage.reports.take("recording", Report(key=key, provider_id=None, has_arrived=True)))

    def _restart(self) -> None:
        self.stage = self.stage.restarted()

    # What is seen -------------------------------------------------------------------------------------------------

    @property
    def state(self) -> Answering:
        which = self.conversation_id
        return self.stage.read(lambda tx: answering_of(tx, tx.conversations.get(which)))  # type: ignore[no-any-return]


def _mode(body: dict[str, Any], _kind: HoldKind | None) -> set[Effect]:
    people = Effect.TO_PEOPLE if body["taken_by"] is None else Effect.TO_PERSON
    told = {Effect.TELL_FIRST} if body["taken_from"] else set()
    return told | {Effect.TO_AGENT if body["mode"] == Mode.AGENT.value else people}


def _closed(_body: dict[str, Any], kind: HoldKind | None) -> set[Effect]:
    over = {HoldKind.HAND_OFF: Effect.CLOSE, HoldKind.DRAFT: Effect.VOID_DRAFT}
    return {over[kind]} if kind in over else set()


def _queued(body: dict[str, Any], _kind: HoldKind | None) -> set[Effect]:
    if body["text"] == digest(NOTICE.text):
        return {Effect.SAY_NOTICE}
    return {Effect.QUEUE} if body["author"] in ("agent", "reviewer") else set()


def _if(effect: Effect, name: str, *values: str) -> Callable[[dict[str, Any], HoldKind | None], set[Effect]]:
    return lambda body, _kind: {effect} if not values or body[name] in values else set()


SHOWS: dict[str, Callable[[dict[str, Any], HoldKind | None], set[Effect]]] = {
    "conversation.mode": _mode,
    "hold.opened": _if(Effect.OPEN, "kind", "hand_off"),
    "hold.joined": _if(Effect.JOIN, ""),
    "hold.decided": _closed,
    "hold.superseded": _closed,
    "hold.expired": _closed,
    "hold.raised": _if(Effect.RAISE, ""),
    "outbox.queued": _queued,
    "pledge.made": _if(Effect.SAY_WHEN, "kind", "write"),
    "trust.capped": _if(Effect.CAP, ""),
    "trust.lifted": _if(Effect.LIFT_WISH, ""),
    "conversation.handed_back": _if(Effect.KEEP_NOTE, ""),
    "remark.done": _if(Effect.KEEP_WORDS, "outcome", "taken_over"),
    "turn.superseded": _if(Effect.ASK_AGAIN, "was", "handed_off"),
    "seed.judged": _if(Effect.NOTICED, ""),
}
"""What an entry of the ledger shows to have been done."""


def seen(entries: Sequence[LedgerEntry], kinds: dict[str, HoldKind]) -> set[Effect]:
    """What was done, as the ledger has it."""
    did: set[Effect] = set()
    for entry in entries:
        if entry.event in SHOWS:
            body = json.loads(entry.body)
            did |= SHOWS[entry.event](body, kinds.get(str(body.get("hold"))))
    return did


def expected(does: frozenset[Effect], state: Answering, event: Event, had_draft: bool) -> set[Effect]:
    """What of it the ledger can show there."""
    wanted = set(does) - {
        Effect.LAY_ASIDE
    }  # nothing of the agent waits to be sent here: `test_conversations.py` has it
    if state is not Answering.PEOPLE_ONLY:
        wanted -= {Effect.LIFT_WISH}
    if not had_draft:
        wanted -= {Effect.VOID_DRAFT}
    if event is Event.APPROVED or Effect.NOTICED in wanted:
        wanted |= {Effect.VOID_DRAFT}  # its hold is closed as well
    return wanted


@pytest.mark.parametrize(("state", "event"), CELLS, ids=str)
def test_every_cell_is_as_the_table_says(build: Build, staging: ModuleType, state: Answering, event: Event) -> None:
    house = Scene(build, staging, event)
    house.bring(state)
    assert house.state is state, "the stage is where the cell begins"
    if event in AT_NIGHT or event in TWINS:
        house.go_to(night=event in AT_NIGHT)
    outcome, before = TABLE[state, event], house.stage.ledger
    had_draft = any(
        hold.kind is HoldKind.DRAFT for hold in house.stage.open_holds if hold.conversation_id == house.conversation_id
    )
    if isinstance(outcome, Refused):
        with pytest.raises(TakenByOther if outcome.why == HAD_BY_OTHER else Conflict) as refused:
            house.happen(state)
        assert refused.value.code == ("taken-by-other" if outcome.why == HAD_BY_OTHER else "conflict")
        assert house.stage.ledger == before, "what is refused changes nothing"
        assert house.state is state
        return
    assert isinstance(outcome, Goes)
    house.happen(state)
    assert house.state is outcome.to
    kinds = {hold.id: hold.kind for hold in house.stage.all_holds}
    did = seen(house.stage.ledger[len(before) :], kinds)
    assert did == expected(outcome.does, state, event, had_draft)
