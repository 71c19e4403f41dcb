"""The fake system of record against the product's own way to ask one, for every shipped description and the bundled one."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from systems import CREDENTIALS, VALUES
from understudy.adapters.systems.presets import PRESETS, shape_of
from understudy.chaos.hosts import real_hosts
from understudy.chaos.running import bundled_settings
from understudy.chaos.stage import opened
from understudy.ports.system import Found
from understudy.records.facts import ABOUT
from understudy.records.outbox import Accepted
from understudy.records.systems import Known, Order, SystemShape
from understudy.settings.model import Settings
from understudy.settings.systems import System as SystemSettings
from understudy.systems import build_system, shape_of_system
from understudy.testing.scripted import FrozenClock
from understudy.testing.system_of_record import SystemOfRecord, in_place

BEA = Known(emails=("bea@example.org",), phones=("+4915199887766",), contact_id="7")
LOOK_UPS = [(name, about) for name in PRESETS for about in ABOUT if shape_of(name).consults(about) is not None]


async def asked(shape: SystemShape, values: dict[str, str], do: Any) -> Any:
    async with SystemOfRecord(shape) as fake:
        moved = SystemSettings.model_validate({**in_place(shape, fake.url), "values": {**shape.values, **values}})
        system = build_system("desk", moved, FrozenClock())
        try:
            return await do(system), fake
        finally:
            await system.close()


@pytest.mark.parametrize(("preset", "about"), LOOK_UPS)
def test_every_shipped_look_up_is_answered_for_whoever_asks(preset: str, about: Any) -> None:
    values = {**VALUES[preset], **CREDENTIALS[preset], "base_url": "https://elsewhere.example"}
    told, _ = asyncio.run(asked(shape_of(preset), values, lambda one: one.look_up(about, BEA, deadline_s=5)))
    assert isinstance(told, Found), told
    assert told.items, "the sample's thing is this customer's"
    if about == "contact":
        assert told.items[0].values["email"] == "bea@example.org"


def test_a_ticket_is_opened_once_for_a_key_and_a_strange_request_is_refused() -> None:
    shape = shape_of_system(bundled_settings().systems["shop"])
    order = Order(what="create", key="tk-1", subject="Hand-off [tk-1]", text="Where is it?")

    async def twice(system: Any) -> Any:
        first, again = await system.write(order), await system.write(order)
        other = await system.write(replace(order, key="tk-2"))
        return first, again, other

    (first, again, other), fake = asyncio.run(asked(shape, {"base_url": "http://x"}, twice))
    assert first == again == Accepted(provider_id="1")
    assert other == Accepted(provider_id="2")
    assert (fake.written, fake.repeated) == ({"tk-1": "1", "tk-2": "2"}, 1)


def settings(**systems: Any) -> Settings:
    channels = {"desk": {"kind": "webhook", "url": "http://desk.fault.test", "secrets": ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"]}}  # fmt: skip
    return Settings.model_validate({"channels": channels, "systems": systems})


def test_a_stage_puts_fakes_in_the_place_of_systems_and_names_what_it_cannot_play(tmp_path: Path) -> None:
    given = settings(
        crm={"preset": "salesforce", "values": {"base_url": "https://acme.my.salesforce.com", "client_id": "app"}, "credentials": {"client_secret": "s"}, "hand_offs": True, "fresh_s": 17},
        desk={"preset": "zendesk", "values": {"subdomain": "acme", "agent": "a@b.c"}, "credentials": {"api_token": "t"}, "hand_offs": True},
        own={"tickets": {"ask": [{"url": "https://own.shop-of-ours.com/t?e={email}"}], "answered": "@.body", "items": "$.body[*]", "id": "$.item.id"}},
    )  # fmt: skip
    assert set(real_hosts(given)) == {"systems.crm", "systems.desk", "systems.own"}

    async def built() -> Any:
        async with opened(given, tmp_path, seed=1) as stage:
            found = {}
            for name, one in stage.settings.systems.items():
                system = build_system(name, one, FrozenClock())
                found[name] = await system.look_up("contact", BEA, deadline_s=5)
                await system.close()
            return stage, found

    stage, found = asyncio.run(built())
    assert all(isinstance(told, Found) and told.items for told in found.values()), found
    assert {"systems.crm", "systems.desk"} <= set(stage.dependencies)
    assert set(stage.left_out) == {"systems.desk (tickets)", "systems.own"}
    crm, desk = stage.settings.systems["crm"], stage.settings.systems["desk"]
    assert (crm.hand_offs, desk.hand_offs, crm.fresh_s) == (True, False, 17), "tickets only where keys are honoured"
    assert "salesforce.com" not in crm.model_dump_json(exclude={"values"})
