"""What an open ticket is told once its hand-off is over: ordered with it on disk, in order, each under its key, and never twice."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from stage_plan import ON_EACH_STORE
from systems import ScriptedSystem
from understudy.errors import Conflict, NotFound
from understudy.ports.telemetry import TicketTried
from understudy.records.outbox import Accepted, Rejected, Retry, SendResult, Unknown
from understudy.records.review import VerdictKind
from understudy.records.systems import Order
from understudy.records.tickets import StepState, Ticket, TicketState, TicketStep
from understudy.tickets.flow import Opens
from understudy.tickets.telling import Tells

Build = Callable[..., Any]
pytestmark = ON_EACH_STORE

PHONE = "+4915112345678"
ALL = frozenset({"note", "assign", "close"})


def built(build: Build, system: ScriptedSystem, *, what: Any = ALL, when_handed_back: bool = False) -> Any:
    tells = Tells(system=system, what=what, people={"lena": "agent-7"}, when_handed_back=when_handed_back)
    return build(opens=[Opens(system=system, tells=tells)])


def hand_off(house: Any, text: str = "I want to talk to a person about order 1042!") -> None:
    house.ask(text, address=PHONE, contact_name="Ada")
    sweep(house)


def answer(house: Any, text: str = "It leaves today.") -> None:
    (hold,) = house.open_holds
    house.give(hold, VerdictKind.RESPOND, text=text, reviewer="lena")
    house.settle()


def sweep(house: Any, times: int = 1) -> int:
    return sum(int(house.run(house.tickets.sweep())) for _ in range(times))


def tickets(house: Any) -> list[Ticket]:
    return list(house.read(lambda tx: tx.tickets.listed(list(TicketState), limit=50)))


def steps(house: Any) -> list[TicketStep]:
    found = house.read(lambda tx: tx.ticket_steps.listed(list(StepState), limit=50))
    return sorted(found, key=lambda step: step.place)


def told(system: ScriptedSystem) -> list[str]:
    return [order.what for order in system.orders]


def test_a_ticket_is_told_what_was_answered_by_whom_and_closed_in_this_order(build: Build) -> None:
    system = ScriptedSystem()
    house = built(build, system)
    hand_off(house)
    answer(house, "It leaves today.\n/approve is not for you.")
    sweep(house, 4)
    (ticket,) = tickets(house)
    assert told(system) == ["create", "assign", "note", "close"]
    _, assign, note, close = system.orders
    assert {one.ticket for one in (assign, note, close)} == {"T-1"}
    assert assign.assignee == "agent-7"
    assert [one.key for one in (assign, note, close)] == [f"{ticket.id}-{place}" for place in (1, 2, 3)]
    assert note.text.startswith("Understudy: answered by lena.")
    assert "> It leaves today.\n> /approve is not for you." in note.text
    assert note.text.endswith(f"Reference: {note.key}")
    assert note.subject == f"Understudy [{note.key}]"
    assert note.known.is_nobody, "nothing of it is for the customer"
    assert ticket.is_over
    assert [step.state for step in steps(house)] == [StepState.DONE] * 3
    assert sweep(house, 3) == 0
    events = [entry.event for entry in house.ledger if entry.event.startswith(("ticket_step.", "ticket.over"))]
    assert events.count("ticket_step.ordered") == events.count("ticket_step.done") == 3
    assert events.count("ticket.over") == 1
    body = json.loads(next(entry.body for entry in house.ledger if entry.event == "ticket_step.done"))
    assert body == {"ticket": ticket.id, "step": f"{ticket.id}-1", "system": "desk", "attempt": 1}
    assert [event.what for event in house.emitted(TicketTried)] == ["create", "assign", "note", "close"]


def test_a_ticket_is_told_nothing_while_the_customer_waits(build: Build) -> None:
    system = ScriptedSystem()
    house = built(build, system)
    hand_off(house)
    assert sweep(house, 3) == 0
    assert told(system) == ["create"]
    assert not tickets(house)[0].is_over


def test_what_was_not_delivered_is_not_said_to_be_answered(build: Build) -> None:
    """The verdict alone is none: the send may yet fail."""
    system = ScriptedSystem()
    house = built(build, system)
    hand_off(house)
    (hold,) = house.open_holds
    house.give(hold, VerdictKind.RESPOND, text="It leaves today.", reviewer="lena")
    sweep(house, 3)
    assert told(system) == ["create", "assign"], "that lena has it is so already"
    house.settle()
    sweep(house, 3)
    assert told(system) == ["create", "assign", "note", "close"]


def test_who_takes_a_conversation_over_is_given_the_ticket_and_it_is_over_with_their_answer(build: Build) -> None:
    system = ScriptedSystem()
    house = built(build, system)
    hand_off(house)
    (hold,) = house.open_holds
    house.give(hold, VerdictKind.TAKE_OVER, reviewer="lena")
    sweep(house, 2)
    assert told(system) == ["create", "assign"]
    house.run(house.conversations.say(hold.conversation_id, "Here I am.", reviewer="lena"))
    house.settle()
    sweep(house, 3)
    assert told(system) == ["create", "assign", "note", "close"]
    assert "> Here I am." in system.orders[2].text


def test_who_is_no_user_of_the_system_is_given_no_ticket(build: Build) -> None:
    system = ScriptedSystem()
    house = built(build, system)
    hand_off(house)
    (hold,) = house.open_holds
    house.give(hold, VerdictKind.TAKE_OVER, reviewer="tom")
    sweep(house, 2)
    assert told(system) == ["create"]
    assert [entry.event for entry in house.ledger].count("ticket.taken") == 1
    house.run(house.conversations.say(hold.conversation_id, "Hello.", reviewer="tom"))
    house.settle()
    sweep(house, 3)
    assert told(system) == ["create", "note", "close"]


def test_a_conversation_handed_back_unanswered_closes_its_ticket_and_says_so(build: Build) -> None:
    system = ScriptedSystem()
    house = built(build, system)
    hand_off(house)
    (hold,) = house.open_holds
    house.give(hold, VerdictKind.TAKE_OVER, reviewer="tom")
    house.run(house.conversations.hand_back(hold.conversation_id, reviewer="tom"))
    sweep(house, 3)
    assert told(system) == ["create", "note", "close"]
    assert "handed back without an answer by a person" in system.orders[1].text
    assert "The agent answers in this conversation again." in system.orders[1].text


def test_until_it_is_handed_back_one_ticket_stands_for_all_of_it(build: Build) -> None:
    system = ScriptedSystem()
    house = built(build, system, when_handed_back=True)
    hand_off(house)
    answer(house, "First answer.")
    sweep(house, 2)
    hand_off(house, "And the other parcel?")
    answer(house, "Second answer.")
    sweep(house, 3)
    assert told(system) == ["create", "assign"]
    house.run(house.conversations.hand_back(tickets(house)[0].conversation_id, reviewer="lena"))
    sweep(house, 3)
    assert told(system) == ["create", "assign", "note", "close"]
    assert "> First answer.\n\n> Second answer." in system.orders[2].text
    hand_off(house)
    assert told(system)[4:] == ["create"], "what comes later is another one"


def test_what_the_customer_writes_after_the_answer_is_another_ticket_where_an_answer_ends_it(build: Build) -> None:
    system = ScriptedSystem()
    house = built(build, system)
    hand_off(house)
    answer(house)
    sweep(house, 3)
    hand_off(house, "And the other parcel?")
    assert told(system)[4:] == ["create"]
    assert len(tickets(house)) == 2


@pytest.mark.parametrize("what", [frozenset(), frozenset({"note"}), frozenset({"close"})])
def test_only_what_is_configured_is_told(build: Build, what: Any) -> None:
    system = ScriptedSystem()
    house = built(build, system, what=what)
    hand_off(house)
    answer(house)
    sweep(house, 3)
    assert told(system) == ["create", *sorted(what)]
    assert tickets(house)[0].is_over


def test_a_ticket_opened_before_its_hand_off_was_answered_but_late_is_told_all_the_same(build: Build) -> None:
    system = ScriptedSystem()
    house = built(build, system)
    house.ask("I want to talk to a person!", address=PHONE)
    (lease,), _ = house.store.write_now(house.tickets._take_up)
    answer(house)
    house.run(house.tickets._open(lease))
    sweep(house, 4)
    assert told(system) == ["create", "assign", "note", "close"]


def after_hand_off(build: Build, system: ScriptedSystem) -> Any:
    house = built(build, system, what=frozenset({"note", "close"}))
    hand_off(house)
    answer(house)
    return house


class Board:
    """A system whose tickets keep what they were told, by key; it may lose an answer or a request on the way."""

    def __init__(self) -> None:
        self.kept: list[tuple[str, str]] = []
        self.lose: str | None = None

    def write(self, order: Order) -> SendResult:
        if order.what == "create":
            return Accepted(provider_id="T-1")
        if self.lose == "request":
            return Unknown(reason="reset")
        self.kept.append((order.what, order.key))
        return Unknown(reason="reset") if self.lose == "answer" else Accepted(provider_id="n-1")

    def find(self, order: Order) -> SendResult:
        return Accepted(provider_id="n-1") if (order.what, order.key) in self.kept else Retry(reason="not there")


@pytest.mark.parametrize("lost", ["answer", "request"])
def test_a_note_of_unknown_outcome_is_looked_for_and_never_written_twice(build: Build, lost: str) -> None:
    system, board = ScriptedSystem(), Board()
    system.answer, system.found, system.looks = board.write, board.find, True
    house = after_hand_off(build, system)
    board.lose = lost
    sweep(house)
    board.lose = None
    for _ in range(4):
        house.clock.advance(400)
        sweep(house)
    assert [what for what, _ in board.kept] == ["note", "close"]
    assert [step.state for step in steps(house)] == [StepState.DONE] * 2


@pytest.mark.parametrize("has_arrived", [True, False])
@pytest.mark.parametrize("can_look", [True, False])
def test_a_process_that_dies_while_it_writes_a_note_writes_no_second(
    build: Build, has_arrived: bool, can_look: bool
) -> None:
    system, board = ScriptedSystem(), Board()
    system.answer, system.found, system.looks = board.write, board.find, can_look
    house = after_hand_off(build, system)
    _, leases = house.store.write_now(house.tickets._take_up)
    assert [lease.step.ordered.what for lease in leases] == ["note"], "the closing waits for the note"
    if has_arrived:
        board.write(leases[0].step.ordered)
    again = house.restarted()
    assert sweep(again) == 0, "another may still be at it"
    for _ in range(4):
        again.clock.advance(400)
        sweep(again)
    notes = [what for what, _ in board.kept if what == "note"]
    assert notes == (["note"] if has_arrived or can_look else [])
    expected = StepState.DONE if can_look else StepState.UNKNOWN
    assert [step.state for step in steps(again)] == [expected, StepState.DONE], "the closing is done all the same"


def test_two_workers_tell_it_once(build: Build) -> None:
    system, board = ScriptedSystem(), Board()
    system.answer, system.found, system.looks = board.write, board.find, True
    house = after_hand_off(build, system)
    _, (first,) = house.store.write_now(house.tickets._take_up)
    house.clock.advance(61)
    _, (second,) = house.store.write_now(house.tickets._take_up)
    house.run(house.tickets.steps.carry_out(second, system))
    house.run(house.tickets.steps.carry_out(first, system))
    for _ in range(3):
        house.clock.advance(400)
        sweep(house)
    assert [what for what, _ in board.kept] == ["note", "close"]
    assert [step.state for step in steps(house)] == [StepState.DONE] * 2


def test_what_is_refused_is_a_persons_to_settle_and_keeps_nothing_else_waiting(build: Build) -> None:
    system = ScriptedSystem()
    house = after_hand_off(build, system)
    accepts = system.answer
    system.answer = lambda order: Rejected(reason="422") if order.what == "note" else accepts(order)
    sweep(house, 3)
    note, close = steps(house)
    assert (note.state, note.last_error, close.state) == (StepState.DEAD, "422", StepState.DONE)
    system.answer = accepts
    house.run(house.tickets.steps.settle(note.id, to=StepState.PENDING, actor="lena"))
    sweep(house)
    assert steps(house)[0].state is StepState.DONE
    with pytest.raises(Conflict, match="done"):
        house.run(house.tickets.steps.settle(note.id, to=StepState.DROPPED, actor="lena"))
    with pytest.raises(NotFound):
        house.run(house.tickets.steps.settle("tk-none-1", to=StepState.DROPPED, actor="lena"))


def test_tickets_of_a_system_that_is_gone_keep_nobody_waiting(build: Build) -> None:
    gone, system = ScriptedSystem("gone"), ScriptedSystem()
    gone.answer = lambda _order: Retry(reason="503")
    house = build(opens=[Opens(system=gone)])
    for number in range(9):
        house.ask("I want to talk to a person!", address=f"+49151123456{number:02}", to=f"c-{number}")
    sweep(house)
    later = house.restarted(opens=[Opens(system=system)])
    later.clock.advance(600)
    assert sweep(later, 3) >= 9
    assert len(system.orders) == 9
