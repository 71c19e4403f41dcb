"""A customer's message in: deduplicated, masked, stored, joined to a turn, in one transaction; it answers nothing.

What comes back means "safely stored": the web face acknowledges only then. A message that arrives while a draft is in
the making or on hold makes that draft void: its turn is superseded, and a new one answers all that was asked.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from understudy.assessment.cards import mask_all
from understudy.effects.absence import NobodyHome
from understudy.effects.handing_off import give_to_person
from understudy.effects.holds import close_hold, hold_opened
from understudy.effects.taking_along import Nobody, TakesAlong
from understudy.effects.trust import cap_contact
from understudy.effects.vouching import Proofs
from understudy.errors import Overloaded
from understudy.ports.clock import Clock
from understudy.ports.store import Store, Transaction
from understudy.ports.telemetry import HoldClosed, MessageReceived, Telemetry, TurnSuperseded
from understudy.records.codec import build, canonical, dump, plain
from understudy.records.conversation import Author, Conversation, Inbound, Message, Mode
from understudy.records.evidence import NO_FACTS, ChatMessage, ContactFacts, Draft
from understudy.records.review import Hold, HoldKind, HoldState
from understudy.records.text import storable_record
from understudy.records.trust import CapCause
from understudy.records.turn import SUPERSEDABLE, TURN_JOB, Job, Turn, TurnState
from understudy.turn.admitting import IntakeLimits, fitted, refuse_overlong
from understudy.turn.asides import Asides
from understudy.turn.coalescing import CoalescingLimits, window_s
from understudy.turn.gathering import fit_draft, masked_call
from understudy.turn.known_by import note_who
from understudy.turn.threads import continued

RETRY_AFTER_S = 5
NONE_BESIDE = Asides()
GAPS_LOOKED_AT = 12
UNREADABLE_PRIORITY = 3
"""Of a message that no agent can answer: before drafts, after what went wrong."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """What became of an inbound message; `turn_id` is empty for one that belongs to no turn."""

    message: Message
    turn_id: str
    is_duplicate: bool
    is_other_draft: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Superseded:
    """A turn that a newer message made void, and the hold that went with it."""

    turn: Turn
    by: str
    hold_id: str | None
    hold_age_s: float


class Intake:
    """Takes messages in. `following` drafts what is to be drafted at once; None: whoever hears of it does. `proofs`: what
    channels vouch for; `asides`: the messages that begin no turn."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        telemetry: Telemetry,
        *,
        limits: IntakeLimits,
        coalescing: CoalescingLimits,
        following: TakesAlong | None = None,
        proofs: Proofs = lambda _channel: "none",
        asides: Asides = NONE_BESIDE,
        nobody_home: NobodyHome | None = None,
    ) -> None:
        self._store = store
        self._clock = clock
        self._telemetry = telemetry
        self._limits = limits
        self._proofs = proofs
        self._coalescing = coalescing
        self._following = following or Nobody()
        self._asides = asides
        self._nobody_home = nobody_home

    async def receive(
        self, channel: str, inbound: Inbound, *, along: Callable[[Transaction], None] | None = None
    ) -> Received:
        """Store one message of a channel; a repeated `provider_id` is recognised and changes nothing.

        `along` is done in the same transaction, also where the message is known.

        Raises `Overloaded` beyond the backlog limit and `TooLarge` for an overlong text; then nothing was stored.
        """
        refuse_overlong(inbound, chars_max=self._limits.message_chars_max)
        inbound, cards = fitted(inbound)
        superseded: list[Superseded] = []
        holds: list[Hold | None] = []

        def step(tx: Transaction) -> tuple[Received, Any]:
            superseded.clear()
            holds.clear()
            if along is not None:
                along(tx)
            known = tx.messages.known(channel, inbound.provider_id)
            if known is not None:
                return _known(known), None
            now = self._clock.now()
            conversation = self._conversation(tx, channel, inbound, now)
            said = note_who(tx, self._clock, self._proofs, conversation, inbound)
            aside = self._asides.take(tx, self._clock, conversation, said)
            if aside is not None:
                holds.extend(aside.holds)
                message = self._add_message(tx, conversation, aside.turn_id, said, now, cards)
                return Received(message=message, turn_id=aside.turn_id or "", is_duplicate=False), None
            turn = self._turn_for(tx, conversation, said, now, superseded)
            message = self._add_message(tx, conversation, turn.id, said, now, cards)
            if inbound.needs_person is not None:
                holds.append(self._to_person(tx, turn, inbound.needs_person))
            taken = self._following.take_along(tx, conversation.id)
            return Received(message=message, turn_id=turn.id, is_duplicate=False), taken

        received = self._taken_in(channel, *await self._store.write(step), superseded)
        for hold in filter(None, holds):
            self._telemetry.emit(hold_opened(hold))
        return received

    async def submit(
        self,
        channel: str,
        inbound: Inbound,
        *,
        transcript: tuple[ChatMessage, ...],
        draft: Draft | None,
        contact: ContactFacts = NO_FACTS,
    ) -> Received:
        """Store a turn whose caller keeps the conversation: its whole transcript, and the draft if there is one.

        Without a draft the configured agent is asked. `contact` is what the caller knows of the customer. The same
        `provider_id` again changes nothing.
        """
        refuse_overlong(inbound, chars_max=self._limits.message_chars_max)
        inbound, cards = fitted(inbound)
        masked = tuple(_masked(message) for message in storable_record(transcript))
        proposed = None if draft is None else fit_draft(draft)
        superseded: list[Superseded] = []

        def step(tx: Transaction) -> tuple[Received, Any]:
            superseded.clear()
            known = tx.messages.known(channel, inbound.provider_id)
            if known is not None:
                stored = tx.artifacts.get(known.turn_id or "", "draft")
                is_other = proposed is not None and stored not in (None, dump(proposed))
                return replace(_known(known), is_other_draft=is_other), None
            now = self._clock.now()
            conversation = self._conversation(tx, channel, inbound, now)
            note_who(tx, self._clock, self._proofs, conversation, inbound, external_id=contact.id)
            open_turns = tx.turns.open_of(conversation.id)
            turn = self._begin(tx, conversation, inbound, now, due_at=now)
            self._supersede(tx, open_turns, turn, superseded)
            tx.artifacts.put(turn.id, "transcript", canonical([plain(message) for message in masked]))
            if contact != NO_FACTS:
                tx.artifacts.put(
                    turn.id, "contact", dump(build(ContactFacts, mask_all(asdict(storable_record(contact)))))
                )
            if proposed is not None:
                tx.artifacts.put(turn.id, "draft", dump(proposed))
            message = self._add_message(tx, conversation, turn.id, inbound, now, cards)
            tx.announce(Job(kind=TURN_JOB, key=conversation.id))
            taken = self._following.take_along(tx, conversation.id)
            return Received(message=message, turn_id=turn.id, is_duplicate=False), taken

        return self._taken_in(channel, *await self._store.write(step), superseded)

    def _conversation(self, tx: Transaction, channel: str, inbound: Inbound, now: datetime) -> Conversation:
        found = continued(tx, channel, inbound) or tx.conversations.find(channel, inbound.external_id)
        says_more = inbound.contact_name or inbound.contact_email or inbound.contact_phone
        if found is not None and found.address == inbound.address and not says_more:
            return found  # Nothing can be learned of the contact that is not known.
        contact = tx.contacts.resolve(channel, inbound, new_id=self._clock.new_id("contact"), now=now)
        if found is not None:
            return found
        conversation = Conversation(
            id=self._clock.new_id("conv"),
            contact_id=contact.id,
            channel=channel,
            external_id=inbound.external_id,
            address=inbound.address,
            mode=Mode.AGENT,
            taken_by=None,
            created_at=now,
        )
        tx.conversations.add(conversation)
        if contact.created_at == now and inbound.envelope is not None and not inbound.envelope.is_proven:
            cap_contact(tx, self._clock, conversation.id, CapCause.UNPROVEN, turn_id=None)
        return conversation

    def _turn_for(
        self, tx: Transaction, conversation: Conversation, inbound: Inbound, now: datetime, superseded: list[Superseded]
    ) -> Turn:
        """Join the burst that is being collected, or begin a turn and make a draft under way void."""
        open_turns = tx.turns.open_of(conversation.id)
        never_waits = self._coalescing.window_s_max == 0
        pause_s = 0.0
        if not never_waits:
            pause_s = window_s(inbound.text, gaps_s=_gaps_s(tx, conversation), limits=self._coalescing)
        last = open_turns[-1] if open_turns else None
        if last is not None and last.state is TurnState.COLLECTING and not _has_transcript(tx, last):
            burst_end = last.created_at + timedelta(seconds=self._coalescing.burst_s_max)
            turn = tx.turns.touch(
                last,
                due_at=max(now, min(now + timedelta(seconds=pause_s), burst_end)),
                topic=inbound.topic or last.topic,
            )
        else:
            turn = self._begin(tx, conversation, inbound, now, due_at=now + timedelta(seconds=pause_s))
            self._supersede(tx, open_turns, turn, superseded)
        tx.announce(Job(kind=TURN_JOB, key=conversation.id), at=turn.due_at)
        return turn

    def _begin(
        self, tx: Transaction, conversation: Conversation, inbound: Inbound, now: datetime, *, due_at: datetime
    ) -> Turn:
        if (backlog := tx.turns.backlog()) >= self._limits.backlog_max:
            raise Overloaded(
                f"{backlog} turns are waiting, the limit is {self._limits.backlog_max} (limits.backlog_max); "
                "nothing was stored, send it again later",
                retry_after_s=RETRY_AFTER_S,
            )
        return tx.turns.add(
            Turn(
                id=self._clock.new_id("turn"),
                conversation_id=conversation.id,
                channel=conversation.channel,
                state=TurnState.COLLECTING,
                due_at=due_at,
                topic=inbound.topic,
                created_at=now,
            )
        )

    def _supersede(self, tx: Transaction, open_turns: list[Turn], newer: Turn, superseded: list[Superseded]) -> None:
        """Make the drafts of open turns void; what was decided to be sent is sent all the same."""
        now = self._clock.now()
        for older in open_turns:
            if older.state not in SUPERSEDABLE:
                continue
            tx.turns.advance(older, TurnState.SUPERSEDED, superseded_by=newer.id, due_at=None, finished_at=now)
            tx.messages.move(older.conversation_id, from_turn=older.id, to_turn=newer.id)
            tx.ledger.append(
                "turn.superseded",
                at=now,
                turn_id=older.id,
                conversation_id=older.conversation_id,
                superseded_by=newer.id,
                was=older.state.value,
            )
            # Only its draft is void: what became of another message, and that one was lost, stays a question to people.
            holds = [hold for hold in tx.holds.open_of_turn(older.id) if hold.kind is HoldKind.DRAFT]
            for hold in holds:
                close_hold(tx, self._clock, hold, HoldState.SUPERSEDED, superseded_by=newer.id)
            hold_id = holds[0].id if holds else None
            age_s = (now - holds[0].created_at).total_seconds() if holds else 0.0
            superseded.append(Superseded(turn=older, by=newer.id, hold_id=hold_id, hold_age_s=age_s))

    def _to_person(self, tx: Transaction, turn: Turn, reason: str) -> Hold | None:
        """An agent could only answer to words that nobody wrote, so none is asked."""
        return give_to_person(
            tx,
            self._clock,
            turn,
            reasons=(reason,),
            priority=UNREADABLE_PRIORITY,
            expires_after_s=None,
            nobody_home=self._nobody_home,
        )

    def _add_message(
        self,
        tx: Transaction,
        conversation: Conversation,
        turn_id: str | None,
        inbound: Inbound,
        now: datetime,
        cards: int,
    ) -> Message:
        message = tx.messages.add(
            Message(
                seq=0,
                id=self._clock.new_id("msg"),
                conversation_id=conversation.id,
                turn_id=turn_id,
                author=Author.CUSTOMER,
                author_name=inbound.contact_name,
                text=inbound.text,
                at=now,
                provider_id=inbound.provider_id,
            ),
            channel=conversation.channel,
        )
        if inbound.envelope is not None:
            tx.envelopes.add(message.id, inbound.envelope)
        tx.ledger.append(
            "message.received",
            at=now,
            turn_id=turn_id,
            conversation_id=conversation.id,
            actor="customer",
            message=message.id,
            cards_masked=cards,
        )
        return message

    def _taken_in(self, channel: str, received: Received, taken: Any, superseded: list[Superseded]) -> Received:
        """Go on with what was committed, and tell of it."""
        if taken is not None:
            self._following.go_on(received.message.conversation_id, taken)
        self._report(channel, received, superseded)
        return received

    def _report(self, channel: str, received: Received, superseded: list[Superseded]) -> None:
        self._telemetry.emit(
            MessageReceived(
                channel=channel,
                conversation_id=received.message.conversation_id,
                turn_id=received.turn_id,
                is_duplicate=received.is_duplicate,
            )
        )
        for old in superseded:
            self._telemetry.emit(
                TurnSuperseded(
                    turn_id=old.turn.id,
                    superseded_by=old.by,
                    conversation_id=old.turn.conversation_id,
                    was=old.turn.state.value,
                )
            )
            if old.hold_id is not None:
                self._telemetry.emit(
                    HoldClosed(
                        hold_id=old.hold_id,
                        turn_id=old.turn.id,
                        how="superseded",
                        reviewer=None,
                        age_s=old.hold_age_s,
                    )
                )


def _known(message: Message) -> Received:
    return Received(message=message, turn_id=message.turn_id or "", is_duplicate=True)


def _gaps_s(tx: Transaction, conversation: Conversation) -> list[float]:
    """The pauses between consecutive customer messages of one turn, in the recent conversation."""
    recent = tx.messages.of_conversation(conversation.id, limit=GAPS_LOOKED_AT)
    return [
        (later.at - earlier.at).total_seconds()
        for earlier, later in pairwise(recent)
        if earlier.author is later.author is Author.CUSTOMER and earlier.turn_id == later.turn_id
    ]


def _has_transcript(tx: Transaction, turn: Turn) -> bool:
    """Whether the turn's caller gave the whole conversation: a message that joined it would not be in there."""
    return tx.artifacts.get(turn.id, "transcript") is not None


def _masked(message: ChatMessage) -> ChatMessage:
    calls = tuple(masked_call(call) for call in message.tool_calls)
    return replace(message, content=mask_all(message.content), tool_calls=calls)
