"""Whatever can put a hand-off in a few lines, as a port: it is shown what a person would read, and what it writes is only read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class SummaryRequest:
    """What is to be put in short: `material` is JSON, all of it data. `deadline_s` is the time there is."""

    turn_id: str
    material: str
    deadline_s: float


class Summariser(Protocol):
    """Anything that writes a summary."""

    @property
    def by(self) -> str:
        """What people are told has written it: the model's name."""
        ...

    async def write(self, request: SummaryRequest) -> tuple[str, ...]:
        """The lines, as they came; raises `AgentError` where there are none. Asking twice must be harmless."""
        ...

    async def check(self) -> str:
        """Say in one line that it can be reached; raises `AgentError` or `ConfigurationError` where it cannot."""
        ...

    async def close(self) -> None:
        """Let go of connections."""
        ...
