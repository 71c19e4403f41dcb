"""Trials are read in the order of the plan, and whether they decide is asked at lengths that nothing but the plan fixes."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from understudy.evaluation.reading import Reading
from understudy.records.suite import Trial


def trials(count: int) -> list[Trial]:
    return [Trial(case="a", trial=number, loss=0.0) for number in range(count)]


@given(st.integers(1, 2_000), st.integers(1, 2_000))
def test_the_same_trials_end_a_run_at_the_same_place_however_they_come(enough: int, there: int) -> None:
    """Whatever is read at a time, and in whatever process, the end is the first length asked about that is enough."""
    asked: list[int] = []

    def is_decided(found: object) -> bool:
        asked.append(len(found))  # type: ignore[arg-type]
        return len(found) >= enough  # type: ignore[arg-type]

    reading = Reading(is_decided)
    for trial in trials(there):
        if not reading.is_decided:
            reading.take(trial)
    looks, length = [], 0
    while (length := length + max(1, length // 100)) <= there:
        looks.append(length)
        if length >= enough:
            break
    assert asked == looks
    assert reading.is_decided == (looks[-1] >= enough)
    assert len(reading.trials) == (looks[-1] if reading.is_decided else there)
