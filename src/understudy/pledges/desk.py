"""Pledges as people work with them: listed, added, kept, put off, withdrawn; and told of before their deadline passes.

Nothing here is sent. Whoever is told finds the conversation on a hand-off hold; a deadline that passed makes a pledge broken,
and it still has to be kept.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime
from typing import Final

from understudy.effects.handing_off import give_to_person
from understudy.effects.holds import hold_opened
from understudy.effects.pledging import add_pledge, end_pledge, tell_pledge, warned_at
from understudy.errors import Conflict, InputError
from understudy.ports.clock import Clock
from understudy.ports.store import Store, Transaction
from understudy.ports.telemetry import PledgeDue, Telemetry
from understudy.records.answering import Event
from understudy.records.conversation import Mode
from understudy.records.pledges import UNKEPT, Pledge, PledgeKind, PledgeState, PledgeTerms
from understudy.records.review import Hold
from understudy.records.text import storable

SWEEP_MAX: Final = 100
WORDS_CHARS_MAX: Final = 1_000
TOLD_PRIORITY: Final = 1


class PledgeDesk:
    """What people do with pledges, and what is done when one falls due."""

    def __init__(self, store: Store, clock: Clock, telemetry: Telemetry, *, terms: PledgeTerms) -> None:
        self._store = store
        self._clock = clock
        self._telemetry = telemetry
        self._terms = terms

    async def listed(self, states: Collection[PledgeState] = UNKEPT, *, limit: int) -> list[Pledge]:
        """Those in one of these states, the next due first."""
        return await self._store.read(lambda tx: tx.pledges.listed(states, limit=limit))

    async def add(
        self,
        conversation_id: str,
        words: str,
        *,
        by: str,
        kind: PledgeKind = PledgeKind.DO,
        due_at: datetime | None = None,
    ) -> Pledge:
        """Write down what a person pledged elsewhere, such as on the phone; raises `NotFound` or `InputError`."""
        words = storable(words).strip()
        if not words or len(words) > WORDS_CHARS_MAX:
            raise InputError(
                f"words must have 1 to {WORDS_CHARS_MAX} characters; say what was promised to the customer"
            )
        self._check_due(due_at)

        def step(tx: Transaction) -> Pledge:
            if tx.conversations.get(conversation_id).mode is Mode.REHEARSAL:
                raise Conflict(
                    "nobody is behind this conversation: it was made for reviewers, so nothing is owed in it"
                )
            return add_pledge(
                tx, self._clock, conversation_id, words, kind=kind, terms=self._terms, due_at=due_at, by=by
            )

        return await self._store.write(step)

    async def keep(self, pledge_id: str, *, by: str, note: str | None = None) -> Pledge:
        """Say that it was done; raises `NotFound`, or `Conflict` where it has ended already."""
        return await self._end(pledge_id, PledgeState.KEPT, by=by, note=note)

    async def withdraw(self, pledge_id: str, *, by: str, note: str) -> Pledge:
        """Say that it need not be done, and why; raises `NotFound`, `InputError`, or `Conflict` where it has ended already."""
        if not note.strip():
            raise InputError("`note` is empty; say why this need not be kept")
        return await self._end(pledge_id, PledgeState.WITHDRAWN, by=by, note=note)

    async def put_off(self, pledge_id: str, *, by: str, due_at: datetime) -> Pledge:
        """Give it another deadline, as agreed with the customer; one that was broken is open again."""
        self._check_due(due_at)

        def step(tx: Transaction) -> Pledge:
            pledge = _unkept(tx, pledge_id)
            warn_at = warned_at(self._clock.now(), due_at, self._terms)
            put = replace(pledge, version=pledge.version + 1, state=PledgeState.OPEN, due_at=due_at, warn_at=warn_at)
            tx.pledges.change(put, was=pledge.version)
            tell_pledge(tx, self._clock, "pledge.put_off", put, actor=by)
            return put

        return await self._store.write(step)

    async def sweep(self) -> int:
        """Tell people of what falls due, and say of what is late that it is broken; returns how many."""
        if not self._terms.is_on:
            return 0
        told: list[tuple[Pledge, Hold | None]] = []

        def step(tx: Transaction) -> None:
            told.clear()
            due = tx.pledges.due(self._clock.now(), limit=SWEEP_MAX)
            told.extend(self._tell(tx, pledge) for pledge in due)

        await self._store.write(step)
        for pledge, hold in told:
            self._telemetry.emit(
                PledgeDue(
                    pledge_id=pledge.id,
                    conversation_id=pledge.conversation_id,
                    kind=pledge.kind.value,
                    is_broken=pledge.state is PledgeState.BROKEN,
                    late_s=(self._clock.now() - pledge.due_at).total_seconds(),
                )
            )
            if hold is not None:
                self._telemetry.emit(hold_opened(hold))
        return len(told)

    def _tell(self, tx: Transaction, pledge: Pledge) -> tuple[Pledge, Hold | None]:
        told = replace(pledge, version=pledge.version + 1, warn_at=None)
        if pledge.due_at > self._clock.now():
            tx.pledges.change(told, was=pledge.version)
            tell_pledge(tx, self._clock, "pledge.due", told)
            return told, self._ask_people(tx, told, reasons=("pledge_due",))
        broken = replace(told, state=PledgeState.BROKEN)
        tx.pledges.change(broken, was=pledge.version)
        tell_pledge(tx, self._clock, "pledge.broken", broken)
        return broken, self._ask_people(tx, broken, reasons=("pledge_broken",))

    def _ask_people(self, tx: Transaction, pledge: Pledge, *, reasons: tuple[str, ...]) -> Hold | None:
        turn = tx.turns.latest_of(pledge.conversation_id)
        if turn is None or tx.conversations.get(pledge.conversation_id).mode is Mode.REHEARSAL:
            return None
        return give_to_person(
            tx,
            self._clock,
            turn,
            reasons=reasons,
            priority=TOLD_PRIORITY,
            expires_after_s=None,
            event=Event.PLEDGE_DUE,
        )

    async def _end(self, pledge_id: str, state: PledgeState, *, by: str, note: str | None) -> Pledge:
        return await self._store.write(
            lambda tx: end_pledge(
                tx, self._clock, _unkept(tx, pledge_id), state, by=by, note=None if note is None else storable(note)
            )
        )

    def _check_due(self, due_at: datetime | None) -> None:
        if due_at is not None and (due_at.tzinfo is None or due_at <= self._clock.now()):
            raise InputError(f"due_at {due_at.isoformat()} must lie ahead and have a UTC offset")


def _unkept(tx: Transaction, pledge_id: str) -> Pledge:
    pledge = tx.pledges.get(pledge_id)
    if pledge.state not in UNKEPT:
        raise Conflict(
            f"pledge {pledge_id} is {pledge.state.value} already; add another one if something is owed again"
        )
    return pledge
