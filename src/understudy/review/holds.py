"""Claim and release holds, and see to those whose deadline passed; it gives no verdict and never sends a draft."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Literal

from understudy.effects.absence import NobodyHome
from understudy.effects.handing_off import give_to_person
from understudy.effects.holds import close_hold, hold_opened
from understudy.effects.safe_replies import queue_safe_reply
from understudy.errors import ClaimedByOther, HoldClosed, NotFound, StaleVersion
from understudy.ports.clock import Clock
from understudy.ports.store import Store, Transaction
from understudy.ports.telemetry import HoldClosed as HoldClosedEvent
from understudy.ports.telemetry import HoldRaised, Telemetry
from understudy.records.answering import Event
from understudy.records.review import Hold, HoldKind, HoldState
from understudy.records.rulebook import SafeReply
from understudy.records.turn import HOLD_JOB, Job, TurnState
from understudy.review.second import unblind
from understudy.review.seed_verdicts import withdraw_seed

SWEEP_MAX = 500
RAISED_PRIORITY = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewLimits:
    """`claim_lease_s`: how long a claim lasts without a heartbeat. `on_expiry` says what an overdue draft hold does:

    *raise* puts it before all others and leaves it waiting; *safe_reply* sends the approved reply and hands the
    conversation to a person. There is no way to let a draft out because nobody looked at it.
    """

    claim_lease_s: float = 60.0
    on_expiry: Literal["raise", "safe_reply"] = "raise"

    def __post_init__(self) -> None:
        if self.claim_lease_s <= 0:
            raise ValueError("review.claim_lease_s must be > 0")


class Holds:
    """What waits for people, between its opening and the verdict."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        telemetry: Telemetry,
        *,
        limits: ReviewLimits,
        expiry_reply: SafeReply | None = None,
        nobody_home: NobodyHome | None = None,
    ) -> None:
        if limits.on_expiry == "safe_reply" and expiry_reply is None:
            raise ValueError("review.on_expiry = 'safe_reply' needs review.expiry_reply")
        self._store = store
        self._clock = clock
        self._telemetry = telemetry
        self._limits = limits
        self._expiry_reply = expiry_reply
        self._nobody_home = nobody_home

    async def claim(self, hold_id: str, *, reviewer: str) -> Hold:
        """Take a hold for `claim_lease_s`; again by the same reviewer renews it.

        Raises `ClaimedByOther`, `HoldClosed` or `NotFound`. A claim does not change the version: it is no news for
        the one who holds it.
        """
        until = self._clock.now() + timedelta(seconds=self._limits.claim_lease_s)

        def step(tx: Transaction) -> Hold:
            hold = open_for(tx, self._clock, hold_id, reviewer)
            if hold.claimed_by == reviewer:
                tx.holds.renew(hold, until=until)
                return replace(hold, claimed_until=until)
            if hold.kind is not HoldKind.SECOND:
                unblind(tx, hold.conversation_id, reviewer)
            claimed = replace(hold, claimed_by=reviewer, claimed_until=until, claimed_at=self._clock.now())
            tx.holds.change(claimed, was=hold.version)
            self._log(tx, "hold.claimed", hold, reviewer)
            return claimed

        return await self._store.write(step)

    async def release(self, hold_id: str, *, reviewer: str) -> Hold:
        """Give a claim back; does nothing where the reviewer has none."""

        def step(tx: Transaction) -> Hold:
            hold = open_for(tx, self._clock, hold_id, reviewer)
            if hold.claimed_by is None:
                return hold
            released = replace(hold, claimed_by=None, claimed_until=None, claimed_at=None)
            tx.holds.change(released, was=hold.version)
            self._log(tx, "hold.released", hold, reviewer)
            return released

        return await self._store.write(step)

    async def look(self, hold_id: str) -> None:
        """Apply the expiry rule to one hold if it is overdue; harmless at any other time."""
        now = self._clock.now()

        opened: list[Hold] = []

        def step(tx: Transaction) -> tuple[Hold, bool] | None:
            opened.clear()
            hold = tx.holds.get(hold_id)
            overdue = hold.expires_at is not None and hold.expires_at <= now
            is_settled = hold.state is not HoldState.OPEN or hold.undo_until is not None
            if is_settled or hold.raised_at is not None or not overdue:
                return None
            if self._limits.on_expiry == "safe_reply" and hold.kind is HoldKind.DRAFT and self._expiry_reply:
                opened.extend(self._replace_by_safe_reply(tx, hold, self._expiry_reply))
                return hold, True
            raised = replace(hold, priority=RAISED_PRIORITY, raised_at=now, version=hold.version + 1)
            tx.holds.change(raised, was=hold.version)
            self._log(tx, "hold.raised", hold, "system")
            return hold, False

        looked = await self._store.write(step)
        if looked is None:
            return
        hold, has_expired = looked
        age_s = (now - hold.created_at).total_seconds()
        if has_expired:
            self._telemetry.emit(
                HoldClosedEvent(hold_id=hold.id, turn_id=hold.turn_id, how="expired", reviewer=None, age_s=age_s)
            )
            for follow_up in opened:
                self._telemetry.emit(hold_opened(follow_up))
        else:
            self._telemetry.emit(HoldRaised(hold_id=hold.id, turn_id=hold.turn_id, age_s=age_s))

    async def sweep(self) -> int:
        """Announce every hold whose deadline passed."""

        def step(tx: Transaction) -> int:
            due = tx.holds.due(self._clock.now(), limit=SWEEP_MAX)
            for hold in due:
                tx.announce(Job(kind=HOLD_JOB, key=hold.id))
            return len(due)

        return await self._store.write(step)

    def _replace_by_safe_reply(self, tx: Transaction, hold: Hold, reply: SafeReply) -> list[Hold]:
        close_hold(tx, self._clock, hold, HoldState.EXPIRED)
        turn = tx.turns.get(hold.turn_id)
        if turn.state is TurnState.PLANTED:
            withdraw_seed(tx, self._clock, turn)
            return []
        turn = tx.turns.advance(turn, TurnState.DELIVERING)
        queue_safe_reply(tx, self._clock, tx.conversations.get(hold.conversation_id), reply, turn_id=hold.turn_id)
        follow_up = give_to_person(
            tx,
            self._clock,
            turn,
            reasons=("hold_expired",),
            priority=RAISED_PRIORITY,
            expires_after_s=None,
            event=Event.EXPIRED,
            nobody_home=self._nobody_home,
        )
        return [] if follow_up is None else [follow_up]

    def _log(self, tx: Transaction, event: str, hold: Hold, actor: str) -> None:
        tx.ledger.append(
            event,
            at=self._clock.now(),
            turn_id=hold.turn_id,
            conversation_id=hold.conversation_id,
            actor=actor,
            hold=hold.id,
        )


