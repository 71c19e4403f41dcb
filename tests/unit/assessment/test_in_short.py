"""What a model is shown of a hand-off is data and bounded; of its lines only those are shown whose figures it was shown."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy.assessment.in_short import (
    CHARS_MAX,
    LINE_CHARS_MAX,
    LINES_MAX,
    MESSAGES_MAX,
    is_carried,
    lines_kept,
    material_of,
)
from understudy.assessment.summary import Case, parts_of
from understudy.records.conversation import Author, Message
from understudy.records.summary import SummaryState, WrittenSummary
from understudy.records.trust import Cap, CapCause

AT = datetime(2026, 5, 4, 10, 0, tzinfo=UTC)
TODAY = date(2026, 5, 4)


def message(text: str, seq: int = 1, author: Author = Author.CUSTOMER) -> Message:
    return Message(
        seq=seq,
        id=f"m-{seq}",
        conversation_id="c",
        turn_id="t-1",
        author=author,
        author_name=None,
        text=text,
        at=AT,
        provider_id=None,
    )


def case(*messages: Message, **more: Any) -> Case:
    return Case(
        channel="chat", topic=None, words=("A person is asked for.",), turn_id="t-1", messages=messages, customer="Ada", at=AT, **more
    )  # fmt: skip


def short(*lines: str, seen_to: int = 9) -> WrittenSummary:
    state = SummaryState.WRITTEN if lines else SummaryState.FAILED
    where = {"hold_id": "h-1", "turn_id": "t-1", "conversation_id": "c"}
    return WrittenSummary(**where, state=state, attempts=1, due_at=AT, at=AT, by="m-1", lines=lines, seen_to=seen_to)


@given(st.text(max_size=200))
def test_no_words_of_a_customer_can_pretend_to_be_the_frame(text: str) -> None:
    shown = json.loads(material_of(case(message(text))))
    assert shown["conversation"] == [{"by": "customer", "at": "2026-05-04 10:00 UTC", "text": text}]
    assert set(shown) <= {"today", "wanted", "why", "mood", "tried", "facts", "owed", "open", "conversation"}


def test_it_is_shown_the_end_of_a_long_conversation() -> None:
    said = [message("x" * 1_000, seq) for seq in range(3 * MESSAGES_MAX)] + [message("the last", 999)]
    shown = json.loads(material_of(case(*said)))["conversation"]
    assert shown[-1]["text"] == "the last"
    assert sum(len(one["text"]) for one in shown) <= CHARS_MAX
    assert len(shown) <= MESSAGES_MAX


def test_neither_the_customers_past_nor_an_earlier_summary_is_shown_to_it() -> None:
    cap = Cap(contact_id="k", cause=CapCause.COMPLAINT, turn_id="t-0", at=AT)
    one = case(message("Hello?"), cap=cap, short=short("They shout."))
    assert "complained" in json.dumps([line.text for part in parts_of(one) for line in part.lines])
    assert "complained" not in material_of(one)
    assert "They shout." not in material_of(one)


@given(st.lists(st.text(max_size=900), max_size=12))
def test_lines_are_few_and_short_and_keeping_them_again_changes_nothing(lines: list[str]) -> None:
    kept = lines_kept(lines)
    assert len(kept) <= LINES_MAX
    assert all(line.strip() and "\n" not in line and len(line) <= LINE_CHARS_MAX for line in kept)
    assert lines_kept([line.strip() for line in kept]) == tuple(line.strip() for line in kept)


def test_a_hostile_answer_is_looked_at_only_so_far() -> None:
    assert lines_kept(["1" * 2_000_000])[0] == "1" * LINE_CHARS_MAX
    assert lines_kept([*[" "] * 900_000, "Late."]) == ()


def test_what_nobody_sees_or_turns_the_writing_round_is_left_out() -> None:
    assert lines_kept(["Pay\u202e 05\u200b now\x07."]) == ("Pay 05 now.",)


def test_card_numbers_are_masked() -> None:
    assert lines_kept(["Paid with 4111 1111 1111 1111."]) == ("Paid with [card ending 1111].",)


SHOWN = material_of(
    case(message("I paid 19.90 EUR for order 1042 on 2026-04-20, mail me at ada@mail.example tomorrow"))
)


@pytest.mark.parametrize(
    ("line", "is_there"),
    [
        ("Paid €19.90 for order 1042.", True),
        ("Asked 3 times, in 2 messages.", True),
        ("Ordered on 20 April 2026; write to ada@mail.example.", True),
        ("Wants an answer tomorrow.", True),
        ("Nobody has answered.", True),
        ("Paid 1,990 EUR.", False),
        ("It is order 1043.", False),
        ("Ordered on 21 April 2026.", False),
        ("Write to eve@mail.example.", False),
        ("See https://evil.example/login first.", False),
        ("Call +49 151 12345678.", False),
        ("Promised for next Friday.", False),
        ("They wrote 14 times.", False),
        ("It is #7.", False),
        ("Refund 5k.", False),
        ("Refund 1 million.", False),
        ("Refund two hundred euro.", False),
        ("Refund \uff15\uff10\uff10 EUR.", False),
        ("Pay at evil.xyz/pay.", False),
        ("Pay at hxxp://evil.zip/login.", False),
        ("Pay at [here](//evil.zip).", False),
        ("Pay at evil\uff0ecom/x.", False),
        ("Versprochen für Freitag.", False),
        ("Am 3. Dezember bestellt.", False),
        ("Bestellt im April, Antwort bis morgen.", True),
        ("E.g. they are angry, z.B. laut.", True),
    ],
)
def test_only_what_it_was_shown_may_stand_in_it(line: str, is_there: bool) -> None:
    assert is_carried(lines_kept([line]), SHOWN, TODAY) is is_there


@given(st.lists(st.text(alphabet="abc 0123456789.,€-:/", max_size=60), min_size=1, max_size=3))
def test_what_stands_in_what_it_was_shown_is_carried(words: list[str]) -> None:
    lines = lines_kept(words)
    assert is_carried(lines, material_of(case(message("\n".join(lines)))), TODAY)


def test_whose_lines_they_are_and_what_came_since_is_said() -> None:
    one = case(
        message("Hi", 1), message("Hello?", 2), message("Yes?", 3, Author.REVIEWER), short=short("Hi.", seen_to=1)
    )
    (part,) = (part for part in parts_of(one) if part.name == "short")
    assert [(line.kind, line.text) for line in part.lines] == [
        ("item", "Hi."),
        ("note", "Written by m-1, from what stands below. It may be wrong. The customer has written 1 more since."),
    ]


def test_where_nothing_came_nothing_is_said_of_it() -> None:
    assert [part.name for part in parts_of(case(message("Hi"), short=short()))] == ["wanted", "why"]
