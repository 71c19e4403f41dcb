"""The detector: its pinned statistic, how seldom it alarms for nothing, how soon for something, with and without bursts."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy.records import codec
from understudy.stats.detector import (
    Detector,
    Watch,
    after,
    after_all,
    complaint_detector,
    cusum,
    is_alarmed,
    log_ratios,
    risks,
    statistic,
    step,
    unstirred,
)

DETECTOR = Detector(target=0.02)
RATES = st.floats(0.01, 1)
REPLIES = st.lists(st.tuples(RATES, st.none() | st.sampled_from([0.0, 0.2, 0.5, 1.0]) | st.floats(0, 1)), max_size=40)


def test_statistic_is_the_pinned_one() -> None:
    watch = after_all(DETECTOR, unstirred(DETECTOR), [(1.0, 0.0)] * 200)
    assert watch.statistic == pytest.approx(3.7287, abs=5e-5)
    for at_bad, alarmed in ((4.498, False), (5.294, False), (6.151, False), (7.082, True)):
        watch = after(DETECTOR, watch, rate=1.0, loss=1.0)
        assert watch.statistic == pytest.approx(at_bad, abs=5e-4)
        assert is_alarmed(DETECTOR, watch) is alarmed
        watch = after_all(DETECTOR, watch, [(1.0, 0.0)] * 5)


@given(target=st.floats(0.001, 0.6), loss_share=st.floats(0, 1))
def test_an_allowed_risk_never_grows_the_bets_on_average(target: float, loss_share: float) -> None:
    detector, losses = Detector(target=target), np.array([0.0, 0.2, 0.5, 1.0])
    for loss in losses:  # mixtures of 0 and one loss whose mean is at most the target
        share = min(1.0, target / loss) * loss_share if loss else 0.0
        growth = (1 - share) * np.exp(log_ratios(0.0, detector)) + share * np.exp(log_ratios(loss, detector))
        assert (growth <= 1 + 1e-9).all()


@given(replies=REPLIES)
def test_statistic_is_the_mean_of_the_sums_of_all_bets_ever_started(replies: list[tuple[float, float | None]]) -> None:
    sums = np.zeros(4)
    for rate, loss in replies:
        sums = (sums + rate) * (1.0 if loss is None else np.exp(log_ratios(loss, DETECTOR)))
    watch = after_all(DETECTOR, unstirred(DETECTOR), replies)
    assert math.exp(watch.statistic) == pytest.approx(sums.mean(), rel=1e-9)


@given(replies=REPLIES, rate=RATES)
def test_a_good_audit_calms_as_a_bad_one_stirs(replies: list[tuple[float, float | None]], rate: float) -> None:
    watch = after_all(DETECTOR, unstirred(DETECTOR), replies)
    good, unseen, bad = (after(DETECTOR, watch, rate=rate, loss=loss).statistic for loss in (0.0, None, 1.0))
    assert good < unseen < bad


@given(replies=REPLIES, data=st.data())
def test_watch_can_be_stored_and_taken_up_at_any_reply(
    replies: list[tuple[float, float | None]], data: st.DataObject
) -> None:
    cut = data.draw(st.integers(0, len(replies)))
    whole = after_all(DETECTOR, unstirred(DETECTOR), replies)
    stored = codec.dump(after_all(DETECTOR, unstirred(DETECTOR), replies[:cut]))
    assert after_all(DETECTOR, codec.load(Watch, stored), replies[cut:]) == whole


def test_complaints_as_usual_are_no_news_while_twice_as_many_are() -> None:
    detector = complaint_detector(0.0025)
    usual = after_all(detector, unstirred(detector), [(1.0, float(i % 400 == 0)) for i in range(1, 8000)])
    assert not is_alarmed(detector, usual)
    risen = after_all(detector, usual, [(1.0, float(i % 100 == 0)) for i in range(1, 2500)])
    assert is_alarmed(detector, risen)


def test_a_large_target_still_has_risks_to_bet_on() -> None:
    assert risks(Detector(target=0.4)) == pytest.approx((0.6, 0.7, 0.7, 0.7))


def run_lengths(
    rng: np.random.Generator, risk: float, *, usual: float, bursts: bool, runs: int, audits_max: float
) -> np.ndarray:
    """Audits to the alarm in so many runs; each step is one delivered reply of every run that goes on."""
    table = log_ratios([0.0, 1.0], DETECTOR)
    mass, left = np.full((runs, 4), -np.inf), np.zeros(runs, dtype=int)
    audits, found = np.zeros(runs), []
    while audits.size:
        rate = np.where(left > 0, 1.0, usual)
        seen, bad = rng.random(audits.size) < rate, rng.random(audits.size) < risk
        mass = step(mass, rate)
        mass[seen] += table[bad[seen].astype(int)]
        audits += seen
        value = statistic(mass)
        left = np.maximum(left - 1, 0)
        if bursts:
            left[value >= math.log(150)] = 100
        ended = (value >= math.log(1000)) | (audits >= audits_max)
        found.append(audits[ended])
        mass, left, audits = mass[~ended], left[~ended], audits[~ended]
    return np.concatenate(found)


@pytest.mark.parametrize("seed", [41])
@pytest.mark.parametrize(("usual", "bursts"), [(1.0, False), (0.2, False), (0.2, True)])
def test_audits_to_a_false_alarm_at_the_target_are_at_least_the_promised_number(
    seed: int, usual: float, bursts: bool
) -> None:
    rng = np.random.default_rng(seed)
    audits = run_lengths(
        rng, 0.02, usual=usual, bursts=bursts, runs=1000, audits_max=8000
    )  # truncation lowers the mean
    assert audits.mean() - 2 * audits.std() / math.sqrt(audits.size) >= 1000
    assert audits.mean() < 1700


@pytest.mark.parametrize("seed", [42])
@pytest.mark.parametrize(("risk", "median"), [(0.04, 163), (0.08, 53)])
def test_a_risen_risk_is_found_within_the_pinned_number_of_audits(seed: int, risk: float, median: int) -> None:
    rng = np.random.default_rng(seed)
    table, mass, runs = log_ratios([0.0, 1.0], DETECTOR), np.full((4000, 4), -np.inf), 4000
    for _ in range(500):
        mass = step(mass, np.ones(runs)) + table[(rng.random(runs) < 0.01).astype(int)]
    alarm_at = np.zeros(runs)
    for audit in range(1, 1500):
        mass = step(mass, np.ones(runs)) + table[(rng.random(runs) < risk).astype(int)]
        alarm_at[(alarm_at == 0) & (statistic(mass) >= math.log(1000))] = audit
    assert np.median(alarm_at[alarm_at > 0]) == pytest.approx(median, rel=0.08)


@pytest.mark.parametrize(("rate", "loss"), [(1.5, None), (-0.1, None), (0.0, 1.0), (1.0, 1.5), (1.0, math.nan)])
def test_what_cannot_be_an_audit_is_refused(rate: float, loss: float | None) -> None:
    with pytest.raises(ValueError, match=r"audit rate|losses must be"):
        after(DETECTOR, unstirred(DETECTOR), rate=rate, loss=loss)


@pytest.mark.parametrize("wrong", [{"multiples": (1.0, 2.0)}, {"multiples": ()}, {"stir": 2000.0}, {"target": 0.0}])
def test_a_detector_that_could_not_work_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"multiples|stir|target"):
        Detector(**{"target": 0.02} | wrong)


@given(replies=REPLIES, cut=st.integers(0, 40))
def test_portions_do_not_matter(replies: list[tuple[float, float | None]], cut: int) -> None:
    at_once = after_all(DETECTOR, unstirred(DETECTOR), replies)
    assert after_all(DETECTOR, after_all(DETECTOR, unstirred(DETECTOR), replies[:cut]), replies[cut:]) == at_once


@given(replies=REPLIES)
def test_plain_floats_and_arrays_walk_the_same_way(replies: list[tuple[float, float | None]]) -> None:
    mass = np.full(4, -np.inf)
    for rate, loss in replies:
        mass = step(mass, rate) + (0.0 if loss is None else log_ratios(loss, DETECTOR))
    watch = after_all(DETECTOR, unstirred(DETECTOR), replies)
    assert [-np.inf if value is None else value for value in watch.log_mass] == pytest.approx(
        mass.tolist(), rel=1e-12, abs=1e-12
    )


@given(losses=st.lists(st.sampled_from([0.0, 0.2, 1.0]), max_size=60))
def test_the_best_bet_is_worth_no_more_than_all_of_them(losses: list[float]) -> None:
    best = cusum(DETECTOR, unstirred(DETECTOR), losses)
    assert best.statistic <= after_all(DETECTOR, unstirred(DETECTOR), [(1.0, loss) for loss in losses]).statistic + 1e-9
    assert cusum(DETECTOR, cusum(DETECTOR, unstirred(DETECTOR), losses[:7]), losses[7:]) == best


def test_the_best_bet_stays_at_its_start_while_all_is_well_and_grows_when_it_is_not() -> None:
    clean = cusum(DETECTOR, unstirred(DETECTOR), [0.0] * 1000)
    assert clean.statistic < 0.0
    assert cusum(DETECTOR, clean, [1.0] * 4).statistic > math.log(20)
