"""Decide what happens to a draft: an ordered table of named rules over findings, confidence and autonomy.

The first rule that speaks sets the kind of the decision; later rules that speak for the same kind add their reasons.
No score overrides a rule above it. The table looks at nothing but its arguments and sends nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from understudy.assessment.discontent import is_asked_again, is_complaint
from understudy.assessment.reasons import (
    DEGRADABLE,
    HAND_OFF_CODES,
    NOT_FOR_A_SAFE_REPLY,
    PRIORITIES,
    PRIORITY_DELIVERED,
    PRIORITY_OTHER,
    REASONS,
)
from understudy.records.assessment import Confidence, Decision, DecisionKind, Finding, Reason, Severity
from understudy.records.conversation import Mode
from understudy.records.evidence import Evidence
from understudy.records.rulebook import UNKNOWN_TOPIC, Grant, Level, Rules, configured_grant
from understudy.records.trust import CapCause


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """What a rule may look at; `grant` is the autonomy of the slice, None where none was given (= assist)."""

    evidence: Evidence
    findings: tuple[Finding, ...]
    confidence: Confidence | None
    rules: Rules
    grant: Grant | None

    @property
    def level(self) -> Level:
        return self.grant.level if self.grant else Level.ASSIST

    @property
    def unknown(self) -> tuple[Finding, ...]:
        """Findings of checks that could not tell and whose failure is not ignored."""
        return tuple(finding for finding in self.findings if _is_unknown(finding) and not self.ignores(finding))

    @property
    def ignored(self) -> tuple[Finding, ...]:
        """Findings of checks that could not tell and whose failure the rulebook ignores."""
        return tuple(finding for finding in self.findings if _is_unknown(finding) and self.ignores(finding))

    @property
    def blocking(self) -> tuple[Finding, ...]:
        return tuple(finding for finding in self.findings if finding.severity is Severity.BLOCKING)

    @property
    def audit_rate(self) -> float:
        """Share of automatic replies that are reviewed afterwards, in [0, 1]."""
        return audit_rate_of(self.grant, self.rules)

    @property
    def is_stopped(self) -> bool:
        """Whether a person stopped automatic replies here."""
        return self.grant is not None and self.grant.on_hold

    @property
    def sample_rate(self) -> float:
        """Share of the drafts whose verdicts count as evidence, in [0, 1]."""
        return sample_rate_of(self.grant, self.rules)

    def is_quota_left(self, sent_last_hour: int) -> bool:
        """Whether one more of a kind may leave without a person; each kind has the whole quota for itself."""
        return sent_last_hour < self.rules.automatic_per_hour_max

    def ignores(self, finding: Finding) -> bool:
        return any(policy.check == finding.check and policy.on_failure == "ignore" for policy in self.rules.checks)


def audit_rate_of(grant: Grant | None, rules: Rules) -> float:
    """Share of a slice's automatic replies that are reviewed afterwards, in [0, 1]."""
    if grant is not None and grant.audit_rate is not None:
        return grant.audit_rate
    return 1.0 if grant is not None and grant.level is Level.PROBATION else rules.audit_rate


def sample_rate_of(grant: Grant | None, rules: Rules) -> float:
    """Share of a slice's drafts whose verdicts count as evidence: all while every draft is reviewed, else the audits'.

    Once some leave by themselves those that are held count only as often as those that are not, so that the evidence
    stays a fair sample of both.
    """
    is_automatic = grant is not None and grant.level in (Level.PROBATION, Level.AUTO) and not grant.on_hold
    return audit_rate_of(grant, rules) if is_automatic else 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruling:
    """What one rule says."""

    kind: DecisionKind
    reasons: tuple[Reason, ...]
    safe_reply: str | None = None
    is_audited: bool = False


def person_has_it(case: Case) -> Ruling | None:
    """Never speak over a person."""
    return _hand_off("conversation_with_person") if case.evidence.mode is Mode.PERSON else None


