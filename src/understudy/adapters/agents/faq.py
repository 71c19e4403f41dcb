"""The built-in agent that needs no model: it quotes the business's own documents, or says that it does not know.

It composes nothing. A draft is sentences of one passage, word for word, and one fixed closing line; so it can be
wrong about what was asked, but not about what the documents say. When it says that it does not know:

    the best passage's strength is below `strength_min` (0.65), or its mass is below `MASS_MIN`;
    strength and mass are defined in knowledge.py. Where the whole burst finds nothing, each question in it is tried.

A burst of nothing but greetings or thanks gets a fixed reply without sources. The same documents, settings and
question give the same draft, apart from the measured times in its pipeline log.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from pathlib import Path

from understudy.adapters.agents.documents import Document, read_documents, split_sentences
from understudy.adapters.agents.json_forms import content_version
from understudy.adapters.agents.knowledge import Found, IndexedPassage, Knowledge, Query, words_of
from understudy.ports.agent import DraftRequest
from understudy.records.codec import plain
from understudy.records.evidence import Draft, Passage, PipelineStep
from understudy.records.wire import burst_length

STRENGTH_MIN = 0.65
MASS_MIN = 0.6
SOURCES_MAX = 3
"""Passages handed over with a draft: the quoted one first, then others that are strong enough by themselves."""
QUOTE_WORDS_MAX = 70
"""A passage up to this long is quoted whole; of a longer one its best neighbouring sentences, up to this long."""
QUERY_CHARS_MAX = 4_000
QUESTIONS_MAX = 20

CLOSING = "Please let me know if that does not answer your question."
UNKNOWN_REPLY = "I am sorry, I could not find the answer to that."
GREETING_REPLY = "Hello! How can I help you?"
THANKS_REPLY = "You are welcome! Is there anything else I can help you with?"
FAREWELL_REPLY = "Goodbye, and have a good day!"

_GREETINGS = frozenset("hi hello hey hiya greetings howdy morning afternoon evening day yo".split())
_THANKS = frozenset("thanks thank thx ty cheers appreciated appreciate".split())
_FAREWELLS = frozenset("bye goodbye farewell cya".split())
_PADDING = frozenset(
    "a all am and are again anyone anybody be best do doing everyone fine for from good great have help i it is just lot lots me my much "
    "nice ok okay thats im youre perfect please see so sir madam team that the there this to today very well wonderful you your how hope".split()
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Answer:
    text: str
    found: tuple[Found, ...] = ()
    does_not_know: bool = False


class FaqAgent:
    """Keeps `ports.agent.Agent` over a file or folder of documents.

    `path` is read once, here: `ConfigurationError` says what to do where it is missing or holds no document.
    `strength_min` in [0, 1]: higher says "I do not know" more often. `version` names documents and settings.
    """

    def __init__(self, *, name: str, path: Path, strength_min: float = STRENGTH_MIN) -> None:
        self.name = name
        self.path = path
        self._strength_min = strength_min
        documents = read_documents(path)
        self._knowledge = Knowledge(documents)
        self.version: str | None = _version(documents, strength_min)

    async def draft(self, request: DraftRequest) -> Draft:
        """Find the passage that fits the customer's burst and quote it; about a millisecond, in a thread."""
        return await asyncio.to_thread(self.answer, _burst_text(request))

    def answer(self, text: str) -> Draft:
        """Answer one question; what `draft` does, without a request."""
        started = time.perf_counter()
        chat = _small_talk(text)
        query, found = (self._knowledge.query(text), []) if chat else self._retrieve(text)
        retrieved = time.perf_counter()
        answer = _Answer(text=chat) if chat else self._choose(query, found)
        answered = time.perf_counter()
        topic = answer.found[0].passage.document.topic if answer.found else None
        return Draft(
            text=answer.text,
            sources=tuple(_source(one) for one in answer.found),
            topic=topic,
            does_not_know=answer.does_not_know,
            finish_reason="stop",
            agent=self.name,
            agent_version=self.version,
            pipeline=(
                PipelineStep(
                    name="retrieve",
                    model="sqlite-fts5-bm25",
                    version=self.version,
                    took_ms=(retrieved - started) * 1000,
                    input=" ".join(query.worth),
                    output="\n".join(
                        f"{one.passage.id} strength={one.strength:.2f} mass={one.mass:.2f}" for one in found
                    ),
                ),
                PipelineStep(
                    name="answer",
                    model="quote",
                    version=self.version,
                    took_ms=(answered - retrieved) * 1000,
                    output=answer.text,
                    from_steps=("retrieve",),
                ),
            ),
        )

    async def check(self) -> str:
        """Say how much it has read."""
        return f"{self.name}: {len(self._knowledge.passages)} passages from {self.path}, version {self.version}"

    async def close(self) -> None:
        """Let go of the index."""
        self._knowledge.close()

    def _retrieve(self, text: str) -> tuple[Query, list[Found]]:
        """Search for the whole text; where nothing fits, for each question in it alone, and take the best of these.

        People tell their story before they ask; the story's words stand in no document.
        """
        questions = [sentence for sentence in split_sentences(text)[:QUESTIONS_MAX] if sentence.endswith("?")]
        tried: list[tuple[Query, list[Found]]] = []
        for part in (text, *questions):
            query = self._knowledge.query(part)
            tried.append((query, self._knowledge.search(query, limit=SOURCES_MAX)))
            if len(tried) == 1 and self._strong(tried[0][1]):
                return tried[0]
        best = max(tried, key=lambda one: max((found.strength for found in self._strong(one[1])), default=0.0))
        return best if self._strong(best[1]) else tried[0]

    def _strong(self, found: list[Found]) -> list[Found]:
        return [one for one in found if one.strength >= self._strength_min and one.mass >= MASS_MIN]

    def _choose(self, query: Query, found: list[Found]) -> _Answer:
        strong = self._strong(found)
        if not strong:
            return _Answer(text=UNKNOWN_REPLY, does_not_know=True)
        best = strong[0]
        quote = _quote(best.passage, self._knowledge.words_in_units(query, best), query)
        return _Answer(text=f"{quote}\n\n{CLOSING}", found=tuple(strong))


