"""The demo's help desk: simulated reviewers who work through the queue over the HTTP API, like the real ones. What the
visitor has taken upon themselves they leave alone."""

from __future__ import annotations

import asyncio
import time
from collections import Counter

from understudy.client.client import AsyncClient
from understudy.client.errors import ApiError
from understudy.client.models import HoldDetail
from understudy.demo.reviewers import Planned, judge, reviewer_of
from understudy.demo.visitor import VISITOR

IDLE_S = 0.1
AGAIN_S = 1.0
"""After so long a reviewer comes back to a hold that was refused to them, because somebody else is at it."""
THINK_S_MIN = 0.4
"""Nobody decides quicker, however fast the story is played: long enough for a customer to write again meanwhile."""
NOT_LET = (401, 403)
"""Answers that no visitor brings about; every other refusal means that the world moved on meanwhile, and nothing was sent."""


class Desk:
    """Decides on every hold until cancelled. `pace` stretches the time reviewers think."""

    def __init__(self, clients: dict[str, AsyncClient], *, pace: float) -> None:
        self._clients = clients
        self._pace = pace
        self._not_before: dict[str, float] = {}
        self.verdicts: Counter[str] = Counter()
        self.lost_races: Counter[str] = Counter()

    async def work(self) -> None:
        """Let every reviewer work at once, each on the holds that fall to them. Raises what broke the first of them."""
        at_work = [asyncio.ensure_future(self._review(name, client)) for name, client in self._clients.items()]
        try:
            await asyncio.gather(*at_work)
        finally:
            for one in at_work:
                one.cancel()
            await asyncio.gather(*at_work, return_exceptions=True)

    async def _review(self, reviewer: str, client: AsyncClient) -> None:
        while True:
            found = False
            async for hold in client.holds():
                is_theirs = reviewer_of(hold.id).name == reviewer
                if not is_theirs or self._not_before.get(hold.id, 0.0) > time.monotonic():
                    continue
                try:
                    found |= await self._decide_on(client, hold.id)
                except ApiError as error:
                    if error.status in NOT_LET:
                        raise
                    self.lost_races[error.code] += 1
                    self._not_before[hold.id] = time.monotonic() + AGAIN_S
            if not found:
                await asyncio.sleep(IDLE_S)

    async def _decide_on(self, client: AsyncClient, hold_id: str) -> bool:
        """Take one hold and decide on it, if nobody else did and the visitor is not in its conversation."""
        detail = await client.hold(hold_id)
        if detail.hold.state != "open" or detail.conversation.taken_by == VISITOR:
            return False
        planned = judge(detail)
        await client.claim(hold_id)
        await asyncio.sleep(max(THINK_S_MIN, planned.think_s * self._pace))
        await self._decide(client, detail, planned)
        return True

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
            await self._hand_back(client, detail.hold.conversation_id)

    async def _hand_back(self, client: AsyncClient, conversation_id: str) -> None:
        """Let the agent answer again, unless the visitor has taken the conversation meanwhile."""
        if (await client.conversation(conversation_id)).taken_by != VISITOR:
            await client.hand_back(conversation_id)
