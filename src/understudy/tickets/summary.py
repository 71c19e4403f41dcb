"""What a ticket says of a conversation, put together from what is stored: nothing in it was written by a model for it; pure.

What the customer wrote is quoted, and nothing of it is shortened in the middle of what it says but for its length.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from understudy.records.assessment import Assessment, Severity
from understudy.records.conversation import Author, Message
from understudy.records.evidence import Draft
from understudy.records.facts import WHY, FactItem, Facts

SUBJECT_CHARS_MAX: Final = 180
QUOTED_MAX: Final = 5
QUOTE_CHARS_MAX: Final = 1_000
ITEMS_MAX: Final = 5
OPEN_MAX: Final = 8
TEXT_CHARS_MAX: Final = 12_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """What is known where a conversation is handed to a person. `words` are the reasons, for people; `messages` all of
    the conversation, oldest first; `turn_id` says which of them nobody answered."""

    key: str
    channel: str
    topic: str | None
    words: Sequence[str]
    turn_id: str
    messages: Sequence[Message]
    customer: str
    at: datetime
    draft: Draft | None = None
    agent_error: str | None = None
    assessment: Assessment | None = None
    facts: Sequence[Facts] = ()
    link: str = ""


def subject_of(case: Case) -> str:
    """The subject; it ends with the reference by which the ticket is found again."""
    what = f"Hand-off: {case.topic or 'conversation'} ({case.channel})"
    whom = f", {case.customer}" if case.customer else ""
    room = SUBJECT_CHARS_MAX - len(case.key) - 3
    return f"{_one_line(what + whom)[:room].rstrip()} [{case.key}]"


def text_of(case: Case) -> str:
    """The ticket's text: what they want, why it comes to a person, what was tried, what is known, what is open."""
    parts = [
        _part("What they want", _wanted(case)),
        _part("Why a person is needed", [f"- {word}" for word in case.words]),
        _part("What was tried", _tried(case)),
        _part("What the systems say", _facts(case)),
        _part("Open", _open(case)),
    ]
    head = [f"Reference: {case.key}", *([f"In Understudy: {case.link}"] if case.link else [])]
    text = "\n\n".join(["\n".join(head), *(part for part in parts if part)])
    return text if len(text) <= TEXT_CHARS_MAX else text[: TEXT_CHARS_MAX - 1] + "…"


def _part(title: str, lines: Iterable[str]) -> str:
    told = list(lines)
    return "\n".join([title, *told]) if told else ""


def _wanted(case: Case) -> Iterator[str]:
    """The customer's words in this turn, else their last ones."""
    theirs = [message for message in case.messages if message.author is Author.CUSTOMER]
    now = [message for message in theirs if message.turn_id == case.turn_id] or theirs[-1:]
    if len(now) > QUOTED_MAX:
        yield f"({len(now) - QUOTED_MAX} earlier messages are left out here)"
    for message in now[-QUOTED_MAX:]:
        yield from (f"> {line}" for line in _cut(message.text, QUOTE_CHARS_MAX).splitlines())


def _tried(case: Case) -> Iterator[str]:
    counts = {author: sum(1 for message in case.messages if message.author is author) for author in Author}
    said = {Author.AGENT: "the agent", Author.REVIEWER: "people", Author.SAFE_REPLY: "approved standard replies"}
    answered = [f"{counts[author]} by {by}" for author, by in said.items() if counts[author]]
    if answered:
        yield f"- Answered before in this conversation: {', '.join(answered)}."
        last = next(message for message in reversed(case.messages) if message.author is not Author.CUSTOMER)
        yield f"- The last answer ({said[last.author]}): {_quoted(last.text)}"
    if case.draft is not None and case.draft.text.strip():
        yield f"- Drafted by the agent and not sent: {_quoted(case.draft.text)}"
        yield from (f"- Proposed by the agent and not done: {action.name}" for action in case.draft.actions)
    elif case.agent_error is not None:
        yield "- The agent gave no draft."


def _facts(case: Case) -> Iterator[str]:
    for facts in case.facts:
        source = f"{facts.system}, {facts.about}"
        unknown = facts.unknown_at(case.at)
        if unknown is not None:
            yield f"- {source}: unknown, {WHY[unknown]}"
            continue
        at = f"as of {facts.taken_at:%Y-%m-%d %H:%M} UTC"
        if not facts.items:
            yield f"- {source} ({at}): none"
        for item in facts.items[:ITEMS_MAX]:
            yield f"- {source} ({at}): {_item(item)}"
        if facts.has_more or len(facts.items) > ITEMS_MAX:
            yield f"- {source}: there are more"


def _item(item: FactItem) -> str:
    told = "; ".join(f"{name} {_one_line(value)}" for name, value in item.values.items())
    link = f" {item.link}" if item.link else ""
    return f"{told or item.id}{link}"


def _open(case: Case) -> Iterator[str]:
    """What the checks found, and what nobody could tell."""
    findings = () if case.assessment is None else case.assessment.findings
    told = [one.explanation for one in findings if one.severity is not Severity.INFO]
    yield from (f"- {explanation}" for explanation in list(dict.fromkeys(told))[:OPEN_MAX])


def _quoted(text: str) -> str:
    return f"“{_cut(_one_line(text), QUOTE_CHARS_MAX)}”"


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _cut(text: str, chars: int) -> str:
    return text if len(text) <= chars else text[: chars - 1] + "…"
