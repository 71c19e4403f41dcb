"""Whoever watches the demo and takes a hand in it: their name, how the story calls them, and what is left to them. They
may do anything at any time, and nothing here stands in their way."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Final, Literal

from understudy.demo.customers import wait_until
from understudy.ports.store import Transaction
from understudy.records.review import Hold, HoldState
from understudy.records.turn import OPEN, Turn

VISITOR: Final = "Sam Rivers"
"""As whom they sign in; customers read it where the visitor writes to them."""
HOLDS_MAX: Final = 500
DRAFTS_A_LOOK: Final = 30
"""So many drafts come in the time in which people look at one thing."""
READ_S: Final = 2.0
"""So long a reviewer reads a draft where somebody watches, and a scene stands still."""

Point = Literal["drafted", "proposed", "promoted", "mistaken", "gated", "out", "handed_off", "owed", "changed"]
"""Where the story gives way: a draft that earns, its promotion proposed and then confirmed, the draft with the mistake, the
release that passed its gate and then is let out; the customer who is handed off, who is owed an answer, who is asked to prove
who they are."""
BRIEF: Final[tuple[Point, ...]] = ("mistaken", "handed_off", "owed", "changed")
Look = Callable[[Point, Callable[[], Awaitable[bool]]], Awaitable[None]]
"""Waits at such a point for whoever watches, no longer than until the second says that there is nothing left to do."""


async def never() -> bool:
    """There is something to see until the time is over."""
    return False


def looking(look_s: float) -> Look:
    """Whoever watches has `look_s` for each turn of events, and a share of it for what comes often; 0 where nobody does."""

    async def look(point: Point, is_over: Callable[[], Awaitable[bool]]) -> None:
        shares = {"drafted": look_s / DRAFTS_A_LOOK, **dict.fromkeys(BRIEF, min(look_s, READ_S))}
        await wait_until(is_over, limit_s=shares.get(point, look_s))

    return look


def told_name(name: str) -> str:
    """How the story calls somebody."""
    return "you" if name == VISITOR else name


def waits_for_others(tx: Transaction, turns: Callable[[Transaction], list[Turn]], now: datetime) -> bool:
    """Whether anything waits that the visitor has not taken upon themselves, in the queue or among the turns, which are
    read only where the queue does not say so already."""
    waiting = tx.holds.queue(state=HoldState.OPEN, after=None, limit=HOLDS_MAX)
    if any(not _is_visitors(tx, hold, now) for hold in waiting):
        return True
    under_way = [turn for turn in turns(tx) if turn.state in OPEN]
    return any(not tx.holds.open_of_turn(turn.id) and not _is_with_visitor(tx, turn) for turn in under_way)


def decided_by_visitor(tx: Transaction, turns: list[Turn]) -> int:
    """How many of the verdicts on these turns are the visitor's."""
    return sum(verdict.reviewer == VISITOR for turn in turns for verdict in tx.verdicts.of_turn(turn.id))


def _is_visitors(tx: Transaction, hold: Hold, now: datetime) -> bool:
    is_claimed = hold.claimed_by == VISITOR and hold.claimed_until is not None and hold.claimed_until > now
    return is_claimed or tx.conversations.get(hold.conversation_id).taken_by == VISITOR


def _is_with_visitor(tx: Transaction, turn: Turn) -> bool:
    return tx.conversations.get(turn.conversation_id).taken_by == VISITOR
