"""The gate says pass, fail or inconclusive, and what only looks calm does not pass."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy.evaluation.gate import GateFound, GateTerms, decide, is_settled
from understudy.records.gate import GateVerdict
from understudy.records.suite import CaseRule, Trial

PASS, FAIL, OPEN = GateVerdict.PASS, GateVerdict.FAIL, GateVerdict.INCONCLUSIVE


def trials(
    failing: Callable[[int, int], bool], *, cases: int, times: int = 1, name: str = "c", **fields: object
) -> list[Trial]:
    """A run: case i fails its trial j where `failing` says so."""
    return [
        Trial(case=f"{name}{i}", trial=j, loss=float(failing(i, j)), **fields)  # type: ignore[arg-type]
        for i in range(cases)
        for j in range(times)
    ]


def noisy(rates: Iterable[float], *, times: int, seed: int) -> list[Trial]:
    dice = random.Random(seed)
    return [
        Trial(case=f"c{i}", trial=j, loss=float(dice.random() < rate))
        for i, rate in enumerate(rates)
        for j in range(times)
    ]


def gate(baseline: list[Trial], candidate: list[Trial], **terms: object) -> GateFound:
    return decide(baseline, candidate, GateTerms(**terms))  # type: ignore[arg-type]


RATES = [0.3 if i % 4 == 0 else 0.02 for i in range(200)]


def test_equal_agents_pass() -> None:
    found = gate(noisy(RATES, times=10, seed=1), noisy(RATES, times=10, seed=2))
    assert found.verdict is PASS
    assert found.interval[0] <= found.effect <= found.interval[1] < 0.03
    assert found.would_decide is None


def test_regression_fails_naming_the_cases_that_flipped() -> None:
    sound = [0.02] * 200
    worse = [0.9] * 40 + sound[40:]
    found = gate(noisy(sound, times=10, seed=1), noisy(worse, times=10, seed=2))
    assert found.verdict is FAIL
    assert found.interval[0] > 0
    assert {one.case for one in found.flipped} == {f"c{i}" for i in range(40)}
    assert all(one.candidate_loss > one.baseline_loss for one in found.flipped)


def test_gain_passes() -> None:
    better = [rate / 3 for rate in RATES]
    assert gate(noisy(RATES, times=10, seed=1), noisy(better, times=10, seed=2)).verdict is PASS


def test_same_mean_with_swapped_cases_shows_them_on_both_sides() -> None:
    before = trials(lambda i, j: i < 20, cases=60)
    after = trials(lambda i, j: 20 <= i < 40, cases=60)
    found = gate(before, after)
    assert found.effect == 0
    assert found.verdict is OPEN
    assert {one.case for one in found.flipped} == {f"c{i}" for i in range(40)}


def test_too_little_is_inconclusive_and_says_what_would_decide_it() -> None:
    found = gate(trials(lambda i, j: i == 0, cases=3), trials(lambda i, j: i == 1, cases=3))
    assert found.verdict is OPEN
    assert found.would_decide is not None
    assert "17 more cases" in found.would_decide


def test_nothing_in_common_is_inconclusive() -> None:
    found = gate(trials(lambda i, j: False, cases=30, name="a"), trials(lambda i, j: False, cases=30, name="b"))
    assert (found.verdict, found.pairs) == (OPEN, 0)
    assert found.interval == (-1.0, 1.0)


def test_error_counts_for_neither() -> None:
    candidate = trials(lambda i, j: i % 10 == 0, cases=300)
    crashed = [
        Trial(case=one.case, trial=0, error="it crashed") if i % 10 == 1 else one for i, one in enumerate(candidate)
    ]
    found = gate(trials(lambda i, j: i % 10 == 0, cases=300), crashed)
    assert found.verdict is PASS
    assert (found.pairs, found.errors, found.effect) == (270, 30, 0.0)
    assert any("30 of the candidate" in one for one in found.cautions)


def test_candidate_that_mostly_could_not_be_reached_never_passes() -> None:
    candidate = [
        one if i % 2 else Trial(case=one.case, trial=0, error="unreachable")
        for i, one in enumerate(trials(lambda i, j: False, cases=800))
    ]
    found = gate(trials(lambda i, j: i % 10 == 0, cases=800), candidate)
    assert found.verdict is OPEN
    assert "ended in an error" in found.reason


# --- false calm ---


def test_suite_that_never_fails_anything_does_not_pass() -> None:
    found = gate(trials(lambda i, j: False, cases=400), trials(lambda i, j: False, cases=400))
    assert found.verdict is OPEN
    assert "nothing shows that this suite can fail anything" in found.reason


def test_suite_that_never_failed_passes_where_its_graders_refuse_known_bad_replies() -> None:
    calm = trials(lambda i, j: False, cases=400, has_teeth=True)
    assert gate(calm, calm).verdict is PASS


def test_graders_that_agree_with_everything_do_not_pass() -> None:
    run = trials(lambda i, j: i % 10 == 0, cases=400, has_teeth=False)
    found = gate(run, run)
    assert found.verdict is OPEN
    assert "pass the very reply that people refused" in found.reason


def test_copies_of_one_trial_count_once() -> None:
    run = trials(lambda i, j: i % 5 == 0, cases=20, times=50)
    found = gate(run, run)
    assert (found.verdict, found.pairs) == (OPEN, 20)
    assert any("980 copies" in one for one in found.cautions)


def test_few_cases_tried_often_do_not_pass() -> None:
    found = gate(noisy([0.1] * 5, times=400, seed=1), noisy([0.1] * 5, times=400, seed=2))
    assert found.verdict is OPEN
    assert "only 5 cases" in found.reason


# --- cases that block by themselves ---


def with_case(run: list[Trial], losses: list[float], rule: CaseRule) -> list[Trial]:
    return [*run, *(Trial(case="it", trial=i, loss=loss, rule=rule) for i, loss in enumerate(losses))]


CALM = trials(lambda i, j: i % 10 == 0, cases=400)


def test_one_failure_where_none_is_tolerated_blocks() -> None:
    found = gate(CALM, with_case(CALM, [0.0] * 50 + [1.0], CaseRule.ZERO_TOLERANCE))
    assert found.verdict is FAIL
    assert found.blocked_by == ("it",)
    assert "failed 1 of 51" in found.reason


def test_case_that_must_pass_blocks_when_it_repeats_its_mistake() -> None:
    found = gate(CALM, with_case(CALM, [1.0] * 4, CaseRule.MUST_PASS))
    assert (found.verdict, found.blocked_by) == (FAIL, ("it",))


def test_case_that_must_pass_passes_after_32_clean_trials() -> None:
    assert gate(CALM, with_case(CALM, [0.0] * 32, CaseRule.MUST_PASS)).verdict is PASS


def test_case_that_must_pass_keeps_the_gate_open_with_fewer() -> None:
    found = gate(CALM, with_case(CALM, [0.0] * 20, CaseRule.MUST_PASS))
    assert found.verdict is OPEN
    assert found.would_decide is not None
    assert "12 more trials" in found.would_decide


def test_case_that_must_pass_cannot_be_left_out() -> None:
    found = gate(with_case(CALM, [0.0] * 32, CaseRule.MUST_PASS), CALM)
    assert found.verdict is OPEN


def test_rule_cannot_be_loosened_by_the_candidate() -> None:
    before = with_case(CALM, [0.0] * 32, CaseRule.ZERO_TOLERANCE)
    assert gate(before, with_case(CALM, [1.0], CaseRule.ORDINARY)).verdict is FAIL


# --- statistics ---


@pytest.mark.slow
def test_candidate_worse_by_the_margin_seldom_passes() -> None:
    margin, passed = 0.06, 0
    for seed in range(200):
        before = noisy([0.08] * 100, times=10, seed=seed)
        after = noisy([0.08 + margin] * 100, times=6, seed=10_000 + seed)
        passed += gate(before, after, margin=margin).verdict is PASS
    assert passed <= 0.05 * 200 + 3


@pytest.mark.slow
def test_two_runs_of_one_agent_hardly_ever_come_to_opposite_verdicts() -> None:
    opposite = 0
    for seed in range(150):
        before = noisy(RATES, times=10, seed=3 * seed)
        said = {gate(before, noisy(RATES, times=5, seed=3 * seed + k)).verdict for k in (1, 2)}
        opposite += {PASS, FAIL} <= said
    assert opposite <= 1


def test_run_is_settled_as_soon_as_it_passes() -> None:
    before = noisy(RATES, times=10, seed=1)
    after = sorted(noisy(RATES, times=10, seed=2), key=lambda one: one.trial)
    lengths = [n for n in range(50, len(after), 50) if is_settled(before, after[:n], GateTerms())]
    assert lengths
    assert lengths[0] < 1_500


losses = st.lists(st.sampled_from([0.0, 0.0, 0.0, 1.0, None]), max_size=60)


@given(before=losses, after=losses)
def test_verdict_follows_from_the_interval_that_is_shown(before: list[float | None], after: list[float | None]) -> None:
    runs = [
        [Trial(case=f"c{i}", trial=0, loss=loss, error=None if loss is not None else "x") for i, loss in enumerate(one)]
        for one in (before, after)
    ]
    found = gate(runs[0], runs[1], margin=0.5, cases_min=1)
    assert found.interval[0] <= found.effect <= found.interval[1]
    if found.verdict is PASS:
        assert found.interval[1] < 0.5
    elif found.verdict is FAIL:
        assert found.interval[0] > 0
    assert (found.verdict is OPEN) == (found.would_decide is not None)


@given(order=st.randoms(use_true_random=False))
def test_order_of_the_lines_does_not_matter(order: random.Random) -> None:
    before, after = noisy(RATES[:40], times=3, seed=1), noisy(RATES[:40], times=3, seed=2)
    shuffled = [list(before), list(after)]
    for run in shuffled:
        order.shuffle(run)
    assert gate(*shuffled) == gate(before, after)
