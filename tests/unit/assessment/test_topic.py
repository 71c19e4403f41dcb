"""Who names the topic, in which order, and how a model reads a text."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from understudy.assessment.topic import NamedTopic, name_topic, topic_of
from understudy.assessment.topic_model import HASH_BITS, TEXT_CHARS_MAX, classify, counts_of
from understudy.records.codec import dump, load
from understudy.records.evidence import ChatMessage, Draft
from understudy.records.rulebook import UNKNOWN_TOPIC, Rules, TopicRule
from understudy.records.topics import TopicModel

RULES = Rules(topics=(TopicRule(topic="legal", phrases=("Legal",)), TopicRule(topic="parcels", phrases=("parcel",))))
UNRULED = Rules()


def packed(values: Any, kind: str) -> str:
    return b64encode(np.array(values).astype(kind).tobytes()).decode()


def model(*, thresholds: tuple[float, ...] = (0.5, 0.5), name: str = "m", **weights: tuple[int, int]) -> TopicModel:
    """A model of two topics that knows the features of single words."""
    rows = {key: row for word, row in weights.items() for key in counts_of(word)}
    keys = sorted(rows)
    return TopicModel(
        id=f"{name}-{sorted(weights.items())}-{thresholds}",
        topics=("parcels", UNKNOWN_TOPIC),
        features=packed(keys, "<i4"),
        idf=packed([1.0] * len(keys), "<f4"),
        weights=packed([rows[key] for key in keys], "<i1"),
        scales=packed([1.0] * len(keys), "<f4"),
        unseen_idf=1.0,
        biases=(0.0, 0.0),
        thresholds=thresholds,
        tags=10,
    )


def said(text: str) -> tuple[ChatMessage, ...]:
    return (
        ChatMessage(role="user", content="earlier"),
        ChatMessage(role="assistant"),
        ChatMessage(role="user", content=text),
    )


def test_channel_then_rules_then_agent_then_model_name_the_topic() -> None:
    draft = Draft(text="x", topic="agents")
    knows = model(parcel=(9, 0))
    assert name_topic("given", draft, said("parcel"), RULES, model=knows) == NamedTopic(topic="given", by="channel")
    assert name_topic(None, draft, said("a parcel"), RULES, model=knows).by == "rules"
    assert name_topic(None, draft, said("a parcel"), UNRULED, model=knows).by == "agent"
    assert name_topic(None, None, said("parcel"), UNRULED, model=knows).by == "model"
    assert name_topic(None, None, said("parcel"), UNRULED) == NamedTopic(topic=UNKNOWN_TOPIC, by=None)


def test_part_of_a_word_counts_for_a_rule_and_case_does_not() -> None:
    assert topic_of(None, None, said("This is ILLEGAL, where is my parcel"), RULES) == "legal"


def test_only_what_the_customer_wrote_in_this_turn_is_looked_at() -> None:
    assert topic_of(None, None, (ChatMessage(role="user", content="parcel"), *said("hello")), RULES) == UNKNOWN_TOPIC


def test_below_its_threshold_a_guess_is_unknown_and_still_shown() -> None:
    named = name_topic(None, None, said("parcel"), UNRULED, model=model(parcel=(1, 0), thresholds=(0.99, 0.99)))
    assert (named.topic, named.by) == (UNKNOWN_TOPIC, None)
    assert named.guess is not None
    assert (named.guess.topic, named.guess.is_sure) == ("parcels", False)


def test_a_model_that_was_taught_what_is_about_nothing_says_so_and_is_never_sure_of_it() -> None:
    guess = classify(model(hello=(0, 9)), "hello")
    assert (guess.topic, guess.is_sure) == (UNKNOWN_TOPIC, False)
    assert guess.certainty > 0.9


def test_words_it_never_saw_lower_the_certainty() -> None:
    knows = model(parcel=(5, 0))
    assert classify(knows, "parcel").certainty > classify(knows, "parcel zebra quartz").certainty


@pytest.mark.parametrize("text", ["", "   ", "?!…", "zzzz"])
def test_a_text_of_which_nothing_is_known_is_unknown_with_certainty_0(text: str) -> None:
    guess = classify(model(parcel=(5, 0)), text)
    assert (guess.topic, guess.certainty, guess.is_sure) == (UNKNOWN_TOPIC, 0.0, False)


def test_a_model_comes_back_from_json_as_it_was() -> None:
    known = model(parcel=(5, 0))
    assert load(TopicModel, dump(known)) == known


def test_a_model_needs_a_threshold_for_each_topic() -> None:
    with pytest.raises(ValueError, match="a bias and a threshold"):
        model(parcel=(5, 0), thresholds=(0.5,))


@given(text=st.text(max_size=600))
@settings(max_examples=200, deadline=None)
def test_any_text_can_be_read_and_the_same_text_reads_the_same(text: str) -> None:
    counts = counts_of(text)
    assert counts == counts_of(text)
    assert all(0 <= key < 2**HASH_BITS and value >= 1.0 for key, value in counts.items())
    guess = classify(model(parcel=(5, 0)), text)
    assert 0.0 <= guess.certainty <= 1.0
    assert counts == counts_of(text[:TEXT_CHARS_MAX])
