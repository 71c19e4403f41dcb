"""What notes say, in words: a hold with its draft, what became of it, what came of a remark. It writes none.

No note begins with a slash, and no line of a draft stands at the beginning of one: it is quoted.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from understudy.records.assessment import Assessment, Finding, Severity
from understudy.records.conversation import Conversation
from understudy.records.evidence import Draft
from understudy.records.review import Hold, HoldKind, HoldState, Verdict, VerdictKind

CODE_CHARS: Final = 6
FINDINGS_MAX: Final = 20
EXPLANATION_CHARS_MAX: Final = 600
HEAD: Final = "Understudy"
_ORDER: Final = (Severity.BLOCKING, Severity.UNKNOWN, Severity.MAJOR, Severity.MINOR, Severity.INFO)
_CUT: Final = "[…] The draft is longer than a note may be. Read and approve it in Understudy's console."
_DONE: Final = {
    VerdictKind.APPROVE: "approved the draft",
    VerdictKind.EDIT: "edited the draft",
    VerdictKind.REJECT: "rejected the draft; the customer waits for a person",
    VerdictKind.RESPOND: "answered",
    VerdictKind.TAKE_OVER: "took the conversation over",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What a note on a hold shows. `undelivered`: the message of which nobody knows whether it arrived."""

    hold: Hold
    draft: Draft | None
    assessment: Assessment | None
    confidence: float | None
    undelivered: str | None
    on_expiry: str
    undo_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Worded:
    """A note's text; `is_whole` False: its draft was cut."""

    text: str
    is_whole: bool = True


def code_of(note_id: str) -> str:
    """The short name of a note, for commands."""
    return hashlib.sha256(note_id.encode()).hexdigest()[:CODE_CHARS]


def mark_of(note_id: str) -> str:
    """The line at a note's end by which it is found again."""
    return f"#{code_of(note_id)} · {note_id}"


def hold_note(note_id: str, shown: Shown, *, is_again: bool, chars_max: int) -> Worded:
    """The note that puts a hold before colleagues."""
    hold = shown.hold
    before = [f"{HEAD}: {_title(hold, is_again=is_again)}", ""]
    after = ["", *_why(shown), *_findings(shown), *_next(shown), "", mark_of(note_id)]
    said = shown.undelivered if hold.kind is HoldKind.UNSURE_SEND else None if shown.draft is None else shown.draft.text
    if hold.kind is HoldKind.HAND_OFF or said is None:
        return Worded(text="\n".join([*before, *after[1:]])[:chars_max])
    name = "MESSAGE" if hold.kind is HoldKind.UNSURE_SEND else "DRAFT"
    room = chars_max - len("\n".join([*before, name, *after, _CUT])) - 100
    lines, is_whole = _quoted(said, room)
    return Worded(text="\n".join([*before, name, *lines, *after]), is_whole=is_whole)


def outcome_note(
    note_id: str, hold: Hold, verdict: Verdict | None, conversation: Conversation, *, is_kept_blind: bool
) -> str:
    """The note that says what became of a hold elsewhere; `is_kept_blind`: somebody judges the same draft, who must not know."""
    return "\n".join(
        [f"{HEAD}: {_became(hold, verdict, conversation, is_kept_blind=is_kept_blind)}", "", mark_of(note_id)]
    )


def done_note(
    note_id: str, by: str, verdict: VerdictKind | None, *, until: datetime | None, is_kept_blind: bool
) -> str:
    """The note that confirms a command."""
    if verdict is None:
        says = f"{by} took the verdict back. Nothing was sent; the draft waits again."
    else:
        says = f"{by} {'decided' if is_kept_blind else _DONE[verdict]}."
    if until is not None:
        says += f" That takes effect at {until:%H:%M:%S} UTC; /undo until then."
    return "\n".join([f"{HEAD}: {says}", "", mark_of(note_id)])


def refusal_note(note_id: str, to: str | None, why: str) -> str:
    """The note that says that nothing was done, and why."""
    return "\n".join([f"{HEAD}: nothing was done{f' for {to}' if to else ''}: {why}", "", mark_of(note_id)])


