"""What is said of customers' messages, and of the order in which replies came."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy.chaos.outcomes import Had, Outcome, Sight, result_of, sight_of

TEXTS = st.lists(st.sampled_from("abcd"), max_size=8)


def had(**more: Any) -> Had:
    known = {"number": 1, "channel": "desk", "conversation": "7", "is_acknowledged": True, "is_known": True}
    return Had(**{**known, **more})


@pytest.mark.parametrize(
    ("message", "outcome"),
    [
        (had(reply_s=2.0, held_s=1.0), Outcome.ANSWERED),
        (had(told_s=2.0, person_s=1.0), Outcome.TOLD),
        (had(held_s=2.0), Outcome.HELD),
        (had(person_s=2.0), Outcome.HANDED_OFF),
        (had(), Outcome.SILENT),
        (had(reply_s=31.0), Outcome.SILENT),
        (had(reply_s=31.0, person_s=5.0), Outcome.HANDED_OFF),
        (had(is_known=False), Outcome.LOST),
        (had(is_acknowledged=False, is_known=False), Outcome.REFUSED),
    ],
)
def test_a_message_has_the_best_that_came_of_it_in_time(message: Had, outcome: Outcome) -> None:
    assert message.outcome(30.0) is outcome


@pytest.mark.parametrize(
    ("queued", "seen", "sight"),
    [
        ("abc", "abc", Sight(doubled=0, reordered=0)),
        ("abc", "ac", Sight(doubled=0, reordered=0)),
        ("abc", "aabc", Sight(doubled=1, reordered=0)),
        ("abc", "acb", Sight(doubled=0, reordered=1)),
        ("aab", "aab", Sight(doubled=0, reordered=0)),
        ("ab", "abx", Sight(doubled=1, reordered=0)),
    ],
)
def test_doubled_and_out_of_order_are_told_apart(queued: str, seen: str, sight: Sight) -> None:
    assert sight_of(list(queued), list(seen)) == sight


@given(TEXTS, st.data())
def test_a_part_in_order_is_fine_and_one_more_of_anything_is_doubled(queued: list[str], data: Any) -> None:
    seen = [text for text in queued if data.draw(st.booleans())]
    assert sight_of(queued, seen) == Sight(doubled=0, reordered=0)
    twice = data.draw(st.sampled_from("abcd"))
    assert sight_of(queued, [*queued, twice]).doubled == 1


@given(st.permutations("abcde"))
def test_any_other_order_is_noticed(seen: list[str]) -> None:
    assert bool(sight_of(list("abcde"), seen).reordered) == (seen != list("abcde"))


def test_nobody_alone_nothing_lost_doubled_or_out_of_order_is_safe() -> None:
    fine = result_of([had(reply_s=1.0)], {"7": Sight(doubled=0, reordered=0)}, deadline_s=30, struck={"agents.bot": {"drip": 1}})  # fmt: skip
    assert fine.is_safe
    assert fine.was_struck
    for one, sight in ((had(), (0, 0)), (had(is_known=False), (0, 0)), (had(reply_s=1.0), (1, 0)), (had(reply_s=1.0), (0, 1))):  # fmt: skip
        wrong = result_of([one], {"7": Sight(doubled=sight[0], reordered=sight[1])}, deadline_s=30, struck={"agents.bot": {}})  # fmt: skip
        assert not wrong.is_safe
        assert not wrong.was_struck
        assert wrong.wrong
