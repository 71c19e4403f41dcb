"""Complete the evidence of a turn from the store: conversation, contact, topic, quota, the audit coin. It judges nothing."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TypeVar

from understudy.assessment.cards import mask_all, mask_cards
from understudy.assessment.topic import NamedTopic, name_topic
from understudy.effects.acting import uses_of
from understudy.effects.handing_back import carry_note, note_for
from understudy.effects.trust import cap_in_force
from understudy.effects.vouching import is_verified
from understudy.errors import MalformedInput
from understudy.ports.agent import DraftRequest
from understudy.ports.clock import Clock
from understudy.ports.store import Transaction
from understudy.records.acting import as_tool_traffic
from understudy.records.action_rules import ActionUse
from understudy.records.assessment import DecisionKind
from understudy.records.codec import build, canonical, fitted, load, plain
from understudy.records.conversation import Author, Contact, Conversation, Message, Mode
from understudy.records.evidence import (
    Action,
    ChatMessage,
    ContactFacts,
    Draft,
    Evidence,
    Opinion,
    Passage,
    PastReply,
    PipelineStep,
    ToolCall,
)
from understudy.records.facts import Facts, Proof
from understudy.records.offered import with_proposals
from understudy.records.release import Chosen
from understudy.records.rulebook import Rules
from understudy.records.trust import CapOf
from understudy.records.turn import Turn, TurnState
from understudy.records.wire import burst_length
from understudy.turn.elsewhere import NOTHING, elsewhere_of, is_theirs, keep_elsewhere
from understudy.turn.owing import owed_to

R = TypeVar("R", ToolCall, Passage, Action, PipelineStep)

QUOTA_WINDOW = timedelta(hours=1)
MESSAGES_MAX = 200
"""How many of a conversation's latest messages an agent and an assessment see."""
ACTS_MAX = 50
"""And how many of the latest actions in it."""

NAME_CHARS_MAX = 200
"""How much of the name of a topic or an agent version is kept."""

NOT_ASKED = "not_asked: a person had this conversation and handed it back before this turn was decided"
"""Stands for the agent's error where nobody asked it because a person was going to answer."""

NOT_THEIRS = "not_theirs: it was told of messages of somebody who is no longer proven to be this customer"
"""Stands for the agent's error where a draft may hold what another person wrote."""

MASK = "[card ending "


def transcript_of(tx: Transaction, turn: Turn, rules: Rules) -> tuple[ChatMessage, ...]:
    """The conversation so far in chat form, ending with the customer's messages of this turn.

    Where the business declares actions, those that were carried out stand before them as tool calls with their results.
    """
    given = tx.artifacts.get(turn.id, "transcript")
    if given is not None:
        messages = tuple(build(ChatMessage, message) for message in json.loads(given))
        end = len(messages) - burst_length(messages)
        said = tx.messages.of_conversation(turn.conversation_id, limit=MESSAGES_MAX)
        return (*messages[:end], *note_for(tx, turn, said), *_acts(tx, turn, rules), *messages[end:])
    said = tx.messages.of_conversation(turn.conversation_id, limit=MESSAGES_MAX)
    before, own = _split(said, turn)
    return (*before, *note_for(tx, turn, said), *_acts(tx, turn, rules), *own)


def _acts(tx: Transaction, turn: Turn, rules: Rules) -> tuple[ChatMessage, ...]:
    """What was done in the conversation beside talking, oldest first."""
    if not rules.actions:
        return ()
    acted = tx.actions.of_conversation(turn.conversation_id, limit=ACTS_MAX)
    return tuple(message for entry in acted if entry.turn_id != turn.id for message in as_tool_traffic(entry))


def _split(messages: Sequence[Message], turn: Turn) -> tuple[list[ChatMessage], list[ChatMessage]]:
    # A reply that was sent between two messages of the burst stands before the burst: the burst is what is answered.
    before: list[ChatMessage] = []
    own: list[ChatMessage] = []
    for message in messages:
        is_own = message.turn_id == turn.id and message.author is Author.CUSTOMER
        (own if is_own else before).append(_chat(message))
    return before, own


