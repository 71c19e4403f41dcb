"""A business with a past, for what shows figures: weeks of turns written straight into a store, all alike for one seed.

The agent got better half-way: more leaves by itself, less is edited. One topic stays hard.
"""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from typing import Any

from understudy.ports.store import Transaction
from understudy.records.assessment import DecisionKind
from understudy.records.conversation import Author, Conversation, Inbound, Message, Mode
from understudy.records.feedback import Feedback, FeedbackKind
from understudy.records.review import Hold, HoldKind, HoldState, Verdict, VerdictKind
from understudy.records.reviewing import Judgement
from understudy.records.turn import Turn, TurnState

TOPICS = {"delivery": 9, "returns": 7, "orders": 6, "refunds": 4, "warranty": 2, "other": 1}
CHANNELS = {"webchat": 6, "email": 3, "sms": 1}
FINDINGS = {
    "grounding.unsupported_money": 5,
    "grounding.unsupported_date": 4,
    "quality.misses_question": 4,
    "escalation.wants_person": 3,
    "escalation.anger": 2,
    "exposure.phone_number": 2,
    "policy.promise": 2,
    "injection.instruction": 1,
}
REASONS = {"wrong_information": 4, "not_answered": 3, "incomplete": 2, "needs_person": 2, "wrong_tone": 1}
ASKED = {
    "delivery": "Where is my kettle? It was to come on Tuesday.",
    "returns": "Do you pay the return postage for kettles?",
    "orders": "Can I still change the colour of my order?",
    "refunds": "You charged me twice. When do I get my money back?",
    "warranty": "The lid broke after three weeks. Is that covered?",
    "other": "Do you ship to Iceland?",
}
CUSTOMERS = ("Ann Lee", "Bo Chen", "Carla Ruiz", "Dev Patel", "Eva Novak", "Finn Olsen", "Gia Romano", "Hugo Weiss")


