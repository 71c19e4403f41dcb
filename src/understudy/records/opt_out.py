"""Who wants no messages on a channel, and by which word they say so; what follows from it stands in `effects/` and `delivery/`.

The wish for people instead of the agent is another one, a cap (`trust.py`): whoever has it still gets messages.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

OPTED_OUT: Final = "opted_out"
"""Reason of a hold: somebody is to be answered who wants no messages there."""
WORD_CHARS_MAX: Final = 40
_EDGES = re.compile(r"^[\W_]+|[\W_]+$")
_SPACES = re.compile(r"\s+")


class Wish(StrEnum):
    """No more messages on this channel; or messages again."""

    STOP = "stop"
    START = "start"


@dataclass(frozen=True, slots=True, kw_only=True)
class OptOut:
    """A contact who wants no messages on a channel since `at`; `said` is the word, `confirmation` the one message that may
    still leave, None where the carrier confirms by itself."""

    contact_id: str
    channel: str
    conversation_id: str
    said: str
    at: datetime
    confirmation: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OptOutWords:
    """In one language: the words, and the approved texts that confirm them."""

    stop: tuple[str, ...]
    start: tuple[str, ...]
    stopped: str
    started: str
    version: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class OptOutTerms:
    """On which `channels` the words count, and on which of them we confirm them. `words` by language."""

    channels: frozenset[str] = frozenset()
    confirmed: frozenset[str] = frozenset()
    words: Mapping[str, OptOutWords]

    def said(self, channel: str, text: str) -> tuple[Wish, str] | None:
        """What a whole message says, and in which language; None where it is anything else, or more than the word."""
        if channel not in self.channels or len(text) > WORD_CHARS_MAX:
            return None
        word = as_word(text)
        for wish in Wish:
            for language, own in self.words.items():
                if word in (own.stop if wish is Wish.STOP else own.start):
                    return wish, language
        return None


def as_word(text: str) -> str:
    """A message as it is compared: lower case, without marks around it."""
    return _SPACES.sub(" ", _EDGES.sub("", text)).casefold()
