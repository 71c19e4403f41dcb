"""Take what a customer says of a reply: count it, have somebody look, audit more. It gives no verdict on the reply.

What customers say is not a fair sample: drafts that are complained of are worse than others. So a review for that cause
is kept out of the streams that certificates and detectors rest on; it only makes the next random audits come sooner.
"""

from __future__ import annotations

from dataclasses import replace

from understudy.effects.holds import open_hold
from understudy.effects.stirring import burst
from understudy.effects.trust import cap_contact, credit_contact
from understudy.ports.clock import Clock
from understudy.ports.store import Transaction
from understudy.records.assessment import DecisionKind
from understudy.records.autonomy import Candidate
from understudy.records.codec import dump, load
from understudy.records.feedback import DISCONTENT, Feedback, FeedbackKind, FeedbackTerms, Stir
from understudy.records.review import Hold, HoldKind
from understudy.records.trust import CapCause
from understudy.records.turn import Turn
from understudy.stats.complaints import complained, usual_rate
from understudy.stats.detector import Watch

REPLIES_MIN = 500
"""So many automatic replies of a slice say how often they usually stir customers."""
PRIORITY_FOR_CAUSE = 2
CAUSES = {FeedbackKind.COMPLAINT: CapCause.COMPLAINT, FeedbackKind.THUMBS_DOWN: CapCause.THUMBS_DOWN}


def take_feedback(
    tx: Transaction, clock: Clock, turn: Turn, kind: FeedbackKind, *, by: str, terms: FeedbackTerms
) -> Hold | None:
    """Take one kind of feedback on the reply to a turn, once; returns the hold it opens, if any."""
    if any(known.kind is kind for known in tx.feedback.of_turn(turn.id)):
        return None
    now = clock.now()
    candidate = tx.candidates.of_turn(turn.id)
    is_automatic = turn.decision is DecisionKind.DELIVER
    tx.feedback.add(Feedback(turn_id=turn.id, kind=kind, by=by, at=now))
    tx.ledger.append(
        "feedback.given",
        at=now,
        turn_id=turn.id,
        conversation_id=turn.conversation_id,
        actor=by,
        kind=kind.value,
        automatic=is_automatic,
        candidate=None if candidate is None else candidate.seq,
    )
    _mark_contact(tx, clock, turn, kind, by)
    if kind is FeedbackKind.THUMBS_UP or candidate is None or not is_automatic:
        return None
    if kind is FeedbackKind.RECONTACT:
        _count(tx, clock, candidate, Stir.RECONTACT, terms)
        return None
    _audit_more(tx, clock, candidate, terms.burst, why=kind.value)
    _count(tx, clock, candidate, Stir.DISCONTENT, terms)
    return _review_for_cause(tx, clock, turn, kind)


def _mark_contact(tx: Transaction, clock: Clock, turn: Turn, kind: FeedbackKind, by: str) -> None:
    """A customer who is not content with what the agent wrote gets people; a content one is on the way back."""
    if kind is FeedbackKind.THUMBS_UP:
        credit_contact(tx, clock, turn.conversation_id, turn_id=turn.id, actor=by)
    elif kind in DISCONTENT and any(entry.ai_generated for entry in tx.outbox.of_turn(turn.id)):
        cap_contact(tx, clock, turn.conversation_id, CAUSES[kind], turn_id=turn.id, actor=by)


def _review_for_cause(tx: Transaction, clock: Clock, turn: Turn, kind: FeedbackKind) -> Hold | None:
    if any(hold.kind is HoldKind.AUDIT for hold in tx.holds.open_of_turn(turn.id)):
        return None
    return open_hold(
        tx,
        clock,
        turn,
        kind=HoldKind.AUDIT,
        reasons=(kind.value,),
        priority=PRIORITY_FOR_CAUSE,
        expires_after_s=None,
    )


def _count(tx: Transaction, clock: Clock, candidate: Candidate, stir: Stir, terms: FeedbackTerms) -> None:
    """Count it among the slice's replies since the last one, and audit more where it became more frequent than usual."""
    was = tx.feedback.frequency(candidate.topic, candidate.channel, stir)
    replies, seen = tx.candidates.delivered(candidate.topic, candidate.channel, after=was.seen)
    counted = replace(was, replies=was.replies + replies, stirs=was.stirs + 1, seen=seen)
    if counted.usual is None:
        if counted.replies >= REPLIES_MIN:
            counted = replace(counted, usual=usual_rate(counted.replies, counted.stirs))
        tx.feedback.put_frequency(counted)
        return
    watch, has_risen = complained(
        counted.usual, None if counted.watch is None else load(Watch, counted.watch), replies=replies
    )
    counted = replace(counted, watch=dump(watch), rises=counted.rises + has_risen)
    tx.feedback.put_frequency(counted)
    if has_risen:
        tx.ledger.append(
            "feedback.rose",
            at=clock.now(),
            topic=candidate.topic,
            channel=candidate.channel,
            stir=stir.value,
            usual=counted.usual,
            replies=counted.replies,
            stirs=counted.stirs,
        )
        _audit_more(tx, clock, candidate, terms.rise_burst, why=f"{stir.value}_rose")


def _audit_more(tx: Transaction, clock: Clock, candidate: Candidate, replies: int, *, why: str) -> None:
    epoch = tx.epochs.current(candidate.topic, candidate.channel, candidate.release)
    if epoch is not None and epoch.burst_left < replies:
        burst(tx, clock, epoch, replies=replies, why=why)
