"""A model puts a hand-off in a few lines: once, above what is stored, never instead of it; and what goes wrong with it holds up nothing."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from stage_plan import ON_EACH_STORE, rules
from summarising import ASKED, LINES, Scripted, events, outcomes, parts, sweep, sweeps
from systems import ScriptedSystem
from understudy.assessment.in_short import material_of
from understudy.contacts.erasing import Erasing
from understudy.effects.handing_off import give_to_person
from understudy.effects.holds import close_hold
from understudy.effects.identity import link_contacts
from understudy.errors import AgentAnsweredNonsense, AgentUnavailable
from understudy.ports.summariser import SummaryRequest
from understudy.ports.telemetry import SummaryTried
from understudy.records.conversation import Mode
from understudy.records.identity import LinkCause
from understudy.records.review import HoldState
from understudy.records.rulebook import Level
from understudy.records.summary import SummaryState
from understudy.summaries.flow import SummaryLimits
from understudy.tickets.flow import Opens
from understudy.web import views
from understudy.web.views import summary_of

Build = Callable[..., Any]
pytestmark = ON_EACH_STORE


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


def link_as_proven(tx: Any, clock: Any, one: str, two: str) -> None:
    """Two contacts that were proven to have the same handle."""
    link = link_contacts(tx, clock, one, two, by="lena")
    tx.identities.put_link(replace(link, cause=LinkCause.HANDLE))


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
    assert sweeps(house, 3) == [1, 1, 0]
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
    assert sweeps(house, 3) == [1, 1, 0]
    assert outcomes(house) == [code, "written"]
    assert parts(house, turn)["short"][0] == LINES[0]


def test_it_has_only_so_long(build: Build) -> None:
    slow = [lambda _request: asyncio.sleep(60, LINES) for _ in range(2)]
    house = build(summariser=Scripted(*slow), summary_limits=SummaryLimits(deadline_s=0.05))
    house.ask(ASKED)
    assert sweeps(house, 3) == [1, 1, 0]
    assert outcomes(house) == ["timed_out", "timed_out"]


def test_beyond_its_budget_nothing_is_asked(build: Build) -> None:
    house = build(summariser=(model := Scripted()), summary_limits=SummaryLimits(per_hour_max=1))
    house.ask(ASKED)
    sweep(house)
    house.ask(ASKED, to="e-2")
    assert (sweep(house), len(model.asked)) == (0, 1)
    assert outcomes(house) == ["written", "over_budget"]
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
    assert house.read(lambda tx: tx.summaries.latest_of(turn.conversation_id)) is None
    assert outcomes(house) == []


def test_a_later_hand_off_of_the_same_turn_is_put_in_short_anew(build: Build) -> None:
    """Somebody answered, and the channel says later that it did not arrive."""
    house = build(summariser=(model := Scripted(LINES, ("It did not arrive.",))))
    turn = house.ask(ASKED)
    first = house.open_holds[0]
    sweep(house)

    def again(tx: Any) -> Any:
        close_hold(tx, house.clock, tx.holds.get(first.id), HoldState.DECIDED, actor="lena")
        lost = tx.turns.get(turn.id)
        return give_to_person(tx, house.clock, lost, reasons=("not_delivered",), priority=1, expires_after_s=None)

    second = house.store.write_now(again)
    assert second.id != first.id
    assert "short" not in parts(house, turn, second.id)
    assert sweep(house) == 1
    assert parts(house, turn, second.id)["short"][0] == "It did not arrive."
    assert parts(house, turn, first.id)["short"][0] == LINES[0]
    assert len(model.asked) == 2


def test_once_somebody_answered_nobody_reads_the_lines_of_before(build: Build) -> None:
    house = build(summariser=Scripted())
    turn = house.ask(ASKED)
    sweep(house)
    house.run(house.conversations.take_over(turn.conversation_id, reviewer="lena"))
    assert parts(house, turn)["short"][0] == LINES[0]
    house.run(house.conversations.say(turn.conversation_id, "I look into it.", reviewer="lena"))
    house.settle()
    assert "short" not in parts(house, turn)


def test_what_was_promised_to_a_linked_contact_is_not_shown_to_the_model(build: Build) -> None:
    house = build(summariser=(model := Scripted()))
    other = house.ask("Where is my lid?", to="e-2")
    mine = house.ask(ASKED)
    one, two = (
        house.read(lambda tx, turn=turn: tx.conversations.get(turn.conversation_id).contact_id)
        for turn in (mine, other)
    )
    house.store.write_now(lambda tx: link_as_proven(tx, house.clock, one, two))
    for turn, words in ((other, "send a lid"), (mine, "call you")):
        house.run(house.pledges.add(turn.conversation_id, words, by="lena"))
    assert len(parts(house, mine)["owed"]) == 2
    sweep(house)
    shown = next(one.material for one in model.asked if ASKED in one.material)
    assert "call you" in shown
    assert "send a lid" not in shown


def test_a_model_that_says_how_long_to_wait_is_asked_then(build: Build) -> None:
    house = build(summariser=(model := Scripted(AgentUnavailable("busy", retry_after_s=9))))
    house.ask(ASKED)
    sweep(house)
    house.clock.advance(8)
    assert (sweep(house), len(model.asked)) == (0, 1)
    house.clock.advance(1)
    assert (sweep(house), len(model.asked)) == (1, 2)


def test_who_answers_after_it_was_given_up_changes_nothing(build: Build) -> None:
    async def late() -> tuple[str, ...]:
        house.clock.advance(25)
        await house.summaries.sweep()  # it was asked for twice, so it is given up
        return LINES

    house = build(summariser=Scripted((), lambda _request: late()))
    turn = house.ask(ASKED)
    sweeps(house, 2)
    assert house.read(lambda tx: tx.summaries.latest_of(turn.conversation_id)).state is SummaryState.FAILED
    assert events(house)[-1] == "summary.failed"
    assert outcomes(house) == ["nonsense", "interrupted"]


def test_a_customer_who_is_erased_afterwards_takes_it_with_them(build: Build) -> None:
    house = build(summariser=Scripted())
    turn = house.ask(ASKED)
    sweep(house)
    contact = house.read(lambda tx: tx.conversations.get(turn.conversation_id).contact_id)
    house.run(Erasing(house.store, house.clock).erase(contact, with_linked=False, by="lena"))
    assert house.read(lambda tx: tx.summaries.latest_of(turn.conversation_id)) is None


def test_whoever_may_review_its_turn_blindly_reads_none_of_it_beside_a_later_one(
    build: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = build(summariser=Scripted())
    first = house.ask(ASKED)
    sweep(house)
    later = house.ask("Hello? It is urgent.")

    def names() -> list[str]:
        read = partial(summary_of, turn=later, reasons=later.reasons, at=house.clock.now(), reader=None)
        return [part.name for part in house.read(read)]

    monkeypatch.setattr(views, "cap_for", lambda _tx, _reader, cap: cap)
    monkeypatch.setattr(views, "second_of_turn", lambda _tx, _reader, _turn_id: None)
    assert names()[0] == "short"
    monkeypatch.setattr(views, "second_of_turn", lambda _tx, _reader, turn_id: "it" if turn_id == first.id else None)
    assert names()[0] == "wanted"


def test_a_rehearsal_is_shown_to_no_model(build: Build) -> None:
    house = build(summariser=(model := Scripted()))
    turn = house.ask(ASKED)

    def rehearse(tx: Any) -> None:
        tx.conversations.change(replace(tx.conversations.get(turn.conversation_id), mode=Mode.REHEARSAL))
        tx.ledger.append("conversation.mode", at=house.clock.now(), conversation_id=turn.conversation_id)

    house.store.write_now(rehearse)
    assert (sweep(house), model.asked) == (0, [])


def test_what_cannot_be_read_holds_up_no_other(build: Build, monkeypatch: pytest.MonkeyPatch) -> None:
    house = build(summariser=(model := Scripted()))
    broken, other = house.ask(ASKED), house.ask(ASKED, to="another")

    def material(case: Any) -> str:
        if case.messages[-1].conversation_id == broken.conversation_id:
            raise ValueError("no such thing")
        return material_of(case)

    monkeypatch.setattr("understudy.summaries.flow.material_of", material)
    assert sweep(house) == 1
    assert "short" in parts(house, other)
    assert "short" not in parts(house, broken)
    assert (sweep(house), len(model.asked)) == (0, 1)
    assert sorted(events(house)) == ["summary.asked", "summary.failed", "summary.written"]
    assert sorted(outcomes(house)) == ["failed: ValueError", "written"]


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
        sweeps(house, 2)
        house.run(house.tickets.sweep())
        assert len(desk.orders) == 1