def _title(hold: Hold, *, is_again: bool) -> str:
    match hold.kind:
        case HoldKind.UNSURE_SEND:
            return "nobody knows whether this message reached the customer."
        case HoldKind.HAND_OFF:
            still = "still " if is_again else ""
            return f"the customer {still}waits for a person{', and it is overdue' if hold.raised_at else ''}."
        case _:
            return f"this reply {'waits again' if is_again else 'is held'} until somebody decides{', and it is overdue' if hold.raised_at else ''}."


def _why(shown: Shown) -> list[str]:
    told = {reason.code: reason.explanation for reason in shown.assessment.decision.reasons} if shown.assessment else {}
    reasons = [f"- {told[code] if code in told else code.replace('_', ' ')}" for code in shown.hold.reasons]
    return ["WHY", *reasons] if reasons else []


def _findings(shown: Shown) -> list[str]:
    if shown.hold.kind is not HoldKind.DRAFT:
        return []
    found: Sequence[Finding] = () if shown.assessment is None else shown.assessment.findings
    ordered = sorted(found, key=lambda one: _ORDER.index(one.severity))
    lines = [f"- {one.severity.value}: {_line(one.explanation)} ({one.name})" for one in ordered[:FINDINGS_MAX]]
    if len(ordered) > FINDINGS_MAX:
        lines.append(f"- and {len(ordered) - FINDINGS_MAX} more, in the console")
    sure = "unknown" if shown.confidence is None else f"{shown.confidence:.2f}"
    return ["", "FINDINGS", *(lines or ["- none"]), "", f"CONFIDENCE {sure}, that a reviewer would send it unchanged"]


def _next(shown: Shown) -> list[str]:
    hold = shown.hold
    commands = {
        HoldKind.DRAFT: [
            "/approve sends it, /edit TEXT sends your text, /reject WHY sends nothing,",
            "/respond TEXT answers in your name, /take-over makes the conversation yours.",
        ],
        HoldKind.HAND_OFF: ["/respond TEXT answers in your name, /take-over makes the conversation yours."],
        HoldKind.UNSURE_SEND: ["/arrived if the customer has it, /send-again if not."],
    }[hold.kind]
    lines = ["", "WHAT HAPPENS NEXT", "Nothing is sent until a note of yours begins with a command:", *commands]
    if hold.kind is not HoldKind.UNSURE_SEND:
        lines.append("Answering the customer yourself takes the conversation over, too.")
    if shown.undo_s > 0:
        lines.append(f"For {shown.undo_s:g} s after a command /undo takes it back.")
    if hold.kind is HoldKind.DRAFT:
        lines.append("If the customer writes again before, this draft is void.")
        if hold.expires_at is not None and hold.raised_at is None:
            lines.append(f"At {hold.expires_at:%Y-%m-%d %H:%M} UTC {shown.on_expiry}.")
    return lines


def _became(hold: Hold, verdict: Verdict | None, conversation: Conversation, *, is_kept_blind: bool) -> str:
    if hold.state is HoldState.SUPERSEDED:
        return "the customer wrote again, so the draft above is void. Nothing of it was sent."
    if hold.state is HoldState.EXPIRED:
        return "the time for the draft above is over: an approved safe reply was sent, and the customer waits for a person."
    if is_kept_blind:
        return "the draft above was decided on."
    if verdict is None:
        by = f" by {conversation.taken_by}" if conversation.taken_by else ""
        return f"the conversation was taken over{by}. Nothing of what is above was sent."
    if hold.kind is HoldKind.UNSURE_SEND:
        return f"{verdict.reviewer} said that the message {'did not arrive' if verdict.kind is VerdictKind.APPROVE else 'arrived'}."
    return f"{verdict.reviewer} {_DONE[verdict.kind]}."


def _quoted(text: str, room: int) -> tuple[list[str], bool]:
    lines: list[str] = []
    used = 0
    for line in text.splitlines() or [""]:
        quoted = f"> {line}"
        if used + len(quoted) + 1 > room:
            cut = quoted[: max(room - used, 2)]
            return [*lines, cut, _CUT], False
        lines.append(quoted)
        used += len(quoted) + 1
    return lines, True


def _line(text: str) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= EXPLANATION_CHARS_MAX else f"{flat[:EXPLANATION_CHARS_MAX]}…"
