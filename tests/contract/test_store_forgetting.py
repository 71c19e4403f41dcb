"""What a writer knows there is none of, or counts, is looked for again once another process wrote there; nothing else goes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from told_steps import NOW, told
from understudy.adapters.stores.forgetting import FORGETS
from understudy.adapters.stores.marks import WHOSE
from understudy.adapters.stores.sql_store import SqlStore
from understudy.records.acting import ActionEntry, ActionState, ActionStep
from understudy.records.autonomy import Candidate, Epoch, Targets
from understudy.records.conversation import Author, Conversation, Inbound, Mode
from understudy.records.feedback import Frequency, Stir
from understudy.records.identity import Code, CodeState, Handle, HandleKind, Link, LinkCause, LinkState, Vouched
from understudy.records.opt_out import OptOut
from understudy.records.outbox import OutboxState
from understudy.records.pledges import Pledge, PledgeKind, PledgeState
from understudy.records.trust import Cap, CapCause
from understudy.records.turn import TurnState

LATER = NOW + timedelta(hours=1)
EMAIL = HandleKind.EMAIL
Step = Callable[[Any], Any]
Of = Callable[[Any, Conversation], Any]
Two = tuple[SqlStore, SqlStore]


@pytest.fixture
def two(store: SqlStore) -> Iterator[Two]:
    """Two processes on one database that leave marks."""
    url = store.engine.url.render_as_string(hide_password=False)
    mine, others = SqlStore(url, leaves_marks=True), SqlStore(url, leaves_marks=True)
    yield mine, others
    mine.close_now()
    others.close_now()


def opt_out(tx: Any, of: Conversation) -> None:
    made = OptOut(
        contact_id=of.contact_id, channel=of.channel, conversation_id=of.id, said="stop", at=NOW, confirmation=None
    )
    tx.opt_outs.put(made)


def pledge(tx: Any, of: Conversation) -> None:
    made = Pledge(
        id="p-1", version=1, kind=PledgeKind.CALL, state=PledgeState.OPEN, contact_id=of.contact_id, conversation_id=of.id,
        turn_id=None, message_id=None, author=Author.AGENT, made_by=None, words="w", has_named_time=False, made_at=NOW,
        due_at=LATER, warn_at=None,
    )  # fmt: skip
    tx.pledges.add(made)


def epoch(tx: Any, _of: Conversation) -> None:
    targets = Targets(risk_max=0.05, severe_max=0.005, delta=0.05, sensitivity=0.7)
    made = Epoch(
        id="e-1", version=1, topic="orders", channel="chat", release="v1", calibrator="shipped", targets=targets,
        began_at=NOW, after=0, consumed=0, progress="{}",
    )  # fmt: skip
    tx.epochs.add(made)


def handle(tx: Any, of: Conversation) -> None:
    made = Handle(
        contact_id=of.contact_id, kind=EMAIL, value="a@example.org", how=Vouched.CHANNEL, channel=of.channel,
        verified_at=NOW, verified_by="x",
    )  # fmt: skip
    tx.identities.put_handle(made)


def link(tx: Any, of: Conversation) -> None:
    made = Link(
        id="l-1", one=of.contact_id, other="z-other", state=LinkState.LINKED, cause=LinkCause.PERSON, kind=None, at=NOW,
        said_by="x",
    )  # fmt: skip
    tx.identities.put_link(made)


def code(tx: Any, of: Conversation) -> None:
    made = Code(
        id="code-1", conversation_id=of.id, contact_id=of.contact_id, holder_id="b", kind=EMAIL, value="a@example.org",
        outbox_id="out-1", hashes=(), tries=0, state=CodeState.OPEN, asked_by="x", created_at=NOW, expires_at=LATER,
    )  # fmt: skip
    tx.identities.put_code(made)


def candidate(tx: Any, of: Conversation) -> None:
    made = Candidate(
        seq=7, turn_id="t-7", conversation_id=of.id, topic="orders", channel="chat", release="v1", calibrator="shipped",
        confidence=0.9, signals=(("grounding", 1.0),), is_delivered=True, is_sampled=True, rate=1.0, decided_at=NOW,
        due_at=LATER,
    )  # fmt: skip
    tx.candidates.add(made)


def action(tx: Any, of: Conversation) -> None:
    none = ("due_at", "called_at", "approved_by", "approved_at", "provider_id", "answer", "last_error", "settled_at")
    made = ActionEntry(
        **dict.fromkeys(none), id="a-1", seq=0, turn_id="t-1", conversation_id=of.id, contact_id=of.contact_id, place=0,
        name="refund", arguments="{}", amount=4, state=ActionState.PROPOSED, step=ActionStep.CALL, attempts=0, tries=0,
        is_unsure=False, is_edited=False, created_at=NOW,
    )  # fmt: skip
    tx.actions.add(made)


CHANGES: dict[str, tuple[Of, Of]] = {
    "opt_outs": (opt_out, lambda tx, of: tx.opt_outs.of_contacts([of.contact_id])),
    "pledges": (pledge, lambda tx, of: tx.pledges.owed_to([of.contact_id])),
    "caps": (
        lambda tx, of: tx.caps.put(Cap(contact_id=of.contact_id, cause=CapCause.REJECTED, turn_id=None, at=NOW)),
        lambda tx, of: tx.caps.of_contact(of.contact_id),
    ),
    "epochs": (epoch, lambda tx, _of: tx.epochs.current("orders", "chat", "v1")),
    "candidates": (candidate, lambda tx, _of: tx.candidates.delivered("orders", "chat", after=0)),
    "frequencies": (
        lambda tx, _of: tx.feedback.put_frequency(
            Frequency(topic="orders", channel="chat", stir=Stir.DISCONTENT, seen=7)
        ),
        lambda tx, _of: tx.feedback.frequency("orders", "chat", Stir.DISCONTENT),
    ),
    "handles": (handle, lambda tx, _of: tx.identities.holders(EMAIL, "a@example.org")),
    "links": (link, lambda tx, of: tx.identities.links_of(of.contact_id)),
    "codes": (code, lambda tx, of: tx.identities.open_code(of.id)),
    "actions": (action, lambda tx, _of: tx.actions.of_turn("t-1")),
}
"""By table: how something comes into it, and what a step asks for that another process may have remembered."""


def test_every_table_of_which_something_is_remembered_is_here() -> None:
    assert CHANGES.keys() == FORGETS.keys() - (WHOSE.keys() - {"pledges"})


@pytest.mark.parametrize("table", CHANGES)
def test_that_there_is_none_is_forgotten_once_another_added_one(two: Two, make: Any, table: str) -> None:
    mine, others = two
    change, look = CHANGES[table]
    of = mine.write_now(told(make.conversation))
    assert mine.write_now(lambda tx: look(tx, of)) == mine.read_now(lambda tx: look(tx, of))
    others.write_now(told(lambda tx: change(tx, of)))
    now = mine.read_now(lambda tx: look(tx, of))
    assert now, "the change is there to be seen"
    assert mine.write_now(lambda tx: look(tx, of)) == now
    assert mine._hot._scenes[of.id].conversation == of, "nothing else was forgotten"


def test_a_lease_that_is_taken_over_is_the_other_ones(two: Two, make: Any) -> None:
    mine, others = two
    of = mine.write_now(told(make.conversation))
    turn = mine.write_now(told(lambda tx: make.turn(tx, conversation_id=of.id, state=TurnState.DRAFTING, due_at=NOW)))
    entry = mine.write_now(told(lambda tx: make.entry(tx, conversation_id=of.id)))
    sending = replace(entry, state=OutboxState.SENDING, attempts=1, due_at=NOW)
    mine.write_now(told(lambda tx: tx.outbox.change(sending, attempts=0)))

    def look(tx: Any) -> Any:
        return tx.turns.open_of(of.id), tx.outbox.open_of(of.id), tx.turns.get(turn.id)

    mine.write_now(look)
    taken = others.write_now(told(lambda tx: tx.turns.touch(turn, due_at=NOW)))
    again = replace(sending, attempts=2)
    others.write_now(told(lambda tx: tx.outbox.change(again, attempts=1)))
    assert mine.write_now(look) == mine.read_now(look)
    others.write_now(lambda tx: (tx.turns.renew(taken, until=LATER), tx.outbox.renew(again, until=LATER)))
    assert mine.write_now(look) == mine.read_now(look)
    mine.write_now(lambda tx: (tx.turns.renew(turn, until=NOW), tx.outbox.renew(sending, until=NOW)))  # too late
    assert mine.write_now(look) == mine.read_now(look) == others.write_now(look)


def test_nothing_is_known_any_more_once_the_database_may_have_an_older_past(two: Two, make: Any) -> None:
    """A standby that took over had not heard of the last commit: its numbers are given anew, to something else."""
    mine, others = two
    of = mine.write_now(told(make.conversation))

    def take(tx: Any) -> None:
        tx.ledger.append("test.taken", at=NOW)
        tx.conversations.change(replace(of, mode=Mode.PERSON, taken_by="Ines"))

    mine.write_now(take)
    lose(mine, of)
    for _ in range(2):
        others.write_now(told(make.conversation))

    def look(tx: Any) -> Conversation:
        found: Conversation = tx.conversations.get(of.id)
        return found

    assert mine.write_now(look) == mine.read_now(look)


def lose(store: SqlStore, of: Conversation) -> None:
    """Take the second ledger entry back, and what it tells of, behind everybody's back; on PostgreSQL the writer's connection breaks, too."""
    with store.engine.begin() as connection:
        for sql in ("DELETE FROM ledger WHERE seq = 2", "DELETE FROM marks WHERE head = 2"):
            connection.exec_driver_sql(sql)
        connection.exec_driver_sql(f"UPDATE conversations SET mode = 'agent', taken_by = NULL WHERE id = '{of.id}'")
        if store.engine.dialect.name == "postgresql":
            writer = store._connection.driver_connection.info.backend_pid
            connection.exec_driver_sql(f"SELECT pg_terminate_backend({writer})")


def test_a_past_that_is_not_the_known_one_is_noticed_by_its_hash(two: Two, make: Any) -> None:
    mine, others = two
    of = mine.write_now(told(make.conversation))
    assert mine.write_now(lambda tx: tx.conversations.get(of.id)) == of
    with mine.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE ledger SET hash = 'another' WHERE seq = 1")
        connection.exec_driver_sql("UPDATE conversations SET taken_by = 'Ines'")
    others.write_now(told(make.conversation))
    assert mine.write_now(lambda tx: tx.conversations.get(of.id)).taken_by == "Ines"


def test_who_is_erased_takes_the_address_from_what_is_on_its_way_there(store: SqlStore, make: Any) -> None:
    own, other = (store.write_now(told(make.conversation)) for _ in range(2))
    entry = store.write_now(told(lambda tx: make.entry(tx, conversation_id=own.id)))
    there = {"channel": other.channel, "address": other.address, "external_id": other.external_id}
    store.write_now(told(lambda tx: tx.outbox.readdress(replace(entry, **there))))
    assert store.write_now(lambda tx: tx.outbox.open_of(own.id))[0].external_id == other.external_id
    store.write_now(told(lambda tx: tx.erasures.erase(other.contact_id)))
    assert store.write_now(lambda tx: tx.outbox.open_of(own.id)) == store.read_now(lambda tx: tx.outbox.open_of(own.id))


def test_a_contact_is_known_as_it_is_however_many_are_kept(store: SqlStore, make: Any) -> None:
    store._hot._scenes_max = 2
    conversations = [store.write_now(told(make.conversation)) for _ in range(8)]
    for one in conversations:
        store.write_now(lambda tx, one=one: tx.contacts.get(one.contact_id))
    for one in conversations:
        said = Inbound(
            provider_id="p", external_id=one.external_id, text="x", address=one.address, contact_name="Kim Lee"
        )
        store.write_now(
            told(lambda tx, one=one, said=said: tx.contacts.resolve(one.channel, said, new_id="n", now=NOW))
        )
        for kept in conversations:
            known = store.write_now(lambda tx, kept=kept: tx.contacts.get(kept.contact_id))
            assert known == store.read_now(lambda tx, kept=kept: tx.contacts.get(kept.contact_id))
