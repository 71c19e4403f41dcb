"""Read from the ledger what became of the conversations of a canary and of its baseline; it decides nothing.

Counted are only conversations that began while the release was a canary, since only those were given to one or the other
by a draw. The ledger is read in order and each entry once, so the same ledger gives the same comparison.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from understudy.ports.store import Transaction
from understudy.records.assessment import Assessment
from understudy.records.autonomy import NOTHING_SAID
from understudy.records.codec import load
from understudy.records.evidence import Draft
from understudy.records.feedback import FeedbackKind
from understudy.records.ledger import LedgerEntry
from understudy.records.release import Release
from understudy.records.rollout import LiveSignal, ReleaseTerms
from understudy.release.losses import checks_loss, cost_loss, latency_loss
from understudy.release.signals import Progress, complained, exposed, observed

JUDGED_MAX = 2_000
ASKED_MAX = 10_000
UPSET = frozenset({FeedbackKind.COMPLAINT, FeedbackKind.THUMBS_DOWN, FeedbackKind.RECONTACT})


class CanaryReading:
    """Takes ledger entries one after the other. `asked` remembers, between pages, when the agent was asked for a turn."""

    def __init__(
        self, tx: Transaction, candidate: Release, baseline: Release, terms: ReleaseTerms, asked: dict[str, datetime]
    ) -> None:
        self._tx = tx
        self._candidate = candidate
        self._baseline = baseline
        self._terms = terms
        self._asked = asked
        self._arms: dict[str, bool | None] = {}

    def take(self, before: Progress, entries: Iterable[LedgerEntry]) -> Progress:
        """What is known after these entries."""
        progress = before
        for entry in entries:
            if entry.event in _TAKEN and entry.conversation_id is not None and entry.turn_id is not None:
                is_candidate = self._arm(entry.conversation_id)
                if is_candidate is not None:
                    progress = self._one(progress, entry, is_candidate)
        return progress

    def _one(self, progress: Progress, entry: LedgerEntry, is_candidate: bool) -> Progress:
        assert entry.turn_id is not None, "asked by the caller"
        body = _body(entry)
        match entry.event:
            case "agent.asked":
                if len(self._asked) < ASKED_MAX:
                    self._asked[entry.turn_id] = entry.at
                return progress
            case "turn.drafted":
                return self._drafted(progress, entry, is_candidate, has_failed=bool(body["failed"]))
            case "turn.decided":
                return self._decided(progress, entry.turn_id, is_candidate, decision=str(body["decision"]))
            case "label.given":
                return self._labelled(progress, entry.turn_id, is_candidate)
            case _:
                kind = FeedbackKind(str(body["kind"]))
                if not body["automatic"] or kind not in UPSET:
                    return progress
                return complained(progress, is_candidate=is_candidate, terms=self._terms)

    def _drafted(self, progress: Progress, entry: LedgerEntry, is_candidate: bool, *, has_failed: bool) -> Progress:
        """How long it took; no draft at all is the worst that checks could find."""
        assert entry.turn_id is not None, "asked by the caller"
        began_at = self._asked.pop(entry.turn_id, None)
        if has_failed:
            return observed(progress, LiveSignal.CHECKS, 1.0, is_candidate=is_candidate, terms=self._terms)
        progress = self._with_cost(progress, entry.turn_id, is_candidate)
        if began_at is None:
            return progress
        took_s = (entry.at - began_at).total_seconds()
        loss = latency_loss(took_s, draft_s_max=self._terms.draft_s_max)
        return observed(progress, LiveSignal.LATENCY, loss, is_candidate=is_candidate, terms=self._terms)

    def _with_cost(self, progress: Progress, turn_id: str, is_candidate: bool) -> Progress:
        if self._terms.draft_cost_max is None:
            return progress
        stored = self._tx.artifacts.get(turn_id, "draft")
        draft = None if stored is None else load(Draft, stored)
        loss = cost_loss(draft, draft_cost_max=self._terms.draft_cost_max)
        if loss is None:
            return progress
        return observed(progress, LiveSignal.COST, loss, is_candidate=is_candidate, terms=self._terms)

    def _decided(self, progress: Progress, turn_id: str, is_candidate: bool, *, decision: str) -> Progress:
        if decision == "deliver":
            progress = exposed(progress, is_candidate=is_candidate)
        stored = self._tx.artifacts.get(turn_id, "assessment")
        if stored is None:
            return progress
        assessment = load(Assessment, stored)
        if assessment.confidence is None:
            return progress  # nobody drafted: told by `turn.drafted`, or no agent was asked
        loss = checks_loss(assessment.findings)
        return observed(progress, LiveSignal.CHECKS, loss, is_candidate=is_candidate, terms=self._terms)

    def _labelled(self, progress: Progress, turn_id: str, is_candidate: bool) -> Progress:
        """Only labels that count as evidence for autonomy: a fair sample of both. Harm counts however it was found."""
        draft = self._tx.candidates.of_turn(turn_id)
        if draft is None or draft.label is None or draft.seq in progress.judged or draft.redraft_of is not None:
            return progress
        progress = replace(progress, judged=(*progress.judged, draft.seq)[-JUDGED_MAX:])
        if not (self._candidate if is_candidate else self._baseline).made(draft.release):
            return progress  # another agent stood in for it
        if is_candidate and draft.is_delivered and draft.label.is_severe:
            progress = replace(progress, harms=progress.harms + 1)
        if not draft.is_sampled or draft.label.outcome in NOTHING_SAID:
            return progress
        loss = draft.label.loss
        return observed(progress, LiveSignal.QUALITY, loss, is_candidate=is_candidate, terms=self._terms)

    def _arm(self, conversation_id: str) -> bool | None:
        """Whether a conversation is the candidate's; None where it is neither's, or began before the comparison did."""
        if conversation_id not in self._arms:
            self._arms[conversation_id] = self._look(conversation_id)
        return self._arms[conversation_id]

    def _look(self, conversation_id: str) -> bool | None:
        choice = self._tx.releases.choice(conversation_id, self._candidate.agent)
        if choice is None or choice.release_id not in (self._candidate.id, self._baseline.id):
            return None
        if self._tx.conversations.get(conversation_id).created_at < self._candidate.since:
            return None
        return choice.release_id == self._candidate.id


_TAKEN = frozenset({"agent.asked", "turn.drafted", "turn.decided", "label.given", "feedback.given"})


def _body(entry: LedgerEntry) -> dict[str, object]:
    found: dict[str, object] = json.loads(entry.body)
    return found
