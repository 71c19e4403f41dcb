"""Write what people said of a draft beside it, as evidence for the autonomy of its slice; it draws no conclusion."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime

from understudy.assessment.grading import grade
from understudy.ports.clock import Clock
from understudy.ports.store import Transaction
from understudy.records.autonomy import Candidate, Label, Outcome
from understudy.records.codec import canonical, load
from understudy.records.evidence import Draft
from understudy.records.review import Hold, HoldKind, HoldState, Verdict
from understudy.records.turn import LEARNING_JOB, Job
from understudy.stats.severity import Severity
from understudy.stats.watermark import TIMED_OUT_LOSS, is_late

JUDGES = frozenset({HoldKind.DRAFT, HoldKind.AUDIT, HoldKind.REDRAFT})
"""Kinds of hold on which a verdict says how good a draft was."""


def label_by_verdict(tx: Transaction, clock: Clock, hold: Hold, verdict: Verdict) -> Candidate | None:
    """Label the draft that a verdict speaks of; None where it is no candidate, or was labelled before.

    A review for cause of a reply whose random audit was decided already is kept out of what that audit found: drafts
    that customers complained of are worse than others. Harm it finds is an incident all the same.
    """
    candidate = tx.candidates.of_turn(hold.turn_id) if hold.kind in JUDGES else None
    if candidate is None:
        return None
    said = given_by(tx, verdict)
    if candidate.is_sampled and candidate.label is not None:
        if said.is_severe and candidate.is_delivered and not candidate.label.is_severe:
            _note_harm(tx, candidate)
            announce_learning(tx, candidate)
        return None
    counted = Severity(loss=said.loss, is_severe=said.is_severe)
    return label(tx, clock, candidate, outcome=said.outcome, said=counted, by=said.by)


def given_by(tx: Transaction, verdict: Verdict) -> Label:
    """What a verdict says of a draft. An approval by a reviewer whose approvals are no evidence says nothing, nor does one
    that repeats another: who approves many drafts at once looked at one."""
    said = graded(tx, verdict)
    outcome = Outcome(verdict.kind.value)
    is_nothing = verdict.is_repeat or tx.reviews.discounted(verdict.reviewer) is not None
    if said.loss == 0.0 and is_nothing:
        outcome = Outcome.DISCOUNTED
    return Label(outcome=outcome, loss=said.loss, is_severe=said.is_severe, by=verdict.reviewer, at=verdict.at)


def graded(tx: Transaction, verdict: Verdict) -> Severity:
    """Grade a verdict on the draft of its turn."""
    draft = tx.artifacts.get(verdict.turn_id, "draft")
    assert draft is not None, f"turn {verdict.turn_id} is judged without a draft"
    return grade(
        verdict.kind,
        draft=load(Draft, draft).text,
        text=verdict.text,
        severity=verdict.severity,
        reasons=verdict.reasons,
    )


def label_unjudged(tx: Transaction, clock: Clock, hold: Hold, state: HoldState, *, actor: str) -> None:
    """Label a draft whose hold closes without a verdict on it: void where the customer wrote on, bad where a person
    answered in its place. One that expires stays without a label, and counts as bad when its time has passed."""
    if hold.kind is not HoldKind.DRAFT or state not in (HoldState.SUPERSEDED, HoldState.DECIDED):
        return
    candidate = tx.candidates.of_turn(hold.turn_id)
    if candidate is None or candidate.label is not None:
        return
    is_void = state is HoldState.SUPERSEDED
    label(
        tx,
        clock,
        candidate,
        outcome=Outcome.VOID if is_void else Outcome.TAKE_OVER,
        said=Severity(loss=0.0 if is_void else 1.0, is_severe=False),
        by=None if is_void else actor,
    )


def label(
    tx: Transaction, clock: Clock, candidate: Candidate, *, outcome: Outcome, said: Severity, by: str | None
) -> Candidate:
    """Write a label with its ledger entry, and have learning look at the slice.

    The first label of a sampled draft that comes when its time has passed is the time-out that the sweep would have
    written, whoever is there first: bad drafts take longer, so the late ones are no fair sample. What is severe stays so.
    """
    now = clock.now()
    given = Label(outcome=outcome, loss=said.loss, is_severe=said.is_severe, by=by, at=now)
    if _is_late(candidate, now) and not given.is_severe:
        given = timed_out(now)
    _write(tx, candidate, given)
    if given.is_severe and candidate.is_delivered:
        _note_harm(tx, candidate)
    return replace(candidate, label=given, second_due_at=None)


def carry_label(tx: Transaction, clock: Clock, redraft: Candidate, *, said_of: Candidate) -> None:
    """Let what people said of an old draft hold of a redraft that says the same."""
    label = said_of.label
    assert label is not None, f"draft {said_of.seq} has no label that could be carried"
    _write(tx, redraft, replace(label, at=clock.now(), carried_from=said_of.seq))


def _write(tx: Transaction, candidate: Candidate, given: Label) -> None:
    tx.candidates.judge(candidate, given)
    tx.ledger.append(
        "label.given",
        at=given.at,
        turn_id=candidate.turn_id,
        conversation_id=candidate.conversation_id,
        actor="system" if given.by is None or given.carried_from is not None else given.by,
        candidate=candidate.seq,
        outcome=given.outcome.value,
        loss=given.loss,
        severe=given.is_severe,
        carried_from=given.carried_from,
    )
    announce_learning(tx, candidate)


def timed_out(now: datetime) -> Label:
    """The label of a draft that nobody judged in time: bad, for ever."""
    return Label(outcome=Outcome.TIMEOUT, loss=TIMED_OUT_LOSS, is_severe=False, by=None, at=now)


def _is_late(candidate: Candidate, now: datetime) -> bool:
    return candidate.is_sampled and candidate.label is None and is_late(now, due_at=candidate.due_at)


def _note_harm(tx: Transaction, candidate: Candidate) -> None:
    """One harmful reply that left by itself is enough, whether or not it was drawn for the audits."""
    epoch = tx.epochs.current(candidate.topic, candidate.channel, candidate.release)
    if epoch is not None and not epoch.has_harm:
        tx.epochs.change(replace(epoch, version=epoch.version + 1, has_harm=True), was=epoch.version)


def announce_learning(tx: Transaction, candidate: Candidate) -> None:
    """Have learning look at the slice and release of a candidate."""
    tx.announce(Job(kind=LEARNING_JOB, key=slice_key(candidate.topic, candidate.channel, candidate.release)))


def slice_key(topic: str, channel: str, release: str) -> str:
    """A slice and release as the key of a job."""
    return canonical([topic, channel, release])


def slice_of_key(key: str) -> tuple[str, str, str]:
    """The slice and release that a job's key names."""
    topic, channel, release = json.loads(key)
    return topic, channel, release
