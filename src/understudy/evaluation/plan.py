"""Which trials a run makes, and in which order; it makes none.

Passes over all cases, each in an order of its own drawn from the suite's content, so that a run that ends early has
tried every case about equally often, and the same suite gives the same order everywhere. Cases that must pass get as
many trials as it takes to show it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from understudy.records.codec import digest
from understudy.records.suite import Case, CaseRule, Suite
from understudy.stats.sprt import Sprt


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """One trial to make."""

    case: Case
    trial: int


def plan_of(
    suite: Suite, *, trials: int, first: int = 0, must_pass: Sprt | None = None, only: Iterable[str] = ()
) -> tuple[Planned, ...]:
    """All trials of a run in their order; `trials` of each case from number `first` on. `only`: cases by id; none: all.

    `must_pass`: the test that cases which must pass have to stand; they get at least as many trials as pass it when none
    fails. None: no more than others.
    """
    wanted = set(only)
    cases = [case for case in suite.cases if not wanted or case.id in wanted]
    needed = must_pass.clean_trials_needed() if must_pass is not None else 0
    counts = {case.id: max(trials, needed if case.rule is CaseRule.MUST_PASS else 0) for case in cases}
    planned = [Planned(case=case, trial=number) for case in cases for number in range(first, first + counts[case.id])]
    return tuple(sorted(planned, key=lambda one: (one.trial, drawn(one.case.id, one.trial))))


def drawn(case: str, trial: int) -> str:
    """A place in a pass that looks like chance and is the same everywhere."""
    return digest(f"{trial} {case}")
