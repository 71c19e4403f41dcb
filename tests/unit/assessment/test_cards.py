"""Card numbers are masked wherever they are written out, once and for all, and nothing else is touched."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum import luhn

from understudy.assessment.cards import card_spans, mask_cards


@st.composite
def cards(draw: st.DrawFn) -> str:
    payload = draw(st.text(alphabet="0123456789", min_size=12, max_size=18))
    return payload + luhn.calc_check_digit(payload)


@st.composite
def written_cards(draw: st.DrawFn) -> str:
    """A card as people write it: in one piece, or in groups with one kind of separator."""
    digits, size, separator = (
        draw(cards()),
        draw(st.integers(3, 6)),
        draw(st.sampled_from(["", " ", "-", ".", "\u00a0"])),
    )
    return separator.join(digits[start : start + size] for start in range(0, len(digits), size))


@pytest.mark.parametrize(
    "card",
    [
        "4111111111111111",
        "4111 1111 1111 1111",
        "4111-1111-1111-1111",
        "3782 822463 10005",
        "4111 - 1111 - 1111 - 1111",
    ],
)
def test_card_is_replaced_by_its_last_four_digits(card: str) -> None:
    masked, count = mask_cards(f"My card is {card}, thanks")
    assert (masked, count) == (f"My card is [card ending {card[-4:]}], thanks", 1)


def test_card_beside_its_expiry_and_code_is_found() -> None:
    assert mask_cards("4111 1111 1111 1111 12 27 123")[0].startswith("[card ending 1111]")


def test_card_behind_another_number_is_found() -> None:
    assert mask_cards("order 12345 4111 1111 1111 1111")[0] == "order 12345 [card ending 1111]"


def test_several_cards_are_all_masked() -> None:
    assert mask_cards("4111111111111111 and 5500 0000 0000 0004")[1] == 2


@pytest.mark.parametrize(
    "text",
    ["4111 1111 1111 1112", "call +44 20 7946 0958", "2026-05-15T15:00:00", "item 5758737025 – 500 ml", "123456789012"],
)
def test_other_numbers_stay(text: str) -> None:
    assert mask_cards(text) == (text, 0)


@given(written_cards(), st.text(alphabet="abc ,:\n", max_size=10), st.text(alphabet="abc ,:\n", max_size=10))
def test_no_valid_card_survives_masking(card: str, before: str, after: str) -> None:
    masked, count = mask_cards(f"{before}x {card} x{after}")
    assert count == 1
    assert card not in masked


@given(st.text(alphabet="0123456789 -.x[]", max_size=120))
def test_masking_twice_is_masking_once(text: str) -> None:
    masked, _ = mask_cards(text)
    assert mask_cards(masked) == (masked, 0)


@given(st.text(alphabet="45 -.x\n", max_size=120))
def test_spans_stand_in_order_without_overlap(text: str) -> None:
    ends = [0]
    for start, end in card_spans(text):
        assert ends[-1] <= start < end <= len(text)
        ends.append(end)


@pytest.mark.parametrize("text", ["6011111 1111110", "5601234-7654327", "call 3600000 0000008 or 3600000 0000008"])
def test_two_numbers_of_seven_digits_beside_each_other_are_no_card(text: str) -> None:
    assert mask_cards(text) == (text, 0)


@pytest.mark.parametrize("text", ["3056 930902 5904", "30569309025904", "41111111 11111111"])
def test_cards_in_other_groups_are_still_cards(text: str) -> None:
    assert mask_cards(text)[1] == 1
