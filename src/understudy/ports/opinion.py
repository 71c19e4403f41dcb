"""A second opinion on a draft as a port: a model elsewhere is asked, and what it says is kept as it said it.

It judges nothing here: what an answer means is decided by the check of second opinions, from the stored evidence, so
that a decision can be replayed without asking again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from understudy.records.evidence import ChatMessage, Draft


@dataclass(frozen=True, slots=True, kw_only=True)
class OpinionRequest:
    """What is asked about: the draft and all that was said before it; `deadline_s` is the time there is."""

    turn_id: str
    conversation_id: str
    channel: str
    messages: tuple[ChatMessage, ...]
    draft: Draft
    deadline_s: float
    traceparent: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What was said: a word, or a score in [0, 1] where 1 is good, or both."""

    word: str | None = None
    score: float | None = None


class SecondOpinion(Protocol):
    """Anything that says what it holds of a draft."""

    @property
    def name(self) -> str:
        """The opinion's name in the configuration."""
        ...

    async def ask(self, request: OpinionRequest) -> Said:
        """Say what it holds of the draft; raises `AgentError` where it cannot. Asking twice must be harmless."""
        ...

    async def check(self) -> str:
        """Say in one line that it can be reached; raises `AgentError` or `ConfigurationError` where it cannot."""
        ...

    async def close(self) -> None:
        """Let go of connections."""
        ...
