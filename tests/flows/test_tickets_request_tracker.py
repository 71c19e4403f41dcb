"""A hand-off opens a ticket in a real Request Tracker, with the conversation's summary; and the next turn reads it there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from request_tracker import RequestTracker, request_tracker
from stage_plan import ON_EACH_STORE
from systems import own
from understudy.adapters.systems.presets import shape_of
from understudy.records.codec import load
from understudy.records.evidence import Evidence
from understudy.records.review import VerdictKind
from understudy.records.tickets import TicketState
from understudy.tickets.flow import Opens
from understudy.tickets.telling import Tells
from understudy.turn.facts import Consulted

Build = Callable[..., Any]
pytestmark = [ON_EACH_STORE, pytest.mark.slow]


@pytest.fixture(scope="module")
def tracker() -> Iterator[RequestTracker]:
    with request_tracker() as running:
        yield running


def test_a_hand_off_opens_a_ticket_there_and_the_next_turn_knows_of_it(build: Build, tracker: RequestTracker) -> None:
    before = len(tracker.tickets())
    desk = own(
        "http://unused", shape_of("request_tracker"), values={"base_url": tracker.url},
        credentials={"api_token": tracker.token},
    )  # fmt: skip
    house = build(
        systems=[Consulted(system=desk, reads=("tickets",), deadline_s=25)], opens=[Opens(system=desk, assignee="root")],
        proof="contact",
    )  # fmt: skip
    who = {"contact_email": f"ada{before}@example.com", "contact_name": "Ada"}
    house.ask("I want to talk to a person: where's my “parcel” 1042?", **who)
    assert house.run(house.tickets.sweep()) == 1
    (ticket,) = house.read(lambda tx: tx.tickets.listed(list(TicketState), limit=5))
    assert ticket.state is TicketState.OPENED, ticket.last_error
    newest = tracker.tickets()[-1]
    assert len(tracker.tickets()) == before + 1
    assert newest["id"] == ticket.number
    assert newest["Subject"].endswith(f"[{ticket.id}]")
    assert newest["Owner"]["id"] == "root"
    text = tracker.contents(ticket.number)
    assert f"Reference: {ticket.id}" in text
    assert "> I want to talk to a person: where's my “parcel” 1042?" in text

    again = house.ask("Another thing", to="e-2", **who)
    evidence = load(Evidence, house.read(lambda tx: tx.artifacts.get(again.id, "evidence")))
    (facts,) = evidence.facts
    assert facts.unknown is None, facts.says
    assert [(item.id, item.values["subject"]) for item in facts.items] == [(ticket.number, newest["Subject"])]
    house.run(desk.close())


def test_what_was_answered_here_is_noted_there_and_the_ticket_given_to_who_answered_and_resolved(
    build: Build, tracker: RequestTracker
) -> None:
    desk = own(
        "http://unused", shape_of("request_tracker"), values={"base_url": tracker.url},
        credentials={"api_token": tracker.token},
    )  # fmt: skip
    tells = Tells(system=desk, what=frozenset({"note", "assign", "close"}), people={"lena": "root"})
    house = build(opens=[Opens(system=desk, tells=tells)], proof="contact")
    house.ask("I want to talk to a person about 1042!", contact_email="grace@example.com")
    house.run(house.tickets.sweep())
    (hold,) = house.open_holds
    house.give(hold, VerdictKind.RESPOND, text="It “leaves” today.", reviewer="lena")
    house.settle()
    for _ in range(4):
        house.run(house.tickets.sweep())
    (ticket,) = house.read(lambda tx: tx.tickets.listed(list(TicketState), limit=5))
    there = tracker.ask(f"ticket/{ticket.number}")
    assert (there["Owner"]["id"], there["Status"]) == ("root", "resolved")
    text = tracker.contents(ticket.number)
    assert "Understudy: answered by lena.\n\n> It “leaves” today." in text
    assert text.count(f"Reference: {ticket.id}-2") == 1
    house.run(desk.close())
