"""Messages that did not reach the customer, in a person's hands: list them, put them back to be sent, drop them.

It sends nothing itself: what is put back keeps its id, and so its key, and leaves by `delivery.outbox` in its old
place. The hold that was opened when a message died stays open, because the customer has waited and a person must see
that: whoever takes it finds in the conversation whether the message arrived after all.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from understudy.effects.absence import NobodyHome
from understudy.effects.handing_off import give_to_person
from understudy.effects.holds import close_hold, hold_opened
from understudy.effects.unsent import drop_entry, hand_over_turn
from understudy.errors import ClaimedByOther, Conflict, InputError
from understudy.ports.clock import Clock
from understudy.ports.store import Store, Transaction
from understudy.ports.telemetry import HoldClosed, Telemetry
from understudy.records.conversation import Author
from understudy.records.outbox import NOT_SENT, OutboxEntry, OutboxState
from understudy.records.review import Hold, HoldKind, HoldState
from understudy.records.text import storable
from understudy.records.turn import OUTBOX_JOB, Job

BATCH = 200
"""How many dead entries one transaction puts back; servers write between two of them."""

REASON_CHARS_MAX = 500
DROPPED_PRIORITY = 1

_CAN_BE_PUT_BACK = frozenset({OutboxState.PENDING, OutboxState.DEAD, OutboxState.DROPPED})
_CAN_BE_DROPPED = frozenset({OutboxState.PENDING, OutboxState.DEAD})
_UNDER_WAY = frozenset({OutboxState.SENDING, OutboxState.UNKNOWN})


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """An entry, and the open hold under which a person can decide about it, where there is one."""

    entry: OutboxEntry
    hold_id: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A page of entries, oldest first, and how many there are of each state that was asked for."""

    letters: Sequence[Letter]
    counts: Mapping[OutboxState, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Skipped:
    """A dead entry that was not put back, and why."""

    entry: OutboxEntry
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Retried:
    """What was put back, and which dead entries were left as they are."""

    again: Sequence[OutboxEntry]
    skipped: Sequence[Skipped]


class DeadLetters:
    """Lists, puts back and drops. Every change is one transaction with its ledger entry, made in `actor`'s name."""

    def __init__(
        self, store: Store, clock: Clock, telemetry: Telemetry, *, nobody_home: NobodyHome | None = None
    ) -> None:
        self._store = store
        self._clock = clock
        self._telemetry = telemetry
        self._nobody_home = nobody_home

    async def listed(
        self, states: Collection[OutboxState] = NOT_SENT, *, channel: str | None = None, limit: int
    ) -> Listed:
        """Read the oldest `limit` entries in these states, of one channel or of all."""

        def query(tx: Transaction) -> Listed:
            entries = tx.outbox.listed(states, channel=channel, limit=limit)
            letters = tuple(Letter(entry=entry, hold_id=_hold_id(tx, entry)) for entry in entries)
            return Listed(letters=letters, counts=tx.outbox.count(states, channel=channel))

        return await self._store.read(query)

    async def retry(self, ids: Collection[str], *, actor: str, did_not_arrive: bool = False) -> Retried:
        """Put entries back to be sent now, all or none; they keep their ids and their place in the conversation.

        Takes what is pending (its pause ends), dead or dropped. What is *unknown* is taken only with
        `did_not_arrive`, by which a person says that it did not reach the customer; that closes its hold.
        Raises `NotFound` for an id that is not there, `Conflict` for an entry that may not be sent again now,
        `ClaimedByOther` while a reviewer works on the hold of an unknown one. Then nothing is changed.
        """

        def step(tx: Transaction) -> tuple[list[OutboxEntry], list[Hold]]:
            entries = sorted((tx.outbox.get(one) for one in dict.fromkeys(ids)), key=lambda entry: entry.seq)
            closed: list[Hold] = []
            for entry in entries:
                if entry.state is OutboxState.UNKNOWN and did_not_arrive:
                    closed += self._settle_unsure(tx, entry, actor)
                elif (why := _why_not(tx, entry)) is not None:
                    raise Conflict(f"outbox entry {entry.id} {why}; nothing was changed")
            return [self._put_back(tx, entry, actor) for entry in entries], closed

        again, closed = await self._store.write(step)
        for hold in closed:
            age_s = (self._clock.now() - hold.created_at).total_seconds()
            self._telemetry.emit(
                HoldClosed(hold_id=hold.id, turn_id=hold.turn_id, how="did_not_arrive", reviewer=actor, age_s=age_s)
            )
        return Retried(again=again, skipped=())

    async def retry_dead(self, *, actor: str, channel: str | None = None) -> Retried:
        """Put every dead entry back, of one channel or of all, but those that could do harm now.

        Left as they are: an entry after which the customer got another message of ours, because somebody may have
        answered instead; and one that would have to pass a message of its conversation that is under way.
        """
        again: list[OutboxEntry] = []
        skipped: list[Skipped] = []
        after = 0
        while True:
            step = partial(self._retry_batch, actor=actor, channel=channel, after=after)
            if (batch := await self._store.write(step)) is None:
                break
            retried, after = batch
            again += retried.again
            skipped += retried.skipped
        return Retried(again=again, skipped=skipped)

    def _retry_batch(
        self, tx: Transaction, *, actor: str, channel: str | None, after: int
    ) -> tuple[Retried, int] | None:
        entries = tx.outbox.listed([OutboxState.DEAD], channel=channel, after=after, limit=BATCH)
        if not entries:
            return None
        again: list[OutboxEntry] = []
        skipped: list[Skipped] = []
        for entry in entries:
            why = _why_not(tx, entry) or _why_better_not(tx, entry)
            if why is None:
                again.append(self._put_back(tx, entry, actor))
            else:
                skipped.append(Skipped(entry=entry, why=why))
        return Retried(again=again, skipped=skipped), entries[-1].seq

    async def drop(self, outbox_id: str, *, reason: str, actor: str) -> OutboxEntry:
        """Decide that a pending or dead entry is not sent; a pending one brings a person in, as its death would have.

        Raises `NotFound`, `InputError` for an empty or overlong reason, and `Conflict` for an entry that is under
        way, unknown or sent. Then nothing is changed.
        """
        why = storable(reason).strip()
        if not 0 < len(why) <= REASON_CHARS_MAX:
            raise InputError(f"a reason has 1 to {REASON_CHARS_MAX} characters; this one has {len(why)}")

        def step(tx: Transaction) -> tuple[OutboxEntry, Hold | None]:
            entry = tx.outbox.get(outbox_id)
            if entry.state not in _CAN_BE_DROPPED:
                raise Conflict(f"outbox entry {entry.id} {_standing(tx, entry)}; nothing was changed")
            dropped = drop_entry(tx, self._clock, entry, why=why, actor=storable(actor))
            return dropped, self._hand_off(tx, entry) if entry.state is OutboxState.PENDING else None

        dropped, hold = await self._store.write(step)
        if hold is not None:
            self._telemetry.emit(hold_opened(hold))
        return dropped

    def _put_back(self, tx: Transaction, entry: OutboxEntry, actor: str) -> OutboxEntry:
        now = self._clock.now()
        again = replace(entry, state=OutboxState.PENDING, due_at=now)
        tx.outbox.change(again, attempts=entry.attempts)
        tx.ledger.append(
            "outbox.retried",
            at=now,
            turn_id=entry.turn_id,
            conversation_id=entry.conversation_id,
            actor=actor,
            outbox=entry.id,
            attempt=entry.attempts,
            was=entry.state.value,
        )
        tx.announce(Job(kind=OUTBOX_JOB, key=entry.conversation_id))
        return again

    def _settle_unsure(self, tx: Transaction, entry: OutboxEntry, actor: str) -> list[Hold]:
        """A person says here what the hold asks, so the hold is answered."""
        holds = _unsure_holds(tx, entry)
        now = self._clock.now()
        for hold in holds:
            if hold.claimed_until is not None and hold.claimed_until > now and hold.claimed_by != actor:
                raise ClaimedByOther(f"{hold.claimed_by} works on hold {hold.id} of outbox entry {entry.id} just now")
            close_hold(tx, self._clock, hold, HoldState.DECIDED, actor=actor)
        return holds

    def _hand_off(self, tx: Transaction, entry: OutboxEntry) -> Hold | None:
        """The customer will not get this message: a person must know."""
        hand_over_turn(tx, self._clock, entry)
        turn = tx.turns.latest_of(entry.conversation_id) if entry.turn_id is None else tx.turns.get(entry.turn_id)
        assert turn is not None, f"conversation {entry.conversation_id} began without a turn"
        return give_to_person(
            tx,
            self._clock,
            turn,
            reasons=("message_dropped",),
            priority=DROPPED_PRIORITY,
            expires_after_s=None,
            nobody_home=self._nobody_home,
        )


def _why_not(tx: Transaction, entry: OutboxEntry) -> str | None:
    """Why this entry must not be put back, as the end of a sentence; None where it may.

    It would take its old place in the conversation, so nothing behind it may be on its way or of unknown outcome: that
    is what a person's word on an unsure send is about, and order would be lost.
    """
    if entry.state not in _CAN_BE_PUT_BACK:
        return _standing(tx, entry)
    head = tx.outbox.head(entry.conversation_id)
    if head is not None and head.seq > entry.seq and head.state in _UNDER_WAY:
        return f"would overtake {head.id} of the same conversation, which {_standing(tx, head)}"
    return None


def _why_better_not(tx: Transaction, entry: OutboxEntry) -> str | None:
    """Why this entry should be put back only by name; None where nothing speaks against it."""
    said = tx.messages.of_conversation(entry.conversation_id)
    if any(message.author is not Author.CUSTOMER and message.at > entry.created_at for message in said):
        return "is older than another message of ours that reached the customer; name it to send it all the same"
    return None


def _standing(tx: Transaction, entry: OutboxEntry) -> str:
    """Say of an entry that nothing can be done about here why that is so."""
    match entry.state:
        case OutboxState.SENDING:
            return "is being sent just now"
        case OutboxState.SENT:
            return "was sent"
        case OutboxState.DROPPED:
            return "was dropped"
        case OutboxState.UNKNOWN:
            hold_id = _hold_id(tx, entry)
            return (
                "may or may not have reached the customer, so a person has to say which: "
                f"decide on hold {hold_id}, or retry it with --it-did-not-arrive if you know"
            )
        case OutboxState.PENDING | OutboxState.DEAD:
            return f"is {entry.state.value}"


def _hold_id(tx: Transaction, entry: OutboxEntry) -> str | None:
    if entry.state is OutboxState.UNKNOWN:
        holds = _unsure_holds(tx, entry)
    elif entry.state is OutboxState.DEAD:
        open_holds = tx.holds.open_of_conversation(entry.conversation_id)
        holds = [hold for hold in open_holds if hold.kind is HoldKind.HAND_OFF]
    else:
        holds = []
    return holds[0].id if holds else None


def _unsure_holds(tx: Transaction, entry: OutboxEntry) -> list[Hold]:
    """The hold that asks what became of an unknown entry: while it waits, nothing behind it is sent or asked about."""
    return [hold for hold in tx.holds.open_of_conversation(entry.conversation_id) if hold.kind is HoldKind.UNSURE_SEND]
