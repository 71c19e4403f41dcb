"""Passages of a business's documents in SQLite's full-text index, found by a customer's words; it writes no reply.

Finding: the customer's words without stop words, each quoted, so that nothing in them is query syntax. SQLite ranks
passages by BM25 (Robertson and Zaragoza 2009, as FTS5's `bm25()`) over title, heading and text, words stemmed by
Porter's algorithm. The best `CANDIDATES` are then weighed:

    idf(w)       = ln(1 + (N − n(w) + ½) / (n(w) + ½))           N passages, n(w) of them hold the word w
    coverage     = Σ idf(query words held) / Σ idf(query words)   held by title, heading, two neighbouring units
                                                                  and the line that introduces their list
    named        = Σ idf(query words in title and heading) / Σ idf(words of title and heading), at most 1
    score        = BM25 × coverage × (½ + ½ named)                orders the passages
    strength     = coverage × (0.6 + 0.4 min(1, named / 0.3))     says whether the best one fits at all
    mass         = Σ idf(query words held) / idf(a word that one passage holds)

BM25 has no fixed scale, so it cannot say that nothing fits; coverage can: a rare word that is missing costs much, a
frequent one little, and one that stands nowhere in the documents costs most. `named` tells the page about a thing from
the page that mentions it. `mass` guards against a question whose only known word is one that every page holds.

The numbers were chosen on the policy documents of a fictional bank (651 documents, 2,731 passages) with 30 questions
that they answer, written by hand, and 400 that they do not: of the 30, 22 were answered, 17 of these from a
right page; of the 400, 8 % were answered.
"""

from __future__ import annotations

import math
import re
import sqlite3
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from functools import lru_cache
from threading import Lock
from typing import Literal

from rapidfuzz.distance import OSA
from rapidfuzz.process import extract

from understudy.adapters.agents.documents import Document, Section, is_item
from understudy.adapters.agents.stop_words import STOP_WORDS

PASSAGE_WORDS_MAX = 150
"""A section longer than this is split into passages of about this size, at its units."""
QUERY_WORDS_MAX = 40
"""Words of the customer's burst that are looked up: the first ones, the rest is passed over."""
CANDIDATES = 30
HOLDERS_KEPT = 8192
"""Words whose places are remembered between queries."""
TITLE_WEIGHT, HEADING_WEIGHT, TEXT_WEIGHT = 3.0, 2.0, 1.0
PREFIX_CHARS_MIN = 7
"""A word this long also finds words that begin with it: Porter's stems of deliver and delivery differ."""
TYPO_CHARS_MIN = 5
"""Shorter words are not corrected: too many real words lie one letter apart."""

UNNAMED_SHARE = 0.6
"""What strength keeps of coverage where the question names nothing of the title."""
NAMED_ENOUGH = 0.3
"""The share of the title that a question need name for full strength."""

Place = Literal["passages", "titles", "units"]
_LOOK_UP: dict[Place, str] = {
    "passages": "SELECT rowid FROM passages WHERE passages MATCH ?",
    "titles": "SELECT rowid FROM passages WHERE passages MATCH ?",
    "units": "SELECT rowid FROM units WHERE units MATCH ?",
}
_COLUMNS: dict[Place, str] = {"passages": "", "titles": "{title heading} : ", "units": ""}

