"""The trials of a gate by case: their losses, which of them block by themselves, which went the other way."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from understudy.records.gate import FlippedCase
from understudy.records.suite import CaseRule, Trial
from understudy.stats.sprt import Outcome, Sprt

_STRICTNESS: Final = {CaseRule.ORDINARY: 0, CaseRule.MUST_PASS: 1, CaseRule.ZERO_TOLERANCE: 2}


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseLosses:
    """The losses of one case's trials in the order of their numbers, errors left out and counted."""

    losses: tuple[float, ...]
    errors: int
    rule: CaseRule
    has_teeth: bool | None
    why: str
    """Of the first trial that failed."""
    mean: float
    """The mean loss; 0 without any."""
    variance: float
    """The sample variance of the losses; 0 with fewer than two."""

    @property
    def made(self) -> int:
        """All trials, errors included."""
        return len(self.losses) + self.errors

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
    growing = GrowingCases()
    growing.add(trials)
    return growing.cases


class GrowingCases:
    """Trials by case, to which more may come: only what changes is counted anew."""

    def __init__(self) -> None:
        self._gathered: dict[str, dict[int, Trial]] = {}
        self.cases: dict[str, CaseLosses] = {}
        self.count = 0

    def add(self, trials: Iterable[Trial]) -> None:
        """Take in more trials."""
        changed: dict[str, dict[int, Trial]] = {}
        for trial in trials:
            found = self._gathered.setdefault(trial.case, {})
            found[trial.trial] = trial
            changed[trial.case] = found
            self.count += 1
        for case, found in changed.items():
            self.cases[case] = _losses([found[number] for number in sorted(found)])


def _losses(trials: Sequence[Trial]) -> CaseLosses:
    losses = tuple([trial.loss for trial in trials if trial.loss is not None])
    count = len(losses)
    mean = sum(losses) / count if count else 0.0
    spread = sum([(loss - mean) ** 2 for loss in losses]) if count > 1 else 0.0
    return CaseLosses(
        losses=losses,
        errors=len(trials) - count,
        rule=max((trial.rule for trial in trials), key=_STRICTNESS.__getitem__),
        has_teeth=next((trial.has_teeth for trial in trials if trial.has_teeth is not None), None),
        why=next((trial.why for trial in trials if trial.loss and trial.why), ""),
        mean=mean,
        variance=spread / (count - 1) if count > 1 else 0.0,
    )


def blocking(before: Mapping[str, CaseLosses], after: Mapping[str, CaseLosses], must_pass: Sprt) -> Blocking:
    """Which cases block the candidate by themselves, and which are not shown to pass yet.

    A case keeps the stricter rule of the two runs. One that the candidate was not tried on is open: leaving it out is no
    way around it.
    """
    failed: dict[str, str] = {}
    still_open: dict[str, str] = {}
    strict = {name for run in (before, after) for name, one in run.items() if one.rule is not CaseRule.ORDINARY}
    for name in sorted(strict):
        one = after.get(name)
        rules = [run[name].rule for run in (before, after) if name in run]
        rule = max(rules, key=_STRICTNESS.__getitem__)
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