def person_is_needed(case: Case) -> Ruling | None:
    """Bring a person in where the customer wants or needs one, or the agent asks for one."""
    codes = case.rules.hand_off_codes or HAND_OFF_CODES
    findings = sorted((f for f in case.findings if f.name in codes), key=lambda finding: _priority(finding.name))
    return Ruling(kind=DecisionKind.HAND_OFF, reasons=_reasons(findings)) if findings else None


def customer_wants_people(case: Case) -> Ruling | None:
    """Who asked for people gets people, until the cap on their trust is lifted."""
    if case.evidence.cap is not CapCause.WANTS_PEOPLE:
        return None
    return Ruling(kind=DecisionKind.HAND_OFF, reasons=(_trust_reason(case.evidence, CapCause.WANTS_PEOPLE),))


def agent_only_shadows(case: Case) -> Ruling | None:
    """In shadow nothing the agent or this system writes reaches the customer."""
    return _hand_off("level_shadow") if case.level is Level.SHADOW else None


def agent_failed(case: Case) -> Ruling | None:
    """Without a draft there is nothing to hold: a safe reply where one is approved for this, else a person."""
    return _degrade(case, _reason("agent_failed")) if case.evidence.draft is None else None


def check_could_not_tell(case: Case) -> Ruling | None:
    """Unknown never passes."""
    return _hold(*(_unknown_reason("check_failed", finding) for finding in case.unknown))


def customer_is_unverified(case: Case) -> Ruling | None:
    """What stands in an account is told to nobody nobody vouches for: an approved safe reply asks for proof, else it is held."""
    reasons = _reasons([finding for finding in case.findings if finding.name == DEGRADABLE[2]])
    if not reasons:
        return None
    degraded = _degrade(case, reasons[0])
    return degraded if degraded.kind is DecisionKind.DEGRADE else _hold(*reasons, *_moods(case, reasons[0]))


def draft_is_blocked(case: Case) -> Ruling | None:
    """A blocking finding holds whatever the confidence."""
    return _hold(*_reasons(case.blocking))


def topic_is_never_automatic(case: Case) -> Ruling | None:
    """Some topics are never answered without a person."""
    return _hold(_reason("never_auto_topic")) if case.evidence.topic in case.rules.never_auto else None


def customer_was_let_down(case: Case) -> Ruling | None:
    """Whose last contact with the agent went badly, or who complains of it now, gets nothing unseen until they trust it."""
    cap = case.evidence.cap
    if cap is None and is_complaint(case.evidence, case.findings):
        cap = CapCause.COMPLAINT
    if cap is None and case.rules.trust.is_on and is_asked_again(case.evidence, case.findings):
        cap = CapCause.RECONTACT
    return None if cap is None else _hold(_trust_reason(case.evidence, cap))


def action_is_proposed(case: Case) -> Ruling | None:
    """Side effects wait for a person, but those that the configuration leaves to a slice that answers alone."""
    draft = case.evidence.draft
    names = [action.name for action in draft.actions] if draft is not None else []
    automatic = {rule.name for rule in case.rules.actions if rule.is_automatic}
    return _hold(_reason("action_proposed")) if not automatic.issuperset(names) else None


def agent_does_not_know(case: Case) -> Ruling | None:
    """A draft that is no answer is not worth a review: a safe reply where one is approved for this, else a person."""
    found = [finding for finding in case.findings if finding.name == "quality.does_not_know"]
    return _degrade(case, _reasons(found)[0]) if found else None


def topic_is_unknown(case: Case) -> Ruling | None:
    """Autonomy is earned per topic, so an unknown topic has none."""
    return _hold(_reason("unknown_topic")) if case.evidence.topic in ("", UNKNOWN_TOPIC) else None


def level_asks_for_review(case: Case) -> Ruling | None:
    """Below probation every draft is reviewed, wherever a person said stop, and of a release that may not go alone."""
    if case.is_stopped:
        return _hold(_reason("autonomy_on_hold"))
    if case.grant is not None and case.grant.bar is not None:
        return _hold(_reason(f"release_{case.grant.bar.value}"))
    match case.level:
        case Level.ASSIST | Level.SHADOW:
            return _hold(_reason("level_assist"))
        case Level.DEMOTED:
            return _hold(_reason("level_demoted"))
        case Level.PROBATION | Level.AUTO:
            return None


