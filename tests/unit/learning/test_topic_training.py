"""A topic model is trained on tags, with thresholds that keep wrong answers few, and used where it did better on unseen ones."""

from __future__ import annotations

import random
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_matrix

from understudy.assessment.topic_model import classify
from understudy.learning.topic_training import NEVER, Tag, _Answers, named, thresholds_of, train, tried
from understudy.records.rulebook import UNKNOWN_TOPIC
from understudy.records.topics import TopicModel, TopicTerms
from understudy.stats import softmax

TERMS = TopicTerms(tags_min=60, topic_tags_min=5, wrong_max=0.1)
WORDS = {
    "delivery": "parcel arrive late courier tracking shipped doorstep".split(),
    "refunds": "money back invoice refund charged returned amount".split(),
    "password": "login password account locked reset email code".split(),
    "opening": "open close hours sunday holiday shop store".split(),
    "jobs": "apply career salary interview hiring vacancy team".split(),
}
FILLER = "please can you my the a is it and help with today thanks hello".split()


def tags(count: int, *, seed: int, muddle: float = 0.0, topics: tuple[str, ...] = tuple(WORDS)) -> list[Tag]:
    """Messages of a few words of their topic between filler; a share `muddle` is tagged at random."""
    dice = random.Random(seed)
    made = []
    for position in range(1, count + 1):
        topic = dice.choice(topics)
        words = dice.sample(WORDS[topic], 3) + dice.sample(FILLER, 4)
        dice.shuffle(words)
        tagged = dice.choice(topics) if dice.random() < muddle else topic
        made.append(Tag(position=position, text=" ".join(words), topic=tagged))
    return made


def trained(told: list[Tag], terms: TopicTerms = TERMS) -> TopicModel:
    model = train(told, terms)
    assert model is not None
    return named(model)


def test_it_learns_what_reviewers_tag() -> None:
    model = trained(tags(300, seed=1))
    asked = tags(200, seed=2)
    assert np.mean([classify(model, tag.text).topic == tag.topic for tag in asked]) > 0.97


def test_of_its_sure_answers_few_are_wrong_even_where_tags_are_muddled() -> None:
    model = trained(tags(600, seed=3, muddle=0.15))
    asked = tags(600, seed=4)
    sure = [(guess, tag) for tag in asked if (guess := classify(model, tag.text)).is_sure]
    assert len(sure) > 100
    assert sum(guess.topic != tag.topic for guess, tag in sure) <= 0.1 * len(sure)


def test_what_is_about_something_else_is_mostly_unknown() -> None:
    known = ("delivery", "refunds", "password", "opening")
    model = trained(tags(400, seed=5, topics=known), replace(TERMS, wrong_max=0.02))
    strange = tags(200, seed=6, topics=("jobs",))
    assert sum(classify(model, tag.text).is_sure for tag in strange) <= 0.1 * len(strange)


def test_a_topic_of_few_tags_is_not_learned() -> None:
    told = [*tags(100, seed=7), *(Tag(position=900 + n, text="a rare thing", topic="rare") for n in range(4))]
    assert "rare" not in trained(told).topics
    assert train(tags(100, seed=7, topics=("jobs",)), TERMS) is None, "one topic is no choice"


def test_messages_tagged_unknown_teach_what_is_about_nothing() -> None:
    strange = [replace(tag, topic=UNKNOWN_TOPIC) for tag in tags(100, seed=8, topics=("jobs",))]
    model = trained([*tags(200, seed=9, topics=("delivery", "refunds")), *strange])
    assert not any(classify(model, tag.text).is_sure for tag in tags(50, seed=10, topics=("jobs",)))


def test_a_first_model_is_adopted_on_unseen_tags_and_the_same_tags_give_no_second_trial() -> None:
    told = tags(200, seed=11)
    trial = tried(told, in_force=None, terms=TERMS)
    assert trial is not None
    assert trial.is_better
    assert (trial.unseen, trial.right_before, trial.model.trained_until) == (60, 0, 200)
    assert trial.model.weights == trained(told[:140]).weights, "what was tried is what is adopted"
    assert tried(told, in_force=trial.model, terms=TERMS) is None


def test_a_model_that_is_no_better_is_not_adopted() -> None:
    before = trained(tags(600, seed=12))
    trial = tried(
        [replace(tag, position=tag.position + 1000) for tag in tags(300, seed=13)], in_force=before, terms=TERMS
    )
    assert trial is not None
    assert not trial.is_better


def test_a_model_of_muddled_tags_is_refused_for_too_many_wrong_answers() -> None:
    told = [
        *tags(300, seed=14),
        *(replace(tag, position=tag.position + 1000) for tag in tags(150, seed=15, muddle=1.0)),
    ]
    trial = tried(told, in_force=None, terms=TERMS)
    assert trial is not None
    assert not trial.is_better


def test_few_tags_try_nothing() -> None:
    assert tried(tags(59, seed=16), in_force=None, terms=TERMS) is None


def test_a_stop_ends_the_training() -> None:
    with pytest.raises(softmax.Stopped):
        train(tags(100, seed=17), TERMS, should_stop=lambda: True)


answers = st.lists(st.tuples(st.integers(0, 2), st.floats(0, 1), st.booleans()), min_size=1, max_size=80)


@given(rows=answers, strict=st.floats(0.01, 0.2), slack=st.floats(0.0, 0.3))
@settings(max_examples=150, deadline=None)
def test_who_allows_more_wrong_answers_gets_no_stricter_thresholds(
    rows: list[tuple[int, float, bool]], strict: float, slack: float
) -> None:
    said = _Answers(
        topic=np.array([row[0] for row in rows]),
        certainty=np.array([row[1] for row in rows]),
        is_wrong=np.array([row[2] for row in rows]),
        weight=np.ones(len(rows)),
    )
    lax = thresholds_of(said, 3, wrong_max=strict + slack)
    assert all(a <= b for a, b in zip(lax, thresholds_of(said, 3, wrong_max=strict), strict=True))
    assert all(0.0 <= threshold <= NEVER for threshold in lax)


def test_topics_whose_answers_are_all_wrong_are_never_sure() -> None:
    count = 100
    said = _Answers(
        topic=np.arange(count) % 2,
        certainty=np.linspace(0.5, 0.99, count),
        is_wrong=np.arange(count) % 2 == 0,
        weight=np.ones(count),
    )
    assert thresholds_of(said, 2, wrong_max=0.05)[0] == NEVER


def test_softmax_finds_the_same_weights_as_a_general_minimiser() -> None:
    dice = np.random.default_rng(1)
    rows, classes = dice.normal(size=(60, 4)), dice.integers(0, 3, size=60)
    weights, biases = softmax.fit(csr_matrix(rows), classes, count=3, penalty=1.0)
    logits = rows @ weights + biases
    odds = np.exp(logits - logits.max(axis=1, keepdims=True))
    odds /= odds.sum(axis=1, keepdims=True)
    odds[np.arange(60), classes] -= 1.0
    assert np.abs(rows.T @ odds + weights).max() < 0.02, "the slope is flat at the best weights"
    assert np.abs(odds.sum(axis=0)).max() < 0.02
