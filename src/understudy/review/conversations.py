"""A person in a conversation: take over, write, hand back to the agent. It gives no verdict on a draft."""

from __future__ import annotations

from collections.abc import Callable

from understudy.assessment.cards import mask_cards
from understudy.effects.handing_off import set_mode
from understudy.effects.holds import close_hold
from understudy.effects.sending import queue_message
from understudy.effects.trust import cap_contact, lift_cap
from understudy.errors import Conflict, InputError
from understudy.ports.clock import Clock
from understudy.ports.store import Store, Transaction
from understudy.records.conversation import Author, Conversation, Mode
from understudy.records.outbox import OutboxEntry
from understudy.records.review import HoldKind, HoldState, VerdictKind
from understudy.records.text import storable
from understudy.records.trust import CapCause
from understudy.records.turn import TurnState
from understudy.review.second import unblind
from understudy.review.seed_verdicts import settle_seed


class Conversations:
    """Lets people write to customers themselves."""

    def __init__(self, store: Store, clock: Clock, *, text_chars_max: int = 20_000) -> None:
        self._store = store
        self._clock = clock
        self._text_chars_max = text_chars_max

    async def take_over(
        self, conversation_id: str, *, reviewer: str, along: Callable[[Transaction], None] | None = None
    ) -> Conversation:
        """Give the conversation to this reviewer; drafts on hold become void, because a person answers now. `along` is done in
        the same transaction, after it."""

        def step(tx: Transaction) -> Conversation:
            now = self._clock.now()
            conversation = tx.conversations.get(conversation_id)
            if conversation.mode is Mode.REHEARSAL:
                self._take_over_rehearsal(tx, conversation_id, reviewer)
                return conversation
            for turn in tx.turns.open_of(conversation_id):
                if turn.state is TurnState.HELD:
                    tx.turns.advance(turn, TurnState.HANDED_OFF, finished_at=now)
            for hold in tx.holds.open_of_conversation(conversation_id):
                if hold.kind in (HoldKind.DRAFT, HoldKind.HAND_OFF):
                    close_hold(tx, self._clock, hold, HoldState.DECIDED, actor=reviewer)
            if conversation.mode is Mode.AGENT:
                cap_contact(tx, self._clock, conversation_id, CapCause.TAKEN_OVER, turn_id=None, actor=reviewer)
            set_mode(tx, self._clock, conversation_id, Mode.PERSON, taken_by=reviewer, actor=reviewer)
            unblind(tx, conversation_id, reviewer)
            if along is not None:
                along(tx)
            return tx.conversations.get(conversation_id)

        return await self._store.write(step)

    def _take_over_rehearsal(self, tx: Transaction, conversation_id: str, reviewer: str) -> None:
        """A reviewer who takes over rather than let a planted draft out has noticed it; there is nobody to talk to."""
        for hold in tx.holds.open_of_conversation(conversation_id):
            turn = tx.turns.get(hold.turn_id)
            if turn.state is TurnState.REDRAFTED:
                raise Conflict("nobody is behind this conversation: a new version drafted for a turn of the past")
            settle_seed(tx, self._clock, turn, kind=VerdictKind.TAKE_OVER, is_caught=True, reviewer=reviewer)
            close_hold(tx, self._clock, hold, HoldState.DECIDED, actor=reviewer)

    async def say(self, conversation_id: str, text: str, *, reviewer: str) -> OutboxEntry:
        """Send a person's own words, card numbers masked; raises `Conflict` unless the conversation is with a person."""
        if not text.strip():
            raise InputError("`text` is empty; write what the customer shall read")
        if len(text) > self._text_chars_max:
            raise InputError(f"text has {len(text)} characters; at most {self._text_chars_max} are taken")
        words, _ = mask_cards(storable(text))

        def step(tx: Transaction) -> OutboxEntry:
            conversation = tx.conversations.get(conversation_id)
            if conversation.mode is not Mode.PERSON:
                raise Conflict("the agent answers in this conversation; take it over before writing")
            if conversation.taken_by != reviewer:
                set_mode(tx, self._clock, conversation_id, Mode.PERSON, taken_by=reviewer, actor=reviewer)
            unblind(tx, conversation_id, reviewer)
            latest = tx.turns.latest_of(conversation_id)
            waiting = latest if latest is not None and latest.state is TurnState.HANDED_OFF else None
            if waiting is not None:
                tx.turns.advance(waiting, TurnState.DELIVERING)
            for hold in tx.holds.open_of_conversation(conversation_id):
                if hold.kind is HoldKind.HAND_OFF:
                    close_hold(tx, self._clock, hold, HoldState.DECIDED, actor=reviewer)
            return queue_message(
                tx,
                self._clock,
                conversation,
                turn_id=None if waiting is None else waiting.id,
                text=words,
                author=Author.REVIEWER,
                author_name=reviewer,
                ai_generated=False,
                actor=reviewer,
            )

        return await self._store.write(step)

    async def hand_back(self, conversation_id: str, *, reviewer: str) -> Conversation:
        """Let the agent answer again from the customer's next message on; what still waits for a person stays.

        Who asked for a person had one, who says by this that the agent may go on. What went badly stays remembered.
        """

        def step(tx: Transaction) -> Conversation:
            set_mode(tx, self._clock, conversation_id, Mode.AGENT, taken_by=None, actor=reviewer)
            conversation = tx.conversations.get(conversation_id)
            cap = tx.caps.of_contact(conversation.contact_id)
            if cap is not None and cap.cause is CapCause.WANTS_PEOPLE:
                lift_cap(tx, self._clock, conversation.contact_id, actor=reviewer)
            return conversation

        return await self._store.write(step)
