"""Trials that a server makes keep the limits of the agent that plays their customers, and let customers of flesh go first."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from understudy.adapters.dispatch.embedded import EmbeddedDispatcher
from understudy.adapters.stores.sql_store import SqlStore
from understudy.adapters.system_clock import SystemClock
from understudy.adapters.telemetry.fan_out import FanOut
from understudy.connections import build_agent
from understudy.databases import open_store
from understudy.ports.calls import CallLimits
from understudy.records.spread import RunState
from understudy.releasing import versions_of
from understudy.settings.model import Settings
from understudy.spreading import spreading
from understudy.turn.places import Places, Waiting

AGENTS = """
import asyncio
most = under_way = 0

async def answer(request):
    return "fine"

async def ask(request):
    global most, under_way
    under_way += 1
    most = max(most, under_way)
    await asyncio.sleep(0.01)
    under_way -= 1
    return "Hello?"
"""
CASE = "id: c{n}\nkind: conversation\ncustomer: {{goal: a kettle, played_by: buyer, turns_max: 1}}\ngraders: [{{regex: fine}}]\n"
SETTINGS = Settings.model_validate(
    {
        "agents": {
            "shop": {"kind": "python", "target": "both:answer"},
            "buyer": {"kind": "python", "target": "both:ask"},
        },
        "drafting": {"agent": "shop"},
    }
)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "suites" / "talk").mkdir(parents=True)
    (tmp_path / "both.py").write_text(AGENTS)
    for number in range(6):
        (tmp_path / "suites" / "talk" / f"c{number}.yaml").write_text(CASE.format(n=number))
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path


@pytest.fixture
def store(folder: Path) -> Iterator[SqlStore]:
    opened = open_store(SETTINGS, folder)
    yield opened
    opened.close_now()


def test_who_plays_customers_is_asked_within_its_limit_and_behind_real_ones(folder: Path, store: SqlStore) -> None:
    async def story() -> None:
        clock, told = SystemClock(), FanOut([])
        agents = {name: build_agent(name, one, folder) for name, one in SETTINGS.agents.items()}
        versions = versions_of(SETTINGS, folder, clock, agents)
        places = Places(store, clock, {"buyer": CallLimits(at_once_max=1, per_minute_max=None)})
        dispatcher = EmbeddedDispatcher(clock, told)
        built = spreading(SETTINGS, folder, store, clock, told, versions, places, dispatcher, works=True)
        run = await built["asking"].run("talk", versions.stated["shop"].id, trials=1, by="Ines")
        real = Waiting(since=datetime.now(UTC), s_max=30, is_wanted=lambda tx: True)
        order: list[str] = []

        async def customer() -> None:
            async with places.place("buyer", real):
                order.append(f"customer after {len(await trials())}")

        async def trials() -> list[object]:
            return list(await store.read(lambda tx: tx.runs.trials(run.id)))

        async with places.place("buyer", real):
            await built["spread"].sweep()
            await asyncio.sleep(0.3)  # all trials stand in line by now
            waiting = asyncio.ensure_future(customer())
            await asyncio.sleep(0.1)
        await waiting
        await built["spread"].settled()
        assert order == ["customer after 0"]
        found = await built["asking"].progress(run.id)
        assert (found.state, found.done, found.errors) == (RunState.ENDED, 6, 0)
        await built["spread"].stop()

    asyncio.run(story())
    import both  # type: ignore[import-not-found]

    assert both.most == 1
