"""A system of record without a network that does what a test tells it, and remembers what was really done.

system = ScriptedSystem(answers=[Retry(reason="busy")])                  # then Accepted for ever
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable
from dataclasses import dataclass

from understudy.records.acting import ActionEntry, Confirmed, Differs, NotDone, ReadBack, Unanswered
from understudy.records.outbox import Accepted, SendResult


@dataclass(frozen=True, slots=True, kw_only=True)
class DoesThen:
    """A call that is done and yet answers this, or raises it: the lost answer, the crash right after."""

    answer: SendResult | BaseException


@dataclass(frozen=True, slots=True, kw_only=True)
class TakesOnly:
    """A call that is accepted and not done."""


class ScriptedSystem:
    """Keeps `ports.acting.Executor`. `answers` are used once each, one per call; afterwards every call is `Accepted`.

    `Accepted` does it, all others do not, unless wrapped in `DoesThen`. `calls` holds the ids of all calls that were
    begun, `done` what was really done, by id and arguments in order, with `honours_keys` once for each id. `undone` holds
    the ids that were made up for. `reads` are answers of the read-back, used once each; afterwards it tells the truth.
    """

    def __init__(
        self,
        *,
        answers: Iterable[SendResult | DoesThen | TakesOnly | BaseException] = (),
        reads: Iterable[ReadBack | BaseException] = (),
        undoes: Iterable[SendResult | BaseException] = (),
        honours_keys: bool = False,
        can_read_back: bool = True,
        can_compensate: bool = False,
        compensates_by_key: bool = False,
    ) -> None:
        self.answers, self.reads, self.undoes = deque(answers), deque(reads), deque(undoes)
        self.honours_keys = honours_keys
        self.can_read_back = can_read_back
        self.can_compensate = can_compensate
        self.compensates_by_key = compensates_by_key
        self.calls: list[str] = []
        self.done: list[tuple[str, str]] = []
        self.undone: list[str] = []
        self.is_closed = False

    @property
    def times_done(self) -> Counter[str]:
        """How often each was done, by id."""
        return Counter(action_id for action_id, _ in self.done)

    async def call(self, entry: ActionEntry) -> SendResult:
        """Do what the script says."""
        self.calls.append(entry.id)
        answer = self.answers.popleft() if self.answers else Accepted(provider_id=f"r-{entry.id}")
        if isinstance(answer, TakesOnly):
            return Accepted()
        if isinstance(answer, Accepted | DoesThen):
            is_repeat = self.honours_keys and entry.id in self.times_done
            self.done += [] if is_repeat else [(entry.id, entry.arguments)]
        said = answer.answer if isinstance(answer, DoesThen) else answer
        if isinstance(said, BaseException):
            raise said
        return said

    async def read_back(self, entry: ActionEntry) -> ReadBack:
        """Answer from the script, then the truth: done, done with other arguments, or not."""
        if self.reads:
            read = self.reads.popleft()
            if isinstance(read, BaseException):
                raise read
            return read
        if not self.can_read_back:
            return Unanswered(reason="cannot be read back")
        done = [arguments for action_id, arguments in self.done if action_id == entry.id]
        if entry.id in self.undone:
            return Differs(reason="it was made up for")
        if not done:
            return NotDone(reason="nothing by this key")
        return Confirmed(answer="done") if done == [entry.arguments] else Differs(reason="done otherwise")

    async def compensate(self, entry: ActionEntry) -> SendResult:
        """Make up for it, or answer from the script."""
        answer = self.undoes.popleft() if self.undoes else Accepted()
        if isinstance(answer, BaseException):
            raise answer
        if isinstance(answer, Accepted):
            self.undone.append(entry.id)
        return answer

    async def close(self) -> None:
        """Remember that it was closed."""
        self.is_closed = True
