"""What a channel says later of a reply that it took: the customer has it, or will not get it. It sends nothing.

A report can come before its send is recorded, twice, in any order, or about somebody else's message. It settles a send
of unknown outcome, keeps a message that arrived from being tried again, and brings in a person for one that was lost
after it had been taken.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from enum import StrEnum

from understudy.delivery.entries import latest_turn, turn_of
from understudy.effects.absence import NobodyHome
from understudy.effects.handing_off import give_to_person
from understudy.effects.holds import close_hold, hold_opened
from understudy.effects.sending import settle_sent
from understudy.errors import Overloaded
from understudy.ports.clock import Clock
from understudy.ports.store import Store, Transaction
from understudy.ports.telemetry import DeliveryReported, HoldClosed, HoldOpened, Telemetry
from understudy.records.outbox import OutboxEntry, OutboxState, Receipt, Report
from understudy.records.pledges import USUAL_PLEDGES, PledgeTerms
from understudy.records.review import Hold, HoldKind, HoldState
from understudy.records.text import storable, storable_record
from understudy.records.turn import OUTBOX_JOB, TURN_JOB, Job, TurnState

UNDELIVERED_PRIORITY = 1
REPORTED = 0
"""The attempt number of the receipt that keeps what the channel reported of its own accord."""
LOOKS_MAX = 10
PAUSE_S = 0.2
"""A report on a send that is under way is looked at so often, with this pause, and then refused to come again."""
RETRY_AFTER_S = 5


class Outcome(StrEnum):
    """What a report came to."""

    DELIVERED = "delivered"
    UNDELIVERED = "undelivered"
    KNOWN = "known"
    NOT_OURS = "not_ours"


class Reports:
    """Takes reports in, each in one transaction."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        telemetry: Telemetry,
        *,
        pledges: PledgeTerms = USUAL_PLEDGES,
        nobody_home: NobodyHome | None = None,
    ) -> None:
        self._store = store
        self._clock = clock
        self._telemetry = telemetry
        self._pledges = pledges
        self._nobody_home = nobody_home

    async def take(self, channel: str, report: Report) -> Outcome:
        """Record what a channel reports, and what follows from it.

        Raises `Overloaded` while the send it is about is under way: what a send is answered with is recorded first.
        """
        report = storable_record(report)
        for _ in range(LOOKS_MAX):
            said: list[HoldOpened | HoldClosed] = []
            found = await self._store.write(lambda tx, said=said: self._weigh(tx, channel, report, said.append))  # type: ignore[misc]
            if found is not None:
                entry_id, outcome = found
                for event in said:
                    self._telemetry.emit(event)
                self._telemetry.emit(DeliveryReported(channel=channel, outbox_id=entry_id, outcome=outcome.value))
                return outcome
            await self._clock.sleep(PAUSE_S)
        raise Overloaded(
            "the reply that this reports on is being sent just now; nothing was stored, report it again later",
            retry_after_s=RETRY_AFTER_S,
        )

    def _weigh(
        self, tx: Transaction, channel: str, report: Report, say: Callable[[HoldOpened | HoldClosed], None]
    ) -> tuple[str | None, Outcome] | None:
        """Carry a report out; None while its send is under way."""
        entry = _entry_of(tx, channel, report)
        if entry is None:
            return None, Outcome.NOT_OURS
        if entry.state is OutboxState.SENDING:
            return None
        reported = [one for one in tx.outbox.receipts(entry.id) if one.attempt == REPORTED]
        is_settled = entry.state in (OutboxState.UNKNOWN, OutboxState.PENDING)
        if report.has_arrived and is_settled:
            self._arrived(tx, entry, say)
        elif (not report.has_arrived and entry.state is OutboxState.UNKNOWN) or (
            not report.has_arrived and entry.state is OutboxState.SENT and not reported
        ):
            self._lost(tx, entry, say, was=entry.state, why=report.why)
        elif reported or entry.state is OutboxState.PENDING:
            return entry.id, Outcome.KNOWN  # Said before; or a failure of a try after which there is another.
        outcome = Outcome.DELIVERED if report.has_arrived else Outcome.UNDELIVERED
        if not reported:
            self._keep(tx, entry, report, outcome)
        return entry.id, outcome

    def _keep(self, tx: Transaction, entry: OutboxEntry, report: Report, outcome: Outcome) -> None:
        tx.outbox.add_receipt(
            Receipt(
                outbox_id=entry.id,
                attempt=REPORTED,
                outcome=outcome.value,
                provider_id=report.provider_id,
                detail=report.why,
                at=self._clock.now(),
            )
        )
        if report.has_arrived:
            self._write_down(tx, "outbox.delivered", entry)
        else:
            self._write_down(tx, "outbox.undelivered", entry)

    def _write_down(self, tx: Transaction, event: str, entry: OutboxEntry) -> None:
        tx.ledger.append(
            event,
            at=self._clock.now(),
            turn_id=entry.turn_id,
            conversation_id=entry.conversation_id,
            actor="channel",
            outbox=entry.id,
            was=entry.state.value,
        )

    def _arrived(self, tx: Transaction, entry: OutboxEntry, say: Callable[[HoldOpened | HoldClosed], None]) -> None:
        """What nobody knew, or was going to be tried again, is with the customer."""
        tx.outbox.change(replace(entry, state=OutboxState.SENT, due_at=None, last_error=None), attempts=entry.attempts)
        self._close_question(tx, entry, say)
        settle_sent(tx, self._clock, entry, turn_of(tx, entry), self._pledges)
        tx.announce(Job(kind=OUTBOX_JOB, key=entry.conversation_id))

    def _lost(
        self,
        tx: Transaction,
        entry: OutboxEntry,
        say: Callable[[HoldOpened | HoldClosed], None],
        *,
        was: OutboxState,
        why: str | None,
    ) -> None:
        """The customer will not get it: a person must know."""
        if was is OutboxState.UNKNOWN:
            error = f"the channel reports that it was not delivered{f': {why}' if why else ''}"
            tx.outbox.change(
                replace(entry, state=OutboxState.DEAD, due_at=None, last_error=storable(error)), attempts=entry.attempts
            )
            self._close_question(tx, entry, say)
        turn = turn_of(tx, entry)
        if turn is not None and turn.state is TurnState.DELIVERING:
            turn = tx.turns.advance(turn, TurnState.HANDED_OFF, finished_at=self._clock.now())
        tx.announce(Job(kind=OUTBOX_JOB, key=entry.conversation_id))
        tx.announce(Job(kind=TURN_JOB, key=entry.conversation_id))
        hold = give_to_person(
            tx,
            self._clock,
            turn or latest_turn(tx, entry),
            reasons=("reply_undelivered",),
            priority=UNDELIVERED_PRIORITY,
            expires_after_s=None,
            nobody_home=self._nobody_home,
        )
        if hold is not None:
            say(hold_opened(hold))

    def _close_question(
        self, tx: Transaction, entry: OutboxEntry, say: Callable[[HoldOpened | HoldClosed], None]
    ) -> None:
        """The channel has answered what the hold asks people."""
        asked: list[Hold] = [
            hold for hold in tx.holds.open_of_conversation(entry.conversation_id) if hold.kind is HoldKind.UNSURE_SEND
        ]
        for hold in asked if entry.state is OutboxState.UNKNOWN else []:
            close_hold(tx, self._clock, hold, HoldState.DECIDED, actor="channel")
            age_s = (self._clock.now() - hold.created_at).total_seconds()
            say(HoldClosed(hold_id=hold.id, turn_id=hold.turn_id, how="reported", reviewer=None, age_s=age_s))


def _entry_of(tx: Transaction, channel: str, report: Report) -> OutboxEntry | None:
    """The reply that a report is about, if it is one of this channel's."""
    entry = None if report.key is None else tx.outbox.find(report.key)
    if entry is None and report.provider_id is not None:
        entry = tx.outbox.taken_as(channel, report.provider_id)
    return entry if entry is not None and entry.channel == channel else None
