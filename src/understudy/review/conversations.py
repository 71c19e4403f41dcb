"""A person in a conversation: take over, write, hand back to the agent. It gives no verdict on a draft.

What each comes to, and what is refused, is the table's in `records/answering.py`.
"""

from __future__ import annotations

from collections.abc import Callable

from understudy.assessment.cards import mask_cards
from understudy.effects.handing_back import ask_again, keep_note
from understudy.effects.handing_off import asked_of, end_hand_off, set_mode
from understudy.effects.holds import close_hold
from understudy.effects.sending import queue_message
from understudy.effects.trust import cap_contact, lift_wish
from understudy.errors import Conflict, InputError
from understudy.ports.clock import Clock
from understudy.ports.store import Store, Transaction
from understudy.records.answering import Effect, Event, is_others, taking
from understudy.records.conversation import Author, Conversation, Mode
from understudy.records.outbox import OutboxEntry
from understudy.records.review import HoldKind, HoldState, VerdictKind
from understudy.records.text import storable
from understudy.records.trust import CapCause
from understudy.records.turn import TurnState
from understudy.review.second import unblind
from understudy.review.seed_verdicts import settle_seed

Along = Callable[[Transaction], None]
"""Something that is done in the same transaction, after it, or not at all."""
NOTE_CHARS_MAX = 2_000


