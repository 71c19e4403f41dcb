"""Have more of a slice's replies audited; what that means for its autonomy is not known here."""

from __future__ import annotations

from dataclasses import replace

from understudy.ports.clock import Clock
from understudy.ports.store import Transaction
from understudy.records.autonomy import Epoch


def burst(tx: Transaction, clock: Clock, epoch: Epoch, *, replies: int, why: str) -> Epoch:
    """Have the next automatic replies audited, all of them."""
    moved = replace(epoch, version=epoch.version + 1, burst_left=max(epoch.burst_left, replies))
    tx.epochs.change(moved, was=epoch.version)
    tx.ledger.append("autonomy.burst", at=clock.now(), epoch=epoch.id, replies=moved.burst_left, why=why)
    return moved
