"""The texts an assessment holds, by where they come from, so that checks agree on what the agent was given.

It only sorts the evidence; whether a text may carry a claim is each check's own judgement.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from understudy.records.evidence import Draft, Evidence, ToolCall
from understudy.records.facts import Facts
from understudy.records.rulebook import Profile


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A text from outside and its name: a passage's id, or the id or name of the tool call whose result it is."""

    id: str
    text: str


def passages(draft: Draft) -> tuple[Source, ...]:
    """List the passages of a draft, title and link included."""
    return tuple(
        Source(id=passage.id, text="\n".join(part for part in (passage.title, passage.text, passage.url) if part))
        for passage in draft.sources
    )


def tool_calls(evidence: Evidence, draft: Draft) -> tuple[ToolCall, ...]:
    """List every tool call of the conversation and of the draft, oldest first, with its result where one is known."""
    results = {m.tool_call_id: m.content for m in evidence.messages if m.role == "tool" and m.tool_call_id}
    calls = [call for message in evidence.messages for call in message.tool_calls]
    return tuple(
        call
        if call.result is not None or call.error is not None or results.get(call.id) is None
        else ToolCall(id=call.id, name=call.name, arguments=call.arguments, result=results[call.id])
        for call in (*calls, *draft.tool_calls)
    )


def known_facts(evidence: Evidence) -> tuple[Source, ...]:
    """List what systems of record said and what is still fresh, in the form in which tools give it back."""
    known = (one for one in evidence.facts if one.unknown_at(evidence.at) is None)
    return tuple(
        Source(id=one.name, text=json.dumps({one.about: [item.values for item in one.items]}, ensure_ascii=False))
        for one in known
    )


def unknown_facts(evidence: Evidence) -> tuple[Facts, ...]:
    """List what systems of record could not say, or said too long ago."""
    return tuple(one for one in evidence.facts if one.unknown_at(evidence.at) is not None)


def tool_results(evidence: Evidence, draft: Draft) -> tuple[Source, ...]:
    """List what tools gave back, in the conversation and for the draft, oldest first, and what systems of record said."""
    messages = evidence.messages
    calls = (*(call for message in messages for call in message.tool_calls), *draft.tool_calls)
    in_messages = [(m.tool_call_id or m.name or "tool", m.content) for m in messages if m.role == "tool"]
    in_calls = [(call.id or call.name, call.result) for call in calls]
    given = (Source(id=name, text=text) for name, text in (*in_messages, *in_calls) if text)
    return (*given, *known_facts(evidence))


def profile_text(profile: Profile) -> str:
    """Everything the business says of itself, one item a line."""
    return "\n".join((profile.name, *profile.domains, *profile.emails, *profile.phones, *profile.facts))


def business_texts(evidence: Evidence) -> tuple[str, ...]:
    """What the business itself put into the conversation: words of its people and its instructions to the agent."""
    return tuple(m.content for m in evidence.messages if m.content and (m.person or m.role in ("system", "developer")))
