"""Simulated reviewers for the demo: what one would decide on a hold, by plain rules on what is on the screen.

Pure and deterministic: who decides, how long they think and the small differences between them come from the hold's
id. They stand in for people in a demonstration only; no real hold is ever decided here.
"""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass
from typing import Literal

from understudy.client.models import Finding, HoldDetail, Turn

Action = Literal["approve", "edit", "reject", "respond", "take_over"]

_REASONS = {
    "grounding": "wrong_information",
    "actions": "unbacked_promise",
    "policy": "unbacked_promise",
    "exposure": "exposes_data",
    "quality": "wrong_tone",
}
"""The reason a draft is refused for, by the check that found something; `needs_person` for the others."""

ON_TOPIC_SHARE_MIN = 0.4
"""Share of the customer's own words that must come back in the draft or its passages, or it misses the question."""
KEPT_WORDS_MIN = 8
"""An edited draft with fewer words left answers nothing; it is refused instead."""
_NOT_FOR_CUSTOMERS = ("other customers", "word for word", "system prompt")
"""What a person notices in a message whatever the checks say."""

JUDGED_ONLY = ("audit", "second", "redraft")
"""Kinds of hold whose verdict sends nothing."""

GREETED_IN = 8
"""One draft in so many gets a greeting before it is sent: a cosmetic edit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reviewer:
    """Somebody on the help desk."""

    id: str
    name: str


REVIEWERS = (Reviewer(id="ines", name="Ines Duarte"), Reviewer(id="tom", name="Tom Ashby"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """What a simulated reviewer does with one hold after thinking for `think_s` seconds, and `why`, in words.

    `text` comes with edit and respond, `severity` in [0, 1] with a judgement on the draft. `says` is what they write
    after a take-over, line by line, before they hand the conversation back.
    """

    reviewer: Reviewer
    action: Action
    why: str
    think_s: float
    text: str | None = None
    reasons: tuple[str, ...] = ()
    severity: float | None = None
    says: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Choice:
    action: Action
    why: str
    text: str | None = None
    reasons: tuple[str, ...] = ()
    severity: float | None = None
    says: tuple[str, ...] = ()


def reviewer_of(hold_id: str) -> Reviewer:
    """To whom a hold falls."""
    return REVIEWERS[_dice(hold_id) % len(REVIEWERS)]


def judge(detail: HoldDetail) -> Planned:
    """Decide on a hold as one of the two reviewers would; the same hold is always decided in the same way."""
    dice = _dice(detail.hold.id)
    if detail.hold.kind == "unsure_send":
        choice = _Choice(action="reject", why="the chat shows the message, so it did arrive")
    elif detail.hold.kind == "unsure_action":
        choice = _Choice(action="reject", why="the shop's books show that it was done")
    elif detail.hold.kind == "win_back":
        choice = _Choice(action="approve", why="a person should say sorry")
    elif detail.hold.kind == "hand_off" or detail.turn.draft is None:
        choice = _for_person(detail, dice)
    elif detail.hold.kind in JUDGED_ONLY:
        choice = _on_what_is_over(_on_draft(detail, dice))
    else:
        choice = _on_draft(detail, dice)
    return Planned(
        reviewer=reviewer_of(detail.hold.id),
        action=choice.action,
        why=choice.why,
        think_s=0.4 + (dice >> 4) % 100 / 80,
        text=choice.text,
        reasons=choice.reasons,
        severity=choice.severity,
        says=choice.says,
    )


def _dice(hold_id: str) -> int:
    return zlib.crc32(hold_id.encode())


def _on_draft(detail: HoldDetail, dice: int) -> _Choice:
    draft = detail.turn.draft
    assert draft is not None, "a hold without a draft goes to a person"
    findings = [f for f in detail.turn.findings if f.severity not in ("info", "minor")]
    worst = next((f for f in findings if f.severity == "blocking"), None)
    if worst is not None:
        return _refusal(worst)
    if draft.does_not_know:
        return _Choice(
            action="respond", why="the agent does not know", text=_ask_around(detail), reasons=("not_answered",)
        )
    unsettling = next((f for f in findings if f.check in ("escalation", "injection")), None)
    if unsettling is not None:
        return _refusal(unsettling)
    if _share_of_question(detail) < ON_TOPIC_SHARE_MIN:
        return _Choice(action="reject", why="the draft misses the question", reasons=("not_answered",), severity=0.8)
    serious = [f for f in findings if f.severity == "major"]
    if serious:
        kept = _without(draft.text, serious)
        if len(kept.split()) < KEPT_WORDS_MIN or all(f.span is None for f in serious):
            return _refusal(serious[0])
        reasons = tuple(sorted({_reason(f) for f in serious}))
        return _Choice(action="edit", why="what nothing backs is taken out", text=kept, reasons=reasons, severity=0.5)
    if dice % GREETED_IN == 0:
        text = f"Hello {_first_name(detail)},\n\n{draft.text}"
        return _Choice(action="edit", why="right, and friendlier with a greeting", text=text, severity=0.05)
    return _Choice(action="approve", why="clean and to the point", severity=0.0)


def _on_what_is_over(choice: _Choice) -> _Choice:
    """Where nothing can be sent any more, nobody answers in the agent's place: the draft was wrong."""
    if choice.action in ("approve", "edit", "reject"):
        return choice
    reasons = choice.reasons or ("not_answered",)
    return _Choice(action="reject", why=choice.why, reasons=reasons, severity=choice.severity or 0.8)