class Conversations:
    """Lets people write to customers themselves."""

    def __init__(self, store: Store, clock: Clock, *, text_chars_max: int = 20_000) -> None:
        self._store = store
        self._clock = clock
        self._text_chars_max = text_chars_max

    async def take_over(
        self, conversation_id: str, *, reviewer: str, take_from: str | None = None, along: Along | None = None
    ) -> Conversation:
        """Give the conversation to this reviewer; drafts on hold become void, because a person answers now.

        Raises `TakenByOther` where another person has it who is not named in `take_from`, and `Conflict` where whoever is
        named does not have it.
        """

        def step(tx: Transaction) -> Conversation:
            conversation = tx.conversations.get(conversation_id)
            self._take(tx, conversation, taking(conversation, reviewer, take_from), reviewer)
            if along is not None:
                along(tx)
            return tx.conversations.get(conversation_id)

        return await self._store.write(step)

    async def answered_elsewhere(
        self, conversation_id: str, *, reviewer: str, along: Along | None = None
    ) -> Conversation:
        """Take down that somebody answered the customer in a place of their own: that is so, whoever had the conversation."""

        def step(tx: Transaction) -> Conversation:
            self._take(tx, tx.conversations.get(conversation_id), Event.ANSWERS_ELSEWHERE, reviewer)
            if along is not None:
                along(tx)
            return tx.conversations.get(conversation_id)

        return await self._store.write(step)

    def _take(self, tx: Transaction, conversation: Conversation, event: Event, reviewer: str) -> None:
        does = asked_of(tx, conversation, event)
        if Effect.NOTICED in does:
            self._take_over_rehearsal(tx, conversation.id, reviewer)
            return
        if Effect.VOID_DRAFT in does:
            self._void_drafts(tx, conversation.id, reviewer)
        if Effect.CLOSE in does:
            end_hand_off(tx, self._clock, conversation.id, actor=reviewer)
        if Effect.CAP in does:
            cap_contact(tx, self._clock, conversation.id, CapCause.TAKEN_OVER, turn_id=None, actor=reviewer)
        set_mode(tx, self._clock, conversation.id, Mode.PERSON, taken_by=reviewer, actor=reviewer)
        unblind(tx, conversation.id, reviewer)

    def _void_drafts(self, tx: Transaction, conversation_id: str, reviewer: str) -> None:
        for turn in tx.turns.open_of(conversation_id):
            if turn.state is TurnState.HELD:
                tx.turns.advance(turn, TurnState.HANDED_OFF, finished_at=self._clock.now())
        for hold in tx.holds.open_of_conversation(conversation_id):
            if hold.kind is HoldKind.DRAFT:
                close_hold(tx, self._clock, hold, HoldState.DECIDED, actor=reviewer)

    def _take_over_rehearsal(self, tx: Transaction, conversation_id: str, reviewer: str) -> None:
        """A reviewer who takes over rather than let a planted draft out has noticed it; there is nobody to talk to."""
        for hold in tx.holds.open_of_conversation(conversation_id):
            turn = tx.turns.get(hold.turn_id)
            if turn.state is TurnState.REDRAFTED:
                raise Conflict("nobody is behind this conversation: a new version drafted for a turn of the past")
            settle_seed(tx, self._clock, turn, kind=VerdictKind.TAKE_OVER, is_caught=True, reviewer=reviewer)
            close_hold(tx, self._clock, hold, HoldState.DECIDED, actor=reviewer)

    async def say(self, conversation_id: str, text: str, *, reviewer: str) -> OutboxEntry:
        """Send a person's own words, card numbers masked; raises `Conflict` unless the conversation is with a person, and
        `TakenByOther` where that is another one."""
        if not text.strip():
            raise InputError("`text` is empty; write what the customer shall read")
        if len(text) > self._text_chars_max:
            raise InputError(f"text has {len(text)} characters; at most {self._text_chars_max} are taken")
        words, _ = mask_cards(storable(text))

        def step(tx: Transaction) -> OutboxEntry:
            conversation = tx.conversations.get(conversation_id)
            does = asked_of(
                tx, conversation, Event.WRITES_UNASKED if is_others(conversation, reviewer) else Event.WRITES
            )
            if Effect.TO_PERSON in does:
                set_mode(tx, self._clock, conversation_id, Mode.PERSON, taken_by=reviewer, actor=reviewer)
            unblind(tx, conversation_id, reviewer)
            latest = tx.turns.latest_of(conversation_id)
            waiting = latest if latest is not None and latest.state is TurnState.HANDED_OFF else None
            if waiting is not None:
                tx.turns.advance(waiting, TurnState.DELIVERING)
            if Effect.CLOSE in does:
                end_hand_off(tx, self._clock, conversation_id, actor=reviewer)
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

    async def hand_back(
        self, conversation_id: str, *, reviewer: str, note: str | None = None, take_from: str | None = None
    ) -> Conversation:
        """Let the agent answer again: from the customer's next message on, and what waits for a person that nobody has answered yet.
        So the hand-off is over, and nobody is forgotten.

        Who asked for a person had one, who says by this that the agent may go on. What went badly stays remembered. `note`: what
        was done beside writing, such as on the phone; the agent is told, the customer is not. Raises `TakenByOther` where another
        person has it who is not named in `take_from`. Where the agent answers already nothing changes.
        """
        if note is not None and len(note) > NOTE_CHARS_MAX:
            raise InputError(f"note has {len(note)} characters; at most {NOTE_CHARS_MAX} are taken")
        words = "" if note is None else mask_cards(storable(note.strip()))[0]

        def step(tx: Transaction) -> Conversation:
            conversation = tx.conversations.get(conversation_id)
            is_asked = not is_others(conversation, reviewer) or conversation.taken_by == take_from
            does = asked_of(tx, conversation, Event.HANDS_BACK if is_asked else Event.HANDS_BACK_UNASKED)
            if words and Effect.KEEP_NOTE in does:
                keep_note(tx, self._clock, conversation_id, words, by=reviewer)
            asked = ask_again(tx, self._clock, conversation_id, by=reviewer) if Effect.ASK_AGAIN in does else None
            if Effect.CLOSE in does:
                end_hand_off(tx, self._clock, conversation_id, actor=reviewer, answered_by=asked)
            if Effect.TO_AGENT in does:
                set_mode(tx, self._clock, conversation_id, Mode.AGENT, taken_by=None, actor=reviewer)
            if Effect.LIFT_WISH in does:
                lift_wish(tx, self._clock, conversation.contact_id, actor=reviewer)
            return tx.conversations.get(conversation_id)

        return await self._store.write(step)
