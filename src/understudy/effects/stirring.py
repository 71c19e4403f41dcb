"""Have more of a slice's replies audited, or note that one did harm; what that means for its autonomy is not known here."""

from __future__ import annotations

from dataclasses import replace

from understudy.ports.clock import Clock
from understudy.ports.store import Transaction
from understudy.records.autonomy import Candidate, Epoch


def burst(tx: Transaction, clock: Clock, epoch: Epoch, *, replies: int, why: str) -> Epoch:
    """Have the next automatic replies audited, all of them."""
    moved = replace(epoch, version=epoch.version + 1, burst_left=max(epoch.burst_left, replies))
    tx.epochs.change(moved, was=epoch.version)
    tx.ledger.append("autonomy.burst", at=clock.now(), epoch=epoch.id, replies=moved.burst_left, why=why)
    return moved


def note_incident(tx: Transaction, clock: Clock, candidate: Candidate) -> None:
    """Note in the candidate's epoch that its reply did harm, whoever found it and however late.

    The labels of the epoch may have been counted past it, so its own label alone would be seen by nobody.
    """
    epoch = tx.epochs.current(candidate.topic, candidate.channel, candidate.release)
    if epoch is None or candidate.seq <= epoch.after:
        return
    tx.epochs.change(replace(epoch, version=epoch.version + 1, incidents=epoch.incidents + 1), was=epoch.version)
    tx.ledger.append(
        "autonomy.incident", at=clock.now(), turn_id=candidate.turn_id, epoch=epoch.id, candidate=candidate.seq
    )
