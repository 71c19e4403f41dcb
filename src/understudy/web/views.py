"""Put together what the API shows, out of the store's records; it changes nothing."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from understudy.app import App
from understudy.assessment.summary import SummaryPart, parts_of
from understudy.effects.identity import group_of
from understudy.effects.summing_up import case_of
from understudy.errors import NotFound
from understudy.ports.store import Transaction
from understudy.records.access import Caller
from understudy.records.assessment import Assessment
from understudy.records.codec import readable
from understudy.records.conversation import Conversation, Message, Mode
from understudy.records.disclosure import Disclosure
from understudy.records.evidence import Draft, Evidence
from understudy.records.facts import WHY, Facts
from understudy.records.ledger import LedgerEntry
from understudy.records.outbox import OutboxEntry, OutboxState
from understudy.records.pledges import UNKEPT, Pledge
from understudy.records.pulls import Envelope
from understudy.records.review import Hold, HoldKind, VerdictKind
from understudy.records.tickets import Ticket, TicketState, TicketStep
from understudy.records.turn import Turn, TurnState
from understudy.web.actions_shown import actions_of_turn
from understudy.web.blind import (
    cap_for,
    conversation_as_first_seen,
    hold_for,
    reasons_for,
    second_of_turn,
    turn_as_first_seen,
)
from understudy.web.feed import Feed
from understudy.web.shapes import (
    ContactOut,
    ConversationOut,
    DisclosureOut,
    EarlierVerdict,
    FactsOut,
    HoldDetail,
    LedgerLine,
    LetterOut,
    MessageOut,
    PledgeOut,
    Reply,
    TicketOut,
    TicketStepOut,
    TurnOut,
)

PLEDGES_MAX = 50
SETTLED = frozenset({TurnState.ANSWERED, TurnState.SUPERSEDED, TurnState.SPENT, TurnState.REDRAFTED})
"""States in which nothing more will happen to a turn; a handed-off one may still be answered by a person."""

WHOLE_CHARS_MAX, WHOLE_CHARS_IN_ALL = 20_000, 200_000
"""So much of a letter is shown whole, and of all letters of a conversation."""
AFTERWARDS = frozenset({HoldKind.AUDIT, HoldKind.SECOND, HoldKind.REDRAFT, HoldKind.WIN_BACK})
"""Kinds of hold that no answer waits for."""


def turn_view(tx: Transaction, turn: Turn, *, reader: Caller | None = None) -> TurnOut:
    """Show a turn with everything known of it. One that was planted looks held until a reviewer decided on it, and so
    does one of which the `reader` may give a second review."""
    shown, second = _turn_for(tx, turn, reader), second_of_turn(tx, reader, turn.id)
    return shown if second is None else turn_as_first_seen(shown, second)


def _turn_for(tx: Transaction, turn: Turn, reader: Caller | None) -> TurnOut:
    shown = _whole_turn(tx, turn)
    return shown.model_copy(update={"reasons": reasons_for(tx, reader, shown.reasons)})


def _whole_turn(tx: Transaction, turn: Turn) -> TurnOut:
    draft, error, judged = (tx.artifacts.get(turn.id, kind) for kind in ("draft", "agent_error", "assessment"))
    assessment = readable(Assessment, judged)
    confidence = None if assessment is None else assessment.confidence
    shown = readable(Draft, draft)
    holds = [hold for hold in tx.holds.open_of_turn(turn.id) if hold.kind not in AFTERWARDS]
    entries = tx.outbox.of_turn(turn.id)
    last = entries[-1] if entries else None
    return TurnOut(
        id=turn.id,
        position=turn.position,
        conversation_id=turn.conversation_id,
        channel=turn.channel,
        topic=turn.topic,
        state=TurnState.HELD if turn.state is TurnState.PLANTED else turn.state,
        decision=None if turn.decision is None else turn.decision.value,
        reasons=[] if assessment is None else list(assessment.decision.reasons),
        confidence=turn.confidence,
        contributions=[] if confidence is None else list(confidence.contributions),
        signals={} if assessment is None else {signal.check: signal.score for signal in assessment.signals},
        findings=[] if assessment is None else list(assessment.findings),
        draft=shown,
        actions=actions_of_turn(tx, turn, shown),
        agent_error=readable(str, error),
        is_audited=turn.is_audited,
        superseded_by=turn.superseded_by,
        hold_id=holds[0].id if holds else None,
        reply=None if last is None else _reply(last),
        rulebook_id=turn.rulebook_id,
        created_at=turn.created_at,
        decided_at=turn.decided_at,
        finished_at=turn.finished_at,
    )


def conversation_view(tx: Transaction, conversation: Conversation) -> ConversationOut:
    """Show a conversation with its contact and latest messages; a rehearsal as what it plays."""
    is_rehearsal = conversation.mode is Mode.REHEARSAL
    contact = tx.contacts.get(conversation.contact_id)
    messages = tx.messages.of_conversation(conversation.id)
    return ConversationOut(
        id=conversation.id,
        channel=conversation.channel,
        external_id=conversation.address if is_rehearsal else conversation.external_id,
        mode=Mode.AGENT if is_rehearsal else conversation.mode,
        taken_by=conversation.taken_by,
        contact=ContactOut(id=contact.id, name=contact.name, email=contact.email, phone=contact.phone),
        messages=messages_view(messages, tx.envelopes.of_conversation(conversation.id)),
    )


def messages_view(messages: Sequence[Message], envelopes: Mapping[str, Envelope]) -> list[MessageOut]:
    """Show messages, the letters among them with what came around them; the latest whole texts first, as far as there is room."""
    room, shown = WHOLE_CHARS_IN_ALL, []
    for message in reversed(messages):
        letter, envelope = None, envelopes.get(message.id)
        if envelope is not None:
            whole = None if envelope.whole is None or room <= 0 else envelope.whole[:WHOLE_CHARS_MAX]
            room -= len(whole or "")
            letter = LetterOut(subject=envelope.subject, whole=whole, is_proven=envelope.is_proven)
        shown.append(
            MessageOut(
                seq=message.seq,
                turn_id=message.turn_id,
                author=message.author,
                author_name=message.author_name,
                text=message.text,
                at=message.at,
                letter=letter,
                origin=message.origin,
                disclosure=disclosure_view(message.disclosure),
            )
        )
    return shown[::-1]


def hold_view(tx: Transaction, hold_id: str, *, reader: Caller) -> HoldDetail:
    """Show a hold with its turn and conversation; raises `NotFound`, also where it is kept from the reader.

    A draft that is reviewed a second time is shown as its first reviewer saw it: nothing of what came after tells what
    they said. The same holds for the turn's other holds, as long as the reader may give that second review.
    """
    hold = tx.holds.get(hold_id)
    if tx.reviews.is_barred(hold_id, reader.name):
        raise NotFound(f"there is no hold {hold_id!r}")
    turn = _turn_for(tx, tx.turns.get(hold.turn_id), reader)
    if hold.kind is HoldKind.UNSURE_SEND:
        turn = _in_doubt(tx, turn)
    conversation = conversation_view(tx, tx.conversations.get(hold.conversation_id))
    second = hold if hold.kind is HoldKind.SECOND else second_of_turn(tx, reader, hold.turn_id)
    facts = _facts(tx, hold.turn_id)
    if second is None:
        return HoldDetail(
            hold=hold,
            turn=turn,
            conversation=conversation,
            before=_before(tx, hold),
            facts=facts,
            pledges=[
                pledge_view(one)
                for one in tx.pledges.of_contacts(group_of(tx, conversation.contact.id), limit=PLEDGES_MAX)
                if one.state in UNKEPT
            ],
            tickets=_tickets(tx, hold),
        )
    return HoldDetail(
        facts=facts,
        hold=hold_for(tx, reader, hold),
        turn=turn_as_first_seen(turn, second),
        conversation=conversation_as_first_seen(conversation, hold.turn_id),
    )


def summary_of(
    tx: Transaction, turn: Turn, reasons: Sequence[str], at: datetime, reader: Caller, *, hold_id: str | None = None
) -> list[SummaryPart]:
    """What a person has to know to go on with a turn; nothing for whoever may give a second review of it: it would tell what the
    first reviewer said. Nor what a model wrote of a turn for whoever may give one of that."""
    if second_of_turn(tx, reader, turn.id) is not None:
        return []
    case = case_of(tx, turn, reasons, at, hold_id=hold_id)
    is_blind = case.short is not None and second_of_turn(tx, reader, case.short.turn_id) is not None
    short = None if is_blind else case.short
    return list(parts_of(replace(case, cap=cap_for(tx, reader, case.cap), short=short)))


def _before(tx: Transaction, hold: Hold) -> list[EarlierVerdict]:
    if hold.kind is not HoldKind.HAND_OFF:
        return []
    return [
        EarlierVerdict(kind=one.kind, reviewer=one.reviewer, reasons=list(one.reasons), text=one.text, at=one.at)
        for one in tx.verdicts.of_turn(hold.turn_id)
        if one.kind is VerdictKind.REJECT
    ]


def _facts(tx: Transaction, turn_id: str) -> list[FactsOut]:
    """What systems of record had said when the turn was decided, or before its agent was asked."""
    evidence = readable(Evidence, tx.artifacts.get(turn_id, "evidence"))
    read = evidence.facts if evidence is not None else readable(tuple[Facts, ...], tx.artifacts.get(turn_id, "facts"))
    shown: list[FactsOut] = []
    for one in read or ():
        unknown = one.unknown if evidence is None else one.unknown_at(evidence.at)
        shown.append(
            FactsOut(
                system=one.system,
                about=one.about,
                taken_at=one.taken_at,
                fresh_until=one.fresh_until,
                items=list(one.items),
                has_more=one.has_more,
                unknown=unknown,
                why=None if unknown is None else WHY[unknown],
                says=one.says,
            )
        )
    return shown


def pledge_view(pledge: Pledge) -> PledgeOut:
    """Show something that was promised."""
    return PledgeOut(**{name: getattr(pledge, name) for name in PledgeOut.model_fields})


def _tickets(tx: Transaction, hold: Hold) -> list[TicketOut]:
    """The tickets that were opened for this hand-off, and those of the conversation that stand for it, too."""
    mine = (
        one
        for one in tx.tickets.of_conversation(hold.conversation_id)
        if one.hold_id == hold.id or (one.state is TicketState.OPENED and not one.is_over)
    )
    return [_ticket(one, tx.ticket_steps.of_ticket(one.id)) for one in mine]


def _ticket(ticket: Ticket, steps: Sequence[TicketStep]) -> TicketOut:
    return TicketOut(
        id=ticket.id,
        system=ticket.system,
        state=ticket.state,
        number=ticket.number,
        attempts=ticket.attempts,
        last_error=ticket.last_error,
        created_at=ticket.created_at,
        steps=[
            TicketStepOut(
                id=step.id,
                what=step.ordered.what,
                state=step.state,
                attempts=step.attempts,
                last_error=step.last_error,
                created_at=step.created_at,
            )
            for step in steps
        ],
    )


def _in_doubt(tx: Transaction, turn: TurnOut) -> TurnOut:
    """A turn with the message as its reply of which nobody knows whether it arrived; the verdict will be about that one."""
    entry = tx.outbox.head(turn.conversation_id)
    return (
        turn
        if entry is None or entry.state is not OutboxState.UNKNOWN
        else turn.model_copy(update={"reply": _reply(entry)})
    )


def _reply(entry: OutboxEntry) -> Reply:
    return Reply(
        text=entry.text,
        author=entry.author,
        author_name=entry.author_name,
        at=entry.created_at,
        state=entry.state,
        origin=entry.origin,
        disclosure=disclosure_view(entry.disclosure),
    )


def disclosure_view(said: Disclosure | None) -> DisclosureOut | None:
    """Show what a message tells of the AI that wrote it."""
    if said is None:
        return None
    return DisclosureOut(text=said.text, language=said.language, version=said.version, shown=said.shown, why=said.why)


def ledger_view(entry: LedgerEntry) -> LedgerLine:
    """Show a ledger entry."""
    return LedgerLine(
        seq=entry.seq,
        at=entry.at,
        event=entry.event,
        turn_id=entry.turn_id,
        conversation_id=entry.conversation_id,
        actor=entry.actor,
        body=json.loads(entry.body),
        previous=entry.previous,
        hash=entry.hash,
    )


async def decided_turn(
    app: App, feed: Feed, turn_id: str, *, decision_within_s: float, wait_s: float, reader: Caller | None = None
) -> TurnOut:
    """Show a turn once it is decided, and with `wait_s` > 0 once a person has decided too and the reply is out.

    Shows it as it stands where the time runs out first.
    """
    clock = asyncio.get_running_loop().time
    began = clock()
    with feed.watch(turn_id) as watch:
        while True:
            view = await app.store.read(lambda tx: turn_view(tx, tx.turns.get(turn_id), reader=reader))
            limit_s = decision_within_s if view.decision is None else wait_s
            left_s = began + limit_s - clock()
            if _is_enough(view) or left_s <= 0 or watch.is_over:
                return view
            await watch.next(left_s)


def _is_enough(view: TurnOut) -> bool:
    """Whether waiting longer could tell the caller nothing more."""
    sent = view.reply is not None and view.reply.state in (OutboxState.SENT, OutboxState.DEAD, OutboxState.DROPPED)
    return view.state in SETTLED or (view.decision is not None and sent and view.hold_id is None)
