"""Open and close holds; who may close one and with which verdict stands in `review/`."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from understudy.effects.acting import drop_proposed
from understudy.effects.labelling import label_unjudged
from understudy.effects.waiting import lapse
from understudy.ports.clock import Clock
from understudy.ports.store import Transaction
from understudy.ports.telemetry import HoldOpened
from understudy.records.review import Hold, HoldKind, HoldState
from understudy.records.turn import HOLD_JOB, Job, Turn


def open_hold(
    tx: Transaction,
    clock: Clock,
    turn: Turn,
    *,
    kind: HoldKind,
    reasons: tuple[str, ...],
    priority: int,
    expires_after_s: float | None,
    alike: str | None = None,
) -> Hold:
    """Put a turn before people. `expires_after_s` None: it waits for as long as it takes; `alike`: see `Hold`."""
    now = clock.now()
    expires_at = None if expires_after_s is None else now + timedelta(seconds=expires_after_s)
    hold = Hold(
        id=clock.new_id("hold"),
        version=1,
        kind=kind,
        state=HoldState.OPEN,
        turn_id=turn.id,
        conversation_id=turn.conversation_id,
        channel=turn.channel,
        topic=turn.topic,
        priority=priority,
        reasons=reasons,
        claimed_by=None,
        claimed_until=None,
        created_at=now,
        expires_at=expires_at,
        raised_at=None,
        closed_at=None,
        superseded_by=None,
        alike=alike,
    )
    tx.holds.add(hold)
    tx.ledger.append(
        "hold.opened",
        at=now,
        turn_id=turn.id,
        conversation_id=turn.conversation_id,
        hold=hold.id,
        kind=kind.value,
        priority=priority,
        reasons=list(reasons),
    )
    if expires_at is not None:
        tx.announce(Job(kind=HOLD_JOB, key=hold.id), at=expires_at)
    return hold


def hold_opened(hold: Hold) -> HoldOpened:
    """The event that tells of a new hold; emit it after the commit."""
    return HoldOpened(
        hold_id=hold.id,
        turn_id=hold.turn_id,
        kind=hold.kind.value,
        topic=hold.topic,
        channel=hold.channel,
        priority=hold.priority,
    )


def join_hold(tx: Transaction, clock: Clock, hold: Hold, turn: Turn) -> Hold:
    """Let a further turn wait under an open hold: whoever looked at it before must look again, and what they decided
    and was not carried out yet is void."""
    free = lapse(tx, hold, now=clock.now(), why="customer_wrote")
    joined = replace(free, version=hold.version + 1)
    tx.holds.change(joined, was=hold.version)
    tx.ledger.append(
        "hold.joined",
        at=clock.now(),
        turn_id=turn.id,
        conversation_id=turn.conversation_id,
        hold=hold.id,
    )
    return joined


def close_hold(
    tx: Transaction,
    clock: Clock,
    hold: Hold,
    state: HoldState,
    *,
    actor: str = "system",
    superseded_by: str | None = None,
) -> Hold:
    """End a hold, and with a draft's what it proposed to do and nobody let through; raises `StaleVersion` where it changed
    since it was read."""
    now = clock.now()
    hold = lapse(tx, hold, now=clock.now(), why=state.value)
    label_unjudged(tx, clock, hold, state, actor=actor)
    if hold.kind is HoldKind.DRAFT:  # nobody will let them through any more
        drop_proposed(tx, clock, hold.turn_id, why=state.value, actor=actor)
    closed = replace(
        hold,
        state=state,
        version=hold.version + 1,
        closed_at=now,
        claimed_by=None,
        claimed_until=None,
        claimed_at=None,
        superseded_by=superseded_by,
    )
    tx.holds.change(closed, was=hold.version)
    tx.ledger.append(
        f"hold.{state.value}",
        at=now,
        turn_id=hold.turn_id,
        conversation_id=hold.conversation_id,
        actor=actor,
        hold=hold.id,
        superseded_by=superseded_by,
    )
    return closed


def close_holds(tx: Transaction, clock: Clock, turn_id: str, kind: HoldKind) -> None:
    """Let nobody decide any more on what a turn has open of this kind; nothing is sent in its place."""
    for hold in tx.holds.open_of_turn(turn_id):
        if hold.kind is kind:
            close_hold(tx, clock, hold, HoldState.EXPIRED)