def draft_request(
    tx: Transaction,
    turn: Turn,
    rules: Rules,
    *,
    deadline_s: float,
    chosen: tuple[Chosen, ...] = (),
    proof: Proof = "none",
    timezone: str = "UTC",
) -> DraftRequest:
    """What the agent is asked for this turn, and which release of it."""
    conversation = tx.conversations.get(turn.conversation_id)
    is_known = is_verified(tx, turn, conversation, proof)
    elsewhere = keep_elsewhere(tx, turn, is_verified=is_known)
    carry_note(tx, turn, tx.messages.of_conversation(turn.conversation_id, limit=MESSAGES_MAX))
    return DraftRequest(
        turn_id=turn.id,
        conversation_id=turn.conversation_id,
        channel=turn.channel,
        topic=turn.topic,
        messages=transcript_of(tx, turn, rules),
        contact=_facts(tx.contacts.get(conversation.contact_id), conversation),
        deadline_s=deadline_s,
        traceparent=turn.trace,
        chosen=chosen,
        elsewhere=elsewhere.said,
        owed=owed_to(tx, conversation, elsewhere.group, is_verified=is_known, timezone=timezone),
    )


def gather(
    tx: Transaction,
    clock: Clock,
    turn: Turn,
    *,
    draft: Draft | None,
    agent_error: str | None,
    rules: Rules,
    opinions: tuple[Opinion, ...] = (),
    proof: Proof = "none",
    timezone: str = "UTC",
) -> Evidence:
    """Put together all that the assessment may look at."""
    now = clock.now()
    conversation = tx.conversations.get(turn.conversation_id)
    is_known, elsewhere = is_verified(tx, turn, conversation, proof), elsewhere_of(tx, turn)
    if not is_theirs(tx, conversation, elsewhere.group):
        draft, agent_error, elsewhere = None, NOT_THEIRS, NOTHING
    if draft is None and agent_error is None and conversation.mode is Mode.AGENT:
        agent_error = NOT_ASKED
    messages = transcript_of(tx, turn, rules)
    named = _named_topic(tx, turn, draft, messages, rules)
    cap = cap_in_force(tx, clock, conversation.contact_id, rules)
    automatic, degraded = tx.turns.decided_since(named.topic, turn.channel, now - QUOTA_WINDOW)
    return Evidence(
        turn_id=turn.id,
        conversation_id=turn.conversation_id,
        channel=turn.channel,
        topic=named.topic,
        at=now,
        messages=messages,
        burst=burst_length(messages),
        mode=conversation.mode,
        draft=draft,
        agent_error=agent_error,
        contact=_contact(tx, turn, conversation),
        safe_replies_sent=_safe_replies_sent(tx, turn, rules),
        automatic_last_hour=automatic,
        degraded_last_hour=degraded,
        audit_draw=clock.random(),
        masked=_masked(messages),
        opinions=opinions,
        topic_by=named.by,
        topic_guess=named.guess,
        cap=None if cap is None else cap.cause,
        cap_of=None if cap is None else CapOf(turn_id=cap.turn_id, at=cap.at),
        follows=_past_reply(tx, turn),
        facts=facts_of(tx, turn),
        uses=_uses(tx, conversation, rules, now),
        is_verified=is_known,
        group=elsewhere.group,
        elsewhere=elsewhere.said,
        owed=owed_to(tx, conversation, elsewhere.group, is_verified=is_known, timezone=timezone),
    )


def facts_of(tx: Transaction, turn: Turn) -> tuple[Facts, ...]:
    """What systems of record said before the turn's agent was asked."""
    text = tx.artifacts.get(turn.id, "facts")
    return () if text is None else load(tuple[Facts, ...], text)


def keep_facts(tx: Transaction, turn: Turn, facts: tuple[Facts, ...], now: datetime) -> None:
    """Keep what systems of record said with the turn: it is part of its evidence, and of what its agent was told."""
    name = tx.artifacts.put(turn.id, "facts", canonical([plain(one) for one in facts]))
    tx.ledger.append(
        "facts.read",
        at=now,
        turn_id=turn.id,
        conversation_id=turn.conversation_id,
        facts=name,
        read=[[one.system, one.about, one.unknown or "known", round(one.took_ms or 0.0)] for one in facts],
        took_ms=round(max((one.took_ms or 0.0 for one in facts), default=0.0)),
    )


def _uses(tx: Transaction, conversation: Conversation, rules: Rules, now: datetime) -> tuple[ActionUse, ...]:
    """How much of every declared action was let through: whatever else drafts on this evidence is judged by it too."""
    if not rules.actions:
        return ()
    return uses_of(tx, [rule.name for rule in rules.actions], conversation.contact_id, now)


def _named_topic(
    tx: Transaction, turn: Turn, draft: Draft | None, messages: tuple[ChatMessage, ...], rules: Rules
) -> NamedTopic:
    """Name the topic. A turn that is gathered once more keeps what was named before: its messages are the same."""
    before = tx.artifacts.get(turn.id, "evidence") if turn.state is TurnState.ASSESSING else None
    if before is not None:
        evidence = load(Evidence, before)
        return NamedTopic(topic=evidence.topic, by=evidence.topic_by, guess=evidence.topic_guess)
    return name_topic(turn.topic, draft, messages, rules, model=tx.topics.latest())


