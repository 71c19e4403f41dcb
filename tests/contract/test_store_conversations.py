"""Contacts, conversations and messages as the store keeps them, and text and moments as they come back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from understudy.adapters.stores.sql_store import SqlStore
from understudy.errors import NotFound, StoreError
from understudy.records.conversation import Author, Mode

NOW = datetime(2026, 1, 1, 12, 0, 0, 123456, tzinfo=UTC)

Commit = Callable[[Callable[..., Any]], Any]


def test_a_new_address_makes_a_contact(commit: Commit, make: Any) -> None:
    inbound = make.inbound(contact_name="Ada", contact_email="ada@example.com", contact_phone="+4930123456")
    contact = commit(lambda tx: tx.contacts.resolve("webchat", inbound, new_id="c-1", now=NOW))
    assert (contact.id, contact.name, contact.email, contact.phone, contact.created_at) == (
        "c-1",
        "Ada",
        "ada@example.com",
        "+4930123456",
        NOW,
    )


def test_the_same_address_is_the_same_contact(commit: Commit, make: Any) -> None:
    first = commit(lambda tx: tx.contacts.resolve("webchat", make.inbound(), new_id="c-1", now=NOW))
    assert commit(lambda tx: tx.contacts.resolve("webchat", make.inbound(), new_id="c-2", now=NOW)) == first


def test_the_same_address_on_another_channel_is_another_contact(commit: Commit, make: Any) -> None:
    commit(lambda tx: tx.contacts.resolve("webchat", make.inbound(), new_id="c-1", now=NOW))
    assert commit(lambda tx: tx.contacts.resolve("sms", make.inbound(), new_id="c-2", now=NOW)).id == "c-2"


def test_later_facts_fill_empty_fields_only(store: SqlStore, commit: Commit, make: Any) -> None:
    commit(lambda tx: tx.contacts.resolve("webchat", make.inbound(contact_name="Ada"), new_id="c-1", now=NOW))
    more = make.inbound(contact_name="Eve", contact_email="ada@example.com")
    commit(lambda tx: tx.contacts.resolve("webchat", more, new_id="c-2", now=NOW))
    contact = store.read_now(lambda tx: tx.contacts.get("c-1"))
    assert (contact.name, contact.email) == ("Ada", "ada@example.com")


def test_a_missing_contact_is_named(store: SqlStore) -> None:
    with pytest.raises(NotFound, match="'nobody'"):
        store.read_now(lambda tx: tx.contacts.get("nobody"))


def test_a_conversation_comes_back_as_it_was_added(store: SqlStore, commit: Commit, make: Any) -> None:
    added = commit(make.conversation)
    assert store.read_now(lambda tx: tx.conversations.get(added.id)) == added
    assert store.read_now(lambda tx: tx.conversations.find("webchat", added.external_id)) == added


def test_an_external_id_names_one_conversation_per_channel(commit: Commit, make: Any) -> None:
    commit(lambda tx: make.conversation(tx, external_id="x"))
    commit(lambda tx: make.conversation(tx, external_id="x", channel="sms"))
    with pytest.raises(StoreError):
        commit(lambda tx: make.conversation(tx, external_id="x"))


def test_an_unknown_external_id_finds_nothing(store: SqlStore) -> None:
    assert store.read_now(lambda tx: tx.conversations.find("webchat", "x")) is None


def test_a_missing_conversation_is_named(store: SqlStore) -> None:
    with pytest.raises(NotFound, match="'nowhere'"):
        store.read_now(lambda tx: tx.conversations.get("nowhere"))


def test_mode_person_and_address_of_a_conversation_can_change(store: SqlStore, commit: Commit, make: Any) -> None:
    added = commit(make.conversation)
    changed = replace(added, mode=Mode.PERSON, taken_by="r-1", address="elsewhere")
    commit(lambda tx: tx.conversations.change(changed))
    assert store.read_now(lambda tx: tx.conversations.get(added.id)) == changed


def test_a_message_comes_back_as_it_was_added(store: SqlStore, commit: Commit, make: Any) -> None:
    added = commit(
        lambda tx: make.message(tx, turn_id="t", author=Author.REVIEWER, author_name="Rose", provider_id="p")
    )
    assert store.read_now(lambda tx: tx.messages.of_conversation(added.conversation_id)) == [added]


def test_messages_are_numbered_in_the_order_they_were_committed(commit: Commit, make: Any) -> None:
    numbers = [commit(make.message).seq for _ in range(5)]
    assert numbers == sorted(set(numbers))


def test_a_number_is_not_given_again_after_a_failed_step(commit: Commit, store: SqlStore, make: Any) -> None:
    first = commit(make.message)

    def failing(tx: Any) -> None:
        make.message(tx)
        raise LookupError

    with pytest.raises(LookupError):
        commit(failing)
    assert commit(make.message).seq > first.seq


def test_a_providers_id_is_stored_once_per_channel(commit: Commit, make: Any) -> None:
    commit(lambda tx: make.message(tx, provider_id="p"))
    commit(lambda tx: make.message(tx, provider_id="p", channel="sms"))
    with pytest.raises(StoreError):
        commit(lambda tx: make.message(tx, provider_id="p"))


def test_many_messages_may_lack_a_providers_id(commit: Commit, make: Any) -> None:
    assert commit(make.message).seq < commit(make.message).seq


def test_a_message_is_known_by_its_providers_id_on_its_channel(store: SqlStore, commit: Commit, make: Any) -> None:
    added = commit(lambda tx: make.message(tx, provider_id="p"))
    known = [store.read_now(lambda tx, c=channel: tx.messages.known(c, "p")) for channel in ("webchat", "sms")]
    assert known == [added, None]


def test_of_conversation_gives_the_last_ones_oldest_first(store: SqlStore, commit: Commit, make: Any) -> None:
    conversation = commit(make.conversation)
    added = [commit(lambda tx: make.message(tx, conversation_id=conversation.id)) for _ in range(5)]
    commit(make.message)  # somebody else's
    last = store.read_now(lambda tx: tx.messages.of_conversation(conversation.id, limit=3))
    assert last == added[2:]


def test_of_conversation_gives_what_came_after_a_number(store: SqlStore, commit: Commit, make: Any) -> None:
    conversation = commit(make.conversation)
    added = [commit(lambda tx: make.message(tx, conversation_id=conversation.id)) for _ in range(3)]
    assert store.read_now(lambda tx: tx.messages.of_conversation(conversation.id, after=added[0].seq)) == added[1:]


def test_messages_move_from_one_turn_to_another(store: SqlStore, commit: Commit, make: Any) -> None:
    old, other = (commit(lambda tx, t=turn: make.message(tx, turn_id=t)) for turn in ("old", "other"))
    commit(lambda tx: tx.messages.move(old.conversation_id, from_turn="old", to_turn="new"))
    of_turn = {turn: store.read_now(lambda tx, t=turn: tx.messages.of_turn(t)) for turn in ("old", "new", "other")}
    assert of_turn == {"old": [], "new": [replace(old, turn_id="new")], "other": [other]}


@pytest.mark.parametrize(
    "text",
    [
        "Grüße aus Köln – 100 % ✓",
        "👩‍👩‍👧‍👦 🏳️‍🌈 مرحبا 你好",
        "'; DROP TABLE messages; -- %s %(x)s :x ?",
        "line\nline\r\n\ttab \x01\x1f\x7f",
        "e\u0301 is not é",
        "",
        "x" * 100_000,
    ],
    ids=["umlauts", "emoji", "injection", "control", "combining", "empty", "long"],
)
def test_text_comes_back_byte_for_byte(store: SqlStore, commit: Commit, make: Any, text: str) -> None:
    added = commit(lambda tx: make.message(tx, text=text))
    assert store.read_now(lambda tx: tx.messages.of_conversation(added.conversation_id))[0].text == text


@pytest.mark.parametrize(
    "moment",
    [
        datetime(2026, 1, 1, 12, 0, 0, 1, tzinfo=UTC),
        datetime(2026, 6, 30, 23, 59, 59, 999999, tzinfo=UTC),
        datetime(1969, 12, 31, 23, 59, 59, 999999, tzinfo=UTC),
        datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC),
    ],
    ids=str,
)
def test_moments_keep_their_microseconds(store: SqlStore, commit: Commit, make: Any, moment: datetime) -> None:
    added = commit(lambda tx: make.message(tx, at=moment))
    assert store.read_now(lambda tx: tx.messages.of_conversation(added.conversation_id))[0].at == moment
