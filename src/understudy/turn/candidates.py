"""Keep a draft between whose delivery and review nothing but autonomy decided, as evidence for that autonomy."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from understudy.assessment.assess import counted_signals
from understudy.assessment.confidence import score_name
from understudy.effects.evidence import is_evidence
from understudy.ports.store import Transaction
from understudy.records.assessment import Assessment, DecisionKind
from understudy.records.autonomy import Candidate
from understudy.records.evidence import Evidence
from understudy.records.rulebook import Rules
from understudy.records.turn import Turn
from understudy.turn.standing import current_epoch, release_of


def candidate_of(tx: Transaction, evidence: Evidence, assessment: Assessment, rules: Rules) -> dict[str, Any]:
    """What the ledger says of a candidate, so that every certificate can be rebuilt from it alone."""
    assert assessment.confidence is not None, "a candidate has a draft, and a draft has a confidence"
    decision, release = assessment.decision, release_of(evidence)
    return {
        "topic": evidence.topic,
        "channel": evidence.channel,
        "release": release,
        "calibrator": score_name(rules, rules.calibrator),
        "confidence": assessment.confidence.value,
        "delivered": decision.kind is DecisionKind.DELIVER,
        "sampled": decision.is_sampled,
        "rate": decision.sample_rate,
        "repeat": _is_repeat(tx, evidence, release),
    }


def _is_repeat(tx: Transaction, evidence: Evidence, release: str) -> bool:
    """Whether an earlier draft of the conversation is evidence for the same slice and release, or may become it."""
    if len(evidence.messages) == evidence.burst:
        return False  # nothing came before
    return is_evidence(tx, evidence.conversation_id, (evidence.topic, evidence.channel, release))


def add_candidate(
    tx: Transaction,
    turn: Turn,
    evidence: Evidence,
    assessment: Assessment,
    rules: Rules,
    *,
    said: dict[str, Any],
    seq: int,
    judged_within: timedelta,
) -> None:
    """Store a candidate, as the ledger `said` it, under the number of its decision there; one less is left of a burst of
    audits.

    A draft that nobody judged within `judged_within` counts as bad; else whoever skips the bad ones decides.
    """
    assert turn.decided_at is not None, "a candidate is decided"
    tx.candidates.add(
        Candidate(
            seq=seq,
            turn_id=turn.id,
            conversation_id=turn.conversation_id,
            topic=said["topic"],
            channel=said["channel"],
            release=said["release"],
            calibrator=said["calibrator"],
            confidence=said["confidence"],
            signals=tuple(
                (signal.check, signal.score)
                for signal in counted_signals(assessment.signals, assessment.findings, rules)
            ),
            is_delivered=said["delivered"],
            is_sampled=said["sampled"],
            is_repeat=said["repeat"],
            rate=said["rate"],
            decided_at=turn.decided_at,
            due_at=turn.decided_at + judged_within,
        )
    )
    epoch = current_epoch(tx, evidence)
    if epoch is not None and epoch.burst_left and said["delivered"]:
        tx.epochs.change(replace(epoch, version=epoch.version + 1, burst_left=epoch.burst_left - 1), was=epoch.version)