def fit_draft(draft: Draft) -> Draft:
    """Make a draft fit to be written: what no database takes is replaced, overlong names are cut, card numbers masked, and
    calls of our own tools are the proposals that they are.

    `cards_masked` tells the check of what it can no longer see, and the draft is held. Raises `MalformedInput` where a
    field is not of its kind: code that builds drafts by hand may have put anything there.
    """
    try:
        plain = with_proposals(fitted(Draft, draft))
    except (TypeError, ValueError) as error:
        raise MalformedInput(f"not a draft that can be stored: {error}") from error
    text, cards = mask_cards(plain.text)
    return replace(
        plain,
        text=text,
        cards_masked=cards,
        sources=tuple(_masked_in(source, "text", "title", "url") for source in plain.sources),
        tool_calls=tuple(masked_call(call) for call in plain.tool_calls),
        actions=tuple(_masked_in(action, "arguments") for action in plain.actions),
        pipeline=tuple(_masked_in(step, "input", "output") for step in plain.pipeline),
        topic=None if plain.topic is None else plain.topic[:NAME_CHARS_MAX],
        agent_version=None if plain.agent_version is None else plain.agent_version[:NAME_CHARS_MAX],
    )


def masked_call(call: ToolCall) -> ToolCall:
    """Mask the card numbers in what a tool was given and gave back."""
    return _masked_in(call, "arguments", "result", "error")


def _masked_in(record: R, *names: str) -> R:
    """Mask the card numbers in some fields of a record."""
    values = {name: getattr(record, name) for name in names}
    masked = {name: mask_all(value) for name, value in values.items()}
    return record if masked == values else replace(record, **masked)


def _chat(message: Message) -> ChatMessage:
    if message.author is Author.CUSTOMER:
        return ChatMessage(role="user", content=message.text)
    return ChatMessage(role="assistant", content=message.text, person=message.author is Author.REVIEWER)


def _contact(tx: Transaction, turn: Turn, conversation: Conversation) -> ContactFacts:
    """What is known of the customer: what the caller of this turn gave, and what the channel told."""
    known = _facts(tx.contacts.get(conversation.contact_id), conversation)
    artifact = tx.artifacts.get(turn.id, "contact")
    if artifact is None:
        return known
    given = build(ContactFacts, json.loads(artifact))
    return ContactFacts(
        id=given.id or known.id,
        name=given.name or known.name,
        emails=tuple(sorted({*known.emails, *given.emails})),
        phones=tuple(sorted({*known.phones, *given.phones})),
        tags=given.tags,
    )


def _facts(contact: Contact, conversation: Conversation) -> ContactFacts:
    emails = {contact.email, conversation.address if "@" in conversation.address else None}
    phones = {contact.phone, conversation.address if conversation.address.startswith("+") else None}
    return ContactFacts(
        id=contact.id,
        name=contact.name,
        emails=tuple(sorted(email for email in emails if email)),
        phones=tuple(sorted(phone for phone in phones if phone)),
    )


def _past_reply(tx: Transaction, turn: Turn) -> PastReply | None:
    """The last reply of this conversation before the turn, where it left without a person."""
    for message in reversed(tx.messages.of_conversation(turn.conversation_id, limit=MESSAGES_MAX)):
        if message.author is Author.CUSTOMER or message.turn_id == turn.id:
            continue
        if message.author is not Author.AGENT or message.turn_id is None:
            return None
        past = tx.turns.get(message.turn_id)
        is_automatic = past.decision is DecisionKind.DELIVER
        return PastReply(turn_id=past.id, topic=past.topic, at=message.at) if is_automatic else None
    return None


def _safe_replies_sent(tx: Transaction, turn: Turn, rules: Rules) -> tuple[str, ...]:
    """Which safe replies this conversation has had, by id, since a person or the agent last answered."""
    by_text = {text: reply.id for reply in rules.safe_replies for text in reply.texts}
    sent: list[str] = []
    for message in reversed(tx.messages.of_conversation(turn.conversation_id, limit=MESSAGES_MAX)):
        if message.author is Author.SAFE_REPLY:
            sent.append(by_text.get(message.text, "unknown"))
        elif message.author in (Author.AGENT, Author.REVIEWER):
            break
    return tuple(sorted(sent))


def _masked(messages: tuple[ChatMessage, ...]) -> tuple[str, ...]:
    """Whose words hold a masked card number."""
    customer = any(message.role == "user" and MASK in (message.content or "") for message in messages)
    return ("customer",) if customer else ()
