"""Find turns and ledger entries, the latest first. One look goes a bounded stretch back and says how far it came, so that it
costs the same in a store of any size; whoever wants more asks from there on.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from understudy.ports.store import Transaction
from understudy.records.ledger import LedgerEntry
from understudy.records.trail import EntriesAsked, EntriesFound, TurnsAsked, TurnSeen, TurnsFound

TURNS_LOOKED_AT_MAX = 4_000
TURNS_AT_A_TIME = 500
ENTRIES_LOOKED_AT_MAX = 50_000
SLACK = timedelta(seconds=30)
"""How far the clocks of processes may be apart, and so the moments of neighbouring rows out of order."""


def find_turns(tx: Transaction, asked: TurnsAsked, *, before: int | None, limit: int) -> TurnsFound:
    """Look for turns before a position (None: from the latest that is asked for)."""
    if asked.turn_id is not None:
        return _by_name(tx, asked)
    if before is None and asked.until is not None:
        before = tx.trail.position_before(asked.until + SLACK) + 1
    found: list[TurnSeen] = []
    looked, back_to = 0, None
    while looked < TURNS_LOOKED_AT_MAX:
        if before is not None and before <= 1:
            return TurnsFound(turns=tuple(found), next=None, looked_back_to=back_to)
        seen = _stretch(tx, asked, before)
        texts = _texts(tx, asked, seen)
        for one in seen:
            before, back_to = one.turn.position, one.turn.created_at
            if asked.since is not None and one.turn.created_at < asked.since - SLACK:
                return TurnsFound(turns=tuple(found), next=None, looked_back_to=asked.since)
            if fits(one, asked, texts.get(one.turn.position, ())):
                found.append(one)
                if len(found) == limit:
                    return TurnsFound(turns=tuple(found), next=before, looked_back_to=back_to)
        looked += len(seen)
        if len(seen) < TURNS_AT_A_TIME:
            return TurnsFound(turns=tuple(found), next=None, looked_back_to=back_to)
    return TurnsFound(turns=tuple(found), next=before, looked_back_to=back_to)


def _by_name(tx: Transaction, asked: TurnsAsked) -> TurnsFound:
    assert asked.turn_id is not None, "asked by name"
    turn = tx.turns.get(asked.turn_id)
    seen = tx.trail.turns_of(turn.conversation_id, before=turn.position + 1, limit=1)
    return TurnsFound(turns=tuple(seen), next=None, looked_back_to=None)


def _stretch(tx: Transaction, asked: TurnsAsked, before: int | None) -> list[TurnSeen]:
    if asked.conversation_id is not None:
        return tx.trail.turns_of(asked.conversation_id, before=before, limit=TURNS_AT_A_TIME)
    return tx.trail.turns_seen(before=before, limit=TURNS_AT_A_TIME)


def _texts(tx: Transaction, asked: TurnsAsked, seen: list[TurnSeen]) -> Mapping[int, Sequence[str]]:
    if not asked.words or not seen:
        return {}
    return tx.trail.texts(after=seen[-1].turn.position - 1, until=seen[0].turn.position)


def fits(one: TurnSeen, asked: TurnsAsked, texts: Sequence[str]) -> bool:
    """Whether a turn is one of those that are asked for."""
    turn = one.turn
    return (
        (asked.since is None or turn.created_at >= asked.since)
        and (asked.until is None or turn.created_at < asked.until)
        and (asked.channel is None or turn.channel == asked.channel)
        and (asked.topic is None or turn.topic == asked.topic)
        and (asked.decision is None or turn.decision is asked.decision)
        and (asked.state is None or turn.state is asked.state)
        and (not asked.customer or is_customer(one, asked.customer))
        and (not asked.words or has_words(texts, asked.words))
    )


def is_customer(one: TurnSeen, asked: str) -> bool:
    """Whether the customer is meant, by part of a name or address, or by at least four digits of a number."""
    wanted = folded(asked)
    digits = "".join(letter for letter in asked if letter.isdigit())
    has_number = len(digits) >= 4 and digits in "".join(letter for letter in one.phone or "" if letter.isdigit())
    return has_number or any(wanted in folded(known) for known in (one.customer, one.email) if known)


def has_words(texts: Sequence[str], asked: str) -> bool:
    """Whether every word asked for stands somewhere in these texts, whatever its capitals and accents."""
    said = [folded(text) for text in texts]
    return all(any(word in text for text in said) for word in folded(asked).split())


def folded(text: str) -> str:
    """Text without capitals and accents, so that `muller` finds Müller."""
    if text.isascii():
        return text.lower()
    apart = unicodedata.normalize("NFKD", text.casefold())
    return "".join(letter for letter in apart if not unicodedata.combining(letter))


def find_entries(tx: Transaction, asked: EntriesAsked, *, before: int | None, limit: int) -> EntriesFound:
    """Look for ledger entries before a number (None: from the latest that is asked for)."""
    if asked.turn_id is not None:
        return _of_turn(tx, asked, before=before, limit=limit)
    head = tx.ledger.head_seq() + 1
    if before is None:
        before = head if asked.until is None else tx.trail.seq_before(asked.until + SLACK) + 1
    before = min(before, head)
    floor = 0 if asked.since is None else tx.trail.seq_before(asked.since - SLACK)
    after = max(floor, before - 1 - ENTRIES_LOOKED_AT_MAX, 0)
    narrowed = {"event": asked.event, "actor": asked.actor, "conversation_id": asked.conversation_id}
    found = tx.trail.entries(before=before, after=after, limit=limit, **narrowed) if before > 1 else []
    kept = tuple(entry for entry in found if _is_within(entry, asked))
    reached = found[-1].seq if len(found) == limit else after + 1
    next_before = reached if reached > floor + 1 else None
    return EntriesFound(entries=kept, next=next_before, looked_back_to=_moment(tx, reached))


def _of_turn(tx: Transaction, asked: EntriesAsked, *, before: int | None, limit: int) -> EntriesFound:
    assert asked.turn_id is not None, "asked by turn"
    entries = tx.trail.entries_of(asked.turn_id, limit=ENTRIES_LOOKED_AT_MAX)
    fitting = [
        entry
        for entry in reversed(entries)
        if _is_within(entry, asked)
        and (before is None or entry.seq < before)
        and (asked.event is None or entry.event == asked.event)
        and (asked.actor is None or entry.actor == asked.actor)
    ]
    page = tuple(fitting[:limit])
    return EntriesFound(entries=page, next=page[-1].seq if len(fitting) > limit else None, looked_back_to=None)


def _is_within(entry: LedgerEntry, asked: EntriesAsked) -> bool:
    is_late_enough = asked.since is None or entry.at >= asked.since
    return is_late_enough and (asked.until is None or entry.at < asked.until)


def _moment(tx: Transaction, seq: int) -> datetime | None:
    entries = tx.ledger.entries(after=seq - 1, limit=1)
    return entries[0].at if entries else None
