"""Train a topic model on tags, place its thresholds, and try it on tags it has not seen. Pure; when this is done and what
follows from it stand in `topics.py`, how a model reads a text in `assessment/topic_model.py`.

A threshold says from which certainty on the model's word counts for a topic. It is placed on answers about tags that the
answering model had not seen, and that include topics it had never heard of: each of three models leaves a third of the
tags out, and a sixth of the topics altogether, so that what is about something else has its like in the training too.
"""

from __future__ import annotations

from base64 import b64encode
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from understudy.assessment.topic_model import HASH_BITS, classify, counts_of
from understudy.records.codec import digest, dump
from understudy.records.rulebook import UNKNOWN_TOPIC
from understudy.records.topics import TopicModel, TopicTerms
from understudy.stats.softmax import Singles, fit

FEATURES_MAX: Final = 20_000
"""The most frequent are kept: a model of 20 topics has then some 500 kB."""
SEEN_MIN: Final = 2
"""A feature must occur in so many messages."""
PENALTY: Final = 0.03
FOLDS: Final = 3
TOPICS_LEFT_OUT: Final = 6
"""One topic in so many is left out of each fold's model."""
TOPICS_MIN: Final = 2
TOPICS_MIN_TO_LEAVE_OUT: Final = 4
BORROWED: Final = 20.0
"""A topic's share of wrong answers is drawn towards that of all topics, as if so many of its answers were theirs."""
NEVER: Final = 2.0
"""A threshold that no certainty reaches."""
SURE_MIN: Final = 20
"""With fewer sure answers on unseen tags nothing can be said of how many are wrong."""
DOUBT: Final = 0.1

