"""Two hypotheses about a failure rate, decided in as few trials as possible; it runs no trials.

Source: A. Wald, "Sequential tests of statistical hypotheses", Ann. Math. Statist. 16, 1945. The bounds are log(1/error),
not Wald's approximations, so that both errors hold exactly (Ville's inequality).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum


class Outcome(StrEnum):
    """What a sequential test says so far."""

    PASS = "pass"  # noqa: S105  a verdict, not a word that opens something
    FAIL = "fail"
    INCONCLUSIVE = "inconclusive"
    """Not decided yet. Where no more trials come it stays that, and it is never a pass."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sprt:
    """A case that must pass: blocked if it fails `unacceptable` of the time, passed if it fails `acceptable` of it.

    `pass_error`: probability of passing at the unacceptable rate; `fail_error`: of blocking at the acceptable one.
    Raises `ValueError` unless 0 < acceptable < unacceptable < 1 and the errors are in (0, 1).
    """

    unacceptable: float = 0.10
    acceptable: float = 0.01
    pass_error: float = 0.05
    fail_error: float = 0.05

    def __post_init__(self) -> None:
        if not 0.0 < self.acceptable < self.unacceptable < 1.0:
            raise ValueError(f"needed: 0 < acceptable < unacceptable < 1, got {self.acceptable}, {self.unacceptable}")
        if not (0.0 < self.pass_error < 1.0 and 0.0 < self.fail_error < 1.0):
            raise ValueError(f"errors must be in (0, 1), got {self.pass_error} and {self.fail_error}")

    def log_ratio(self, trials: int, failures: int) -> float:
        """log of the likelihood of the counts at the acceptable rate over that at the unacceptable one."""
        if not 0 <= failures <= trials:
            raise ValueError(f"failures must be between 0 and trials, got {failures} of {trials}")
        clean = math.log1p(-self.acceptable) - math.log1p(-self.unacceptable)
        return (trials - failures) * clean + failures * math.log(self.acceptable / self.unacceptable)

    def judge(self, failed: tuple[bool, ...]) -> Outcome:
        """Judge trials in order; the first crossing decides, whatever comes after it."""
        failures = 0
        for trial, is_failure in enumerate(failed, start=1):
            failures += is_failure
            ratio = self.log_ratio(trial, failures)
            if ratio >= -math.log(self.pass_error):
                return Outcome.PASS
            if ratio <= math.log(self.fail_error):
                return Outcome.FAIL
        return Outcome.INCONCLUSIVE

    def clean_trials_needed(self) -> int:
        """How many trials without a failure pass."""
        return math.ceil(-math.log(self.pass_error) / self.log_ratio(1, 0) - 1e-9)
