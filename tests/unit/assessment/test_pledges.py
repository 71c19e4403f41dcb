"""What replies commit a business to: labelled sentences with measured precision and recall, and when each is due."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy.assessment.pledges import FOUND_MAX, pledges_in

TUESDAY = datetime(2026, 3, 3, 10, 0, tzinfo=UTC)
BERLIN = "Europe/Berlin"

PLEDGED = {
    "We will call you tomorrow.": ("call 2026-03-04 18:00",),
    "I'll call you back this afternoon.": ("call 2026-03-03 18:00",),
    "One of our specialists will phone you on Thursday at 10 am.": ("call 2026-03-05 10:00",),
    "You will get a call from our workshop by Friday noon.": ("call 2026-03-06 12:00",),
    "Please expect our call within two hours.": ("call 2026-03-03 13:00",),
    "You'll get your refund within 5 days.": ("money 2026-03-08 18:00",),
    "We are going to refund the £49.90 to your card by 10 March.": ("money 2026-03-10 18:00",),
    "Your refund will be credited within three working days.": ("money 2026-03-06 18:00",),
    "We'll pay you back in full.": ("money",),
    "I will issue a full refund today.": ("money 2026-03-03 18:00",),
    "We’ll send you a new label tomorrow morning.": ("send 2026-03-04 12:00",),
    "Your replacement will be shipped on Monday.": ("send 2026-03-09 18:00",),
    "You will receive a replacement by 2026-03-12.": ("send 2026-03-12 18:00",),
    "The parcel will arrive within the next 48 hours.": ("send 2026-03-05 11:00",),
    "I will look into it.": ("do",),
    "We will check this with our warehouse and get back to you within one business day.": (
        "do",
        "write 2026-03-04 18:00",
    ),
    "I'll look into it and let you know by Friday at 3 pm.": ("do", "write 2026-03-06 15:00"),
    "Our team will be in touch within 24 hours.": ("write 2026-03-04 11:00",),
    "Somebody will write to you by Monday 09:00.": ("write 2026-03-09 09:00",),
    "A colleague will contact you shortly.": ("write",),
    "You will hear from us by the end of the week.": ("write 2026-03-06 18:00",),
    "I will personally keep you updated.": ("write",),
    "We'll be sending you an e-mail tonight.": ("write 2026-03-03 23:59",),
    "We will cancel the order and refund you by tomorrow.": ("do", "money 2026-03-04 18:00"),
    "My manager will review your complaint in two weeks.": ("do 2026-03-17 18:00",),
    "We will pick up the sofa on 5 March at 14:30.": ("do 2026-03-05 14:30",),
    "The team will exchange the frame the day after tomorrow.": ("do 2026-03-05 18:00",),
    "Wir melden uns morgen früh bei Ihnen.": ("write 2026-03-04 12:00",),
    "Ich rufe Sie morgen Vormittag zurück.": ("call 2026-03-04 12:00",),
    "Ein Kollege ruft Sie heute noch an.": ("call 2026-03-03 18:00",),
    "Wir werden Sie bis Freitag um 15 Uhr anrufen.": ("call 2026-03-06 15:00",),
    "Sie erhalten Ihr Geld innerhalb von drei Werktagen.": ("money 2026-03-06 18:00",),
    "Wir erstatten Ihnen den Betrag bis zum 10.3.": ("money 2026-03-10 18:00",),
    "Ihre Erstattung wird in fünf Tagen gutgeschrieben.": ("money 2026-03-08 18:00",),
    "Wir schicken Ihnen übermorgen ein neues Etikett.": ("send 2026-03-05 18:00",),
    "Ich kümmere mich darum.": ("do",),
    "Ich kläre das mit dem Lager.": ("do",),
    "Unser Team meldet sich in den nächsten 24 Stunden.": ("write 2026-03-04 11:00",),
    "Sie bekommen bis Ende der Woche eine Antwort.": ("write 2026-03-06 18:00",),
    "Wir werden das prüfen.": ("do",),
}
NOT_PLEDGED = (
    "Once you send the photos, we will refund you.",
    "We will refund you as soon as you return the jacket.",
    "If the zip breaks, we will repair it.",
    "We usually refund within five days.",
    "Will you call me back?",
    "We will not refund shipping.",
    "We won't send it again.",
    "We will never share your address.",
    "The shop will be closed on Monday.",
    "We will be happy to help.",
    "We will need your order number.",
    "You will need a receipt.",
    "You will find the form on our page.",
    "You will love it.",
    "I will be out of the office on Friday.",
    "You wrote: “We will call you tomorrow.”",
    "We sent your parcel yesterday.",
    "We have refunded you today.",
    "You can call us tomorrow.",
    "Please call us by Friday.",
    "Refunds take five working days.",
    "Expect delays around the holidays.",
    "The price will go up in April.",
    "It will take two days.",
    "The colours will fade in the sun.",
    "You may send it back within 30 days.",
    "Your jacket will keep you warm.",
    "Goodwill is not a policy.",
    "Sobald Sie die Fotos schicken, erstatten wir Ihnen den Betrag.",
    "Wenn Sie uns schreiben, melden wir uns.",
    "Wir erstatten in der Regel innerhalb von fünf Tagen.",
    "Guten Morgen, wie kann ich helfen?",
    "Sie können uns morgen anrufen.",
    "Wir werden das nicht erstatten.",
    "Ihr Paket wurde gestern verschickt.",
    "Rufen Sie uns bitte morgen an.",
    "Ich werde nie verstehen, warum.",
    "Das Geschäft wird am Montag geschlossen sein.",
)


def told(text: str, at: datetime = TUESDAY, timezone: str = BERLIN) -> tuple[str, ...]:
    found = pledges_in(text, at, timezone)
    return tuple(
        one.kind.value + ("" if one.due_at is None else f" {one.due_at.astimezone(ZoneInfo(timezone)):%Y-%m-%d %H:%M}")
        for one in found
    )


def test_precision_and_recall_on_labelled_sentences() -> None:
    """Hard sentences of our own, written before the patterns were; a figure of these, and of nothing else."""
    found = {text: told(text) for text in (*PLEDGED, *NOT_PLEDGED)}
    right = sum(bool(found[text]) for text in PLEDGED)
    wrong = [text for text in NOT_PLEDGED if found[text]]
    assert right / len(PLEDGED) >= 0.95, [text for text in PLEDGED if not found[text]]
    assert right / (right + len(wrong)) >= 0.95, wrong


@pytest.mark.parametrize(("text", "meant"), PLEDGED.items())
def test_kind_and_time_are_those_that_are_meant(text: str, meant: tuple[str, ...]) -> None:
    found = told(text)
    assert len(found) == len(meant)
    for one, wanted in zip(found, meant, strict=True):
        assert one.startswith(wanted)


def test_the_words_are_the_part_of_the_sentence_that_pledges() -> None:
    text = "Sorry about that! We will refund you today and send a replacement tomorrow. Bye."
    found = pledges_in(text, TUESDAY, BERLIN)
    assert [one.words for one in found] == ["We will refund you today", "and send a replacement tomorrow"]
    assert [text[one.span.start : one.span.end] for one in found] == [one.words for one in found]


def test_an_hour_is_an_hour_in_the_night_in_which_the_clock_changes() -> None:
    before = datetime(2026, 3, 29, 0, 30, tzinfo=UTC)  # half past one in Berlin, half an hour before the change
    (found,) = pledges_in("We will call you in two hours.", before, BERLIN)
    assert found.due_at is not None
    assert (found.due_at - before).total_seconds() == 7200


def test_a_day_that_is_over_and_a_date_that_is_none_are_no_deadline() -> None:
    assert told("We will call you on 31 June.") == ("call",)
    assert told("We will call you by 9 am.") == ("call",)


@given(text=st.text(max_size=400), at=st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)))
def test_any_text_is_read_and_every_deadline_lies_ahead(text: str, at: datetime) -> None:
    found = pledges_in(f"We will {text} I'll {text}", at, "America/New_York")
    assert len(found) <= FOUND_MAX
    for one in found:
        assert one.words == f"We will {text} I'll {text}"[one.span.start : one.span.end]
        assert one.due_at is None or one.due_at > at


@given(st.lists(st.sampled_from([*PLEDGED, *NOT_PLEDGED]), min_size=1, max_size=5))
def test_sentences_beside_each_other_change_nothing_of_each_other(sentences: list[str]) -> None:
    alone = [one for text in sentences for one in told(text)]
    assert list(told(" ".join(sentences))) == alone[:FOUND_MAX]
