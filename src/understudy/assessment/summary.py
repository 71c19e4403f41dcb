"""What a conversation is about where a person gets it, put together from what is stored; pure. Tickets and the console show the
same. Where a model put it in short, its lines stand above, said to be a model's; nothing else in it was written by one for it.

What the customer wrote is quoted, and nothing of it is shortened in the middle of what it says but for its length.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from understudy.records.assessment import Assessment, Severity
from understudy.records.conversation import Author, Message
from understudy.records.evidence import Draft
from understudy.records.facts import WHY, FactItem, Facts
from understudy.records.pledges import Pledge, PledgeState
from understudy.records.summary import WrittenSummary
from understudy.records.trust import Cap, CapCause

SUBJECT_CHARS_MAX: Final = 180
QUOTED_MAX: Final = 5
QUOTE_CHARS_MAX: Final = 1_000
ITEMS_MAX: Final = 5
OPEN_MAX: Final = 8
PLEDGES_MAX: Final = 10
TEXT_CHARS_MAX: Final = 12_000

MOODS: Final = (
    "escalation.self_harm",
    "escalation.threat",
    "escalation.vulnerable",
    "escalation.legal_threat",
    "escalation.complaint",
    "escalation.anger",
    "escalation.rising_anger",
    "escalation.repeated_question",
    "escalation.open_complaint",
)
"""Findings that tell how somebody feels, the gravest first."""
CALM: Final = "Nothing of anger or distress was found in their words."
BEFORE: Final = {
    CapCause.REJECTED: "A reply to them was found wrong after it had left",
    CapCause.COMPLAINT: "They complained of an automatic reply",
    CapCause.THUMBS_DOWN: "They disliked an automatic reply",
    CapCause.TAKEN_OVER: "A person had to take over from the agent",
    CapCause.RECONTACT: "They had to come back for what an automatic reply should have settled",
    CapCause.WANTS_PEOPLE: "They asked to deal with people",
    CapCause.UNPROVEN: "Nobody vouches that the address is theirs",
}
"""What is remembered of a customer, in words that a moment follows."""

PartName = Literal["short", "wanted", "why", "mood", "tried", "facts", "owed", "open"]
TITLES: Final[dict[PartName, str]] = {
    "short": "In a few words",
    "wanted": "What they want",
    "why": "Why a person is needed",
    "mood": "How they feel",
    "tried": "What was tried",
    "facts": "What the systems say",
    "owed": "Still owed to them",
    "open": "Open",
}
"""The parts of a summary, in this order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SummaryLine:
    """A line of a summary, in plain text: the customer's own words (*quote*), something that is so (*item*), or what is to be
    known of the lines (*note*). `link`: where a system shows it."""

    text: str
    kind: Literal["quote", "item", "note"] = "item"
    link: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SummaryPart:
    """What is said under one title; a part without lines is left out."""

    name: PartName
    title: str
    lines: tuple[SummaryLine, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """What is known where a conversation is handed to a person. `words` are the reasons, for people; `messages` all of
    the conversation, oldest first; `turn_id` says which of them nobody answered; `pledges` what is owed to the customer, `cap`
    what is remembered of them. `short` is what a model wrote of it. `key` and `link` are a ticket's: its reference, and where people see
    the hand-off."""

    channel: str
    topic: str | None
    words: Sequence[str]
    turn_id: str
    messages: Sequence[Message]
    customer: str
    at: datetime
    key: str = ""
    draft: Draft | None = None
    agent_error: str | None = None
    assessment: Assessment | None = None
    facts: Sequence[Facts] = ()
    pledges: Sequence[Pledge] = ()
    cap: Cap | None = None
    short: WrittenSummary | None = None
    link: str = ""


def parts_of(case: Case) -> tuple[SummaryPart, ...]:
    """What they want, why it comes to a person, how they feel, what was tried, what is known, what is owed and open."""
    lines: dict[PartName, Iterator[SummaryLine]] = {
        "short": _short(case),
        "wanted": _wanted(case),
        "why": (SummaryLine(text=word) for word in case.words),
        "mood": _mood(case),
        "tried": _tried(case),
        "facts": _facts(case),
        "owed": _owed(case),
        "open": _open(case),
    }
    parts = (SummaryPart(name=name, title=title, lines=tuple(lines[name])) for name, title in TITLES.items())
    return tuple(part for part in parts if part.lines)


def subject_of(case: Case) -> str:
    """A ticket's subject; it ends with the reference by which the ticket is found again."""
    what = f"Hand-off: {case.topic or 'conversation'} ({case.channel})"
    whom = f", {case.customer}" if case.customer else ""
    room = SUBJECT_CHARS_MAX - len(case.key) - 3
    return f"{_one_line(what + whom)[:room].rstrip()} [{case.key}]"


def text_of(case: Case) -> str:
    """A ticket's text: the parts one below the other."""
    head = [f"Reference: {case.key}", *([f"In Understudy: {case.link}"] if case.link else [])]
    parts = ("\n".join([part.title, *(_written(line) for line in part.lines)]) for part in parts_of(case))
    return _cut("\n\n".join(["\n".join(head), *parts]), TEXT_CHARS_MAX)


def _written(line: SummaryLine) -> str:
    match line.kind:
        case "quote":
            return "\n".join(f"> {one}" for one in line.text.splitlines())
        case "item":
            return f"- {line.text}{f' {line.link}' if line.link else ''}"
        case "note":
            return f"({line.text})"


def _short(case: Case) -> Iterator[SummaryLine]:
    """What a model wrote, and how much of the conversation it knew."""
    short = case.short
    if short is None or not short.lines:
        return
    yield from (SummaryLine(text=line) for line in short.lines)
    since = sum(1 for message in case.messages if message.seq > short.seen_to and not message.is_ours)
    more = f" The customer has written {since} more since." if since else ""
    yield SummaryLine(text=f"Written by {short.by}, from what stands below. It may be wrong.{more}", kind="note")


def _wanted(case: Case) -> Iterator[SummaryLine]:
    """The customer's words in this turn, else their last ones."""
    theirs = [message for message in case.messages if message.author is Author.CUSTOMER]
    now = [message for message in theirs if message.turn_id == case.turn_id] or theirs[-1:]
    if len(now) > QUOTED_MAX:
        yield SummaryLine(text=f"{len(now) - QUOTED_MAX} earlier messages are left out here", kind="note")
    for message in now[-QUOTED_MAX:]:
        if message.text.strip():
            yield SummaryLine(text=_cut(message.text, QUOTE_CHARS_MAX), kind="quote")


def _mood(case: Case) -> Iterator[SummaryLine]:
    """What the checks found of how the customer feels, and what they had to put up with before; no more is guessed."""
    assessment = case.assessment
    if assessment is not None:
        found = {one.name: one.explanation for one in assessment.findings}
        yield from (SummaryLine(text=found[name]) for name in MOODS if name in found)
        if found.keys().isdisjoint(MOODS) and _was_understood(assessment):
            yield SummaryLine(text=CALM)
    if case.cap is not None and case.cap.turn_id != case.turn_id:
        yield SummaryLine(text=f"{BEFORE[case.cap.cause]} ({case.cap.at:%Y-%m-%d}).")


def _was_understood(assessment: Assessment) -> bool:
    """Whether the words were looked through, in a language that is understood."""
    looked = any(signal.check == "escalation" for signal in assessment.signals)
    could_not = any(
        one.check == "escalation" and (one.severity is Severity.UNKNOWN or one.code == "unknown_language")
        for one in assessment.findings
    )
    return looked and not could_not


def _tried(case: Case) -> Iterator[SummaryLine]:
    counts = {author: sum(1 for message in case.messages if message.author is author) for author in Author}
    said = {Author.AGENT: "the agent", Author.REVIEWER: "people", Author.SAFE_REPLY: "approved standard replies"}
    answered = [f"{counts[author]} by {by}" for author, by in said.items() if counts[author]]
    if answered:
        yield SummaryLine(text=f"Answered before in this conversation: {', '.join(answered)}.")
        last = next(message for message in reversed(case.messages) if message.author is not Author.CUSTOMER)
        yield SummaryLine(text=f"The last answer ({said[last.author]}): {_quoted(last.text)}")
    if any(message.turn_id == case.turn_id and message.author is Author.AGENT for message in case.messages):
        return  # the draft was sent, and stands among the answers
    if case.draft is not None and case.draft.text.strip():
        yield SummaryLine(text=f"Drafted by the agent and not sent: {_quoted(case.draft.text)}")
        yield from (SummaryLine(text=f"Proposed by the agent and not done: {one.name}") for one in case.draft.actions)
    elif case.agent_error is not None:
        yield SummaryLine(text="The agent gave no draft.")


def _facts(case: Case) -> Iterator[SummaryLine]:
    for facts in case.facts:
        source = f"{facts.system}, {facts.about}"
        unknown = facts.unknown_at(case.at)
        if unknown is not None:
            yield SummaryLine(text=f"{source}: unknown, {WHY[unknown]}")
            continue
        at = f"as of {facts.taken_at:%Y-%m-%d %H:%M} UTC"
        if not facts.items:
            yield SummaryLine(text=f"{source} ({at}): none")
        for item in facts.items[:ITEMS_MAX]:
            yield SummaryLine(text=f"{source} ({at}): {_item(item)}", link=item.link)
        if facts.has_more or len(facts.items) > ITEMS_MAX:
            yield SummaryLine(text=f"{source}: there are more")


def _item(item: FactItem) -> str:
    told = "; ".join(f"{name} {_one_line(value)}" for name, value in item.values.items())
    return told or item.id or ""


def _owed(case: Case) -> Iterator[SummaryLine]:
    """What was promised to the customer and still has to be kept."""
    for pledge in case.pledges[:PLEDGES_MAX]:
        is_late = pledge.state is PledgeState.BROKEN or pledge.due_at <= case.at
        due = f"{'was ' if is_late else ''}due {pledge.due_at:%Y-%m-%d %H:%M} UTC"
        yield SummaryLine(text=f"{_quoted(pledge.words)}, {due}")
    if len(case.pledges) > PLEDGES_MAX:
        yield SummaryLine(text="there are more", kind="note")


def _open(case: Case) -> Iterator[SummaryLine]:
    """What else the checks found, and what nobody could tell."""
    findings = () if case.assessment is None else case.assessment.findings
    told = [one.explanation for one in findings if one.severity is not Severity.INFO and one.name not in MOODS]
    told = [explanation for explanation in told if explanation not in case.words]
    yield from (SummaryLine(text=explanation) for explanation in list(dict.fromkeys(told))[:OPEN_MAX])


def _quoted(text: str) -> str:
    return f"“{_cut(_one_line(text), QUOTE_CHARS_MAX)}”"


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _cut(text: str, chars: int) -> str:
    return text if len(text) <= chars else text[: chars - 1] + "…"
