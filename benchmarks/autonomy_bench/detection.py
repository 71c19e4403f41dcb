"""How soon a risen risk ends in a demotion, in audits and in replies, and how seldom an allowed one does."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from autonomy_bench.study import Study
from understudy.records.autonomy import Terms
from understudy.records.feedback import FeedbackTerms
from understudy.stats.detector import Detector, complaint_detector, log_ratios, risks, statistic, step

FILES = ()
TARGET, HEALTHY = 0.02, 0.01
RISEN = {"1.5x": 0.03, "2x": 0.04, "4x": 0.08}
AUDIT_COST = 0.05
"""The mean share of replies audited while nothing is wrong; each policy's usual rate is set so that it costs this."""
BAD_COMPLAIN, GOOD_COMPLAIN = 0.15, 0.001
DETECTOR = Detector(target=TARGET)
COMPLAINTS = complaint_detector(HEALTHY * BAD_COMPLAIN + (1 - HEALTHY) * GOOD_COMPLAIN)
STIRRED, COMPLAINED = Terms().burst, FeedbackTerms().rise_burst
"""So many replies are all audited when the detector stirs, when complaints do: what ships."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """When all is audited: never, when the detector stirs, when complaints do."""

    stirs: bool = False
    complains: bool = False


POLICIES = {
    "fixed": Policy(),
    "stirred": Policy(stirs=True),
    "complained": Policy(complains=True),
    "both": Policy(stirs=True, complains=True),
}


@dataclass(slots=True, kw_only=True)
class Slices:
    """So many slices at once, each with a detector of its own; a row goes when its slice is demoted."""

    runs: int
    mass: np.ndarray = field(init=False)
    complaints: np.ndarray = field(init=False)
    left: np.ndarray = field(init=False)

    def __post_init__(self) -> None:
        self.mass = np.full((self.runs, 4), -np.inf)
        self.complaints = np.full((self.runs, 4), -np.inf)
        self.left = np.zeros(self.runs, dtype=int)

    def deliver(
        self, rng: np.random.Generator, risk: float, usual: float, policy: Policy
    ) -> tuple[np.ndarray, np.ndarray]:
        """One reply of each slice; gives which were audited and which were bad."""
        rate = np.where(self.left > 0, 1.0, usual)
        audited, bad = rng.random(rate.size) < rate, rng.random(rate.size) < risk
        self.mass = step(self.mass, rate)
        self.mass[audited] += RATIOS[bad[audited].astype(int)]
        self.left = np.maximum(self.left - 1, 0)
        if policy.stirs:
            stirred = statistic(self.mass) >= math.log(DETECTOR.stir)
            self.left[stirred] = np.maximum(self.left[stirred], STIRRED)
        if policy.complains:
            complained = rng.random(rate.size) < np.where(bad, BAD_COMPLAIN, GOOD_COMPLAIN)
            self.complaints = step(self.complaints, np.ones(rate.size)) + COMPLAINT_RATIOS[complained.astype(int)]
            fired = statistic(self.complaints) >= math.log(COMPLAINTS.alarm)
            self.complaints[fired] = -np.inf
            self.left[fired] = np.maximum(self.left[fired], COMPLAINED)
        return audited, bad

    def alarmed(self) -> np.ndarray:
        found: np.ndarray = statistic(self.mass) >= math.log(DETECTOR.alarm)
        return found

    def keep(self, rows: np.ndarray) -> None:
        self.mass, self.complaints, self.left = self.mass[rows], self.complaints[rows], self.left[rows]


RATIOS = log_ratios([0.0, 1.0], DETECTOR)
COMPLAINT_RATIOS = log_ratios([0.0, 1.0], COMPLAINTS)


def measure(study: Study) -> dict[str, Any]:
    """Audits to an alarm with every reply audited, replies to a demotion under each policy of auditing."""
    return {"audits": _audits(study), "replies": _replies(study)}


def _audits(study: Study) -> dict[str, Any]:
    runs = study.runs(1000)
    false = {
        "every_reply_audited": _false_alarms(study, TARGET, 1.0, Policy(), runs, 6000),
        "a_fifth_audited_with_bursts": _false_alarms(study, TARGET, 0.2, Policy(stirs=True), runs, 12_000),
    }
    healthy = _false_alarms(study, HEALTHY, 1.0, Policy(), study.runs(500), 20_000)
    return {
        "to_false_alarm_at_target": false,
        "to_false_alarm_at_half_target": healthy,
        "to_alarm": _delays(study, _sr_path, runs),
        "cusum_that_knows_both_rates": _cusum(study, healthy, runs),
        "last_100_at_least_6_bad": _window(study, 100, 6, runs),
        "last_100_at_least_twice_the_target": _window(study, 100, 4, runs),
    }


def _false_alarms(study: Study, risk: float, usual: float, policy: Policy, runs: int, replies: int) -> float:
    """Audits of all slices over their alarms: for what is cut off at so many replies, the mean if alarms are memoryless;
    each slice starts anew after an alarm."""
    rng, slices, audits, alarms = study.dice("false", risk, usual, policy), Slices(runs=runs), 0, 0
    for _ in study.steps(range(replies), f"false alarms at {risk:.0%}, {usual:.0%} audited"):
        audits += int(slices.deliver(rng, risk, usual, policy)[0].sum())
        alarmed = slices.alarmed()
        alarms += int(alarmed.sum())
        slices.mass[alarmed] = -np.inf
        slices.left[alarmed] = 0
    return audits / max(1, alarms)


def _sr_path(rng: np.random.Generator, runs: int, risk: float) -> np.ndarray:
    slices, found = Slices(runs=runs), []
    for _ in range(500):
        slices.deliver(rng, HEALTHY, 1.0, Policy())
        slices.keep(~slices.alarmed())
    for audit in range(1, 4000):
        slices.deliver(rng, risk, 1.0, Policy())
        alarmed = slices.alarmed()
        found += [audit] * int(alarmed.sum())
        slices.keep(~alarmed)
        if not slices.left.size:
            break
    return np.array(found + [4000] * slices.left.size)


def _delays(study: Study, path: Any, runs: int) -> dict[str, Any]:
    return {
        name: {"median": float(np.median(found)), "mean": float(found.mean())}
        for name, risk in study.steps(RISEN.items(), "audits to an alarm")
        if (found := path(study.dice("delay", name), runs, risk)).size
    }


def _cusum(study: Study, healthy: float, runs: int) -> dict[str, Any]:
    """The CUSUM from half the target to the very risk that comes, its threshold set to as few false alarms as ours."""
    found = {}
    for name, risk in study.steps(RISEN.items(), "CUSUM"):
        gain = np.array([math.log((1 - risk) / (1 - HEALTHY)), math.log(risk / HEALTHY)])
        threshold = 150.0
        for attempt in range(3):
            length = _cusum_false(study.dice("cusum", name, attempt), gain, threshold, study.runs(500))
            threshold *= healthy / length
        rng, value = study.dice("cusum delay", name), np.zeros(runs)
        for _ in range(500):
            value = np.maximum(value, 0) + gain[(rng.random(runs) < HEALTHY).astype(int)]
            value[value >= math.log(threshold)] = 0.0
        alarm = np.zeros(runs)
        for audit in range(1, 4000):
            value = np.maximum(value, 0) + gain[(rng.random(runs) < risk).astype(int)]
            alarm[(alarm == 0) & (value >= math.log(threshold))] = audit
            if alarm.all():
                break
        alarm[alarm == 0] = 4000
        found[name] = {"median": float(np.median(alarm)), "mean": float(alarm.mean()), "threshold": threshold}
    return found


def _cusum_false(rng: np.random.Generator, gain: np.ndarray, threshold: float, runs: int) -> float:
    value, alarms, audits = np.zeros(runs), 0, 15_000
    for _ in range(audits):
        value = np.maximum(value, 0) + gain[(rng.random(runs) < HEALTHY).astype(int)]
        alarmed = value >= math.log(threshold)
        alarms += int(alarmed.sum())
        value[alarmed] = 0.0
    return runs * audits / max(1, alarms)


def _window(study: Study, length: int, bad_max: int, runs: int) -> dict[str, Any]:
    """What many use: the last so many audits, alarm at so many bad ones."""

    def counts(rng: np.random.Generator, rows: int, risk: np.ndarray) -> np.ndarray:
        total = np.cumsum(rng.random((rows, risk.size)) < risk, axis=1)
        total[:, length:] = total[:, length:] - total[:, :-length]
        return total >= bad_max

    false = {}
    for name, risk in (("at_target", TARGET), ("at_half_target", HEALTHY)):
        alarmed = counts(study.dice("window", length, bad_max, name), min(runs, 200), np.full(30_000, risk))
        first = np.where(alarmed.any(axis=1), alarmed.argmax(axis=1) + 1, alarmed.shape[1])
        false[name] = float(first.sum() / max(1, alarmed.any(axis=1).sum()))
    to_alarm = {}
    for name, risk in RISEN.items():
        alarmed = counts(study.dice("window", name), runs, np.r_[np.full(500, HEALTHY), np.full(3000, risk)])
        alarmed = alarmed[~alarmed[:, :500].any(axis=1), 500:]
        first = np.where(alarmed.any(axis=1), alarmed.argmax(axis=1) + 1, alarmed.shape[1])
        to_alarm[name] = {"median": float(np.median(first)), "mean": float(first.mean())}
    return {"to_false_alarm": false, "to_alarm": to_alarm}


def _replies(study: Study) -> dict[str, Any]:
    found = {}
    for name, policy in POLICIES.items():
        usual, cost = _usual_rate(study, name, policy)
        found[name] = {"usual_rate": usual, "mean_audit_rate": cost} | _to_demotion(study, name, policy, usual)
    return found


def _usual_rate(study: Study, name: str, policy: Policy) -> tuple[float, float]:
    """The usual rate at which the policy audits one reply in twenty while nothing is wrong, and what it then costs."""
    usual = cost = AUDIT_COST
    for attempt in study.steps(range(3 if name != "fixed" else 0), f"cost of auditing, {name}"):
        rng, slices, audits, replies = study.dice("cost", name, attempt), Slices(runs=study.runs(500)), 0, 0
        for reply in range(6000):
            audited, _ = slices.deliver(rng, HEALTHY, usual, policy)
            slices.keep(~slices.alarmed())
            if reply >= 1000:
                audits, replies = audits + int(audited.sum()), replies + audited.size
        cost = audits / replies
        if attempt < 2:
            usual *= min(1.0, AUDIT_COST / cost)
    return usual, cost


def _to_demotion(study: Study, name: str, policy: Policy, usual: float) -> dict[str, Any]:
    rng, slices = study.dice("replies", name), Slices(runs=study.runs(1000))
    for _ in study.steps(range(round(500 / AUDIT_COST)), f"healthy replies, {name}"):
        slices.deliver(rng, HEALTHY, usual, policy)
        slices.keep(~slices.alarmed())
    found = {}
    for change, risk in RISEN.items():
        these = Slices(runs=slices.left.size)
        these.mass, these.complaints, these.left = slices.mass.copy(), slices.complaints.copy(), slices.left.copy()
        replies, bad_sent, lost = [], [], np.zeros(these.left.size)
        for reply in study.steps(range(1, 40_000), f"replies to a demotion, {name}, {change}"):
            lost += these.deliver(rng, risk, usual, policy)[1]
            alarmed = these.alarmed()
            replies += [reply] * int(alarmed.sum())
            bad_sent += lost[alarmed].tolist()
            lost = lost[~alarmed]
            these.keep(~alarmed)
            if not lost.size:
                break
        found[change] = {
            "median": float(np.median(replies + [40_000] * lost.size)),
            "bad_median": float(np.median(bad_sent + lost.tolist())),
        }
    return found


assert risks(DETECTOR) == (0.03, 0.04, 0.06, 0.1), "the bets of the specification"
