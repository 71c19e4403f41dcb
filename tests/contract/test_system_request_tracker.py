"""The shipped description of Request Tracker against a real Request Tracker 5."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import replace
from typing import Any

import pytest

from request_tracker import RequestTracker, request_tracker
from systems import own
from understudy.adapters.system_clock import SystemClock
from understudy.adapters.systems.presets import shape_of
from understudy.adapters.systems.rest import RestSystem
from understudy.errors import ConfigurationError
from understudy.ports.system import Found, Untold
from understudy.records.outbox import Accepted, Rejected, Retry
from understudy.records.systems import Known, Order

pytestmark = pytest.mark.slow

ADA = Known(emails=("ada@example.com",))
ORDER = Order(
    what="create",
    key="k-1",
    subject='Hand-off: it\'s "late" [k-1]',
    text="Where is it?\nShe said: “it’s late” <b>now</b>.",
    name="Ada",
    known=ADA,
)


@pytest.fixture(scope="module")
def tracker() -> Iterator[RequestTracker]:
    with request_tracker() as running:
        yield running


def use(tracker: RequestTracker, do: Callable[[RestSystem], Coroutine[Any, Any, Any]], *, token: str = "") -> Any:
    async def used() -> Any:
        system = own(
            "http://unused", shape_of("request_tracker"), values={"base_url": tracker.url},
            credentials={"api_token": token or tracker.token}, clock=SystemClock(),
        )  # fmt: skip
        try:
            return await do(system)
        finally:
            await system.close()

    return asyncio.run(used())


def test_a_ticket_is_opened_noted_given_to_somebody_and_closed(tracker: RequestTracker) -> None:
    assert isinstance(use(tracker, lambda system: system.find(ORDER)), Retry), "it was not opened yet"
    opened = use(tracker, lambda system: system.write(ORDER))
    assert isinstance(opened, Accepted)
    assert use(tracker, lambda system: system.find(ORDER)) == opened, "found again by the reference in its subject"
    assert [one["Subject"] for one in tracker.tickets()] == [ORDER.subject]
    assert ORDER.text in tracker.contents(opened.provider_id or "")

    told = use(tracker, lambda system: system.look_up("tickets", ADA, deadline_s=20))
    assert isinstance(told, Found)
    assert [(one.id, one.values["subject"], one.values["owner"]) for one in told.items] == [
        (opened.provider_id, ORDER.subject, "Nobody")
    ]
    contact = use(tracker, lambda system: system.look_up("contact", ADA, deadline_s=20))
    assert isinstance(contact, Found)
    assert [one.values["email"] for one in contact.items] == ["ada@example.com"]

    later = replace(ORDER, ticket=opened.provider_id, assignee="root", text="A colleague has it.")
    for what in ("note", "assign", "assign", "close", "close"):
        done = use(tracker, lambda system, what=what: system.write(replace(later, what=what)))
        assert isinstance(done, Accepted), (what, done)
    assert "A colleague has it." in tracker.contents(opened.provider_id or "")
    noted = replace(later, what="note", subject="Understudy [k-1-1]")
    assert isinstance(use(tracker, lambda system: system.find(noted)), Retry), "this one was not written yet"
    assert isinstance(use(tracker, lambda system: system.write(noted)), Accepted)
    assert isinstance(use(tracker, lambda system: system.find(noted)), Accepted), "found again by its subject"
    ticket = tracker.ask(f"ticket/{opened.provider_id}")
    assert (ticket["Owner"]["id"], ticket["Status"]) == ("root", "resolved")
    told = use(tracker, lambda system: system.look_up("tickets", ADA, deadline_s=20))
    assert told == Found(), "it is open no more"


def test_what_it_says_it_took_and_did_not_do_is_seen(tracker: RequestTracker) -> None:
    """It answers 200 and a sentence."""
    opened = use(tracker, lambda system: system.write(replace(ORDER, key="k-2", subject="Another [k-2]")))
    order = replace(ORDER, what="assign", ticket=opened.provider_id, assignee="nobody-there")
    assert isinstance(use(tracker, lambda system: system.write(order)), Rejected)


def test_somebody_elses_tickets_are_not_found_by_a_hostile_address(tracker: RequestTracker) -> None:
    hostile = Known(emails=("x' OR id > 0 OR Subject = '@example.com",))
    told = use(tracker, lambda system: system.look_up("tickets", hostile, deadline_s=20))
    assert told == Found()


def test_who_is_not_let_in_is_told_so(tracker: RequestTracker) -> None:
    assert "lets us in" in use(tracker, lambda system: system.check()).says
    told = use(tracker, lambda system: system.look_up("tickets", ADA, deadline_s=20), token="1-14-wrong")
    assert isinstance(told, Untold)
    assert told.why == "refused"
    with pytest.raises(ConfigurationError, match="401"):
        use(tracker, lambda system: system.check(), token="1-14-wrong")
