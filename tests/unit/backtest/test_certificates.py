"""What a backtest certifies: the table of the certificate, monotonicity, and figures that do not contradict each other."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from understudy.backtest.certificates import Design, Drafts, certify, design_for
from understudy.records.backtest import Goal, SliceBacktest

GOAL = Goal(risk_max=0.05, confidence=0.95, threshold=0.8)


def drafts_of(
    losses: list[float], *, scores: list[float] | None = None, conversations: list[int] | None = None
) -> Drafts:
    return Drafts(
        conversation=np.array(range(len(losses)) if conversations is None else conversations, dtype=np.int64),
        score=np.array([0.9] * len(losses) if scores is None else scores, dtype=np.float64),
        loss=np.array(losses, dtype=np.float64),
        is_severe=np.array(losses, dtype=np.float64) == 1.0,
    )


def certified(drafts: Drafts, goal: Goal = GOAL, design: Design | None = None) -> SliceBacktest:
    return certify("slice", (), drafts, design or design_for(goal, np.zeros(0), 0.0), goal)


def counted(labels: int, bad: int) -> Drafts:
    return drafts_of([1.0] * bad + [0.0] * (labels - bad))


@pytest.mark.parametrize(
    ("risk", "labels", "bad"),
    [
        (0.05, 75, 0),
        (0.05, 131, 1),
        (0.05, 171, 2),
        (0.05, 210, 3),
        (0.02, 189, 0),
        (0.02, 332, 1),
        (0.01, 379, 0),
        (0.01, 667, 1),
    ],
)
def test_fixed_threshold_certifies_exactly_at_the_table(risk: float, labels: int, bad: int) -> None:
    goal = Goal(risk_max=risk, confidence=0.95, threshold=0.8)
    short, enough = certified(counted(labels - 1, bad), goal), certified(counted(labels, bad), goal)
    assert (short.is_certified, short.coverage, short.labels_needed) == (False, 0.0, 1)
    assert (enough.is_certified, enough.coverage, enough.labels_needed) == (True, 1.0, 0)


@given(st.integers(0, 90), st.integers(0, 4))
@settings(max_examples=60, deadline=None)
def test_labels_needed_are_exactly_enough(labels: int, bad: int) -> None:
    bad = min(bad, labels)
    found = certified(counted(labels, bad))
    assert not certified(counted(labels + max(0, found.labels_needed - 1), bad)).is_certified or found.is_certified
    assert certified(counted(labels + found.labels_needed, bad)).is_certified


losses = st.lists(st.sampled_from([0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.2, 0.5, 1.0]), max_size=200)


@given(losses, st.integers(0, 2**32 - 1))
@settings(max_examples=60, deadline=None)
def test_figures_do_not_contradict_each_other(some: list[float], seed: int) -> None:
    scores = np.random.default_rng(seed).choice([0.1, 0.3, 0.5, 0.7, 0.9], len(some)).tolist()
    goal = Goal(risk_max=0.05, confidence=0.95)
    design = design_for(goal, np.array([0.9, 0.7, 0.5, 0.3, 0.1]), 0.6)
    found = certified(drafts_of(some, scores=scores), goal, design)
    assert found.is_certified == (found.risk_upper <= goal.risk_max)
    assert found.is_certified == (found.labels_needed == 0)
    assert found.is_certified == (found.coverage > 0.0)
    assert found.is_certified == (found.threshold is not None)
    assert found.risk <= found.risk_upper
    assert found.labels == found.drafts == len(some)
    assert found.bad == sum(loss > 0 for loss in some)
    assert all(point.risk <= point.risk_upper + 1e-9 for point in found.curve)


@given(losses, st.integers(0, 199))
@settings(max_examples=60, deadline=None)
def test_better_labels_never_need_more_or_bound_worse(some: list[float], place: int) -> None:
    better = list(some)
    if better:
        better[place % len(better)] = 0.0
    before, after = certified(drafts_of(some)), certified(drafts_of(better))
    assert after.risk_upper <= before.risk_upper + 1e-5
    assert after.labels_needed <= before.labels_needed


def test_order_of_the_labels_does_not_matter() -> None:
    late, early = certified(drafts_of([0.0] * 130 + [1.0])), certified(drafts_of([1.0] + [0.0] * 130))
    assert late == early
    assert late.is_certified
    assert not certified(drafts_of([0.0] * 129 + [1.0])).is_certified


def test_several_drafts_of_a_conversation_are_one_label() -> None:
    many = drafts_of([0.0] * 300, conversations=[n // 5 for n in range(300)])
    found = certified(many)
    assert (found.drafts, found.labels, found.is_certified) == (300, 60, False)
    assert found.labels_needed == 15


def test_conversation_is_as_bad_as_its_worst_draft_that_goes_out() -> None:
    several = drafts_of([0.2, 1.0, 0.0], scores=[0.9, 0.5, 0.9], conversations=[0, 0, 1])
    assert several.losses_at(0.8).tolist() == [0.2, 0.0]
    assert several.losses_at(0.4).tolist() == [1.0, 0.0]
    assert several.losses_at(0.95).tolist() == []


def test_drafts_below_the_threshold_are_neither_evidence_nor_coverage() -> None:
    scores = [0.9] * 75 + [0.1] * 25
    found = certified(drafts_of([0.0] * 75 + [1.0] * 25, scores=scores))
    assert found.is_certified
    assert (found.coverage, found.labels, found.bad, found.accepted, found.accepted_bad) == (0.75, 100, 25, 75, 0)


def test_severe_replies_must_hold_as_well() -> None:
    goal = Goal(risk_max=0.05, confidence=0.95, threshold=0.8, severe_max=0.02)
    assert not certified(counted(188, 0), goal).is_certified
    assert certified(counted(188, 0), goal).labels_needed == 1
    found = certified(counted(189, 0), goal)
    assert found.is_certified
    assert found.severe_upper is not None
    assert found.severe_upper <= 0.02


def test_reviewers_who_miss_some_need_more_labels() -> None:
    found = certified(counted(75, 0), Goal(risk_max=0.05, confidence=0.95, threshold=0.8, sensitivity=0.7))
    assert not found.is_certified
    assert found.labels_needed > 25


def test_plain_threshold_claims_what_is_not_proven() -> None:
    found = certified(drafts_of([0.0] * 30, scores=[0.9] * 30))
    assert not found.is_certified
    assert found.plain is not None
    assert found.plain.coverage == 1.0


def test_slice_without_labels_needs_those_of_the_table() -> None:
    found = certified(drafts_of([]))
    assert (found.labels, found.is_certified, found.labels_needed, found.risk_upper) == (0, False, 75, 1.0)


def test_slice_that_is_too_risky_never_gets_there() -> None:
    assert certified(counted(400, 60)).labels_expected is None
    assert certified(counted(60, 0)).labels_expected is not None


@pytest.mark.parametrize(
    "wrong",
    [
        {"risk_max": 0.0},
        {"risk_max": 1.0},
        {"confidence": 1.5},
        {"sensitivity": 0.0},
        {"threshold": 2.0},
        {"severe_max": 0.0},
    ],
)
def test_goal_names_what_is_wrong(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Goal(**{"risk_max": 0.05, "confidence": 0.95, **wrong})


def test_false_certificates_are_as_rare_as_promised() -> None:
    """Every threshold exactly at the target, the worst case that counts: 200 worlds, at most 5 % and some chance."""
    goal, dice, runs = Goal(risk_max=0.05, confidence=0.95), np.random.default_rng(20), 200
    past = dice.random(200)
    design = design_for(goal, past, 0.6)
    falsely = 0
    for _ in range(runs):
        bad = (dice.random(600) < goal.risk_max).astype(float).tolist()
        world = drafts_of(bad, scores=dice.random(600).tolist())
        falsely += certify("slice", (), world, design, goal, with_curve=False).is_certified
    assert falsely <= 0.05 * runs + 2 * (0.05 * 0.95 * runs) ** 0.5
