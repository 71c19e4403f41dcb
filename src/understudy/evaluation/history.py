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


def stored(tx: Transaction, turn_id: str) -> Past:
    """Read a turn of this installation; raises `NotFound`, and `MalformedInput` where it was not decided yet.

    Of several verdicts (an audit, a second review) the one that found something wrong counts, the latest of those.
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
    verdict = worst(tx.verdicts.of_turn(turn_id))
    return Past(
        id=turn_id,
        channel=evidence.channel,
        topic=(verdict.topic if verdict is not None and verdict.topic else None) or evidence.topic,
        messages=evidence.messages,
        draft=evidence.draft or Draft(text=""),
        contact=evidence.contact,
        verdict=None if verdict is None else verdict.kind,
        better=None if verdict is None else verdict.text,
        reasons=() if verdict is None else verdict.reasons,
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
    """The verdict that a case is made of."""
    bad = [one for one in verdicts if one.kind is not VerdictKind.APPROVE or one.reasons]
    return max(bad or verdicts, key=lambda one: one.at, default=None)
