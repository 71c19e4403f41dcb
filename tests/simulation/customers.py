"""The customers of the world: they write in bursts, and their provider repeats what was not acknowledged.

A provider keeps no order: a message that was sent first may come in last, and one may come in twice at once.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from simulation.agent import word
from simulation.process import ConnectionLost, Process
from simulation.terms import CHANNELS, TOPICS
from understudy.errors import Overloaded, StoreError
from understudy.records.conversation import Inbound
from understudy.records.evidence import ChatMessage, Draft
from understudy.turn.intake import Received

if TYPE_CHECKING:
    from simulation.world import World

ENDINGS = ("?", ".", "", ", and", " thanks")
REPEATED_AFTER_S = (0.5, 6.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """One message as its provider keeps it until it is acknowledged."""

    channel: str
    inbound: Inbound
    draft: Draft | None = None
    is_submitted: bool = False


class Customer:
    """One conversation; `keeps_conversation` is the way of callers of the API, who hand over whole turns."""

    def __init__(self, world: World, number: int) -> None:
        dice = world.dice
        self._world = world
        self.external_id = f"e-{number}"
        self.channel = dice.choice(list(CHANNELS))
        self._topic = dice.choice(TOPICS)
        self._keeps_conversation = dice.random() < 0.15
        self._count = dice.randint(1, 5)
        self._said: list[str] = []
        self.letters: list[Letter] = []

    async def act(self) -> None:
        """Write everything, and see each message acknowledged."""
        weather, dice = self._world.weather, self._world.dice
        await asyncio.sleep(weather.between(0.0, 10.0))
        ways = []
        for _ in range(self._count):
            letter = self._write()
            self.letters.append(letter)
            way = self._world.loop.create_task(self._see_through(letter))
            ways.append(way)
            if weather.strikes("webhook_repeated"):
                ways.append(self._world.loop.create_task(self._repeat(letter)))
            if self._keeps_conversation:
                await way  # Who keeps the conversation knows what stands before the next message.
            await asyncio.sleep(weather.between(*dice.choice([(0.0, 1.5), (0.0, 6.0), (5.0, 25.0)])))
        await asyncio.gather(*ways)

    def _write(self) -> Letter:
        dice, number = self._world.dice, self._world.number()
        text = f"Question {word(number)}{dice.choice(ENDINGS)}"
        if dice.random() < self._world.terms.asks_for_person:
            text = f"{text} I want to talk to a person."
        return self._letter(text, number)

    def _letter(self, text: str, number: int) -> Letter:
        dice = self._world.dice
        self._said.append(text)
        inbound = Inbound(
            provider_id=f"w-{number}",
            external_id=self.external_id,
            address=f"at-{self.external_id}",
            text=text,
            topic=self._topic if dice.random() < 0.9 else dice.choice(TOPICS),
        )
        draft = None
        if self._keeps_conversation and dice.random() < 0.6:
            draft = Draft(text=word(self._world.number()), agent="theirs")
        return Letter(channel=self.channel, inbound=inbound, draft=draft, is_submitted=self._keeps_conversation)

    async def _repeat(self, letter: Letter) -> None:
        await asyncio.sleep(self._world.dice.choice([0.0, self._world.weather.between(0.0, 20.0)]))
        await self._see_through(letter)

    async def _see_through(self, letter: Letter) -> None:
        """Deliver until it is acknowledged."""
        weather = self._world.weather
        if weather.strikes("webhook_late"):
            await asyncio.sleep(weather.between(0.0, 5.0))
        while True:
            process = self._world.alive()
            pause_s = weather.between(*REPEATED_AFTER_S)
            if process is not None and not weather.strikes("webhook_lost"):
                try:
                    received = await process.call(self._put(process, letter))
                    self._world.inspector.took(letter, received)
                    return
                except Overloaded as refusal:
                    pause_s = refusal.retry_after_s
                except (ConnectionLost, StoreError):
                    pass
            await asyncio.sleep(pause_s)

    async def _put(self, process: Process, letter: Letter) -> Received:
        if not letter.is_submitted:
            return await process.intake.receive(letter.channel, letter.inbound)
        transcript = tuple(
            ChatMessage(role="user", content=text) for text in self._said[: self._said.index(letter.inbound.text) + 1]
        )
        return await process.intake.submit(letter.channel, letter.inbound, transcript=transcript, draft=letter.draft)