class Past:
    """Writes one turn after the other. `share` in [0, 1] is how far from the beginning a turn is."""

    def __init__(self, tx: Transaction, *, seed: int = 7) -> None:
        self._tx = tx
        self._draw = random.Random(seed)
        self._number = 0

    def turn(self, at: datetime, share: float) -> None:
        """Write a turn decided at a moment, with what followed."""
        self._number += 1
        topic, channel = self._one(TOPICS), self._one(CHANNELS)
        is_hard, better = topic == "refunds", share > 0.5
        alone = 0.1 if is_hard else 0.55 if better else 0.32
        kinds = {DecisionKind.DELIVER: alone, DecisionKind.HAND_OFF: 0.12, DecisionKind.HOLD: 0.86 - alone}
        kind = self._one({**kinds, DecisionKind.DEGRADE: 0.02})
        found = [self._one(FINDINGS)] if self._draw.random() < (0.45 if is_hard else 0.22) else []
        took_s = self._draw.lognormvariate(1.0 if kind is DecisionKind.DELIVER else 5.5, 0.8)
        is_open = kind is DecisionKind.HAND_OFF and self._draw.random() < 0.2
        reasons = {DecisionKind.DELIVER: "threshold_met", DecisionKind.HOLD: "level_assist"}
        turn = Turn(
            id=f"past-{self._number:06}",
            position=0,
            conversation_id=self._conversation(channel, topic, at),
            channel=channel,
            state=TurnState.HANDED_OFF if is_open else TurnState.ANSWERED,
            token=3,
            due_at=None,
            topic=topic,
            agent_version="shop-agent v8" if better else "shop-agent v7",
            decision=kind,
            reasons=(reasons.get(kind) or (found[0] if found and "escalation" in found[0] else "agent_failed"),),
            confidence=0.8,
            rulebook_id=None,
            is_audited=False,
            superseded_by=None,
            trace=None,
            created_at=at - timedelta(seconds=1),
            decided_at=at,
            finished_at=at + timedelta(seconds=took_s),
            findings=tuple(found),
        )
        self._tx.turns.add(turn)
        self._say(turn, topic, at)
        self._follow(turn, at, took_s, is_hard=is_hard, better=better)

    def _follow(self, turn: Turn, at: datetime, took_s: float, *, is_hard: bool, better: bool) -> None:
        draw = self._draw.random
        if turn.decision is DecisionKind.HOLD or (turn.decision is DecisionKind.DELIVER and draw() < 0.1):
            self._judge(turn, at, took_s, edits=0.3 if is_hard else 0.12 if better else 0.24)
        if draw() < 0.2:
            kinds = {
                FeedbackKind.THUMBS_UP: 7,
                FeedbackKind.THUMBS_DOWN: 4 if is_hard else 2,
                FeedbackKind.COMPLAINT: 1,
            }
            kind = self._one({**kinds, FeedbackKind.RECONTACT: 3 if turn.decision is DecisionKind.DELIVER else 0})
            self._tx.feedback.add(
                Feedback(turn_id=turn.id, kind=kind, by="customer", at=at + timedelta(seconds=took_s + 60))
            )

    def _judge(self, turn: Turn, at: datetime, took_s: float, *, edits: float) -> None:
        is_draft = turn.decision is DecisionKind.HOLD
        verdicts = {VerdictKind.APPROVE: 0.9 - edits, VerdictKind.EDIT: edits, VerdictKind.REJECT: 0.08}
        kind = self._one(verdicts)
        reasons = (self._one(REASONS),) if kind is VerdictKind.REJECT else ()
        hold = Hold(
            id=f"hold-{turn.id}",
            version=2,
            kind=HoldKind.DRAFT if is_draft else HoldKind.AUDIT,
            state=HoldState.DECIDED,
            turn_id=turn.id,
            conversation_id=turn.conversation_id,
            channel=turn.channel,
            topic=turn.topic,
            priority=5,
            reasons=turn.reasons,
            claimed_by=None,
            claimed_until=None,
            created_at=at,
            expires_at=at + timedelta(minutes=15),
            raised_at=at + timedelta(minutes=15) if self._draw.random() < 0.06 else None,
            closed_at=at + timedelta(seconds=took_s),
            superseded_by=None,
        )
        self._tx.holds.add(hold)
        verdict = Verdict(
            id=f"verdict-{turn.id}",
            hold_id=hold.id,
            turn_id=turn.id,
            kind=kind,
            text="In other words." if kind is VerdictKind.EDIT else None,
            reasons=reasons,
            severity=None,
            reviewer=self._draw.choice(["Rosa", "Tom", "Mia"]),
            at=at + timedelta(seconds=took_s),
        )
        self._tx.verdicts.add(verdict)
        self._tx.reviews.add(
            Judgement(
                verdict_id=verdict.id,
                reviewer=verdict.reviewer,
                hold_kind=hold.kind,
                kind=kind,
                took_s=self._draw.lognormvariate(3.0, 0.5),
                words=30,
                at=verdict.at,
            )
        )

    def _conversation(self, channel: str, topic: str, at: datetime) -> str:
        name = f"past-{channel}-{topic}-{self._number}"
        inbound = Inbound(
            provider_id=name, external_id=name, address=name, text="", contact_name=self._draw.choice(CUSTOMERS)
        )
        contact = self._tx.contacts.resolve(channel, inbound, new_id=f"contact-{name}", now=at)
        self._tx.conversations.add(
            Conversation(
                id=f"conv-{name}",
                contact_id=contact.id,
                channel=channel,
                external_id=name,
                address=name,
                mode=Mode.AGENT,
                taken_by=None,
                created_at=at,
            )
        )
        return f"conv-{name}"

    def _say(self, turn: Turn, topic: str, at: datetime) -> None:
        self._tx.messages.add(
            Message(
                seq=0,
                id=f"msg-{turn.id}",
                conversation_id=turn.conversation_id,
                turn_id=turn.id,
                author=Author.CUSTOMER,
                author_name=None,
                text=ASKED[topic],
                at=at,
                provider_id=None,
            ),
            channel=turn.channel,
        )

    def _one(self, weights: dict[Any, float]) -> Any:
        return self._draw.choices(list(weights), list(weights.values()))[0]


def write_past(store: Any, *, now: datetime, days: int = 56, per_day: int = 40) -> None:
    """Write so many days up to now, so many turns in each."""

    def step(tx: Transaction) -> None:
        past = Past(tx)
        count = days * per_day
        for number in range(count):
            past.turn(now - timedelta(days=days) * (1 - number / count) - timedelta(minutes=5), number / count)
        tx.ledger.append("test.past", at=now)

    store.write_now(step)
