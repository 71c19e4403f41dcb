"""Erase a person: end what is under way for them, then take their words and addresses out of the store. The ledger stays whole.

Where the store is a file, it is written anew afterwards, since pages may hold older copies: that is ordered in the transaction that erases, and
done by a sweep that tries until it was, whoever is killed in between. It reaches what other contacts' turns were told of them, and nothing outside the store: suites on disk, a help desk, exports.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace

from understudy.effects.absence import NobodyHome
from understudy.effects.handing_off import give_to_person
from understudy.effects.holds import close_hold
from understudy.effects.identity import group_of
from understudy.errors import Conflict
from understudy.ports.clock import Clock
from understudy.ports.store import Store, Transaction
from understudy.records.acting import ActionState
from understudy.records.codec import load
from understudy.records.conversation import Conversation
from understudy.records.evidence import Elsewhere
from understudy.records.identity import ERASED_KIND
from understudy.records.outbox import OutboxState
from understudy.records.review import HoldState
from understudy.records.turn import SUPERSEDABLE, WORKING, Turn, TurnState

CONVERSATIONS_MAX = 10_000
ACTIONS_MAX = 1_000
UNDER_WAY = frozenset({ActionState.APPROVED, ActionState.EXECUTING, ActionState.UNKNOWN})
WHY = "erased"
PRIORITY = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Erased:
    """Whom it reached, and whom it left, though they are linked."""

    contacts: tuple[str, ...]
    left: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What a turn's agent was told of other channels, as far as it matters here: by whom it was said."""

    group: tuple[str, ...] = ()
    said: tuple[Elsewhere, ...] = ()


class Erasing:
    """What erases people. `scrub` writes the store's file anew; None where there is none."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        *,
        scrub: Callable[[], object] | None = None,
        nobody_home: NobodyHome | None = None,
    ) -> None:
        self._store = store
        self._clock = clock
        self._scrub = scrub
        self._nobody_home = nobody_home

    async def erase(self, contact_id: str, *, with_linked: bool, by: str) -> Erased:
        """Erase a contact, or everybody who is linked with them too, in one transaction.

        Raises `NotFound`, and `Conflict` where a reply is just being sent or an action carried out: then nothing is erased.
        """

        def step(tx: Transaction) -> Erased:
            tx.contacts.get(contact_id)
            group = group_of(tx, contact_id)
            reached = group if with_linked else (contact_id,)
            for one in reached:
                self._end(tx, one)
            for one in reached:
                self._forget_told(tx, one, by=by)
            for one in reached:
                tx.erasures.erase(one)
                tx.identities.forget(one)
                tx.ledger.append("contact.erased", at=self._clock.now(), actor=by, contact=one)
                if self._scrub is not None:
                    tx.erasures.order_rewrite(one, self._clock.now())
            return Erased(contacts=reached, left=tuple(one for one in group if one not in reached))

        return await self._store.write(step)

    @property
    def has_file(self) -> bool:
        """Whether there is a file to be written anew."""
        return self._scrub is not None

    async def sweep(self) -> int:
        """Write the store's file anew, where somebody was erased since, so that no byte of what was erased is left in it; takes as long as
        copying it. Returns for how many; 0 also where others keep it busy: then the next sweep does it."""
        due = await self._store.read(lambda tx: tx.erasures.rewrites(limit=CONVERSATIONS_MAX))
        if not due or self._scrub is None:
            return 0
        try:
            await asyncio.to_thread(self._scrub)
        except Conflict:
            return 0

        def step(tx: Transaction) -> None:
            tx.erasures.rewritten(due)
            for one in due:
                tx.ledger.append("contact.rewritten", at=self._clock.now(), contact=one)

        await self._store.write(step)
        return len(due)

    def _end(self, tx: Transaction, contact_id: str) -> None:
        """Let nothing go on for a contact."""
        for conversation in tx.conversations.of_contact(contact_id, limit=CONVERSATIONS_MAX):
            acting = tx.actions.of_conversation(conversation.id, limit=ACTIONS_MAX)
            if any(entry.state in UNDER_WAY for entry in acting):
                raise Conflict(f"an action is under way in {conversation.id}; settle it first (understudy actions)")
            self._end_sending(tx, conversation)
            for hold in tx.holds.open_of_conversation(conversation.id):
                close_hold(tx, self._clock, hold, HoldState.SUPERSEDED, superseded_by=WHY)
            self._end_turns(tx, conversation)

    def _end_sending(self, tx: Transaction, conversation: Conversation) -> None:
        for entry in tx.outbox.open_of(conversation.id):
            if entry.state is OutboxState.SENDING:
                raise Conflict(f"a reply is being sent in {conversation.id}; try again in a minute")
            dropped = replace(entry, state=OutboxState.DROPPED, due_at=None, last_error=WHY)
            tx.outbox.change(dropped, attempts=entry.attempts)

    def _end_turns(self, tx: Transaction, conversation: Conversation) -> None:
        now = self._clock.now()
        for turn in tx.turns.open_of(conversation.id):
            to = TurnState.SUPERSEDED if turn.state in SUPERSEDABLE else TurnState.HANDED_OFF
            tx.turns.advance(turn, to, due_at=None, finished_at=now)

    def _forget_told(self, tx: Transaction, contact_id: str, *, by: str) -> None:
        """What turns of others were told of what this contact said goes too, with all that rests on it."""
        now = self._clock.now()
        for link in tx.identities.links_of(contact_id):
            for turn_id in tx.erasures.turns_told(link.beyond(contact_id)):
                told = tx.artifacts.get(turn_id, "elsewhere")
                if told is None or contact_id not in load(Told, told).group:
                    continue
                self._end_draft(tx, tx.turns.get(turn_id))
                tx.erasures.forget_turn(turn_id)
                tx.artifacts.put(turn_id, ERASED_KIND, "{}")
                tx.ledger.append("turn.forgotten", at=now, turn_id=turn_id, actor=by, contact=contact_id)

    def _end_draft(self, tx: Transaction, turn: Turn) -> None:
        """A draft that rests on what is erased is decided on by nobody; its customer still waits, for a person."""
        if turn.state in WORKING:
            raise Conflict(f"turn {turn.id} was told of them and is being worked on; try again in a minute")
        if turn.state is not TurnState.HELD:
            return
        now = self._clock.now()
        for hold in tx.holds.open_of_turn(turn.id):
            close_hold(tx, self._clock, hold, HoldState.SUPERSEDED, superseded_by=WHY)
        turn = tx.turns.advance(turn, TurnState.HANDED_OFF, due_at=None, finished_at=now)
        give_to_person(
            tx,
            self._clock,
            turn,
            reasons=("agent_failed",),
            priority=PRIORITY,
            expires_after_s=None,
            nobody_home=self._nobody_home,
        )
