"""Win-backs in every store: which are missing, which are open, and what followed them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from understudy.adapters.stores.sql_store import SqlStore
from understudy.records.survey import Scale, Survey, SurveyState
from understudy.records.trust import Cap, CapCause
from understudy.records.turn import TurnState
from understudy.records.win_back import CAUSES, OPEN_STATES, WhyNone, WinBack, WinBackState, WinBackTally

NOW = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
DAY = timedelta(days=1)
Commit = Callable[[Callable[..., Any]], Any]


def win_back(name: str, **more: Any) -> WinBack:
    made = WinBack(
        id=name,
        contact_id="contact-1",
        conversation_id="conv-1",
        turn_id=f"turn-{name}",
        cause=CapCause.COMPLAINT,
        state=WinBackState.NOTICED,
        at=NOW,
    )
    return replace(made, **more)


def test_what_is_written_is_read_again_and_replaced(store: SqlStore, commit: Commit) -> None:
    whole = win_back(
        "one", hold_id="h", text_id="sorry@1", language="en", text="{reviewer}", facts="{}", shut_at=NOW, settled_at=NOW,
        by="rosa", why=WhyNone.ANSWERED, state=WinBackState.VOID,
    )  # fmt: skip
    commit(lambda tx: tx.win_backs.put(win_back("one", hold_id="h")))
    commit(lambda tx: tx.win_backs.put(whole))
    assert store.read_now(lambda tx: tx.win_backs.of_hold("h")) == whole
    assert store.read_now(lambda tx: tx.win_backs.of_hold("other")) is None
    assert store.read_now(lambda tx: tx.win_backs.listed(OPEN_STATES, limit=9)) == []


def test_caps_that_nobody_looked_at_are_missing(store: SqlStore, commit: Commit) -> None:
    def cap(contact: str, cause: CapCause = CapCause.COMPLAINT, **more: Any) -> Cap:
        return Cap(**{"contact_id": contact, "cause": cause, "turn_id": f"turn-{contact}", "at": NOW, **more})

    def step(tx: Any) -> None:
        tx.caps.put(cap("a"))
        tx.caps.put(cap("b", CapCause.REJECTED, at=NOW - timedelta(hours=1)))
        tx.caps.put(cap("old", at=NOW - 4 * DAY))
        tx.caps.put(cap("people", CapCause.WANTS_PEOPLE))
        tx.caps.put(cap("turnless", turn_id=None))
        tx.caps.put(cap("known"))
        tx.win_backs.put(win_back("known", contact_id="known"))

    commit(step)

    def missing(causes: Any, limit: int = 9) -> list[str]:
        found = store.read_now(lambda tx: tx.win_backs.missing(causes, NOW - 3 * DAY, limit=limit))
        return [one.contact_id for one in found]

    assert missing(CAUSES) == ["b", "a"]
    assert missing(CAUSES, 1) == ["b"]
    assert missing([CapCause.REJECTED]) == ["b"]
    assert missing([]) == []


@pytest.mark.parametrize("sent", [True, False])
def test_what_followed_is_counted_from_when_it_was_settled(
    store: SqlStore, commit: Commit, make: Any, sent: bool
) -> None:
    state = WinBackState.SENT if sent else WinBackState.SKIPPED

    def one(tx: Any, *, back_after: float | None = None, score: int | None = None, days_ago: float = 20) -> None:
        settled = NOW - days_ago * DAY
        turn = make.turn(tx, topic="orders", state=TurnState.ANSWERED, created_at=settled - DAY)
        conversation = tx.conversations.get(turn.conversation_id)
        own = win_back(turn.id, contact_id=conversation.contact_id, turn_id=turn.id, at=settled, state=state)
        tx.win_backs.put(replace(own, conversation_id=conversation.id, settled_at=settled))
        if back_after is not None:
            other = make.conversation(tx, contact_id=conversation.contact_id)
            at = settled + back_after * DAY
            make.turn(tx, topic="orders", conversation_id=other.id, created_at=at)
            make.turn(tx, topic="returns", conversation_id=other.id, created_at=settled + DAY)
        if score is not None:
            tx.surveys.put(
                Survey(
                    turn_id=turn.id, contact_id=conversation.contact_id, conversation_id=conversation.id, channel="webchat",
                    topic="orders", alone=True, scale=Scale.SCORE, question="en@1", state=SurveyState.ANSWERED, outbox_id=None,
                    at=settled, score=score, answered_at=settled + DAY,
                )
            )  # fmt: skip

    def step(tx: Any) -> None:
        one(tx)
        one(tx, back_after=3, score=2)
        one(tx, back_after=15)  # after what is looked at
        one(tx, score=5)
        one(tx, days_ago=3)
        tx.win_backs.put(win_back("open"))

    commit(step)
    found = store.read_now(lambda tx: tx.win_backs.counted(NOW - 30 * DAY, NOW, within=timedelta(days=14), now=NOW))
    assert set(found) == {
        WinBackTally(sent=sent, early=False, back=False, score=None, outcomes=2),
        WinBackTally(sent=sent, early=False, back=True, score=2, outcomes=1),
        WinBackTally(sent=sent, early=False, back=False, score=5, outcomes=1),
        WinBackTally(sent=sent, early=True, back=False, score=None, outcomes=1),
    }
    assert store.read_now(lambda tx: tx.win_backs.counted(NOW - DAY, NOW, within=DAY, now=NOW)) == []