def _for_person(detail: HoldDetail, dice: int) -> _Choice:
    name = _first_name(detail)
    found = {f"{f.check}.{f.code}" for f in detail.turn.findings} | set(detail.hold.reasons)
    codes = " ".join(sorted(found | {reason.code for reason in detail.turn.reasons}))
    if "vulnerable" in codes:
        return _Choice(
            action="take_over",
            why="somebody in distress is spoken to, not processed",
            says=(
                f"Dear {name}, I am very sorry. My name is {REVIEWERS[dice % len(REVIEWERS)].name}.",
                "You do not have to do anything now. I will look after this myself and write to you tomorrow.",
            ),
        )
    if "legal_threat" in codes:
        text = (
            f"Dear {name}, I am sorry for what happened. I have passed your message to the head of our help desk, who "
            "will write to you personally. Please keep any photos and papers."
        )
        return _Choice(action="respond", why="a legal matter goes up, without promises", text=text)
    if "wants_person" in codes and dice % 2:
        return _Choice(
            action="take_over",
            why="the customer asked for a person",
            says=(f"Hello {name}, you are talking to a person now.", "What can I do for you?"),
        )
    if "wants_person" in codes:
        text = f"Hello {name}, a person here. Tell me what it is about, or call us free of charge on 0808 157 0142."
        return _Choice(action="respond", why="the customer asked for a person", text=text)
    if "anger" in codes:
        text = (
            f"Dear {name}, I am sorry; you have every reason to be annoyed. Please send me your order number, and I "
            "will look into it myself now."
        )
        return _Choice(action="respond", why="angry: a person answers", text=text)
    asked = " ".join(_customer_words(detail.turn, detail)).lower()
    if "injection.in_customer_text" in codes or any(words in asked for words in _NOT_FOR_CUSTOMERS):
        text = f"Hello {name}, I cannot help with that. If you have a question about an order, I am glad to."
        return _Choice(action="respond", why="not for customers: refused politely", text=text)
    return _Choice(action="respond", why="no draft that can be sent", text=_ask_around(detail))


def _refusal(finding: Finding) -> _Choice:
    severity = 1.0 if finding.severity == "blocking" else 0.7
    why = f"{finding.check}.{finding.code}: {finding.explanation}"
    return _Choice(action="reject", why=why, reasons=(_reason(finding),), severity=severity)


def _reason(finding: Finding) -> str:
    return _REASONS.get(finding.check, "needs_person")


def _ask_around(detail: HoldDetail) -> str:
    return (
        f"Hello {_first_name(detail)}, I do not know that by heart. I am asking our team and will write to you here "
        "within one working day."
    )


def _first_name(detail: HoldDetail) -> str:
    contact = detail.conversation.contact
    return (contact.name or "").split(" ")[0] if contact and contact.name else "there"


def _without(text: str, findings: list[Finding]) -> str:
    """Leave out every sentence that a finding marks."""
    spans = [finding.span for finding in findings if finding.span is not None]
    kept = [
        sentence[0]
        for sentence in re.finditer(r"[^.!?\n]*(?:[.!?](?!\s|$)[^.!?\n]*)*[.!?\n]?\s*", text)
        if not any(span.start < sentence.end() and sentence.start() < span.end for span in spans)
    ]
    return "".join(kept).strip()


def _share_of_question(detail: HoldDetail) -> float:
    """Share of the customer's words in this turn that the draft or its passages have too; 1 where there are none."""
    draft = detail.turn.draft
    assert draft is not None, "only drafts are compared with the question"
    asked = _stems(" ".join(_customer_words(detail.turn, detail)))
    given = _stems(" ".join((draft.text, *(f"{source.title} {source.text}" for source in draft.sources[:1]))))
    return len(asked & given) / len(asked) if asked else 1.0


def _customer_words(turn: Turn, detail: HoldDetail) -> list[str]:
    messages = [m for m in detail.conversation.messages if m.author == "customer"]
    return [m.text for m in messages if m.turn_id == turn.id] or [m.text for m in messages[-1:]]


def _stems(text: str) -> set[str]:
    words = re.findall(r"[^\W_]+", text.lower())
    return {word[:4] for word in words if len(word) > 2 and word not in _EMPTY_WORDS}


_EMPTY_WORDS = frozenset(
    "about and any are back but can could did does doesnt dont for from get got had has hasnt have hello here how "
    "just know like long many may mean much need please right should some still sorry than thank that the their them "
    "then there they this was want what whats when where which who why will with work would you your".split()
)
