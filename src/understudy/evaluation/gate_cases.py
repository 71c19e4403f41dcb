"""The trials of a gate by case: their losses, which of them block by themselves, which went the other way."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from understudy.records.gate import FlippedCase
from understudy.records.suite import CaseRule, Trial
from understudy.stats.sprt import Outcome, Sprt

_STRICTNESS: Final = (CaseRule.ORDINARY, CaseRule.MUST_PASS, CaseRule.ZERO_TOLERANCE)


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseLosses:
    """The losses of one case's trials in the order of their numbers, errors left out and counted."""

    losses: tuple[float, ...]
    errors: int
    rule: CaseRule
    has_teeth: bool | None
    why: str
    """Of the first trial that failed."""

    @property
    def mean(self) -> float:
        """The mean loss; there is one."""
        return sum(self.losses) / len(self.losses)

    @property
    def failures(self) -> int:
        """Trials in which anything was wrong."""
        return sum(loss > 0.0 for loss in self.losses)


@dataclass(frozen=True, slots=True, kw_only=True)
class Blocking:
    """Cases that decide by themselves, each with a sentence: those that failed, and those that cannot be told yet."""

    failed: dict[str, str]
    open: dict[str, str]


def by_case(trials: Iterable[Trial]) -> dict[str, CaseLosses]:
    """Gather trials by case; of two with one number the later stands."""
    gathered: dict[str, dict[int, Trial]] = {}
    for trial in trials:
        gathered.setdefault(trial.case, {})[trial.trial] = trial
    return {case: _losses([found[number] for number in sorted(found)]) for case, found in gathered.items()}


def _losses(trials: Sequence[Trial]) -> CaseLosses:
    return CaseLosses(
        losses=tuple(trial.loss for trial in trials if trial.loss is not None),
        errors=sum(trial.error is not None for trial in trials),
        rule=max((trial.rule for trial in trials), key=_STRICTNESS.index),
        has_teeth=next((trial.has_teeth for trial in trials if trial.has_teeth is not None), None),
        why=next((trial.why for trial in trials if trial.loss and trial.why), ""),
    )


def blocking(before: Mapping[str, CaseLosses], after: Mapping[str, CaseLosses], must_pass: Sprt) -> Blocking:
    """Which cases block the candidate by themselves, and which are not shown to pass yet.

    A case keeps the stricter rule of the two runs. One that the candidate was not tried on is open: leaving it out is no
    way around it.
    """
    failed: dict[str, str] = {}
    still_open: dict[str, str] = {}
    for name in sorted({*before, *after}):
        one = after.get(name)
        rules = [run[name].rule for run in (before, after) if name in run]
        rule = max(rules, key=_STRICTNESS.index)
        losses = () if one is None else one.losses
        if rule is CaseRule.ZERO_TOLERANCE:
            if one is not None and one.failures:
                failed[name] = f"case {name} tolerates no failure and failed {_of(one)}"
            elif not losses:
                still_open[name] = f"case {name} tolerates no failure and has no result"
        elif rule is CaseRule.MUST_PASS:
            match must_pass.judge(tuple(loss > 0.0 for loss in losses)):
                case Outcome.FAIL:
                    assert one is not None, "nothing fails without trials"
                    failed[name] = f"case {name} must pass and failed {_of(one)}"
                case Outcome.INCONCLUSIVE:
                    more = _clean_needed(must_pass, losses)
                    still_open[name] = f"case {name} must pass: {more} more trials of it without a failure"
                case Outcome.PASS:
                    pass
    return Blocking(failed=failed, open=still_open)


def flipped_cases(before: Mapping[str, CaseLosses], after: Mapping[str, CaseLosses]) -> tuple[FlippedCase, ...]:
    """The cases that mostly failed and now mostly pass, or the other way round; those that got worse first."""
    found = []
    for name, new in after.items():
        old = before.get(name)
        if old is None or not old.losses or not new.losses or (old.mean < 0.5) == (new.mean < 0.5):
            continue
        counts = f"failed {_of(old)} before, {_of(new)} now"
        is_worse = new.mean > old.mean
        why = f"{new.why} ({counts})" if is_worse and new.why else counts
        found.append(FlippedCase(case=name, baseline_loss=old.mean, candidate_loss=new.mean, why=why))
    return tuple(sorted(found, key=lambda one: (one.baseline_loss - one.candidate_loss, one.case)))


def is_copied(before: Mapping[str, CaseLosses], after: Mapping[str, CaseLosses]) -> bool:
    """Whether repetitions are copies: there are some, and in neither run does any case ever vary."""
    repeated = [one for one in (*before.values(), *after.values()) if len(one.losses) > 1]
    return bool(repeated) and all(len(set(one.losses)) == 1 for one in repeated)


def _of(one: CaseLosses) -> str:
    return f"{one.failures} of {len(one.losses)}"


def _clean_needed(must_pass: Sprt, losses: Sequence[float]) -> int:
    """Further trials without a failure after which the test passes."""
    failed = [loss > 0.0 for loss in losses]
    for more in range(1, 2_000):
        if must_pass.judge((*failed, *([False] * more))) is Outcome.PASS:
            return more
    return 2_000
