"""What systems of record say is read before the agent drafts, kept with the turn, and never guessed."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from datetime import timedelta
from types import ModuleType
from typing import Any

import pytest

from stage_plan import ON_EACH_STORE
from systems import ScriptedSystem, found, item
from understudy.ports.agent import DraftRequest
from understudy.ports.system import Untold
from understudy.ports.telemetry import BreakerChanged, SystemAsked
from understudy.records.codec import dump, load
from understudy.records.evidence import Draft, Evidence
from understudy.records.facts import Facts
from understudy.records.pulls import Envelope
from understudy.records.turn import TurnState
from understudy.testing.scripted import ScriptedAgent
from understudy.turn.facts import Consulted
from understudy.turn.replay import replay

Build = Callable[..., Any]
pytestmark = ON_EACH_STORE

ADA = item("c-7", name="Ada")
PARCEL = item("o-1", order="1042", status="shipped")


def known_system(**more: Any) -> ScriptedSystem:
    return ScriptedSystem(**{"contact": found(ADA), "orders": found(PARCEL), "tickets": found(), **more})


def says(text: str) -> ScriptedAgent:
    return ScriptedAgent(lambda _request: Draft(text=text, agent="echo", agent_version="v1"), name="echo")


def built(build: Build, system: ScriptedSystem, *, agent: ScriptedAgent | None = None, **plan: Any) -> Any:
    limits = {name: plan.pop(name) for name in ("fresh_s", "per_minute_max", "channels", "believes") if name in plan}
    more = {} if agent is None else {"agent": agent}
    return build(systems=[Consulted(system=system, deadline_s=0.2, **limits)], **more, **plan)


def evidence_of(house: Any, turn: Any) -> Evidence:
    text = house.read(lambda tx: tx.artifacts.get(turn.id, "evidence"))
    return load(Evidence, text)


def why(house: Any, turn: Any) -> dict[str, str | None]:
    return {one.about: one.unknown for one in evidence_of(house, turn).facts}


def ask(house: Any, text: str = "Where is my order?", *, address: str = "+4915112345678", **fields: Any) -> Any:
    return house.ask(text, address=address, **fields)


def test_facts_are_read_before_the_agent_is_asked_and_it_is_told(build: Build) -> None:
    requests: list[DraftRequest] = []

    def answer(request: DraftRequest) -> Draft:
        requests.append(request)
        return Draft(text="Your order 1042 has shipped.", agent="echo", agent_version="v1")

    system = known_system()
    house = built(build, system, agent=ScriptedAgent(answer, name="echo"))
    turn = ask(house)
    assert [about for about, _ in system.asked] == ["contact", "orders", "tickets"]
    assert system.asked[0][1].phones == ("+4915112345678",)
    assert system.asked[1][1].contact_id == "c-7"
    assert [(one.about, [i.values for i in one.items]) for one in requests[0].facts][1] == (
        "orders",
        [{"order": "1042", "status": "shipped"}],
    )
    assert turn.state is TurnState.ANSWERED, "a fact carries what the draft states"
    assert why(house, turn) == {"contact": None, "orders": None, "tickets": None}


def test_what_was_read_is_kept_and_the_decision_replays_without_asking(build: Build) -> None:
    system = known_system()
    house = built(build, system, agent=says("Your order 1042 has shipped."))
    turn = ask(house)
    system.says["orders"] = found()
    recorded, again = house.read(lambda tx: replay(tx, turn.id))
    assert dump(recorded) == dump(again)
    assert len(system.asked) == 3
    entry = next(entry for entry in house.ledger if entry.event == "facts.read")
    assert entry.turn_id == turn.id
    assert [line[:3] for line in json.loads(entry.body)["read"]] == [
        ["desk", "contact", "known"], ["desk", "orders", "known"], ["desk", "tickets", "known"],
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        (Untold(why="unreachable", says="it answered 500"), "unreachable"),
        (Untold(why="changed", says="nothing at $.item.Status"), "changed"),
        (RuntimeError("broken"), "nonsense"),
        ("no form", "nonsense"),
    ],
)
def test_a_draft_that_states_what_only_an_unknown_fact_could_carry_never_passes(
    build: Build, said: Any, reason: str
) -> None:
    house = built(build, known_system(orders=said), agent=says("Your order has shipped."))
    turn = ask(house)
    assert why(house, turn) == {"contact": None, "orders": reason, "tickets": None}
    assert turn.state is TurnState.HELD
    assert "grounding.unknown_fact" in turn.findings


@pytest.mark.parametrize(
    "text",
    [
        "I can't see your orders right now, so a colleague will look into it.",
        "Could you tell me your order number?",
        "Thank you for writing to us.",
        "You have no open tickets.",
    ],
)
def test_a_draft_that_states_none_of_it_passes(build: Build, text: str) -> None:
    house = built(build, known_system(orders=Untold(why="timed_out", says="slow")), agent=says(text))
    assert ask(house).state is TurnState.ANSWERED


def test_a_number_that_nothing_carries_may_be_what_is_unknown(build: Build) -> None:
    house = built(
        build, known_system(orders=Untold(why="timed_out", says="slow")), agent=says("It arrives on 2026-05-09.")
    )
    turn = ask(house)
    assert turn.state is TurnState.HELD
    assert "grounding.unknown_fact" in turn.findings


def test_a_system_that_hangs_is_left_after_its_time(build: Build) -> None:
    system = known_system()
    house = built(build, system)
    system.gate = asyncio.Event()
    turn = ask(house)
    assert why(house, turn) == {"contact": "timed_out", "orders": "timed_out", "tickets": "timed_out"}
    assert turn.state is TurnState.ANSWERED, "the customer is answered all the same"


def test_a_system_that_fails_again_and_again_is_left_alone_and_tried_again(build: Build) -> None:
    system = ScriptedSystem(contact=Untold(why="unreachable", says="500"))
    house = built(build, system)
    for number in range(7):
        ask(house, to=f"e-{number}")
    assert len(system.asked) == 5
    assert [event.state for event in house.emitted(BreakerChanged)] == ["open"]
    assert house.emitted(BreakerChanged)[0].agent == "systems.desk"
    house.clock.advance(31)
    system.says["contact"] = found(ADA)
    turn = ask(house, to="e-9")
    assert why(house, turn) == {"contact": None}
    assert [event.outcome for event in house.emitted(SystemAsked)] == ["unreachable"] * 5 + ["known"]


def test_a_system_is_asked_as_often_as_it_may_be(build: Build) -> None:
    system = ScriptedSystem(contact=found(ADA))
    house = built(build, system, per_minute_max=2)
    turns = [ask(house, to=f"e-{number}") for number in range(3)]
    assert [why(house, turn)["contact"] for turn in turns] == [None, None, "rate_limited"]
    house.clock.advance(61)
    assert why(house, ask(house, to="e-9")) == {"contact": None}


def test_a_system_that_asks_to_be_left_alone_is(build: Build) -> None:
    system = ScriptedSystem(contact=Untold(why="rate_limited", says="429", after_s=20))
    house = built(build, system)
    turns = [ask(house, to=f"e-{number}") for number in range(2)]
    assert [why(house, turn)["contact"] for turn in turns] == ["rate_limited"] * 2
    assert len(system.asked) == 1


# --- who is asked about


def test_nothing_is_read_of_who_is_not_vouched_for(build: Build) -> None:
    system = known_system()
    house = built(build, system, agent=says("Your order has shipped."), proof="none")
    turn = ask(house, contact_email="ada@example.com")
    assert system.asked == []
    assert why(house, turn) == dict.fromkeys(("contact", "orders", "tickets"), "not_verified")
    assert turn.state is TurnState.HELD


def test_an_address_that_a_customer_merely_told_proves_nothing(build: Build) -> None:
    system = known_system()
    house = built(build, system)
    ask(house, address="u-77", contact_email="victim@example.com", contact_phone="+4915199999999")
    assert system.asked == []


def test_a_channel_that_is_believed_vouches_for_what_it_tells(build: Build) -> None:
    system = known_system()
    house = built(build, system, believes=frozenset({"test"}), proof="address")
    channel = house.channel.name
    house.flow._facts._consulted = tuple(
        Consulted(system=system, believes=frozenset({channel})) for _ in house.flow._facts._consulted
    )
    ask(house, address="u-77", contact_email="ada@example.com")
    assert system.asked[0][1].emails == ("ada@example.com",)


@pytest.mark.parametrize(("is_proven", "asked"), [(True, 3), (False, 0)])
def test_a_letter_is_its_senders_where_somebody_vouches_for_it(build: Build, is_proven: bool, asked: int) -> None:
    system = known_system()
    house = built(build, system, proof="letter")
    envelope = Envelope(chain=("<m@x>",), subject="Order", is_proven=is_proven)
    turn = ask(house, address="ada@example.com", envelope=envelope)
    assert len(system.asked) == asked
    if not is_proven:
        assert set(why(house, turn).values()) == {"not_verified"}


def test_a_letter_without_proof_in_a_proven_thread_takes_the_facts_away(build: Build) -> None:
    system = known_system()
    house = built(build, system, proof="letter")
    first = Envelope(chain=("<m1@x>",), subject="Order", is_proven=True)
    ask(house, address="ada@example.com", envelope=first)
    second = Envelope(chain=("<m1@x>", "<m2@x>"), subject="Re: Order", is_proven=False)
    turn = ask(house, "And where is it now?", address="ada@example.com", envelope=second)
    assert set(why(house, turn).values()) == {"not_verified"}
    assert len(system.asked) == 3


def test_several_people_with_one_address_are_nobody_in_particular(build: Build) -> None:
    system = known_system(contact=found(ADA, item("c-8", name="Bob")))
    house = built(build, system, agent=says("Your order has shipped."))
    turn = ask(house)
    assert why(house, turn) == {"contact": "ambiguous", "orders": "ambiguous", "tickets": "ambiguous"}
    assert [about for about, _ in system.asked] == ["contact"]
    assert turn.state is TurnState.HELD


def test_nobody_known_is_an_answer_and_their_orders_are_unknown(build: Build) -> None:
    house = built(build, known_system(contact=found()))
    assert why(house, ask(house)) == {"contact": None, "orders": "no_contact", "tickets": "no_contact"}


def test_customers_of_other_channels_are_not_looked_up(build: Build) -> None:
    system = known_system()
    house = built(build, system, channels=frozenset({"elsewhere"}))
    turn = ask(house)
    assert system.asked == []
    assert evidence_of(house, turn).facts == ()


# --- freshness and crashes


def test_what_was_read_too_long_ago_is_unknown(build: Build, staging: ModuleType) -> None:
    at = staging.Plan.__dataclass_fields__["clock"].default_factory().now()
    facts = Facts(system="desk", about="orders", taken_at=at, fresh_until=at + timedelta(seconds=60), items=(PARCEL,))
    assert facts.unknown_at(at + timedelta(seconds=60)) is None
    assert facts.unknown_at(at + timedelta(seconds=61)) == "stale"


def test_an_answer_as_of_long_ago_is_stale_from_the_start(build: Build) -> None:
    system = known_system()
    house = built(build, system, agent=says("Your order has shipped."), fresh_s=60)
    system.says["orders"] = found(PARCEL, as_of=house.clock.now() - timedelta(hours=2))
    turn = ask(house)
    assert why(house, turn)["orders"] == "stale"
    assert turn.state is TurnState.HELD


def test_facts_that_went_stale_while_the_agent_took_its_time_carry_nothing(build: Build) -> None:
    system = known_system()
    holder: list[Any] = []

    def slow(_request: DraftRequest) -> Draft:
        holder[0].clock.advance(20)
        return Draft(text="Your order 1042 has shipped.", agent="echo", agent_version="v1")

    house = built(build, system, agent=ScriptedAgent(slow, name="echo"), fresh_s=10)
    holder.append(house)
    turn = ask(house)
    assert turn.state is TurnState.HELD
    assert "grounding.unknown_fact" in turn.findings


def test_a_turn_that_was_cut_off_while_reading_is_read_again(build: Build) -> None:
    system = known_system()
    house = built(build, system)
    system.gate = asyncio.Event()
    received = house.receive("Where is it?", address="+4915112345678")
    house.start(house.flow.advance(house.conversation().id))
    assert len(system.asked) == 1
    system.gate = None
    again = house.restarted()
    again.run(again.flow.release_leases())
    again.sweep()
    turn = again.turn(received.turn_id)
    assert why(again, turn) == {"contact": None, "orders": None, "tickets": None}


def test_card_numbers_in_a_system_are_masked_before_they_are_kept(build: Build) -> None:
    system = known_system(orders=found(item("o-1", note="paid with 4111 1111 1111 1111")))
    house = built(build, system)
    turn = ask(house)
    assert "4111" not in dump(evidence_of(house, turn))
