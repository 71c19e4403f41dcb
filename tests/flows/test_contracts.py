"""A system that answers otherwise than before is noticed, named once, and remembered over restarts and between processes."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Response

from stage_plan import ON_EACH_STORE
from systems import own
from understudy.ports.system import Found, Untold
from understudy.ports.telemetry import SystemDrifted
from understudy.records.shape import places
from understudy.records.systems import Known
from understudy.testing.scripted import FrozenClock
from understudy.upkeep.contracts import SEEN_MIN, Contracts

Build = Callable[..., Any]
pytestmark = ON_EACH_STORE


def order(**more: Any) -> dict[str, Any]:
    return {"orders": [{"id": "1042", "status": "shipped", "total": 4.5, **more}]}


def watch(house: Any) -> Contracts:
    contracts = Contracts(house.clock, house)
    house.run(contracts.keep(house.store))
    return contracts


def answer(contracts: Contracts, document: Any, times: int = 1) -> None:
    for _ in range(times):
        contracts.answered("shop", "orders", document)


def told(house: Any) -> list[tuple[str, str]]:
    return [(event.kind, event.path) for event in house.emitted(SystemDrifted)]


def drifted(house: Any) -> list[Any]:
    return [json.loads(entry.body) for entry in house.ledger if entry.event == "system.drifted"]


def test_a_field_that_is_gone_or_new_or_of_another_type_is_named_once(build: Build) -> None:
    house = build()
    contracts = watch(house)
    answer(contracts, order(), SEEN_MIN)
    assert told(house) == []
    changed = order(total="4.50", currency="EUR")
    del changed["orders"][0]["status"]
    answer(contracts, changed, 3)
    assert told(house) == [
        ("new", "$.orders[*].currency"), ("missing", "$.orders[*].status"), ("type", "$.orders[*].total"),
    ]  # fmt: skip
    assert house.run(contracts.keep(house.store)) == 1
    (body,) = drifted(house)
    assert (body["system"], body["about"]) == ("shop", "orders")
    assert "$.orders[*].status is missing; it was string" in body["changes"]
    assert house.run(contracts.keep(house.store)) == 0


def test_a_code_that_was_never_there_is_noticed(build: Build) -> None:
    house = build()
    contracts = watch(house)
    answer(contracts, order(), 30)
    answer(contracts, order(status="lost"))
    assert told(house) == [("enumeration", "$.orders[*].status")]


def test_few_answers_say_nothing_yet(build: Build) -> None:
    house = build()
    contracts = watch(house)
    answer(contracts, order(), SEEN_MIN - 2)
    answer(contracts, {"orders": []})
    answer(contracts, {"error": "gone"})
    assert told(house) == []


def test_what_was_seen_is_remembered_and_shared(build: Build) -> None:
    house = build()
    one, other = watch(house), watch(house)
    answer(one, order(), SEEN_MIN // 2)
    answer(other, order(), SEEN_MIN // 2)
    house.run(one.keep(house.store))
    house.run(other.keep(house.store))
    answer(other, {"orders": [{"id": "1"}]})
    assert ("missing", "$.orders[*].status") in told(house)
    (kept,) = house.read(lambda tx: tx.contracts.all())
    assert kept.shape.seen == SEEN_MIN
    again = watch(house)
    answer(again, order(status=7))
    assert ("type", "$.orders[*].status") in told(house)


def test_no_value_of_a_customer_is_kept(build: Build) -> None:
    house = build()
    contracts = watch(house)
    for number in range(40):
        answer(contracts, order(name=f"Ada {number}", mail=f"ada{number}@example.com", id=f"{number}"))
    house.run(contracts.keep(house.store))
    (kept,) = house.read(lambda tx: tx.contracts.all())
    assert {place.path for place in places(kept.shape)} >= {"$.orders[*].mail"}
    assert "Ada" not in repr(kept)
    assert "example.com" not in repr(kept)


def test_whatever_comes_breaks_nothing(build: Build) -> None:
    house = build()
    contracts = watch(house)
    deep: Any = []
    for _ in range(5_000):
        deep = [deep]
    for document in (None, [], "x", 1.5, {"a": {1: 2}}, deep, {"a": object()}):
        answer(contracts, document)
    house.run(contracts.keep(house.store))


@pytest.mark.parametrize("times", [SEEN_MIN + 1])
def test_a_look_up_whose_needed_path_is_gone_is_unknown_and_the_drift_is_named(
    build: Build, httpserver: HTTPServer, times: int
) -> None:
    house = build()
    contracts = watch(house)
    shape = {
        "orders": {
            "ask": [{"url": "{base_url}/orders?email={email}"}], "answered": "@.body.orders", "items": "$.body.orders[*]",
            "id": "$.item.id", "fields": {"status": "$.item.status"}, "needed": ["status"],
        }
    }  # fmt: skip
    state = order()
    httpserver.expect_request("/orders").respond_with_handler(lambda _: Response(json.dumps(state)))
    system = own(httpserver.url_for("").rstrip("/"), shape, clock=FrozenClock())
    system._witness = contracts.answered
    system.name = "shop"
    ask = Known(emails=("ada@example.com",))
    for _ in range(times):
        assert isinstance(house.run(system.look_up("orders", ask, deadline_s=5)), Found)
    state["orders"][0]["state"] = state["orders"][0].pop("status")
    gone = house.run(system.look_up("orders", ask, deadline_s=5))
    assert isinstance(gone, Untold)
    assert (gone.why, "$.item.status" in gone.says) == ("changed", True)
    assert told(house) == [("new", "$.orders[*].state"), ("missing", "$.orders[*].status")]
    house.run(system.close())
