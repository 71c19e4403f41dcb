"""A rating counts where it is plain or explained, and is refused where its meaning would be a guess."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy.backtest.histories.ratings import Meaning, verdict_of, verdict_of_labels
from understudy.records.review import VerdictKind

APPROVE, REJECT = "approve", "reject"


@pytest.mark.parametrize(
    "rating",
    [True, 1, 1.0, "1", "up", "Thumbs Up", "thumbs-up", "👍", "+1", "yes", "TRUE", "positive", "approve", "Approved"],
)
def test_plain_good(rating: Any) -> None:
    assert verdict_of(rating) == APPROVE


@pytest.mark.parametrize("rating", [False, 0, -1, "0", "-1", "down", "thumbs_down", "👎", "no", "negative", "reject"])
def test_plain_bad(rating: Any) -> None:
    assert verdict_of(rating) == REJECT


@pytest.mark.parametrize(
    ("rating", "kind"),
    [("edit", "edit"), ("takeover", "take_over"), ("Take over", "take_over"), ("escalated", "take_over")],
)
def test_verdicts_by_their_names(rating: str, kind: str) -> None:
    assert verdict_of(rating) == kind


@pytest.mark.parametrize("rating", [None, "", " ", "none", "neutral", "N/A"])
def test_silence_is_no_verdict(rating: Any) -> None:
    assert verdict_of(rating) is None


@pytest.mark.parametrize(
    ("rating", "said"),
    [
        (4, "--good-from"),
        (0.7, "--good-from"),
        ("3", "--good-from"),
        ("meh", "--good or --bad"),
        ([1], "a word"),
        (float("nan"), "--good-from"),
    ],
)
def test_what_would_be_a_guess_is_refused(rating: Any, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        verdict_of(rating)


def test_scale_is_cut_where_the_user_says() -> None:
    stars = Meaning(good_from=4.0)
    assert [verdict_of(star, stars) for star in (1, 3, 4, "5", 0)] == [REJECT, REJECT, APPROVE, APPROVE, REJECT]


def test_own_words_come_before_the_plain_ones() -> None:
    own = Meaning(good=frozenset({"Fine", "no"}), bad=frozenset({"ok"}))
    assert (verdict_of("fine", own), verdict_of("NO", own), verdict_of("ok", own)) == (APPROVE, APPROVE, REJECT)


def test_bad_label_outweighs_a_good_one() -> None:
    named = Meaning(good=frozenset({"ai-ok"}), bad=frozenset({"ai-wrong"}))
    assert verdict_of_labels(["billing", "AI-OK"], named) == APPROVE
    assert verdict_of_labels(["ai-ok", "ai-wrong"], named) == REJECT
    assert verdict_of_labels(["billing"], named) is None


@given(st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12) | st.lists(st.integers()))
def test_any_rating_is_understood_or_refused(rating: Any) -> None:
    try:
        kind = verdict_of(rating)
    except ValueError:
        return
    assert kind is None or kind in VerdictKind
