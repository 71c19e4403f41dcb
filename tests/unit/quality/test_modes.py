"""Failure modes by topic: which codes are one, in which order, how dark."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy.errors import InputError
from understudy.quality.modes import MODES_MAX, TOPICS_MAX, insights, mode_named, mode_of, step_of
from understudy.records.quality import ModeSource, ModeTally

SINCE, UNTIL = datetime(2026, 5, 1, tzinfo=UTC), datetime(2026, 5, 29, tzinfo=UTC)
FINDING, HAND_OFF, REVIEWER, SENDING = ModeSource


def tally(source: ModeSource, *codes: str, topic: str = "orders", turns: int = 1) -> ModeTally:
    return ModeTally(source=source, topic=topic, codes=codes, turns=turns)


def test_each_source_names_its_modes_and_none_is_counted_twice() -> None:
    found = insights(
        [
            tally(FINDING, "grounding.unsupported_money", "escalation.anger", turns=5),
            tally(FINDING, "grounding.unsupported_money", turns=2),
            tally(HAND_OFF, "escalation.anger", "agent_failed", "conversation_with_person", turns=3),
            tally(REVIEWER, "wrong_tone", "She asked twice already.", turns=4),
            tally(SENDING, "delivery_failed", turns=1),
        ],
        {"orders": 100},
        since=SINCE,
        until=UNTIL,
    )
    assert [(one.mode, one.family, one.turns) for one in found.modes] == [
        ("hand_off:agent_failed", "agent", 3),
        ("finding:escalation.anger", "escalation", 5),
        ("finding:grounding.unsupported_money", "grounding", 7),
        ("reviewer:wrong_tone", "reviewer", 4),
        ("sending:delivery_failed", "sending", 1),
    ]
    assert [(cell.turns, cell.step) for cell in found.topics[0].cells] == [(3, 3), (5, 3), (7, 3), (4, 3), (1, 2)]


def test_the_largest_topics_and_modes_are_shown_and_the_rest_counted() -> None:
    topics = {f"t{number:03}": 1000 - number for number in range(TOPICS_MAX + 5)}
    codes = [
        tally(FINDING, f"grounding.code_{number}", topic="t000", turns=1 + number) for number in range(MODES_MAX + 3)
    ]
    found = insights(codes, topics, since=SINCE, until=UNTIL)
    assert (found.topics_left_out, found.modes_left_out) == (5, 3)
    assert [row.topic for row in found.topics[:2]] == ["t000", "t001"]
    assert "finding:grounding.code_0" not in {one.mode for one in found.modes}


@given(st.integers(0, 300), st.integers(1, 300))
def test_more_is_never_drawn_lighter(turns: int, of: int) -> None:
    turns = min(turns, of)
    steps = [step_of(count, of) for count in range(turns + 1)]
    if of < 20:
        assert set(steps) == {None}
    else:
        assert steps == sorted(steps, key=lambda step: step or 0)
        assert steps[0] == 0


@given(st.sampled_from(ModeSource), st.from_regex(r"[a-z]{1,9}\.?[a-z_]{1,9}", fullmatch=True))
def test_a_mode_is_found_by_its_name_again(source: ModeSource, code: str) -> None:
    mode = mode_of(source, code)
    if mode is not None:
        assert mode_named(mode.name) == mode


@pytest.mark.parametrize(
    "name", ["", "finding", "finding:", "made_up:x", "reviewer:two words", "hand_off:level_shadow"]
)
def test_what_names_no_mode_is_refused(name: str) -> None:
    with pytest.raises(InputError, match="mode"):
        mode_named(name)
