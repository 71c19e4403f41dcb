"""What stands on a reviewer's screen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from understudy.cli.plain_text import visible
from understudy.cli.review_screen import duration, marked_draft, numbered, screen
from understudy.client.models import Finding, HoldDetail, Message, Reply, Span

Make = Callable[..., HoldDetail]


def finding(severity: str, start: int | None = None, end: int = 0) -> Finding:
    span = None if start is None else Span(start=start, end=end)
    return Finding(check="grounding", code="c", severity=severity, explanation="why", span=span)


def seen(console: Console, detail: HoldDetail, now: datetime, **options: bool) -> str:
    console.print(screen(detail, place="1 of 3", now=now, **options))
    return console.export_text()


@pytest.mark.parametrize(
    "words",
    [
        "1 of 3 · draft · refunds · webchat · waiting 4 min · deadline in 8 min",
        "hi, where is my refund?",
        "When refunds arrive  https://fernway.example/help/refunds  ← [2]",
        "arrive within 10 days",
        "The draft says something was done that no action backs.",
        "Confidence 31%",
        "− much less confident because it claims an action that did not happen (actions)",
        "Draft by fernway-agent v7",
        "within 5 days[2]. We have already refunded £89.00 to your card.[1]",
        "[1] must not go out: says a refund was made, and no tool call made one (actions.unbacked)",
        "[3] for your information: no greeting",
    ],
)
def test_a_reviewer_sees(detail: Make, console: Console, now: datetime, words: str) -> None:
    assert words in seen(console, detail(), now)


def test_customers_markup_and_escapes_are_shown_and_not_obeyed(detail: Make, console: Console, now: datetime) -> None:
    assert "[bold]order 1042[/bold] ␛[31mplease" in seen(console, detail(), now)


def test_a_passed_deadline_is_said_in_words(detail: Make, console: Console, now: datetime) -> None:
    assert "OVERDUE by 2 min" in seen(console, detail(), now + timedelta(minutes=10))


def test_a_missing_draft_says_why(detail: Make, console: Console, now: datetime) -> None:
    assert "There is no draft: agent-timed-out" in seen(console, detail(kind="hand_off", draft=None), now)


def test_an_unsure_send_shows_what_was_sent(detail: Make, console: Console, now: datetime) -> None:
    before = detail(kind="unsure_send")
    turn = replace(before.turn, reply=Reply(text="It ships today.", author="agent", state="unknown"))
    text = seen(console, replace(before, turn=turn), now)
    assert "nobody knows whether it arrived" in text
    assert "It ships today." in text


def test_long_stories_are_cut_unless_everything_is_asked_for(detail: Make, console: Console, now: datetime) -> None:
    short = detail()
    many = tuple(Message(seq=n, author="customer", text=f"message number {n} " + "x" * 1200) for n in range(20))
    long = replace(short, conversation=replace(short.conversation, messages=many))
    text = seen(console, long, now)
    assert "… 12 earlier messages, m shows all" in text
    assert "more characters, m shows all" in text
    assert "message number 3 " not in text
    everything = seen(console, long, now, everything=True)
    assert "message number 3 " in everything
    assert "m shows all" not in everything


def test_a_passage_under_suspicion_is_never_cut(detail: Make, console: Console, now: datetime) -> None:
    before = detail()
    assert before.turn.draft is not None
    sources = [replace(before.turn.draft.sources[0], text="x" * 500 + " the end", id=id_) for id_ in ("kb-1", "kb-2")]
    draft = replace(before.turn.draft, sources=tuple(sources))
    text = seen(console, replace(before, turn=replace(before.turn, draft=draft)), now)
    assert text.count("the end") == 1
    assert text.count("108 more characters") == 1


def test_a_reason_that_came_after_the_decision_is_shown_too(detail: Make, console: Console, now: datetime) -> None:
    before = detail(kind="hand_off")
    text = seen(console, replace(before, hold=replace(before.hold, reasons=("draft_rejected",))), now)
    assert " • draft rejected" in text
    assert "Draft that will not be sent, by fernway-agent v7" in text


def test_findings_are_numbered_worst_first() -> None:
    found = [finding("minor", 0, 1), finding("major", 5, 6), finding("major", 2, 3), finding("new-kind")]
    assert [f.severity for _, f in numbered(found)] == ["new-kind", "major", "major", "minor"]
    assert [n for n, _ in numbered(found)] == [1, 2, 3, 4]


spans = st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), max_size=5)
drafts = st.text(alphabet="ab é\x1b\u202e\n[", max_size=25)


@given(drafts, spans)
def test_marking_adds_only_numbers_and_underlines_exactly_the_spans(draft: str, found: list[tuple[int, int]]) -> None:
    findings = tuple(enumerate((finding("major", min(s), max(s)) for s in found), start=1))
    text = marked_draft(draft, findings)
    inside = "".join(visible(letter) for i, letter in enumerate(draft) if any(min(s) <= i < max(s) for s in found))
    underlined = "".join(
        text.plain[span.start : span.end] for span in sorted(text.spans) if "underline" in str(span.style)
    )
    assert underlined == inside
    plain = text.plain
    for number, _ in reversed(findings):
        assert f"[{number}]" in plain
        plain = plain.replace(f"[{number}]", "", 1)
    assert plain == visible(draft)


@pytest.mark.parametrize(
    ("seconds", "words"), [(45, "45 s"), (-45, "45 s"), (720, "12 min"), (9000, "2 h"), (2e5, "2 days")]
)
def test_durations_are_said_in_one_unit(seconds: float, words: str) -> None:
    assert duration(seconds) == words
