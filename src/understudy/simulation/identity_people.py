"""The people of the world in `identity_world`: their addresses, the marks in their words, the agent that repeats all of them,
and what is counted of what they got. Nothing happens here.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol, TypeVar

from understudy.ports.agent import DraftRequest
from understudy.records.evidence import Draft
from understudy.records.facts import Proof
from understudy.records.outbox import OutboxEntry
from understudy.testing.scripted import RecordingChannel

T = TypeVar("T")

PEOPLE: Final = 6
PROOFS: Final[dict[str, Proof]] = {"mail": "address", "sms": "address", "app": "contact", "webchat": "none"}
"""What the made-up channels vouch for: a proven sender, a number, the business's own software, nobody."""
WINDOW_S: Final = 24 * 3600.0
CODE_TEXT: Final = "Your code is {code}."
LOOKS_MAX: Final = 200
MARK = re.compile(r"<p(\d+)>")
CODE = re.compile(r"code is (\d{6})")


class Dice(Protocol):
    """Seeded dice: `random.Random` is some."""

    def random(self) -> float: ...
    def randrange(self, start: int, stop: int | None = None, /) -> int: ...
    def choice(self, seq: Sequence[T], /) -> T: ...
    def choices(self, population: Sequence[T], weights: Sequence[float] | None = None) -> list[T]: ...
    def sample(self, population: Sequence[T], k: int) -> list[T]: ...


@dataclass(slots=True)
class Tally:
    """What happened. `wrong`: messages that held another person's words, or stood at another person's address."""

    events: int = 0
    sent: int = 0
    elsewhere: int = 0
    codes_right: int = 0
    linked: int = 0
    unlinked: int = 0
    wrong: list[str] = field(default_factory=list)
    kinds: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class Place:
    """An address of a person: where they can be reached on a channel."""

    person: int
    channel: str
    address: str


class TellingChannel(RecordingChannel):
    """A channel that tells the world of all that really arrives."""

    def __init__(self, name: str, arrived: Callable[[OutboxEntry], None], **given: Any) -> None:
        super().__init__(name=name, **given)
        self._arrived = arrived

    def _deliver(self, entry: OutboxEntry) -> None:
        before = len(self.delivered)
        super()._deliver(entry)
        if len(self.delivered) > before:
            self._arrived(entry)


def echo(request: DraftRequest) -> Draft:
    """Repeat all that was told, from every channel: whatever is not this customer's to see would show."""
    said = [one.content or "" for one in request.messages] + [one.text for one in request.elsewhere]
    marks = " ".join(sorted({f"<p{mark}>" for text in said for mark in MARK.findall(text)}))
    return Draft(text=f"Noted, thank you. {marks}", agent="echo", agent_version="v1")


def email(person: int, number: int) -> str:
    """One of a person's addresses."""
    return f"p{person}.{number}@mail.example"
