"""Turn signals into the probability that a reviewer would approve the draft unedited; it decides nothing.

confidence = 1 / (1 + exp(-(base - Σ weight · (1 - signal)))), a weighted sum in log-odds with weights >= 0, so that a
better signal never lowers the confidence and each signal's share can be read off. The weights set by hand here are
what ships; a rulebook with a calibrator brings those that were learned from what reviewers decide.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Final

from understudy.records.assessment import Confidence, Contribution, Signal
from understudy.records.codec import canonical, digest
from understudy.records.rulebook import SHIPPED, Calibrator, CheckPolicy, Rules

AGENT_SIGNAL: Final = "agent"
"""The name under which the agent's own confidence enters."""
AGENT_WORDS: Final = "the agent itself is not sure"

DEFAULT_WEIGHTS: Final[Mapping[str, float]] = {
    "grounding": 3.0,
    "actions": 4.0,
    "exposure": 4.0,
    "injection": 3.0,
    "escalation": 3.0,
    "policy": 4.0,
    "quality": 3.0,
    AGENT_SIGNAL: 1.0,
}
"""Log-odds that a signal of 0 takes away, where the rulebook has no policy for the check."""
OTHER_WEIGHT: Final = 3.0


def confidence(signals: tuple[Signal, ...], rules: Rules, *, words: Mapping[str, str]) -> Confidence:
    """Weigh the signals; `words` says for each of them what a low value means.

    Contributions are those that changed something, the largest effect first, equal ones by name.
    """
    calibrator = calibrator_of(rules)
    weights = dict(calibrator.weights)
    contributions = [
        Contribution(signal=signal.check, log_odds=-weight * (1.0 - signal.score), words=words.get(signal.check, ""))
        for signal in signals
        if (weight := weights.get(signal.check, OTHER_WEIGHT)) * (1.0 - signal.score)
    ]
    contributions.sort(key=lambda contribution: (contribution.log_odds, contribution.signal))
    log_odds = math.fsum([calibrator.base_log_odds, *(contribution.log_odds for contribution in contributions)])
    return Confidence(value=_sigmoid(log_odds), contributions=tuple(contributions))


def shipped(rules: Rules) -> tuple[float, Mapping[str, float]]:
    """The log-odds of a draft in which nothing is wrong, and the weights, before anything was learned.

    The configuration's own weights come before those that ship. They are also the prior of what is learned.
    """
    given = {policy.check: policy.weight for policy in rules.checks if policy.weight is not None}
    return rules.base_log_odds, {**DEFAULT_WEIGHTS, **given}


def calibrator_of(rules: Rules) -> Calibrator:
    """The calibrator of a rulebook: the learned one, else the shipped or configured weights as one."""
    return calibrator_under(rules, rules.calibrator)


def calibrator_under(rules: Rules, learned: Calibrator | None) -> Calibrator:
    """The same of a learned calibrator (None: the one that ships) under these rules; its id is the score's name."""
    if learned is not None:
        return replace(learned, id=score_name(rules, learned))
    base, weights = shipped(rules)
    return Calibrator(id=score_name(rules, None), base_log_odds=base, weights=tuple(sorted(weights.items())))


def score_name(rules: Rules, calibrator: Calibrator | None) -> str:
    """The name of what makes confidences: a calibrator (None: the one that ships), and what the rules change about it.

    Two rulebooks with one name give the same signals the same confidence. A certificate speaks of one such score, so
    weights of one's own and checks that are switched off are in the name (`CALIBRATOR+DIGEST`).
    """
    return _score_name(None if calibrator is None else calibrator.id, rules.base_log_odds, rules.checks)


@lru_cache(maxsize=256)
def _score_name(learned: str | None, base: float, checks: tuple[CheckPolicy, ...]) -> str:
    given = [] if learned is not None else [[p.check, p.weight] for p in checks if p.weight is not None]
    off = [policy.check for policy in checks if not policy.enabled]
    is_plain = not given and not off and (learned is not None or base == Rules().base_log_odds)
    name = SHIPPED if learned is None else learned
    return name if is_plain else f"{name}+{digest(canonical([base, given, off]))[:12]}"


def rescored(calibrator: Calibrator, signals: Iterable[tuple[str, float]]) -> float:
    """The confidence that a calibrator gives to the signals of a past draft: to the last digit what it would have got."""
    weights = dict(calibrator.weights)
    taken = [-weights.get(name, OTHER_WEIGHT) * (1.0 - score) for name, score in signals]
    return _sigmoid(math.fsum([calibrator.base_log_odds, *taken]))


def _sigmoid(log_odds: float) -> float:
    if log_odds >= 0:
        return 1.0 / (1.0 + math.exp(-log_odds))
    odds = math.exp(log_odds)
    return odds / (1.0 + odds)
