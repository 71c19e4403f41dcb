"""Is a candidate no worse than its baseline: a pure function of the trials of both; it makes no trial and reads no file.

Cases are paired; each pair is the candidate's loss minus the baseline's. The verdict is read off the same interval that
is shown: *pass* where its upper end is below the margin, *fail* where its lower end is above 0, else *inconclusive*,
which is never a pass. Cases that must pass, and cases that tolerate no failure, block by themselves. Trials that ended
in an error say nothing of an agent: they are left out, counted and shown.

What only looks calm does not pass: too few cases, repetitions that are copies of each other, a suite that fails nothing,
graders that agree with everything, a candidate that mostly could not be reached.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from understudy.evaluation.gate_cases import CaseLosses, blocking, by_case, flipped_cases, is_copied
from understudy.evaluation.gate_outlook import outlook
from understudy.evaluation.plan import drawn
from understudy.records.gate import FlippedCase, GateVerdict
from understudy.records.suite import Trial
from understudy.stats.gate import interval
from understudy.stats.sprt import Sprt

CACHED_FROM: Final = 10
"""From so many trials of a case on the baseline's mean stands for it; with fewer, trial is held against trial."""
SETTLED_DELTA: Final = 0.005
"""A run that could go on ends as failed only where the candidate is worse with this error; it has time to be sure."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GateTerms:
    """What is fixed beforehand. `margin`: the mean difference that is one too much, in (0, 1]. `delta`: how often each
    end of the interval may be wrong. `cases_min`: fewer paired cases never pass. `error_share_max`: more errors than
    this share of the candidate's trials never pass."""

    margin: float = 0.03
    delta: float = 0.05
    cases_min: int = 20
    error_share_max: float = 0.2
    must_pass: Sprt = field(default_factory=Sprt)

    def __post_init__(self) -> None:
        if not 0.0 < self.margin <= 1.0 or not 0.0 < self.delta < 1.0:
            raise ValueError(f"needed: margin in (0, 1] and delta in (0, 1), got {self.margin} and {self.delta}")
        if self.cases_min < 1 or not 0.0 <= self.error_share_max <= 1.0:
            raise ValueError(f"needed: cases_min >= 1 and error_share_max in [0, 1], got {self.cases_min}")


@dataclass(frozen=True, slots=True, kw_only=True)
class GateFound:
    """What the trials say; see `records.gate.GateResult`. `cautions`: what a reader must know besides."""

    verdict: GateVerdict
    reason: str
    effect: float
    interval: tuple[float, float]
    pairs: int
    cases: int
    errors: int
    errors_of: tuple[int, int]
    flipped: tuple[FlippedCase, ...]
    blocked_by: tuple[str, ...]
    would_decide: str | None
    cautions: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pairs:
    differences: tuple[float, ...]
    cases: int
    copies: int


def decide(baseline: Sequence[Trial], candidate: Sequence[Trial], terms: GateTerms) -> GateFound:
    """Decide on all trials there are. The order in which they stand does not matter."""
    before, after = by_case(baseline), by_case(candidate)
    pairs = _paired(before, after)
    low, high = interval(pairs.differences, delta=terms.delta)
    effect = round(math.fsum(pairs.differences) / max(1, len(pairs.differences)), 12) + 0.0
    blocks = blocking(before, after, terms.must_pass)
    doubts = _doubts(before, after, pairs, terms)
    verdict, reason = _verdict(terms, pairs, effect, (low, high), doubts, blocks.failed, blocks.open)
    errors = (sum(one.errors for one in before.values()), sum(one.errors for one in after.values()))
    would = None
    if verdict is GateVerdict.INCONCLUSIVE:
        would = "; ".join([*doubts.values(), *blocks.open.values(), *outlook(pairs.differences, pairs.cases, terms)])
    return GateFound(
        verdict=verdict,
        reason=reason,
        effect=effect,
        interval=(low, high),
        pairs=len(pairs.differences),
        cases=pairs.cases,
        errors=sum(errors),
        errors_of=errors,
        flipped=flipped_cases(before, after),
        blocked_by=tuple(blocks.failed),
        would_decide=(would or "more trials of the same cases") if verdict is GateVerdict.INCONCLUSIVE else None,
        cautions=_cautions(before, after, pairs, errors),
    )


def is_settled(baseline: Sequence[Trial], candidate: Sequence[Trial], terms: GateTerms) -> bool:
    """Whether a run of the candidate need not go on: it passes, a case blocks it, or it is worse beyond all doubt."""
    found = decide(baseline, candidate, terms)
    if found.verdict is not GateVerdict.FAIL or found.blocked_by:
        return found.verdict is not GateVerdict.INCONCLUSIVE
    pairs = _paired(by_case(baseline), by_case(candidate))
    return interval(pairs.differences, delta=min(SETTLED_DELTA, terms.delta))[0] > 0.0


