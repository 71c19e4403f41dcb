"""The demo with somebody who watches and takes a hand in it: the story waits for them, and goes on as they leave it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx2
import pytest

from understudy.client.client import AsyncClient
from understudy.demo import run
from understudy.demo.earning import CHANNEL, TOPIC, Earning, Moment
from understudy.demo.visitor import VISITOR, Point, looking

LOOK_S = 1.0
WITHIN_S = 120.0


async def until(holds: Callable[[], Awaitable[Any]]) -> None:
    async with asyncio.timeout(WITHIN_S):
        while not await holds():  # noqa: ASYNC110 - it is another part of the program that one waits for
            await asyncio.sleep(0.05)


async def watch(folder: Path) -> tuple[list[Moment], list[int], str]:
    """Play the second act; whoever watches stops everything, resumes, and confirms the promotion before the lead does.
    Returns how the slice stood, how many drafts there were before and after a while of being stopped, and who promoted."""
    said: list[int] = []
    async with run.serving(folder, port=0) as running, httpx2.AsyncClient(base_url=running.url, timeout=30) as http:
        visitor = {"Authorization": f"Bearer {running.visitor_key}"}
        agent = AsyncClient(running.url, running.agent_key)
        reviewers = {name: AsyncClient(running.url, key) for name, key in running.reviewer_keys.items()}

        async def of_topic() -> Any:
            slices = (await http.get("/v1/autonomy", headers=visitor)).json()["slices"]
            return next((one for one in slices if (one["topic"], one["channel"]) == (TOPIC, CHANNEL)), None)

        async def is_begun() -> bool:
            return len(said) >= 3

        async def is_proposed() -> bool:
            found = await of_topic()
            return found is not None and found["proposal"] is not None

        has_confirmed = asyncio.Event()

        async def look(point: Point, is_over: Callable[[], Awaitable[bool]]) -> None:
            if point == "proposed":
                async with asyncio.timeout(WITHIN_S):
                    await has_confirmed.wait()
            await looking(LOOK_S)(point, is_over)

        earning = Earning(http, agent, reviewers, running.lead_key, said=said.append, look=look)
        act = asyncio.ensure_future(earning.play())
        try:
            await until(is_begun)
            await http.post("/v1/autonomy/hold", json={}, headers=visitor)
            await asyncio.sleep(2)
            stopped = len(said)
            await asyncio.sleep(2)
            counts = [stopped, len(said)]
            await http.post("/v1/autonomy/resume", json={}, headers=visitor)
            await until(is_proposed)
            body = {"topic": TOPIC, "channel": CHANNEL, "threshold": (await of_topic())["proposal"]["threshold"]}
            (await http.post("/v1/autonomy/confirm", json=body, headers=visitor)).raise_for_status()
            has_confirmed.set()
            moments = await act
            query = f"/v1/autonomy/slice?topic={TOPIC}&channel={CHANNEL}"
            moves = (await http.get(query, headers=visitor)).json()["moves"]
        finally:
            act.cancel()
            for client in (agent, *reviewers.values()):
                await client.close()
    return moments, counts, next(one["by"] for one in moves if one["what"] == "promoted")


def test_the_story_waits_for_whoever_stops_it_and_takes_their_word(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "configure_telemetry", lambda settings: None)
    moments, counts, promoted_by = asyncio.run(watch(tmp_path))
    assert counts[0] == counts[1], "while everything is stopped no draft comes"
    assert promoted_by == VISITOR
    assert [moment.level for moment in moments][1:] == ["probation", "probation", "demoted"]
