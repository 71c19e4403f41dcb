"""Which trials a run makes, and in which order; it makes none.

Passes over all cases, each in an order of its own drawn from the suite's content, so that a run that ends early has
tried every case about equally often, and the same suite gives the same order everywhere. Cases that must pass get as
many trials as it takes to show it, in the first pass, since they may block by themselves.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from understudy.records.codec import digest
from understudy.records.suite import Case, CaseRule, Suite
from understudy.stats.sprt import Sprt

GATE_TRIALS_MAX: Final = 40
"""So many trials of each case a candidate gets, at the most, before its gate stays inconclusive."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """One trial to make."""

    case: Case
    trial: int


def plan_of(
    suite: Suite, *, trials: int, must_pass: Sprt | None = None, only: Iterable[str] = ()
) -> tuple[Planned, ...]:
    """All trials of a run in their order, `trials` of each case. `only`: cases by id; none: all.

    `must_pass`: the test that cases which must pass have to stand; they get at least as many trials as pass it when none
    fails. None: no more than others.
    """
    wanted = set(only)
    cases = [case for case in suite.cases if not wanted or case.id in wanted]
    return plan_with(cases, trials=trials, clean=must_pass.clean_trials_needed() if must_pass is not None else 0)


def plan_with(cases: Sequence[Case], *, trials: int, clean: int) -> tuple[Planned, ...]:
    """All trials of these cases in their order: `trials` of each, and at least `clean` of each that must pass."""
    counts = {case.id: max(trials, clean if case.rule is CaseRule.MUST_PASS else 0) for case in cases}
    planned = [Planned(case=case, trial=number) for case in cases for number in range(counts[case.id])]

    def place(one: Planned) -> tuple[int, str]:
        is_shown = clean and one.case.rule is CaseRule.MUST_PASS  # all within the first pass: it alone may block
        return (one.trial // clean if is_shown else one.trial), drawn(one.case.id, one.trial)

    return tuple(sorted(planned, key=place))


def drawn(case: str, trial: int) -> str:
    """A place in a pass that looks like chance and is the same everywhere."""
    return digest(f"{trial} {case}")
