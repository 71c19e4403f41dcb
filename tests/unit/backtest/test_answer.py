"""The earlier part of a history teaches and the later part certifies: they share no conversation, whatever the order."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from understudy.backtest.answer import backtest, in_order, sides
from understudy.backtest.replies import Reply, Survey
from understudy.records.backtest import Goal, ScoreOrigin


def reply(number: int, *, order: float | None = None, conversation: str | None = None, **more: object) -> Reply:
    known = {"topic": "refunds", "parts": ("refunds",), "score": 0.9, "signals": (), "loss": 0.0, "is_severe": False}
    return Reply(
        conversation=conversation or f"c-{number}", order=float(number) if order is None else order, **{**known, **more}
    )  # type: ignore[arg-type]


def seen(count: int) -> Survey:
    return Survey(records=count, judged=count, sure=count, timed=count)


histories = st.lists(st.tuples(st.integers(0, 8), st.integers(0, 30)), max_size=40)


@given(histories, st.floats(0.0, 1.0), st.integers(0, 20))
def test_no_conversation_is_on_both_sides(history: list[tuple[int, int]], share: float, most: int) -> None:
    replies = [reply(n, order=float(at), conversation=f"c-{c}") for n, (c, at) in enumerate(history)]
    early, late = sides(in_order(replies), share=share, most=most)
    assert not {one.conversation for one in early} & {one.conversation for one in late}
    assert len(early) + len(late) == len(replies)
    assert len({one.conversation for one in early}) <= most


@given(histories)
def test_conversations_stand_together_by_their_first_draft(history: list[tuple[int, int]]) -> None:
    replies = [reply(n, order=float(at), conversation=f"c-{c}") for n, (c, at) in enumerate(history)]
    ordered = in_order(replies)
    conversations = list(dict.fromkeys(one.conversation for one in ordered))
    firsts = [min(one.order for one in replies if one.conversation == name) for name in conversations]
    assert firsts == sorted(firsts)
    for name in conversations:
        places = [place for place, one in enumerate(ordered) if one.conversation == name]
        assert places == list(range(places[0], places[0] + len(places)))


def learned(number: int, *, is_bad: bool, signal: float) -> Reply:
    return reply(number, score=math.nan, signals=(signal, 1.0), loss=float(is_bad))


def test_learned_score_is_the_same_whatever_the_labels_that_certify_say() -> None:
    dice = np.random.default_rng(3)
    signals = dice.random(400)
    history = [learned(n, is_bad=bool(signals[n] < 0.1), signal=float(signals[n])) for n in range(400)]
    other = [
        *history[:120],
        *(learned(n, is_bad=not one.loss, signal=one.signals[0]) for n, one in enumerate(history[120:], 120)),
    ]
    goal = Goal(risk_max=0.05, confidence=0.95)
    first, second = (
        backtest(each, ("grounding", "quality"), seen(400), ScoreOrigin.LEARNED, (), goal) for each in (history, other)
    )
    assert first.set_aside == 120
    assert first.overall.labels == 280
    assert first.learned == second.learned
    assert first.overall.is_certified
    assert not second.overall.is_certified


def test_labels_that_taught_the_score_certify_nothing() -> None:
    bad_late = [learned(n, is_bad=n >= 30, signal=0.5 + 0.001 * n) for n in range(100)]
    found = backtest(
        bad_late, ("grounding", "quality"), seen(100), ScoreOrigin.LEARNED, (), Goal(risk_max=0.5, confidence=0.9)
    )
    assert found.overall.bad == found.overall.labels == 70
    assert not found.is_anything_certified


def test_asked_threshold_of_a_given_score_sets_nothing_aside() -> None:
    goal = Goal(risk_max=0.05, confidence=0.95, threshold=0.8)
    found = backtest([reply(n) for n in range(75)], (), seen(75), ScoreOrigin.GIVEN, ("topic",), goal)
    assert (found.set_aside, found.overall.labels, found.is_anything_certified) == (0, 75, True)
    assert [one.name for one in found.slices] == ["refunds"]
    assert found.coverage_by_slices == 1.0


def test_slices_are_certified_by_themselves() -> None:
    history = [reply(n, parts=("good",)) for n in range(80)] + [
        reply(n, parts=("bad",), loss=1.0) for n in range(80, 100)
    ]
    goal = Goal(risk_max=0.05, confidence=0.95, threshold=0.8)
    found = backtest(history, (), seen(100), ScoreOrigin.GIVEN, ("topic",), goal)
    assert {one.name: one.is_certified for one in found.slices} == {"good": True, "bad": False}
    assert not found.overall.is_certified
    assert found.coverage_by_slices == 0.8


def test_laxest_threshold_is_found_where_none_is_asked_for() -> None:
    dice = np.random.default_rng(5)
    scores = dice.random(1500)
    history = [reply(n, score=float(scores[n]), loss=float(scores[n] < 0.3)) for n in range(1500)]
    found = backtest(history, (), seen(1500), ScoreOrigin.GIVEN, (), Goal(risk_max=0.05, confidence=0.95))
    assert found.set_aside == 150
    assert found.overall.is_certified
    assert 0.6 <= found.overall.coverage <= found.overall.coverage_limit + 0.05


def test_history_without_verdicts_is_an_answer() -> None:
    found = backtest(
        [],
        (),
        Survey(records=9, judged=0, sure=0, timed=0),
        ScoreOrigin.LEARNED,
        ("topic",),
        Goal(risk_max=0.05, confidence=0.95),
    )
    assert not found.is_anything_certified
    assert found.overall.labels_needed == 75
    assert found.slices == ()
    assert "No record has a verdict" in found.notes[0]
