"""What labels make of an epoch: order, sampling, calibrator and the two promises."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import example, given
from hypothesis import strategies as st

from understudy.learning.ladder import (
    PLAIN_THRESHOLDS,
    SCORES_MIN,
    Progress,
    advance,
    begun,
    certified,
    is_alarm,
    is_stirred,
    settled,
    to_go,
    watch_now,
)
from understudy.records.autonomy import Candidate, Label, Outcome, Targets
from understudy.records.codec import dump, load

NOW = datetime(2026, 1, 1, tzinfo=UTC)
TARGETS = Targets(risk_max=0.05, severe_max=0.05, delta=0.05, sensitivity=1.0)
SAME = [0.9] * SCORES_MIN


def draft(
    seq: int, loss: float | None = 0.0, *, score: float = 0.9, severe: bool = False, **fields: object
) -> Candidate:
    label = None if loss is None else Label(outcome=Outcome.APPROVE, loss=loss, is_severe=severe, by="rosa", at=NOW)
    made = Candidate(
        seq=seq,
        turn_id=f"t-{seq}",
        conversation_id=f"c-{seq}",
        topic="orders",
        channel="chat",
        release="v1",
        calibrator="shipped",
        confidence=score,
        signals=(),
        is_delivered=False,
        is_sampled=True,
        rate=1.0,
        decided_at=NOW + timedelta(minutes=seq),
        due_at=NOW,
        label=label,
    )
    return replace(made, **fields)  # type: ignore[arg-type]


def take(progress: Progress, drafts: Sequence[Candidate], targets: Targets = TARGETS) -> Progress:
    return advance(progress, drafts, targets, calibrator="shipped")


def test_on_one_threshold_the_pinned_counts_certify() -> None:
    """statistics.md 2: at 5 %, 75 labels without a bad one, 131 with one."""
    for bad, needed in ((0, 75), (1, 131)):
        drafts = [draft(n, 1.0 if n < bad else 0.0) for n in range(needed)]
        assert certified(take(begun(SAME, TARGETS), drafts[:-1]), TARGETS) is None
        assert certified(take(begun(SAME, TARGETS), drafts), TARGETS) == 0.9


def test_reviewers_who_miss_some_make_it_take_longer() -> None:
    careless = replace(TARGETS, sensitivity=0.7)
    progress = take(begun(SAME, careless), [draft(n) for n in range(75)], careless)
    assert certified(progress, careless) is None
    assert to_go(progress, careless) < 100


def test_both_promises_must_hold() -> None:
    strict = replace(TARGETS, severe_max=0.005)
    progress = take(begun(SAME, strict), [draft(n) for n in range(200)], strict)
    assert certified(progress, strict) is None
    severe = take(begun(SAME, TARGETS), [draft(n, 0.0, severe=n % 10 == 0) for n in range(400)])
    assert certified(severe, TARGETS) is None
    assert severe.severe_count == 40


def test_nothing_beyond_the_first_awaited_draft_is_settled() -> None:
    drafts = [draft(1), draft(2), draft(3, None), draft(4)]
    assert [one.seq for one in settled(drafts, calibrator="shipped")] == [1, 2]
    waits = [draft(1), draft(2, second_due_at=NOW), draft(3)]
    assert [one.seq for one in settled(waits, calibrator="shipped")] == [1]


def test_drafts_that_need_no_label_hold_nothing_up() -> None:
    drafts = [draft(1, None, is_sampled=False), draft(2, None, calibrator="other"), draft(3)]
    assert [one.seq for one in settled(drafts, calibrator="shipped")] == [1, 2, 3]
    assert take(begun(SAME, TARGETS), drafts).labels == 1


def test_void_drafts_and_those_not_drawn_count_as_nothing() -> None:
    void = draft(1)
    assert void.label is not None
    drafts = [replace(void, label=replace(void.label, outcome=Outcome.VOID)), draft(2, 1.0, is_sampled=False)]
    assert take(begun(SAME, TARGETS), drafts).loss_sum == 0.0
    assert take(begun(SAME, TARGETS), drafts).labels == 0


def test_with_few_scores_the_thresholds_are_plain_ones() -> None:
    assert begun([0.5] * (SCORES_MIN - 1), TARGETS).thresholds == PLAIN_THRESHOLDS


def test_audits_that_go_bad_stir_and_then_alarm_whatever_is_awaited() -> None:
    sent = [draft(n, 0.0, is_delivered=True, rate=0.2) for n in range(20)]
    progress = take(begun(SAME, TARGETS), sent)
    bad = [draft(n, 1.0, is_delivered=True, rate=0.2) for n in range(20, 40)]
    counts = next(n for n in range(21) if is_alarm(watch_now(progress, TARGETS, bad[:n]), TARGETS))
    assert 0 < next(n for n in range(21) if is_stirred(watch_now(progress, TARGETS, bad[:n]), TARGETS)) <= counts < 20
    awaited = [draft(n, None, is_delivered=True, rate=0.2) for n in range(60)]
    assert not is_alarm(watch_now(progress, TARGETS, awaited), TARGETS), "what nobody judged yet is no alarm"


DRAFTS = st.lists(
    st.tuples(
        st.sampled_from([0.0, 0.2, 0.5, 1.0, None]),
        st.sampled_from([0.5, 0.8, 0.9, 0.95]),
        st.booleans(),
        st.booleans(),
        st.booleans(),
    ),
    max_size=60,
)


@given(DRAFTS, st.integers(0, 60))
def test_one_by_one_or_at_once_and_through_json_is_the_same(
    rows: list[tuple[float | None, float, bool, bool, bool]], cut: int
) -> None:
    drafts = [
        draft(n, loss, score=score, severe=severe and loss is not None, is_delivered=delivered, is_sampled=sampled)
        for n, (loss, score, delivered, sampled, severe) in enumerate(rows)
    ]
    ready = settled(drafts, calibrator="shipped")
    start = begun([0.5, 0.8, 0.9, 0.95] * 10, TARGETS)
    whole = take(start, ready)
    half = load(Progress, dump(take(start, ready[:cut])))
    assert dump(take(half, ready[cut:])) == dump(whole)
    assert 0 <= to_go(whole, TARGETS) <= 100


@given(
    st.lists(st.tuples(st.integers(0, 9), st.sampled_from([0.0, 0.2, 1.0])), max_size=60),
    st.lists(st.integers(0, 60), max_size=4),
)
@example([(0, 0.0), (0, 0.0), (2, 0.2), (3, 0.2), (4, 1.0), (1, 0.2)], [5])
def test_later_drafts_of_a_conversation_add_nothing_to_what_is_certified(
    said: list[tuple[int, float]], cuts: list[int]
) -> None:
    seen: set[int] = set()
    drafts = []
    for number, (conversation, loss) in enumerate(said):
        drafts.append(draft(number, loss, conversation_id=f"c-{conversation}", is_repeat=conversation in seen))
        seen.add(conversation)
    alone = take(begun(SAME, TARGETS), [one for one in drafts if not one.is_repeat])
    whole, parts = take(begun(SAME, TARGETS), drafts), begun(SAME, TARGETS)
    for start, end in pairwise(sorted({0, len(drafts), *(cut for cut in cuts if cut < len(drafts))})):
        parts = take(parts, drafts[start:end])
    assert (whole.mean, whole.severe, whole.labels) == (alone.mean, alone.severe, alone.labels)
    assert whole.labels + whole.repeats == len(drafts)
    assert dump(parts) == dump(whole)


def test_what_conversations_go_on_with_can_only_speak_against() -> None:
    first = [draft(2 * n) for n in range(150)]
    assert certified(take(begun(SAME, TARGETS), first), TARGETS) == 0.9
    good = [draft(2 * n + 1, 0.0, is_repeat=True) for n in range(150)]
    bad = [draft(2 * n + 1, float(n % 3 == 0), is_repeat=True) for n in range(150)]
    few = [draft(n, 0.0, is_repeat=n > 0) for n in range(500)]
    in_order = [one for pair in zip(first, good, strict=True) for one in pair]
    assert certified(take(begun(SAME, TARGETS), in_order), TARGETS) == 0.9
    contradicted = take(begun(SAME, TARGETS), [one for pair in zip(first, bad, strict=True) for one in pair])
    assert certified(contradicted, TARGETS) is None
    assert to_go(contradicted, TARGETS) < 100
    assert certified(take(begun(SAME, TARGETS), few), TARGETS) is None


def test_who_wants_fewer_false_alarms_hears_of_a_regression_later() -> None:
    drafts = [draft(n, float(n % 10 == 0), is_delivered=True) for n in range(600)]
    heard = {}
    for alarm in (1000.0, 5000.0):
        targets = replace(TARGETS, alarm=alarm)
        progress = begun(SAME, targets)
        for count, one in enumerate(drafts, start=1):
            progress = take(progress, [one], targets)
            if is_alarm(watch_now(progress, targets), targets):
                heard[alarm] = count
                break
    assert 50 < heard[1000.0] < heard[5000.0] < 2 * heard[1000.0]
