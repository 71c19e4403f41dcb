"""Turns of the past as they are stored or written down, brought to one form; what becomes of them stands elsewhere."""

from __future__ import annotations

from understudy.errors import MalformedInput
from understudy.evaluation.cases import Past
from understudy.ports.store import Transaction
from understudy.records.assessment import Assessment
from understudy.records.codec import load
from understudy.records.evidence import Draft, Evidence
from understudy.records.review import Verdict, VerdictKind
from understudy.records.wire import TurnRecord

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
