"""The agent of the world: it answers, fails, answers too late or talks nonsense; it never sends anything.

Each text it proposes is new, so that whatever reaches a customer can be told from everything else.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, cast

from understudy.errors import AgentTimedOut, AgentUnavailable
from understudy.ports.agent import DraftRequest
from understudy.records.evidence import Action, Draft

if TYPE_CHECKING:
    from simulation.process import Process

QUICK_S = (0.01, 1.5)
LATE_S = (3.0, 30.0)
LETTERS = "abcdefghijklmnopqrstuvwxyz"


def word(number: int) -> str:
    """Write a number in letters: digits in a draft would be looked for in its sources."""
    letters = ""
    while number:
        number, rest = divmod(number, 26)
        letters += LETTERS[rest]
    return f"answer {letters}"


class SimulatedAgent:
    """`ports.agent.Agent`, as one process reaches it."""

    def __init__(self, process: Process, name: str) -> None:
        self._process, self._world = process, process.world
        self.name, self.version = name, "v1"

    async def draft(self, request: DraftRequest) -> Draft:
        weather = self._world.weather
        await self._process.breathe("before the agent is asked")
        takes = LATE_S if weather.strikes("agent_is_late") else QUICK_S
        await asyncio.sleep(weather.between(*takes))
        await self._process.breathe("when the agent answers")
        if weather.strikes("agent_fails"):
            if self._world.dice.random() < 0.5:
                raise AgentUnavailable("refused", retry_after_s=self._world.dice.choice([None, 0.5, 60.0]))
            raise self._world.dice.choice([AgentTimedOut("late"), RuntimeError("broken")])
        if weather.strikes("agent_talks_nonsense"):
            return cast(Draft, {"text": "not a draft"})
        return self._propose(request)

    def _propose(self, request: DraftRequest) -> Draft:
        dice = self._world.dice.random()
        text = word(self._world.number())
        read = tuple(message.content or "" for message in request.messages if message.role == "user")
        self._world.drafted(request.turn_id, text, read)
        arguments = {}
        if self._world.terms.acts:
            dice, arguments = 0.12 + dice * 0.1, {"order": text}  # most drafts propose something
        return Draft(
            text=text,
            agent=self.name,
            agent_version=self.version,
            handoff=dice < 0.05,
            does_not_know=0.05 <= dice < 0.12,
            actions=(Action(name="refund", arguments=arguments),) if 0.12 <= dice < 0.2 else (),
            confidence=0.2 if 0.2 <= dice < 0.3 else None,
        )

    async def check(self) -> str:
        return "simulated"

    async def close(self) -> None:
        """There is nothing to let go of."""
