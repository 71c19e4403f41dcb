"""A draft against what is owed: the same again, another time, taken back; and what has nothing to do with it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy.assessment.owing import Clash, clashes
from understudy.records.evidence import Owed
from understudy.records.pledges import PledgeKind

NOW = datetime(2026, 5, 4, 10, 0, tzinfo=UTC)  # a Monday
TOMORROW = datetime(2026, 5, 5, 18, 0, tzinfo=UTC)
AGAIN, OTHERWISE = [False], [True]


def owed(kind: PledgeKind = PledgeKind.CALL, due_at: datetime = TOMORROW) -> Owed:
    return Owed(kind=kind, words="we will call you tomorrow", made_at=NOW - timedelta(days=1), due_at=due_at)


def found(text: str, *of: Owed) -> list[bool]:
    return [one.is_otherwise for one in clashes(of or (owed(),), text, NOW)]


@pytest.mark.parametrize(
    ("text", "is_otherwise"),
    [
        ("As I said, we will call you tomorrow.", AGAIN),
        ("We will call you.", AGAIN),
        ("Wir rufen Sie morgen an.", AGAIN),
        ("We will call you on Friday.", OTHERWISE),
        ("Wir rufen Sie am Freitag an.", OTHERWISE),
        ("I am sorry, we cannot call you back.", OTHERWISE),
        ("Nobody will phone you about this.", OTHERWISE),
        ("Wir können Sie leider nicht zurückrufen.", OTHERWISE),
        ("Es gibt keinen Rückruf.", OTHERWISE),
        ("We will send you a new lid tomorrow.", []),
        ("You can call us any time.", []),
        ("The kettle is not dishwasher safe.", []),
        ("Our shop is open from nine.", []),
    ],
)
def test_a_draft_says_it_again_or_otherwise(text: str, is_otherwise: list[bool]) -> None:
    assert found(text) == is_otherwise


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (PledgeKind.MONEY, "You are not eligible for a refund."),
        (PledgeKind.MONEY, "We won't refund this."),
        (PledgeKind.MONEY, "Wir können den Betrag nicht erstatten."),
        (PledgeKind.SEND, "There is no replacement for it."),
        (PledgeKind.SEND, "Wir werden Ihnen nichts zuschicken, es wird nicht geliefert."),
        (PledgeKind.WRITE, "We will not get back to you on this."),
    ],
)
def test_what_is_owed_is_taken_back(kind: PledgeKind, text: str) -> None:
    assert found(text, owed(kind)) == OTHERWISE


def test_a_promise_that_is_late_is_not_simply_made_again() -> None:
    assert found("We will call you tomorrow.", owed(due_at=NOW - timedelta(hours=1))) == OTHERWISE


def test_one_of_two_times_is_enough() -> None:
    friday = datetime(2026, 5, 8, 18, 0, tzinfo=UTC)
    assert found("We will call you on Friday.", owed(), owed(due_at=friday)) == AGAIN


def test_nothing_owed_is_nothing_to_clash_with() -> None:
    assert list(clashes((), "We cannot call you. We will call you tomorrow.", NOW)) == []


@given(text=st.text(max_size=400), kind=st.sampled_from(list(PledgeKind)))
def test_any_text_gives_spans_within_it(text: str, kind: PledgeKind) -> None:
    clash: Clash
    for clash in clashes((owed(kind),), text, NOW):
        assert 0 <= clash.span.start <= clash.span.end <= len(text)
