"""Two causes of a cap become one: none is forgotten that still matters, and a wish for people goes before the others."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from understudy.records.trust import Cap, CapCause, joined

BEGAN = datetime(2026, 6, 1, tzinfo=UTC)
CAUSES = st.lists(st.sampled_from(CapCause), min_size=1, max_size=6)


def after(causes: list[CapCause]) -> Cap:
    cap: Cap | None = None
    for number, cause in enumerate(causes):
        at = BEGAN + timedelta(hours=number)
        cap = joined(cap, Cap(contact_id="c", cause=cause, turn_id=f"t{number}", at=at, good=0))
    assert cap is not None
    return cap


@given(causes=CAUSES)
def test_a_wish_goes_first_and_the_last_other_cause_stays_beside_it(causes: list[CapCause]) -> None:
    cap, others = after(causes), [cause for cause in causes if cause is not CapCause.WANTS_PEOPLE]
    assert cap.is_wish == (CapCause.WANTS_PEOPLE in causes)
    assert cap.is_unproven == (CapCause.UNPROVEN in causes)
    left = cap.without_wish()
    expected = CapCause.UNPROVEN if CapCause.UNPROVEN in causes else next(reversed(others), None)
    assert (None if left is None else left.cause) == expected


@given(causes=CAUSES)
def test_each_goes_back_to_its_own_turn(causes: list[CapCause]) -> None:
    cap = after(causes)
    for one in (cap, cap.without_wish()):
        if one is not None:
            assert causes[int((one.turn_id or "t")[1:])] is one.cause
            assert one.at == BEGAN + timedelta(hours=int((one.turn_id or "t")[1:]))
