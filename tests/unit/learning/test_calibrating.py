"""The confidence is learned from verdicts with the shipped weights as prior; no better signal ever lowers it."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from understudy.assessment.confidence import calibrator_of, rescored
from understudy.learning.calibrating import SD_MIN, SD_PER_WEIGHT, learn, lessons, named, reliability_of, tried
from understudy.records.autonomy import Candidate, Label, Outcome, TrialTerms
from understudy.records.rulebook import Calibrator, Rules

NOW = datetime(2026, 5, 1, tzinfo=UTC)
SHIPPED = calibrator_of(Rules())
TRUE = Calibrator(id="true", base_log_odds=2.0, weights=(("grounding", 6.0), ("policy", 0.0), ("quality", 1.0)))


def draft(seq: int, signals: dict[str, float], outcome: Outcome | None = Outcome.APPROVE) -> Candidate:
    label = None if outcome is None else Label(outcome=outcome, loss=0.0, is_severe=False, by="rosa", at=NOW)
    return Candidate(
        seq=seq,
        turn_id=f"t-{seq}",
        conversation_id=f"c-{seq}",
        topic="orders",
        channel="webchat",
        release="v1",
        calibrator=SHIPPED.id,
        confidence=rescored(SHIPPED, signals.items()),
        signals=tuple(signals.items()),
        is_delivered=False,
        is_sampled=True,
        rate=1.0,
        decided_at=NOW,
        due_at=NOW,
        label=label,
    )


def world(count: int, *, seed: int, truth: Calibrator = TRUE) -> list[Candidate]:
    """Drafts whose reviewers approve with the probability that `truth` says."""
    dice = random.Random(seed)
    drafts = []
    for seq in range(1, count + 1):
        signals = {name: dice.choice((1.0, 1.0, 0.85, 0.4, 0.0)) for name, _ in truth.weights}
        outcome = Outcome.APPROVE if dice.random() < rescored(truth, signals.items()) else Outcome.EDIT
        drafts.append(draft(seq, signals, outcome))
    return drafts


def test_without_verdicts_the_weights_are_those_known_before() -> None:
    learned = learn([], SHIPPED)
    assert dict(learned.weights) == pytest.approx(dict(SHIPPED.weights))
    assert learned.base_log_odds == pytest.approx(SHIPPED.base_log_odds)


def test_many_verdicts_overrule_what_was_known_before() -> None:
    learned = dict(learn(world(6000, seed=1), SHIPPED).weights)
    assert learned["grounding"] == pytest.approx(6.0, abs=0.6)
    assert learned["quality"] == pytest.approx(1.0, abs=0.3)
    assert learned["policy"] == pytest.approx(0.0, abs=0.3)


def test_signals_that_were_never_seen_low_keep_their_weight() -> None:
    learned = dict(learn(world(2000, seed=2), SHIPPED).weights)
    assert learned["exposure"] == pytest.approx(dict(SHIPPED.weights)["exposure"])


def test_a_signal_that_reviewers_contradict_gets_weight_0_and_never_less() -> None:
    drafts = [draft(n, {"quality": float(n % 2)}, Outcome.EDIT if n % 2 else Outcome.APPROVE) for n in range(1, 400)]
    assert dict(learn(drafts, SHIPPED).weights)["quality"] == 0.0


signal_rows = st.lists(
    st.tuples(st.floats(0, 1), st.floats(0, 1), st.floats(0, 1), st.booleans()), min_size=1, max_size=60
)


@given(rows=signal_rows)
@settings(max_examples=60, deadline=None)
def test_a_better_signal_never_lowers_the_confidence_whatever_was_learned(
    rows: list[tuple[float, float, float, bool]],
) -> None:
    learned = learn(drafts_of(rows), SHIPPED)
    assert all(weight >= 0.0 for _, weight in learned.weights)
    for *scores, _ in rows:
        low = rescored(learned, zip(("grounding", "policy", "quality"), scores, strict=True))
        high = rescored(learned, zip(("grounding", "policy", "quality"), (*scores[:2], 1.0), strict=True))
        assert high >= low


@given(rows=signal_rows)
@settings(max_examples=25, deadline=None)
def test_no_weights_above_0_are_more_probable(rows: list[tuple[float, float, float, bool]]) -> None:
    """Against scipy's bounded minimiser on the same loss."""
    drafts = drafts_of(rows)
    known = Calibrator(id="known", base_log_odds=2.0, weights=(("grounding", 3.0), ("policy", 0.2), ("quality", 1.0)))
    learned = learn(drafts, known)
    lacks = 1.0 - np.array([row[:3] for row in rows])
    bad = np.array([0.0 if row[3] else 1.0 for row in rows])
    centre = np.array([3.0, 0.2, 1.0])
    sds = np.maximum(SD_MIN, SD_PER_WEIGHT * centre)

    def loss(beta: np.ndarray) -> float:
        log_odds = lacks @ beta[1:] + beta[0]
        surprise = (np.logaddexp(0.0, log_odds) - bad * log_odds).sum()
        return float(surprise + (((beta[1:] - centre) / sds) ** 2).sum() / 2 + ((beta[0] + 2.0) / 5.0) ** 2 / 2)

    found = np.array([-learned.base_log_odds, *(weight for _, weight in learned.weights)])
    best = minimize(loss, found, method="L-BFGS-B", bounds=[(None, None)] + [(0, None)] * 3)
    assert loss(found) <= best.fun + 1e-6


