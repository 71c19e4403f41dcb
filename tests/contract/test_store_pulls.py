"""Who fetches from a channel, how far it is, and letters' envelopes: one process at a time, and an old token moves nothing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from understudy.adapters.stores.sql_store import SqlStore
from understudy.errors import StepSuperseded
from understudy.records.conversation import Author
from understudy.records.pulls import Envelope, PullLease, PullState

NOW = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def lease(store: SqlStore, *, at_s: float = 0, channel: str = "mail") -> PullLease | None:
    return store.write_now(lambda tx: tx.pulls.lease(channel, now=at(at_s), until=at(at_s + 6)))


def move(store: SqlStore, held: PullLease | None, cursor: str) -> None:
    assert held is not None
    store.write_now(lambda tx: tx.pulls.move(held, cursor))


def state(store: SqlStore, *, at_s: float = 0) -> PullState | None:
    return store.read_now(lambda tx: tx.pulls.state("mail", now=at(at_s)))


def test_one_process_has_a_channel_at_a_time(store: SqlStore) -> None:
    assert state(store) is None
    first = lease(store)
    assert first == PullLease(channel="mail", token=1, cursor=None)
    assert lease(store, at_s=5.9) is None
    assert lease(store, channel="other") is not None
    assert lease(store, at_s=6) == PullLease(channel="mail", token=2, cursor=None)


def test_a_renewed_lease_does_not_lapse_and_an_old_one_is_not_renewed(store: SqlStore) -> None:
    first = lease(store)
    assert first is not None
    store.write_now(lambda tx: tx.pulls.renew([first], until=at(20)))
    assert lease(store, at_s=19) is None
    second = lease(store, at_s=20)
    assert second is not None
    store.write_now(lambda tx: tx.pulls.renew([first], until=at(100)))
    assert lease(store, at_s=26) is not None


def test_whoever_lost_the_lease_moves_nothing(store: SqlStore) -> None:
    first = lease(store)
    move(store, first, "10")
    second = lease(store, at_s=6)
    assert second is not None
    assert second.cursor == "10"
    with pytest.raises(StepSuperseded):
        move(store, first, "11")
    move(store, second, "12")
    assert state(store, at_s=6) == PullState(channel="mail", cursor="12", is_held=True)
    assert state(store, at_s=13) == PullState(channel="mail", cursor="12", is_held=False)


def test_at_the_start_of_a_sole_process_every_lease_ends(store: SqlStore) -> None:
    move(store, lease(store), "10")
    store.write_now(lambda tx: tx.pulls.free(now=at(1)))
    again = lease(store, at_s=1)
    assert again == PullLease(channel="mail", token=2, cursor="10")


def test_an_envelope_is_found_by_message_turn_and_conversation(store: SqlStore, commit: Any, make: Any) -> None:
    envelopes = [
        Envelope(chain=("a", str(n)), subject=f"Re: {n} “x”", whole="> é\n👋", is_proven=n == 1) for n in (1, 2)
    ]

    def step(tx: Any) -> tuple[str, str]:
        turn = make.turn(tx)
        for number, envelope in enumerate(envelopes):
            place = {"conversation_id": turn.conversation_id, "turn_id": None if number else turn.id}
            make.message(tx, id=f"msg-{number}", at=at(number), **place)
            tx.envelopes.add(f"msg-{number}", envelope)
        return turn.conversation_id, turn.id

    conversation, turn = commit(step)
    read = store.read_now
    assert read(lambda tx: tx.envelopes.of_message("msg-0")) == envelopes[0]
    assert read(lambda tx: tx.envelopes.of_message("msg-9")) is None
    by_message = read(lambda tx: tx.envelopes.of_conversation(conversation))
    assert by_message == {"msg-0": envelopes[0], "msg-1": envelopes[1]}
    assert read(lambda tx: tx.envelopes.of_conversation("none")) == {}
    assert read(lambda tx: tx.envelopes.latest(conversation)) == envelopes[1]
    assert read(lambda tx: tx.envelopes.latest(conversation, turn_id=turn)) == envelopes[0]
    assert read(lambda tx: tx.envelopes.latest(conversation, until=at(0.5))) == envelopes[0]
    assert read(lambda tx: tx.envelopes.latest(conversation, until=at(-1))) is None


def test_what_an_address_wrote_lately_is_counted_over_all_its_conversations(
    store: SqlStore, commit: Any, make: Any
) -> None:
    def step(tx: Any) -> None:
        for number, address in enumerate(("ada", "ada", "bob")):
            contact = tx.contacts.resolve("mail", make.inbound(address=address), new_id=f"c-{number}", now=NOW)
            one = make.conversation(tx, channel="mail", contact_id=contact.id, external_id=f"e-{number}")
            for minute in (0, 90):
                make.message(tx, conversation_id=one.id, channel="mail", at=at(minute * 60))
            make.message(tx, conversation_id=one.id, author=Author.AGENT, channel="mail", at=at(5400))

    commit(step)

    def count(address: str, since_s: float) -> int:
        return store.read_now(lambda tx: tx.envelopes.count_from("mail", address, since=at(since_s)))

    assert (count("ada", 0), count("ada", 60), count("bob", 60), count("eve", 0)) == (4, 2, 1, 0)
