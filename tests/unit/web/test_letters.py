"""Mails as the API shows them: subject and whole text beside the new words, within bounds, and as data."""

from __future__ import annotations

from datetime import UTC, datetime

from understudy.records.conversation import Author, Message
from understudy.records.pulls import Envelope
from understudy.web.views import WHOLE_CHARS_IN_ALL, WHOLE_CHARS_MAX, messages_view


def said(number: int) -> Message:
    return Message(
        seq=number,
        id=f"m-{number}",
        conversation_id="c",
        turn_id="t",
        author=Author.CUSTOMER,
        author_name=None,
        text="Thanks!",
        at=datetime(2026, 1, 1, tzinfo=UTC),
        provider_id=None,
    )


def letter(whole: str | None, **more: object) -> Envelope:
    return Envelope(chain=("a@x",), subject="Re: <b>kettle</b>", whole=whole, **more)  # type: ignore[arg-type]


def test_letter_is_shown_with_its_subject_and_all_that_was_written() -> None:
    first, second, third = messages_view(
        [said(1), said(2), said(3)], {"m-1": letter("Thanks!\n> It left."), "m-3": letter(None, is_proven=False)}
    )
    assert first.letter is not None
    assert (first.letter.subject, first.letter.whole) == ("Re: <b>kettle</b>", "Thanks!\n> It left.")
    assert first.text == "Thanks!"
    assert second.letter is None
    assert third.letter is not None
    assert (third.letter.whole, third.letter.is_proven) == (None, False)


def test_long_letters_are_cut_and_the_oldest_go_without() -> None:
    many = [said(number) for number in range(50)]
    shown = messages_view(many, {message.id: letter("x" * 1_000_000) for message in many})
    texts = [one.letter.whole for one in shown if one.letter is not None]
    assert [message.seq for message in shown] == list(range(50))
    assert len(texts[-1] or "") == WHOLE_CHARS_MAX
    assert texts[0] is None
    assert sum(len(text or "") for text in texts) <= WHOLE_CHARS_IN_ALL