def confidence_is_too_low(case: Case) -> Ruling | None:
    """The grant says how sure is sure enough."""
    if case.grant is None or (case.confidence and case.confidence.value >= case.grant.threshold):
        return None
    return _hold(_reason("below_threshold"))


def quota_is_exhausted(case: Case) -> Ruling | None:
    """The circuit breaker: at most so many automatic replies per hour and slice."""
    return None if case.is_quota_left(case.evidence.automatic_last_hour) else _hold(_reason("quota_exhausted"))


def deliver(case: Case) -> Ruling | None:
    """Nothing above spoke: send it; those that the coin chose are audited."""
    is_audited = case.evidence.audit_draw < case.audit_rate
    reasons = (_reason("threshold_met"), *((_reason("audited"),) if is_audited else ()))
    return Ruling(kind=DecisionKind.DELIVER, reasons=reasons, is_audited=is_audited)


TABLE: Final[tuple[Callable[[Case], Ruling | None], ...]] = (
    person_has_it,
    person_is_needed,
    customer_wants_people,
    agent_only_shadows,
    agent_failed,
    check_could_not_tell,
    customer_is_unverified,
    draft_is_blocked,
    topic_is_never_automatic,
    customer_was_let_down,
    action_is_proposed,
    agent_does_not_know,
    topic_is_unknown,
    level_asks_for_review,
    confidence_is_too_low,
    quota_is_exhausted,
    deliver,
)
"""The rules, the strongest first."""

OF_AUTONOMY: Final = (level_asks_for_review, confidence_is_too_low, quota_is_exhausted, deliver)
"""Rules that speak of what the slice earned and not of what is wrong with a draft."""


def decide(evidence: Evidence, findings: tuple[Finding, ...], confidence: Confidence | None, rules: Rules) -> Decision:
    """Go through the table; `confidence` is None where there is no draft, and then nothing is delivered.

    A draft on hold is always reviewed, a delivered one only at the audit rate; both count as evidence with the same
    probability, by the same coin, or the labels would be no fair sample of the slice's traffic.
    """
    case = Case(
        evidence=evidence, findings=findings, confidence=confidence, rules=rules, grant=granted(evidence, rules)
    )
    spoken = [(rule, ruling) for rule in TABLE if (ruling := rule(case)) is not None]
    rulings = [ruling for _, ruling in spoken]
    first = rulings[0]
    is_candidate = evidence.draft is not None and all(rule in OF_AUTONOMY for rule, _ in spoken)
    found = [reason for ruling in rulings if ruling.kind is first.kind for reason in ruling.reasons]
    reasons: dict[str, Reason] = {}
    for reason in (*found, *(_unknown_reason("check_ignored", finding) for finding in case.ignored)):
        reasons.setdefault(reason.code, reason)
    return Decision(
        kind=first.kind,
        reasons=tuple(reasons.values()),
        safe_reply=first.safe_reply,
        is_audited=first.is_audited,
        priority=_urgency(first, tuple(reasons), findings),
        is_candidate=is_candidate,
        is_sampled=is_candidate and evidence.audit_draw < case.sample_rate,
        sample_rate=case.sample_rate if is_candidate else 0.0,
    )


def rules_that_spoke(
    evidence: Evidence, findings: tuple[Finding, ...], confidence: Confidence | None, rules: Rules
) -> tuple[str, ...]:
    """Name the rules of the table that had something to say, the strongest first: that one decided."""
    grant = granted(evidence, rules)
    case = Case(evidence=evidence, findings=findings, confidence=confidence, rules=rules, grant=grant)
    return tuple(rule.__name__ for rule in TABLE if rule(case) is not None)


