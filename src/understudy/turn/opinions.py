"""Ask for second opinions on a draft, all at once, each within its deadline and its budget; it does not read them.

Whatever goes wrong is kept as the opinion's error: a missing opinion is unknown, and unknown never passes unless the
rulebook says so for this one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace

from understudy.errors import AgentError
from understudy.hourly import Hourly
from understudy.ports.clock import Clock
from understudy.ports.opinion import OpinionRequest, Said, SecondOpinion
from understudy.records.evidence import Opinion
from understudy.records.text import storable

WORD_CHARS_MAX = 80
"""How much of what was said is kept; a verdict is a word."""
GRACE_S = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One opinion and its bounds: seconds for an answer, and questions per hour of this process."""

    opinion: SecondOpinion
    deadline_s: float = 5.0
    per_hour_max: int = 1_000

    def __post_init__(self) -> None:
        if self.deadline_s <= 0 or self.per_hour_max < 1:
            raise ValueError("a second opinion needs deadline_s > 0 and per_hour_max >= 1")


class SecondOpinions:
    """Asks them. `lease_s` is the longest time that takes."""

    def __init__(self, clock: Clock, asked: Sequence[Asked]) -> None:
        self._clock = clock
        self._asked = tuple(asked)
        self._budgets = {one.opinion.name: Hourly(one.per_hour_max) for one in asked}

    @property
    def lease_s(self) -> float:
        """How long asking may hold its turn."""
        return max((one.deadline_s for one in self._asked), default=0.0) + GRACE_S

    async def ask(self, request: OpinionRequest) -> tuple[Opinion, ...]:
        """Ask all at once; never raises for what an opinion does."""
        return tuple(await asyncio.gather(*(self._one(one, request) for one in self._asked)))

    async def _one(self, asked: Asked, request: OpinionRequest) -> Opinion:
        name = asked.opinion.name
        if not self._afford(asked):
            return Opinion(name=name, error="over_budget")
        began = self._clock.now()
        try:
            async with asyncio.timeout(asked.deadline_s):
                said = await asked.opinion.ask(replace(request, deadline_s=asked.deadline_s))
            return _kept(name, said, took_ms=(self._clock.now() - began).total_seconds() * 1e3)
        except TimeoutError:
            return Opinion(name=name, error="timed_out")
        except AgentError as error:
            return Opinion(name=name, error=error.code)
        except Exception as error:  # noqa: BLE001 - whatever breaks inside an opinion is no reason to lose the turn
            return Opinion(name=name, error=f"failed: {type(error).__name__}")

    def _afford(self, asked: Asked) -> bool:
        """Whether this hour's budget has room for one more question, and take it."""
        now, budget = self._clock.now(), self._budgets[asked.opinion.name]
        if budget.room(now) == 0:
            return False
        budget.spend(now)
        return True


def _kept(name: str, said: Said, *, took_ms: float) -> Opinion:
    """What was said in a form that can be stored; what is neither word nor score is nonsense."""
    word: object = said.word
    score: object = said.score
    is_word = isinstance(word, str) and word.strip() != ""
    is_score = isinstance(score, int | float) and not isinstance(score, bool) and 0.0 <= score <= 1.0
    if not (is_word or is_score) or not (is_word or word is None) or not (is_score or score is None):
        return Opinion(name=name, error="nonsense", took_ms=took_ms)
    kept = storable(str(word))[:WORD_CHARS_MAX] if is_word else None
    return Opinion(name=name, word=kept, score=said.score, took_ms=took_ms)
