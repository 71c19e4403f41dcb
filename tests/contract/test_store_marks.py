"""Writers of several processes beside each other: each forgets what the others changed, by their marks, and no more than that."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, TypeVar

import pytest

from told_steps import NOW, told
from understudy.adapters.stores import marks
from understudy.adapters.stores.forgetting import FORGETS, NEVER_REMEMBERED
from understudy.adapters.stores.mark_tables import marks as table
from understudy.adapters.stores.mark_tables import metadata
from understudy.adapters.stores.sql_store import SqlStore
from understudy.ports.store import Transaction
from understudy.records.access import ApiKey
from understudy.records.conversation import Conversation, Mode

T = TypeVar("T")
Open = Callable[..., SqlStore]


@pytest.fixture
def opened(store: SqlStore) -> Iterator[Open]:
    """Open the database once more, as another process."""
    more: list[SqlStore] = []

    def another(*, leaves_marks: bool = True) -> SqlStore:
        more.append(SqlStore(store.engine.url.render_as_string(hide_password=False), leaves_marks=leaves_marks))
        return more[-1]

    yield another
    for one in more:
        one.close_now()


def remembered(store: SqlStore) -> set[str]:
    """The conversations that a writer would not read again."""
    store.write_now(lambda tx: None)
    return {one for one, scene in store._hot._scenes.items() if scene.conversation is not None}


def taken(conversation: Conversation) -> Callable[[Transaction], None]:
    return told(lambda tx: tx.conversations.change(replace(conversation, mode=Mode.PERSON, taken_by="Ines")))


@pytest.fixture
def two(opened: Open, make: Any) -> tuple[SqlStore, SqlStore, Conversation, Conversation]:
    """Two writers, and two conversations that the first of them remembers."""
    mine, others = opened(), opened()
    one, two = mine.write_now(told(make.conversation)), mine.write_now(told(make.conversation))
    return mine, others, one, two


Two = tuple[SqlStore, SqlStore, Conversation, Conversation]


def test_what_others_changed_is_forgotten_and_nothing_else(two: Two) -> None:
    mine, others, one, another = two
    others.write_now(taken(one))
    assert remembered(mine) == {another.id}
    assert mine.write_now(lambda tx: tx.conversations.get(one.id)).taken_by == "Ines"
    assert remembered(mine) == {one.id, another.id}


def test_a_row_that_others_added_is_seen(two: Two, make: Any) -> None:
    mine, others, one, another = two
    assert mine.write_now(lambda tx: (tx.turns.open_of(one.id), tx.messages.of_conversation(one.id))) == ([], [])
    turn = others.write_now(told(lambda tx: make.turn(tx, conversation_id=one.id)))
    message = others.write_now(told(lambda tx: make.message(tx, conversation_id=one.id, turn_id=turn.id)))
    assert remembered(mine) == {one.id, another.id}, "the conversation itself is as it was"
    assert mine.write_now(lambda tx: tx.turns.open_of(one.id)) == [turn]
    assert mine.write_now(lambda tx: tx.turns.get(turn.id)) == turn
    assert mine.write_now(lambda tx: tx.messages.of_conversation(one.id)) == [message]


def test_numbers_go_on_behind_those_of_others(two: Two, make: Any) -> None:
    mine, others, one, _ = two
    positions = [
        store.write_now(told(lambda tx: make.turn(tx, conversation_id=one.id))).position
        for store in (mine, others, mine, mine, others, mine)
    ]
    assert positions == sorted(set(positions))


def test_several_groups_of_others_are_heard_of(two: Two, make: Any, opened: Open) -> None:
    mine, others, one, another = two
    third = opened().write_now(told(make.conversation))
    others.write_now(taken(third))
    assert remembered(mine) == {one.id, another.id}
    others.write_now(taken(one))
    others.write_now(taken(another))
    assert remembered(mine) == set()


def test_all_is_forgotten_where_others_leave_no_marks(two: Two, opened: Open, make: Any) -> None:
    """As an older version does while a newer one takes its place."""
    mine, others, one, _ = two
    older = opened(leaves_marks=False)
    older.write_now(told(make.conversation))
    others.write_now(taken(one))
    assert remembered(mine) == set()


def test_all_is_forgotten_where_others_wrote_to_what_is_not_listed(two: Two) -> None:
    mine, others, *_ = two
    key = ApiKey(id="key-1", name="Kim", scopes=(), secret_hash="x", created_at=NOW, expires_at=None, revoked_at=None)
    others.write_now(told(lambda tx: tx.keys.add(key)))
    assert remembered(mine) == set()


def test_all_is_forgotten_where_a_statement_says_not_what_it_changes(two: Two) -> None:
    mine, others, one, _ = two
    others.write_now(told(lambda tx: tx.erasures.erase(one.contact_id)))
    assert remembered(mine) == set()


def test_all_is_forgotten_by_who_is_far_behind(two: Two) -> None:
    mine, others, one, _ = two

    def much(tx: Transaction) -> None:
        for _ in range(marks.FAR + 1):
            tx.ledger.append("test.changed", at=NOW)
        tx.conversations.change(replace(one, mode=Mode.PERSON, taken_by="Ines"))

    others.write_now(much)
    assert remembered(mine) == set()


def test_what_was_rolled_back_leaves_no_mark(two: Two) -> None:
    mine, others, one, another = two

    def broken(tx: Transaction) -> None:
        taken(one)(tx)
        raise LookupError("in the middle")

    with pytest.raises(LookupError):
        others.write_now(broken)
    others.write_now(taken(another))
    assert remembered(mine) == {one.id}


def test_old_marks_go(two: Two, monkeypatch: pytest.MonkeyPatch) -> None:
    mine, _, one, _ = two
    monkeypatch.setattr(marks, "KEPT", 10)
    monkeypatch.setattr(marks, "TRIMMED_EVERY", 4)
    for _ in range(40):
        mine.write_now(taken(one))
    with mine.engine.connect() as connection:
        heads = connection.execute(table.select().order_by(table.c.head)).all()
    assert 10 <= len(heads) <= 14


def test_the_lists_name_tables_that_there_are() -> None:
    assert set(FORGETS) | NEVER_REMEMBERED <= set(metadata.tables)
    assert not set(FORGETS) & NEVER_REMEMBERED
    assert marks.WHOSE.keys() <= FORGETS.keys()
