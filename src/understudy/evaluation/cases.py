"""A turn of the past as a case: what was asked, what the agent saw, what was wrong, and graders that refuse it again.

Pure. What must and must not stand in a good reply is taken from what people wrote instead: the values they put in, and
those they took out. A person reads the case and improves it; that it can fail at all is tried on the reply that was bad.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from rapidfuzz import fuzz

from understudy.assessment.entities import entities
from understudy.assessment.masking import Mask
from understudy.assessment.wording import words
from understudy.evaluation.conversation import spoken
from understudy.evaluation.graders.facts import states
from understudy.evaluation.tool_desk import recorded_answers
from understudy.records.assessment import DecisionKind, Finding, Severity, Span
from understudy.records.codec import digest
from understudy.records.evidence import ChatMessage, ContactFacts, Draft
from understudy.records.feedback import DISCONTENT, FeedbackKind
from understudy.records.review import VerdictKind
from understudy.records.rulebook import UNKNOWN_TOPIC, Profile
from understudy.records.suite import Case, CaseRule, GraderTerms, Recorded

ALIKE_FROM: Final = 0.92
"""From this likeness of what the customer wrote on, two cases of one failure mode are one."""
FACTS_MAX: Final = 12
SLUG_CHARS: Final = 40
_BAD_VERDICTS: Final = {VerdictKind.REJECT, VerdictKind.EDIT, VerdictKind.TAKE_OVER, VerdictKind.RESPOND}
_SERIOUS: Final = {Severity.MAJOR, Severity.BLOCKING}
HAND_OFF: Final = GraderTerms(kind="decision", terms={"": [DecisionKind.HAND_OFF.value]})
NOTHING_SERIOUS: Final = GraderTerms(kind="checks", terms={"at_most": "minor"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """A turn of the past. `better`: what people wrote instead. `decision`: what was decided of it, where that is known."""

    id: str
    channel: str
    messages: tuple[ChatMessage, ...]
    draft: Draft
    contact: ContactFacts
    topic: str | None = None
    verdict: VerdictKind | None = None
    better: str | None = None
    reasons: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()
    decision: DecisionKind | None = None
    feedback: tuple[FeedbackKind, ...] = ()

    @property
    def is_bad(self) -> bool:
        """Whether people said that something was wrong, or a check found something serious in a draft nobody approved."""
        if self.verdict in _BAD_VERDICTS or self.reasons or not DISCONTENT.isdisjoint(self.feedback):
            return True
        return self.verdict is None and any(finding.severity in _SERIOUS for finding in self.findings)

    @property
    def is_refused(self) -> bool:
        """Whether people would have nothing of the reply."""
        return self.verdict in (VerdictKind.REJECT, VerdictKind.TAKE_OVER) or not DISCONTENT.isdisjoint(self.feedback)

    @property
    def is_good(self) -> bool | None:
        """What people said of the reply; None: nobody said anything."""
        return not self.is_bad if self.verdict is not None or self.is_bad else None

    @property
    def serious(self) -> list[str]:
        """The serious findings, by name."""
        return sorted({finding.name for finding in self.findings if finding.severity in _SERIOUS})

    @property
    def tool_results(self) -> list[str]:
        """What tools gave back, in the conversation and for the draft."""
        in_messages = [message.content for message in self.messages if message.role == "tool" and message.content]
        return [*in_messages, *(call.result for call in self.draft.tool_calls if call.result)]


def case_of(past: Past, business: Profile, *, rule: CaseRule | None = None, tags: Sequence[str] = ()) -> Case:
    """Make a case, personal data masked. `rule` None: a case must pass where people refused the reply altogether."""
    mask = Mask(business, past.contact, past.tool_results)
    mode = failure_mode(past)
    found = masked(past, mask)
    topic = known_topic(past)
    return Case(
        id=case_name(topic, mode, past.id),
        rule=rule or (CaseRule.MUST_PASS if past.is_refused else CaseRule.ORDINARY),
        channel=past.channel,
        topic=topic,
        failure_mode=mode,
        tags=tuple(dict.fromkeys([*tags, *(kind.value for kind in past.feedback)])),
        what_was_wrong=what_was_wrong(past),
        source=f"turn:{past.id}",
        messages=found.messages,
        contact=found.contact,
        sources=found.draft.sources,
        tools=recorded_answers(found.messages, found.draft.tool_calls),
        recorded=recorded(found),
        graders=graders_for(found),
    )


def masked(past: Past, mask: Mask) -> Past:
    """The turn with stand-ins in the place of personal data."""
    draft = mask.record(Draft, past.draft)
    return replace(
        past,
        draft=draft,
        findings=tuple(_moved(finding, past.draft.text, draft.text, mask) for finding in past.findings),
        messages=tuple(mask.record(ChatMessage, message) for message in past.messages),
        contact=replace(mask.record(ContactFacts, past.contact), id=None),
        better=None if past.better is None else mask.text(past.better),
    )


def _moved(finding: Finding, before: str, after: str, mask: Mask) -> Finding:
    """The finding with its place in the masked text; without one where its words are nowhere in it."""
    if finding.span is None or before == after:
        return finding
    words_there = mask.text(before[finding.span.start : finding.span.end])
    at = after.find(words_there) if words_there else -1
    return replace(finding, span=None if at < 0 else Span(start=at, end=at + len(words_there)))


def recorded(past: Past) -> Recorded:
    """What was answered then, and what people said of it."""
    return Recorded(
        text=past.draft.text,
        release=past.draft.agent_version,
        is_good=past.is_good,
        action=None if past.verdict is None else past.verdict.value,
        reasons=past.reasons,
        handoff=past.draft.handoff,
    )


def known_topic(past: Past) -> str | None:
    """The topic, unless nobody knew it."""
    return None if past.topic in (None, UNKNOWN_TOPIC) else past.topic


def failure_mode(past: Past) -> str | None:
    """In one word: what reviewers named, else what a check found, else what people did."""
    if past.reasons:
        return past.reasons[0]
    if past.serious and past.is_bad:
        return next(finding.name for finding in past.findings if finding.severity in _SERIOUS)
    if not DISCONTENT.isdisjoint(past.feedback):
        return "complaint"
    match past.verdict:
        case VerdictKind.REJECT | VerdictKind.RESPOND:
            return "rejected"
        case VerdictKind.EDIT:
            return "edited"
        case VerdictKind.TAKE_OVER:
            return "taken_over"
        case VerdictKind.APPROVE | None:
            return "handed_off" if past.decision is DecisionKind.HAND_OFF else None


def what_was_wrong(past: Past) -> str | None:
    """In sentences, for people."""
    found = []
    match past.verdict:
        case VerdictKind.REJECT:
            found.append("A reviewer rejected the draft.")
        case VerdictKind.EDIT:
            found.append("A reviewer changed the draft before it was sent.")
        case VerdictKind.RESPOND:
            found.append("A reviewer answered in their own words instead.")
        case VerdictKind.TAKE_OVER:
            found.append("A reviewer took the conversation over.")
        case VerdictKind.APPROVE | None:
            pass
    if past.reasons:
        found.append(f"They named: {', '.join(past.reasons)}.")
    if past.serious:
        found.append(f"The checks found: {', '.join(past.serious)}.")
    if not DISCONTENT.isdisjoint(past.feedback):
        found.append("The customer was not content.")
    return " ".join(found) or None


def graders_for(past: Past) -> tuple[GraderTerms, ...]:
    """Graders that refuse the same mistake, and that what people wrote instead would pass."""
    found: list[GraderTerms] = []
    if wants_hand_off(past):
        return (HAND_OFF,)
    if not past.is_bad:
        facts = values(past.draft.text)
        if past.verdict is VerdictKind.APPROVE and facts:
            found.append(GraderTerms(kind="facts", terms={"must": facts}))
        return (*found, NOTHING_SERIOUS)
    must, must_not = facts_of(past)
    found += facts_grader(must, must_not)
    if past.serious:
        found.append(no_more_of(past.serious))
    if words(past.draft.text) and not (must_not and past.better):
        found.append(differs_from(past.draft.text))
    return tuple(found) or (NOTHING_SERIOUS,)


def wants_hand_off(past: Past) -> bool:
    """Whether the conversation went to a person, and nobody said that it should not have."""
    return past.decision is DecisionKind.HAND_OFF and past.verdict is None


def facts_grader(must: Sequence[str], must_not: Sequence[str]) -> list[GraderTerms]:
    """The grader of these facts; none where there is no fact."""
    terms = {name: list(facts) for name, facts in (("must", must), ("must_not", must_not)) if facts}
    return [GraderTerms(kind="facts", terms=terms)] if terms else []


def no_more_of(findings: Sequence[str]) -> GraderTerms:
    """The grader that refuses what the checks found then."""
    return GraderTerms(kind="checks", terms={"forbidden": list(findings), "at_most": "major"})


def differs_from(text: str) -> GraderTerms:
    """The grader that refuses a reply again."""
    return GraderTerms(kind="differs", terms={"from": text})


def duplicate_of(case: Case, others: Iterable[Case]) -> str | None:
    """The case that this one says again: of the same turn, or the same question failing in the same way."""
    asked = _asked(case)
    for other in others:
        if case.source is not None and other.source == case.source:
            return other.id
        is_alike = (other.kind, other.failure_mode, other.channel) == (case.kind, case.failure_mode, case.channel)
        if is_alike and asked and fuzz.ratio(asked, _asked(other)) >= 100 * ALIKE_FROM:
            return other.id
    return None


def facts_of(past: Past) -> tuple[list[str], list[str]]:
    """The values that people put in, and those that they took out; without their words those that rest on nothing."""
    if past.better is not None and past.better.strip():
        must = [value for value in values(past.better) if not states(past.draft.text, value, exactly=True)]
        must_not = [value for value in values(past.draft.text) if not states(past.better, value, exactly=True)]
        return must, must_not
    text = past.draft.text
    spans = [f.span for f in past.findings if f.check == "grounding" and f.span is not None and f.severity in _SERIOUS]
    pieces = [text[span.start : span.end] for span in spans]
    return [], [piece for piece in dict.fromkeys(pieces) if entities(piece)][:FACTS_MAX]


def values(text: str) -> list[str]:
    """The values of a text as they are written, numbers of one digit aside: they count what the text lists."""
    found = [value.text.strip() for value in entities(text) if len(value.text.strip()) > 1]
    return list(dict.fromkeys(found))[:FACTS_MAX]


def _asked(case: Case) -> str:
    """What the customer wrote last, in a conversation all that they say, in plain words."""
    if case.customer is not None:
        says = (state.say for state in case.customer.script.values() if state.say is not None)
        return " ".join(words(spoken("\n".join(says), case.customer.facts)))
    said = [message.content or "" for message in case.messages if message.role == "user"]
    return " ".join(words(said[-1])) if said else ""


def case_name(topic: str | None, mode: str | None, source: str) -> str:
    """The id of a case: its topic and failure mode for people, and what names its source alone."""
    parts = [re.sub(r"[^a-z0-9]+", "-", part.lower()).strip("-")[:SLUG_CHARS] for part in (topic, mode) if part]
    return "-".join([*(part for part in parts if part), digest(source)[:8]])
