"""One attempt to sign in elsewhere: what the browser keeps of it, and what it is recognised by."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy.records.admission import Refusal
from understudy.web.attempts import LASTS, Begun, begin, place_in_the_console, taken_up

NOW = datetime(2026, 5, 2, 12, 0, tzinfo=UTC)


def test_attempt_is_known_by_its_cookie_and_its_state() -> None:
    begun = begin("#/hold/h-1", now=NOW)
    assert taken_up(begun.cookie, state=begun.attempt.state, now=NOW + LASTS) == begun
    assert begun.place == "#/hold/h-1"
    assert len({begun.attempt.state, begun.attempt.nonce, begun.attempt.verifier}) == 3
    assert begun.attempt.state not in begun.cookie


@pytest.mark.parametrize(("after", "is_good"), [(-1, False), (0, True), (600, True), (601, False)])
def test_attempt_ends_after_ten_minutes(after: int, is_good: bool) -> None:
    begun = begin("#/", now=NOW)
    found = taken_up(begun.cookie, state=begun.attempt.state, now=NOW + timedelta(seconds=after))
    assert found == (begun if is_good else Refusal.TOO_LATE)


def test_cookie_that_was_changed_is_of_no_attempt() -> None:
    begun, other = begin("#/", now=NOW), begin("#/", now=NOW)
    later = begun.cookie.replace(str(int(NOW.timestamp())), str(int(NOW.timestamp()) + 500))
    for cookie in (later, other.cookie, begun.cookie + "x", begun.cookie[:-1], None, "", "x.y.z"):
        assert taken_up(cookie, state=begun.attempt.state, now=NOW) is Refusal.NOT_BEGUN_HERE
    assert taken_up(begun.cookie, state=None, now=NOW) is Refusal.NOT_BEGUN_HERE


@given(to=st.text(max_size=60) | st.from_regex(r"#/[\w/%?=&+.-]*", fullmatch=True))
def test_place_is_behind_the_pages_own_hash(to: str) -> None:
    place = place_in_the_console(to)
    assert place.startswith("#/")
    assert place.isprintable()
    assert place in (to, "#/")


@given(cookie=st.text() | st.from_regex(r"\d{1,12}\.[\w-]{43}\.[\w-]{0,50}", fullmatch=True), state=st.text())
def test_no_cookie_breaks_anything(cookie: str, state: str) -> None:
    assert not isinstance(taken_up(cookie, state=state, now=NOW), Begun)