def granted(evidence: Evidence, rules: Rules) -> Grant | None:
    """Find the autonomy of the slice: what it earned or lost, else what the configuration grants."""
    earned = rules.earned
    if earned is not None and (earned.topic, earned.channel) == (evidence.topic, evidence.channel):
        return earned
    return configured_grant(rules, evidence.topic, evidence.channel)


def _degrade(case: Case, reason: Reason) -> Ruling:
    """Answer by the approved safe reply; by a person where none is, it was sent before, a mood or a hard rule forbids it."""
    safe_reply, moods = _safe_reply(case, reason), _moods(case, reason)
    is_capped = case.evidence.cap is not None
    is_barred = case.unknown or case.blocking or is_capped or case.evidence.topic in case.rules.never_auto
    if safe_reply is None or safe_reply in case.evidence.safe_replies_sent or is_barred or moods:
        return Ruling(kind=DecisionKind.HAND_OFF, reasons=(reason, *moods))
    if not case.is_quota_left(case.evidence.degraded_last_hour):
        return Ruling(kind=DecisionKind.HAND_OFF, reasons=(reason, _reason("quota_exhausted")))
    return Ruling(kind=DecisionKind.DEGRADE, reasons=(reason,), safe_reply=safe_reply)


def _safe_reply(case: Case, reason: Reason) -> str | None:
    """Name the safe reply that is approved for this."""
    return dict(case.rules.degrade_on).get(reason.code) if reason.code in DEGRADABLE else None


def _moods(case: Case, reason: Reason) -> tuple[Reason, ...]:
    """Say of a customer who is angry or worse why the safe reply that is approved for this is not sent to them."""
    if _safe_reply(case, reason) is None:
        return ()
    found = [finding for finding in case.findings if finding.name in NOT_FOR_A_SAFE_REPLY]
    return _reasons(sorted(found, key=lambda finding: NOT_FOR_A_SAFE_REPLY.index(finding.name)))


def _hand_off(code: str) -> Ruling:
    return Ruling(kind=DecisionKind.HAND_OFF, reasons=(_reason(code),))


def _hold(*reasons: Reason) -> Ruling | None:
    return Ruling(kind=DecisionKind.HOLD, reasons=reasons) if reasons else None


def _reason(code: str) -> Reason:
    return Reason(code=code, explanation=REASONS[code])


def _trust_reason(evidence: Evidence, cap: CapCause) -> Reason:
    """Why a customer gets people, with the turn that this goes back to: what is remembered of them, else the reply before."""
    turn_id, at = None, None
    if evidence.cap_of is not None:
        turn_id, at = evidence.cap_of.turn_id, evidence.cap_of.at
    elif evidence.cap is None and evidence.follows is not None:
        turn_id, at = evidence.follows.turn_id, evidence.at
    code = f"trust_{cap.value}"
    since = "" if at is None else f" Since {at:%Y-%m-%d %H:%M} UTC{f', turn {turn_id}' if turn_id else ''}."
    return Reason(code=code, explanation=f"{REASONS[code]}{since}", turn_id=turn_id, at=at)


def _reasons(findings: list[Finding] | tuple[Finding, ...]) -> tuple[Reason, ...]:
    return tuple(Reason(code=finding.name, explanation=finding.explanation) for finding in findings)


def _unknown_reason(code: str, finding: Finding) -> Reason:
    consequence = "so a person decides" if code == "check_failed" else "which the rulebook ignores"
    explanation = f"The check {finding.check} could not tell ({finding.explanation.rstrip('.')}), {consequence}."
    return Reason(code=f"{code}.{finding.check}", explanation=explanation)


def _is_unknown(finding: Finding) -> bool:
    return finding.severity is Severity.UNKNOWN


def _priority(name: str) -> int:
    return PRIORITIES.get(name, PRIORITY_OTHER)


def _urgency(ruling: Ruling, codes: tuple[str, ...], findings: tuple[Finding, ...]) -> int:
    if ruling.kind is DecisionKind.DELIVER:
        return PRIORITY_DELIVERED
    return min(_priority(name) for name in (*codes, *(finding.name for finding in findings)))
