"""Make a decision true, in one transaction: the assessment, its effect, the turn's new state, the ledger entry."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from understudy.assessment.alike import alike_of
from understudy.assessment.discontent import is_asked_again, is_complaint
from understudy.effects.acting import let_through, objections_now, propose, queue_after_actions, uses_of
from understudy.effects.codes import prove_by_rule
from understudy.effects.feedback import take_feedback
from understudy.effects.handing_off import give_to_person
from understudy.effects.holds import open_hold
from understudy.effects.identity import group_of
from understudy.effects.safe_replies import queue_safe_reply
from understudy.effects.trust import cap_at, cap_contact
from understudy.errors import StepSuperseded
from understudy.ports.clock import Clock
from understudy.ports.store import Transaction
from understudy.ports.telemetry import TurnDecided
from understudy.records.acting import WaitingReply
from understudy.records.action_rules import rule_for
from understudy.records.answering import Event
from understudy.records.assessment import WANTS_PERSON, Assessment, Decision, DecisionKind, faults_of
from understudy.records.codec import digest, dump
from understudy.records.conversation import Author, Conversation
from understudy.records.evidence import Evidence
from understudy.records.feedback import FeedbackKind, FeedbackTerms
from understudy.records.review import Hold, HoldKind
from understudy.records.rulebook import Rules, SafeReply
from understudy.records.trust import CapCause
from understudy.records.turn import SEED_JOB, Job, Turn, TurnState
from understudy.turn.candidates import add_candidate, candidate_of
from understudy.turn.elsewhere import is_theirs
from understudy.turn.limits import FlowLimits
from understudy.turn.standing import earned_grant

FOLLOW_UP_PRIORITY = 4
UNVERIFIED = "exposure.unverified_account"


@dataclass(frozen=True, slots=True, kw_only=True)
class Committed:
    """A turn as decided, and the holds that were opened with it."""

    turn: Turn
    holds: tuple[Hold, ...]


def commit(
    tx: Transaction,
    clock: Clock,
    turn: Turn,
    *,
    evidence: Evidence,
    evidence_digest: str,
    assessment: Assessment,
    rules: Rules,
    limits: FlowLimits,
) -> Committed:
    """Store an assessment and do what it decided.

    Raises `StepSuperseded` where the turn moved on meanwhile, its conversation went to a person or back, its customer's
    trust was lost or won, or its slice lost or gained autonomy: then the evidence is of another world, and the agent must not speak over a person.
    """
    now = clock.now()
    conversation = tx.conversations.get(turn.conversation_id)
    if not is_still_so(tx, evidence, rules):
        raise StepSuperseded(f"turn {turn.id} was gathered under another mode or autonomy than those in force now")
    decision = assessment.decision
    reasons = tuple(reason.code for reason in decision.reasons)
    text = dump(assessment)
    # First the compare-and-set: everything after it happens only while this turn is still ours to decide.
    decided = tx.turns.advance(
        turn,
        _next_state(decision),
        due_at=None,
        decision=decision.kind,
        reasons=reasons,
        confidence=None if assessment.confidence is None else assessment.confidence.value,
        is_audited=decision.is_audited,
        findings=faults_of(assessment),
        decided_at=now,
        finished_at=now if decision.kind is DecisionKind.HAND_OFF else None,
    )
    tx.artifacts.put(turn.id, "assessment", text)
    said = candidate_of(tx, evidence, assessment, rules) if decision.is_candidate else None
    entry = tx.ledger.append(
        "turn.decided",
        at=now,
        turn_id=turn.id,
        conversation_id=turn.conversation_id,
        decision=decision.kind.value,
        reasons=list(reasons),
        rulebook=assessment.rulebook_id,
        assessment=digest(text),
        evidence=evidence_digest,
        candidate=said,
    )
    if decision.kind is DecisionKind.HOLD and limits.seed_rate and clock.random() < limits.seed_rate:
        tx.announce(Job(kind=SEED_JOB, key=turn.id))
    if said is not None:
        within = limits.judged_within
        add_candidate(tx, decided, evidence, assessment, rules, said=said, seq=entry.seq, judged_within=within)
    heard = _hear(tx, clock, evidence, assessment, limits.feedback, is_trusting=rules.trust.is_on)
    if WANTS_PERSON in decided.findings and decision.kind is DecisionKind.HAND_OFF and rules.trust.is_on:
        cap_contact(tx, clock, turn.conversation_id, CapCause.WANTS_PEOPLE, turn_id=turn.id)
    hold = _effect(tx, clock, decided, conversation, evidence, assessment, rules, limits)
    return Committed(turn=decided, holds=(*heard, *([] if hold is None else [hold])))


def _hear(
    tx: Transaction,
    clock: Clock,
    evidence: Evidence,
    assessment: Assessment,
    terms: FeedbackTerms,
    *,
    is_trusting: bool,
) -> list[Hold]:
    """What a message says of the automatic reply it follows: a complaint, or that it was not enough."""
    past = evidence.follows
    if past is None:
        return _hear_elsewhere(tx, clock, evidence, terms, is_trusting=is_trusting)
    kinds: list[FeedbackKind] = []
    if is_complaint(evidence, assessment.findings):
        kinds.append(FeedbackKind.COMPLAINT)
    if past.topic == evidence.topic and evidence.at - past.at < timedelta(hours=terms.recontact_within_h):
        kinds.append(FeedbackKind.RECONTACT)
    if not kinds:
        return []
    turn = tx.turns.get(past.turn_id)
    if FeedbackKind.RECONTACT in kinds and is_trusting and is_asked_again(evidence, assessment.findings):
        cap_contact(tx, clock, turn.conversation_id, CapCause.RECONTACT, turn_id=turn.id, actor="customer")
    holds = [take_feedback(tx, clock, turn, kind, by="customer", terms=terms) for kind in kinds]
    return [hold for hold in holds if hold is not None]


def _hear_elsewhere(
    tx: Transaction, clock: Clock, evidence: Evidence, terms: FeedbackTerms, *, is_trusting: bool
) -> list[Hold]:
    """A known customer who begins a conversation may come back for what was answered in another one, on whichever channel they were proven
    to be the same; they get people from their next message on."""
    if len(evidence.messages) > evidence.burst:
        return []
    conversation = tx.conversations.get(evidence.conversation_id)
    person = group_of(tx, conversation.contact_id, is_verified=True)
    if len(person) == 1 and tx.contacts.get(conversation.contact_id).created_at >= conversation.created_at:
        return []
    since = evidence.at - timedelta(hours=terms.recontact_within_h)
    past = tx.feedback.last_automatic(person, evidence.topic, besides=evidence.conversation_id, since=since)
    if past is not None:
        turn = tx.turns.get(past)
        take_feedback(tx, clock, turn, FeedbackKind.RECONTACT, by="customer", terms=terms)
        if is_trusting:
            cap_contact(tx, clock, turn.conversation_id, CapCause.RECONTACT, turn_id=turn.id, actor="customer")
    return []


def is_still_so(tx: Transaction, evidence: Evidence, rules: Rules) -> bool:
    """Whether a turn was gathered under the mode of its conversation, the trust of its customer, who that is and the autonomy
    of its slice as they are now."""
    conversation = tx.conversations.get(evidence.conversation_id)
    if conversation.mode is not evidence.mode:
        return False
    if cap_at(tx, conversation.contact_id, rules, evidence.at) is not evidence.cap:
        return False
    if not is_theirs(tx, conversation, evidence.group):
        return False
    if evidence.draft is None:
        return True
    return earned_grant(tx, rules, evidence) == rules.earned and not _is_limit_reached(
        tx, conversation, evidence, rules
    )


def _is_limit_reached(tx: Transaction, conversation: Conversation, evidence: Evidence, rules: Rules) -> bool:
    """Whether others have used up since what an action of the draft was still within."""
    if not rules.actions or evidence.draft is None or not evidence.draft.actions:
        return False
    actions = [(action.name, action.arguments) for action in evidence.draft.actions]
    contact_id = conversation.contact_id
    if not any(objections_now(tx, rules.actions, actions, contact_id=contact_id, at=evidence.at)):
        return False
    return uses_of(tx, [rule.name for rule in rules.actions], contact_id, evidence.at) != evidence.uses


def turn_decided(committed: Committed, evidence: Evidence, assessment: Assessment, assess_ms: float) -> TurnDecided:
    """The event that tells of a decision; emit it after the commit."""
    turn = committed.turn
    decided_at = turn.decided_at or evidence.at
    return TurnDecided(
        turn_id=turn.id,
        conversation_id=turn.conversation_id,
        channel=turn.channel,
        topic=evidence.topic,
        agent=evidence.draft.agent if evidence.draft is not None else None,
        agent_version=turn.agent_version,
        decision=assessment.decision.kind.value,
        reasons=turn.reasons,
        confidence=turn.confidence,
        signals=assessment.signals,
        findings=assessment.findings,
        rulebook_id=assessment.rulebook_id,
        started_at=turn.created_at,
        decided_at=decided_at,
        took_ms=(decided_at - turn.created_at).total_seconds() * 1000,
        assess_ms=assess_ms,
        trace=turn.trace,
    )


def _next_state(decision: Decision) -> TurnState:
    match decision.kind:
        case DecisionKind.DELIVER | DecisionKind.DEGRADE:
            return TurnState.DELIVERING
        case DecisionKind.HOLD:
            return TurnState.HELD
        case DecisionKind.HAND_OFF:
            return TurnState.HANDED_OFF


def _effect(
    tx: Transaction,
    clock: Clock,
    turn: Turn,
    conversation: Conversation,
    evidence: Evidence,
    assessment: Assessment,
    rules: Rules,
    limits: FlowLimits,
) -> Hold | None:
    decision, hold_expires_after_s = assessment.decision, limits.hold_expires_after_s
    if UNVERIFIED in turn.reasons:
        prove_by_rule(tx, clock, conversation, rules)
    match decision.kind:
        case DecisionKind.DELIVER:
            assert evidence.draft is not None, "a decision to deliver needs a draft"
            _act_alone(tx, clock, turn, evidence, rules)
            waiting = WaitingReply(
                text=evidence.draft.text,
                author=Author.AGENT.value,
                author_name=rules.profile.name,
                ai_generated=True,
                actor="system",
            )
            queue_after_actions(tx, clock, turn, waiting)
            if not decision.is_audited:
                return None
            return open_hold(
                tx,
                clock,
                turn,
                kind=HoldKind.AUDIT,
                reasons=("audited",),
                priority=decision.priority,
                expires_after_s=None,
            )
        case DecisionKind.DEGRADE:
            reply = _safe_reply(rules, decision.safe_reply)
            queue_safe_reply(tx, clock, conversation, reply, turn_id=turn.id)
            if not reply.then_hand_off:
                return None
            return _hand_off(tx, clock, turn, limits, priority=FOLLOW_UP_PRIORITY, notice=None)
        case DecisionKind.HOLD:
            propose(tx, clock, turn, evidence.draft.actions if evidence.draft is not None else (), rules.actions)
            return open_hold(
                tx,
                clock,
                turn,
                kind=HoldKind.DRAFT,
                reasons=turn.reasons,
                priority=decision.priority,
                expires_after_s=hold_expires_after_s,
                alike=alike_of(evidence.draft, assessment, topic=turn.topic, channel=turn.channel),
            )
        case DecisionKind.HAND_OFF:
            notice = None if rules.hand_off_notice is None else _safe_reply(rules, rules.hand_off_notice)
            return _hand_off(tx, clock, turn, limits, priority=decision.priority, notice=notice)


def _act_alone(tx: Transaction, clock: Clock, turn: Turn, evidence: Evidence, rules: Rules) -> None:
    """Let through what the configuration leaves to a slice that answers alone; the table held whatever it does not."""
    assert evidence.draft is not None, "a decision to deliver needs a draft"
    for entry in propose(tx, clock, turn, evidence.draft.actions, rules.actions):
        rule = rule_for(rules.actions, entry.name)
        assert rule is not None, f"action {entry.name!r} is not declared, and was not held"
        assert rule.is_automatic, f"action {entry.name!r} is not automatic, and was not held"
        let_through(tx, clock, entry, rule, by="system")


def _hand_off(
    tx: Transaction, clock: Clock, turn: Turn, limits: FlowLimits, *, priority: int, notice: SafeReply | None
) -> Hold | None:
    return give_to_person(
        tx,
        clock,
        turn,
        reasons=turn.reasons,
        priority=priority,
        expires_after_s=limits.hold_expires_after_s,
        event=Event.HANDS_OFF,
        nobody_home=limits.nobody_home,
        notice=notice,
    )


def _safe_reply(rules: Rules, reply_id: str | None) -> SafeReply:
    for reply in rules.safe_replies:
        if reply.id == reply_id:
            return reply
    raise AssertionError(f"the rulebook has no safe reply {reply_id!r}; Rules checks this at construction")
