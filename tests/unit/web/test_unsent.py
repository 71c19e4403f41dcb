"""The list of what was not sent tells nobody how a customer is reached, also where the provider quotes it."""

from __future__ import annotations

import pytest

from replies import reply
from understudy.records.outbox import OutboxState
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
    entry = reply(address=address, external_id=address, state=OutboxState.DEAD, last_error=error)
    assert _row(entry, None).last_error == told
