"""Put together everything that is kept of one turn; it hides nothing, so who may see it is for the caller to know."""

from __future__ import annotations

from understudy.assessment.decision import granted, rules_that_spoke
from understudy.errors import MalformedInput, NotFound
from understudy.ports.store import Transaction
from understudy.records.assessment import Assessment
from understudy.records.codec import readable
from understudy.records.evidence import Evidence
from understudy.records.review import HoldKind
from understudy.records.rulebook import Rules
from understudy.records.story import Sent, Story

ENTRIES_MAX = 2_000
"""So many ledger entries of one turn are shown; a turn has some twenty, and more where it was tried to be sent for days."""


def story_of(tx: Transaction, turn_id: str) -> Story:
    """Read a turn with all that belongs to it; raises `NotFound`."""
    turn = tx.turns.get(turn_id)
    conversation = tx.conversations.get(turn.conversation_id)
    evidence, judged, error = (tx.artifacts.get(turn.id, kind) for kind in ("evidence", "assessment", "agent_error"))
    holds = tx.trail.holds_of(turn.id)
    seconds = (tx.trail.second_of(hold.id) for hold in holds if hold.kind is HoldKind.SECOND)
    sent = (Sent(entry=entry, receipts=tuple(tx.outbox.receipts(entry.id))) for entry in tx.outbox.of_turn(turn.id))
    saw, assessment, rules = readable(Evidence, evidence), readable(Assessment, judged), _rules(tx, turn.rulebook_id)
    return Story(
        turn=turn,
        conversation=conversation,
        contact=tx.contacts.get(conversation.contact_id),
        said=tuple(tx.messages.of_turn(turn.id)),
        evidence=saw,
        rules=rules,
        grant=None if saw is None or rules is None else granted(saw, rules),
        spoke=_spoke(saw, assessment, rules),
        assessment=assessment,
        agent_error=readable(str, error),
        holds=tuple(holds),
        verdicts=tuple(tx.verdicts.of_turn(turn.id)),
        sent=tuple(sent),
        feedback=tuple(tx.feedback.of_turn(turn.id)),
        candidate=tx.candidates.of_turn(turn.id),
        seconds=tuple(second for second in seconds if second is not None),
        seed=tx.seeds.of_turn(turn.id),
        entries=tuple(tx.trail.entries_of(turn.id, limit=ENTRIES_MAX)),
    )


def _spoke(saw: Evidence | None, assessment: Assessment | None, rules: Rules | None) -> tuple[str, ...]:
    if saw is None or assessment is None or rules is None:
        return ()
    return rules_that_spoke(saw, assessment.findings, assessment.confidence, rules)


def _rules(tx: Transaction, rulebook_id: str | None) -> Rules | None:
    try:
        return None if rulebook_id is None else tx.rulebooks.get(rulebook_id).rules
    except (NotFound, MalformedInput):
        return None
