"""An agent, a channel and a clock that do what a test tells them; they keep the ports' promises and nothing more.

agent = ScriptedAgent([AgentTimedOut(), "Your card is on its way."])      # each answer once, in order
channel = RecordingChannel(answers=[Retry(reason="busy")])                # then Accepted for ever
clock = FrozenClock()
"""

from __future__ import annotations

import asyncio
import dataclasses
import json
import random
from collections import Counter, deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from understudy.errors import MalformedInput
from understudy.ports.agent import DraftRequest
from understudy.ports.channel import Capabilities, InboundRequest
from understudy.records.codec import build
from understudy.records.conversation import Inbound
from understudy.records.evidence import Draft
from understudy.records.outbox import Accepted, OutboxEntry, Retry, SendResult, Unknown

FROZEN_START = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)
"""When a `FrozenClock` begins unless told otherwise."""

AgentAnswer = str | Draft | BaseException
"""What a scripted agent does: propose this text or draft, or raise this error."""


class ScriptedAgent:
    """An agent with fixed answers; keeps `ports.agent.Agent`.

    `answers` is one answer for every request, a sequence (each once, in order; one request too many is an
    `AssertionError`), or a function of the request. `requests` holds what was asked, in order. While `gate` is set to
    an unset `asyncio.Event`, drafting waits for it: a test can look at the world in the middle of a draft.
    `is_closed` says whether `close` was called. Give `check_error` to make `check` raise it.
    """

    def __init__(
        self,
        answers: AgentAnswer | Sequence[AgentAnswer] | Callable[[DraftRequest], AgentAnswer],
        *,
        name: str = "scripted",
        version: str | None = "v1",
        gate: asyncio.Event | None = None,
        check_error: Exception | None = None,
    ) -> None:
        self.name = name
        self.version = version
        self.gate = gate
        self.check_error = check_error
        self.requests: list[DraftRequest] = []
        self.is_closed = False
        self._answer = _as_function(answers)

    async def draft(self, request: DraftRequest) -> Draft:
        """Record the request, wait for the gate, then answer or raise what the script says."""
        self.requests.append(request)
        if self.gate is not None:
            await self.gate.wait()
        answer = self._answer(request)
        if isinstance(answer, BaseException):
            raise answer
        if isinstance(answer, Draft):
            return answer
        return Draft(text=answer, agent=self.name, agent_version=self.version)

    async def check(self) -> str:
        """Say that it can be reached, or raise `check_error`."""
        if self.check_error is not None:
            raise self.check_error
        return f"{self.name}: scripted"

    async def close(self) -> None:
        """Remember that it was closed."""
        self.is_closed = True


def _as_function(
    answers: AgentAnswer | Sequence[AgentAnswer] | Callable[[DraftRequest], AgentAnswer],
) -> Callable[[DraftRequest], AgentAnswer]:
    if isinstance(answers, str | Draft | BaseException):
        return lambda request: answers
    if callable(answers):
        return answers
    left = deque(answers)

    def next_answer(request: DraftRequest) -> AgentAnswer:
        assert left, f"ScriptedAgent was asked once more than it has answers, for turn {request.turn_id}"
        return left.popleft()

    return next_answer


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliversThen:
    """A send that reaches the customer and yet answers this, or raises it: the lost receipt, the crash after sending."""

    answer: SendResult | BaseException