def _burst_text(request: DraftRequest) -> str:
    """The customer's last messages, those that no one has answered."""
    burst = request.messages[len(request.messages) - burst_length(request.messages) :]
    return "\n".join(m.content for m in burst if m.role == "user" and m.content)[:QUERY_CHARS_MAX]


def _small_talk(text: str) -> str | None:
    """Recognise a burst of nothing but thanks, goodbyes or greetings; None for everything else."""
    words = set(words_of(text.replace("'", "").replace("’", "")))
    if not words <= _GREETINGS | _THANKS | _FAREWELLS | _PADDING:
        return None
    for told, reply in ((_THANKS, THANKS_REPLY), (_FAREWELLS, FAREWELL_REPLY), (_GREETINGS, GREETING_REPLY)):
        if words & told:
            return reply
    return None


def _quote(passage: IndexedPassage, held: list[set[str]], query: Query) -> str:
    """Take the neighbouring units that hold most of what was asked; among equals the fewest words, then the first.

    A list item does not stand alone: the line that introduces its list comes along.
    """
    units = passage.units
    lengths = [len(unit.split()) for unit in units]
    if sum(lengths) <= QUOTE_WORDS_MAX:
        return "\n".join(units)
    best, best_key = (0, 1), (-1.0, 0, 0)
    for first in range(len(units)):
        words, length = set[str](), 0
        for last in range(first, len(units)):
            length += lengths[last]
            if length > QUOTE_WORDS_MAX and last > first:
                break
            words |= held[last]
            key = (round(sum(query.worth[word] for word in words), 9), -length, -first)
            if key > best_key:
                best, best_key = (first, last + 1), key
    first, last = _widened(lengths, *best)
    introduction = passage.introductions[first]
    return "\n".join([*([] if introduction is None else [units[introduction]]), *units[first:last]])


def _widened(lengths: list[int], first: int, last: int) -> tuple[int, int]:
    """Add the units that follow while there is room: what comes next explains what was found."""
    while last < len(lengths) and sum(lengths[first : last + 1]) <= QUOTE_WORDS_MAX:
        last += 1
    return first, last


def _source(found: Found) -> Passage:
    passage = found.passage
    return Passage(
        id=passage.id,
        text=passage.text,
        title=passage.title,
        url=passage.document.url,
        score=round(found.score, 4),
    )


def _version(documents: list[Document], strength_min: float) -> str:
    settings = [strength_min, MASS_MIN, SOURCES_MAX, QUOTE_WORDS_MAX, CLOSING, UNKNOWN_REPLY]
    return content_version([settings, [plain(document) for document in documents]])
