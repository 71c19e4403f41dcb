"""What a run came to, counted: passed, failed, errors, flaky cases, and how far a suite agrees with itself. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from understudy.evaluation.gate import GateFound, GateTerms, decide
from understudy.evaluation.gate_cases import CaseLosses, by_case
from understudy.records.suite import Suite, Trial
from understudy.stats import binomial


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseSummary:
    """One case: trials that passed, failed, ended in an error; the first reason."""

    case: str
    passed: int
    failed: int
    errors: int
    why: str

    @property
    def is_flaky(self) -> bool:
        """Whether it went both ways."""
        return bool(self.passed and self.failed)


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """Counts of a run; `pass_low` and `pass_high` bound the share that passes, each wrong with 5 % (Clopper–Pearson, as
    if trials were independent). `toothless`: cases whose graders pass the reply that people refused."""

    cases: tuple[CaseSummary, ...]
    passed: int
    failed: int
    errors: int
    pass_low: float
    pass_high: float
    toothless: tuple[str, ...]

    @property
    def pass_rate(self) -> float | None:
        """The share of trials that passed, errors aside; None where there is none."""
        judged = self.passed + self.failed
        return self.passed / judged if judged else None

    def as_object(self) -> dict[str, Any]:
        """In the public form."""
        return {
            "trials": self.passed + self.failed + self.errors,
            "passed": self.passed,
            "failed": self.failed,
            "errors": self.errors,
            "pass_rate": self.pass_rate,
            "pass_rate_interval": [self.pass_low, self.pass_high],
            "failing": [
                {"case": one.case, "failed": one.failed, "of": one.passed + one.failed, "why": one.why}
                for one in self.cases
                if one.failed
            ],
            "flaky": [one.case for one in self.cases if one.is_flaky],
            "in_error": [{"case": one.case, "errors": one.errors} for one in self.cases if one.errors],
            "toothless": list(self.toothless),
        }


def summary_of(trials: Sequence[Trial], suite: Suite | None = None) -> Summary:
    """Count trials; in the order of the suite's cases, those that failed most first."""
    order = {case.id: place for place, case in enumerate(suite.cases)} if suite is not None else {}
    found = by_case(trials)
    cases = [
        CaseSummary(
            case=name,
            passed=len(one.losses) - one.failures,
            failed=one.failures,
            errors=one.errors,
            why=one.why or _error_of(trials, name, one),
        )
        for name, one in found.items()
    ]
    cases.sort(key=lambda one: (-one.failed, order.get(one.case, 0), one.case))
    passed, failed = sum(one.passed for one in cases), sum(one.failed for one in cases)
    judged = passed + failed
    return Summary(
        cases=tuple(cases),
        passed=passed,
        failed=failed,
        errors=sum(one.errors for one in cases),
        pass_low=binomial.lower(passed, judged, delta=0.05),
        pass_high=binomial.upper(passed, judged, delta=0.05),
        toothless=tuple(sorted(name for name, one in found.items() if one.has_teeth is False)),
    )


def _error_of(trials: Sequence[Trial], name: str, one: CaseLosses) -> str:
    if one.failures or not one.errors:
        return ""
    return next((trial.error or "" for trial in trials if trial.case == name and trial.error), "")


@dataclass(frozen=True, slots=True, kw_only=True)
class SelfTest:
    """An A/A test: one agent, one suite, two halves of the trials.

    `flip_rate`: share of cases whose halves come to different verdicts; `trial_flip_rate`: how often two trials of a
    case differ. `gate` is the gate's verdict on the halves, which must not be a fail.
    """

    cases: int
    flipped: tuple[str, ...]
    flaky: tuple[tuple[str, float], ...]
    trial_flip_rate: float
    gate: GateFound

    @property
    def flip_rate(self) -> float:
        """In [0, 1]; 0 without cases."""
        return len(self.flipped) / self.cases if self.cases else 0.0

    def as_object(self) -> dict[str, Any]:
        """In the public form."""
        return {
            "cases": self.cases,
            "flip_rate": self.flip_rate,
            "trial_flip_rate": self.trial_flip_rate,
            "flipped": list(self.flipped),
            "flaky": [{"case": case, "failed": share} for case, share in self.flaky],
            "gate": {"verdict": self.gate.verdict.value, "reason": self.gate.reason},
        }


def agreement_with_itself(trials: Sequence[Trial], half: int, terms: GateTerms | None = None) -> SelfTest:
    """Compare the trials numbered below `half` with those from there on."""
    first = [trial for trial in trials if trial.trial < half]
    second = [trial for trial in trials if trial.trial >= half]
    one, other = by_case(first), by_case(second)
    both = [name for name in one if name in other and one[name].losses and other[name].losses]
    everything = {name: found for name, found in by_case(trials).items() if name in set(both)}
    differing = [_differing(found) for found in everything.values()]
    return SelfTest(
        cases=len(both),
        flipped=tuple(sorted(name for name in both if (one[name].mean < 0.5) != (other[name].mean < 0.5))),
        flaky=tuple(
            sorted(
                (
                    (name, found.failures / len(found.losses))
                    for name, found in everything.items()
                    if 0 < found.failures < len(found.losses)
                ),
                key=lambda case: (abs(case[1] - 0.5), case[0]),
            )
        ),
        trial_flip_rate=sum(differing) / len(differing) if differing else 0.0,
        gate=decide(first, second, terms or GateTerms()),
    )


def _differing(found: CaseLosses) -> float:
    """The share of pairs of trials of one case that went different ways."""
    count, failed = len(found.losses), found.failures
    return 2 * failed * (count - failed) / (count * (count - 1)) if count > 1 else 0.0