def _paired(before: dict[str, CaseLosses], after: dict[str, CaseLosses]) -> _Pairs:
    """The differences, in passes over the cases; copies of a pair, where repetitions never differ, are left out."""
    found: list[tuple[int, str, float]] = []
    cases = 0
    for name, candidate in after.items():
        old = before.get(name)
        if old is None or not old.losses or not candidate.losses:
            continue
        cases += 1
        if len(old.losses) >= CACHED_FROM:
            rows = [(loss, old.mean) for loss in candidate.losses]
        else:
            rows = list(zip(candidate.losses, old.losses, strict=False))
        found += [(number, name, new - base) for number, (new, base) in enumerate(rows)]
    copies = 0
    if is_copied(before, after):
        once = [one for one in found if one[0] == 0]
        copies, found = len(found) - len(once), once
    found.sort(key=lambda one: (one[0], drawn(one[1], one[0])))
    return _Pairs(differences=tuple(one[2] for one in found), cases=cases, copies=copies)


def _doubts(
    before: dict[str, CaseLosses], after: dict[str, CaseLosses], pairs: _Pairs, terms: GateTerms
) -> dict[str, str]:
    """What keeps a pass from being believed, and what would mend it."""
    found: dict[str, str] = {}
    if pairs.cases < terms.cases_min:
        lacking = terms.cases_min - pairs.cases
        found[f"only {pairs.cases} cases are in both, at least {terms.cases_min} are needed"] = (
            f"{lacking} more cases that both were tried on"
        )
    tried = [one for one in after.values() if one.has_teeth is not None]
    biting = sum(bool(one.has_teeth) for one in tried)
    fails = any(loss > 0 for one in (*before.values(), *after.values()) for loss in one.losses)
    if pairs.cases and not fails and biting * 10 < len(after):
        found["no trial of either ever failed, so nothing shows that this suite can fail anything"] = (
            "cases that a bad agent fails: add rejected turns of the past (understudy eval case add), "
            "or try a release that is known to be bad"
        )
    if len(tried) >= 3 and biting * 2 < len(tried):
        found[f"the graders of {len(tried) - biting} of {len(tried)} cases pass the very reply that people refused"] = (
            "stricter graders for the cases that agree with everything"
        )
    made = sum(len(one.losses) + one.errors for one in after.values())
    errors = sum(one.errors for one in after.values())
    if made and errors > terms.error_share_max * made:
        found[
            f"{errors} of the candidate's {made} trials ended in an error, so those that did not may be the easy ones"
        ] = "a run without so many errors"
    return found


def _verdict(
    terms: GateTerms,
    pairs: _Pairs,
    effect: float,
    bounds: tuple[float, float],
    doubts: dict[str, str],
    failed: dict[str, str],
    open_: dict[str, str],
) -> tuple[GateVerdict, str]:
    low, high = bounds
    shown = f"{effect:+.1%} loss, between {low:+.1%} and {high:+.1%}, over {len(pairs.differences)} pairs"
    if failed:
        return GateVerdict.FAIL, f"{'; '.join(failed.values())} ({shown})"
    if low > 0.0 and high >= terms.margin:
        return GateVerdict.FAIL, f"the candidate is worse: {shown}"
    if not pairs.differences:
        return GateVerdict.INCONCLUSIVE, "no case has a result of both, so nothing can be compared"
    if high >= terms.margin:
        return GateVerdict.INCONCLUSIVE, f"neither worse nor within the margin of {terms.margin:.1%} for sure: {shown}"
    if doubts or open_:
        return GateVerdict.INCONCLUSIVE, f"within the margin, but {'; '.join([*doubts, *open_])} ({shown})"
    little = ", a little worse for sure" if low > 0.0 else ""
    return GateVerdict.PASS, f"no worse than the margin of {terms.margin:.1%}{little}: {shown}"


def _cautions(
    before: dict[str, CaseLosses], after: dict[str, CaseLosses], pairs: _Pairs, errors: tuple[int, int]
) -> tuple[str, ...]:
    found = []
    if sum(errors):
        found.append(
            f"{errors[0]} trials of the baseline and {errors[1]} of the candidate ended in an error; they count for neither."
        )
    if pairs.copies:
        found.append(f"Repeated trials never differ, so each case counts once; {pairs.copies} copies are left out.")
    alone = [len(before.keys() - after.keys()), len(after.keys() - before.keys())]
    if any(alone):
        found.append(
            f"{alone[0]} cases are only in the baseline and {alone[1]} only in the candidate; they are not compared."
        )
    extra = sum(
        len(one.losses) - len(before[name].losses)
        for name, one in after.items()
        if name in before and len(before[name].losses) < CACHED_FROM and len(one.losses) > len(before[name].losses)
    )
    if extra and not pairs.copies:
        found.append(
            f"{extra} trials of the candidate found no trial of the baseline to be held against; "
            f"from {CACHED_FROM} trials of each case on, the baseline's mean is enough."
        )
    return tuple(found)
