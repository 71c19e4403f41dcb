"""What a verdict on a planted draft means: caught or missed. It sends nothing, because there is nobody to send to."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from understudy.effects.labelling import graded
from understudy.ports.clock import Clock
from understudy.ports.store import Transaction
from understudy.records.review import Verdict, VerdictKind
from understudy.records.reviewing import SeedOutcome
from understudy.records.turn import Turn, TurnState
from understudy.stats.severity import LOSSES, Grade

MENDS_FROM: Final = LOSSES[Grade.MAJOR]
"""An edit mends a known-bad draft if it changes facts or meaning; other words for the same mistake do not."""


def is_caught(tx: Transaction, verdict: Verdict) -> bool:
    """Whether a verdict would have kept the known-bad draft from the customer."""
    match verdict.kind:
        case VerdictKind.APPROVE:
            return False
        case VerdictKind.EDIT:
            return graded(tx, verdict).loss >= MENDS_FROM
        case VerdictKind.REJECT | VerdictKind.RESPOND | VerdictKind.TAKE_OVER:
            return True


def settle_seed(
    tx: Transaction, clock: Clock, turn: Turn, *, kind: VerdictKind, is_caught: bool, reviewer: str
) -> None:
    """Write what a reviewer made of a planted draft; its turn is over."""
    _end(tx, clock, turn, SeedOutcome.CAUGHT if is_caught else SeedOutcome.MISSED, kind=kind, reviewer=reviewer)


def withdraw_seed(tx: Transaction, clock: Clock, turn: Turn) -> None:
    """Take a planted draft back that nobody judged in time."""
    _end(tx, clock, turn, SeedOutcome.UNJUDGED)


def _end(
    tx: Transaction,
    clock: Clock,
    turn: Turn,
    outcome: SeedOutcome,
    *,
    kind: VerdictKind | None = None,
    reviewer: str | None = None,
) -> None:
    now = clock.now()
    seed = tx.seeds.of_turn(turn.id)
    assert seed is not None, f"turn {turn.id} is planted and there is no seed of it"
    tx.turns.advance(turn, TurnState.SPENT, finished_at=now)
    tx.seeds.change(replace(seed, outcome=outcome, verdict=kind, reviewer=reviewer, judged_at=now))
    tx.ledger.append(
        "seed.judged",
        at=now,
        turn_id=turn.id,
        conversation_id=turn.conversation_id,
        actor=reviewer or "system",
        seed=seed.id,
        outcome=outcome.value,
        kind=None if kind is None else kind.value,
    )
