"""What a stream tells a reviewer, and what only auditors hear."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from understudy.records.access import Caller, Scope
from understudy.records.ledger import LedgerEntry
from understudy.web.events import is_told

REVIEWER = Caller(id="user:rosa", name="Rosa", scopes=(Scope.HOLDS_READ, Scope.HOLDS_WRITE))
AUDITOR = Caller(id="user:ada", name="Ada", scopes=(Scope.HOLDS_READ, Scope.LEDGER_READ))


def entry(event: str) -> LedgerEntry:
    return LedgerEntry(
        seq=1,
        at=datetime(2026, 5, 2, tzinfo=UTC),
        event=event,
        turn_id=None,
        conversation_id=None,
        actor="Ada",
        body="{}",
        previous="",
        hash="",
    )


@pytest.mark.parametrize("event", ["ledger.exported", "review.verdict_waiting", "seed.planted", "session.opened"])
def test_reviewers_do_not_hear_of_what_auditors_and_administrators_do(event: str) -> None:
    assert not is_told(entry(event), REVIEWER)
    assert is_told(entry(event), AUDITOR)


@pytest.mark.parametrize("event", ["hold.deciding", "hold.reopened", "autonomy.stopped"])
def test_reviewers_hear_of_what_happens_to_holds(event: str) -> None:
    assert is_told(entry(event), REVIEWER)
