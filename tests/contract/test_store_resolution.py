"""The last answers of a hand-made history, whose every outcome is known, on both databases."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from understudy.adapters.stores.sql_store import SqlStore
from understudy.ports.store import Transaction
from understudy.records.assessment import DecisionKind
from understudy.records.conversation import Author
from understudy.records.feedback import Feedback, FeedbackKind
from understudy.records.identity import Link, LinkCause, LinkState
from understudy.records.quality import Part
from understudy.records.resolution import Outcome
from understudy.records.turn import Turn, TurnState

SINCE = datetime(2026, 5, 1, tzinfo=UTC)
DAY, HOUR, WEEK = timedelta(days=1), timedelta(hours=1), timedelta(days=7)
NOW = SINCE + 40 * DAY
ALONE, HOLD, HAND_OFF = DecisionKind.DELIVER, DecisionKind.HOLD, DecisionKind.HAND_OFF
Commit = Callable[[Callable[[Transaction], Any]], Any]


class Customer:
    """One contact with as many conversations as they begin."""

    def __init__(self, make: Any, tx: Transaction) -> None:
        self.make, self.tx = make, tx
        self.conversation = make.conversation(tx)

    def elsewhere(self) -> None:
        """Begin another conversation."""
        self.conversation = self.make.conversation(self.tx, contact_id=self.conversation.contact_id)

    def is_also(
        self, other: Customer, cause: LinkCause = LinkCause.HANDLE, state: LinkState = LinkState.LINKED
    ) -> None:
        """Say that they are the same person as another contact."""
        one, two = sorted((self.conversation.contact_id, other.conversation.contact_id))
        link = Link(
            id=f"link-{one}-{two}", one=one, other=two, state=state, cause=cause, kind=None, at=SINCE, said_by="system"
        )
        self.tx.identities.put_link(link)

    def asks(
        self, day: float, decision: DecisionKind = ALONE, state: TurnState = TurnState.ANSWERED, **more: Any
    ) -> Turn:
        at = SINCE + day * DAY
        fields = {"topic": "orders", "agent_version": "v1", "created_at": at, "decided_at": at, **more}
        turn: Turn = self.make.turn(
            self.tx,
            conversation_id=self.conversation.id,
            decision=decision,
            state=state,
            due_at=None,
            finished_at=at + timedelta(minutes=1),
            **fields,
        )
        return turn

    def says(self, turn: Turn, *kinds: FeedbackKind) -> None:
        for kind in kinds:
            self.tx.feedback.add(Feedback(turn_id=turn.id, kind=kind, by="customer", at=turn.created_at + HOUR))

    def is_written_to(self, day: float) -> None:
        self.make.message(
            self.tx, conversation_id=self.conversation.id, author=Author.REVIEWER, at=SINCE + day * DAY, turn_id=None
        )


@pytest.fixture
def history(commit: Commit, make: Any) -> Callable[[Callable[[Callable[[], Customer]], None]], None]:
    return lambda tell: commit(lambda tx: tell(lambda: Customer(make, tx)))


def counted(store: SqlStore, part: Part | None = None, *, within: timedelta = WEEK, days: float = 10) -> Any:
    tallies = store.read_now(
        lambda tx: tx.figures.last_answers(SINCE, SINCE + days * DAY, part or Part(), within=within, now=NOW)
    )
    alone: Counter[str] = Counter()
    people: Counter[str] = Counter()
    for one in tallies:
        (alone if one.alone else people)[one.outcome.value] += one.answers
    return dict(alone), dict(people)


def test_an_empty_store_has_no_answers(store: SqlStore) -> None:
    assert counted(store) == ({}, {})


def test_every_matter_has_one_outcome_by_who_answered_last(store: SqlStore, history: Any) -> None:
    def tell(customer: Callable[[], Customer]) -> None:
        customer().asks(0)  # silence
        content = customer()
        content.says(content.asks(1), FeedbackKind.THUMBS_UP)
        bad = customer()
        bad.says(bad.asks(1), FeedbackKind.THUMBS_UP, FeedbackKind.COMPLAINT)  # the last word is not known: it is bad
        back = customer()
        back.says(back.asks(2), FeedbackKind.THUMBS_UP)
        back.elsewhere()
        back.asks(5, HOLD)  # they came back, and then a person settled it
        customer().asks(1, HAND_OFF)
        customer().asks(1, HAND_OFF, TurnState.HANDED_OFF)  # nobody answered: no answer
        customer().asks(1, DecisionKind.DEGRADE)  # nor is a safe reply one

    history(tell)
    assert counted(store) == ({"silent": 1, "confirmed": 1, "bad": 1, "back": 1}, {"silent": 2})


def test_a_conversation_that_goes_on_has_one_last_answer(store: SqlStore, history: Any) -> None:
    def tell(customer: Callable[[], Customer]) -> None:
        talks = customer()
        for minute in range(5):
            talks.asks(minute * 10 / 1440)
        talks.asks(50 / 1440, HAND_OFF)

    history(tell)
    assert counted(store) == ({}, {"silent": 1})


def test_another_topic_is_another_matter(store: SqlStore, history: Any) -> None:
    def tell(customer: Callable[[], Customer]) -> None:
        talks = customer()
        talks.asks(0)
        talks.asks(1, topic="returns")
        talks.asks(2, topic=None)

    history(tell)
    assert counted(store) == ({"silent": 3}, {})


@pytest.mark.parametrize(
    ("days_later", "outcome"), [(0.05, "back"), (6.9, "back"), (7.1, "silent")], ids=["soon", "in time", "too late"]
)
def test_who_comes_back_does_so_in_time(store: SqlStore, history: Any, days_later: float, outcome: str) -> None:
    def tell(customer: Callable[[], Customer]) -> None:
        one = customer()
        one.asks(0)
        one.asks(days_later, HOLD)

    history(tell)
    assert counted(store, days=0.01) == ({outcome: 1}, {})


def test_who_comes_back_after_the_time_asked_for_is_seen(store: SqlStore, history: Any) -> None:
    def tell(customer: Callable[[], Customer]) -> None:
        one = customer()
        one.asks(9.9)
        one.asks(16, HOLD)

    history(tell)
    assert counted(store) == ({"back": 1}, {})


def test_answers_of_the_last_days_are_too_early_to_count(store: SqlStore, history: Any) -> None:
    def tell(customer: Callable[[], Customer]) -> None:
        customer().asks(35)
        customer().asks(30)

    history(tell)
    assert counted(store, days=40) == ({"early": 1, "silent": 1}, {})


def test_a_person_who_writes_after_the_agent_gave_the_last_answer(store: SqlStore, history: Any) -> None:
    def tell(customer: Callable[[], Customer]) -> None:
        taken_over = customer()
        taken_over.asks(0)
        taken_over.is_written_to(0.1)
        made_good = customer()
        made_good.says(made_good.asks(0), FeedbackKind.COMPLAINT)
        made_good.is_written_to(1)  # what they complained of stays the agent's

    history(tell)
    assert counted(store) == ({"bad": 1}, {"silent": 1})


@pytest.mark.parametrize("how_many", [2, 3, 5])
def test_who_comes_back_over_another_channel_is_the_same_person(store: SqlStore, history: Any, how_many: int) -> None:
    def tell(customer: Callable[[], Customer]) -> None:
        known = [customer() for _ in range(how_many)]
        for one, other in zip(known[1:], known[:-1], strict=True):
            one.is_also(other)
        known[0].asks(0)
        known[-1].asks(2, HOLD)
        customer().asks(0)  # a stranger

    history(tell)
    assert counted(store) == ({"back": 1, "silent": 1}, {"silent": 1})


@pytest.mark.parametrize(
    ("cause", "state"),
    [
        (LinkCause.PERSON, LinkState.LINKED),
        (LinkCause.CLAIM, LinkState.PROPOSED),
        (LinkCause.HANDLE, LinkState.APART),
    ],
)
def test_who_is_only_thought_to_be_the_same_is_another(
    store: SqlStore, history: Any, cause: LinkCause, state: LinkState
) -> None:
    def tell(customer: Callable[[], Customer]) -> None:
        one, other = customer(), customer()
        one.is_also(other, cause, state)
        one.asks(0)
        other.asks(2, HOLD)

    history(tell)
    assert counted(store) == ({"silent": 1}, {"silent": 1})


def test_parts_are_of_the_answers_and_not_of_who_comes_back(store: SqlStore, history: Any) -> None:
    def tell(customer: Callable[[], Customer]) -> None:
        one = customer()
        one.asks(0)
        one.asks(2, HOLD, agent_version="v2")

    history(tell)
    assert counted(store, Part(release="v1")) == ({"back": 1}, {})
    assert counted(store, Part(release="v2")) == ({}, {"silent": 1})
    assert counted(store, Part(topic="returns")) == ({}, {})
    assert counted(store, Part(channel="webchat", topic="orders")) == ({"back": 1}, {"silent": 1})


def test_nobody_behind_a_turn_is_nobody_who_comes_back(store: SqlStore, history: Any) -> None:
    def tell(customer: Callable[[], Customer]) -> None:
        one = customer()
        one.asks(0)
        one.asks(1, HOLD, TurnState.SUPERSEDED)
        one.asks(2, HOLD, TurnState.SPENT)

    history(tell)
    assert counted(store) == ({"silent": 1}, {})


def test_outcomes_of_all_kinds_are_named() -> None:
    assert {one.value for one in Outcome} == {"back", "bad", "confirmed", "silent", "early"}
