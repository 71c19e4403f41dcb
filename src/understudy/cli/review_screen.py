"""What a reviewer sees of one hold, as rich renderables; it reads no key and sends nothing.

The order is that of a terminal, where the last lines stay in view: the story first, then the sources and the reasons,
then the draft with its findings right above the prompt. Everything said by colour is also said by a sign or a word.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import datetime

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.panel import Panel
from rich.rule import Rule
from rich.text import Text

from understudy.cli.plain_text import shortened, shown
from understudy.client.models import Contribution, Finding, HoldDetail, Message, Source, Turn

MESSAGES_SHOWN = 8
MESSAGE_CHARS_SHOWN = 1_000
PASSAGE_CHARS_SHOWN = 400
_EVERYTHING = 1_000_000_000

SEVERITIES = {
    "unknown": ("could not be checked", "bold magenta"),
    "blocking": ("must not go out", "bold white on red"),
    "major": ("serious", "bold red"),
    "minor": ("minor", "yellow"),
    "info": ("for your information", "cyan"),
}
"""Each severity, worst first, with its words and its style; one that is not known here is shown like `unknown`."""

KINDS = {
    "draft": "draft",
    "hand_off": "waits for a person",
    "unsure_send": "did it arrive?",
    "unsure_action": "was it done?",
    "win_back": "make it good?",
    "audit": "sent already",
    "second": "second opinion",
    "redraft": "new version, past turn",
}
AUTHORS = {"customer": "Customer", "agent": "Agent", "reviewer": "Reviewer", "safe_reply": "Safe reply"}


def screen(detail: HoldDetail, *, place: str, now: datetime, everything: bool = False) -> RenderableType:
    """Lay out one hold. `place` says where in the queue it is; `everything` shows all messages and texts uncut."""
    turn = detail.turn
    parts: list[RenderableType | None] = [
        Text(""),
        Rule(_title(detail, place, now), align="left", characters="━"),
        _conversation(detail, everything=everything),
    ]
    findings = numbered(turn.findings)
    if turn.draft is not None and turn.draft.sources:
        parts.append(_passages(turn.draft.sources, findings, everything=everything))
    parts += [_why(detail), _confidence(turn), _proposal(detail, findings), _findings(findings)]
    return Group(*(part for part in parts if part is not None))


def numbered(findings: Sequence[Finding]) -> tuple[tuple[int, Finding], ...]:
    """Number the findings from 1, worst first, then as they stand in the draft."""
    order = list(SEVERITIES)

    def key(finding: Finding) -> tuple[int, int]:
        rank = order.index(finding.severity) if finding.severity in order else 0
        return rank, finding.span.start if finding.span else -1

    return tuple(enumerate(sorted(findings, key=key), start=1))


def marked_draft(draft: str, findings: Iterable[tuple[int, Finding]]) -> Text:
    """Mark each finding's span in the draft: underlined, in its severity's style, its number in brackets behind it.

    Spans may overlap and may reach past the end; the worst finding gives an overlap its style.
    """
    spans = [
        (max(0, min(f.span.start, len(draft))), min(f.span.end, len(draft)), number, f)
        for number, f in findings
        if f.span is not None
    ]
    edges = sorted({0, len(draft), *(edge for start, end, _, _ in spans for edge in (start, end))})
    text = Text()
    for start, end in zip(edges, [*edges[1:], len(draft)], strict=True):
        for _, ends, number, finding in spans:
            if ends == start:
                text.append(f"[{number}]", style=_look(finding)[1])
        covering = [finding for begins, ends, _, finding in spans if begins <= start < ends]
        text.append_text(shown(draft[start:end], f"{_look(covering[0])[1]} underline" if covering else ""))
    return text


def messages(found: Iterable[Message], *, chars_max: int = _EVERYTHING) -> Group:
    """Lay out messages under the name of who wrote them."""
    lines: list[RenderableType] = []
    before: tuple[str, str | None] | None = None
    for message in found:
        author = (message.author, message.author_name)
        if author != before:
            lines.append(_author(message))
        before = author
        lines.append(Padding(shortened(message.text, chars_max), (0, 0, 0, 3)))
    return Group(*lines)


def duration(seconds: float) -> str:
    """Say a duration in its largest whole unit: 45 s, 12 min, 3 h, 2 days."""
    amount = abs(seconds)
    if amount < 90:
        return f"{amount:.0f} s"
    if amount < 90 * 60:
        return f"{amount / 60:.0f} min"
    if amount < 48 * 3600:
        return f"{amount / 3600:.0f} h"
    return f"{amount / 86400:.0f} days"


def _title(detail: HoldDetail, place: str, now: datetime) -> Text:
    hold = detail.hold
    title = Text(place, style="bold").append(f" · {KINDS.get(hold.kind, hold.kind)}")
    for word in (hold.topic or "no topic", hold.channel):
        title.append(" · ").append_text(shown(word))
    if hold.created_at:
        title.append(f" · waiting {duration((now - hold.created_at).total_seconds())}")
    if hold.expires_at is None:
        return title.append(" · no deadline")
    left = (hold.expires_at - now).total_seconds()
    if left < 0:
        return title.append(" · ").append(f"OVERDUE by {duration(left)}", style="bold red")
    return title.append(f" · deadline in {duration(left)}", style="bold yellow" if left < 120 else "")


def _conversation(detail: HoldDetail, *, everything: bool) -> RenderableType:
    found = detail.conversation.messages
    last = found if everything else found[-MESSAGES_SHOWN:]
    lines: list[RenderableType] = []
    if len(found) > len(last):
        lines.append(Text(f"… {len(found) - len(last)} earlier messages, m shows all", style="dim"))
    lines.append(messages(last, chars_max=_EVERYTHING if everything else MESSAGE_CHARS_SHOWN))
    return Group(*lines)


def _author(message: Message) -> Text:
    style = "bold" if message.author == "customer" else "dim"
    who = Text(AUTHORS.get(message.author, message.author), style=style)
    return who.append(" · ").append_text(shown(message.author_name)) if message.author_name else who


def _passages(
    sources: Sequence[Source], findings: Iterable[tuple[int, Finding]], *, everything: bool
) -> RenderableType:
    lines: list[RenderableType] = [Text(""), Text("Passages the draft rests on", style="bold")]
    for source in sources:
        head = Text(" • ").append_text(shown(source.title or source.id))
        if source.url:
            head.append("  ").append_text(shown(source.url, "dim"))
        for number, finding in findings:
            if finding.passage_id == source.id:
                head.append(f"  ← [{number}]", style=_look(finding)[1])
        is_suspect = any(finding.passage_id == source.id for _, finding in findings)
        text = shortened(source.text, _EVERYTHING if everything or is_suspect else PASSAGE_CHARS_SHOWN)
        lines += [head, Padding(text, (0, 0, 0, 3))]
    return Group(*lines)


def _why(detail: HoldDetail) -> RenderableType:
    reasons = [reason.explanation or reason.code for reason in detail.turn.reasons]
    known = {reason.code for reason in detail.turn.reasons}
    reasons += [code.replace("_", " ") for code in detail.hold.reasons if code not in known]  # what came afterwards
    lines = [Text(" • ").append_text(shown(reason)) for reason in reasons or ["no reason was given"]]
    return Group(Text(""), Text("Why a person is asked", style="bold"), *lines)


def _confidence(turn: Turn) -> RenderableType | None:
    if turn.confidence is None:
        return None
    lines = [
        Text(""),
        Text("Confidence ", style="bold").append(
            f"{turn.confidence:.0%}: how likely it is that you would send this unedited", style="not bold"
        ),
    ]
    moved = sorted((c for c in turn.contributions if abs(c.log_odds) >= 0.05), key=lambda c: c.log_odds)
    lines += [_contribution(contribution) for contribution in moved]
    low = [(check, score) for check, score in turn.signals.items() if score < 1]
    if turn.signals:
        signals = Text("   Signals (1 = nothing wrong): ", style="dim")
        signals.append_text(shown(", ".join(f"{check} {score:.2f}" for check, score in low) or "every check 1.00"))
        lines.append(signals)
    return Group(*lines)


def _contribution(contribution: Contribution) -> Text:
    size = abs(contribution.log_odds)
    degree = "a little" if size < 0.5 else "clearly" if size < 2 else "much"
    sign, direction = ("−", "less") if contribution.log_odds < 0 else ("+", "more")
    text = Text(f" {sign} {degree} {direction} confident", style="yellow" if sign == "−" else "")
    if contribution.words:
        text.append_text(Text(" because " if sign == "−" else ": ")).append_text(shown(contribution.words))
    return text.append_text(shown(f" ({contribution.signal})", "dim"))


def _proposal(detail: HoldDetail, findings: Sequence[tuple[int, Finding]]) -> RenderableType:
    turn = detail.turn
    if detail.hold.kind == "unsure_send":
        body = shown(turn.reply.text) if turn.reply else Text("the text is not known")
        return _boxed(body, "Sent, but nobody knows whether it arrived")
    if detail.win_back is not None:
        body = shown(detail.win_back.explanation, "dim").append("\n\n").append_text(shown(detail.win_back.text or ""))
        return _boxed(body, "To be written to the customer, in your name")
    if turn.draft is None:
        error = shown(turn.agent_error) if turn.agent_error else Text("the agent was not asked")
        return _boxed(Text("There is no draft: ").append_text(error), "No draft")
    title = Text("Draft by " if detail.hold.kind == "draft" else "Draft that will not be sent, by ").append_text(
        shown(turn.draft.agent or "the agent")
    )
    if turn.draft.agent_version:
        title.append(" ").append_text(shown(turn.draft.agent_version))
    body = _told(detail).append_text(marked_draft(turn.draft.text, findings))
    for action in turn.draft.actions:
        arguments = json.dumps(dict(action.arguments), ensure_ascii=False, sort_keys=True)
        body.append("\n→ would also do: ", style="bold").append_text(shown(f"{action.name} {arguments}"))
    return _boxed(body, title)


def _told(detail: HoldDetail) -> Text:
    """What stands before the draft when it leaves; no part of it."""
    if detail.disclosure is None or detail.disclosure.shown != "message":
        return Text("")
    return shown(f"[said with it] {detail.disclosure.text}", "dim").append("\n\n")


def _boxed(body: Text, title: str | Text) -> RenderableType:
    return Group(Text(""), Panel(body, title=title, title_align="left"))


def _findings(findings: Sequence[tuple[int, Finding]]) -> RenderableType | None:
    if not findings:
        return None
    lines = []
    for number, finding in findings:
        words, style = _look(finding)
        line = Text(" ").append(f"[{number}] {words}:", style=style).append(" ")
        line.append_text(shown(finding.explanation or finding.code))
        lines.append(line.append_text(shown(f" ({finding.check}.{finding.code})", "dim")))
    return Group(*lines)


def _look(finding: Finding) -> tuple[str, str]:
    return SEVERITIES.get(finding.severity, SEVERITIES["unknown"])
