"""The demo's help desk: simulated reviewers who work through the queue over the HTTP API, like the real ones."""

from __future__ import annotations

import asyncio
from collections import Counter

from understudy.client.client import AsyncClient
from understudy.client.errors import ApiError
from understudy.client.models import HoldDetail
from understudy.demo.reviewers import Planned, judge

IDLE_S = 0.1
THINK_S_MIN = 0.4
"""Nobody decides quicker, however fast the story is played: long enough for a customer to write again meanwhile."""
LOST_RACES = ("hold-closed", "stale-version", "claimed-by-other")
"""Answers that mean: the world moved on while this reviewer was thinking. Nothing was sent."""


class Desk:
    """Decides on every hold until cancelled. `pace` stretches the time reviewers think."""

    def __init__(self, clients: dict[str, AsyncClient], *, pace: float) -> None:
        self._clients = clients
        self._pace = pace
        self.verdicts: Counter[str] = Counter()
        self.lost_races: Counter[str] = Counter()

    async def work(self) -> None:
        """Let every reviewer work at once, each on the holds that fall to them."""
        async with asyncio.TaskGroup() as group:
            for reviewer, client in self._clients.items():
                group.create_task(self._review(reviewer, client))

    async def _review(self, reviewer: str, client: AsyncClient) -> None:
        while True:
            found = False
            async for hold in client.holds():
                detail = await client.hold(hold.id)
                planned = judge(detail)
                if planned.reviewer.name != reviewer or detail.hold.state != "open":
                    continue
                found = True
                try:
                    await client.claim(hold.id)
                    await asyncio.sleep(max(THINK_S_MIN, planned.think_s * self._pace))
                    await self._decide(client, detail, planned)
                except ApiError as error:
                    if error.code not in LOST_RACES:
                        raise
                    self.lost_races[error.code] += 1
            if not found:
                await asyncio.sleep(IDLE_S)

    async def _decide(self, client: AsyncClient, detail: HoldDetail, planned: Planned) -> None:
        hold, version = detail.hold.id, detail.hold.version
        match planned.action:
            case "approve":
                await client.approve(hold, version=version)
            case "edit":
                await client.edit(
                    hold, planned.text or "", version=version, severity=planned.severity, reasons=planned.reasons
                )
            case "reject":
                await client.reject(hold, version=version, severity=planned.severity, reasons=planned.reasons)
            case "respond":
                await client.respond(hold, planned.text or "", version=version, reasons=planned.reasons)
            case "take_over":
                await client.take_over(hold, version=version)
                for line in planned.says:
                    await client.say(detail.hold.conversation_id, line)
        self.verdicts[planned.action] += 1
        if detail.hold.kind == "hand_off" or planned.action == "take_over":
            await client.hand_back(detail.hold.conversation_id)
