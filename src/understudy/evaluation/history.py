"""Turns of the past as they are stored or written down, brought to one form; what becomes of them stands elsewhere."""

from __future__ import annotations

from typing import Final

from understudy.errors import MalformedInput, NotFound
from understudy.evaluation.cases import Past
from understudy.evaluation.conversation_cases import PastConversation
from understudy.ports.store import Transaction
from understudy.records.assessment import Assessment
from understudy.records.codec import load
from understudy.records.conversation import Author
from understudy.records.evidence import Draft, Evidence
from understudy.records.review import Verdict, VerdictKind
from understudy.records.wire import TurnRecord

MESSAGES_MAX: Final = 1_000
"""So many of the latest messages of a conversation are looked at."""
HARDEST_FIRST = (
    VerdictKind.REJECT,
    VerdictKind.TAKE_OVER,
    VerdictKind.EDIT,
    VerdictKind.RESPOND,
    VerdictKind.APPROVE,
)


def stored(tx: Transaction, turn_id: str) -> Past:
    """Read a turn of this installation; raises `NotFound`, and `MalformedInput` where it was not decided yet.

    Of several verdicts the hardest on the draft counts (`worst`), with the reasons of all that found something wrong, and
    what was last written instead: who rejects a draft answers the customer afterwards, in another verdict.
    """
    turn = tx.turns.get(turn_id)
    evidence_text = tx.artifacts.get(turn_id, "evidence")
    if evidence_text is None:
        raise MalformedInput(f"turn {turn_id!r} is {turn.state.value} and was not decided yet; wait until it is")
    evidence = load(Evidence, evidence_text)
    if not any(message.role == "user" for message in evidence.messages):
        raise MalformedInput(f"turn {turn_id!r} has no message of the customer, so there is nothing to ask an agent")
    assessment_text = tx.artifacts.get(turn_id, "assessment")
    assessment = None if assessment_text is None else load(Assessment, assessment_text)
    verdicts = tx.verdicts.of_turn(turn_id)
    verdict, bad = worst(verdicts), [one for one in verdicts if _is_bad(one)]
    better = next((one.text for one in reversed(bad) if one.text), None)
    return Past(
        id=turn_id,
        channel=evidence.channel,
        topic=(verdict.topic if verdict is not None and verdict.topic else None) or evidence.topic,
        messages=evidence.messages,
        draft=evidence.draft or Draft(text=""),
        contact=evidence.contact,
        verdict=None if verdict is None else verdict.kind,
        better=better,
        reasons=tuple(dict.fromkeys(reason for one in bad for reason in one.reasons)),
        findings=() if assessment is None else assessment.findings,
        decision=turn.decision,
        feedback=tuple(one.kind for one in tx.feedback.of_turn(turn_id)),
    )


def stored_conversation(tx: Transaction, name: str) -> PastConversation:
    """Read a conversation of this installation: up to a turn, or by its own id up to the latest turn that was decided.

    Raises `NotFound`, and `MalformedInput` where nothing was decided yet.
    """
    try:
        turn = tx.turns.get(name)
        conversation_id, until = turn.conversation_id, turn.position
    except NotFound:
        conversation_id, until = _conversation(tx, name), None
    said = tx.messages.of_conversation(conversation_id, limit=MESSAGES_MAX)
    ids = dict.fromkeys(one.turn_id for one in said if one.author is Author.CUSTOMER and one.turn_id is not None)
    turns = [
        stored(tx, one)
        for one in ids
        if one != name and (until is None or tx.turns.get(one).position < until) and _is_decided(tx, one)
    ]
    if until is not None:
        turns.append(stored(tx, name))
    if not turns:
        raise MalformedInput(f"no turn of conversation {name!r} was decided yet; wait until one is")
    return PastConversation(id=conversation_id, turns=tuple(turns))


def _conversation(tx: Transaction, name: str) -> str:
    try:
        return tx.conversations.get(name).id
    except NotFound as error:
        raise NotFound(f"there is no turn and no conversation {name!r}") from error


def _is_decided(tx: Transaction, turn_id: str) -> bool:
    evidence = tx.artifacts.get(turn_id, "evidence")
    return evidence is not None and any(message.role == "user" for message in load(Evidence, evidence).messages)


def written(record: TurnRecord) -> Past:
    """A turn record of a file; raises `MalformedInput` where no customer says anything."""
    messages = record.chat()
    if not any(message.role == "user" for message in messages):
        raise MalformedInput(f"turn record {record.id!r} has no message of the customer")
    verdict = record.verdict
    return Past(
        id=record.id,
        channel=record.channel,
        topic=record.topic,
        messages=messages,
        draft=record.draft_record(),
        contact=record.contact_facts(),
        verdict=None if verdict is None else verdict.action,
        better=None if verdict is None else verdict.text,
        reasons=() if verdict is None else tuple(verdict.reasons),
    )


def worst(verdicts: list[Verdict]) -> Verdict | None:
    """The verdict that a case is made of: the hardest on the draft, the latest of those."""
    return min(
        verdicts, key=lambda one: (HARDEST_FIRST.index(one.kind), not one.reasons, -one.at.timestamp()), default=None
    )


def _is_bad(verdict: Verdict) -> bool:
    return verdict.kind is not VerdictKind.APPROVE or bool(verdict.reasons)
