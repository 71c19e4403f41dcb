"""The drafting agent as a port: it proposes text and says what the text rests on; it never sends anything."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from understudy.records.evidence import ChatMessage, ContactFacts, Draft
from understudy.records.release import Chosen


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftRequest:
    """What the agent is asked. `messages` end with the customer's; `deadline_s` is the time left for this attempt.

    `traceparent` is a W3C trace context header value that joins the agent's own spans to the turn's trace. `chosen` says
    which release of which agent drafts for this conversation, where an agent has releases. `is_rehearsal`: the draft is
    only looked at and never sent, so nothing must be done for it.
    """

    turn_id: str
    conversation_id: str
    channel: str
    topic: str | None
    messages: tuple[ChatMessage, ...]
    contact: ContactFacts
    deadline_s: float
    traceparent: str | None = None
    chosen: tuple[Chosen, ...] = ()
    is_rehearsal: bool = False


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
