"""The system of record of the world, in which agents propose to have things done: it keeps what was really done, and how often.

A call reaches it, or not, whatever becomes of the process that made it.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING, cast

from understudy.records.acting import ActionEntry, Confirmed, NotDone, ReadBack, Unanswered
from understudy.records.action_rules import ActionRule, canonical_schema
from understudy.records.outbox import Accepted, Rejected, Retry, SendResult, Unknown

if TYPE_CHECKING:
    from simulation.process import Process
    from simulation.world import World

REFUND = ActionRule(name="refund", schema=canonical_schema({"properties": {"order": {"type": "string"}}}))
TRAVEL_S = (0.005, 0.4)


class RecordSystem:
    """It outlives every process. `times`: how often each was done, by the action's id."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.honours_keys = world.dice.random() < 0.3
        self.can_read_back = world.dice.random() < 0.6
        self.times: Counter[str] = Counter()
        self._refuses: dict[str, bool] = {}

    def refuses(self, entry: ActionEntry) -> bool:
        """Whether it will not do this: drawn once, because it would refuse it again."""
        if entry.id not in self._refuses:
            self._refuses[entry.id] = self._world.weather.strikes("send_rejected")
        return self._refuses[entry.id]

    def land(self, entry: ActionEntry) -> None:
        """Do it; a repeated key is ignored where keys are honoured."""
        if self._refuses[entry.id] or (self.honours_keys and self.times[entry.id]):
            return
        self.times[entry.id] += 1
        self._world.note("system", f"does {entry.id}")
        self._world.inspector.acted(entry, self.times[entry.id])


class SimulatedExecutor:
    """`ports.acting.Executor`: the way from one process to the system."""

    can_compensate = False
    compensates_by_key = False

    def __init__(self, process: Process, system: RecordSystem) -> None:
        self._process, self._system, self._world = process, system, process.world

    @property
    def honours_keys(self) -> bool:
        return self._system.honours_keys

    @property
    def can_read_back(self) -> bool:
        return self._system.can_read_back

    async def call(self, entry: ActionEntry) -> SendResult:
        await self._process.breathe("before an action is called")
        weather, loop, system = self._world.weather, self._world.loop, self._system
        is_refused = system.refuses(entry)
        there_s, back_s = weather.between(*TRAVEL_S), weather.between(*TRAVEL_S)
        if weather.strikes("send_busy"):
            await self._travel(there_s + back_s)
            return Retry(reason="busy", after_s=self._world.dice.choice([None, 2.0]))
        if weather.strikes("send_request_lost"):
            return await self._no_answer(there_s)
        if weather.strikes("send_lands_late"):
            loop.call_later(there_s + weather.between(0.0, self._world.terms.lands_within_s), system.land, entry)
            return await self._no_answer(there_s)
        loop.call_later(there_s, system.land, entry)
        if weather.strikes("send_answer_lost"):
            return await self._no_answer(there_s + back_s)
        await self._travel(there_s + back_s)
        return Rejected(reason="not for this order") if is_refused else Accepted(provider_id=f"r-{entry.id}")

    async def _travel(self, seconds: float) -> None:
        self._process.may_freeze("freeze_in_send")
        await asyncio.sleep(seconds)
        await self._process.breathe("when the system answers")

    async def _no_answer(self, seconds: float) -> SendResult:
        await self._travel(seconds)
        match self._world.dice.randrange(3):
            case 0:
                return Unknown(reason="connection reset")
            case 1:
                raise OSError("broken pipe")
            case _:
                return cast(SendResult, "200 OK")

    async def read_back(self, entry: ActionEntry) -> ReadBack:
        await self._process.breathe("before a read-back")
        await self._travel(self._world.weather.between(*TRAVEL_S))
        if not self._system.can_read_back or self._world.weather.strikes("look_up_fails"):
            return Unanswered(reason="cannot be seen")
        return Confirmed(answer="done") if self._system.times[entry.id] else NotDone(reason="nothing by this key")

    async def compensate(self, entry: ActionEntry) -> SendResult:
        raise AssertionError(f"{entry.id}: nothing is made up for in this world")

    async def close(self) -> None:
        """There is nothing to let go of."""
