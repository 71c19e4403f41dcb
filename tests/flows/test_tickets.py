"""A hand-off opens a ticket in the systems that are to have one: once, by key, whatever the system does and whenever a process dies."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from stage_plan import ON_EACH_STORE
from systems import ScriptedSystem, found, item
from understudy.errors import Conflict, NotFound
from understudy.ports.telemetry import TicketTried
from understudy.records.evidence import Draft
from understudy.records.outbox import Accepted, Rejected, Retry, SendResult, Unknown
from understudy.records.review import VerdictKind
from understudy.records.systems import Order
from understudy.records.tickets import Ticket, TicketState
from understudy.testing.scripted import ScriptedAgent
from understudy.tickets.flow import Opens, TicketLimits
from understudy.turn.facts import Consulted

Build = Callable[..., Any]
pytestmark = ON_EACH_STORE

PHONE = "+4915112345678"


def built(build: Build, system: ScriptedSystem, **plan: Any) -> Any:
    return build(opens=[Opens(system=system, assignee="grace")], **plan)


def hand_off(house: Any, text: str = "I want to talk to a person about order 1042!", **fields: Any) -> Any:
    return house.ask(text, address=PHONE, contact_name="Ada", **fields)


def tickets(house: Any) -> list[Ticket]:
    return list(house.read(lambda tx: tx.tickets.listed(list(TicketState), limit=50)))


def only(house: Any) -> Ticket:
    (ticket,) = tickets(house)
    return ticket


def sweep(house: Any) -> int:
    return int(house.run(house.tickets.sweep()))


def events(house: Any) -> list[str]:
    return [entry.event for entry in house.ledger if entry.event.startswith("ticket.")]


class Shelf:
    """A system that keeps what it is told, and may lose an answer or a request on the way."""

    def __init__(self) -> None:
        self.kept: dict[str, str] = {}
        self.lose: str | None = None

    def write(self, order: Order) -> SendResult:
        if self.lose == "request":
            return Unknown(reason="reset")
        self.kept.setdefault(order.key, f"T-{len(self.kept) + 1}")
        return Unknown(reason="reset") if self.lose == "answer" else Accepted(provider_id=self.kept[order.key])

    def find(self, order: Order) -> SendResult:
        number = self.kept.get(order.key)
        return Retry(reason="not there") if number is None else Accepted(provider_id=number)


def shelved(**more: Any) -> tuple[ScriptedSystem, Shelf]:
    shelf, system = Shelf(), ScriptedSystem(**more)
    system.answer, system.found, system.looks = shelf.write, shelf.find, True
    return system, shelf


def test_a_hand_off_opens_one_ticket_with_the_conversations_summary(build: Build) -> None:
    system = ScriptedSystem(
        contact=found(item("c-7", name="Ada")), orders=found(item("o-1", order="1042", status="shipped"))
    )
    agent = ScriptedAgent(lambda _r: Draft(text="Let me see.", agent="echo", agent_version="v1"), name="echo")
    house = built(build, system, systems=[Consulted(system=system)], agent=agent)
    hand_off(house)
    assert sweep(house) == 1
    ticket = only(house)
    assert (ticket.state, ticket.number, ticket.attempts) == (TicketState.OPENED, "T-1", 1)
    (order,) = system.orders
    assert order.key == ticket.id
    assert order.subject.endswith(f"[{ticket.id}]")
    assert order.assignee == "grace"
    assert order.known.phones == (PHONE,)
    assert order.known.contact_id == "c-7"
    for said in (
        "> I want to talk to a person about order 1042!",
        "desk, orders (as of",
        "order 1042; status shipped",
        "Let me see.",
    ):
        assert said in order.text
    assert sweep(house) == 0
    assert len(system.orders) == 1
    assert events(house) == ["ticket.ordered", "ticket.sending", "ticket.opened"]
    assert [event.outcome for event in house.emitted(TicketTried)] == ["opened"]
    body = json.loads(next(entry.body for entry in house.ledger if entry.event == "ticket.opened"))
    assert body == {"ticket": ticket.id, "system": "desk", "attempt": 1, "number": "T-1"}


def test_facts_that_are_unknown_are_said_to_be(build: Build) -> None:
    system = ScriptedSystem(contact=RuntimeError("down"))
    house = built(build, system, systems=[Consulted(system=system)])
    hand_off(house)
    sweep(house)
    assert "- desk, contact: unknown, the system's answer could not be read" in system.orders[0].text


def test_who_is_not_vouched_for_is_not_named_to_the_system(build: Build) -> None:
    """It would write to that address, or show the ticket to whom it belongs."""
    system = ScriptedSystem()
    house = built(build, system, proof="none")
    hand_off(house, contact_email="victim@example.com")
    sweep(house)
    assert system.orders[0].known.is_nobody


def test_an_answered_conversation_gets_no_ticket(build: Build) -> None:
    system = ScriptedSystem()
    house = built(build, system)
    house.ask("Where is it?", address=PHONE)
    assert sweep(house) == 0
    assert tickets(house) == []


def test_a_second_message_of_a_waiting_customer_opens_no_second_ticket(build: Build) -> None:
    system = ScriptedSystem()
    house = built(build, system)
    hand_off(house)
    sweep(house)
    hand_off(house, "Hello? A person, please!")
    sweep(house)
    assert len(system.orders) == 1


def test_each_system_that_is_to_have_one_gets_one(build: Build) -> None:
    one, other = ScriptedSystem("desk"), ScriptedSystem("crm")
    house = build(opens=[Opens(system=one), Opens(system=other)])
    hand_off(house)
    sweep(house)
    assert (len(one.orders), len(other.orders)) == (1, 1)


def test_what_was_certainly_not_opened_is_tried_again_later(build: Build) -> None:
    system = ScriptedSystem()
    system.answer = lambda _order: Retry(reason="503", after_s=20)
    house = built(build, system)
    hand_off(house)
    sweep(house)
    assert only(house).state is TicketState.PENDING
    house.clock.advance(19)
    assert sweep(house) == 0
    system.answer = lambda _order: Accepted(provider_id="T-9")
    house.clock.advance(300)
    sweep(house)
    assert only(house).number == "T-9"
    assert len({order.key for order in system.orders}) == 1


def test_what_is_refused_or_tried_in_vain_is_left_to_a_person_who_may_try_again(build: Build) -> None:
    system = ScriptedSystem()
    system.answer = lambda _order: Rejected(reason="422")
    house = built(build, system)
    hand_off(house)
    sweep(house)
    ticket = only(house)
    assert (ticket.state, ticket.last_error) == (TicketState.DEAD, "422")
    house.clock.advance(3_600)
    assert sweep(house) == 0
    system.answer = lambda _order: Accepted(provider_id="T-2")
    house.run(house.tickets.settle(ticket.id, to=TicketState.PENDING, actor="lena"))
    sweep(house)
    assert only(house).number == "T-2"
    assert events(house)[-4:] == ["ticket.dead", "ticket.settled", "ticket.sending", "ticket.opened"]
    with pytest.raises(Conflict, match="opened"):
        house.run(house.tickets.settle(ticket.id, to=TicketState.PENDING, actor="lena"))
    with pytest.raises(NotFound):
        house.run(house.tickets.settle("tk-none", to=TicketState.PENDING, actor="lena"))


def test_tries_are_bounded(build: Build) -> None:
    system = ScriptedSystem()
    system.answer = lambda _order: Retry(reason="503")
    house = built(build, system, ticket_limits=TicketLimits(attempts_max=3))
    hand_off(house)
    for _ in range(6):
        sweep(house)
        house.clock.advance(600)
    assert len(system.orders) == 3
    assert only(house).state is TicketState.DEAD


@pytest.mark.parametrize("lost", ["answer", "request"])
def test_an_unknown_outcome_is_looked_for_and_never_opens_two(build: Build, lost: str) -> None:
    system, shelf = shelved()
    house = built(build, system)
    hand_off(house)
    shelf.lose = lost
    sweep(house)
    assert only(house).state is (TicketState.OPENED if lost == "answer" else TicketState.SENDING)
    shelf.lose = None
    for _ in range(3):
        house.clock.advance(400)
        sweep(house)
    assert list(shelf.kept.values()) == ["T-1"]
    assert only(house).number == "T-1"


def test_an_unknown_outcome_nobody_can_look_for_is_a_persons_to_say(build: Build) -> None:
    system = ScriptedSystem()
    system.answer = lambda _order: Unknown(reason="no answer")
    house = built(build, system)
    hand_off(house)
    for _ in range(3):
        sweep(house)
        house.clock.advance(3_600)
    ticket = only(house)
    assert ticket.state is TicketState.UNKNOWN
    assert len(system.orders) == 1, "never repeated blindly"
    house.run(house.tickets.settle(ticket.id, to=TicketState.OPENED, actor="lena", number="4711"))
    assert only(house).number == "4711"


def test_a_system_that_honours_keys_is_simply_asked_again(build: Build) -> None:
    system, shelf = shelved()
    system.keys, system.looks = True, False
    house = built(build, system)
    hand_off(house)
    shelf.lose = "answer"
    sweep(house)
    assert only(house).state is TicketState.PENDING
    shelf.lose = None
    house.clock.advance(60)
    sweep(house)
    assert list(shelf.kept.values()) == ["T-1"]
    assert only(house).state is TicketState.OPENED


@pytest.mark.parametrize("has_arrived", [True, False])
@pytest.mark.parametrize("can", ["find", "keys", "neither"])
def test_a_process_that_dies_while_it_opens_one_opens_no_second(build: Build, has_arrived: bool, can: str) -> None:
    system, shelf = shelved()
    system.looks, system.keys = can == "find", can == "keys"
    house = built(build, system)
    hand_off(house)
    leases, _ = house.store.write_now(house.tickets._take_up)
    assert len(leases) == 1
    if has_arrived:
        shelf.write(leases[0].ticket.ordered)
    again = house.restarted()
    assert sweep(again) == 0, "another may still be at it"
    again.clock.advance(61)
    sweep(again)
    again.clock.advance(400)
    sweep(again)
    if can == "neither":
        assert only(again).state is TicketState.UNKNOWN
        assert len(shelf.kept) == (1 if has_arrived else 0)
    else:
        assert only(again).number == "T-1"
        assert list(shelf.kept.values()) == ["T-1"]


def test_two_workers_open_one(build: Build) -> None:
    system, shelf = shelved()
    house = built(build, system)
    hand_off(house)
    first, _ = house.store.write_now(house.tickets._take_up)
    assert house.store.write_now(house.tickets._take_up) == ([], [])
    house.clock.advance(61)
    second, _ = house.store.write_now(house.tickets._take_up)
    house.run(house.tickets._open(second[0]))
    house.run(house.tickets._open(first[0]))
    house.clock.advance(400)
    sweep(house)
    assert [order.what for order in system.orders] == ["create"], "whose lease lapsed opens none any more"
    assert list(shelf.kept.values()) == ["T-1"]


def test_what_was_answered_meanwhile_needs_no_ticket(build: Build) -> None:
    system = ScriptedSystem()
    system.answer = lambda _order: Retry(reason="503")
    house = built(build, system)
    hand_off(house)
    sweep(house)
    (hold,) = house.open_holds
    house.give(hold, VerdictKind.RESPOND, text="Here I am.")
    house.settle()
    house.clock.advance(600)
    sweep(house)
    assert only(house).state is TicketState.DROPPED
    assert len(system.orders) == 1
