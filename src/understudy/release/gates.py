"""What follows from a gate's result and from live signals. Pure: it moves nothing.

Missing data decide nothing, for or against a release; and where a person said that it stays where it is, nothing but a
person moves it, whatever was seen.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from understudy.records.gate import GateResult, GateVerdict
from understudy.records.release import CANDIDATE, NEXT, Release, Stage
from understudy.records.rollout import Advice, LiveSignal, NextStep, ReleaseTerms, SignalSeen, Trend

PROVEN = {
    Stage.SHADOW: frozenset({LiveSignal.CHECKS}),
    Stage.CANARY: frozenset({LiveSignal.CHECKS, LiveSignal.QUALITY}),
}
"""What must have been seen to be no worse before the next stage; a rehearsal has no reviewers."""


def admit(result: GateResult | None) -> Advice:
    """Whether a release may leave *created* by itself."""
    if result is None:
        return Advice(step=NextStep.INCONCLUSIVE, why="no gate has compared it with what answers now")
    match result.verdict:
        case GateVerdict.PASS:
            return Advice(step=NextStep.GO_ON, why=result.reason)
        case GateVerdict.FAIL:
            blocked = f" (blocked by {', '.join(result.blocked_by)})" if result.blocked_by else ""
            return Advice(step=NextStep.ROLL_BACK, why=f"{result.reason}{blocked}")
        case GateVerdict.INCONCLUSIVE:
            more = f"; {result.would_decide}" if result.would_decide else ""
            return Advice(step=NextStep.INCONCLUSIVE, why=f"{result.reason}{more}")


def advise(
    release: Release, signals: Sequence[SignalSeen], *, harms: int, terms: ReleaseTerms, now: datetime
) -> Advice:
    """What follows from what was seen of a release that is being tried."""
    if release.stage not in CANDIDATE:
        return Advice(step=NextStep.INCONCLUSIVE, why=f"it is {release.stage.value}, so nothing is compared")
    found = _of_signals(release, signals, harms=harms, terms=terms, now=now)
    if release.hold is not None and found.step in (NextStep.ROLL_BACK, NextStep.GO_ON):
        return Advice(
            step=NextStep.HOLD, why=f"{release.hold.by} holds it where it is; else: {found.why}", signal=found.signal
        )
    return found


def _of_signals(
    release: Release, signals: Sequence[SignalSeen], *, harms: int, terms: ReleaseTerms, now: datetime
) -> Advice:
    if harms:
        why = f"{harms} of its automatic replies did harm, a reviewer says"
        return Advice(step=NextStep.ROLL_BACK, why=why, signal=LiveSignal.QUALITY)
    for one in signals:
        if one.trend is Trend.WORSE:
            assert one.difference is not None, "a trend rests on comparisons"
            why = f"{one.signal.value}: worse by {one.difference:+.3f} in {one.pairs} comparisons"
            return Advice(step=NextStep.ROLL_BACK, why=why, signal=one.signal)
    lacking = [one for one in signals if one.signal in PROVEN[release.stage] and one.trend is not Trend.NO_WORSE]
    if lacking:
        words = ", ".join(_lacks(one, terms) for one in lacking)
        return Advice(step=NextStep.INCONCLUSIVE, why=words, signal=lacking[0].signal)
    missing = PROVEN[release.stage] - {one.signal for one in signals}
    if missing:
        return Advice(step=NextStep.INCONCLUSIVE, why=f"nothing was seen of {', '.join(sorted(missing))}")
    ripe_at = release.since + timedelta(days=terms.days_min)
    if now < ripe_at:
        return Advice(
            step=NextStep.INCONCLUSIVE, why=f"no worse so far; it stays until {ripe_at:%d %b %H:%M} UTC at least"
        )
    return Advice(step=NextStep.GO_ON, why=f"no worse than what answers now; next: {NEXT[release.stage].value}")


def _lacks(one: SignalSeen, terms: ReleaseTerms) -> str:
    if one.trend is Trend.MISSING:
        return f"{one.signal.value}: {one.pairs} of at least {terms.pairs_min} comparisons"
    return f"{one.signal.value}: not decided after {one.pairs} comparisons ({one.no_worse} of 100)"
