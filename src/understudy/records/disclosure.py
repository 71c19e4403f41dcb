"""How customers are told that an AI writes to them: the approved words, where they stand, what was said; when they are due stands in `effects/`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum


class Shown(StrEnum):
    """Where the words stand: before the reply, in the *message*; by the *channel* itself, such as a chat page's line or a
    mail's foot; or shown by the *caller* of the API, who has the conversation."""

    MESSAGE = "message"
    CHANNEL = "channel"
    CALLER = "caller"


class Why(StrEnum):
    """Why it is said: nothing of an AI was disclosed here before; somebody else wrote since; so much time went by."""

    FIRST = "first"
    AFTER_OTHERS = "after_others"
    AFTER_PAUSE = "after_pause"


@dataclass(frozen=True, slots=True, kw_only=True)
class DisclosureText:
    """Words in one language; `short` is said where the whole leaves no room for the reply."""

    text: str
    short: str
    version: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Disclosure:
    """What one message tells, in which language and version, and why it does."""

    language: str
    version: int
    text: str
    shown: Shown
    why: Why

    @property
    def name(self) -> str:
        """Language and version, such as de@2."""
        return f"{self.language}@{self.version}"

    def before(self, text: str) -> str:
        """The reply as the customer reads it."""
        return f"{self.text}\n\n{text}" if self.shown is Shown.MESSAGE else text


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelDisclosure:
    """How a channel discloses. `texts` by language; `language` is the one for a conversation whose own has no text.

    `again_after` None: however long nothing was said.
    """

    shown: Shown
    texts: Mapping[str, DisclosureText]
    language: str
    again_after: timedelta | None = None

    def __post_init__(self) -> None:
        if self.language not in self.texts:
            raise ValueError(f"there is no text in {self.language!r}, only in {sorted(self.texts)}")

    def said(self, language: str | None, why: Why, *, room: int | None) -> Disclosure:
        """The words in a language, short where more than `room` characters are too many."""
        chosen = language if language in self.texts else self.language
        assert chosen is not None, "the configured language has a text"
        words = self.texts[chosen]
        is_long = self.shown is Shown.MESSAGE and room is not None and len(words.text) > room
        text = words.short if is_long else words.text
        return Disclosure(language=chosen, version=words.version, text=text, shown=self.shown, why=why)


def as_read(text: str, disclosure: Disclosure | None) -> str:
    """A message as the customer reads it: the words that it tells, then what it says."""
    return text if disclosure is None else disclosure.before(text)


SEPARATOR_CHARS = 2
"""Between the words and the reply: an empty line."""