def open_for(tx: Transaction, clock: Clock, hold_id: str, reviewer: str, *, version: int | None = None) -> Hold:
    """Read a hold that this reviewer may act on now.

    Raises `NotFound`, `HoldClosed` (saying what closed it), `StaleVersion` where `version` is not the stored one, and
    `ClaimedByOther` while somebody else's claim lasts.
    """
    hold = tx.holds.get(hold_id)
    if tx.reviews.is_barred(hold_id, reviewer):
        raise NotFound(f"there is no hold {hold_id!r}")
    if hold.state is not HoldState.OPEN or hold.undo_until is not None:
        raise HoldClosed(_why_closed(hold))
    if version is not None and version != hold.version:
        raise StaleVersion(
            f"hold {hold_id} is at version {hold.version}, the verdict was for version {version}; "
            "nothing was sent, read it again and decide again"
        )
    lasts = hold.claimed_until is not None and hold.claimed_until > clock.now()
    if lasts and hold.claimed_by != reviewer:
        raise ClaimedByOther(f"{hold.claimed_by} works on hold {hold_id} until {hold.claimed_until:%H:%M:%S} UTC")
    return hold


def _why_closed(hold: Hold) -> str:
    if hold.state is HoldState.SUPERSEDED:
        return f"the customer wrote again, so this draft is void; turn {hold.superseded_by} answers instead"
    if hold.state is HoldState.EXPIRED and hold.kind in (HoldKind.SECOND, HoldKind.REDRAFT, HoldKind.WIN_BACK):
        return "nobody waits for this any more; nothing was sent"
    if hold.state is HoldState.EXPIRED:
        return "the hold's deadline passed and a safe reply was sent; the conversation waits for a person"
    if hold.state is HoldState.OPEN and hold.undo_until is not None:
        return f"{hold.claimed_by} decided on this hold; that takes effect at {hold.undo_until:%H:%M:%S} UTC"
    return "somebody decided on this hold already"
