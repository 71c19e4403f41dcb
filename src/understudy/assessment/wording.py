"""Words and sentences of a text, and the words that carry no fact; it knows no check and no entity.

Lists of words are English. They are data: another language is another tuple.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain

_APOSTROPHES = dict.fromkeys(map(ord, "\u2018\u2019\u02bc"), "'")
_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff]")
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Visible:
    """A text without what nobody sees, with straight apostrophes, and where its characters stood; None = at the same
    place."""

    text: str
    places: tuple[int, ...] | None = None

    def place(self, at: int) -> int:
        """Where the character `at` of the visible text stood."""
        return at if self.places is None else self.places[at]


def visible(text: str) -> Visible:
    """Leave out invisible characters, by which a phrase would pass unseen."""
    plain = text.translate(_APOSTROPHES)
    if plain.isascii() or not _INVISIBLE.search(plain):
        return Visible(text=plain)
    places = tuple(at for at, character in enumerate(plain) if not _INVISIBLE.match(character))
    return Visible(text="".join(plain[at] for at in places), places=places)


def words(text: str) -> list[str]:
    """List the words and numerals of a text in order, in lower case, with straight apostrophes."""
    return _WORD.findall(text.lower().replace("\u2019", "'"))


def lowered_in_place(text: str) -> str:
    """Write a text in lower case so that offsets stay: the few letters whose lower case is longer remain."""
    lowered = text.lower()
    if len(lowered) == len(text):
        return lowered
    return "".join(low if len(low := letter.lower()) == 1 else letter for letter in text)


def worded(text: str) -> list[tuple[str, int, int]]:
    """List the words of a text as `words` does, each with where it begins and ends."""
    return [(match[0].lower().replace("\u2019", "'"), match.start(), match.end()) for match in _WORD.finditer(text)]


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
    return tuple(each_sentence(text))


def each_sentence(text: str) -> Iterator[Sentence]:
    """Give what `sentences` lists one after the other, for whoever need not read all."""
    start = 0
    for end in chain((match.end() for match in _SENTENCE_END.finditer(text)), (len(text),)):
        piece = text[start:end].lstrip()
        if piece:
            yield Sentence(start=end - len(piece), text=piece.rstrip())
        start = end