Stop = Callable[[], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tag:
    """A message and the topic that somebody named; `position` orders turns."""

    position: int
    text: str
    topic: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicTrial:
    """A model trained on the earlier tags, and how it did on the `unseen` later ones beside the one in force: how many
    of its answers were sure and right, or sure and wrong. `p_value`: how probable a gain like this is by chance."""

    model: TopicModel
    unseen: int
    right_before: int
    right_after: int
    wrong_after: int
    p_value: float
    is_better: bool


@dataclass(frozen=True, slots=True)
class _Answers:
    """What models said of messages they had not seen: the topic's number, how certain, whether wrong, how much it
    counts."""

    topic: NDArray[np.int64]
    certainty: NDArray[np.float64]
    is_wrong: NDArray[np.bool_]
    weight: NDArray[np.float64]


def tried(
    tags: Sequence[Tag], *, in_force: TopicModel | None, terms: TopicTerms, should_stop: Stop = lambda: False
) -> TopicTrial | None:
    """Train on the earlier tags and try on the later, of which neither model has seen any; None where there are too few.

    Raises `stats.softmax.Stopped`.
    """
    ordered = sorted(tags, key=lambda tag: tag.position)
    cut = len(ordered) - int(len(ordered) * terms.unseen_share)
    seen_until = 0 if in_force is None else in_force.trained_until
    unseen = [tag for tag in ordered[cut:] if tag.position > seen_until]
    if len(ordered) < terms.tags_min or not unseen:
        return None
    model = train(ordered[:cut], terms, should_stop=should_stop)
    if model is None:
        return None
    model = named(replace(model, trained_until=ordered[-1].position))
    before = [_sure_topic(in_force, tag) for tag in unseen]
    after = [_sure_topic(model, tag) for tag in unseen]
    right_before = [said == tag.topic for said, tag in zip(before, unseen, strict=True)]
    right_after = [said == tag.topic for said, tag in zip(after, unseen, strict=True)]
    sure = sum(said is not None for said in after)
    wrong = sure - sum(right_after)
    won = sum(now and not was for now, was in zip(right_after, right_before, strict=True))
    lost = sum(was and not now for now, was in zip(right_after, right_before, strict=True))
    p_value = _at_least(won, won + lost, 0.5)
    is_careful = sure >= SURE_MIN and _at_least(wrong, sure, terms.wrong_max) > DOUBT
    return TopicTrial(
        model=model,
        unseen=len(unseen),
        right_before=sum(right_before),
        right_after=sum(right_after),
        wrong_after=wrong,
        p_value=p_value,
        is_better=is_careful and p_value <= terms.level,
    )


def train(tags: Sequence[Tag], terms: TopicTerms, *, should_stop: Stop = lambda: False) -> TopicModel | None:
    """Train a model with thresholds; None where fewer than two topics have enough tags. It has no name yet."""
    counts = Counter(tag.topic for tag in tags)
    topics = sorted(topic for topic, count in counts.items() if count >= terms.topic_tags_min)
    if len([topic for topic in topics if topic != UNKNOWN_TOPIC]) < TOPICS_MIN:
        return None
    number = {topic: place for place, topic in enumerate(topics)}
    told = [tag for tag in tags if tag.topic in number]
    texts = [counts_of(tag.text) for tag in told]
    classes = np.array([number[tag.topic] for tag in told])
    whole = _Linear.fitted(texts, classes, len(topics), should_stop)
    answers = _answers_on_unseen(texts, classes, topics, terms, should_stop)
    thresholds = thresholds_of(answers, len(topics), wrong_max=terms.wrong_max)
    return whole.model(topics, thresholds, tags=len(told))


def named(model: TopicModel) -> TopicModel:
    """Name a model by its content."""
    return replace(model, id=digest(dump(replace(model, id=""))))


def thresholds_of(answers: _Answers, count: int, *, wrong_max: float) -> tuple[float, ...]:
    """For each topic the certainty from which on at most `wrong_max` of its answers are wrong, its own share drawn
    towards that of all; `NEVER` where there is none.

    It lies halfway between the last answer that may count and the next, or chance (one topic in `count`) where all may.
    """
    order = np.argsort(-answers.certainty, kind="stable")
    topic, certainty = answers.topic[order], answers.certainty[order]
    weight, wrong = answers.weight[order], answers.weight[order] * answers.is_wrong[order]
    of_all = (np.cumsum(wrong) + 0.5) / (np.cumsum(weight) + 1.0)
    thresholds = []
    for number in range(count):
        own = np.flatnonzero(topic == number)
        share = (np.cumsum(wrong[own]) + BORROWED * of_all[own]) / (np.cumsum(weight[own]) + BORROWED)
        is_last_of_equals = np.append(certainty[own][1:] < certainty[own][:-1], [True] * bool(own.size))
        good = np.flatnonzero((share <= wrong_max) & is_last_of_equals.astype(bool))
        last = int(good[-1]) if good.size else None
        if last is None:
            thresholds.append(NEVER)
            continue
        least = float(certainty[own[last]])
        below = float(certainty[own[last + 1]]) if last + 1 < own.size else min(least, 1.0 / count)
        thresholds.append((least + below) / 2.0)
    return tuple(thresholds)


def _answers_on_unseen(
    texts: Sequence[dict[int, float]],
    classes: NDArray[np.int64],
    topics: Sequence[str],
    terms: TopicTerms,
    should_stop: Stop,
) -> _Answers:
    """Let models answer on tags and on topics that were left out of their training."""
    fold = np.zeros(classes.size, dtype=np.int64)
    for number in range(len(topics)):
        own = np.flatnonzero(classes == number)
        fold[own] = np.arange(own.size) % FOLDS
    known, strange = [], []
    for leave in range(FOLDS):
        out = _topics_left_out(topics, leave)
        is_out = np.isin(classes, out)
        kept = np.flatnonzero((fold != leave) & ~is_out)
        taught = [texts[i] for i in kept.tolist()]
        names = np.setdiff1d(np.arange(len(topics)), out)
        linear = _Linear.fitted(taught, np.searchsorted(names, classes[kept]), names.size, should_stop)
        asked = np.flatnonzero((fold == leave) | is_out)
        said, certainty = linear.answer([texts[i] for i in asked.tolist()])
        told = np.column_stack([names[said], certainty, names[said] != classes[asked]])
        known.append(told[~is_out[asked]])
        strange.append(told[is_out[asked]])
    inside, outside = np.concatenate(known), np.concatenate(strange)
    each = terms.unknown_share / (1.0 - terms.unknown_share) * len(inside) / max(1, len(outside))
    both = np.concatenate([inside, outside])
    return _Answers(
        topic=both[:, 0].astype(np.int64),
        certainty=both[:, 1],
        is_wrong=both[:, 2].astype(np.bool_),
        weight=np.concatenate([np.ones(len(inside)), np.full(len(outside), each)]),
    )


def _topics_left_out(topics: Sequence[str], fold: int) -> list[int]:
    """The topics that a fold's model never hears of; with very few topics none can be spared."""
    if len(topics) < TOPICS_MIN_TO_LEAVE_OUT:
        return []
    named_topics = [number for number, topic in enumerate(topics) if topic != UNKNOWN_TOPIC]
    return named_topics[fold::TOPICS_LEFT_OUT]


def _at_least(hits: int, trials: int, chance: float) -> float:
    """How probable it is that at least so many of the trials hit, each with this chance."""
    from understudy.stats.binomial import at_most_p  # brings scipy

    return float(at_most_p(trials - hits, trials, target=1.0 - chance))


def _sure_topic(model: TopicModel | None, tag: Tag) -> str | None:
    if model is None:
        return None
    guess = classify(model, tag.text)
    return guess.topic if guess.is_sure else None


@dataclass(frozen=True, slots=True)
class _Linear:
    """Weights by hashed feature; texts come as counts."""

    features: NDArray[np.int64]
    idf: NDArray[np.float64]
    unseen_idf: float
    weights: Singles
    biases: Singles

    @classmethod
    def fitted(
        cls, texts: Sequence[dict[int, float]], classes: NDArray[np.int64], count: int, should_stop: Stop
    ) -> _Linear:
        seen = np.zeros(1 << HASH_BITS, dtype=np.int64)
        for text in texts:
            seen[np.fromiter(text, dtype=np.int64, count=len(text))] += 1
        often = np.flatnonzero(seen >= SEEN_MIN)
        features = np.sort(often[np.argsort(-seen[often], kind="stable")[:FEATURES_MAX]])
        rarity = np.log((1.0 + len(texts)) / (1.0 + seen[features])) + 1.0
        blank = cls(features, rarity, float(np.log((1.0 + len(texts)) / 2.0) + 1.0), *_NOTHING)
        weights, biases = fit(blank._rows(texts), classes, count=count, penalty=PENALTY, should_stop=should_stop)
        return replace(blank, weights=weights, biases=biases)

    def answer(self, texts: Sequence[dict[int, float]]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        logits = self._rows(texts) @ self.weights + self.biases
        best = logits.max(axis=1, keepdims=True)
        return logits.argmax(axis=1), 1.0 / np.exp(logits - best).sum(axis=1, dtype=np.float64)

    def model(self, topics: Sequence[str], thresholds: tuple[float, ...], *, tags: int) -> TopicModel:
        """The model as a record: weights as signed bytes, each row with its scale."""
        scales = np.maximum(np.abs(self.weights).max(axis=1, initial=0.0), 1e-12) / 127.0
        rounded = np.round(self.weights / scales[:, None]).astype("<i1")
        return TopicModel(
            id="",
            topics=tuple(topics),
            features=_packed(self.features.astype("<i4")),
            idf=_packed(self.idf.astype("<f4")),
            weights=_packed(rounded),
            scales=_packed(scales.astype("<f4")),
            unseen_idf=self.unseen_idf,
            biases=tuple(self.biases.tolist()),
            thresholds=thresholds,
            tags=tags,
        )

    def _rows(self, texts: Sequence[dict[int, float]]) -> Any:
        from scipy.sparse import csr_matrix, diags

        keys = np.concatenate([np.fromiter(text, dtype=np.int64, count=len(text)) for text in texts])
        values = np.concatenate([np.fromiter(text.values(), dtype=np.float64, count=len(text)) for text in texts])
        row = np.repeat(np.arange(len(texts)), [len(text) for text in texts])
        place = np.minimum(np.searchsorted(self.features, keys), max(0, self.features.size - 1))
        is_known = self.features[place] == keys if self.features.size else np.zeros(keys.size, dtype=np.bool_)
        heavy = values * np.where(is_known, self.idf[place] if self.features.size else 0.0, self.unseen_idf)
        length = np.sqrt(np.bincount(row, weights=heavy**2, minlength=len(texts)))
        known = (heavy[is_known], (row[is_known], place[is_known]))
        shape = (len(texts), self.features.size)
        return diags(1.0 / np.maximum(length, 1e-12)) @ csr_matrix(known, shape=shape)


_NOTHING: Final = (np.zeros((0, 0), dtype=np.float32), np.zeros(0, dtype=np.float32))


def _packed(array: NDArray[Any]) -> str:
    return b64encode(array.tobytes()).decode()
