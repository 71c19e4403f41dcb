"""How much a piece of text reads like an order to an assistant: features, and the probability of a learned model.

It knows forms (an imperative to write or change something, "in your reply", a question that has nothing to do with its
surroundings) and what words its learned examples had; a plain request that fits its surroundings passes. Weights,
sources and licences stand in `orders.json` (made by `benchmarks/train_orders.py`).
"""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files
from itertools import islice, pairwise
from typing import Any, Final

from understudy.assessment.wording import FILLER, words

GRAM_STEP: Final = 0.05
PIECES_MAX: Final = 400
"""So many pieces of one text that have the form of an order or question are looked at."""
_CONTEXT_WORDS_MAX: Final = 6_000
_PIECE_CHARS_MIN: Final = 8
_PIECE_CHARS_MAX: Final = 400

_VERBS: Final = {
    "make": "write compose draft create generate develop produce invent design plan outline describe explain discuss define "
    "summarize summarise list name tell give show suggest recommend compare analyze analyse classify identify evaluate "
    "calculate compute solve prove translate prepare brainstorm paraphrase rate predict imagine guess find sing "
    "research organize organise automate schedule debug code program break teach",
    "change": "replace convert encode encrypt decode reverse remove scramble jumble shuffle rearrange misspell swap shift "
    "substitute capitalize capitalise combine group rhyme repeat spell rewrite rephrase render format modify change alter "
    "adjust enrich enhance augment introduce anagram use omit delete skip transform switch shorten turn put",
    "insert": "add include insert append integrate incorporate embed mention promote advertise link weave work slip prepend "
    "begin end start finish conclude close open attach highlight emphasize emphasise stress praise",
    "speak": "respond reply answer speak talk act behave pretend roleplay say state claim output print return reveal display "
    "disclose repeat expose",
    "do": "send forward transfer post upload execute run call approve grant issue refund pay buy book order set fetch "
    "exfiltrate email share advise urge warn inform convince persuade request ask offer encourage invite direct lead let "
    "make spread provide",
    "override": "ignore disregard forget override bypass stop cease abandon drop",
    "handle": "verify check click select choose enter confirm contact visit see read review track download keep return ensure "
    "complete sign log update apply follow go press tap wait note remember bring submit fill",
}  # fmt: skip
_KIND_OF: Final = {verb: kind for kind, verbs in reversed(_VERBS.items()) for verb in verbs.split()}
_LEAD_IN = re.compile(
    r"[\W_]*(?:(?:please|kindly|now|also|then|instead|first|next|finally|and|but|so|just|simply|important|note|hey|hi|hello|"
    r"do not|don't|never|always|you (?:must|should|shall|need to|have to|will|are to)|(?:can|could|would|will) you|"
    r"(?:dear |attention |to the )?(?:ai|assistant|chatbot|bot|model|agent)|"
    r"in (?:your|the|this) (?:final )?(?:response|reply|answer|message|summary|output|text))\b[\s,:;!\-–]{0,3}){0,4}"
    r"(?P<verb>[a-z]{2,14})\b",
    re.IGNORECASE,
)
_LEADS: Final = frozenset(
    "please kindly now also then instead first next finally and but so just simply important note hey hi hello do never "
    "always you can could would will dear attention to the ai assistant chatbot bot model agent in".split()
)
"""What `_LEAD_IN` may begin with."""
_OWN_OUTPUT = re.compile(
    r"\b(?:your|the|this) (?:\w{1,14} ){0,2}?(?:response|reply|answer|message|output|summary|completion)(?:s|'s)?\b",
    re.IGNORECASE,
)
_YOUR_OUTPUT = re.compile(
    r"\byour (?:\w{1,14} ){0,2}?(?:response|reply|answer|message|output|summary)(?:s|'s)?\b", re.IGNORECASE
)
_QUESTION = re.compile(
    r"(?:what(?:'s| is| are| was| were| does| do| causes)?|who|when|where|why|which|how)\b", re.IGNORECASE
)
_MINE = re.compile(r"\b(?:i|my|me|mine|we|our|us|i'm|i've)\b", re.IGNORECASE)
_ABOUT_YOU = re.compile(r"\b(?:you|your|yours)\b", re.IGNORECASE)
_MACHINE = re.compile(r"\b(?:ai|llm|assistant|chatbot|bot|language model)\b", re.IGNORECASE)
_READER = re.compile(r"\b(?:the (?:user|reader|customer|recipient)s?|users|readers)\b", re.IGNORECASE)
_QUOTED = re.compile(r"[\"'\u201c\u2018][^\"'\u201d\u2019]{3,200}[\"'\u201d\u2019]")
_ADDRESS = re.compile(
    r"https?://|\bwww\.|\b[a-z0-9-]{2,40}\.(?:com|net|org|xyz|io|example|info|co|biz|app)\b|@", re.IGNORECASE
)
_CANDIDATE = re.compile(
    r"\?|\byou (?:must|should|shall|are|will|need|have|can)\b|\byour (?:\w{1,14} ){0,2}?(?:response|reply|answer|message|output)"
    r"|\b(?:ai|llm|assistant|chatbot|bot|instructions?|users?|readers?)\b",
)
"""What speaks to somebody, in lower case."""
_HINTS: Final = ("?", "you", "ai", "llm", "assistant", "bot", "instruction", "user", "reader")
"""One of these stands wherever `_CANDIDATE` fits."""
_LINES = re.compile(r"[^\n\r]+")
_VALUES = re.compile(r'[^"]+')
_SENTENCES = re.compile(r"[^.!?]*(?:[.!?](?!\s|$)[^.!?]*)*[.!?]*\s*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A sentence, cell or value of a text; `is_foreign`: its line has not the form of the text's other lines."""

    text: str
    is_foreign: bool
    verb: str | None
    is_question: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Featured:
    """A piece as the model sees it: its form by name, and its words, pairs of words and runs of four letters."""

    text: str
    shape: Mapping[str, float]
    grams: set[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """Weights in log-odds; those of n-grams are whole numbers of `GRAM_STEP`, so that their sum is exact in any order.

    `threshold` is the probability from which a piece counts as an order.
    """

    bias: float
    weights: Mapping[str, float]
    grams: Mapping[str, int]
    threshold: float

    def probability(self, piece: Featured) -> float:
        """The probability, in [0, 1], that a piece is an order to an assistant."""
        weights, grams = self.weights, self.grams
        steps = sum([grams[gram] for gram in grams.keys() & piece.grams])
        shape = [weights[name] * value for name, value in piece.shape.items() if name in weights]
        log_odds = math.fsum([self.bias, GRAM_STEP * steps, *shape])
        return 1.0 / (1.0 + math.exp(-max(-60.0, min(60.0, log_odds))))


def suspicion(text: str, model: Model | None = None) -> tuple[float, str]:
    """The probability, in [0, 1], that the text holds an order to an assistant, and the piece that looks most like one."""
    weighed = MODEL if model is None else model
    worst, where = 0.0, ""
    for piece in featured(text):
        probability = weighed.probability(piece)
        if probability > worst:
            worst, where = probability, piece.text
    return worst, where


def featured(text: str) -> Iterator[Featured]:
    """The pieces of a text that have the form of an order or a question, the first `PIECES_MAX`, with their features."""
    found = list(islice(candidates(text), PIECES_MAX))
    if not found:
        return
    known = Counter(words(text[: 8 * _CONTEXT_WORDS_MAX])[:_CONTEXT_WORDS_MAX])
    crowd = math.log1p(len(found))
    is_alone = sum(known.values()) <= 60
    for piece in found:
        yield _featured(piece, known, crowd=crowd, is_alone=is_alone)


def candidates(text: str) -> Iterator[Piece]:
    """The pieces that could be an order: they begin with a verb, ask something, or speak to "you"."""
    lines = _LINES.findall(text)
    is_table = 2 * sum(line.count("|") >= 2 for line in lines) > len(lines)
    is_data = text.lstrip()[:1] in ("{", "[") and ('":' in text or '",' in text)
    for line in lines:
        is_row = line.count("|") >= 2
        may_address = _speaks_to_somebody(line)
        for part in _parts(line, is_row=is_row, is_data=is_data):
            if len(part) >= _PIECE_CHARS_MIN and (may_address or _may_begin_with_verb(part)):
                piece = _candidate(part[:_PIECE_CHARS_MAX], is_table and not is_row)
                if piece is not None:
                    yield piece


def _parts(line: str, *, is_row: bool, is_data: bool) -> Iterator[str]:
    cells = line.split("|") if is_row else _VALUES.findall(line) if is_data else [line]
    for cell in cells:
        if len(cell) >= _PIECE_CHARS_MIN and " " in cell:
            yield from (part.strip() for part in _SENTENCES.findall(cell))


def _speaks_to_somebody(text: str) -> bool:
    lowered = text.lower()
    return any(hint in lowered for hint in _HINTS) and _CANDIDATE.search(lowered) is not None


def _may_begin_with_verb(part: str) -> bool:
    """A quick look at the first word, which settles most sentences: "The …", "Refunds …" are no orders."""
    first = part.split(None, 1)[0].lower()
    return not first.isalpha() or first in _KIND_OF or first in _LEADS


def _candidate(text: str, is_foreign: bool) -> Piece | None:
    lead = _LEAD_IN.match(text)
    verb = lead["verb"].lower() if lead else None
    is_question = text.endswith("?")
    if verb not in _KIND_OF:
        verb = None
    if verb is None and not _speaks_to_somebody(text):
        return None
    return Piece(text=text, is_foreign=is_foreign, verb=verb, is_question=is_question)


def _featured(piece: Piece, known: Counter[str], *, crowd: float, is_alone: bool) -> Featured:
    text = piece.text
    written = words(text)
    here = Counter(written)
    facts = {word for word in written if len(word) > 2 and word not in FILLER}
    alien = sum(known[word] <= here[word] for word in facts) / len(facts) if facts else 0.0
    found = {
        "own_output": float(_OWN_OUTPUT.search(text) is not None),
        "your_output": float(_YOUR_OUTPUT.search(text) is not None),
        "mine": float(_MINE.search(text) is not None),
        "you": float(_ABOUT_YOU.search(text) is not None),
        "machine": float(_MACHINE.search(text) is not None),
        "reader": float(_READER.search(text) is not None),
        "quoted": float(_QUOTED.search(text) is not None),
        "address": float(_ADDRESS.search(text) is not None),
        "crowd": crowd,
        "length": math.log1p(len(written)),
        "alone": float(is_alone),
    }
    shape = "question" if piece.is_question else "other"
    if piece.is_question and not (found["mine"] or found["you"]) and _QUESTION.match(text):
        shape = "general_question"
    if piece.verb is not None:
        shape = f"verb_{_KIND_OF[piece.verb]}"
    found[shape] = 1.0
    if not is_alone:
        found[f"alien_{shape}"] = alien
    if piece.is_foreign:
        found[f"foreign_{shape}"] = 1.0
    return Featured(text=text, shape=found, grams=ngrams(written))


def ngrams(written: list[str]) -> set[str]:
    """The words, pairs of words and runs of four letters of a piece, each under a name of its kind."""
    found = {f"w:{word}" for word in written}
    found.update(f"p:{one} {other}" for one, other in pairwise(written))
    for word in written:
        padded = f"_{word}_"
        found.update(f"c:{padded[at : at + 4]}" for at in range(min(len(padded) - 3, 20)))
    return found


def load(text: str) -> Model:
    """Read a model from its JSON: shape by weight, n-grams as `{"kind": {"steps": "gram/gram …"}}`."""
    given: dict[str, Any] = json.loads(text)
    grams = {
        f"{kind}:{gram}": int(steps)
        for kind, by_steps in given["ngrams"].items()
        for steps, found in by_steps.items()
        for gram in found.split("/")
    }
    return Model(bias=given["bias"], weights=given["shape"], grams=grams, threshold=given["threshold"])


MODEL: Final = load(files("understudy.assessment").joinpath("orders.json").read_text(encoding="utf-8"))
"""The one that is shipped; it is part of the program, like its code."""
