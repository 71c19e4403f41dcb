"""Assess a past turn again from what was stored; it changes nothing."""

from __future__ import annotations

from understudy.assessment.assess import assess
from understudy.assessment.check import Check
from understudy.assessment.checks import CHECKS
from understudy.ports.store import Transaction
from understudy.records.assessment import Assessment
from understudy.records.codec import load
from understudy.records.evidence import Evidence
from understudy.records.rulebook import Rulebook
from understudy.records.turn import Turn


def judged_by(tx: Transaction, turn: Turn) -> tuple[str, Rulebook]:
    """The evidence and rulebook that a turn is, or was, decided by."""
    text = tx.artifacts.get(turn.id, "evidence")
    assert text is not None, f"turn {turn.id} is being assessed without evidence"
    assert turn.rulebook_id is not None, f"turn {turn.id} is being assessed without a rulebook"
    return text, tx.rulebooks.get(turn.rulebook_id)


def replay(tx: Transaction, turn_id: str, *, checks: tuple[Check, ...] = CHECKS) -> tuple[Assessment, Assessment]:
    """Assess a past turn again from its stored evidence and rulebook: (as recorded, as computed now)."""
    turn = tx.turns.get(turn_id)
    evidence, rulebook = judged_by(tx, turn)
    recorded = tx.artifacts.get(turn_id, "assessment")
    assert recorded is not None, f"turn {turn_id} has no assessment yet"
    return load(Assessment, recorded), assess(load(Evidence, evidence), rulebook, checks=checks)
