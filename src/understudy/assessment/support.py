"""How far a sentence rests on given texts, by their words: measures, and the probability that a learned model gives.

The model is a logistic regression over the measures below; its coefficients, what they were learned from and under
which licence stand in `support.json` (made by `benchmarks/train_support.py`). It compares words; a sentence that says
something true in words of its own looks unsupported here, and one false in the words of its source may look supported.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from itertools import pairwise
from typing import Any, Final

from understudy.assessment.carriers import Source
from understudy.assessment.polarity import OPPOSITES, is_negation, opposed, widened
from understudy.assessment.wording import FILLER, each_sentence, stem, words

_OPINIONS = frozenset(
    "love loved like liked think thought believe prefer feel enjoy favorite favourite guess hope amazing great awesome "
    "interesting cool crazy fun wow really pretty best hate wonder personally honestly imagine".split()
)
"""Words of taste and feeling: what a source does not feel, a draft cannot have from it."""
WORDS_MAX: Final = 6_000
"""So many words of the given texts are looked at; what stands behind them carries nothing."""
REVERSALS: Final = ("negation_added", "negation_dropped", "opposite")
"""The measures that say that a sentence turns another into its contrary."""
SAME_MATTER_MIN: Final = 0.7
"""From this share of common words on two sentences are about the same matter, and opposites between them count."""
_TURNED: Final = frozenset(stem(word) for word in OPPOSITES)
_WORD_CHARS: Final = 12
_COMMON_MIN: Final = 48
"""A word that stands in more of the given sentences than this does not help to find the nearest."""
_PREFIX: Final = 5
_REACH: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Nearest:
    """The given sentence that shares most words with another: its source, its words, and the share in [0, 1].

    A word that may stand there as its opposite is not counted as missing.
    """

    source_id: str
    words: tuple[str, ...]
    share: float


class Grounds:
    """Texts that may carry a sentence, prepared: `sources` can be named as nearest, `others` only lend their words."""

    def __init__(self, sources: Iterable[Source], others: Iterable[str] = (), *, asked: Iterable[str] = ()) -> None:
        self._sentences: list[tuple[str, tuple[str, ...]]] = []
        self._where: dict[str, list[int]] = {}
        self.stems: set[str] = set()
        self.pairs: set[tuple[str, str]] = set()
        self.triples: set[tuple[str, str, str]] = set()
        self.as_written: set[str] = set()
        self._room = WORDS_MAX
        for source in sources:
            self._add(source.text, source.id)
        for text in others:
            self._add(text, None)
        self.beginnings = {stemmed[:_PREFIX] for stemmed in self.stems if len(stemmed) >= _PREFIX}
        self.negates = any(map(is_negation, self.as_written))
        self.asked = {stem(word) for text in asked for word in words(text[-4_000:])}

    def _add(self, text: str, source_id: str | None) -> None:
        for sentence in each_sentence(text[: self._room * _WORD_CHARS]):
            if self._room <= 0:
                return
            written = spelled(sentence.text)[: self._room]
            self._room -= len(written) + 1
            stems = [stem(word) for word in written]
            self.as_written.update(written)
            self.stems.update(stems)
            self.pairs.update(pairwise(stems))
            self.triples.update(zip(stems, stems[1:], stems[2:], strict=False))
            if source_id is not None:
                number = len(self._sentences)
                self._sentences.append((source_id, tuple(written)))
                for stemmed in {s for w, s in zip(written, stems, strict=True) if len(w) > 1 and w not in FILLER}:
                    self._where.setdefault(stemmed, []).append(number)

    def nearest(self, written: Iterable[str]) -> Nearest | None:
        """Find the given sentence that shares most of the words that carry a fact; None where none shares any."""
        about = {stem(word) for word in written if len(word) > 1 and word not in FILLER}
        shared: dict[int, int] = {}
        for stemmed in about:
            places = self._where.get(stemmed, ())
            for number in places[:_COMMON_MIN]:
                shared[number] = shared.get(number, 0) + 1
        if not shared:
            return None
        best = min(shared, key=lambda number: (-shared[number], number))
        source_id, found = self._sentences[best]
        there = {stem(word) for word in found}
        turned_words = sum(stemmed in _TURNED and stemmed not in there for stemmed in about)
        return Nearest(source_id=source_id, words=found, share=shared[best] / max(1, len(about) - turned_words))


def spelled(text: str) -> list[str]:
    """The words of a text without its numerals: values are compared elsewhere, whatever their spelling."""
    return [word for word in words(text) if not word.isdigit()]


def measures(text: str, grounds: Grounds, nearest: Nearest | None = None) -> dict[str, float]:
    """Measure one sentence against the grounds; `nearest` is the sentence that it is held against, if there is one.

    Shares are in [0, 1], counts are log(1 + n), the rest is 0 or 1.
    """
    written = spelled(text)
    stems = [stem(word) for word in written]
    facts = [
        (word, stemmed) for word, stemmed in zip(written, stems, strict=True) if len(word) > 1 and word not in FILLER
    ]
    lacking = [(word, stemmed) for word, stemmed in facts if stemmed not in grounds.stems]
    alien = [stemmed for _, stemmed in lacking if stemmed[:_PREFIX] not in grounds.beginnings]
    small = [stemmed for word, stemmed in zip(written, stems, strict=True) if word in FILLER]
    pairs = [pair in grounds.pairs for pair in pairwise(stems)]
    triples = [triple in grounds.triples for triple in zip(stems, stems[1:], stems[2:], strict=False)]
    word_share = _share(stemmed in grounds.stems for stemmed in stems)
    pair_share = _share(pairs) if pairs else word_share
    found = {
        "word_share": word_share,
        "fact_share": 1 - len(lacking) / len(facts) if facts else word_share,
        "pair_share": pair_share,
        "triple_share": _share(triples) if triples else pair_share,
        "longest_quote": (_streak(pairs) + 1) / len(stems) if any(pairs) else 0.0,
        "facts_lacking": math.log1p(len(lacking)),
        "facts_alien": math.log1p(len(alien)),
        "small_words_lacking": math.log1p(sum(stemmed not in grounds.stems for stemmed in small)),
        "taken_from_question": sum(s in grounds.asked for _, s in lacking) / len(facts) if facts else 0.0,
        "opinion": float(any(word in _OPINIONS and word not in grounds.as_written for word in written)),
        "negation": float(any(map(is_negation, written)) and not grounds.negates),
        "states_nothing": float(not facts),
        "question": float(text.rstrip("\"'\u2019\u201d)]*_ ").endswith("?")),
        "length": math.log1p(len(written)),
    }
    return found | turned(written, nearest)


def turned(written: list[str], nearest: Nearest | None) -> dict[str, float]:
    """Measure whether a sentence points another way than the one that it is nearest to."""
    if nearest is None or nearest.share < SAME_MATTER_MIN:
        return {"negation_added": 0.0, "negation_dropped": 0.0, "opposite": 0.0, "scope_widened": 0.0}
    given = nearest.words
    here, there = _negated(written, given), _negated(given, written)
    return {
        "negation_added": float(here > there),
        "negation_dropped": float(here < there),
        "opposite": float(opposed(written, given)),
        "scope_widened": float(widened(written, given)),
    }


def _negated(written: Sequence[str], other: Sequence[str]) -> int:
    """Count the negations of a sentence that stand shortly before a word which the other sentence has too."""
    known = {stem(word) for word in other if word not in FILLER}
    places = [at for at, word in enumerate(written) if is_negation(word) and (at or word != "no")]
    return sum(any(stem(word) in known for word in _reached(written[at + 1 : at + 1 + _REACH])) for at in places)


def _reached(after: Sequence[str]) -> Iterator[str]:
    """The words that a negation turns: "not sure but …" turns nothing that follows."""
    for word in after:
        if word in ("sure", "but", "however", "though", "only"):
            return
        yield word


def _share(hits: Iterable[bool]) -> float:
    counted = list(hits)
    return sum(counted) / len(counted) if counted else 0.0


def _streak(hits: list[bool]) -> int:
    longest = run = 0
    for hit in hits:
        run = run + 1 if hit else 0
        longest = max(longest, run)
    return longest


# --- the learned weights ---


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """Weights by measure, in log-odds of "not supported"; `threshold` is the probability from which it is a finding."""

    bias: float
    weights: Mapping[str, float]
    threshold: float

    def unsupported(self, measured: Mapping[str, float]) -> float:
        """The probability, in [0, 1], that people would call the sentence not supported."""
        log_odds = math.fsum([self.bias, *(weight * measured[name] for name, weight in self.weights.items())])
        return 1.0 / (1.0 + math.exp(-max(-60.0, min(60.0, log_odds))))


def load(text: str) -> Model:
    """Read a model from its JSON."""
    given: dict[str, Any] = json.loads(text)
    return Model(bias=given["bias"], weights=given["weights"], threshold=given["threshold"])


MODEL: Final = load(files("understudy.assessment").joinpath("support.json").read_text(encoding="utf-8"))
"""The one that is shipped; it is part of the program, like its code."""
