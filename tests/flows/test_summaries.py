"""A model puts a hand-off in a few lines: once, above what is stored, never instead of it; and what goes wrong with it holds up nothing."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from stage_plan import ON_EACH_STORE, rules
from systems import ScriptedSystem
from understudy.assessment.summary import parts_of
from understudy.contacts.erasing import Erasing
from understudy.effects.summing_up import case_of
from understudy.errors import AgentAnsweredNonsense, AgentUnavailable
from understudy.ports.summariser import SummaryRequest
from understudy.ports.telemetry import SummaryTried
from understudy.records.conversation import Mode
from understudy.records.rulebook import Level
from understudy.records.summary import ASKED_KIND, WRITTEN_KIND
from understudy.summaries.flow import SummaryLimits
from understudy.tickets.flow import Opens

Build = Callable[..., Any]
pytestmark = ON_EACH_STORE

ASKED = "I want to talk to a person about order 1042!"
LINES = ("Wants a person about order 1042.", "Ask what is wrong with it.")


class Scripted:
    """Keeps `ports.summariser.Summariser`; each answer is lines, an error, or a function of the request."""

    by = "small-model"

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.asked: list[SummaryRequest] = []

    async def write(self, request: SummaryRequest) -> tuple[str, ...]:
        self.asked.append(request)
        answer = self.answers.pop(0) if self.answers else LINES
        if callable(answer):
            answer = answer(request)
        if asyncio.iscoroutine(answer):
            answer = await answer
        if isinstance(answer, Exception):
            raise answer
        return tuple(answer)

    async def check(self) -> str:
        return "there"

    async def close(self) -> None:
        """Nothing is held."""


def sweep(house: Any) -> int:
    return int(house.run(house.summaries.sweep()))


def parts(house: Any, turn: Any) -> dict[str, list[str]]:
    """What people read of a turn, by the parts of its summary."""

    def look(tx: Any) -> dict[str, list[str]]:
        case = case_of(tx, tx.turns.get(turn.id), turn.reasons, house.clock.now())
        return {part.name: [line.text for line in part.lines] for part in parts_of(case)}

    return dict(house.read(look))


def events(house: Any) -> list[str]:
    return [entry.event for entry in house.ledger if entry.event.startswith("summary.")]


def outcomes(house: Any) -> list[str]:
    return [event.outcome for event in house.emitted(SummaryTried)]


def test_its_lines_stand_above_what_is_stored_and_say_whose_they_are(build: Build) -> None:
    house = build(summariser=(model := Scripted()))
    turn = house.ask(ASKED)
    assert "short" not in parts(house, turn)
    assert sweep(house) == 1
    told = parts(house, turn)
    assert next(iter(told)) == "short"
    assert told["short"] == [*LINES, "Written by small-model, from what stands below. It may be wrong."]
    assert told["wanted"] == [ASKED]
    assert (sweep(house), len(model.asked)) == (0, 1)
    assert (events(house), outcomes(house)) == (["summary.asked", "summary.written"], ["written"])


def test_the_ledger_and_the_events_have_no_word_of_it(build: Build) -> None:
    house = build(summariser=Scripted())
    house.ask(ASKED)
    sweep(house)
    told = [entry.body for entry in house.ledger if entry.event.startswith("summary.")]
    assert "order 1042" not in " ".join(told)
    assert json.loads(told[-1])["by"] == "small-model"
    assert all("1042" not in repr(event) for event in house.emitted(SummaryTried))


def test_a_draft_on_hold_is_not_put_in_short(build: Build) -> None:
    house = build(summariser=(model := Scripted()), rules=rules(Level.ASSIST))
    house.ask("Where is my order?")
    assert (sweep(house), model.asked) == (0, [])


def test_it_is_shown_data_and_nothing_of_the_customers_past(build: Build) -> None:
    house = build(summariser=(model := Scripted()))
    house.ask(ASKED)
    sweep(house)
    shown = json.loads(model.asked[0].material)
    assert shown["wanted"] == [ASKED]
    assert shown["conversation"][0] | {"at": ""} == {"by": "customer", "at": "", "text": ASKED}
    assert "short" not in shown


def test_what_it_was_not_shown_is_not_shown_to_people(build: Build) -> None:
    made_up = ("Wants 250 EUR back for order 1042.",)
    house = build(summariser=(model := Scripted(made_up, made_up)))
    turn = house.ask(ASKED)
    assert [sweep(house), sweep(house), sweep(house)] == [1, 1, 0]
    assert "short" not in parts(house, turn)
    assert outcomes(house) == ["not_carried", "not_carried"]
    assert (events(house)[-1], len(model.asked)) == ("summary.failed", 2)


@pytest.mark.parametrize(
    ("broken", "code"),
    [
        (AgentUnavailable("no"), AgentUnavailable.code),
        (AgentAnsweredNonsense("no"), AgentAnsweredNonsense.code),
        (RuntimeError("no"), "failed: RuntimeError"),
        ((), "nonsense"),
        (("   ", "\n"), "nonsense"),
    ],
)
def test_what_goes_wrong_is_tried_once_more(build: Build, broken: Any, code: str) -> None:
    house = build(summariser=Scripted(broken))
    turn = house.ask(ASKED)
    assert [sweep(house), sweep(house), sweep(house)] == [1, 1, 0]
    assert outcomes(house) == [code, "written"]
    assert parts(house, turn)["short"][0] == LINES[0]


def test_it_has_only_so_long(build: Build) -> None:
    slow = [lambda _request: asyncio.sleep(60, LINES) for _ in range(2)]
    house = build(summariser=Scripted(*slow), summary_limits=SummaryLimits(deadline_s=0.05))
    house.ask(ASKED)
    assert [sweep(house), sweep(house), sweep(house)] == [1, 1, 0]
    assert outcomes(house) == ["timed_out", "timed_out"]


def test_beyond_its_budget_nothing_is_asked(build: Build) -> None:
    house = build(summariser=(model := Scripted()), summary_limits=SummaryLimits(per_hour_max=1))
    house.ask(ASKED)
    sweep(house)
    house.ask(ASKED, to="e-2")
    assert (sweep(house), len(model.asked)) == (0, 1)
    assert json.loads(next(e.body for e in house.ledger if e.event == "summary.failed"))["error"] == "over_budget"
    house.pass_time(3_601)
    house.ask(ASKED, to="e-3")
    assert (sweep(house), len(model.asked)) == (1, 2)


def test_whoever_dies_while_asking_is_followed_once(build: Build) -> None:
    def dies(_request: SummaryRequest) -> Any:
        raise asyncio.CancelledError

    house = build(summariser=(model := Scripted(dies, dies)))
    turn = house.ask(ASKED)
    for _ in range(2):
        with pytest.raises(asyncio.CancelledError):
            sweep(house)
        assert sweep(house) == 0  # its lease goes on
        house.pass_time(25)
    assert (sweep(house), len(model.asked)) == (0, 2)
    assert "short" not in parts(house, turn)
    assert events(house) == ["summary.asked", "summary.asked", "summary.failed"]


def test_what_came_late_to_another_worker_is_dropped(build: Build) -> None:
    """The first answers after its lease lapsed and another began."""

    async def overtaken() -> tuple[str, ...]:
        house.clock.advance(25)
        await house.summaries.sweep()
        return ("Too late.",)

    house = build(summariser=Scripted(lambda _request: overtaken(), LINES))
    turn = house.ask(ASKED)
    sweep(house)
    assert parts(house, turn)["short"][0] == LINES[0]
    assert outcomes(house) == ["written"]


def test_it_says_how_much_was_written_since(build: Build) -> None:
    house = build(summariser=(model := Scripted()))
    house.ask(ASKED)
    sweep(house)
    later = house.ask("Hello? It is urgent.")
    assert sweep(house) == 0
    assert parts(house, later)["short"][-1].endswith("The customer has written 1 more since.")
    assert len(model.asked) == 1


def test_a_customer_who_is_erased_meanwhile_leaves_nothing(build: Build) -> None:
    async def erased() -> tuple[str, ...]:
        await Erasing(house.store, house.clock).erase(contact, with_linked=False, by="lena")
        return LINES

    house = build(summariser=Scripted(lambda _request: erased()))
    turn = house.ask(ASKED)
    contact = house.read(lambda tx: tx.conversations.get(turn.conversation_id).contact_id)
    sweep(house)
    kept = house.read(lambda tx: [tx.artifacts.get(turn.id, kind) for kind in (ASKED_KIND, WRITTEN_KIND)])
    assert kept == [None, None]
    assert outcomes(house) == []


def test_a_rehearsal_is_shown_to_no_model(build: Build) -> None:
    house = build(summariser=(model := Scripted()))
    turn = house.ask(ASKED)

    def rehearse(tx: Any) -> None:
        tx.conversations.change(replace(tx.conversations.get(turn.conversation_id), mode=Mode.REHEARSAL))
        tx.ledger.append("conversation.mode", at=house.clock.now(), conversation_id=turn.conversation_id)

    house.store.write_now(rehearse)
    assert (sweep(house), model.asked) == (0, [])


def test_nobody_asks_about_what_is_long_since_read(build: Build) -> None:
    house = build(summariser=(model := Scripted()))
    house.ask(ASKED)
    house.pass_time(601)
    assert (sweep(house), model.asked) == (0, [])


class TestTickets:
    def test_a_ticket_waits_for_it(self, build: Build) -> None:
        house = build(summariser=Scripted(), opens=[Opens(system=(desk := ScriptedSystem()), assignee="grace")])
        house.ask(ASKED)
        house.run(house.tickets.sweep())
        assert desk.orders == []
        sweep(house)
        house.run(house.tickets.sweep())
        assert f"In a few words\n- {LINES[0]}" in desk.orders[0].text

    def test_but_not_for_long(self, build: Build) -> None:
        house = build(summariser=Scripted(), opens=[Opens(system=(desk := ScriptedSystem()), assignee="grace")])
        house.ask(ASKED)
        house.pass_time(40)
        house.run(house.tickets.sweep())
        assert "In a few words" not in desk.orders[0].text

    def test_nor_for_one_that_failed(self, build: Build) -> None:
        house = build(summariser=Scripted((), ()), opens=[Opens(system=(desk := ScriptedSystem()), assignee="grace")])
        house.ask(ASKED)
        sweep(house)
        sweep(house)
        house.run(house.tickets.sweep())
        assert len(desk.orders) == 1
