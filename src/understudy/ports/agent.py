"""The drafting agent as a port: it proposes text and says what the text rests on; it never sends anything."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Protocol

from understudy.records.evidence import ChatMessage, ContactFacts, Draft, Elsewhere, Evidence, Owed, Passage
from understudy.records.facts import Facts
from understudy.records.release import Chosen
from understudy.records.suite import ToolAnswer

REHEARSAL: Final = "rehearsal-"
"""Before the ids that an agent is given for a turn and a conversation that only rehearse."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rehearsal:
    """Says that nobody is behind a request: a case is tried, or a draft is made beside the one that a customer gets.

    Nothing must be done for it, and what the agent would look up is given here where it is known. `case` is the case's or
    the turn's name; `trial` counts from 0; an agent with dice may seed them by it."""

    case: str
    trial: int = 0
    sources: tuple[Passage, ...] = ()
    tools: tuple[ToolAnswer, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftRequest:
    """What the agent is asked. `messages` end with the customer's; `deadline_s` is the time left for this attempt.

    `traceparent` is a W3C trace context header value that joins the agent's own spans to the turn's trace. `rehearsal`
    None: a customer waits. `chosen` says which release of which agent drafts for this conversation, where an agent has
    releases. `facts`: what systems of record know of the customer, and what is unknown and why.
    `elsewhere`: what the same customer, proven to be so, wrote and was told on other channels lately.
    `owed`: what they were promised and still has to be kept.
    """

    turn_id: str
    conversation_id: str
    channel: str
    topic: str | None
    messages: tuple[ChatMessage, ...]
    contact: ContactFacts
    deadline_s: float
    traceparent: str | None = None
    rehearsal: Rehearsal | None = None
    chosen: tuple[Chosen, ...] = ()
    facts: tuple[Facts, ...] = ()
    elsewhere: tuple[Elsewhere, ...] = ()
    owed: tuple[Owed, ...] = ()


def rehearsal_of(evidence: Evidence, chosen: Chosen, *, deadline_s: float) -> DraftRequest:
    """What a release is asked to draft once more, for nobody, what was asked in a turn of the past."""
    return DraftRequest(
        turn_id=REHEARSAL + evidence.turn_id,
        conversation_id=REHEARSAL + evidence.conversation_id,
        channel=evidence.channel,
        topic=evidence.topic,
        messages=evidence.messages,
        contact=evidence.contact,
        deadline_s=deadline_s,
        chosen=(chosen,),
        rehearsal=Rehearsal(case=evidence.turn_id),
        facts=evidence.facts,
        elsewhere=evidence.elsewhere,
        owed=evidence.owed,
    )


class Agent(Protocol):
    """Anything that drafts."""

    @property
    def name(self) -> str:
        """The agent's name in the configuration."""
        ...

    @property
    def version(self) -> str | None:
        """Which version drafts now, where that is known before the draft."""
        ...

    async def draft(self, request: DraftRequest) -> Draft:
        """Propose a reply.

        Raises `AgentUnavailable` (may be tried again), `AgentTimedOut` (the same) or `AgentAnsweredNonsense` (may
        not). Calling twice for one turn must be harmless: a draft is a proposal.
        """
        ...

    async def check(self) -> str:
        """Say in one line that the agent can be reached; raises `AgentError` or `ConfigurationError` where it cannot."""
        ...

    async def close(self) -> None:
        """Let go of connections."""
        ...
