"""Read what a hand-off's summary is made of, for tickets and the console alike; its words stand in `assessment/summary.py`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from understudy.assessment.reasons import CAME_LATER, REASONS
from understudy.assessment.summary import Case
from understudy.effects.identity import group_of
from understudy.ports.store import Transaction
from understudy.records.assessment import Assessment
from understudy.records.codec import readable
from understudy.records.conversation import Author, Message
from understudy.records.evidence import Draft, Evidence
from understudy.records.facts import Facts
from understudy.records.pledges import UNKEPT
from understudy.records.summary import WrittenSummary
from understudy.records.turn import Turn

MESSAGES_MAX: Final = 200
PLEDGES_MAX: Final = 50
ANSWERING: Final = (Author.AGENT, Author.REVIEWER)


def case_of(
    tx: Transaction,
    turn: Turn,
    reasons: Sequence[str],
    at: datetime,
    *,
    hold_id: str | None = None,
    key: str = "",
    link: str = "",
) -> Case:
    """The case of a turn that is handed to a person for some reasons, as it stands at a moment; `hold_id` is the hand-off's, where
    there is one. What is owed is what was promised to all contacts that are proven to be this customer."""
    messages = tuple(tx.messages.of_conversation(turn.conversation_id, limit=MESSAGES_MAX))
    contact = tx.contacts.get(tx.conversations.get(turn.conversation_id).contact_id)
    group = group_of(tx, contact.id, is_verified=True)
    assessment = readable(Assessment, tx.artifacts.get(turn.id, "assessment"))
    return Case(
        key=key,
        channel=turn.channel,
        topic=turn.topic,
        words=tuple(_words(reason, assessment) for reason in reasons),
        turn_id=turn.id,
        messages=messages,
        customer=contact.name or "",
        at=at,
        draft=readable(Draft, tx.artifacts.get(turn.id, "draft")),
        agent_error=readable(str, tx.artifacts.get(turn.id, "agent_error")),
        assessment=assessment,
        facts=facts_of_turn(tx, turn.id),
        pledges=tuple(one for one in tx.pledges.of_contacts(group, limit=PLEDGES_MAX) if one.state in UNKEPT),
        cap=tx.caps.of_contact(contact.id),
        short=_short(tx, turn, hold_id, messages),
        link=link,
    )


def _short(tx: Transaction, turn: Turn, hold_id: str | None, messages: Sequence[Message]) -> WrittenSummary | None:
    """What a model wrote of a hand-off. Of a conversation that somebody has by now: of the one before, as long as nobody answered it."""
    if hold_id is not None:
        return tx.summaries.of_hold(hold_id)
    latest = tx.summaries.latest_of(turn.conversation_id)
    if latest is None or any(one.seq > latest.seen_to and one.author in ANSWERING for one in messages):
        return None
    return latest


def _words(code: str, assessment: Assessment | None) -> str:
    """A hold's reason in words: as the decision put it, or as it came to the hold later."""
    decided = () if assessment is None else assessment.decision.reasons
    told = next((one.explanation for one in decided if one.code == code), None)
    return told or REASONS.get(code) or CAME_LATER.get(code) or code.replace("_", " ").replace(".", ", ")


def facts_of_turn(tx: Transaction, turn_id: str) -> tuple[Facts, ...]:
    """What systems of record had said when a turn was decided, or before its agent was asked."""
    evidence = readable(Evidence, tx.artifacts.get(turn_id, "evidence"))
    if evidence is not None and evidence.facts:
        return evidence.facts
    return readable(tuple[Facts, ...], tx.artifacts.get(turn_id, "facts")) or ()
