"""Where an answer goes: a pure rule over the ways to a customer."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from understudy.delivery.directing import Way, choose
from understudy.records.conversation import Conversation, Mode

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)


def way(name: str, minutes_ago: int | None, shut: str | None = None) -> Way:
    conversation = Conversation(
        id=name,
        contact_id=f"of-{name}",
        channel=name,
        external_id=name,
        address=name,
        mode=Mode.AGENT,
        taken_by=None,
        created_at=NOW,
    )
    last_at = None if minutes_ago is None else NOW - timedelta(minutes=minutes_ago)
    return Way(conversation=conversation, last_at=last_at, shut=shut)


def test_the_answer_goes_where_the_customer_wrote_last() -> None:
    chosen, why = choose(way("webchat", 9), [way("mail", 2), way("sms", 5)])
    assert (chosen.conversation.id, why) == ("mail", "used_last")


def test_a_closed_window_sends_it_to_the_one_before() -> None:
    chosen, why = choose(way("webchat", 9), [way("whatsapp", 2, "window_closed"), way("sms", 5)])
    assert (chosen.conversation.id, why) == ("sms", "window_closed")


def test_it_stays_where_it_was_asked_when_the_customer_wrote_nowhere_since() -> None:
    assert choose(way("webchat", 2), [way("mail", 2), way("sms", 5)])[1] == "own"


def test_it_stays_where_it_was_asked_when_every_way_is_shut() -> None:
    chosen, why = choose(way("whatsapp", 9, "window_closed"), [way("mail", 2, "not_configured"), way("sms", None)])
    assert (chosen.conversation.id, why) == ("whatsapp", "own")


WAYS = st.tuples(st.one_of(st.none(), st.integers(0, 60)), st.sampled_from([None, "window_closed", "not_configured"]))


@given(own=WAYS, others=st.lists(WAYS, max_size=6))
def test_no_open_way_that_was_used_later_is_passed_over(
    own: tuple[int | None, str | None], others: list[tuple[int | None, str | None]]
) -> None:
    ways = [way(f"c{number}", *one) for number, one in enumerate(others)]
    here = way("own", *own)
    chosen, _ = choose(here, ways)
    later = [one for one in (here, *ways) if one.shut is None and one.last_at is not None]
    assert chosen is here or chosen.shut is None
    assert all(one.last_at <= chosen.last_at for one in later if one.last_at and chosen.last_at and chosen.shut is None)
