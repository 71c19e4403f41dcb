"""Words and sentences of a text, and the words that carry no fact; it knows no check and no entity.

Lists of words are English. They are data: another language is another tuple.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

_WORD = re.compile(r"[^\W_]+(?:['\u2019][^\W_]+)?")
_SENTENCE_END = re.compile(r"[.!?\u2026]{1,8}[\"'\u2019\u201d)\]*_]{0,8}(?=\s)|\n+")

_FILLER = """
    a about above after again all already also although always am an and another any anyone anything are as assist
    assistance at back be because been before being below best better between both but by can cannot come could
    dear did do does doing done down during each either else enough ever every everything feel few find first for
    forward free from further get give given go going good got great had happy has have having he hear hello help
    helpful helping her here hi him his hope how however i if in information into is it its just kind kindly know
    let like little look looking made make many may me might more most much must my need needed no not now of off
    on once one only or other our out over own perfect please possible provide question questions reach really
    regarding right same see shall she should since so some someone something soon sorry still such sure take than
    thank thanks that the their them then there these they thing things this those through to today together too
    try under understand understood until up us very want was way we welcome well were what when where whether
    which while who why will wish with within without won would yes yet you your yours
    i'm i'd i'll i've you're you'd you'll you've we're we'd we'll we've it's that's there's here's don't doesn't
    didn't can't couldn't won't wouldn't isn't aren't wasn't weren't haven't hasn't let's apologise apologize
    apologies apology inconvenience patience reaching appreciate glad pleasure absolutely certainly course wonderful
    moment wait ask asking anytime confirm proceed
"""
FILLER = frozenset(_FILLER.split())
"""Words that state nothing: function words and the phrases of politeness."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sentence:
    """A sentence and where it begins in its text, as a character offset."""

    start: int
    text: str

    @property
    def is_question(self) -> bool:
        return self.text.rstrip("\"'\u2019\u201d)]*_ ").endswith("?")


def words(text: str) -> list[str]:
    """List the words and numerals of a text in order, in lower case, with straight apostrophes."""
    return _WORD.findall(text.lower().replace("\u2019", "'"))


def content_words(text: str) -> list[str]:
    """List the words that carry a fact: no filler, no single letters."""
    return [word for word in words(text) if len(word) > 1 and word not in FILLER]


@lru_cache(maxsize=16_384)  # texts repeat their words; single words, and not whose they are, stay in memory
def stem(word: str) -> str:
    """Cut the common English endings, so that *refunds*, *refunded* and *refund* meet; crude on purpose."""
    if word[-1:] not in "sgdy":  # no ending below has another last letter, and most words stop here
        return word[:-1] if word[-1:] == "e" and len(word) > 3 else word
    for ending in ("'s", "ings", "ing", "edly", "ies", "ied", "es", "ed", "ly", "s"):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            return word[: -len(ending)]
    return word[:-1] if word.endswith(("e", "y")) and len(word) > 3 else word


def sentences(text: str) -> tuple[Sentence, ...]:
    """Split a text at line breaks and at full stops, question and exclamation marks followed by a space."""
    parts: list[Sentence] = []
    start = 0
    for end in [match.end() for match in _SENTENCE_END.finditer(text)] + [len(text)]:
        piece = text[start:end]
        stripped = piece.strip()
        if stripped:
            parts.append(Sentence(start=start + len(piece) - len(piece.lstrip()), text=stripped))
        start = end
    return tuple(parts)
