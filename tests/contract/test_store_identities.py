"""Handles, links and codes as the store keeps them, on each database."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from understudy.adapters.stores.erasing import STATEMENTS
from understudy.adapters.stores.sql_store import SqlStore
from understudy.adapters.stores.staffing_tables import metadata
from understudy.records.identity import (
    Code,
    CodeState,
    Handle,
    HandleKind,
    Link,
    LinkCause,
    LinkState,
    Vouched,
)

NOW = datetime(2026, 1, 1, 12, 0, 0, 123456, tzinfo=UTC)
EMAIL = HandleKind.EMAIL

Commit = Callable[[Callable[..., Any]], Any]


def handle(contact: str, value: str = "kim@mail.example", **fields: Any) -> Handle:
    given: dict[str, Any] = {"kind": EMAIL, "how": Vouched.CHANNEL, "channel": "mail", "verified_by": "system"}
    return Handle(contact_id=contact, value=value, verified_at=NOW, **{**given, **fields})


def link(one: str, other: str, state: LinkState = LinkState.LINKED, **fields: Any) -> Link:
    given: dict[str, Any] = {"cause": LinkCause.HANDLE, "kind": EMAIL, "at": NOW, "said_by": "system"}
    return Link(id=f"{one}+{other}", one=one, other=other, state=state, **{**given, **fields})


def code(name: str, **fields: Any) -> Code:
    given: dict[str, Any] = {
        "conversation_id": "conv-1",
        "contact_id": "a",
        "holder_id": "b",
        "kind": EMAIL,
        "value": "kim@mail.example",
        "outbox_id": f"out-{name}",
        "hashes": (),
        "tries": 0,
        "state": CodeState.OPEN,
        "asked_by": "lena",
        "created_at": NOW,
        "expires_at": NOW + timedelta(minutes=10),
    }
    return Code(id=name, **{**given, **fields})


def test_everybody_who_has_a_handle_is_found_by_it(store: SqlStore, commit: Commit) -> None:
    first, second = handle("a"), handle("b", how=Vouched.CODE)
    commit(lambda tx: [tx.identities.put_handle(one) for one in (first, second, handle("c", "lee@mail.example"))])
    assert store.read_now(lambda tx: tx.identities.holders(EMAIL, "kim@mail.example")) == [first, second]
    assert store.read_now(lambda tx: tx.identities.handles_of(["a", "b"])) == [first, second]
    assert store.read_now(lambda tx: tx.identities.holders(HandleKind.PHONE, "kim@mail.example")) == []


def test_the_same_handle_of_the_same_contact_is_kept_once(store: SqlStore, commit: Commit) -> None:
    commit(lambda tx: tx.identities.put_handle(handle("a", how=Vouched.PERSON)))
    commit(lambda tx: tx.identities.put_handle(handle("a")))
    assert store.read_now(lambda tx: tx.identities.handles_of(["a"])) == [handle("a")]


def test_a_link_is_found_from_both_sides_whatever_its_state(store: SqlStore, commit: Commit) -> None:
    assert not store.read_now(lambda tx: tx.identities.has_links())
    made = link("a", "b")
    commit(lambda tx: tx.identities.put_link(made))
    apart = replace(made, state=LinkState.APART)
    assert store.read_now(lambda tx: tx.identities.link("b", "a")) == made
    commit(lambda tx: tx.identities.put_link(apart))
    assert store.read_now(lambda tx: tx.identities.links_of("b")) == [apart]
    assert store.read_now(lambda tx: tx.identities.has_links())


def test_proposed_links_wait_the_oldest_first(store: SqlStore, commit: Commit) -> None:
    later = link("a", "b", LinkState.PROPOSED, at=NOW + timedelta(seconds=1))
    first = link("c", "d", LinkState.PROPOSED)
    commit(lambda tx: [tx.identities.put_link(one) for one in (later, first, link("e", "f"))])
    assert store.read_now(lambda tx: tx.identities.proposed(limit=5)) == [first, later]


def test_only_the_latest_code_is_waited_for_and_only_while_it_is_open(store: SqlStore, commit: Commit) -> None:
    older, newer = code("1"), code("2", created_at=NOW + timedelta(seconds=1))
    commit(lambda tx: [tx.identities.put_code(one) for one in (older, newer)])
    assert store.read_now(lambda tx: tx.identities.open_code("conv-1")) == newer
    entered = replace(newer, state=CodeState.ENTERED, hashes=("x",), tries=1)
    commit(lambda tx: tx.identities.put_code(entered))
    assert store.read_now(lambda tx: tx.identities.open_code("conv-1")) is None
    assert store.read_now(lambda tx: tx.identities.code_sent_as("out-2")) == entered


def test_codes_are_counted_for_a_handle_and_in_a_conversation(store: SqlStore, commit: Commit) -> None:
    others = [code("1"), code("2", conversation_id="conv-2"), code("3", value="lee@mail.example")]
    old = code("4", created_at=NOW - timedelta(hours=2))
    commit(lambda tx: [tx.identities.put_code(one) for one in (*others, old)])

    def count(tx: Any) -> int:
        since = NOW - timedelta(hours=1)
        found: int = tx.identities.codes_since(
            conversation_id="conv-1", kind=EMAIL, value="kim@mail.example", since=since
        )
        return found

    assert store.read_now(count) == 3


def test_nothing_is_left_of_a_contact_that_is_forgotten(store: SqlStore, commit: Commit) -> None:
    commit(lambda tx: [tx.identities.put_handle(handle("a")), tx.identities.put_handle(handle("b"))])
    commit(lambda tx: [tx.identities.put_link(link("a", "b")), tx.identities.put_code(code("1"))])
    commit(lambda tx: tx.identities.forget("a"))
    assert store.read_now(lambda tx: tx.identities.handles_of(["a", "b"])) == [handle("b")]
    assert store.read_now(lambda tx: tx.identities.links_of("b")) == []
    assert store.read_now(lambda tx: tx.identities.code_sent_as("out-1")) is None


UNTOUCHED = {
    "agent_calls", "api_keys", "availabilities", "calibrators", "candidates", "canned_replies", "contracts", "desk_preferences", "desk_views",
    "discounts", "epochs", "feedback", "frequencies", "gates", "judgements", "barred", "ledger", "marks", "pending_gates", "presences",
    "processes", "pulls", "redrafts", "rewrites", "release_choices", "release_watches", "releases", "rulebooks", "runs", "second_reviews",
    "sign_in_tries", "slice_counts", "spread_runs", "spread_trials", "stops", "topic_models", "trials", "turns", "user_sessions",
    "users", "holds",
}  # fmt: skip
"""Tables in which nothing stands that a customer said, was told, or is known by; trials say which cases on disk they are of."""
FORGOTTEN = {"handles", "links", "codes"}


def test_every_table_says_what_erasing_does_to_it() -> None:
    """A new table belongs to `erasing.STATEMENTS` or, where nothing of a customer stands in it, here."""
    touched = {sql.split()[2] if sql.startswith("DELETE") else sql.split()[1] for sql in STATEMENTS}
    assert touched | FORGOTTEN | UNTOUCHED == set(metadata.tables)
    assert not UNTOUCHED & (touched | FORGOTTEN)
