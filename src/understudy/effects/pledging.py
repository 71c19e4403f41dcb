"""Make a task of what a message that left pledges, and end one; finding pledges in words stands in `assessment/pledges.py`."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from understudy.assessment.pledges import pledges_in
from understudy.ports.clock import Clock
from understudy.ports.store import Transaction
from understudy.records.codec import dump, load
from understudy.records.conversation import Author, Message
from understudy.records.pledges import (
    UNKEPT,
    Pledge,
    PledgeChoice,
    PledgeKind,
    PledgeState,
    PledgeTerms,
    SaidPledge,
)

CHOICES: Final = "pledges"
"""The artifact of a turn that keeps what a reviewer made of its draft's pledges."""


def make_pledges(tx: Transaction, clock: Clock, message: Message, terms: PledgeTerms) -> None:
    """Make tasks of what a message pledges, in the step that records it as sent; most pledge nothing, and cost no query. What
    was to be written is kept by whoever wrote it."""
    if not terms.is_on:
        return
    if message.author is Author.REVIEWER:
        keep_written(tx, clock, message.conversation_id, by=message.author_name or "a person")
    said = pledges_in(message.text, message.at, terms.timezone)
    if not said:
        return
    if message.author is Author.SAFE_REPLY and _is_owed(tx, message):
        return
    choices = _choices_of(tx, message.turn_id)
    for one in said:
        choice = choices.get(one.words)
        if choice is None or not choice.is_none:
            _make(tx, clock, message, one, choice, terms)


def add_pledge(
    tx: Transaction,
    clock: Clock,
    conversation_id: str,
    words: str,
    *,
    kind: PledgeKind,
    terms: PledgeTerms,
    due_at: datetime | None = None,
    by: str | None = None,
    turn_id: str | None = None,
) -> Pledge:
    """Make a task that no message names: what a person adds by hand, or what is owed by rule (`by` None). `due_at` None: the
    usual time."""
    now = clock.now()
    due = due_at or now + timedelta(hours=terms.usual_h)
    return _add(
        tx,
        clock,
        Pledge(
            id=clock.new_id("pledge"),
            version=1,
            kind=kind,
            state=PledgeState.OPEN,
            contact_id=tx.conversations.get(conversation_id).contact_id,
            conversation_id=conversation_id,
            turn_id=turn_id,
            message_id=None,
            author=Author.SAFE_REPLY if by is None else Author.REVIEWER,
            made_by=by,
            words=words,
            has_named_time=due_at is not None,
            made_at=now,
            due_at=due,
            warn_at=warned_at(now, due, terms),
        ),
        actor=by or "system",
    )


def end_pledge(
    tx: Transaction, clock: Clock, pledge: Pledge, state: PledgeState, *, by: str, note: str | None = None
) -> Pledge:
    """Say that one is kept or withdrawn; raises `StaleVersion` where it changed since it was read."""
    ended = replace(
        pledge, version=pledge.version + 1, state=state, warn_at=None, ended_at=clock.now(), ended_by=by, note=note
    )
    tx.pledges.change(ended, was=pledge.version)
    if state is PledgeState.KEPT:
        tell_pledge(tx, clock, "pledge.kept", ended, actor=by)
    else:
        tell_pledge(tx, clock, "pledge.withdrawn", ended, actor=by)
    return ended


def keep_written(tx: Transaction, clock: Clock, conversation_id: str, *, by: str) -> None:
    """A person wrote to the customer: what was pledged to be written is kept."""
    for one in tx.pledges.of_conversation(conversation_id):
        if one.state in UNKEPT and one.kind is PledgeKind.WRITE:
            end_pledge(tx, clock, one, PledgeState.KEPT, by=by)


def warned_at(made_at: datetime, due_at: datetime, terms: PledgeTerms) -> datetime:
    """When people are told: so long before the deadline, or half way to it where that is later."""
    return max(due_at - timedelta(hours=terms.warn_h), made_at + (due_at - made_at) / 2)


def tell_pledge(tx: Transaction, clock: Clock, event: str, pledge: Pledge, *, actor: str = "system") -> None:
    """Write down what became of one."""
    tx.ledger.append(
        event,
        at=clock.now(),
        turn_id=pledge.turn_id,
        conversation_id=pledge.conversation_id,
        actor=actor,
        pledge=pledge.id,
        kind=pledge.kind.value,
        due_at=pledge.due_at.isoformat(),
    )


def _make(
    tx: Transaction, clock: Clock, message: Message, said: SaidPledge, choice: PledgeChoice | None, terms: PledgeTerms
) -> None:
    named = said.due_at if choice is None or choice.due_at is None else choice.due_at
    due_at = named or message.at + timedelta(hours=terms.usual_h)
    _add(
        tx,
        clock,
        Pledge(
            id=clock.new_id("pledge"),
            version=1,
            kind=said.kind,
            state=PledgeState.OPEN,
            contact_id=tx.conversations.get(message.conversation_id).contact_id,
            conversation_id=message.conversation_id,
            turn_id=message.turn_id,
            message_id=message.id,
            author=message.author,
            made_by=_who_answers(tx, message),
            words=said.words,
            has_named_time=named is not None,
            made_at=message.at,
            due_at=due_at,
            warn_at=warned_at(message.at, due_at, terms),
        ),
    )


def _add(tx: Transaction, clock: Clock, pledge: Pledge, *, actor: str = "system") -> Pledge:
    tx.pledges.add(pledge)
    tell_pledge(tx, clock, "pledge.made", pledge, actor=actor)
    return pledge


def choose_pledges(tx: Transaction, turn_id: str, choices: tuple[PledgeChoice, ...]) -> None:
    """Keep what a reviewer made of a draft's pledges, in place of what was made of them before."""
    if choices or tx.artifacts.get(turn_id, CHOICES) is not None:
        tx.artifacts.put(turn_id, CHOICES, dump(choices))


def _choices_of(tx: Transaction, turn_id: str | None) -> dict[str, PledgeChoice]:
    stored = None if turn_id is None else tx.artifacts.get(turn_id, CHOICES)
    return {} if stored is None else {one.words: one for one in load(tuple[PledgeChoice, ...], stored)}


def _is_owed(tx: Transaction, message: Message) -> bool:
    """Whether what an approved text says was owed when it was queued."""
    return any(one.words == message.text for one in tx.pledges.of_conversation(message.conversation_id))


def _who_answers(tx: Transaction, message: Message) -> str | None:
    """Whoever wrote it, or let it out; nobody where it left by itself."""
    if message.author is Author.REVIEWER:
        return message.author_name
    verdicts = [] if message.turn_id is None else tx.verdicts.of_turn(message.turn_id)
    return verdicts[-1].reviewer if verdicts else None
