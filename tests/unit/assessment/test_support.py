"""How far a sentence rests on given texts, and whether it turns what they say."""

from __future__ import annotations

import json
from importlib.resources import files

import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy.assessment.carriers import Source
from understudy.assessment.support import MODEL, REVERSALS, WORDS_MAX, Grounds, measures
from understudy.assessment.wording import words

SHIPPING = "Orders above 50 euros are delivered free of charge within three working days."


def doubt(sentence: str, *sources: str, asked: str = "") -> float:
    grounds = Grounds([Source(id=str(n), text=text) for n, text in enumerate(sources)], asked=[asked])
    return MODEL.unsupported(measures(sentence, grounds, grounds.nearest(words(sentence))))


def reversals(sentence: str, source: str) -> list[str]:
    grounds = Grounds([Source(id="1", text=source)])
    measured = measures(sentence, grounds, grounds.nearest(words(sentence)))
    return [name for name in REVERSALS if measured[name]]


def test_sentence_of_the_source_is_hardly_doubted() -> None:
    assert doubt(SHIPPING, SHIPPING) < 0.1


def test_part_of_a_sentence_is_hardly_doubted() -> None:
    assert doubt("Orders above 50 euros are delivered free of charge.", SHIPPING) < 0.2


def test_sentence_about_something_else_is_doubted() -> None:
    assert doubt("Gift vouchers never lose their value at our partner hotels.", SHIPPING) > 0.9


def test_what_is_added_to_a_sentence_raises_the_doubt() -> None:
    added = SHIPPING[:-1] + ", and our drones bring pizza to neighbouring islands."
    assert doubt(added, SHIPPING) > doubt(SHIPPING, SHIPPING) + 0.3


def test_second_source_carries_too() -> None:
    assert doubt(SHIPPING, "We sell tents.", SHIPPING) < 0.1


def test_words_of_the_question_carry_nothing() -> None:
    claim = "The Zephyr stroller folds flat."
    assert doubt(claim, SHIPPING, asked="Does the Zephyr stroller fold flat?") >= doubt(claim, SHIPPING)


@pytest.mark.parametrize(
    ("sentence", "source"),
    [
        ("Sale items are refundable.", "Sale items are not refundable."),
        ("You cannot return opened tents.", "You can return opened tents."),
        ("Refunds on tickets are never granted after departure.", "Refunds on tickets are granted after departure."),
        ("A deposit is optional for groups.", "A deposit is required for groups."),
        ("Unopened boxes can be returned within a month.", "Opened boxes can be returned within a month."),
        ("The minimum stay is two nights in July.", "The maximum stay is two nights in July."),
    ],
)
def test_reversed_sentence_is_recognised(sentence: str, source: str) -> None:
    assert reversals(sentence, source) != []
    assert doubt(sentence, source) > doubt(source, source) + 0.2


@pytest.mark.parametrize(
    ("sentence", "source"),
    [
        ("Sale items are not refundable.", "Sale items are not refundable."),
        ("Not sure, but the shop opens at nine.", "The shop opens at nine."),
        ("Boxes can be returned, opened or unopened.", "Opened and unopened boxes can be returned."),
        ("Cycling is fun.", "Returns are not accepted after 30 days."),
    ],
)
def test_sentence_that_turns_nothing_is_not_reversed(sentence: str, source: str) -> None:
    assert reversals(sentence, source) == []


def test_nearest_sentence_names_its_source() -> None:
    grounds = Grounds([Source(id="a", text="We sell tents."), Source(id="b", text=SHIPPING)])
    nearest = grounds.nearest(words("Delivery of orders above 50 euros is free."))
    assert nearest is not None
    assert nearest.source_id == "b"


def test_nothing_is_near_a_sentence_without_common_words() -> None:
    assert Grounds([Source(id="a", text="We sell tents.")]).nearest(words("Quantum chromodynamics")) is None


def test_what_stands_behind_the_limit_carries_nothing() -> None:
    source = Source(id="a", text="filling " * WORDS_MAX + ". " + SHIPPING)
    assert "deliver" not in Grounds([source]).stems


@given(st.text(max_size=300), st.text(max_size=300))
def test_doubt_is_a_probability_for_any_text(sentence: str, source: str) -> None:
    assert 0.0 <= doubt(sentence, source) <= 1.0


@pytest.mark.parametrize("name", ["support.json", "orders.json"])
def test_learned_numbers_name_their_data_and_licences(name: str) -> None:
    model = json.loads(files("understudy.assessment").joinpath(name).read_text(encoding="utf-8"))
    assert model["learned_from"]
    assert all(
        any(licence in entry for licence in ("MIT", "CC-BY", "this project", "in all"))
        for entry in model["learned_from"]
    )
    assert model["made_by"].startswith("benchmarks/train_")
