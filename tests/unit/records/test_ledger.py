"""The chain of the ledger: any change of any field of any entry is found."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from understudy.records.ledger import GENESIS, LedgerEntry, chain, readable_body

START = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)
HASHED = [field.name for field in fields(LedgerEntry) if field.name != "hash"]


def ledger(length: int) -> list[LedgerEntry]:
    entries: list[LedgerEntry] = []
    for number in range(1, length + 1):
        values: dict[str, Any] = {
            "seq": number,
            "at": START + timedelta(microseconds=number),
            "event": "turn.decided",
            "turn_id": f"t-{number}",
            "conversation_id": None,
            "actor": "system",
            "body": '{"decision":"hold"}',
            "previous": entries[-1].hash if entries else GENESIS,
        }
        entries.append(LedgerEntry(**values, hash=chain(**values)))
    return entries


def is_intact(entries: list[LedgerEntry]) -> bool:
    previous = GENESIS
    for entry in entries:
        values = {name: getattr(entry, name) for name in HASHED}
        if entry.previous != previous or entry.hash != chain(**values):
            return False
        previous = entry.hash
    return True


def flipped(value: Any, place: int) -> Any:
    """Change a value by the smallest step."""
    match value:
        case None:
            return ""
        case int():
            return value ^ (1 << place % 8)
        case datetime():
            return value + timedelta(microseconds=1)
        case _:
            at = place % len(value)
            return value[:at] + chr(ord(value[at]) ^ 1) + value[at + 1 :]


def test_a_ledger_as_it_was_written_is_intact() -> None:
    assert is_intact(ledger(20))


@given(
    number=st.integers(0, 9),
    field=st.sampled_from([field.name for field in fields(LedgerEntry)]),
    at=st.integers(0, 63),
)
def test_any_flip_in_any_field_is_found(number: int, field: str, at: int) -> None:
    entries = ledger(10)
    entries[number] = replace(entries[number], **{field: flipped(getattr(entries[number], field), at)})
    assert not is_intact(entries)


@given(number=st.integers(0, 8))
def test_a_missing_entry_is_found(number: int) -> None:
    entries = ledger(10)
    del entries[number]
    assert not is_intact(entries)


@given(number=st.integers(0, 8))
def test_two_entries_in_the_wrong_order_are_found(number: int) -> None:
    entries = ledger(10)
    entries[number], entries[number + 1] = entries[number + 1], entries[number]
    assert not is_intact(entries)


def test_moving_text_from_one_field_to_the_next_changes_the_hash() -> None:
    values: dict[str, Any] = {
        "seq": 1,
        "at": START,
        "event": "ab",
        "turn_id": "c",
        "conversation_id": None,
        "actor": "x",
        "body": "{}",
        "previous": GENESIS,
    }
    assert chain(**values) != chain(**{**values, "event": "a", "turn_id": "bc"})


def test_the_hash_of_an_entry_is_pinned() -> None:
    """A ledger written by an older version must verify for ever."""
    assert ledger(1)[0].hash == "5e3ac8e3fd0ea0dc26701fa9e1df58c98ce0c1f5bd1944765232bfc74810554a"


def test_a_body_that_somebody_made_unreadable_tells_nothing() -> None:
    (entry,) = ledger(1)
    assert readable_body(entry) == {"decision": "hold"}
    assert [readable_body(replace(entry, body=body)) for body in ("{", "[1]", "")] == [{}, {}, {}]
