"""What an answer of a system of record comes to: a decision table over the answer and what was tried before; it does nothing.

After the call (`honours keys`: a repeated key is done once):

    accepted                      read back; without a read-back it is done
    rejected                      failed; but read back where an earlier try may have been done
    retry: certainly not done     again after a pause, at most so often; then failed
    unknown                       read back; else again under the same key where keys are honoured; else a person

After the read-back, for a call that was accepted / of which nobody knows:

    as it must be                 done                         / done
    certainly not done            a person, after a while      / again, once the lease of the call is over
    otherwise                     made up for, after a while,  / a person, after a while
                                  where it can be; else a person
    no answer                     a person, after a while      / again where keys are honoured; else a person, after a while
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from understudy.ports.acting import Executor
from understudy.records.acting import ActionEntry, Confirmed, Differs, NotDone, ReadBack, Unanswered
from understudy.records.outbox import Accepted, Rejected, Retry, SendResult, Unknown

LOOK_S = 1.0
LOOK_S_MAX = 8.0
"""Pauses between two looks at a system that does not show yet what it took."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ActingLimits:
    """`lease_s` bounds one step; after `attempts_max` calls an action that is clearly not done has failed. For
    `read_back_s` after the call it is read back again and again."""

    lease_s: float = 60.0
    attempts_max: int = 5
    read_back_s: float = 20.0
    backoff_base_s: float = 1.0
    backoff_max_s: float = 300.0

    def __post_init__(self) -> None:
        if self.lease_s <= 0 or self.attempts_max < 1 or self.read_back_s < 0:
            raise ValueError("acting needs lease_s > 0, attempts_max >= 1 and read_back_s >= 0")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Whose answer it is, and when it came."""

    entry: ActionEntry
    executor: Executor | None
    now: datetime
    limits: ActingLimits

    @property
    def since_call_s(self) -> float:
        """Seconds since the call began."""
        called_at = self.entry.called_at or self.now
        return (self.now - called_at).total_seconds()

    @property
    def has_tries_left(self) -> bool:
        """Whether it may be called once more."""
        return self.entry.tries < self.limits.attempts_max


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadItBack:
    """Look what became of it. `is_unsure`: nobody knows whether the call was done."""

    word: ClassVar[str] = "answered"
    reason: str | None = None
    provider_id: str | None = None
    is_unsure: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class LookLater:
    """Look once more after a pause."""

    word: ClassVar[str] = "looked"
    delay_s: float
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Again:
    """Call once more after a pause. `is_unsure`: an earlier call may have been done, and the key keeps it from being twice."""

    word: ClassVar[str] = "retry"
    reason: str | None = None
    after_s: float | None = None
    is_unsure: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """It was done. `is_read_back`: and seen to be."""

    word: ClassVar[str] = "done"
    is_read_back: bool
    reason: str | None = None
    provider_id: str | None = None
    answer: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """It certainly was not done, and will not be."""

    word: ClassVar[str] = "failed"
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Compensate:
    """The system took it and shows something else: make up for it."""

    word: ClassVar[str] = "compensating"
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Compensated:
    """It was made up for."""

    word: ClassVar[str] = "compensated"
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Unsure:
    """Nobody can tell from here: a person must."""

    word: ClassVar[str] = "unknown"
    reason: str | None = None


Outcome = ReadItBack | LookLater | Again | Done | Failed | Compensate | Compensated | Unsure


def after_call(asked: Asked, result: SendResult) -> Outcome:
    """What the answer to a call comes to."""
    executor, entry = asked.executor, asked.entry
    assert executor is not None, "somebody answered"
    match result:
        case Accepted():
            if executor.can_read_back:
                return ReadItBack(provider_id=result.provider_id)
            return Done(is_read_back=False, provider_id=result.provider_id)
        case Rejected():
            if not entry.is_unsure:
                return Failed(reason=result.reason)
            if executor.can_read_back:
                return ReadItBack(reason=result.reason, is_unsure=True)
            return Unsure(reason=f"refused now, and an earlier try may have been done: {result.reason}")
        case Retry():
            if asked.has_tries_left:
                return Again(reason=result.reason, after_s=result.after_s, is_unsure=entry.is_unsure)
            given_up = f"given up after {entry.tries} tries: {result.reason}"
            return Unsure(reason=given_up) if entry.is_unsure else Failed(reason=given_up)
        case Unknown():
            if executor.can_read_back:
                return ReadItBack(reason=result.reason, is_unsure=True)
            return _by_key(asked, result.reason)


def after_read_back(asked: Asked, result: ReadBack) -> Outcome:
    """What a read-back comes to."""
    executor, entry = asked.executor, asked.entry
    assert executor is not None, "somebody answered"
    if isinstance(result, Confirmed):
        return Done(is_read_back=True, answer=result.answer)
    if entry.is_unsure and isinstance(result, NotDone):
        left_s = asked.limits.lease_s - asked.since_call_s
        if left_s > 0:  # what was not seen so soon may still be on its way
            return LookLater(delay_s=min(left_s, LOOK_S_MAX), reason=result.reason)
        if asked.has_tries_left:
            return Again(reason=f"certainly not done: {result.reason}")
        return Failed(reason=f"given up after {entry.tries} tries: {result.reason}")
    if asked.since_call_s < asked.limits.read_back_s:
        pause_s = min(max(asked.since_call_s, LOOK_S), LOOK_S_MAX)
        return LookLater(delay_s=pause_s, reason=result.reason)
    if entry.is_unsure:
        return _by_key(asked, result.reason) if isinstance(result, Unanswered) else Unsure(reason=result.reason)
    if isinstance(result, Differs) and executor.can_compensate:
        return Compensate(reason=result.reason)
    return Unsure(reason=f"the system took it, and the read-back does not show it: {result.reason}")


def after_compensation(asked: Asked, result: SendResult) -> Outcome:
    """What the answer to a compensation comes to; one that is not clear is a person's to look at."""
    executor = asked.executor
    assert executor is not None, "somebody answered"
    match result:
        case Accepted():
            return Compensated(reason=asked.entry.last_error)
        case Retry() | Unknown() if executor.compensates_by_key and asked.entry.tries < asked.limits.attempts_max:
            return Again(reason=result.reason, after_s=result.after_s if isinstance(result, Retry) else None)
        case _:
            return Unsure(reason=f"it is not as it should be, and could not be made up for: {result.reason}")


def _by_key(asked: Asked, reason: str) -> Outcome:
    """Nobody knows and nothing can be seen: the key makes a repetition harmless, or a person has to look."""
    if asked.executor is not None and asked.executor.honours_keys and asked.has_tries_left:
        return Again(reason=f"{reason}; safe to repeat, the system honours the key", is_unsure=True)
    return Unsure(reason=reason)
