"""What tests of earned autonomy share: terms that are quickly met, and customers and reviewers who meet them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from understudy.learning.ladder import Progress
from understudy.records.autonomy import Epoch, Slice, Targets, Terms
from understudy.records.codec import load
from understudy.records.review import Hold, HoldKind, VerdictKind

Build = Callable[..., Any]
LAX = Targets(risk_max=0.2, severe_max=0.2, delta=0.1, sensitivity=1.0)
LABELS_NEEDED = 11
"""Clean labels that certify LAX on one threshold with all of delta: a pinned count of the mixture (see unit tests)."""
QUICK = Terms(days_min=0.0, reviewers_min=1, probation_audit_rate=1.0, probation_replies=5, audit_rate=1.0, burst=3)


def ask_and_judge(stage: Any, verdict: VerdictKind = VerdictKind.APPROVE, **more: Any) -> Any:
    """One customer asks, one reviewer judges; returns the turn."""
    turn = stage.ask("When does it come?", to=stage.clock.new_id("e"))
    for hold in judgeable(stage):
        if hold.turn_id == turn.id:
            stage.give(hold, verdict, **more)
    stage.settle()
    return stage.turn(turn.id)


def judgeable(stage: Any) -> list[Hold]:
    return [hold for hold in stage.open_holds if hold.kind in (HoldKind.DRAFT, HoldKind.AUDIT)]


def epoch(stage: Any) -> Epoch:
    (found,) = stage.read(lambda tx: tx.epochs.all_open())
    return found


def progress(stage: Any) -> Progress:
    return load(Progress, epoch(stage).progress)


def earn(stage: Any) -> None:
    """Approve drafts until a promotion is proposed, and confirm it."""
    for _ in range(120):
        ask_and_judge(stage)
        found = stage.read(lambda tx: tx.epochs.all_open())
        if found and found[0].proposal is not None:
            break
    stage.run(stage.orders.confirm(Slice(), by="lena"))
