"""Make evidence of redrafts, in the order drawn: carry labels, put the rest before people, count what could not be made as
bad. Everything is written in the transaction it is given; no agent is asked here.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Final

from understudy.assessment.assess import counted_signals
from understudy.effects.evidence import is_evidence
from understudy.effects.labelling import carry_label, label
from understudy.learning.redraft_hold import Shown, ask_people
from understudy.ports.clock import Clock
from understudy.ports.store import Transaction
from understudy.records.assessment import Assessment
from understudy.records.autonomy import Candidate, Outcome
from understudy.records.codec import digest, dump
from understudy.records.evidence import Evidence
from understudy.records.redraft import RedraftPlan
from understudy.records.release import Release
from understudy.records.review import Hold
from understudy.records.rulebook import Rulebook, Rules
from understudy.stats.severity import Severity
from understudy.stats.watermark import TIMED_OUT_LOSS

AGAIN_AFTER: Final = (timedelta(minutes=1), timedelta(minutes=10), timedelta(hours=1))
"""A redraft that could not be made is tried again after these; then it counts as bad."""
SURE: Final = 1.0
"""The confidence of a redraft that could not be made: so it counts against every threshold."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A turn of the past: the draft that was labelled, and all that was known when it was assessed (None: it is lost)."""

    candidate: Candidate
    evidence: Evidence | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What is to be done next of a plan. `score` names what makes the confidences."""

    plan: RedraftPlan
    release: Release
    sources: tuple[Source, ...]
    rulebook: Rulebook
    score: str

    @property
    def of_slice(self) -> tuple[str, str, str]:
        """Topic, channel, and the name of the release."""
        return self.plan.topic, self.plan.channel, self.release.key


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A redraft of `source`: its evidence and assessment, or the `error` that kept it from being made."""

    source: Candidate
    evidence: Evidence | None = None
    assessment: Assessment | None = None
    is_same: bool = False
    error: str | None = None

    @property
    def is_evidence(self) -> bool:
        """Whether it would be evidence for its slice if a customer waited: no rule leaves it to people, and the agent, if
        it was the agent who named the topic, names the same."""
        if self.evidence is None or self.assessment is None or self.evidence.draft is None:
            return True
        named = self.evidence.draft.topic if self.evidence.topic_by == "agent" else None
        return self.assessment.decision.is_candidate and named in (None, self.evidence.topic)


def keep(
    tx: Transaction, clock: Clock, work: Work, found: list[Made], *, judged_within: timedelta
) -> tuple[RedraftPlan, list[Hold]]:
    """Write what was made up to the first that is to be tried again; returns the plan after it, and the holds it opened."""
    now, plan, opened = clock.now(), work.plan, list[Hold]()
    if tx.rulebooks.put(work.rulebook, now=now):
        tx.ledger.append("rulebook.added", at=now, rulebook=work.rulebook.id)
    for made in found:
        if made.error is not None and plan.tries < len(AGAIN_AFTER):
            plan = _put_off(tx, clock, plan, made)
            break
        plan, hold = _keep_one(tx, clock, work, replace(plan, tries=0, again_at=None), made, judged_within)
        opened += [] if hold is None else [hold]
    plan = replace(plan, version=work.plan.version + 1)
    tx.redrafts.change(plan, was=work.plan.version)
    return plan, opened


def _put_off(tx: Transaction, clock: Clock, plan: RedraftPlan, made: Made) -> RedraftPlan:
    again_at = clock.now() + AGAIN_AFTER[plan.tries]
    tx.ledger.append(
        "redraft.failed",
        at=clock.now(),
        release=plan.release_id,
        of=made.source.seq,
        error=made.error,
        again_at=again_at.isoformat(),
    )
    return replace(plan, tries=plan.tries + 1, again_at=again_at)


def _keep_one(
    tx: Transaction, clock: Clock, work: Work, plan: RedraftPlan, made: Made, judged_within: timedelta
) -> tuple[RedraftPlan, Hold | None]:
    """Write one down and see to its label."""
    turn_id, done = clock.new_id("turn"), replace(plan, done=plan.done + 1)
    redraft = _written(tx, clock, work, made, turn_id=turn_id, judged_within=judged_within)
    if redraft is None:
        return replace(done, apart=plan.apart + 1), None
    if made.evidence is None or made.assessment is None:
        bad = Severity(loss=TIMED_OUT_LOSS, is_severe=False)
        label(tx, clock, redraft, outcome=Outcome.NO_DRAFT, said=bad, by=None)
        return replace(done, failed=plan.failed + 1), None
    if made.is_same:
        carry_label(tx, clock, redraft, said_of=made.source)
        return replace(done, same=plan.same + 1), None
    if made.source.seq in plan.tuned_on and _is_bad(made.source):
        carry_label(tx, clock, redraft, said_of=made.source)
        return replace(done, kept=plan.kept + 1), None
    shown = Shown(turn_id=turn_id, evidence=made.evidence, assessment=made.assessment)
    return replace(done, asked=plan.asked + 1), ask_people(tx, clock, shown)


def _written(
    tx: Transaction, clock: Clock, work: Work, made: Made, *, turn_id: str, judged_within: timedelta
) -> Candidate | None:
    """A redraft as a candidate that has no label yet, in the ledger and in its table; None where it is no evidence."""
    source, now = made.source, clock.now()
    said = _said(tx, work, made) if made.is_evidence else None
    entry = tx.ledger.append(
        "redraft.made",
        at=now,
        turn_id=turn_id,
        conversation_id=source.conversation_id,
        release=work.plan.release_id,
        of=source.seq,
        same=made.is_same,
        error=made.error,
        rulebook=work.rulebook.id,
        evidence=None if made.evidence is None else digest(dump(made.evidence)),
        assessment=None if made.assessment is None else digest(dump(made.assessment)),
        candidate=said,
    )
    if said is None:
        return None
    redraft = Candidate(
        seq=entry.seq,
        turn_id=turn_id,
        conversation_id=source.conversation_id,
        topic=said["topic"],
        channel=said["channel"],
        release=said["release"],
        calibrator=said["calibrator"],
        confidence=said["confidence"],
        signals=_signals(made.assessment, work.rulebook.rules),
        is_delivered=said["delivered"],
        is_sampled=said["sampled"],
        rate=said["rate"],
        decided_at=source.decided_at,
        due_at=now + judged_within,
        is_repeat=said["repeat"],
        redraft_of=source.seq,
    )
    tx.candidates.add(redraft)
    return redraft


def _said(tx: Transaction, work: Work, made: Made) -> dict[str, Any]:
    """What the ledger says of a redraft as a candidate, in the words of `turn.decided`."""
    topic, channel, release = work.of_slice
    confidence = None if made.assessment is None else made.assessment.confidence
    return {
        "topic": topic,
        "channel": channel,
        "release": release,
        "calibrator": work.score,
        "confidence": SURE if confidence is None else confidence.value,
        "delivered": False,
        "sampled": True,
        "rate": 1.0,
        "repeat": is_evidence(tx, made.source.conversation_id, work.of_slice),
    }


def _is_bad(source: Candidate) -> bool:
    return source.label is not None and source.label.loss > 0.0


def _signals(assessment: Assessment | None, rules: Rules) -> tuple[tuple[str, float], ...]:
    if assessment is None:
        return ()
    counted = counted_signals(assessment.signals, assessment.findings, rules)
    return tuple((signal.check, signal.score) for signal in counted)
