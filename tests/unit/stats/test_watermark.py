"""Labels enter in draft order only, and a watermark that were switched off would be noticed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy.stats.outlook import most_bad
from understudy.stats.watermark import TIMED_OUT_LOSS, before_watermark, is_late, usable_from

START = datetime(2026, 5, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
TIMEOUT = 72 * HOUR


@dataclass(frozen=True, kw_only=True)
class Judged:
    """A draft, its loss, and when that was said; None = nobody ever judges it."""

    drafted_at: datetime
    loss: float | None = None
    resolved_at: datetime | None = None

    def seen_at(self, now: datetime) -> float | None:
        """The label as it stands at a moment; None = awaited."""
        due_at = self.drafted_at + TIMEOUT
        if self.resolved_at is not None and not is_late(self.resolved_at, due_at=due_at):
            return self.loss if self.resolved_at <= now else None
        return TIMED_OUT_LOSS if is_late(now, due_at=due_at) else None


def draft(hour: float, loss: float | None = None, after_h: float = 1.0) -> Judged:
    at = START + hour * HOUR
    return Judged(drafted_at=at, loss=loss, resolved_at=None if loss is None else at + after_h * HOUR)


def usable(drafts: list[Judged], now: datetime) -> list[float | None]:
    return before_watermark((item.seen_at(now) for item in drafts), lambda loss: loss is None)


DRAFTS = st.lists(
    st.tuples(st.integers(0, 200), st.none() | st.sampled_from([0.0, 0.2, 1.0]), st.integers(0, 150)), max_size=30
).map(lambda rows: [draft(hour, loss, after) for hour, loss, after in sorted(rows, key=lambda row: row[0])])


def test_labels_after_the_first_unresolved_draft_wait() -> None:
    assert usable([draft(0, 0.0), draft(1), draft(2, 0.0)], START + 10 * HOUR) == [0.0]


def test_a_draft_that_nobody_resolved_in_time_counts_as_bad() -> None:
    assert usable([draft(0, 0.0), draft(1), draft(2, 0.2)], START + 74 * HOUR) == [0.0, 1.0, 0.2]


@pytest.mark.parametrize(("after_h", "late"), [(71.9, False), (72.0, True), (73.0, True)])
def test_a_label_of_the_last_moment_is_late(after_h: float, late: bool) -> None:
    assert is_late(START + after_h * HOUR, due_at=START + TIMEOUT) is late


@given(drafts=DRAFTS, first=st.integers(0, 400), later=st.integers(0, 400))
def test_what_was_usable_once_is_the_beginning_of_what_is_usable_later(
    drafts: list[Judged], first: int, later: int
) -> None:
    before = usable(drafts, START + first * HOUR)
    assert usable(drafts, START + (first + later) * HOUR)[: len(before)] == before


@given(drafts=DRAFTS, hour=st.integers(0, 400))
def test_whole_histories_are_resolved_as_draft_by_draft(drafts: list[Judged], hour: int) -> None:
    def seconds(at: datetime | None) -> float:
        return float("inf") if at is None else (at - START).total_seconds()

    known, losses = usable_from(
        [seconds(item.drafted_at) for item in drafts],
        [seconds(item.resolved_at) for item in drafts],
        [item.loss or 0.0 for item in drafts],
        timeout_s=TIMEOUT.total_seconds(),
    )
    now = START + hour * HOUR
    assert losses[known <= seconds(now)].tolist() == usable(drafts, now)


def false_certificates(seed: int, *, late: float, timeout: float, is_in_draft_order: bool) -> float:
    """How often a slice whose risk is the target is certified, where bad drafts are resolved `late` drafts later."""
    rng, runs, horizon, target = np.random.default_rng(seed), 1000, 2500, 0.02
    drafted = np.broadcast_to(np.arange(horizon, dtype=float), (runs, horizon))
    bad = rng.random((runs, horizon)) < target
    resolved = drafted + np.where(bad, rng.exponential(late, (runs, horizon)), rng.exponential(20, (runs, horizon)))
    known, losses = usable_from(drafted, resolved, bad, timeout_s=timeout)
    if not is_in_draft_order:
        known, losses = resolved, bad.astype(float)
    order = np.argsort(known, axis=1, kind="stable")
    in_time = np.take_along_axis(known, order, axis=1) <= horizon  # the clock stops with the last draft
    in_order = np.take_along_axis(losses, order, axis=1)
    certifies = np.cumsum(in_order, axis=1) <= most_bad(horizon, target=target, delta=0.05)[1:]
    return float((certifies & in_time).any(axis=1).mean())


@pytest.mark.parametrize("seed", [61])
@pytest.mark.parametrize(("late", "timeout"), [(400, np.inf), (1000, np.inf), (400, 1500), (1000, 2000)])
def test_a_slice_at_its_target_is_seldom_certified_although_bad_labels_come_late(
    seed: int, late: float, timeout: float
) -> None:
    assert false_certificates(seed, late=late, timeout=timeout, is_in_draft_order=True) <= 0.05


@pytest.mark.parametrize("seed", [62])
def test_labels_in_the_order_of_their_arrival_would_certify_it(seed: int) -> None:
    assert false_certificates(seed, late=400, timeout=np.inf, is_in_draft_order=False) >= 0.15
