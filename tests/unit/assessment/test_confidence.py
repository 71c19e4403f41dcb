"""Confidence is a transparent sum: better signals never lower it, and its parts add up."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy.assessment.confidence import confidence
from understudy.records.assessment import Signal
from understudy.records.rulebook import CheckPolicy, Rules

NAMES = ("grounding", "actions", "exposure", "injection", "escalation", "policy", "quality", "agent", "other")
SHARES = st.floats(0.0, 1.0)
ALL = st.fixed_dictionaries(dict.fromkeys(NAMES, SHARES))


def value(scores: dict[str, float], rules: Rules | None = None) -> float:
    signals = tuple(Signal(check=name, score=score) for name, score in scores.items())
    return confidence(signals, rules or Rules(), words={}).value


@given(ALL, st.sampled_from(NAMES), SHARES)
def test_better_signal_never_lowers_the_confidence(scores: dict[str, float], name: str, other: float) -> None:
    low, high = sorted((scores[name], other))
    assert value(scores | {name: low}) <= value(scores | {name: high})


@given(ALL, st.floats(-50, 50))
def test_contributions_add_up_to_the_confidence(scores: dict[str, float], base: float) -> None:
    signals = tuple(Signal(check=name, score=score) for name, score in scores.items())
    found = confidence(signals, Rules(base_log_odds=base), words={})
    log_odds = base + sum(contribution.log_odds for contribution in found.contributions)
    assert found.value == pytest.approx(1 / (1 + math.exp(-log_odds)), abs=1e-9)


def test_confidence_is_the_base_where_all_is_well() -> None:
    assert value(dict.fromkeys(NAMES, 1.0)) == pytest.approx(1 / (1 + math.exp(-3)))


def test_weight_of_the_rulebook_counts() -> None:
    rules = Rules(checks=(CheckPolicy(check="grounding", weight=0.0),))
    assert value({"grounding": 0.0}, rules) == value({})


def test_largest_effect_stands_first_with_its_words() -> None:
    signals = (
        Signal(check="quality", score=0.9),
        Signal(check="actions", score=0.1),
        Signal(check="policy", score=1.0),
    )
    words = {"quality": "it is unfinished", "actions": "nothing was done"}
    found = confidence(signals, Rules(), words=words)
    assert [(part.signal, part.words) for part in found.contributions] == [
        ("actions", "nothing was done"),
        ("quality", "it is unfinished"),
    ]


@pytest.mark.parametrize(("base", "expected"), [(1e6, 1.0), (-1e6, 0.0)])
def test_extreme_odds_stay_within_bounds(base: float, expected: float) -> None:
    assert value({}, Rules(base_log_odds=base)) == expected
