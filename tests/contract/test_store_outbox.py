"""The outbox, receipts, rulebooks, API keys and idempotency keys as the store keeps them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest

from understudy.adapters.stores.sql_store import SqlStore
from understudy.errors import NotFound, StepSuperseded, StoreError
from understudy.ports.access import Answered
from understudy.ports.store import Transaction
from understudy.records.access import ApiKey, Scope
from understudy.records.codec import digest, dump
from understudy.records.outbox import OutboxState, Receipt
from understudy.records.rulebook import Grant, Level, Rulebook, Rules, SafeReply

NOW = datetime(2026, 1, 1, 12, 0, 0, 123456, tzinfo=UTC)

Commit = Callable[[Callable[..., Any]], Any]


def test_an_entry_comes_back_as_it_was_added(store: SqlStore, commit: Commit, make: Any) -> None:
    added = commit(lambda tx: make.entry(tx, turn_id="t", text="Grüße 🎉", last_error="busy"))
    assert store.read_now(lambda tx: tx.outbox.get(added.id)) == added
    assert store.read_now(lambda tx: tx.outbox.of_turn("t")) == [added]


def test_a_missing_entry_is_named(store: SqlStore) -> None:
    with pytest.raises(NotFound, match="'none'"):
        store.read_now(lambda tx: tx.outbox.get("none"))


def test_an_entry_is_found_by_its_id_or_is_not_there(store: SqlStore, commit: Commit, make: Any) -> None:
    entry = commit(make.entry)
    assert store.read_now(lambda tx: tx.outbox.find(entry.id)) == entry
    assert store.read_now(lambda tx: tx.outbox.find("none")) is None


def test_an_entry_is_found_by_the_name_its_own_channel_took_it_under(
    store: SqlStore, commit: Commit, make: Any
) -> None:
    def receipt(entry: Any, attempt: int, provider_id: str | None) -> Receipt:
        return Receipt(outbox_id=entry.id, attempt=attempt, outcome="x", provider_id=provider_id, detail=None, at=NOW)

    def found(tx: Transaction) -> list[str | None]:
        asked = [tx.outbox.taken_as(channel, "sms-1") for channel in (here.channel, "elsewhere", "nowhere")]
        return [None if one is None else one.id for one in asked]

    here, there = commit(make.entry), commit(lambda tx: make.entry(tx, channel="elsewhere"))
    commit(lambda tx: tx.outbox.add_receipt(receipt(here, 1, None)))
    assert store.read_now(found) == [None, None, None]
    commit(lambda tx: tx.outbox.add_receipt(receipt(here, 2, "sms-1")))
    commit(lambda tx: tx.outbox.add_receipt(receipt(there, 1, "sms-1")))
    assert store.read_now(found) == [here.id, there.id, None]
    later = commit(make.entry)
    in_one_step = commit(lambda tx: [tx.outbox.add_receipt(receipt(later, 1, "sms-1")), found(tx)])
    assert in_one_step[1][0] == later.id


def test_what_was_sent_and_never_named_is_found_by_its_conversation(store: SqlStore, commit: Commit, make: Any) -> None:
    def sent(turn: Any, *, state: OutboxState, attempts: int, name: str | None) -> str:
        def step(tx: Transaction) -> str:
            entry = make.entry(
                tx, conversation_id=turn.conversation_id, turn_id=turn.id, state=state, attempts=attempts
            )
            if attempts:
                tx.outbox.add_receipt(
                    Receipt(outbox_id=entry.id, attempt=attempts, outcome="x", provider_id=name, detail=None, at=NOW)
                )
            return str(entry.id)

        return str(commit(step))

    here, elsewhere = commit(make.turn), commit(make.turn)
    sent(here, state=OutboxState.SENT, attempts=1, name="sms-1")
    lost = sent(here, state=OutboxState.SENT, attempts=1, name=None)
    sent(here, state=OutboxState.PENDING, attempts=0, name=None)
    dropped = sent(here, state=OutboxState.DROPPED, attempts=2, name=None)
    sent(elsewhere, state=OutboxState.SENT, attempts=1, name=None)
    found = store.read_now(lambda tx: tx.outbox.nameless_of(here.conversation_id))
    assert [entry.id for entry in found] == [dropped, lost]
    assert [e.id for e in store.read_now(lambda tx: tx.outbox.nameless_of(here.conversation_id, limit=1))] == [dropped]


def test_the_head_is_the_oldest_entry_neither_sent_nor_dead(store: SqlStore, commit: Commit, make: Any) -> None:
    conversation = commit(make.conversation).id
    states = [OutboxState.SENT, OutboxState.DEAD, OutboxState.UNKNOWN, OutboxState.SENDING, OutboxState.PENDING]
    for state in states:
        commit(lambda tx, s=state: make.entry(tx, conversation_id=conversation, state=s))
    heads = []
    while (head := store.read_now(lambda tx: tx.outbox.head(conversation))) is not None:
        heads.append(head.state)
        commit(lambda tx, h=head: tx.outbox.change(replace(h, state=OutboxState.SENT), attempts=0))
    assert heads == states[2:]


def test_a_change_under_the_seen_attempt_is_written(store: SqlStore, commit: Commit, make: Any) -> None:
    entry = commit(make.entry)
    changed = replace(entry, state=OutboxState.SENDING, attempts=1, due_at=None, last_error="x")
    commit(lambda tx: tx.outbox.change(changed, attempts=0))
    assert store.read_now(lambda tx: tx.outbox.get(entry.id)) == changed


def test_a_change_under_another_attempt_is_refused(store: SqlStore, commit: Commit, make: Any) -> None:
    entry = commit(make.entry)
    commit(lambda tx: tx.outbox.change(replace(entry, attempts=1), attempts=0))
    with pytest.raises(StepSuperseded, match=entry.id):
        commit(lambda tx: tx.outbox.change(replace(entry, state=OutboxState.DEAD), attempts=0))
    assert store.read_now(lambda tx: tx.outbox.get(entry.id)).state is OutboxState.PENDING


def test_one_of_many_racing_leases_wins(store: SqlStore, commit: Commit, make: Any) -> None:
    entry = commit(make.entry)

    def lease(tx: Transaction) -> str:
        tx.outbox.change(replace(entry, state=OutboxState.SENDING, attempts=1), attempts=0)
        tx.ledger.append("leased", at=NOW)
        return "won"

    async def scene() -> list[Any]:
        return await asyncio.gather(*(store.write(lease) for _ in range(30)), return_exceptions=True)

    results = asyncio.run(scene())
    assert results.count("won") == 1
    assert sum(isinstance(result, StepSuperseded) for result in results) == 29


def test_due_gives_pending_entries_and_lapsed_leases_oldest_first(store: SqlStore, commit: Commit, make: Any) -> None:
    lapsed = commit(lambda tx: make.entry(tx, state=OutboxState.SENDING, due_at=NOW))
    waiting = commit(lambda tx: make.entry(tx, due_at=NOW - timedelta(seconds=1)))
    for fields in (
        {"due_at": NOW + timedelta(microseconds=1)},
        {"state": OutboxState.SENDING, "due_at": NOW + timedelta(microseconds=1)},
        {"state": OutboxState.UNKNOWN, "due_at": NOW},
        {"state": OutboxState.SENT, "due_at": NOW},
        {"state": OutboxState.DEAD, "due_at": NOW},
    ):
        commit(lambda tx, f=fields: make.entry(tx, **f))
    assert store.read_now(lambda tx: tx.outbox.due(NOW, limit=10)) == [waiting, lapsed]
    assert store.read_now(lambda tx: tx.outbox.due(NOW, limit=1)) == [waiting]


def test_entries_are_listed_by_state_and_channel_in_order(store: SqlStore, commit: Commit, make: Any) -> None:
    made = {
        (state, channel): commit(lambda tx, s=state, c=channel: make.entry(tx, state=s, channel=c))
        for state in (OutboxState.DEAD, OutboxState.SENT, OutboxState.PENDING)
        for channel in ("webchat", "sms")
    }
    wanted = [OutboxState.PENDING, OutboxState.DEAD]
    listed = [entry for (state, _), entry in made.items() if state in wanted]
    assert store.read_now(lambda tx: tx.outbox.listed(wanted, limit=10)) == listed
    assert store.read_now(lambda tx: tx.outbox.listed(wanted, limit=2)) == listed[:2]
    assert store.read_now(lambda tx: tx.outbox.listed(wanted, after=listed[1].seq, limit=9)) == listed[2:]
    assert store.read_now(lambda tx: tx.outbox.listed(wanted, channel="sms", limit=9)) == [listed[1], listed[3]]


def test_entries_are_counted_by_state_and_channel(store: SqlStore, commit: Commit, make: Any) -> None:
    for state in (OutboxState.DEAD, OutboxState.DEAD, OutboxState.SENT):
        commit(lambda tx, s=state: make.entry(tx, state=s))
    commit(lambda tx: make.entry(tx, state=OutboxState.DEAD, channel="sms"))
    states = [OutboxState.DEAD, OutboxState.UNKNOWN]
    counts = store.read_now(lambda tx: tx.outbox.count(states))
    assert counts == {OutboxState.DEAD: 3, OutboxState.UNKNOWN: 0}
    assert store.read_now(lambda tx: tx.outbox.count(states, channel="sms"))[OutboxState.DEAD] == 1


def test_receipts_come_back_by_attempt(store: SqlStore, commit: Commit, make: Any) -> None:
    entry = commit(make.entry)
    receipts = [
        Receipt(outbox_id=entry.id, attempt=n, outcome="retry", provider_id=None, detail="späte", at=NOW)
        for n in (2, 1)
    ]
    commit(lambda tx: [tx.outbox.add_receipt(receipt) for receipt in receipts])
    assert store.read_now(lambda tx: tx.outbox.receipts(entry.id)) == receipts[::-1]


def test_an_attempt_has_one_receipt(commit: Commit, make: Any) -> None:
    entry = commit(make.entry)
    receipt = Receipt(outbox_id=entry.id, attempt=1, outcome="accepted", provider_id="p", detail=None, at=NOW)
    commit(lambda tx: tx.outbox.add_receipt(receipt))
    with pytest.raises(StoreError):
        commit(lambda tx: tx.outbox.add_receipt(receipt))


def rulebook() -> Rulebook:
    rules = Rules(
        grants=(Grant(topic="*", channel="webchat", level=Level.AUTO, threshold=0.8),),
        safe_replies=(SafeReply(id="sorry", version=1, text="Es tut uns leid."),),
        degrade_on=(("agent_failed", "sorry"),),
    )
    return Rulebook(id=digest(dump(rules)), rules=rules)


def test_a_rulebook_comes_back_as_it_was_put(store: SqlStore, commit: Commit) -> None:
    put = rulebook()
    assert commit(lambda tx: tx.rulebooks.put(put, now=NOW)) is True
    assert store.read_now(lambda tx: tx.rulebooks.get(put.id)) == put


def test_putting_a_rulebook_again_changes_nothing(store: SqlStore, commit: Commit) -> None:
    commit(lambda tx: tx.rulebooks.put(rulebook(), now=NOW))
    assert store.write_now(lambda tx: tx.rulebooks.put(rulebook(), now=NOW)) is False


def test_a_missing_rulebook_is_named(store: SqlStore) -> None:
    with pytest.raises(NotFound, match="'none'"):
        store.read_now(lambda tx: tx.rulebooks.get("none"))


def key(name: str, **fields: Any) -> ApiKey:
    made = ApiKey(
        id=name,
        name="Rosa",
        scopes=(Scope.TURNS_READ, Scope.HOLDS_WRITE),
        secret_hash="0" * 64,
        created_at=NOW,
        expires_at=None,
        revoked_at=None,
    )
    return replace(made, **fields)


def test_api_keys_come_back_in_the_order_they_were_made(store: SqlStore, commit: Commit) -> None:
    keys = [key("b", created_at=NOW), key("a", created_at=NOW + timedelta(seconds=1), expires_at=NOW)]
    commit(lambda tx: [tx.keys.add(one) for one in keys])
    assert store.read_now(lambda tx: tx.keys.all()) == keys
    assert store.read_now(lambda tx: tx.keys.get("a")) == keys[1]
    assert store.read_now(lambda tx: tx.keys.get("c")) is None


def test_a_scope_that_a_newer_program_knows_takes_nothing_from_the_others(store: SqlStore, commit: Commit) -> None:
    ahead = cast("tuple[Scope, ...]", (Scope.TURNS_READ, "tides:write", Scope.HOLDS_WRITE))
    commit(lambda tx: tx.keys.add(key("a", scopes=ahead)))
    assert store.read_now(lambda tx: tx.keys.all()) == [key("a")]


def test_a_revoked_key_says_when(store: SqlStore, commit: Commit) -> None:
    commit(lambda tx: tx.keys.add(key("a")))
    commit(lambda tx: tx.keys.revoke("a", now=NOW))
    found = store.read_now(lambda tx: tx.keys.get("a"))
    assert found is not None
    assert found.revoked_at == NOW


def test_revoking_a_missing_key_names_it(commit: Commit) -> None:
    with pytest.raises(NotFound, match="'none'"):
        commit(lambda tx: tx.keys.revoke("none", now=NOW))


def test_the_first_answer_under_an_idempotency_key_stays(store: SqlStore, commit: Commit) -> None:
    first = Answered(request_digest="d", status=200, body='{"id":"é"}')
    commit(lambda tx: tx.idempotency.put("owner", "key", first, now=NOW))
    with pytest.raises(StoreError):
        commit(lambda tx: tx.idempotency.put("owner", "key", replace(first, status=500), now=NOW))
    assert store.read_now(lambda tx: tx.idempotency.get("owner", "key")) == first
    assert store.read_now(lambda tx: tx.idempotency.get("another", "key")) is None
