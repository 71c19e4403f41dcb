"""The five-bet wealth: its published figures, the supermartingale that the guarantee rests on, and exact replay."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy.records import codec
from understudy.stats.betting import (
    FIVE_BETS,
    Bets,
    Wealth,
    attempt_delta,
    bets_expecting,
    gains,
    labels_needed,
    level,
    log_e,
    log_mixture,
    observed_target,
    progress,
    risk_upper,
    sibling_bets,
)

TARGETS = st.floats(0.001, 0.5)
COUNTS = st.integers(0, 400)
LOSSES = st.lists(st.sampled_from([0.0, 0.2, 0.5, 1.0]) | st.floats(0, 1), max_size=60)


@pytest.mark.parametrize(
    ("target", "needed"),
    [
        (0.05, (75, 131, 171, 210)),
        (0.02, (189, 332, 433, 530)),
        (0.01, (379, 667, 869, 1062)),
        (0.005, (761, 1337, 1741, 2128)),
        (0.001, (3809, 6694, 8717, 10654)),
    ],
)
def test_certificate_table_says_how_many_labels_each_number_of_bad_ones_needs(
    target: float, needed: tuple[int, ...]
) -> None:
    assert tuple(labels_needed(bad, target=target, delta=0.05) for bad in range(4)) == needed


@pytest.mark.parametrize(("labels", "bad", "expected"), [(200, 1, 1.11219), (500, 2, 3.99653), (300, 10, -2.93753)])
def test_log_wealth_is_the_pinned_one(labels: int, bad: int, expected: float) -> None:
    assert float(log_e(labels, bad, target=0.02)) == pytest.approx(expected, abs=5e-6)


def test_wealth_is_one_before_the_first_label() -> None:
    assert float(log_e(0, 0, target=0.02)) == pytest.approx(0, abs=1e-15)
    assert Wealth(target=0.02).log_e == pytest.approx(0, abs=1e-15)


@pytest.mark.parametrize("target", [0.001, 0.02, 0.05, 0.3])
def test_the_mean_of_the_next_wealth_at_the_target_is_the_wealth_now(target: float) -> None:
    labels, bad = np.meshgrid(np.arange(300), np.arange(40), indexing="ij")
    possible = bad <= labels
    labels, bad = labels[possible], bad[possible]
    now = np.exp(log_e(labels, bad, target=target))
    after_bad, after_good = (np.exp(log_e(labels + 1, bad + more, target=target)) for more in (1, 0))
    np.testing.assert_allclose(target * after_bad + (1 - target) * after_good, now, rtol=1e-10)


@given(target=TARGETS, risk=st.floats(0, 1), weights=st.lists(st.floats(0.01, 1), min_size=4, max_size=4))
def test_a_graded_loss_with_mean_at_the_target_or_above_never_grows_the_wealth_on_average(
    target: float, risk: float, weights: list[float]
) -> None:
    losses = np.array([0.0, 0.2, 0.5, 1.0])
    shares = np.array(weights) / sum(weights)
    mean = float(shares @ losses)
    kept = min(1.0, mean)  # mix with losses of 1 until the mean is at or above the target
    lift = max(0.0, (target - kept) / (1 - kept)) if kept < 1 else 0.0
    lift += risk * (1 - lift)
    shares = shares * (1 - lift) + lift * np.array([0, 0, 0, 1.0])
    growth = shares @ np.exp(gains(losses, target=target))
    assert (growth <= 1 + 1e-9).all()


@given(labels=st.integers(1, 400), bad=st.integers(0, 8), target=TARGETS)
def test_another_bad_label_lowers_the_wealth(labels: int, bad: int, target: float) -> None:
    bad = min(bad, labels - 1)
    assert log_e(labels, bad + 1, target=target) < log_e(labels, bad, target=target)


@given(labels=COUNTS, bad=st.integers(0, 8), target=TARGETS)
def test_another_good_label_raises_the_wealth(labels: int, bad: int, target: float) -> None:
    bad = min(bad, labels)
    assert log_e(labels + 1, bad, target=target) > log_e(labels, bad, target=target)


@given(outcomes=st.lists(st.booleans(), max_size=200), target=TARGETS, seed=st.integers(0, 2**32 - 1))
def test_the_order_of_labels_does_not_change_the_wealth(outcomes: list[bool], target: float, seed: int) -> None:
    shuffled = np.random.default_rng(seed).permutation(np.array(outcomes, dtype=float))
    in_order, in_another = (Wealth(target=target).after(losses) for losses in (map(float, outcomes), shuffled))
    assert in_order.log_e == pytest.approx(in_another.log_e, abs=1e-9)
    assert in_order.log_e == pytest.approx(float(log_e(len(outcomes), sum(outcomes), target=target)), abs=1e-9)


@given(losses=LOSSES, target=TARGETS, cuts=st.lists(st.integers(0, 60), max_size=5))
def test_labels_in_any_portions_give_the_same_record_bit_for_bit(
    losses: list[float], target: float, cuts: list[int]
) -> None:
    whole = Wealth(target=target).after(losses)
    portioned, edges = Wealth(target=target), sorted({0, len(losses), *(cut for cut in cuts if cut <= len(losses))})
    for start, end in pairwise(edges):
        portioned = portioned.after(losses[start:end])
    assert portioned == whole


@given(losses=LOSSES, target=TARGETS)
def test_wealth_goes_through_json_and_back_exactly(losses: list[float], target: float) -> None:
    wealth = Wealth(target=target).after(losses)
    assert codec.load(Wealth, codec.dump(wealth)) == wealth


@given(losses=LOSSES, target=TARGETS)
def test_a_certificate_is_sticky(losses: list[float], target: float) -> None:
    certified = Wealth(target=target).after([0.0] * labels_needed(0, target=target, delta=0.05))
    assert certified.is_certified(0.05)
    assert certified.after(losses).is_certified(0.05)


@given(losses=LOSSES, target=TARGETS)
def test_labels_to_go_is_the_fewest_good_labels_that_certify(losses: list[float], target: float) -> None:
    wealth = Wealth(target=target).after(losses)
    missing = wealth.labels_to_go(0.05)
    assert wealth.after([0.0] * missing).is_certified(0.05)
    if missing > 0:
        assert not wealth.after([0.0] * (missing - 1)).is_certified(0.05)


def test_graded_losses_need_fewer_labels_than_binary_ones_of_the_same_mean() -> None:
    binary = Wealth(target=0.02).after([0.0] * 396 + [1.0] * 4)
    graded = Wealth(target=0.02).after([0.0] * 380 + [0.2] * 20)
    assert binary.loss_sum == pytest.approx(graded.loss_sum)
    assert graded.log_e > binary.log_e + 1


@pytest.mark.parametrize("seed", [20260502])
def test_false_certification_of_graded_losses_at_the_target_is_below_delta(seed: int) -> None:
    runs, horizon, target = 4000, 1500, 0.05
    rng = np.random.default_rng(seed)
    losses = np.array([0.0, 0.2, 0.5, 1.0])
    shares = np.array([0, 0.4, 0.35, 0.25])
    shares *= target / (shares @ losses)
    shares[0] = 1 - shares.sum()
    table, wealth, certified = gains(losses, target=target), np.zeros((runs, 5)), np.zeros(runs, dtype=bool)
    for _ in range(horizon):
        wealth += table[np.searchsorted(np.cumsum(shares)[:-1], rng.random(runs), side="right")]
        certified |= log_mixture(wealth) >= level(0.05)
    assert certified.mean() <= 0.05 + 2 * math.sqrt(0.05 * 0.95 / runs)


def test_labels_without_any_loss_rule_out_a_risk_of_3_8_over_their_number() -> None:
    assert risk_upper(10_000, 0, delta=0.05) * 10_000 == pytest.approx(3.8, abs=0.05)


@given(labels=st.integers(1, 3000), bad=st.integers(0, 20))
def test_the_upper_bound_is_the_smallest_target_that_the_counts_certify(labels: int, bad: int) -> None:
    bad = min(bad, labels)
    bound = risk_upper(labels, bad, delta=0.05)
    assert bad / labels <= bound <= 1
    if bound < 1:
        assert float(log_e(labels, bad, target=bound)) >= level(0.05)
        assert float(log_e(labels, bad, target=bound * (1 - 1e-6))) < level(0.05)


def test_no_labels_rule_out_nothing() -> None:
    assert risk_upper(0, 0, delta=0.05) == 1.0


def test_siblings_below_the_target_make_the_same_labels_say_more() -> None:
    helped = sibling_bets([900, 1200, 700], [4, 6, 3], target=0.02)
    assert log_e(400, 2, target=0.02, bets=helped) > log_e(400, 2, target=0.02) + 0.3
    assert min(helped.weights) >= 0.1


def test_misleading_siblings_cost_at_most_the_log_of_their_share() -> None:
    misled = sibling_bets([900, 1200], [14, 18], target=0.02)
    assert log_e(400, 0, target=0.02, bets=misled) >= log_e(400, 0, target=0.02) - math.log(2) - 1e-9


def test_no_siblings_leave_the_bets_as_they_are() -> None:
    assert sibling_bets([], [], target=0.02).weights == pytest.approx(FIVE_BETS.weights)


def test_a_right_prediction_of_the_risk_makes_the_same_labels_say_more() -> None:
    expecting = bets_expecting(0.3)
    assert expecting.weights == pytest.approx((0.1, 0.1, 0.6, 0.1, 0.1))
    assert log_e(400, 2, target=0.02, bets=expecting) > log_e(400, 2, target=0.02) + 0.3


@given(labels=st.integers(0, 3000), bad=st.integers(0, 30), fraction=st.floats(0, 2), share=st.floats(0.1, 1))
def test_a_wrong_prediction_costs_at_most_the_log_of_its_share(
    labels: int, bad: int, fraction: float, share: float
) -> None:
    expecting = bets_expecting(fraction, share=share)
    least = log_e(labels, min(bad, labels), target=0.02) + math.log(share)
    assert log_e(labels, min(bad, labels), target=0.02, bets=expecting) >= least - 1e-9


@pytest.mark.parametrize(("fraction", "share"), [(0.5, 0.0), (0.5, 1.1), (-0.1, 0.5), (math.nan, 0.5)])
def test_an_impossible_prediction_is_refused(fraction: float, share: float) -> None:
    with pytest.raises(ValueError, match="share must be"):
        bets_expecting(fraction, share=share)


def test_a_target_for_reviewers_who_miss_some_is_stricter() -> None:
    assert observed_target(0.02, 0.8) == pytest.approx(0.016)


def test_attempts_share_delta() -> None:
    shares = [attempt_delta(0.05, attempt) for attempt in range(1, 2000)]
    assert shares[:3] == pytest.approx([0.025, 0.05 / 6, 0.05 / 12])
    assert 0.0499 < math.fsum(shares) < 0.05
    ratios = [level(share) / level(0.05) for share in shares[:3]]
    assert ratios == pytest.approx([1.23, 1.6, 1.83], abs=0.005)


@pytest.mark.parametrize(("log_wealth", "of_100"), [(-2.0, 0), (-math.inf, 0), (1.5, 50), (2.99, 99), (3.0, 100)])
def test_progress_reaches_100_only_with_the_certificate(log_wealth: float, of_100: int) -> None:
    assert progress(log_wealth, 0.05) == of_100


@pytest.mark.parametrize("loss", [-0.1, 1.1, math.nan])
def test_a_loss_outside_its_range_is_refused(loss: float) -> None:
    with pytest.raises(ValueError, match="losses must be in"):
        Wealth(target=0.02).after([0.0, loss])


@pytest.mark.parametrize("target", [0.0, 1.0, -1.0, math.nan])
def test_a_target_outside_its_range_is_refused(target: float) -> None:
    with pytest.raises(ValueError, match="risk target"):
        log_e(10, 0, target=target)


@pytest.mark.parametrize(
    "bets",
    [
        {"fractions": (0.0, 1.0), "weights": (0.5, 0.5)},
        {"fractions": (0.0, 0.5), "weights": (0.5, 0.4)},
        {"fractions": (0.0,), "weights": (0.5, 0.5)},
        {"fractions": (), "weights": ()},
    ],
)
def test_bets_that_would_break_the_guarantee_are_refused(bets: dict[str, tuple[float, ...]]) -> None:
    with pytest.raises(ValueError, match=r"fractions|weights"):
        Bets(**bets)


def test_more_bad_labels_than_labels_are_refused() -> None:
    with pytest.raises(ValueError, match="between 0 and labels"):
        log_e(3, 4, target=0.02)


def test_a_hopeless_mixture_says_so() -> None:
    only_clean = Bets(fractions=(0.0,), weights=(1.0,))
    with pytest.raises(ValueError, match="ruined"):
        Wealth(target=0.02, bets=only_clean).after([1.0]).labels_to_go(0.05)
