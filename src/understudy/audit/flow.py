"""The desk of an auditor: search, a turn's story, proofs and exports, over the store; what each of them is stands beside it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime
from functools import partial

from understudy.audit.exporting import (
    ENTRY_COLUMNS,
    TURN_COLUMNS,
    csv_text,
    entry_line,
    entry_row,
    json_text,
    turn_line,
    turn_row,
)
from understudy.audit.proving import Replay, prove_chain, prove_turn
from understudy.audit.searching import SLACK, find_entries, find_turns
from understudy.audit.story import story_of
from understudy.ports.clock import Clock
from understudy.ports.store import Store, Transaction
from understudy.records.ledger import LedgerEntry
from understudy.records.rulebook import Profile
from understudy.records.story import ChainProof, Story, TurnProofs
from understudy.records.trail import EntriesAsked, EntriesFound, ExportAsked, Form, TurnsAsked, TurnsFound, What

TURNS_AT_A_TIME = 50
ENTRIES_AT_A_TIME = 2_000
"""How much of an export is in memory at once."""


class Audit:
    """Answers auditors. Reads in short transactions, however much is asked for; `replay` decides a past turn again."""

    def __init__(self, store: Store, clock: Clock, business: Profile, replay: Replay) -> None:
        self._store = store
        self._clock = clock
        self._business = business
        self._replay = replay

    async def turns(self, asked: TurnsAsked, *, before: int | None = None, limit: int) -> TurnsFound:
        """Find turns, the latest first; raises `NotFound` for a turn asked for by its id."""
        return await self._store.read(lambda tx: find_turns(tx, asked, before=before, limit=limit))

    async def entries(self, asked: EntriesAsked, *, before: int | None = None, limit: int) -> EntriesFound:
        """Find ledger entries, the latest first."""
        return await self._store.read(lambda tx: find_entries(tx, asked, before=before, limit=limit))

    async def story(self, turn_id: str) -> Story:
        """Read all that is kept of a turn; raises `NotFound`."""
        return await self._store.read(lambda tx: story_of(tx, turn_id))

    async def prove_chain(self, *, after: int, limit: int) -> ChainProof:
        """Compute the hashes of a stretch of the ledger again."""
        return await self._store.read(lambda tx: prove_chain(tx, after=after, limit=limit))

    async def prove_turn(self, turn_id: str) -> TurnProofs:
        """Compare a turn with its ledger entries and decide it again; raises `NotFound`."""
        return await self._store.read(lambda tx: prove_turn(tx, turn_id, replay=self._replay))

    async def export(self, asked: ExportAsked, *, actor: str) -> AsyncIterator[str]:
        """Note in the ledger that somebody takes this out, then give it piece by piece; what comes after that is not in it."""
        head, last = await self._store.read(lambda tx: (tx.ledger.head_seq(), _last_position(tx)))
        await self._note(asked, actor)
        return self._turns(asked, last) if asked.what is What.TURNS else self._entries(asked, head)

    async def _note(self, asked: ExportAsked, actor: str) -> None:
        now = self._clock.now()

        def step(tx: Transaction) -> None:
            tx.ledger.append(
                "ledger.exported",
                at=now,
                actor=actor,
                what=asked.what.value,
                form=asked.form.value,
                since=None if asked.since is None else asked.since.isoformat(),
                until=None if asked.until is None else asked.until.isoformat(),
                masked=asked.is_masked,
                why=asked.reason,
            )

        await self._store.write(step)

    async def _turns(self, asked: ExportAsked, last: int) -> AsyncIterator[str]:
        if asked.form is Form.CSV:
            yield csv_text([TURN_COLUMNS])
        after = await self._first(asked, What.TURNS)
        while after < last:
            stories, after = await self._store.read(partial(_stories, after=after, last=last))
            fitting = [one for one in stories if _is_within(asked, one.turn.created_at)]
            lines = [turn_line(one, business=self._business, is_masked=asked.is_masked) for one in fitting]
            yield csv_text(map(turn_row, lines)) if asked.form is Form.CSV else json_text(lines)
            if _is_over(asked, [one.turn.created_at for one in stories]):
                return

    async def _entries(self, asked: ExportAsked, head: int) -> AsyncIterator[str]:
        if asked.form is Form.CSV:
            yield csv_text([ENTRY_COLUMNS])
        after = await self._first(asked, What.ENTRIES)
        while after < head:
            limit = min(ENTRIES_AT_A_TIME, head - after)
            entries = await self._store.read(partial(_ledger, after=after, limit=limit))
            if not entries:
                return
            after = entries[-1].seq
            lines = [entry_line(one) for one in entries if _is_within(asked, one.at)]
            yield csv_text(map(entry_row, lines)) if asked.form is Form.CSV else json_text(lines)
            if _is_over(asked, [one.at for one in entries]):
                return

    async def _first(self, asked: ExportAsked, what: What) -> int:
        """The number behind which it begins."""
        if asked.since is None:
            return 0
        moment = asked.since - SLACK
        if what is What.TURNS:
            return await self._store.read(lambda tx: tx.trail.position_before(moment))
        return await self._store.read(lambda tx: tx.trail.seq_before(moment))


def _last_position(tx: Transaction) -> int:
    latest = tx.trail.turns(limit=1)
    return latest[0].position if latest else 0


def _ledger(tx: Transaction, *, after: int, limit: int) -> list[LedgerEntry]:
    return tx.ledger.entries(after=after, limit=limit)


def _stories(tx: Transaction, *, after: int, last: int) -> tuple[list[Story], int]:
    turns = [turn for turn in tx.turns.listed(after=after, limit=TURNS_AT_A_TIME) if turn.position <= last]
    return [story_of(tx, turn.id) for turn in turns], turns[-1].position if turns else last


def _is_within(asked: ExportAsked, moment: datetime) -> bool:
    return (asked.since is None or moment >= asked.since) and (asked.until is None or moment < asked.until)


def _is_over(asked: ExportAsked, moments: list[datetime]) -> bool:
    return asked.until is not None and bool(moments) and min(moments) > asked.until + SLACK
