"""One try to tell a system something under its key, and what an unknown outcome means; it writes nothing down.

Promise: what may have been carried out is repeated only where the system honours the key; else it is looked for; else it is
`Unknown`, and a person says.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta

from understudy.backoff import backoff_s
from understudy.ports.clock import Clock
from understudy.ports.system import System
from understudy.records.outbox import Accepted, Rejected, Retry, SendResult, Unknown
from understudy.records.systems import Order


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketLimits:
    """`lease_s` bounds one try, look-up included; after `attempts_max` tries it is given up and a person may try again."""

    lease_s: float = 60.0
    attempts_max: int = 8
    backoff_base_s: float = 2.0
    backoff_max_s: float = 300.0

    def __post_init__(self) -> None:
        if self.lease_s <= 0 or self.attempts_max < 1:
            raise ValueError("tickets need lease_s > 0 and attempts_max >= 1")

    def pause(self, clock: Clock, attempts: int, *, at_least_s: float) -> timedelta:
        """How long to wait after so many tries."""
        base_s, max_s = self.backoff_base_s, self.backoff_max_s
        pause_s = backoff_s(attempts, clock.random(), base_s=base_s, max_s=max_s, at_least_s=at_least_s)
        return timedelta(seconds=pause_s)


def has_lapsed(until: datetime | None, now: datetime) -> bool:
    """Whether a lease is over, so that nothing may begin under it."""
    return until is not None and until <= now


async def tried(
    system: System, order: Order, *, attempts: int, was_interrupted: bool, limits: TicketLimits
) -> SendResult | None:
    """Carry an order out, and settle what can be settled of an unknown outcome; None where it must be looked for later.

    `attempts` counts this try; `was_interrupted`: somebody began an earlier one, of which nothing is known.
    """
    what, within_s = order.what, limits.lease_s / 3
    result: SendResult = Unknown(reason="the process that told it stopped in the middle")
    if not was_interrupted or system.honours_keys(what):
        result = await _ask(system, order, "write", within_s)
    if not isinstance(result, Unknown):
        return result
    if system.honours_keys(what):
        return Retry(reason=f"{result.reason}; safe to repeat, the system honours the key")
    if not system.can_find(what):
        return result
    found = await _ask(system, order, "find", within_s)
    if isinstance(found, Accepted):
        return found
    if isinstance(found, Retry):
        return found if was_interrupted else None
    return None if attempts < limits.attempts_max else found


async def _ask(system: System, order: Order, how: str, within_s: float) -> SendResult:
    try:
        async with asyncio.timeout(within_s):
            result: object = await (system.write(order) if how == "write" else system.find(order))
    except TimeoutError:
        return Unknown(reason=f"no answer within {within_s:g} s")
    except Exception as error:  # noqa: BLE001 - whatever broke in the adapter, the bytes may have left
        return Unknown(reason=f"{type(error).__name__}: {error}")
    if not isinstance(result, Accepted | Rejected | Retry | Unknown):
        return Unknown(reason=f"the system answered a {type(result).__name__}, which says nothing")
    return result
