"""A draft judged by a second reviewer who does not know what the first one said; when they differ, the worse counts.

It is drawn by chance and not by what the first said: only looking again at what was called bad would make drafts better
on paper than they are. Nothing is sent on a second verdict.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from understudy.effects.holds import open_hold
from understudy.effects.labelling import given_by, label
from understudy.ports.clock import Clock
from understudy.ports.store import Transaction
from understudy.records.autonomy import NOTHING_SAID, Candidate, Label, Outcome
from understudy.records.review import Hold, HoldKind, Verdict
from understudy.records.reviewing import SecondReview
from understudy.records.turn import Turn
from understudy.stats.severity import Severity

PRIORITY_SECOND: Final = 8
"""Nobody waits for it but the evidence."""
OTHERS_WITHIN: Final = timedelta(days=7)
"""Where nobody else reviewed for so long, nobody is asked: the evidence would only wait in vain."""


def may_be_seconded(candidate: Candidate) -> bool:
    """Whether a second look at a draft would be evidence: it counts at all, and its label did not come too late."""
    return candidate.is_sampled and candidate.label is not None and candidate.label.outcome is not Outcome.TIMEOUT


def ask_second(
    tx: Transaction, clock: Clock, turn: Turn, candidate: Candidate, *, first: str, within: timedelta
) -> Hold | None:
    """Put a labelled draft before anybody but its first reviewer; its label waits, at most `within`.

    None where there is nobody else.
    """
    now = clock.now()
    if not tx.reviews.has_other(first, since=now - OTHERS_WITHIN):
        return None
    hold = open_hold(
        tx,
        clock,
        turn,
        kind=HoldKind.SECOND,
        reasons=("second_review",),
        priority=PRIORITY_SECOND,
        expires_after_s=None,
    )
    tx.reviews.bar(hold.id, first)
    tx.candidates.judge(candidate, candidate.label, second_due_at=now + within)
    tx.ledger.append(
        "review.second_asked",
        at=now,
        turn_id=turn.id,
        conversation_id=turn.conversation_id,
        hold=hold.id,
        candidate=candidate.seq,
        until=(now + within).isoformat(),
    )
    return hold


def unblind(tx: Transaction, conversation_id: str, reviewer: str) -> None:
    """Keep the second reviews of a conversation from whoever works in it: they see what came of the first verdicts."""
    for hold in tx.holds.open_of_conversation(conversation_id):
        if hold.kind is HoldKind.SECOND and not tx.reviews.is_barred(hold.id, reviewer):
            tx.reviews.bar(hold.id, reviewer)


def settle_second(tx: Transaction, clock: Clock, hold: Hold, verdict: Verdict) -> None:
    """Keep both judgements, and let the worse be the draft's label."""
    candidate = tx.candidates.of_turn(hold.turn_id)
    assert candidate is not None, f"turn {hold.turn_id} is reviewed a second time and is no candidate"
    assert candidate.label is not None, f"turn {hold.turn_id} is reviewed a second time and was not judged"
    first, second = candidate.label, given_by(tx, verdict)
    review = SecondReview(
        hold_id=hold.id, candidate=candidate.seq, turn_id=hold.turn_id, first=first, second=second, at=verdict.at
    )
    tx.reviews.add_second(review)
    tx.ledger.append(
        "review.second_given",
        at=clock.now(),
        turn_id=hold.turn_id,
        conversation_id=hold.conversation_id,
        actor=verdict.reviewer,
        hold=hold.id,
        candidate=candidate.seq,
        outcome=second.outcome.value,
        loss=second.loss,
        severe=second.is_severe,
    )
    counted = worse(first, second)
    said = Severity(loss=counted.loss, is_severe=counted.is_severe)
    label(tx, clock, candidate, outcome=counted.outcome, said=said, by=counted.by)


def worse(first: Label, second: Label) -> Label:
    """The label that counts: of two that say something the worse, severe before any loss; the first where they agree."""
    said = [one for one in (first, second) if one.outcome not in NOTHING_SAID]
    return max(said, key=lambda one: (one.is_severe, one.loss)) if said else first
