"""How well people review and what customers say, as the store keeps it: seeds, bars, second reviews, frequencies, caps."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from understudy.adapters.stores import known_autonomy
from understudy.adapters.stores.sql_store import SqlStore
from understudy.ports.store import Transaction
from understudy.records.assessment import DecisionKind
from understudy.records.autonomy import Candidate, Label, Outcome
from understudy.records.conversation import Mode
from understudy.records.feedback import Feedback, FeedbackKind, Stir
from understudy.records.review import HoldKind, HoldState, VerdictKind
from understudy.records.reviewing import (
    Discount,
    Judgement,
    SecondReview,
    Seed,
    SeedCount,
    SeedOrigin,
    SeedOutcome,
)
from understudy.records.trust import Cap, CapCause
from understudy.records.turn import TurnState

NOW = datetime(2026, 1, 1, 12, 0, 0, 123456, tzinfo=UTC)

Commit = Callable[[Callable[..., Any]], Any]


def seed(name: str, **fields: Any) -> Seed:
    given: dict[str, Any] = {
        "id": name,
        "origin": SeedOrigin.FILE,
        "source": f"record-{name}",
        "topic": "orders",
        "channel": "webchat",
        "added_by": "lena",
        "added_at": NOW,
        "body": "{}",
    }
    return Seed(**{**given, **fields})


def test_a_seed_is_unplanted_until_it_was_planted_and_found_by_its_turn(store: SqlStore, commit: Commit) -> None:
    first, second = seed("a"), seed("b", added_at=NOW + timedelta(seconds=1))
    commit(lambda tx: [tx.seeds.add(second), tx.seeds.add(first)])
    assert store.read_now(lambda tx: tx.seeds.unplanted(limit=5)) == [first, second]
    planted = replace(first, planted_at=NOW, turn_id="turn-1", hold_id="hold-1")
    commit(lambda tx: tx.seeds.change(planted))
    assert store.read_now(lambda tx: tx.seeds.unplanted(limit=5)) == [second]
    assert store.read_now(lambda tx: tx.seeds.of_turn("turn-1")) == planted
    assert store.read_now(lambda tx: tx.seeds.of_turn("turn-2")) is None
    assert store.read_now(lambda tx: tx.seeds.known(["record-a", "record-c"])) == {"record-a"}


def test_seeds_are_counted_by_outcome_for_one_reviewer_and_for_all(store: SqlStore, commit: Commit) -> None:
    outcomes = [
        ("rosa", SeedOutcome.CAUGHT),
        ("rosa", SeedOutcome.MISSED),
        ("tom", SeedOutcome.CAUGHT),
        (None, SeedOutcome.UNJUDGED),
        (None, None),
    ]
    for number, (reviewer, outcome) in enumerate(outcomes):
        commit(lambda tx, n=number, r=reviewer, o=outcome: tx.seeds.add(seed(str(n), reviewer=r, outcome=o)))
    assert store.read_now(lambda tx: tx.seeds.count()) == SeedCount(caught=2, judged=3)
    assert store.read_now(lambda tx: tx.seeds.count("rosa")) == SeedCount(caught=1, judged=2)
    assert store.read_now(lambda tx: tx.seeds.count("nobody")) == SeedCount(caught=0, judged=0)


def test_rejected_drafts_are_those_of_draft_holds_that_are_old_enough_and_no_seed(
    store: SqlStore, commit: Commit, make: Any
) -> None:
    def verdict(tx: Any, *, hold: dict[str, Any], turn: dict[str, Any], **fields: Any) -> str:
        opened = make.hold(tx, turn=make.turn(tx, **turn), **hold)
        tx.verdicts.add(make.verdict(opened, **fields))
        return str(opened.turn_id)

    old, rejected = NOW - timedelta(days=2), VerdictKind.REJECT
    bad = commit(lambda tx: verdict(tx, hold={}, turn={}, kind=rejected, at=old))
    older = old - timedelta(days=1)
    severe = commit(lambda tx: verdict(tx, hold={}, turn={}, kind="edit", text="x", reasons=("harm",), at=older))
    commit(lambda tx: verdict(tx, hold={}, turn={}, at=old))  # approved
    commit(lambda tx: verdict(tx, hold={}, turn={}, kind=rejected, at=NOW))  # too young
    commit(lambda tx: verdict(tx, hold={"kind": HoldKind.AUDIT}, turn={}, kind=rejected, at=old))
    commit(lambda tx: verdict(tx, hold={}, turn={"state": TurnState.SPENT}, kind=rejected, at=old))  # a seed itself
    used = commit(lambda tx: verdict(tx, hold={}, turn={}, kind=rejected, at=old))
    commit(lambda tx: tx.seeds.add(seed("s", source=used)))
    found = store.read_now(lambda tx: tx.seeds.rejected(before=NOW, limit=10))
    assert [(one.turn_id, one.reviewer, one.kind) for one in found] == [(bad, "r-1", rejected), (severe, "r-1", "edit")]
    assert found[1].reasons == ("harm",)


def test_a_barred_reviewer_does_not_see_a_hold_in_the_queue(store: SqlStore, commit: Commit, make: Any) -> None:
    barred, other = commit(make.hold), commit(make.hold)
    commit(lambda tx: tx.reviews.bar(barred.id, "rosa"))

    def queue(reader: str | None) -> set[str]:
        found = store.read_now(lambda tx: tx.holds.queue(state=HoldState.OPEN, after=None, limit=9, reader=reader))
        return {hold.id for hold in found}

    assert queue("rosa") == {other.id}
    assert queue("tom") == queue(None) == {barred.id, other.id}
    assert store.read_now(lambda tx: tx.reviews.is_barred(barred.id, "rosa"))
    assert not store.read_now(lambda tx: tx.reviews.is_barred(barred.id, "tom"))


def judgement(name: str, reviewer: str, at: datetime) -> Judgement:
    return Judgement(
        verdict_id=name,
        reviewer=reviewer,
        hold_kind=HoldKind.DRAFT,
        kind=VerdictKind.APPROVE,
        took_s=1.5,
        words=40,
        at=at,
    )


def test_judgements_come_back_by_reviewer_the_latest_first(store: SqlStore, commit: Commit) -> None:
    given = [judgement(str(n), name, NOW + timedelta(seconds=n)) for n, name in enumerate(("rosa", "tom", "rosa"))]
    commit(lambda tx: [tx.reviews.add(one) for one in given])
    assert store.read_now(lambda tx: tx.reviews.reviewers()) == ["rosa", "tom"]
    assert store.read_now(lambda tx: tx.reviews.of_reviewer("rosa", limit=9)) == [given[2], given[0]]
    assert store.read_now(lambda tx: tx.reviews.of_reviewer("rosa", limit=1)) == [given[2]]
    assert store.read_now(lambda tx: tx.reviews.has_other("rosa", since=NOW + timedelta(seconds=1)))
    assert not store.read_now(lambda tx: tx.reviews.has_other("rosa", since=NOW + timedelta(seconds=2)))


def test_a_second_review_is_found_by_either_reviewer(store: SqlStore, commit: Commit) -> None:
    first = Label(outcome=Outcome.APPROVE, loss=0.0, is_severe=False, by="rosa", at=NOW)
    second = Label(outcome=Outcome.REJECT, loss=1.0, is_severe=True, by="tom", at=NOW)
    review = SecondReview(hold_id="h", candidate=3, turn_id="t", first=first, second=second, at=NOW)
    commit(lambda tx: tx.reviews.add_second(review))
    for reviewer in ("rosa", "tom", None):
        assert store.read_now(lambda tx, r=reviewer: tx.reviews.seconds(r, limit=5)) == [review]
    assert store.read_now(lambda tx: tx.reviews.seconds("ann", limit=5)) == []


def test_a_discount_holds_until_it_is_lifted(store: SqlStore, commit: Commit) -> None:
    for why in ("too fast", "much too fast"):
        commit(lambda tx, w=why: tx.reviews.discount(Discount(reviewer="rosa", since=NOW, why=w)))
    found = store.read_now(lambda tx: tx.reviews.discounted("rosa"))
    assert found == Discount(reviewer="rosa", since=NOW, why="much too fast")
    commit(lambda tx: tx.reviews.restore("rosa"))
    assert store.read_now(lambda tx: tx.reviews.discounted("rosa")) is None


def test_the_last_automatic_reply_to_a_contact_is_found_in_its_other_conversations(
    store: SqlStore, commit: Commit, make: Any
) -> None:
    here = commit(make.conversation)
    there = commit(lambda tx: make.conversation(tx, contact_id=here.contact_id))
    commit(make.conversation)  # somebody else

    def reply(conversation_id: str, minute: int, **fields: Any) -> str:
        given = {"topic": "orders", "state": TurnState.ANSWERED, "decision": DecisionKind.DELIVER}
        at = NOW + timedelta(minutes=minute)
        more = {"conversation_id": conversation_id, "decided_at": at, "finished_at": at}
        return str(commit(lambda tx: make.turn(tx, **{**given, **more, **fields})).id)

    def found(since: int = -60) -> str | None:
        where = {"besides": here.id, "since": NOW + timedelta(minutes=since)}
        return store.read_now(lambda tx: tx.feedback.last_automatic([here.contact_id], "orders", **where))

    reply(here.id, 30)
    reply(there.id, 40, topic="refunds")
    reply(there.id, 50, state=TurnState.HANDED_OFF)
    assert found() is None
    reply(there.id, 1)
    latest = reply(there.id, 2)
    assert (found(), found(since=2)) == (latest, None)
    reply(there.id, 3, decision=DecisionKind.HOLD)  # a person let that one out
    assert found() is None


def test_feedback_and_frequencies_come_back_as_they_were_put(store: SqlStore, commit: Commit) -> None:
    given = Feedback(turn_id="t", kind=FeedbackKind.COMPLAINT, by="shop", at=NOW)
    commit(lambda tx: tx.feedback.add(given))
    assert store.read_now(lambda tx: tx.feedback.of_turn("t")) == [given]
    fresh = store.read_now(lambda tx: tx.feedback.frequency("orders", "webchat", Stir.RECONTACT))
    assert (fresh.replies, fresh.usual) == (0, None)
    for frequency in (replace(fresh, replies=9), replace(fresh, replies=12, usual=0.1, watch="{}", seen=2**40)):
        commit(lambda tx, f=frequency: tx.feedback.put_frequency(f))
        assert store.read_now(lambda tx: tx.feedback.frequency("orders", "webchat", Stir.RECONTACT)) == frequency
    assert store.read_now(lambda tx: tx.feedback.frequency("orders", "webchat", Stir.DISCONTENT)).replies == 0


def test_a_contact_has_one_cap_until_it_is_lifted(store: SqlStore, commit: Commit) -> None:
    assert store.write_now(lambda tx: tx.caps.of_contact("c")) is None
    for cause in (CapCause.COMPLAINT, CapCause.WANTS_PEOPLE):
        cap = Cap(contact_id="c", cause=cause, turn_id="t", at=NOW, good=1)
        commit(lambda tx, c=cap: tx.caps.put(c))
        assert store.write_now(lambda tx: tx.caps.of_contact("c")) == cap
    assert commit(lambda tx: tx.caps.lift("c"))
    assert not commit(lambda tx: tx.caps.lift("c"))
    assert store.read_now(lambda tx: tx.caps.of_contact("c")) is None


def test_a_conversation_in_rehearsal_never_leaves_it(store: SqlStore, commit: Commit, make: Any) -> None:
    rehearsal = commit(lambda tx: make.conversation(tx, mode=Mode.REHEARSAL))
    for mode in Mode:
        commit(lambda tx, m=mode: tx.conversations.change(replace(rehearsal, mode=m)))
        assert store.write_now(lambda tx: tx.conversations.get(rehearsal.id)).mode is Mode.REHEARSAL
        assert store.read_now(lambda tx: tx.conversations.get(rehearsal.id)).mode is Mode.REHEARSAL


def test_a_planted_turn_can_only_be_spent(store: SqlStore, commit: Commit, make: Any) -> None:
    planted = commit(lambda tx: make.turn(tx, state=TurnState.PLANTED))
    for state in TurnState:
        if state is not TurnState.SPENT:
            with pytest.raises(ValueError, match="cannot go"):
                commit(lambda tx, s=state: tx.turns.advance(planted, s))
    spent = commit(lambda tx: tx.turns.advance(planted, TurnState.SPENT))
    for state in TurnState:
        with pytest.raises(ValueError, match="cannot go"):
            commit(lambda tx, s=state: tx.turns.advance(spent, s))


def candidate(seq: int, **fields: Any) -> Candidate:
    given: dict[str, Any] = {
        "turn_id": f"t-{seq}",
        "conversation_id": "c",
        "topic": "orders",
        "channel": "webchat",
        "release": f"v{seq}",
        "calibrator": "shipped",
        "confidence": 0.9,
        "signals": (),
        "is_delivered": True,
        "is_sampled": False,
        "rate": 0.1,
        "decided_at": NOW,
        "due_at": NOW,
    }
    return Candidate(seq=seq, **{**given, **fields})


def test_delivered_candidates_of_a_slice_are_counted_over_all_releases(store: SqlStore, commit: Commit) -> None:
    others = [candidate(4, topic="x"), candidate(5, channel="x"), candidate(6, is_delivered=False)]
    commit(lambda tx: [tx.candidates.add(one) for one in (candidate(1), candidate(2), candidate(3), *others)])
    assert store.read_now(lambda tx: tx.candidates.delivered("orders", "webchat", after=1)) == (2, 3)
    assert store.read_now(lambda tx: tx.candidates.delivered("orders", "webchat", after=3)) == (0, 3)


@pytest.mark.parametrize("seed", range(4))
def test_delivered_candidates_counted_in_memory_are_those_in_the_table(
    store: SqlStore, commit: Commit, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Asked after any number, in the group that adds or in a later one, with another process adding some too."""
    monkeypatch.setattr(known_autonomy, "DELIVERED_MAX", 12)
    dice, seqs = random.Random(seed), itertools.count(1)
    other = SqlStore(store.engine.url.render_as_string(hide_password=False))
    last = 0

    def add(tx: Transaction) -> Any:
        nonlocal last
        for _ in range(dice.randrange(4)):
            last = next(seqs)
            given = {"topic": dice.choice(["orders", "returns"]), "is_delivered": dice.random() < 0.7}
            tx.candidates.add(candidate(last, **given))
        tx.ledger.append("test", at=NOW)
        return count(tx)

    def count(tx: Transaction) -> Any:
        return [tx.candidates.delivered("orders", "webchat", after=after) for after in (0, last // 2, last)]

    for _ in range(50):
        counted = (other if dice.random() < 0.15 else store).write_now(add)
        assert counted == store.write_now(count) == store.read_now(count)
    other.close_now()


def test_feedback_and_frequencies_are_read_as_they_wait_to_be_written(store: SqlStore, commit: Commit) -> None:
    def step(tx: Transaction) -> None:
        for kind in (FeedbackKind.COMPLAINT, FeedbackKind.RECONTACT):
            tx.feedback.add(Feedback(turn_id="t", kind=kind, by="shop", at=NOW))
        assert {one.kind for one in tx.feedback.of_turn("t")} == {FeedbackKind.COMPLAINT, FeedbackKind.RECONTACT}
        assert tx.feedback.of_turn("other") == []
        frequency = tx.feedback.frequency("orders", "webchat", Stir.RECONTACT)
        for stirs in (1, 2):
            tx.feedback.put_frequency(replace(frequency, stirs=stirs))
            assert tx.feedback.frequency("orders", "webchat", Stir.RECONTACT).stirs == stirs
        tx.candidates.add(candidate(7))
        assert tx.candidates.of_turn("t-7") == candidate(7)
        assert tx.candidates.of_turn("t-8") is None

    commit(step)
    assert store.read_now(lambda tx: tx.feedback.frequency("orders", "webchat", Stir.RECONTACT)).stirs == 2
