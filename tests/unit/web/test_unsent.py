"""The list of what was not sent tells nobody how a customer is reached, also where the provider quotes it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from understudy.records.conversation import Author
from understudy.records.outbox import OutboxEntry, OutboxState
from understudy.web.outbox import _row


@pytest.mark.parametrize(
    ("address", "error", "told"),
    [
        ("+493012345", "The 'To' number +493012345 is not valid", "The 'To' number ••• is not valid"),
        ("", "away", "away"),
        ("a", "away", "away"),
        ("+493012345", None, None),
    ],
)
def test_address_in_what_went_wrong_is_blotted_out(address: str, error: str | None, told: str | None) -> None:
    entry = OutboxEntry(
        id="out-1",
        seq=1,
        turn_id=None,
        conversation_id="conv-1",
        channel="sms",
        address=address,
        external_id=address,
        text="Tomorrow.",
        author=Author.AGENT,
        author_name=None,
        ai_generated=True,
        state=OutboxState.DEAD,
        attempts=1,
        due_at=None,
        last_error=error,
        created_at=datetime(2026, 5, 2, tzinfo=UTC),
    )
    assert _row(entry, None).last_error == told