def drafts_of(rows: list[tuple[float, float, float, bool]]) -> list[Candidate]:
    return [
        draft(
            number,
            {"grounding": grounding, "policy": policy, "quality": quality},
            Outcome.APPROVE if approved else Outcome.REJECT,
        )
        for number, (grounding, policy, quality, approved) in enumerate(rows, start=1)
    ]


def test_timeouts_and_overtaken_drafts_teach_nothing() -> None:
    kinds = [Outcome.TIMEOUT, Outcome.VOID, None, Outcome.RESPOND, Outcome.APPROVE]
    drafts = [draft(number, {"quality": 1.0}, kind) for number, kind in enumerate(kinds, start=1)]
    waiting = replace(draft(9, {"quality": 1.0}), second_due_at=NOW)
    assert [one.seq for one in lessons([waiting, *drafts[::-1]])] == [4, 5]


def test_a_better_calibrator_is_found_better_on_verdicts_it_has_not_seen() -> None:
    trial = tried(world(1500, seed=3), in_force=SHIPPED, known_before=SHIPPED, terms=TrialTerms())
    assert trial is not None
    assert trial.is_better
    assert trial.log_loss_after < trial.log_loss_before
    assert (trial.unseen, trial.calibrator.labels) == (450, 1050)


def test_what_was_adopted_is_what_was_tried_and_its_cut_off_is_behind_the_trial() -> None:
    drafts = world(1500, seed=3)
    trial = tried(drafts, in_force=SHIPPED, known_before=SHIPPED, terms=TrialTerms())
    assert trial is not None
    on_the_earlier_part = learn(drafts[:1050], SHIPPED)
    assert trial.calibrator.weights == on_the_earlier_part.weights
    assert trial.calibrator.trained_until == drafts[-1].seq, "the later verdicts chose it"


def test_nothing_is_adopted_where_the_shipped_weights_are_the_truth() -> None:
    trials = [
        tried(world(600, seed=seed, truth=SHIPPED), in_force=SHIPPED, known_before=SHIPPED, terms=TrialTerms())
        for seed in range(40)
    ]
    assert not any(trial.is_better for trial in trials if trial is not None)


def test_the_calibrator_in_force_is_not_judged_by_verdicts_it_was_learned_from() -> None:
    drafts = world(1000, seed=4)
    in_force = replace(learn(drafts[:900], SHIPPED), trained_until=900, id="before")
    trial = tried(drafts, in_force=in_force, known_before=SHIPPED, terms=TrialTerms(kind_min=5))
    assert trial is not None
    assert trial.unseen == 100


def test_few_verdicts_or_verdicts_of_one_kind_try_nothing() -> None:
    assert tried(world(199, seed=5), in_force=SHIPPED, known_before=SHIPPED, terms=TrialTerms()) is None
    approved = [draft(number, {"quality": 1.0}) for number in range(1, 1000)]
    assert tried(approved, in_force=SHIPPED, known_before=SHIPPED, terms=TrialTerms()) is None


def test_a_name_is_the_digest_of_the_content() -> None:
    learned = learn(world(300, seed=6), SHIPPED)
    assert named(learned) == named(replace(learned, id="other"))
    assert named(learned).id != named(replace(learned, base_log_odds=0.0)).id


def test_reliability_counts_only_drafts_behind_the_cut_off_under_the_same_calibrator() -> None:
    learned = replace(TRUE, id="true", trained_until=500)
    drafts = [replace(one, calibrator="true", confidence=rescored(TRUE, one.signals)) for one in world(4000, seed=7)]
    report = reliability_of([*drafts, *(replace(one, seq=one.seq + 9000, calibrator="x") for one in drafts)], learned)
    assert report.verdicts == 3500
    assert report.calibration_error is not None
    assert report.calibration_error < 0.04
    assert sum(one.count for one in report.table) == 3500


def test_reliability_of_nothing_is_empty() -> None:
    report = reliability_of([], SHIPPED)
    assert (report.verdicts, report.table, report.brier) == (0, (), None)
