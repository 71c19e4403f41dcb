"""Find payment card numbers in text and mask them; it knows no other entity and stores nothing.

The time grows with the length of the text and not faster: the digits of a run are summed up once, so that Luhn's test
of any stretch of them is a subtraction.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from itertools import accumulate
from typing import Any, Final

_INVISIBLE = "[\u00ad\u200b-\u200f\u2060\ufeff]{0,4}"
_SEPARATOR = rf"(?:{_INVISIBLE}(?:[ \u00a0]{{1,2}}|[ \u00a0]?[-.\u2010\u2011][ \u00a0]?|[\u2012-\u2014])?{_INVISIBLE})"
_RUN = re.compile(rf"[0-9](?:[0-9]|{_SEPARATOR}[0-9])*+")
_GROUP = re.compile("[0-9]+")
_NO_DIGITS = re.compile("[^0-9]+")
_VALUES: Final = bytes.maketrans(b"0123456789", bytes(range(10)))
_DOUBLED: Final = bytes.maketrans(b"0123456789", bytes((0, 2, 4, 6, 8, 1, 3, 5, 7, 9)))
_LENGTHS = range(13, 20)
_NETWORK_PREFIX = re.compile(r"(?=(4|5[1-5]|2[2-7]|3[47]|3[0689]|35|62|60|6[4-9]|50|5[6-9]|6)).")
_NETWORK_LENGTHS: Final[dict[str, tuple[int, ...]]] = {
    "4": (19, 16, 13), "5": (19, 18, 17, 16, 15, 14, 13), "2": (16,), "6": (19, 18, 17, 16, 15, 14, 13), "3": (16, 15, 14),
}  # fmt: skip
_NETWORKS = re.compile(
    r"4(?:[0-9]{12}|[0-9]{15}|[0-9]{18})|5[1-5][0-9]{14}|2[2-7][0-9]{14}|3[47][0-9]{13}|3[0689][0-9]{12}"
    r"|6(?:011|4[4-9]|5)[0-9]{12,16}|35[0-9]{14}|62[0-9]{14,17}|(?:50|5[6-9]|6)[0-9]{11,17}"
)
_SHORT_LENGTH: Final = 12
_SHORT = re.compile(r"(?:06|50|5[6-9]|6[0-9])[0-9]{10}")
_SAYS_CARD = re.compile(r"\b(?:card|maestro|visa|mastercard|credit|debit)s?\b[^0-9\[\]\n]{0,24}\Z", re.IGNORECASE)
_SAYS_CARD_CHARS: Final = 40

_ZEROS = (0x660, 0x6F0, 0x7C0, 0x966, 0x9E6, 0xA66, 0xAE6, 0xE50, 0xFF10, *range(0x1D7CE, 0x1D800, 10))
_OTHER_DIGIT = re.compile("[" + "".join(f"{chr(zero)}-{chr(zero + 9)}" for zero in _ZEROS) + "]")
_PLAIN_DIGITS = {zero + value: str(value) for zero in _ZEROS for value in range(10)}


def plain_digits(text: str) -> str:
    """Write the digits of other scripts and styles as 0 to 9, one for one, so that offsets stay."""
    return text.translate(_PLAIN_DIGITS) if not text.isascii() and _OTHER_DIGIT.search(text) else text


def card_spans(text: str) -> tuple[tuple[int, int], ...]:
    """List where payment card numbers stand: 13 to 19 digits, with spaces, dots or dashes, that pass Luhn's test.

    In a longer run of digit groups only numbers of a known card network count, from one group's start to another's end.
    Twelve digits count where the words before them speak of a card.
    """
    text = plain_digits(text)
    spans: list[tuple[int, int]] = []
    for run in _RUN.finditer(text):
        if run.end() - run.start() >= _LENGTHS.start and len(_NO_DIGITS.sub("", run[0])) >= _LENGTHS.start:
            spans += _Run(text, run.start(), run.end()).cards()
        elif run.end() - run.start() == _SHORT_LENGTH and _is_short_card(text, run):
            spans.append(run.span())
    return tuple(spans)


def mask_cards(text: str) -> tuple[str, int]:
    """Replace each card number by `[card ending 1234]`; gives the masked text and how many there were. Idempotent."""
    parts: list[str] = []
    position = 0
    spans = card_spans(text)
    for start, end in spans:
        parts += [text[position:start], f"[card ending {digits_of(text[start:end])[-4:]}]"]
        position = end
    return "".join(parts) + text[position:], len(spans)


def mask_all(value: Any) -> Any:
    """Mask the card numbers in every text within a value of JSON; a number that is one becomes a text."""
    match value:
        case str():
            return mask_cards(value)[0]
        case bool():
            return value
        case int():
            text, count = mask_cards(str(value))
            return text if count else value
        case dict():
            return {mask_all(key): mask_all(item) for key, item in value.items()}
        case list():
            return [mask_all(item) for item in value]
        case _:
            return value


def digits_of(text: str) -> str:
    """Keep only the digits, as 0 to 9."""
    return "".join(_GROUP.findall(plain_digits(text)))


def _is_short_card(text: str, run: re.Match[str]) -> bool:
    if not _SHORT.fullmatch(run[0]) or not _SAYS_CARD.search(
        text[max(0, run.start() - _SAYS_CARD_CHARS) : run.start()]
    ):
        return False
    return _Run(text, run.start(), run.end()).passes_luhn(0, _SHORT_LENGTH)


class _Run:
    """One run of digit groups, with the sums that Luhn's test needs."""

    def __init__(self, text: str, start: int, end: int) -> None:
        self.digits = _NO_DIGITS.sub("", text[start:end])
        self.spans = [match.span() for match in _GROUP.finditer(text, start, end)]
        self.starts = [0, *accumulate([stop - begin for begin, stop in self.spans])]  # of each group, in digits
        self._ends = set(self.starts)
        plain = bytearray(self.digits.encode().translate(_VALUES))
        doubled = bytearray(self.digits.encode().translate(_DOUBLED))
        even, odd = bytearray(plain), bytearray(doubled)
        even[1::2], odd[1::2] = doubled[1::2], plain[1::2]
        self._sums = ([0, *accumulate(even)], [0, *accumulate(odd)])

    def passes_luhn(self, start: int, end: int) -> bool:
        """Whether the digits from `start` to `end` do: every second from the right doubled, the sum a multiple of 10."""
        sums = self._sums[(end - 1) % 2]
        return (sums[end] - sums[start]) % 10 == 0

    def cards(self) -> list[tuple[int, int]]:
        """Find the cards; what stands between two cards is looked at by itself as well."""
        cards: list[tuple[int, int]] = []
        done = 0  # digits before this belong to cards
        for candidate in _NETWORK_PREFIX.finditer(self.digits):
            start = candidate.start()
            if start < done or start not in self._ends:
                continue
            end = self._card_end(start, candidate[1][0])
            if end is not None:
                cards += self._whole(done, start)
                cards.append(self._place(start, end))
                done = end
        return cards + self._whole(done, len(self.digits))

    def _card_end(self, start: int, first: str) -> int | None:
        """Say where the longest card that begins at a digit ends, if one does: where a group ends."""
        for length in _NETWORK_LENGTHS[first]:
            end = start + length
            if end in self._ends and self.passes_luhn(start, end) and _NETWORKS.fullmatch(self.digits, start, end):
                return None if self._is_two_numbers(start, end) else end
        return None

    def _is_two_numbers(self, start: int, end: int) -> bool:
        """Whether these are two groups of seven digits, as phone numbers have: no card is written so."""
        return (
            end - start == 14
            and start + 7 in self._ends
            and bisect_right(self.starts, end) - bisect_left(self.starts, start) == 3
        )

    def _whole(self, start: int, end: int) -> list[tuple[int, int]]:
        is_card = end - start in _LENGTHS and self.passes_luhn(start, end) and not self._is_two_numbers(start, end)
        return [self._place(start, end)] if is_card else []

    def _place(self, start: int, end: int) -> tuple[int, int]:
        """Turn digits, which begin and end with groups, into offsets of the text."""
        return self.spans[bisect_left(self.starts, start)][0], self.spans[bisect_left(self.starts, end) - 1][1]
