"""Where one reviewer sits: the hold on their screen, and the ways to ask them something; it decides nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from rich.console import Console
from rich.text import Text

from understudy.cli.keyboard import Keyboard
from understudy.cli.plain_text import shown
from understudy.cli.review_chat import ChatClient
from understudy.cli.review_claim import Claim, ClaimClient
from understudy.client.models import ActionChoice, Decided, Hold, HoldDetail

KEY_POLL_S = 1.0
"""How soon a reviewer who is reading learns that the hold is gone."""


class ReviewClient(ClaimClient, ChatClient, Protocol):
    """The calls of `understudy.client.client.Client` that the terminal uses."""

    def holds(self) -> Iterator[Hold]:
        """Go through the queue."""
        ...

    def approve(
        self, hold_id: str, /, *, version: int, topic: str | None = None, actions: Sequence[ActionChoice] = ()
    ) -> Decided:
        """Send the draft as it is."""
        ...

    def edit(
        self,
        hold_id: str,
        text: str,
        /,
        *,
        version: int,
        topic: str | None = None,
        actions: Sequence[ActionChoice] = (),
    ) -> Decided:
        """Send a text in place of the draft."""
        ...

    def reject(
        self,
        hold_id: str,
        /,
        *,
        version: int,
        reasons: Sequence[str] = (),
        text: str | None = None,
        topic: str | None = None,
    ) -> Decided:
        """Refuse the draft."""
        ...

    def respond(
        self,
        hold_id: str,
        text: str,
        /,
        *,
        version: int,
        topic: str | None = None,
        actions: Sequence[ActionChoice] = (),
    ) -> Decided:
        """Answer in the reviewer's own words."""
        ...

    def take_over(self, hold_id: str, /, *, version: int, topic: str | None = None) -> Decided:
        """Take the conversation over."""
        ...


@dataclass(kw_only=True)
class Desk:
    """What one reviewer uses, what they skipped, what they did."""

    client: ReviewClient
    console: Console
    keys: Keyboard
    edit_text: Callable[[str], str | None]
    now: Callable[[], datetime]
    heartbeat_s: float
    skipped: set[str] = field(default_factory=set)
    tally: Counter[str] = field(default_factory=Counter)
    idle_note: str = ""

    def say(self, words: str, style: str = "") -> None:
        """Print a line; nothing in it is taken for markup."""
        self.console.print(shown(words, style))

    def key(self, claim: Claim) -> str | None:
        """Wait for a key; None as soon as the claim is lost."""
        while claim.lost is None:
            key = self.keys.key(KEY_POLL_S)
            if key and claim.lost is None:
                return key.lower()
        return None

    def choose(self, claim: Claim, question: str, wanted: str) -> str | None:
        """Ask until one of the `wanted` keys comes; None as soon as the claim is lost."""
        self.say(question, "bold")
        while True:
            key = self.key(claim)
            if key is None or key in wanted:
                return key

    def ask_line(self, question: str) -> str:
        """Ask for a line."""
        self.console.print(Text(question, style="bold"), end="")
        return (self.keys.line() or "").strip()


@dataclass(kw_only=True)
class Look:
    """One hold on the screen, under a claim; `place` says where in the queue it is, `topic` what the reviewer says the
    turn is about, `choices` what they said of its proposed actions."""

    detail: HoldDetail
    claim: Claim
    place: str
    topic: str | None = None
    choices: tuple[ActionChoice, ...] = ()

    @property
    def id(self) -> str:
        """The hold's id."""
        return self.detail.hold.id

    @property
    def version(self) -> int:
        """The version that is on the screen: a verdict on another one is refused."""
        return self.detail.hold.version