class RecordingChannel:
    """A channel without a network; keeps `ports.channel.Channel`.

    `answers` are used once each, in order, one per send; afterwards every send is `Accepted`. `Accepted` delivers, all
    others do not, unless wrapped in `DeliversThen`. `attempts` holds every entry a send was begun with. `delivered`
    holds what the customer really saw, in order: with `honours_keys` a repeated key is delivered once, without it
    every time. `gate` works as on `ScriptedAgent`; it is waited for before anything is delivered.
    """

    def __init__(
        self,
        *,
        name: str = "recording",
        answers: Iterable[SendResult | DeliversThen | BaseException] = (),
        honours_keys: bool = True,
        can_look_up: bool = False,
        chars_max: int | None = None,
        window_s: float | None = None,
        gate: asyncio.Event | None = None,
    ) -> None:
        self.name = name
        self.answers = deque(answers)
        self.capabilities = Capabilities(
            honours_keys=honours_keys, can_look_up=can_look_up, chars_max=chars_max, window_s=window_s
        )
        self.gate = gate
        self.attempts: list[OutboxEntry] = []
        self.delivered: list[OutboxEntry] = []
        self.is_closed = False

    @property
    def texts(self) -> list[str]:
        """What the customer saw, in order."""
        return [entry.text for entry in self.delivered]

    def times_delivered(self, key: str) -> int:
        """Count how often the entry with this id really reached the customer."""
        return Counter(entry.id for entry in self.delivered)[key]

    def parse(self, request: InboundRequest) -> tuple[Inbound, ...]:
        """Read a JSON object (or a list of them) with the fields of `Inbound`; raises `MalformedInput`."""
        try:
            data = json.loads(request.body)
        except ValueError as error:
            raise MalformedInput(f"not JSON: {error}") from error
        return tuple(build(Inbound, one) for one in (data if isinstance(data, list) else [data]))

    def request(self, inbound: Inbound, *, received_at: datetime = FROZEN_START) -> InboundRequest:
        """Write the request that `parse` reads as this one message."""
        body = json.dumps(dataclasses.asdict(inbound), default=str).encode()
        return InboundRequest(method="POST", url=f"/hooks/{self.name}", headers={}, body=body, received_at=received_at)

    async def send(self, entry: OutboxEntry) -> SendResult:
        """Record the attempt, wait for the gate, deliver as the script says, and answer or raise."""
        self.attempts.append(entry)
        if self.gate is not None:
            await self.gate.wait()
        step: SendResult | DeliversThen | BaseException
        step = self.answers.popleft() if self.answers else Accepted(provider_id=f"p-{entry.id}")
        if isinstance(step, DeliversThen | Accepted):
            self._deliver(entry)
        answer = step.answer if isinstance(step, DeliversThen) else step
        if isinstance(answer, BaseException):
            raise answer
        return answer

    async def look_up(self, entry: OutboxEntry) -> SendResult:
        """Tell whether an entry was delivered, where the channel can look up; else `Unknown`."""
        if not self.capabilities.can_look_up:
            return Unknown(reason="this channel cannot look up")
        if self.times_delivered(entry.id):
            return Accepted(provider_id=f"p-{entry.id}")
        return Retry(reason="the channel never saw it")

    async def close(self) -> None:
        """Remember that it was closed."""
        self.is_closed = True

    def _deliver(self, entry: OutboxEntry) -> None:
        if not (self.capabilities.honours_keys and self.times_delivered(entry.id)):
            self.delivered.append(entry)


class FrozenClock:
    """A clock that stands until it is set, advanced or slept on; keeps `ports.clock.Clock`.

    Ids are counted over all prefixes (`t-000001`, `m-000002`), dice come from `seed`. `slept` holds every wait in s.
    """

    def __init__(self, start: datetime = FROZEN_START, *, seed: int = 0) -> None:
        if start.tzinfo is None:
            raise ValueError("FrozenClock needs an aware datetime")
        self._now = start.astimezone(UTC)
        self._ids = 0
        self._dice = random.Random(seed)
        self.slept: list[float] = []

    def now(self) -> datetime:
        """The moment it stands at."""
        return self._now

    def set(self, moment: datetime) -> None:
        """Stand at this moment; going back is allowed, because real clocks do."""
        if moment.tzinfo is None:
            raise ValueError("FrozenClock needs an aware datetime")
        self._now = moment.astimezone(UTC)

    def advance(self, seconds: float) -> datetime:
        """Go on by this many seconds and return the new moment."""
        self._now += timedelta(seconds=seconds)
        return self._now

    async def sleep(self, seconds: float) -> None:
        """Advance at once by `seconds`, and let other tasks run."""
        self.slept.append(seconds)
        self.advance(max(seconds, 0.0))
        await asyncio.sleep(0)

    def new_id(self, prefix: str) -> str:
        """Make the next counted id."""
        self._ids += 1
        return f"{prefix}-{self._ids:06d}"

    def random(self) -> float:
        """Draw the next number of the seed's sequence."""
        return self._dice.random()
