"""Users, their sessions and tries to sign in as the store keeps them, on both databases."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from understudy.adapters.stores.sql_store import SqlStore
from understudy.errors import Conflict, NotFound
from understudy.records.access import Role, Tries, User, UserSession, user_id

NOW = datetime(2026, 1, 1, 12, 0, 0, 123456, tzinfo=UTC)
Commit = Callable[[Callable[..., Any]], Any]


def user(name: str, **fields: Any) -> User:
    given: dict[str, Any] = {"role": Role.REVIEWER, "password_hash": "$argon2id$x", "disabled_at": None}
    return User(id=user_id(name), name=name, created_at=NOW, **{**given, **fields})


def session(token: str, *, of: str = "ines", lasts_s: float = 60) -> UserSession:
    return UserSession(token_hash=token, user_id=of, created_at=NOW, expires_at=NOW + timedelta(seconds=lasts_s))


def test_users_come_back_as_they_were_in_order_of_their_ids(store: SqlStore, commit: Commit) -> None:
    tom, ines = user("Tom", role=Role.ADMIN), user("Inès", disabled_at=NOW)
    commit(lambda tx: [tx.users.add(one) for one in (tom, ines)])
    assert store.read_now(lambda tx: tx.users.all()) == [ines, tom]
    assert store.read_now(lambda tx: tx.users.get("tom")) == tom
    assert store.read_now(lambda tx: tx.users.get("nobody")) is None


def test_second_user_of_a_name_is_refused(store: SqlStore, commit: Commit) -> None:
    commit(lambda tx: tx.users.add(user("Ines")))
    with pytest.raises(Conflict, match="ines"):
        commit(lambda tx: tx.users.add(user("INES")))
    assert [one.name for one in store.read_now(lambda tx: tx.users.all())] == ["Ines"]


def test_what_changes_is_role_password_and_whether_they_may_sign_in(store: SqlStore, commit: Commit) -> None:
    commit(lambda tx: tx.users.add(user("Ines")))
    changed = user("Ines", role=Role.LEAD, password_hash="$argon2id$y", disabled_at=NOW)
    commit(lambda tx: tx.users.change(replace(changed, name="Other", created_at=NOW + timedelta(1))))
    assert store.read_now(lambda tx: tx.users.get("ines")) == changed
    with pytest.raises(NotFound, match="nobody"):
        commit(lambda tx: tx.users.change(user("nobody")))


def test_session_lasts_until_it_or_all_of_its_user_are_closed(store: SqlStore, commit: Commit) -> None:
    mine = [session("a"), session("b"), session("c")]
    commit(lambda tx: [tx.users.open_session(one) for one in [*mine, session("d", of="tom")]])
    commit(lambda tx: tx.users.close_session("a"))
    assert [store.read_now(lambda tx, t=token: tx.users.session(t)) for token in "ab"] == [None, mine[1]]
    commit(lambda tx: tx.users.close_sessions("ines"))
    kept = [store.read_now(lambda tx, t=token: tx.users.session(t)) is not None for token in "abcd"]
    assert kept == [False, False, False, True]


def test_tries_are_counted_without_a_ledger_entry_and_forgotten_by_age(store: SqlStore, commit: Commit) -> None:
    old, new = Tries(bucket="old", count=3, since=NOW), Tries(bucket="new", count=1, since=NOW + timedelta(seconds=9))
    store.write_now(lambda tx: [tx.users.note_tries(one) for one in (old, new)])
    store.write_now(lambda tx: tx.users.note_tries(replace(new, count=2)))
    commit(lambda tx: [tx.users.open_session(session("a", lasts_s=s)) for s in (1,)])
    commit(lambda tx: tx.users.open_session(session("b", lasts_s=60)))
    later = NOW + timedelta(seconds=5)
    store.write_now(lambda tx: tx.users.forget(tries_before=later, sessions_before=later))
    assert store.read_now(lambda tx: (tx.users.tries("old"), tx.users.tries("new"))) == (None, replace(new, count=2))
    assert store.read_now(lambda tx: (tx.users.session("a"), tx.users.session("b") is not None)) == (None, True)


@pytest.mark.parametrize("name", ["Inès Müller", " inès   MÜLLER ", "ine\u0300s mu\u0308ller"])
def test_names_that_read_the_same_are_one_user(name: str) -> None:
    assert user_id(name) == "inès müller"


def test_user_of_a_provider_is_found_by_who_they_are_there(store: SqlStore, commit: Commit) -> None:
    ines, tom = user("Ines", subject="https://login.example ines", password_hash=""), user("Tom")
    commit(lambda tx: [tx.users.add(one) for one in (ines, tom)])
    assert store.read_now(lambda tx: tx.users.of_subject("https://login.example ines")) == ines
    assert store.read_now(lambda tx: tx.users.of_subject("https://login.example tom")) is None
    commit(lambda tx: tx.users.change(replace(ines, role=Role.LEAD, subject="https://login.example tom")))
    kept = store.read_now(lambda tx: tx.users.get("ines"))
    assert kept is not None
    assert (kept.role, kept.subject) == (Role.LEAD, ines.subject), "who somebody is there never changes"
