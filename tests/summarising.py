"""A summariser that answers as a test says, and what is read of a stage whose hand-offs it puts in short."""

from __future__ import annotations

import asyncio
from typing import Any

from understudy.assessment.summary import parts_of
from understudy.effects.summing_up import case_of
from understudy.ports.summariser import SummaryRequest
from understudy.ports.telemetry import SummaryTried
from understudy.summaries.flow import PAUSE_S

ASKED = "I want to talk to a person about order 1042!"
LINES = ("Wants a person about order 1042.", "Ask what is wrong with it.")


class Scripted:
    """Keeps `ports.summariser.Summariser`; each answer is lines, an error, or a function of the request."""

    by = "small-model"

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.asked: list[SummaryRequest] = []

    async def write(self, request: SummaryRequest) -> tuple[str, ...]:
        self.asked.append(request)
        answer = self.answers.pop(0) if self.answers else LINES
        if callable(answer):
            answer = answer(request)
        if asyncio.iscoroutine(answer):
            answer = await answer
        if isinstance(answer, Exception):
            raise answer
        return tuple(answer)

    async def check(self) -> str:
        return "there"

    async def close(self) -> None:
        """Nothing is held."""


def sweep(house: Any) -> int:
    return int(house.run(house.summaries.sweep()))


def sweeps(house: Any, times: int) -> list[int]:
    """Sweep, with a pause before each that is long enough to ask again."""
    done = []
    for _ in range(times):
        done.append(sweep(house))
        house.clock.advance(PAUSE_S)
    return done


def parts(house: Any, turn: Any, hold_id: str | None = None) -> dict[str, list[str]]:
    """What people read of a turn, by the parts of its summary; `hold_id`: where they read it of a hand-off."""

    def look(tx: Any) -> dict[str, list[str]]:
        case = case_of(tx, tx.turns.get(turn.id), turn.reasons, house.clock.now(), hold_id=hold_id)
        return {part.name: [line.text for line in part.lines] for part in parts_of(case)}

    return dict(house.read(look))


def events(house: Any) -> list[str]:
    return [entry.event for entry in house.ledger if entry.event.startswith("summary.")]


def outcomes(house: Any) -> list[str]:
    return [event.outcome for event in house.emitted(SummaryTried)]
