"""Pledges in every store: found by who they were made to and by what is due, changed only as they were read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from understudy.adapters.stores.sql_store import SqlStore
from understudy.errors import NotFound, StaleVersion
from understudy.records.conversation import Author
from understudy.records.pledges import UNKEPT, Pledge, PledgeKind, PledgeState

NOW = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
Commit = Callable[[Callable[..., Any]], Any]


def pledge(name: str, *, contact: str = "contact-1", due_in_h: float = 24, **more: Any) -> Pledge:
    made = Pledge(
        id=name,
        version=1,
        kind=PledgeKind.CALL,
        state=PledgeState.OPEN,
        contact_id=contact,
        conversation_id="conv-1",
        turn_id="turn-1",
        message_id="msg-1",
        author=Author.AGENT,
        made_by="Ana",
        words="we will call you tomorrow",
        has_named_time=True,
        made_at=NOW,
        due_at=NOW + timedelta(hours=due_in_h),
        warn_at=NOW + timedelta(hours=due_in_h - 2),
    )
    return replace(made, **more)


def test_what_is_written_is_read_again(store: SqlStore, commit: Commit) -> None:
    one = pledge("one", note="said twice", ended_by="Ana", ended_at=NOW, state=PledgeState.KEPT)
    commit(lambda tx: tx.pledges.add(one))
    assert store.read_now(lambda tx: tx.pledges.get("one")) == one
    assert store.read_now(lambda tx: tx.pledges.of_conversation("conv-1")) == [one]


def test_one_that_is_not_there_is_named(store: SqlStore) -> None:
    with pytest.raises(NotFound, match="'nothing'"):
        store.read_now(lambda tx: tx.pledges.get("nothing"))


def test_those_of_contacts_come_with_what_is_next_due_first(store: SqlStore, commit: Commit) -> None:
    kept = {"state": PledgeState.KEPT, "ended_at": NOW}

    def step(tx: Any) -> None:
        tx.pledges.add(pledge("kept", **kept))
        tx.pledges.add(pledge("kept-later", made_at=NOW + timedelta(hours=3), **kept))
        tx.pledges.add(pledge("a-day", due_in_h=24))
        tx.pledges.add(pledge("b-soon", due_in_h=2))
        tx.pledges.add(pledge("other-address", contact="contact-2", due_in_h=5, made_at=NOW + timedelta(hours=1)))
        tx.pledges.add(pledge("alien", contact="contact-3"))

    commit(step)

    def found(*contacts: str, limit: int = 10) -> list[str]:
        return store.read_now(lambda tx: [one.id for one in tx.pledges.of_contacts(contacts, limit=limit)])

    assert found("contact-1", "contact-2", "contact-1") == ["b-soon", "other-address", "a-day", "kept-later", "kept"]
    assert found("contact-1", limit=1) == ["b-soon"]


def test_what_is_due_is_what_people_must_hear_of(store: SqlStore, commit: Commit) -> None:
    def step(tx: Any) -> None:
        tx.pledges.add(pledge("told", due_in_h=1, warn_at=None))
        tx.pledges.add(pledge("soon", due_in_h=2))
        tx.pledges.add(pledge("later", due_in_h=30))
        tx.pledges.add(pledge("broken", due_in_h=-5, state=PledgeState.BROKEN))

    commit(step)
    ids = [one.id for one in store.read_now(lambda tx: tx.pledges.due(NOW, limit=10))]
    assert ids == ["soon"]
    later = NOW + timedelta(hours=1, minutes=30)
    assert [one.id for one in store.read_now(lambda tx: tx.pledges.due(later, limit=10))] == ["told", "soon"]
    assert [one.id for one in store.read_now(lambda tx: tx.pledges.listed(UNKEPT, limit=3))] == [
        "broken",
        "told",
        "soon",
    ]


def test_a_change_needs_the_version_that_was_read(store: SqlStore, commit: Commit) -> None:
    one = pledge("one")
    commit(lambda tx: tx.pledges.add(one))
    kept = replace(one, version=2, state=PledgeState.KEPT, ended_at=NOW, ended_by="Ben", warn_at=None)
    commit(lambda tx: tx.pledges.change(kept, was=1))
    assert store.read_now(lambda tx: tx.pledges.get("one")) == kept
    with pytest.raises(StaleVersion, match="pledge one"):
        commit(lambda tx: tx.pledges.change(replace(kept, version=3), was=1))


def test_what_is_owed_to_contacts_is_what_still_has_to_be_kept_the_next_due_first(
    store: SqlStore, commit: Commit
) -> None:
    def owed(*contacts: str) -> list[str]:
        return commit(lambda tx: [one.id for one in tx.pledges.owed_to(contacts)])  # type: ignore[no-any-return]

    assert owed("contact-1") == []

    def step(tx: Any) -> None:
        tx.pledges.add(pledge("later", due_in_h=30))
        tx.pledges.add(pledge("broken", due_in_h=-5, state=PledgeState.BROKEN))
        tx.pledges.add(pledge("kept", state=PledgeState.KEPT, ended_at=NOW))
        tx.pledges.add(pledge("theirs", contact="contact-2", due_in_h=1))

    commit(step)
    assert owed("contact-1", "contact-2", "contact-1") == ["broken", "theirs", "later"]
    assert owed("contact-3") == []
    later = store.read_now(lambda tx: tx.pledges.get("later"))
    commit(lambda tx: tx.pledges.change(replace(later, version=2, state=PledgeState.WITHDRAWN, warn_at=None), was=1))
    assert owed("contact-1") == ["broken"]
    assert [one.id for one in store.read_now(lambda tx: tx.pledges.owed_to(["contact-1"]))] == ["broken"]


def test_a_step_sees_what_it_promised_itself(store: SqlStore, commit: Commit) -> None:
    def step(tx: Any) -> tuple[list[str], list[str]]:
        before = [one.id for one in tx.pledges.owed_to(["contact-1"])]
        tx.pledges.add(pledge("one"))
        return before, [one.id for one in tx.pledges.owed_to(["contact-1"])]

    assert commit(step) == ([], ["one"])
