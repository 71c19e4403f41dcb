"""Compare what was seen of a candidate with what was seen of its baseline at the same time, signal by signal. Pure.

Losses are in [0, 1]. Conversations are given to candidate and baseline by a draw of their own, so losses of one stretch of
time are exchangeable but for the release. A loss of the candidate is compared with the mean of the baseline's losses since
the last comparison, or the other way round one waits for the other; each loss is used once, and who is compared with whom
depends on the order alone, never on a loss. Two statistics look at the differences d, however often anybody looks:

    one for the whole stage (`stats/gate.py`): d is certainly above 0, or certainly below the margin;
    one that notices a change in the middle of it (`stats/detector.py`), on (1 + d)/2 against ½.

Complaints come without a reply that was not complained of: each one is compared with what chance would make of it, which is
the candidate's share of the replies that left so far.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final

from understudy.records.release import Stage
from understudy.records.rollout import LiveSignal, ReleaseTerms, SignalSeen, Trend
from understudy.stats.detector import Detector, Watch, after_all, is_alarmed, unstirred
from understudy.stats.gate import Gate, Pairs, judge
from understudy.stats.sprt import Outcome

WAITING_MAX: Final = 1_000
"""Losses of the candidate that wait for one of the baseline; beyond that the oldest are forgotten."""
STAKES: Final = (1.05, 1.1, 1.2, 1.35, 1.5)
"""Of the detector, as multiples of ½: bets of 5 to 50 % on each difference."""
ALARM: Final = 10_000.0
"""Comparisons to a false alarm of one signal, at the least on average."""
SLACK: Final[Mapping[LiveSignal, float]] = MappingProxyType({LiveSignal.LATENCY: 0.05, LiveSignal.COST: 0.05})
"""Differences up to here are nobody's business: a draft may take a twentieth of `draft_s_max` longer, or cost as much more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """One signal so far; plain finite numbers, so that JSON carries it exactly.

    `waiting` are losses of the candidate not compared yet; `base_sum` and `base_count` those of the baseline.
    `difference` is the sum of all differences, those after a decision included, and `compared` counts them.
    """

    pairs: Pairs
    watch: Watch
    waiting: tuple[float, ...] = ()
    base_sum: float = 0.0
    base_count: int = 0
    difference: float = 0.0
    compared: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """All that was seen since a release came to its stage. `exposed`: automatic replies of the candidate and of the
    baseline. `harms`: automatic replies of the candidate that a reviewer called harmful. `judged` are the latest
    candidates (by seq) whose label was counted."""

    stage: Stage
    signals: tuple[tuple[LiveSignal, Comparison], ...] = ()
    exposed: tuple[int, int] = (0, 0)
    harms: int = 0
    judged: tuple[int, ...] = ()


def begun(stage: Stage) -> Progress:
    """What is known at the beginning of a stage: nothing."""
    return Progress(stage=stage)


def observed(before: Progress, signal: LiveSignal, loss: float, *, is_candidate: bool, terms: ReleaseTerms) -> Progress:
    """Take one loss of either release. Raises `ValueError` outside [0, 1]."""
    if not 0.0 <= loss <= 1.0:
        raise ValueError(f"a loss must be in [0, 1], got {loss!r}")
    known = comparison(before, signal)
    if is_candidate:
        if known.base_count:
            difference = loss - known.base_sum / known.base_count
            return _with(
                before, signal, _compared(replace(known, base_sum=0.0, base_count=0), signal, [difference], terms)
            )
        return _with(before, signal, replace(known, waiting=(*known.waiting, loss)[-WAITING_MAX:]))
    if known.waiting:
        first, *rest = known.waiting
        return _with(before, signal, _compared(replace(known, waiting=tuple(rest)), signal, [first - loss], terms))
    return _with(before, signal, replace(known, base_sum=known.base_sum + loss, base_count=known.base_count + 1))


def compared(
    before: Progress, signal: LiveSignal, *, candidate: float, baseline: float, terms: ReleaseTerms
) -> Progress:
    """Take two losses on the same turn, as a rehearsal gives them."""
    return _with(before, signal, _compared(comparison(before, signal), signal, [candidate - baseline], terms))


def exposed(before: Progress, *, is_candidate: bool) -> Progress:
    """Count an automatic reply."""
    candidate, baseline = before.exposed
    return replace(before, exposed=(candidate + is_candidate, baseline + (not is_candidate)))


def complained(before: Progress, *, is_candidate: bool, terms: ReleaseTerms) -> Progress:
    """Take a complaint about an automatic reply of either release."""
    candidate, baseline = before.exposed
    if not candidate or not baseline:
        return before  # nothing to compare it with yet
    share = candidate / (candidate + baseline)
    known = comparison(before, LiveSignal.COMPLAINTS)
    return _with(before, LiveSignal.COMPLAINTS, _compared(known, LiveSignal.COMPLAINTS, [is_candidate - share], terms))


def seen(progress: Progress, terms: ReleaseTerms) -> tuple[SignalSeen, ...]:
    """What each signal says so far."""
    return tuple(_seen(signal, comparison(progress, signal), terms) for signal in LiveSignal)


def comparison(progress: Progress, signal: LiveSignal) -> Comparison:
    """A signal so far."""
    for known, found in progress.signals:
        if known is signal:
            return found
    return Comparison(pairs=Pairs(), watch=unstirred(_DETECTOR))


def gate_of(terms: ReleaseTerms) -> Gate:
    """The test of one signal: all together take back a release that is no worse with probability `delta` at most."""
    return Gate(margin=terms.margin, delta=terms.delta / len(LiveSignal), pairs_max=1_000_000)


_DETECTOR: Final = Detector(target=0.5, multiples=STAKES, alarm=ALARM, stir=ALARM)


def _compared(known: Comparison, signal: LiveSignal, differences: Iterable[float], terms: ReleaseTerms) -> Comparison:
    slack = SLACK.get(signal, 0.0)
    shifted = [max(-1.0, difference - slack) for difference in differences]
    return replace(
        known,
        pairs=judge(gate_of(terms), known.pairs, shifted),
        watch=after_all(_DETECTOR, known.watch, ((1.0, (1.0 + difference) / 2) for difference in shifted)),
        difference=known.difference + sum(shifted) + slack * len(shifted),
        compared=known.compared + len(shifted),
    )


def _with(progress: Progress, signal: LiveSignal, now: Comparison) -> Progress:
    others = tuple(one for one in progress.signals if one[0] is not signal)
    return replace(progress, signals=tuple(sorted((*others, (signal, now)))))


def _seen(signal: LiveSignal, known: Comparison, terms: ReleaseTerms) -> SignalSeen:
    no_worse, worse = known.pairs.progress(gate_of(terms))
    is_worse = known.pairs.outcome is Outcome.FAIL or is_alarmed(_DETECTOR, known.watch)
    if known.compared < terms.pairs_min:
        trend = Trend.MISSING
    elif is_worse:
        trend = Trend.WORSE
    else:
        trend = Trend.NO_WORSE if known.pairs.outcome is Outcome.PASS else Trend.OPEN
    return SignalSeen(
        signal=signal,
        trend=trend,
        pairs=known.compared,
        difference=known.difference / known.compared if known.compared else None,
        worse=100 if is_worse else _share(worse),
        no_worse=100 if known.pairs.outcome is Outcome.PASS else _share(no_worse),
    )


def _share(progress: float) -> int:
    return max(0, min(99, int(100 * progress)))
