"""Phone numbers are told from all the other numbers in a text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy.assessment.phones import FOUND_MAX, phone_spans


def found(text: str) -> list[str]:
    return [text[start:end] for start, end in phone_spans(text)]


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("Call +44 20 7946 0958 now", "+44 20 7946 0958"),
        ("reach us at (020) 7946 0958.", "(020) 7946 0958"),
        ("It is 555-123-2002, thanks", "555-123-2002"),
        ("555.123.2002x418", "555.123.2002x418"),
        ("Telephone: 73 448 266", "73 448 266"),
        ("my mobile number is 2813882583", "2813882583"),
        ("9885 1152 (office)", "9885 1152"),
        ("Fax 61 51 81", "61 51 81"),
        ("0049-30-123456", "0049-30-123456"),
        (
            "\uff0b44 ring \uff10\uff12\uff10 \uff17\uff19\uff14\uff16 \uff10\uff19\uff15\uff18",
            "\uff10\uff12\uff10 \uff17\uff19\uff14\uff16 \uff10\uff19\uff15\uff18",
        ),
    ],
)
def test_phone_number_is_found(text: str, number: str) -> None:
    assert found(text) == [number]


@pytest.mark.parametrize(
    "text",
    [
        "order 2813882583 is on its way",
        "item_id 8384507844, Desk Lamp",
        "Order #W3445693, tracking number 907614527588",
        "between 2019-05-20 and 20.05.2024",
        "from 2019-2024",
        "card 4111 1111 1111 1111",
        "your SSN 536-90-4399",
        "host 192.168.10.120",
        "EUR 1.200.000 or 1,200,000.00",
        "12.500.000 \u20ac",
        "version 10.4.22.1809",
        "https://shop.example/0207946095812",
        "12 Harbour Row, 30971 Hannover",
        "call me at 18:30 on 20/05/2024",
    ],
)
def test_other_numbers_are_none(text: str) -> None:
    assert found(text) == []


@given(st.text(alphabet="0123456789 +-().x\n/#", max_size=80))
def test_spans_stand_in_order_inside_the_text(text: str) -> None:
    last = 0
    for start, end in phone_spans(text):
        assert last <= start < end <= len(text)
        last = end


def test_a_list_of_numbers_is_not_listed_whole() -> None:
    assert len(phone_spans("call 555 123 4567, " * 200)) == FOUND_MAX
