"""Put a redraft before people, as the turn it was drafted for, in a conversation with nobody; it sends nothing and labels nothing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from understudy.effects.holds import open_hold
from understudy.ports.clock import Clock
from understudy.ports.store import Transaction
from understudy.records.assessment import Assessment, DecisionKind
from understudy.records.codec import dump
from understudy.records.conversation import Author, Conversation, Message, Mode
from understudy.records.evidence import ChatMessage, Evidence
from understudy.records.review import Hold, HoldKind
from understudy.records.turn import Turn, TurnState

PRIORITY_REDRAFT: Final = 8
"""Nobody waits for it but the evidence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What people are shown: the turn's `evidence` with the new draft in it, and its assessment. `turn_id` is the name that
    the redraft has; the evidence has those of the turn it is of."""

    turn_id: str
    evidence: Evidence
    assessment: Assessment


def ask_people(tx: Transaction, clock: Clock, shown: Shown) -> Hold:
    """Open a hold on a redraft. Its turn has no way to a customer, and in its conversation nothing is ever sent."""
    now = clock.now()
    conversation = _rehearsal(tx, clock, shown.evidence)
    turn = tx.turns.add(_turn(shown, conversation, now))
    for number, message in enumerate(shown.evidence.messages):
        if message.role in ("user", "assistant") and message.content:
            is_asked = number >= len(shown.evidence.messages) - shown.evidence.burst
            _say(tx, clock, turn, message, is_asked=is_asked, at=shown.evidence.at)
    documents = {"draft": shown.evidence.draft, "evidence": shown.evidence, "assessment": shown.assessment}
    for kind, document in documents.items():
        tx.artifacts.put(turn.id, kind, dump(document))
    return open_hold(
        tx,
        clock,
        turn,
        kind=HoldKind.REDRAFT,
        reasons=("redraft",),
        priority=PRIORITY_REDRAFT,
        expires_after_s=None,
    )


def _rehearsal(tx: Transaction, clock: Clock, evidence: Evidence) -> Conversation:
    """A conversation with nobody; its address is the name of the true one, which is what reviewers are shown."""
    true = tx.conversations.get(evidence.conversation_id)
    name = clock.new_id("rehearsal")
    conversation = Conversation(
        id=clock.new_id("conv"),
        contact_id=true.contact_id,
        channel=true.channel,
        external_id=name,
        address=true.external_id,
        mode=Mode.REHEARSAL,
        taken_by=None,
        created_at=evidence.at,
    )
    tx.conversations.add(conversation)
    return conversation


def _turn(shown: Shown, conversation: Conversation, now: datetime) -> Turn:
    evidence, assessment = shown.evidence, shown.assessment
    assert evidence.draft is not None, "only what was drafted is shown"
    return Turn(
        id=shown.turn_id,
        conversation_id=conversation.id,
        channel=evidence.channel,
        state=TurnState.REDRAFTED,
        due_at=None,
        topic=evidence.topic,
        agent_version=evidence.draft.agent_version,
        decision=DecisionKind.HOLD,
        reasons=tuple(reason.code for reason in assessment.decision.reasons),
        confidence=None if assessment.confidence is None else assessment.confidence.value,
        rulebook_id=assessment.rulebook_id,
        created_at=now,
        decided_at=now,
    )


def _say(tx: Transaction, clock: Clock, turn: Turn, said: ChatMessage, *, is_asked: bool, at: datetime) -> None:
    author = Author.CUSTOMER if said.role == "user" else Author.REVIEWER if said.person else Author.AGENT
    message = Message(
        seq=0,
        id=clock.new_id("msg"),
        conversation_id=turn.conversation_id,
        turn_id=turn.id if is_asked and author is Author.CUSTOMER else None,
        author=author,
        author_name=None,
        text=said.content or "",
        at=at,
        provider_id=None,
    )
    tx.messages.add(message, channel=turn.channel)
