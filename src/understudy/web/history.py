"""`/v1/conversations/{id}/history`: what else is known of a customer, over all channels; it changes nothing.

Only what is the same contact, or proven to be the same person, is shown together; nobody is recognised by a guess. What must not be known
of a draft that is still to be judged is left out: the conversation that a planted draft was taken from, and turns of which
the reader may give a second review.
"""

from __future__ import annotations

from datetime import datetime

from fastapi import APIRouter
from pydantic import BaseModel

from understudy.assessment.summary import SummaryPart
from understudy.effects.identity import group_of
from understudy.ports.store import Transaction
from understudy.records.access import Caller
from understudy.records.assessment import DecisionKind
from understudy.records.codec import load
from understudy.records.conversation import Conversation, Mode
from understudy.records.evidence import ContactFacts, Evidence
from understudy.records.review import VerdictKind
from understudy.records.turn import Turn, TurnState
from understudy.web.auth import HoldsReader, TheApp
from understudy.web.blind import conversation_for, second_of_turn
from understudy.web.bodies import JsonRoute
from understudy.web.problems import answers
from understudy.web.shapes import MessageOut, TurnOut
from understudy.web.views import conversation_view, summary_of, turn_view

router = APIRouter(prefix="/v1/conversations", tags=["review"], route_class=JsonRoute)

CONVERSATIONS_MAX = 20
MESSAGES_MAX = 50
TURNS_MAX = 200
VERDICTS_MAX = 5
LOOKED_AT_MAX = 40
FOR_REVIEWERS = frozenset({TurnState.PLANTED, TurnState.SPENT, TurnState.REDRAFTED})
"""Turns that no customer was behind."""


class OtherConversation(BaseModel):
    """Another conversation of the same contact, with its last messages, oldest first."""

    id: str
    channel: str
    messages: list[MessageOut]


class PastVerdict(BaseModel):
    """What a reviewer said of an earlier draft for this customer."""

    kind: VerdictKind
    topic: str | None
    channel: str
    at: datetime


class TurnCounts(BaseModel):
    """How this customer was answered in their last 200 turns, the one at hand left out. `by_person`: given to people, by
    the decision or by a reviewer; what waits or was overtaken is in none but `turns`."""

    turns: int
    by_agent: int
    reviewed: int
    by_person: int
    since: datetime | None


class History(BaseModel):
    """The contact's other conversations, the latest first; how they were answered, the last verdicts, the facts that the
    last turn was judged with, whether somebody vouched for who wrote (null: nobody looked), that turn itself, and, where people
    answer, what one of them has to know to go on."""

    others: list[OtherConversation]
    counts: TurnCounts
    verdicts: list[PastVerdict]
    facts: ContactFacts | None
    is_verified: bool | None
    last_turn: TurnOut | None
    summary: list[SummaryPart] = []


@router.get("/{conversation_id}/history", responses=answers(401, 403, 404))
async def get_history(conversation_id: str, app: TheApp, key: HoldsReader) -> History:
    """Read what else is known of the customer of a conversation, as far as you may know it."""
    return await app.store.read(lambda tx: _history(tx, key, tx.conversations.get(conversation_id), app.clock.now()))


def _history(tx: Transaction, key: Caller, conversation: Conversation, now: datetime) -> History:
    others = [one for one in _known(tx, conversation) if one.id != conversation.id]
    shown = {one.id for one in others} | {conversation.id}
    last = tx.turns.latest_of(conversation.id)
    turns = [
        turn
        for one in group_of(tx, conversation.contact_id, is_verified=True)
        for turn in tx.turns.of_contact(one, limit=TURNS_MAX)
        if turn.conversation_id in shown
        and turn.state not in FOR_REVIEWERS
        and (last is None or turn.id != last.id)
        and second_of_turn(tx, key, turn.id) is None
    ]
    evidence = None if last is None else _evidence(tx, last)
    return History(
        others=[_other(tx, key, one) for one in others],
        counts=_counts(turns),
        verdicts=_verdicts(tx, turns),
        facts=None if evidence is None else evidence.contact,
        is_verified=None if evidence is None else evidence.is_verified,
        last_turn=None if last is None else turn_view(tx, last, reader=key),
        summary=[]
        if last is None or conversation.mode is not Mode.PERSON
        else summary_of(tx, last, last.reasons, now, key),
    )


def _known(tx: Transaction, conversation: Conversation) -> list[Conversation]:
    """The contact's conversations in which somebody is. What is shown to reviewers alone is a copy of one of them, which
    would say what became of it."""
    is_copy = conversation.mode is Mode.REHEARSAL
    return [
        one
        for contact_id in group_of(tx, conversation.contact_id, is_verified=True)
        for one in tx.conversations.of_contact(contact_id, limit=CONVERSATIONS_MAX)
        if one.mode is not Mode.REHEARSAL
        and not (is_copy and one.channel == conversation.channel and one.external_id == conversation.address)
    ]


def _other(tx: Transaction, key: Caller, conversation: Conversation) -> OtherConversation:
    view = conversation_for(tx, key, conversation_view(tx, conversation))
    return OtherConversation(id=view.id, channel=view.channel, messages=view.messages[-MESSAGES_MAX:])


def _counts(turns: list[Turn]) -> TurnCounts:
    alone = {DecisionKind.DELIVER, DecisionKind.DEGRADE}
    return TurnCounts(
        turns=len(turns),
        by_agent=sum(turn.decision in alone for turn in turns),
        reviewed=sum(turn.decision is DecisionKind.HOLD and turn.state is TurnState.ANSWERED for turn in turns),
        by_person=sum(_went_to_people(turn) for turn in turns),
        since=min((turn.created_at for turn in turns), default=None),
    )


def _went_to_people(turn: Turn) -> bool:
    """By the decision, whatever the customer was told meanwhile, or by a reviewer who did not let the draft out."""
    return turn.decision is DecisionKind.HAND_OFF or (
        turn.decision is DecisionKind.HOLD and turn.state is TurnState.HANDED_OFF
    )


def _verdicts(tx: Transaction, turns: list[Turn]) -> list[PastVerdict]:
    found: list[PastVerdict] = []
    for turn in turns[:LOOKED_AT_MAX]:
        if turn.decision is None:
            continue
        found += [
            PastVerdict(kind=one.kind, topic=turn.topic, channel=turn.channel, at=one.at)
            for one in reversed(tx.verdicts.of_turn(turn.id))
        ]
        if len(found) >= VERDICTS_MAX:
            break
    return found[:VERDICTS_MAX]


def _evidence(tx: Transaction, turn: Turn) -> Evidence | None:
    stored = tx.artifacts.get(turn.id, "evidence")
    return None if stored is None else load(Evidence, stored)
