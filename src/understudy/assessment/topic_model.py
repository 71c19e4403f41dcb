"""What a message is about by a linear model over its words and parts of words; it reads a model and trains none.

A text becomes counts of hashed words, pairs of neighbours and pieces of three to five letters (so that a typing error
costs a few pieces and not the word), weighed down where they are common (1 + log count, times idf, to length 1). What the
model has never seen counts in the length, so a message of strange words is far from every topic. Hashing keeps the
words themselves out of the model: K. Weinberger et al., "Feature hashing for large scale multitask learning", ICML 2009.
"""

from __future__ import annotations

import math
import re
from base64 import b64decode
from collections import Counter, OrderedDict
from dataclasses import dataclass
from typing import Any, Final
from zlib import crc32

from understudy.records.rulebook import UNKNOWN_TOPIC
from understudy.records.topics import TopicGuess, TopicModel

HASH_BITS: Final = 18
TEXT_CHARS_MAX: Final = 400
"""What comes later in a message says little of what it is about, and costs time."""
PIECES: Final = (3, 4, 5)
_MODELS_MAX: Final = 4
_WORD = re.compile(r"[^\W_]+")
_MASK: Final = (1 << HASH_BITS) - 1
_WORDS, _PAIRS, _LETTERS = 1, 2, 3
"""The kinds of feature hash differently, so that a word is not taken for a piece."""


@dataclass(frozen=True, slots=True)
class _Arrays:
    features: Any
    idf: Any
    weights: Any
    biases: Any


_unpacked: OrderedDict[str, _Arrays] = OrderedDict()


def counts_of(text: str) -> dict[int, float]:
    """The features of a text: 1 + log of how often each hash occurs, in the first `TEXT_CHARS_MAX` characters."""
    counts = Counter(_hashes(text[:TEXT_CHARS_MAX].lower()))
    return {key: 1.0 if count == 1 else 1.0 + math.log(count) for key, count in counts.items()}


def classify(model: TopicModel, text: str) -> TopicGuess:
    """Guess what a text is about. Where nothing in it is known the guess is *unknown*, with certainty 0."""
    import numpy as np

    arrays, counts = _arrays(model), counts_of(text)
    hashed = np.fromiter(counts.keys(), dtype=np.int32, count=len(counts))
    values = np.fromiter(counts.values(), dtype=np.float32, count=len(counts))
    place = np.minimum(np.searchsorted(arrays.features, hashed), arrays.features.size - 1)
    is_known = arrays.features[place] == hashed
    rows = place[is_known]
    if not rows.size:
        return TopicGuess(topic=UNKNOWN_TOPIC, certainty=0.0, threshold=0.0, model=model.id)
    known, strange = values[is_known] * arrays.idf[rows], values[~is_known] * model.unseen_idf
    length = math.sqrt(float(known @ known) + float(strange @ strange))
    logits = (known / np.float32(length)) @ arrays.weights[rows] + arrays.biases
    best = int(logits.argmax())
    certainty = 1.0 / float(np.exp(logits - logits[best]).sum())
    return TopicGuess(topic=model.topics[best], certainty=certainty, threshold=model.thresholds[best], model=model.id)


def _hashes(text: str) -> list[int]:
    found: list[int] = []
    before = "<"
    for word in _WORD.findall(text):
        found.append(crc32(word.encode(), _WORDS) & _MASK)
        found.append(crc32(f"{before} {word}".encode(), _PAIRS) & _MASK)
        before, padded = word, f"<{word}>"
        raw = padded.encode()
        for size in PIECES:
            starts = range(len(padded) - size + 1)
            if len(raw) == len(padded):  # plain letters are bytes: nothing has to be encoded piece by piece
                found += [crc32(raw[start : start + size], _LETTERS) & _MASK for start in starts]
            else:
                found += [crc32(padded[start : start + size].encode(), _LETTERS) & _MASK for start in starts]
    found.append(crc32(f"{before} >".encode(), _PAIRS) & _MASK)
    return found


def _arrays(model: TopicModel) -> _Arrays:
    """The model's arrays, unpacked once; a name is the digest of the content, so the name is enough to know it by."""
    found = _unpacked.get(model.id)
    if found is None:
        import numpy as np

        def unpack(text: str, kind: str) -> Any:
            return np.frombuffer(b64decode(text), dtype=kind)

        features = unpack(model.features, "<i4")
        found = _Arrays(
            features=features,
            idf=unpack(model.idf, "<f4"),
            weights=unpack(model.weights, "<i1").reshape(features.size, -1) * unpack(model.scales, "<f4")[:, None],
            biases=np.array(model.biases, dtype=np.float32),
        )
        _unpacked[model.id] = found
        while len(_unpacked) > _MODELS_MAX:
            _unpacked.popitem(last=False)
    return found
