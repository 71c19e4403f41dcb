"""Account numbers and the numbers states give people are found by form and check digits, not by length."""

from __future__ import annotations

import pytest

from understudy.assessment.national_ids import NATIONAL_IDS, iban_spans, national_id_spans


def ids(text: str) -> list[str]:
    return [text[start:end] for start, end in national_id_spans(text)]


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("It is 536-90-4399", "536-90-4399"),
        ("social security number 536904399", "536904399"),
        ("NI number QQ123456C is no one's, AB123456C is", "AB123456C"),
        ("NHS number 943 476 5919", "943 476 5919"),
        ("DNI 54362315K", "54362315K"),
        ("BSN: 111222333", "111222333"),
        ("Steuer-ID 36 574 261 809", "36 574 261 809"),
        ("CPF 390.533.447-05", "390.533.447-05"),
        ("AHV 756.9217.0769.85", "756.9217.0769.85"),
    ],
)
def test_national_id_is_found(text: str, number: str) -> None:
    assert ids(text) == [number]


@pytest.mark.parametrize(
    "text",
    [
        "000-12-3456",
        "order 536904399",
        "111222333",
        "943 476 5919",
        "54362315A",
        "since 2019, 12 345 678 sold",
        "555-123-2002",
    ],
)
def test_number_of_another_kind_or_with_wrong_check_digits_is_none(text: str) -> None:
    assert ids(text) == []


@pytest.mark.parametrize(
    "text", ["GB82WEST12345698765432", "gb82 west 1234 5698 7654 32", "GB82-WEST-1234-5698-7654-32"]
)
def test_iban_is_found_however_it_is_grouped(text: str) -> None:
    assert [(0, len(text))] == list(iban_spans(text))


def test_words_after_an_iban_are_no_part_of_it() -> None:
    text = "Pay to DE89 3704 0044 0532 0130 00 by Friday please"
    assert [text[start:end] for start, end in iban_spans(text)] == ["DE89 3704 0044 0532 0130 00"]


@pytest.mark.parametrize("text", ["GB82WEST12345698765433", "order AB12CDEF34567890", "XX00"])
def test_wrong_check_digits_are_no_iban(text: str) -> None:
    assert iban_spans(text) == ()


def test_every_kind_names_its_country() -> None:
    assert all(kind.name[:3].endswith("_") for kind in NATIONAL_IDS)
    assert len({kind.name[:2] for kind in NATIONAL_IDS}) == 20
