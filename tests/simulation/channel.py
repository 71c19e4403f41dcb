"""The channels of the world: providers that keep what reached the customer, and the way from a process to them.

A message reaches its provider, or not, whatever becomes of the process that sent it.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from understudy.ports.channel import Capabilities, InboundRequest
from understudy.records.conversation import Inbound
from understudy.records.outbox import Accepted, OutboxEntry, Rejected, Retry, SendResult, Unknown

if TYPE_CHECKING:
    from simulation.process import Process
    from simulation.world import World

TRAVEL_S = (0.005, 0.4)


@dataclass(frozen=True, slots=True, kw_only=True)
class Landed:
    """One message at the customer."""

    at: float
    entry: OutboxEntry


class Provider:
    """One channel as the world sees it; it outlives every process. `landed` is what customers saw, in order."""

    def __init__(self, world: World, name: str, capabilities: Capabilities) -> None:
        self._world = world
        self.name, self.capabilities = name, capabilities
        self.landed: list[Landed] = []
        self.times: Counter[str] = Counter()
        """How often each key came in."""
        self.unresolved: set[str] = set()
        """Keys that were sent and of which no process has heard yet what became of them."""
        self._refuses: dict[str, bool] = {}

    def refuses(self, entry: OutboxEntry) -> bool:
        """Whether this message is not for this provider: drawn once, because it would refuse it again."""
        if entry.id not in self._refuses:
            self._refuses[entry.id] = self._world.weather.strikes("send_rejected")
        return self._refuses[entry.id]

    def land(self, entry: OutboxEntry) -> None:
        """Show a message to the customer; a repeated key is ignored where keys are honoured."""
        if self._refuses[entry.id]:
            return
        self.times[entry.id] += 1
        if self.capabilities.honours_keys and self.times[entry.id] > 1:
            return
        self._world.note(self.name, f"shows {entry.id} of {entry.turn_id}")
        self.landed.append(Landed(at=self._world.loop.time(), entry=entry))
        self._world.inspector.landed(self, entry)


class SimulatedChannel:
    """`ports.channel.Channel`: the way from one process to a provider."""

    def __init__(self, process: Process, provider: Provider) -> None:
        self._process, self._provider, self._world = process, provider, process.world
        self.name, self.capabilities = provider.name, provider.capabilities

    def parse(self, request: InboundRequest) -> tuple[Inbound, ...]:
        """Nothing comes in as bytes in this world."""
        raise NotImplementedError(request.url)

    async def send(self, entry: OutboxEntry) -> SendResult:
        await self._process.breathe("before a send")
        self._world.inspector.sending(self._provider, entry)
        was_resolved = entry.id not in self._provider.unresolved
        self._provider.unresolved.add(entry.id)
        result = await self._send(entry)
        if isinstance(result, Accepted | Rejected) or (isinstance(result, Retry) and was_resolved):
            self._provider.unresolved.discard(entry.id)
        return result

    async def _send(self, entry: OutboxEntry) -> SendResult:
        weather, loop, provider = self._world.weather, self._world.loop, self._provider
        is_refused = provider.refuses(entry)
        there_s, back_s = weather.between(*TRAVEL_S), weather.between(*TRAVEL_S)
        if weather.strikes("send_busy"):
            await self._travel(there_s + back_s)
            return Retry(reason="busy", after_s=self._world.dice.choice([None, 2.0, 15.0]))
        if weather.strikes("send_request_lost"):
            return await self._no_answer(there_s)
        if weather.strikes("send_lands_late"):
            loop.call_later(there_s + weather.between(0.0, self._world.terms.lands_within_s), provider.land, entry)
            return await self._no_answer(there_s)
        loop.call_later(there_s, provider.land, entry)
        if weather.strikes("send_answer_lost"):
            return await self._no_answer(there_s + back_s)
        await self._travel(there_s + back_s)
        return Rejected(reason="no such number") if is_refused else Accepted(provider_id=f"p-{entry.id}")

    async def _travel(self, seconds: float) -> None:
        self._process.may_freeze("freeze_in_send")
        await asyncio.sleep(seconds)
        await self._process.breathe("when a channel answers")

    async def _no_answer(self, seconds: float) -> SendResult:
        """Fail in one of the ways in which nobody can tell what happened."""
        await self._travel(seconds)
        match self._world.dice.randrange(4):
            case 0:
                return Unknown(reason="connection reset")
            case 1:
                raise OSError("broken pipe")
            case 2:
                return cast(SendResult, "200 OK")
            case _:
                await asyncio.Event().wait()
                raise AssertionError("nobody sets it")

    async def look_up(self, entry: OutboxEntry) -> SendResult:
        await self._process.breathe("before a look-up")
        await self._travel(self._world.weather.between(*TRAVEL_S))
        if not self.capabilities.can_look_up:
            return Unknown(reason="this channel cannot look up")
        if self._world.weather.strikes("look_up_fails"):
            return await self._no_answer(0.1)
        self._provider.unresolved.discard(entry.id)
        if self._provider.times[entry.id]:
            return Accepted(provider_id=f"p-{entry.id}")
        return Retry(reason="never seen")

    async def close(self) -> None:
        """There is nothing to let go of."""
