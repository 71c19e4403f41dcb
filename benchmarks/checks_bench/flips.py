"""Sentences of a knowledge base, kept or turned into something that it does not say; for learning, not for measuring.

BEGIN has hardly any reversed policy; these do: a negation more or less, an opposite, another number, a wider scope.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from understudy.assessment.polarity import OPPOSITES
from understudy.assessment.wording import FILLER, sentences, words

_AUXILIARY = re.compile(r"\b(is|are|can|will|must|may|should|does|do|has|have)\b(?! not\b)")
_NOT = re.compile(r"\b(?:not|never) |n't\b")
_NUMBER = re.compile(r"\b[0-9]{1,4}\b")
_LIMIT = re.compile(r"\b(some|most|many|may|only|up to|certain)\b")
_WIDER = {
    "some": "all",
    "most": "all",
    "many": "all",
    "may": "always",
    "only": "always",
    "up to": "over",
    "certain": "any",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Turned:
    """A sentence, what it is held against, and whether it is still carried."""

    document: str
    text: str
    is_carried: bool


def turned_sentences(documents: list[dict[str, Any]], *, seed: int = 4) -> Iterator[Turned]:
    """From each document a few carried sentences and as many that are not, by fixed dice."""
    dice = random.Random(seed)
    for document in documents:
        content = str(document["content"])
        whole = [s.text.strip("#*- ") for s in sentences(content)]
        long = [text for text in whole if 6 <= len(words(text)) <= 40 and not text.endswith("?")]
        for text in dice.sample(long, min(4, len(long))):
            yield Turned(document=content, text=_reworded(text, dice), is_carried=True)
            changed = [one for one in _changes(text, dice) if one and one != text]
            if changed:
                yield Turned(document=content, text=_reworded(dice.choice(changed), dice), is_carried=False)


def _reworded(text: str, dice: random.Random) -> str:
    """What people do to a sentence they pass on: a word of politeness before it, small words left out, an end cut."""
    kept = text.split()
    if dice.random() < 0.5:
        kept = [word for word in kept if word.lower() not in FILLER or dice.random() > 0.15 or word.lower() == "not"]
    if dice.random() < 0.3:
        kept = [dice.choice(("Yes,", "Please note:", "According to our policy,", "As far as I can see,")), *kept]
    return " ".join(kept)


def _changes(text: str, dice: random.Random) -> Iterator[str]:
    if _NOT.search(text):
        yield _NOT.sub("", text, count=1)
    else:
        yield _AUXILIARY.sub(r"\1 not", text, count=1)
    for word in text.split():
        opposites = sorted(OPPOSITES.get(word.lower().strip(".,"), ()))
        if opposites and word.lower() not in ("in", "on", "up", "no", "all", "with"):
            yield text.replace(word, dice.choice(opposites), 1)
    yield _NUMBER.sub(lambda match: str(int(match[0]) + dice.choice((1, 5, 10, 30))), text, count=1)
    yield _LIMIT.sub(lambda match: _WIDER[match[1]], text, count=1)
