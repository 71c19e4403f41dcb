"""A turn record from a file as evidence, so that history is assessed exactly like live turns; it reads no file."""

from __future__ import annotations

from understudy.assessment.topic import topic_of
from understudy.records.action_rules import unused
from understudy.records.evidence import NO_MOMENT, Evidence
from understudy.records.rulebook import Rules
from understudy.records.wire import TurnRecord, burst_length


def evidence_of(record: TurnRecord, rules: Rules) -> Evidence:
    """What a record shows: its messages and draft. What else was sent it cannot know."""
    messages, draft = record.chat(), record.draft_record()
    return Evidence(
        turn_id=record.id,
        conversation_id=record.conversation_id or record.id,
        channel=record.channel,
        topic=topic_of(record.topic, draft, messages, rules),
        at=record.moment() or NO_MOMENT,
        messages=messages,
        burst=burst_length(messages),
        draft=draft,
        contact=record.contact_facts(),
        uses=unused(rules.actions),
    )