_WORD = re.compile(r"[^\W_]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexedPassage:
    """A piece of one section, `units` in order; `text` is what the index and the reviewer see.

    `introductions` says for each unit that is a list item which unit introduces its list ("We deliver to:").
    """

    id: str
    document: Document
    heading: str
    units: tuple[str, ...]
    introductions: tuple[int | None, ...]

    @property
    def title(self) -> str:
        """The document's title and the section's heading."""
        return f"{self.document.title} – {self.heading}" if self.heading else self.document.title

    @property
    def text(self) -> str:
        """The units, one a line."""
        return "\n".join(self.units)


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A passage with how well it fits, as defined above; `number` is its place in the index.

    `score` orders and has no fixed scale; `coverage` and `named` are in [0, 1]; `mass` is at least 0.
    """

    number: int
    passage: IndexedPassage
    score: float
    coverage: float
    named: float
    mass: float

    @property
    def strength(self) -> float:
        """How surely this passage is about the question, in [0, 1]."""
        return self.coverage * (UNNAMED_SHARE + (1 - UNNAMED_SHARE) * min(1.0, self.named / NAMED_ENOUGH))


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """What the customer asked, as words to look up with what each is worth (its idf)."""

    worth: dict[str, float]

    @property
    def total(self) -> float:
        """The worth of all words together."""
        return sum(self.worth.values())


class Knowledge:
    """An index in memory over documents; may be used from several threads, one at a time inside."""

    def __init__(self, documents: Sequence[Document]) -> None:
        self.passages = [passage for document in documents for passage in _passages(document)]
        self._lock = Lock()
        self._db = sqlite3.connect(":memory:", check_same_thread=False)
        tokenizer = "tokenize = 'porter unicode61 remove_diacritics 2'"
        self._db.execute(f"CREATE VIRTUAL TABLE passages USING fts5(title, heading, text, {tokenizer})")
        self._db.execute(f"CREATE VIRTUAL TABLE units USING fts5(text, {tokenizer})")
        self._first_unit = []
        units = 0
        for number, passage in enumerate(self.passages):
            row = (number, passage.document.title, passage.heading, passage.text)
            self._db.execute("INSERT INTO passages (rowid, title, heading, text) VALUES (?, ?, ?, ?)", row)
            self._first_unit.append(units)
            for unit in passage.units:
                self._db.execute("INSERT INTO units (rowid, text) VALUES (?, ?)", (units, unit))
                units += 1
        self._words: dict[str, list[str]] = {}
        for word in sorted({word for p in self.passages for word in words_of(f"{p.title} {p.text}")}):
            if len(word) >= TYPO_CHARS_MIN:
                self._words.setdefault(word[0], []).append(word)
        self._holders = lru_cache(maxsize=HOLDERS_KEPT)(self._look_up)
        self._corrected = lru_cache(maxsize=HOLDERS_KEPT)(self._correct)

    def query(self, text: str) -> Query:
        """Read a customer's text as a query: no stop words, each word once, typing errors of one letter mended."""
        asked = [word for word in words_of(text) if word not in STOP_WORDS and (len(word) > 1 or word.isdigit())]
        with self._lock:
            words = [self._corrected(word) for word in dict.fromkeys(asked[:QUERY_WORDS_MAX])]
            return Query(worth={word: self._idf(len(self._holders("passages", word))) for word in words})

    def search(self, query: Query, *, limit: int) -> list[Found]:
        """Find the best passages, best first; equal ones in the order of the documents."""
        if not query.worth:
            return []
        match = " OR ".join(_quoted(word) for word in query.worth)
        with self._lock:
            rows = self._db.execute(
                "SELECT rowid, bm25(passages, ?, ?, ?) AS rank FROM passages WHERE passages MATCH ? "
                "ORDER BY rank, rowid LIMIT ?",
                (TITLE_WEIGHT, HEADING_WEIGHT, TEXT_WEIGHT, match, CANDIDATES),
            ).fetchall()
            found = [self._weighed(query, rowid, -rank) for rowid, rank in rows]
        found.sort(key=lambda one: -one.score)
        return found[:limit]

    def words_in_units(self, query: Query, found: Found) -> list[set[str]]:
        """Say for each unit of a passage which of the query's words it holds, by their stems."""
        with self._lock:
            return self._in_units(query, found.number)

    def close(self) -> None:
        """Let go of the index."""
        with self._lock:
            self._db.close()

    def _weighed(self, query: Query, number: int, bm25: float) -> Found:
        passage = self.passages[number]
        in_title = {word for word in query.worth if number in self._holders("titles", word)}
        held_by = self._in_units(query, number)
        here = [
            in_title | words | (set() if intro is None else held_by[intro])
            for words, intro in zip(held_by, passage.introductions, strict=True)
        ]
        neighbours = [first | second for first, second in zip(here, [*here[1:], set[str]()], strict=True)]
        held = max(_sum(query.worth, pair) for pair in neighbours)
        coverage = held / query.total
        named = min(_sum(query.worth, in_title) / max(self._title_worth(number), 1e-9), 1.0)
        return Found(
            number=number,
            passage=passage,
            score=bm25 * coverage * (0.5 + 0.5 * named),
            coverage=coverage,
            named=named,
            mass=held / self._idf(1),
        )

    def _in_units(self, query: Query, number: int) -> list[set[str]]:
        first = self._first_unit[number]
        return [
            {word for word in query.worth if first + n in self._holders("units", word)}
            for n in range(len(self.passages[number].units))
        ]

    def _title_worth(self, number: int) -> float:
        words = {word for word in words_of(self.passages[number].title) if word not in STOP_WORDS}
        return sum(self._idf(len(self._holders("passages", word))) for word in words)

    def _idf(self, holders: int) -> float:
        return math.log(1 + (len(self.passages) - holders + 0.5) / (holders + 0.5))

    def _look_up(self, place: Place, word: str) -> frozenset[int]:
        rows = self._db.execute(_LOOK_UP[place], (_COLUMNS[place] + _quoted(word),))
        return frozenset(rowid for (rowid,) in rows)

    def _correct(self, word: str) -> str:
        """Replace a word that stands nowhere by the one it was probably meant to be: one slip away, same first letter."""
        if len(word) < TYPO_CHARS_MIN or self._holders("passages", word):
            return word
        near = [
            known
            for known, _, _ in extract(word, self._words.get(word[0], []), scorer=OSA.distance, score_cutoff=1, limit=9)
        ]
        return min(near, key=lambda known: (-len(self._holders("passages", known)), known), default=word)


def _sum(worth: Mapping[str, float], words: Set[str]) -> float:
    return sum(worth[word] for word in worth if word in words)


def words_of(text: str) -> list[str]:
    """Split a text into its words, in small letters."""
    return _WORD.findall(text.casefold())


def _quoted(word: str) -> str:
    """Write a word as an FTS5 string, which is never syntax; words hold letters and digits only, but this is the wall."""
    return '"' + word.replace('"', '""') + '"' + ("*" if len(word) >= PREFIX_CHARS_MIN else "")


def _passages(document: Document) -> Iterator[IndexedPassage]:
    pieces = [(section, units) for section in document.sections for units in _pieces(section)]
    for number, (section, units) in enumerate(pieces, start=1):
        yield IndexedPassage(
            id=document.id if len(pieces) == 1 else f"{document.id}#{number}",
            document=document,
            heading="" if section.heading == document.title else section.heading,
            units=tuple(units),
            introductions=tuple(_introductions(units)),
        )


def _introductions(units: Sequence[str]) -> Iterator[int | None]:
    introduction: int | None = None
    for number, unit in enumerate(units):
        if is_item(unit):
            yield introduction
        else:
            introduction = number if unit.endswith(":") else None
            yield None


def _pieces(section: Section) -> Iterator[list[str]]:
    """Cut a section at its units into pieces of at most `PASSAGE_WORDS_MAX` words; a longer unit stays whole."""
    piece, words = list[str](), 0
    for unit in section.units:
        count = len(unit.split())
        if piece and words + count > PASSAGE_WORDS_MAX:
            yield piece
            piece, words = [], 0
        piece.append(unit)
        words += count
    yield piece
