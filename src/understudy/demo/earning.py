"""The demo's second act: one topic earns the right to answer alone, its agent gets worse, and the right is taken back.

Everybody acts over the HTTP API: an agent that hands over drafts, two reviewers, a lead. Nothing of it is staged: the
labels, the certificate, the audits and the alarm are the product's own. The promise is made generous in the demo's
configuration, so that seconds show what takes weeks.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import httpx2

from understudy.client.client import AsyncClient
from understudy.client.errors import ApiError
from understudy.demo.customers import LOOK_EVERY_S, wait_until
from understudy.demo.desk import NOT_LET
from understudy.demo.reviewers import judge
from understudy.demo.story import OffScript
from understudy.demo.visitor import VISITOR, Look, looking, never

TOPIC, CHANNEL, VERSION = "gift_cards", "api", "2.1"
NAMES = ("Ada", "Bea", "Cem", "Dora", "Emil", "Fay", "Gus", "Hana", "Ivo", "Jun")
QUESTION = "Hello, {name} here. How long is a gift card valid, and how soon does it arrive?"
SOURCE = {
    "id": "gift-cards",
    "text": "Gift cards arrive by e-mail within ten minutes. A gift card is valid for 24 months from the day it was bought.",
}
OTHER_SOURCE = {"id": "stores", "text": "All stores open Monday to Saturday from 9:30 to 18:00."}
GOOD = "A gift card arrives by e-mail within ten minutes and is valid for 24 months from the day it was bought."
WORSE = "All stores open Monday to Saturday from 9:30 to 18:00."
"""True, well founded and beside the question: nothing that a check could see."""

DRAFTS_MAX = 80
DRAFTS_EXPECTED = 54
"""About how many drafts the act takes."""
ALONE = 8
ALONE_NOW = ("probation", "auto")
"""Whoever watches may have confirmed before the story has looked."""
JUDGED = ("draft", "audit")
CLAIMED = "claimed-by-other"
CONFLICT, NOT_FOUND = 409, 404
TURNED_DOWN = "the promotion was turned down"
SETTLE_WITHIN_S = 20.0
KEPT_S_MAX = 300.0
"""So long the act waits for a draft that whoever watches keeps to themselves."""
LOOK_AT_KEPT_EVERY_S = 0.5
STOPPED_S_MAX = 1_800.0
"""So long the act waits where whoever watches has stopped automatic replies."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """How the slice stood when something had happened, as `GET /v1/autonomy` tells it."""

    what: str
    level: str
    labels: int
    loss_sum: float
    evidence: int
    threshold: float | None
    delivered: int
    audited: int
    alarm: int


class Earning:
    """Plays the act against a running server; `said` is called after each draft with how many there were, `told` where the
    story waits for whoever watches.

    `look` waits for whoever watches at each turn of events. Who watches may confirm the
    promotion first, decide on holds or keep them for a while, or stop everything: then the act waits until they resume.
    Raises `OffScript` where they take it another way.
    """

    def __init__(
        self, http: httpx2.AsyncClient, agent: AsyncClient, reviewers: dict[str, AsyncClient], lead_key: str, *,
        said: Callable[[int], None], look: Look | None = None, told: Callable[[str], None] = lambda words: None,
    ) -> None:  # fmt: skip
        self._http = http
        self._agent = agent
        self._reviewers = itertools.cycle(reviewers.values())
        self._lead = {"Authorization": f"Bearer {lead_key}"}
        self._said = said
        self._told = told
        self._look = look or looking(0.0)
        self._numbers: Iterator[int] = itertools.count(1)
        self._turns: set[str] = set()
        self.moments: list[Moment] = []

    async def play(self) -> list[Moment]:
        """Play it to the end and tell how the slice stood at each turn of events."""
        await self._ask_until(GOOD, SOURCE, lambda found: found["proposal"] is not None or found["level"] in ALONE_NOW)
        await self._note("people approved its drafts; a promotion is proposed")
        await self._confirm()
        await self._note(f"{await self._who_promoted()} confirmed it")
        await self._look("promoted", never)
        for _ in range(ALONE):
            await self._ask(GOOD, SOURCE)
        await self._note("it answers alone; some replies are audited")
        await self._ask_until(WORSE, OTHER_SOURCE, lambda slice_: slice_["level"] not in ALONE_NOW)
        await self._demand("demoted", "it was taken back before the audits could tell")
        await self._note("the agent got worse, its audits told, the slice fell by itself")
        return self.moments

    async def _confirm(self) -> None:
        """A lead confirms the promotion, unless whoever watches does it first or turns it down."""

        async def is_over() -> bool:
            found = await self._slice()
            return found is None or found["proposal"] is None

        await self._look("proposed", is_over)
        if not await is_over():
            body = {"topic": TOPIC, "channel": CHANNEL}
            answer = await self._http.post("/v1/autonomy/confirm", json=body, headers=self._lead)
            if answer.status_code != CONFLICT:  # whoever watches was quicker by a moment
                answer.raise_for_status()
        await self._demand(ALONE_NOW, TURNED_DOWN)

    async def _demand(self, levels: str | tuple[str, ...], otherwise: str) -> None:
        found = await self._slice()
        if found is None or found["level"] not in levels:
            raise OffScript(otherwise)

    async def _who_promoted(self) -> str:
        by = next((move["by"] for move in await self._moves() if move["what"] == "promoted"), None)
        return "you" if by == VISITOR else "a lead"

    async def _is_turned_down(self) -> bool:
        return any(move["what"] == "declined" for move in await self._moves())

    async def _moves(self) -> list[dict[str, Any]]:
        """What happened to the slice, the latest first."""
        query = {"topic": TOPIC, "channel": CHANNEL}
        answer = await self._http.get("/v1/autonomy/slice", params=query, headers=self._lead)
        if answer.status_code == NOT_FOUND:  # nothing has begun yet
            return []
        answer.raise_for_status()
        moves: list[dict[str, Any]] = answer.json()["moves"]
        return moves

    async def _ask_until(self, text: str, source: dict[str, Any], holds: Callable[[dict[str, Any]], bool]) -> None:
        for _ in range(DRAFTS_MAX):
            await self._ask(text, source)
            found = await self._slice()
            if found is not None and holds(found):
                return
            if await self._is_turned_down():  # by somebody quicker than this look
                raise OffScript(TURNED_DOWN)
        raise OffScript(f"{DRAFTS_MAX} drafts later the audits and verdicts still say nothing else")

    async def _ask(self, text: str, source: dict[str, Any]) -> None:
        """One customer asks, the agent drafts, and whoever has to judge does."""
        await self._until_let()
        number = next(self._numbers)
        record = {
            "id": f"earning-{number}",
            "conversation_id": f"earning-{number}",
            "topic": TOPIC,
            "agent_version": VERSION,
            "messages": [{"role": "user", "content": QUESTION.format(name=NAMES[number % len(NAMES)])}],
            "draft": {"text": text, "sources": [source], "agent": "gift card agent"},
        }
        turn = await self._agent.submit_turn(record)
        self._turns.add(turn.id)
        self._said(number)
        await self._look("drafted", never)
        await self._until_judged(next(self._reviewers))

    async def _until_let(self) -> None:
        """Wait while automatic replies are stopped."""
        if await self._is_let():
            return
        self._told("automatic replies are stopped; the story waits until somebody lets them go on")
        if not await wait_until(self._is_let, limit_s=STOPPED_S_MAX):
            raise OffScript("automatic replies stayed stopped")

    async def _until_judged(self, reviewer: AsyncClient) -> None:
        """Judge what waits until every label is counted; what whoever watches keeps to themselves is waited for."""
        loop = asyncio.get_running_loop()
        ends, has_told = loop.time() + SETTLE_WITHIN_S, False
        while True:
            kept = await self._judge_all(reviewer)
            if not kept and await self._is_counted():
                return
            if kept and not has_told:
                self._told("somebody is at work on a draft about gift cards; the story waits for them")
                ends, has_told = loop.time() + KEPT_S_MAX, True
            if loop.time() >= ends and kept:
                raise OffScript("a draft about gift cards stayed with somebody")
            if loop.time() >= ends:
                return
            await asyncio.sleep(LOOK_AT_KEPT_EVERY_S if kept else LOOK_EVERY_S)

    async def _judge_all(self, reviewer: AsyncClient) -> bool:
        """Judge what waits of this act; whether anything was refused, because somebody else is at it."""
        waiting = [one async for one in reviewer.holds() if one.turn_id in self._turns and one.kind in JUDGED]
        return any([not await self._judge(reviewer, hold.id) for hold in waiting])

    async def _judge(self, reviewer: AsyncClient, hold_id: str) -> bool:
        """Decide as a reviewer would; False where that was refused."""
        try:
            detail = await reviewer.hold(hold_id)
            planned = judge(detail)
            if planned.action in ("approve", "edit"):
                await reviewer.approve(hold_id, version=detail.hold.version)
            else:
                await reviewer.reject(hold_id, version=detail.hold.version, severity=1.0, reasons=planned.reasons)
        except ApiError as error:
            if error.status in NOT_LET:
                raise
            return error.code != CLAIMED  # anything else: whoever watches decided on it
        return True

    async def _is_let(self) -> bool:
        """Whether nobody has stopped the slice."""
        answer = await self._http.get("/v1/autonomy/stops", headers=self._lead)
        answer.raise_for_status()
        return not any(stop["topic"] in ("*", TOPIC) and stop["channel"] in ("*", CHANNEL) for stop in answer.json())

    async def _is_counted(self) -> bool:
        """Whether every label that was given has been taken into account."""
        found = await self._slice()
        return found is None or found["awaiting"] == 0

    async def _slice(self) -> dict[str, Any] | None:
        answer = await self._http.get("/v1/autonomy", headers=self._lead)
        answer.raise_for_status()
        slices: list[dict[str, Any]] = answer.json()["slices"]
        return next((one for one in slices if (one["topic"], one["channel"]) == (TOPIC, CHANNEL)), None)

    async def _note(self, what: str) -> None:
        found = await self._slice()
        assert found is not None, "the slice has drafts"
        fields = ("level", "labels", "loss_sum", "evidence", "threshold", "delivered", "audited", "alarm")
        self.moments.append(Moment(what=what, **{name: found[name] for name in fields}))
