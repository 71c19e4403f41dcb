"""Counts into figures: pure functions of tallies. What each figure is a share of stands here and nowhere else, and for people
in docs/explanation/how-figures-are-counted.md.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import fields, replace
from typing import Any, Final, TypeVar

from understudy.records.assessment import DecisionKind
from understudy.records.quality import (
    LEADS,
    At,
    Change,
    Direction,
    FeedbackTally,
    Figures,
    Named,
    Part,
    Quality,
    Share,
    Span,
    Tallies,
    Tally,
    TurnTally,
    VerdictTally,
    Wait,
    WaitTally,
)
from understudy.records.review import HoldKind, VerdictKind
from understudy.records.turn import TurnState
from understudy.stats.proportion import difference, wilson
from understudy.stats.quantile import quantile

CASES_MIN: Final = 20
"""Of fewer cases no share and no quantile is said: its interval would span almost everything."""
DELTA: Final = 0.05
CHANGE_DELTA: Final = 0.01
"""Some twenty figures are compared each morning, so a change needs more than one figure alone would."""
NAMED_MAX: Final = 200
"""So many topics, channels and releases have a line of their own, those with the most turns."""

T = TypeVar("T", bound=Tally)
_BY_PEOPLE: Final = frozenset({DecisionKind.HOLD, DecisionKind.HAND_OFF})
_ENDED: Final = frozenset({TurnState.ANSWERED, TurnState.HANDED_OFF})
_TAKEN: Final = frozenset({VerdictKind.RESPOND, VerdictKind.TAKE_OVER})


def page(
    over_time: Tallies,
    by_slice: Tallies,
    *,
    whole: Span,
    now_from: int,
    part: Part,
    recontact_h: float,
    is_cut: bool,
) -> Quality:
    """The figures of the buckets from `now_from` on, of those before them, of each bucket, and of each name. Those over time
    are of `part` already; the tables of names narrow what they are not about, so that they say what else there is."""
    now, before = _split(over_time, lambda tally: tally.bucket >= now_from)
    all_now, all_before = figures(now), figures(before)
    buckets = _parts(now, lambda tally: tally.bucket)
    return Quality(
        since=whole.since + now_from * whole.width,
        until=whole.until,
        bucket_s=whole.width.total_seconds(),
        before_since=whole.since,
        recontact_h=recontact_h,
        cases_min=CASES_MIN,
        confidence=1.0 - DELTA,
        change_confidence=1.0 - CHANGE_DELTA,
        all=all_now,
        before=all_before,
        changes=changes(all_now, all_before),
        over_time=tuple(
            At(at=whole.since + bucket * whole.width, figures=figures(buckets.get(bucket, Tallies())))
            for bucket in range(now_from, whole.buckets)
        ),
        topics=named(by_slice, replace(part, topic=None), lambda tally: tally.topic),
        channels=named(by_slice, replace(part, channel=None), lambda tally: tally.channel),
        releases=named(by_slice, replace(part, release=None), lambda tally: tally.release),
        is_cut=is_cut,
    )


def named(tallies: Tallies, part: Part, name: Callable[[Tally], str]) -> tuple[Named, ...]:
    """The figures of each name, those with the most turns first."""
    found = [Named(name=one, figures=figures(some)) for one, some in _parts(_of(tallies, part), name).items()]
    return tuple(sorted(found, key=lambda one: (-one.figures.turns, one.name))[:NAMED_MAX])


def figures(tallies: Tallies) -> Figures:
    """Everything that is said of these turns."""
    turns, heard = tallies.turns, tallies.feedback
    ended = _sum(turns, lambda one: one.state in _ENDED)
    alone = _sum(turns, _is_alone)
    drafts = [one for one in tallies.verdicts if one.hold is HoldKind.DRAFT]
    audits = [one for one in tallies.verdicts if one.hold is HoldKind.AUDIT]
    reviewed, audited, judged = (_sum(some) for some in (drafts, audits, tallies.verdicts))
    resolved = _sum(turns, lambda one: _is_alone(one) and one.settled)
    late = [one for one in heard if one.decision is DecisionKind.DELIVER and one.settled]
    recontacted = _sum(late, lambda one: one.recontact)
    discontent = _sum(late, lambda one: one.discontent and not one.recontact)
    confirmed = _sum(late, lambda one: one.up and not (one.recontact or one.discontent))
    return Figures(
        turns=_sum(turns),
        ended=ended,
        waiting=_sum(turns) - ended,
        automation=share(alone, ended),
        safe_replies=share(_sum(turns, lambda one: _is_answered(one, {DecisionKind.DEGRADE})), ended),
        approved=share(_given(drafts, {VerdictKind.APPROVE}), reviewed),
        edited=share(_given(drafts, {VerdictKind.EDIT}), reviewed),
        rejected=share(_given(drafts, {VerdictKind.REJECT}), reviewed),
        taken=share(_given(drafts, _TAKEN), reviewed),
        audits_bad=share(audited - _given(audits, {VerdictKind.APPROVE}), audited),
        confirmed=share(confirmed, resolved),
        assumed=share(max(0, resolved - confirmed - recontacted - discontent), resolved),
        recontacted=share(recontacted, resolved),
        discontent=share(discontent, resolved),
        missed=share(_sum(tallies.verdicts, lambda one: one.needs_person), judged),
        asked_in_vain=share(_sum(tallies.asked, lambda one: not one.handed_off), _sum(tallies.asked)),
        late=share(_sum(tallies.late), _sum(turns, lambda one: one.decision in _BY_PEOPLE)),
        content_alone=_content(heard, {DecisionKind.DELIVER}),
        content_people=_content(heard, _BY_PEOPLE),
        wait_alone=wait(one for one in tallies.waits if one.alone),
        wait_people=wait(one for one in tallies.waits if not one.alone),
    )


def share(count: int, of: int) -> Share:
    """A share with its interval, or neither where there are too few cases; counts that disagree are taken for all."""
    count = min(count, of)
    if of < CASES_MIN:
        return Share(count=count, of=of, share=None, low=None, high=None)
    low, high = wilson(count, of, delta=DELTA)
    return Share(count=count, of=of, share=count / of, low=low, high=high)


def wait(tallies: Iterable[WaitTally]) -> Wait:
    """Half and nine tenths of the waits, in seconds."""
    bins: dict[tuple[float, float], int] = defaultdict(int)
    for one in tallies:
        bins[_bounds_s(one)] += one.turns
    cases = sum(bins.values())
    if cases < CASES_MIN:
        none = dict.fromkeys((one.name for one in fields(Wait) if one.name != "cases"), None)
        return Wait(cases=cases, **none)
    counted = [(low, high, count) for (low, high), count in bins.items()]
    (p50, p50_low, p50_high), (p90, p90_low, p90_high) = (quantile(counted, q, delta=DELTA) for q in (0.5, 0.9))
    return Wait(
        cases=cases,
        p50_s=p50,
        p50_low_s=p50_low,
        p50_high_s=p50_high,
        p90_s=p90,
        p90_low_s=p90_low,
        p90_high_s=p90_high,
    )


def changes(now: Figures, before: Figures) -> Mapping[str, Change]:
    """Each figure against the one before, by its name."""
    found: dict[str, Change] = {}
    for name in (field.name for field in fields(Figures)):
        one, other = getattr(now, name), getattr(before, name)
        if isinstance(one, Share):
            found[name] = share_change(one, other)
        elif isinstance(one, Wait):
            found[name] = wait_change(one, other)
    return found


def share_change(now: Share, before: Share) -> Change:
    """A share has changed if the interval of the difference leaves 0 out."""
    if now.share is None or before.share is None:
        return Change(direction=Direction.UNKNOWN, by=None, low=None, high=None)
    low, high = difference(now.count, now.of, before.count, before.of, delta=CHANGE_DELTA)
    return Change(direction=_direction(low, high), by=now.share - before.share, low=low, high=high)


def wait_change(now: Wait, before: Wait) -> Change:
    """A wait has changed if the intervals of the two medians do not meet, which is more than chance allows."""
    both = (now.p50_s, now.p50_low_s, now.p50_high_s, before.p50_s, before.p50_low_s, before.p50_high_s)
    if any(one is None for one in both):
        return Change(direction=Direction.UNKNOWN, by=None, low=None, high=None)
    p50, p50_low, p50_high, was, was_low, was_high = (one or 0.0 for one in both)
    low, high = p50_low - was_high, p50_high - was_low
    return Change(direction=_direction(low, high), by=p50 - was, low=low, high=high)


def _direction(low: float, high: float) -> Direction:
    return Direction.UP if low > 0 else Direction.DOWN if high < 0 else Direction.UNCHANGED


def _bounds_s(tally: WaitTally) -> tuple[float, float]:
    """Between which seconds a wait lies that has so many digits of milliseconds and begins with these two."""
    unit = 10.0 ** max(0, tally.digits - 2) / 1000.0
    width = next(width for below, width in LEADS if tally.lead < below)
    return tally.lead * unit, (tally.lead + width) * unit


def _is_answered(tally: TurnTally, kinds: Collection[DecisionKind]) -> bool:
    return tally.state is TurnState.ANSWERED and tally.decision in kinds


def _is_alone(tally: TurnTally) -> bool:
    return _is_answered(tally, {DecisionKind.DELIVER})


def _given(verdicts: Sequence[VerdictTally], kinds: Collection[VerdictKind]) -> int:
    return _sum(verdicts, lambda one: one.verdict in kinds)


def _content(heard: Sequence[FeedbackTally], kinds: Collection[DecisionKind]) -> Share:
    rated = [one for one in heard if one.decision in kinds and (one.up or one.down)]
    return share(_sum(rated, lambda one: one.up and not one.down), _sum(rated))


def _sum(tallies: Iterable[T], wanted: Callable[[T], bool] = lambda _: True) -> int:
    return sum(one.turns for one in tallies if wanted(one))


def _of(tallies: Tallies, part: Part) -> Tallies:
    return _split(tallies, part.has)[0]


def _split(tallies: Tallies, wanted: Callable[[Tally], bool]) -> tuple[Tallies, Tallies]:
    parts = _parts(tallies, wanted)
    return parts.get(True, Tallies()), parts.get(False, Tallies())


def _parts(tallies: Tallies, key: Callable[[Tally], Any]) -> dict[Any, Tallies]:
    """Tallies by a key."""
    found: dict[Any, dict[str, tuple[Any, ...]]] = defaultdict(dict)
    for kind in (field.name for field in fields(Tallies)):
        for one, some in _by(getattr(tallies, kind), key).items():
            found[one][kind] = some
    return {one: Tallies(**some) for one, some in found.items()}


def _by(tallies: Iterable[T], key: Callable[[T], Any]) -> dict[Any, tuple[T, ...]]:
    found: dict[Any, list[T]] = defaultdict(list)
    for one in tallies:
        found[key(one)].append(one)
    return {one: tuple(some) for one, some in found.items()}
