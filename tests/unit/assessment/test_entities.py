"""Entities are found where they stand and read as what they mean."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy.assessment.entities import EntityKind, decimal_readings, entities, find_emails


@pytest.mark.parametrize(
    ("text", "kind", "reading"),
    [
        ("It is $1,200.00 in all", "money", "1200 USD"),
        ("Es kostet 1.200,50 €", "money", "1200.5 EUR"),
        ("about 30 dollars", "money", "30 USD"),
        ("USD 20 off", "money", "20 USD"),
        ("worth $3 million", "money", "3000000 USD"),
        ("12.5 % more", "percentage", "12.5"),
        ("ten percent is 10 percent", "percentage", "10"),
        ("on 2024-05-17", "date", "2024-05-17"),
        ("on May 17th, 2024", "date", "2024-05-17"),
        ("on 17 May", "date", "--05-17"),
        ("on May\u202f17", "date", "--05-17"),
        ("on 17.05.2024", "date", "2024-05-17"),
        ("in May 2024", "date", "2024-05"),
        ("at 6:30 pm", "time", "18:30"),
        ("at 12am", "time", "00:00"),
        ("two weeks", "duration", "20160 minute"),
        ("14 days", "duration", "20160 minute"),
        ("a 24\u2011hour window", "duration", "1440 minute"),
        ("2 years", "duration", "24 month"),
        ("5 business days", "duration", "5 business day"),
        ("mail a.b+c@Shop.Example now", "email", "a.b+c@shop.example"),
        ("see https://www.shop.example/Help/.", "link", "shop.example/help"),
        ("see shop.example/help", "link", "shop.example/help"),
        ("call +1 (415) 555-2671", "phone", "+14155552671"),
        ("call 020 7946 0958", "phone", "+442079460958"),
        ("order #W3445693", "identifier", "W3445693"),
        ("flight HAT097", "identifier", "HAT097"),
        ("a 128GB phone", "number", "128"),
        ("3,5 kg", "number", "3.5"),
    ],
)
def test_entity_is_read_as_what_it_means(text: str, kind: str, reading: str) -> None:
    assert [(entity.kind, entity.readings[0]) for entity in entities(text)][-1] == (kind, reading)


@pytest.mark.parametrize("text", ["1st place", "one day you will", "option 1 may lead to more", "it is 24x7"])
def test_what_only_looks_like_a_date_or_length_of_time_is_none(text: str) -> None:
    assert {entity.kind for entity in entities(text)} <= {EntityKind.NUMBER}


def test_both_ends_of_a_range_are_found() -> None:
    readings = [entity.readings[0] for entity in entities("within 5 to 7 business days")]
    assert readings == ["5 business day", "7 business day"]


def test_ambiguous_date_has_both_readings() -> None:
    assert entities("05/06/2024")[0].readings == ("2024-05-06", "2024-06-05")


def test_number_with_one_separator_and_three_digits_has_both_readings() -> None:
    assert decimal_readings("1,200") == ("1200", "1.2")


def test_time_behind_the_t_of_a_timestamp_is_found() -> None:
    assert [entity.readings[0] for entity in entities("2024-05-17T10:30:00")] == ["2024-05-17", "10:30"]


def test_address_behind_a_masked_one_is_no_address() -> None:
    assert find_emails("y****.**7301@mail.example") == ()


@given(st.text(alphabet="0123456789 .,:-/#$%@abMay€", max_size=80))
def test_entities_stand_in_order_without_overlap_and_where_they_say(text: str) -> None:
    position = 0
    for entity in entities(text):
        assert position <= entity.span.start < entity.span.end <= len(text)
        assert text[entity.span.start : entity.span.end] == entity.text
        assert entity.readings
        position = entity.span.end


@given(st.decimals(min_value=0, max_value=10**9, places=2))
def test_amount_is_read_alike_however_it_is_written(amount: object) -> None:
    assert decimal_readings(f"{amount:,}")[0] == decimal_readings(str(amount))[0]


@pytest.mark.parametrize(
    "unit",
    [
        "1",
        "a",
        "a@",
        "a.",
        "www",
        "http://",
        "a1",
        "_1-",
        "May 17, 2024 ",
        "$1,200.00 ",
        " ",
        "1.",
        "1,",
        "-",
        "#",
        ".com",
    ],
)
def test_long_hostile_text_is_read_to_its_end(unit: str) -> None:
    """A pattern that tries every way to split these would not come back."""
    text = unit * (100_000 // len(unit))
    assert all(text[entity.span.start : entity.span.end] == entity.text for entity in entities(text))
