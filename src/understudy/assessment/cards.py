"""Find payment card numbers in text and mask them; it knows no other entity and stores nothing."""

from __future__ import annotations

import re

from stdnum import luhn

_SEPARATOR = r"(?:[ \u00a0]{1,2}|[ \u00a0]?[-.\u2010\u2011][ \u00a0]?|[\u2012-\u2014])?"
_RUN = re.compile(rf"[0-9](?:{_SEPARATOR}[0-9])*")
_GROUP = re.compile("[0-9]+")
_LENGTHS = range(13, 20)
_NETWORKS = re.compile(
    r"4(?:[0-9]{12}|[0-9]{15}|[0-9]{18})|5[1-5][0-9]{14}|2[2-7][0-9]{14}|3[47][0-9]{13}|3[0689][0-9]{12}"
    r"|6(?:011|4[4-9]|5)[0-9]{12,16}|35[0-9]{14}|62[0-9]{14,17}|(?:50|5[6-9]|6)[0-9]{11,17}"
)


def card_spans(text: str) -> tuple[tuple[int, int], ...]:
    """List where payment card numbers stand: 13 to 19 digits, with spaces, dots or dashes, that pass Luhn's test.

    In a longer run of digit groups only numbers of a known card network count, from one group's start to another's end.
    """
    return tuple(span for run in _RUN.finditer(text) for span in _cards_in(text, run.start(), run.end()))


def mask_cards(text: str) -> tuple[str, int]:
    """Replace each card number by `[card ending 1234]`; gives the masked text and how many there were. Idempotent."""
    parts: list[str] = []
    position = 0
    spans = card_spans(text)
    for start, end in spans:
        parts += [text[position:start], f"[card ending {digits_of(text[start:end])[-4:]}]"]
        position = end
    return "".join(parts) + text[position:], len(spans)


def digits_of(text: str) -> str:
    """Keep only the digits 0 to 9."""
    return "".join(_GROUP.findall(text))


def _cards_in(text: str, start: int, end: int) -> list[tuple[int, int]]:
    """Find the cards of one run of digit groups; what stands between two cards is looked at by itself as well."""
    if end - start < _LENGTHS.start:
        return []
    groups = [match.span() for match in _GROUP.finditer(text, start, end)]
    cards: list[tuple[int, int]] = []
    first = 0
    for index in range(len(groups)):
        last = _card_from(text, groups, index) if index >= first else None
        if last is not None:
            cards += _whole(text, groups[first:index])
            cards.append((groups[index][0], groups[last][1]))
            first = last + 1
    return cards + _whole(text, groups[first:])


def _card_from(text: str, groups: list[tuple[int, int]], index: int) -> int | None:
    """Say with which group the longest card that begins at group `index` ends, if one does."""
    digits = ""
    best = None
    for last in range(index, min(index + _LENGTHS.stop, len(groups))):
        digits += text[groups[last][0] : groups[last][1]]
        if len(digits) >= _LENGTHS.stop:
            break
        if len(digits) in _LENGTHS and _NETWORKS.fullmatch(digits) and luhn.is_valid(digits):
            best = last
    return best


def _whole(text: str, groups: list[tuple[int, int]]) -> list[tuple[int, int]]:
    if not groups:
        return []
    begin, end = groups[0][0], groups[-1][1]
    digits = digits_of(text[begin:end])
    return [(begin, end)] if len(digits) in _LENGTHS and luhn.is_valid(digits) else []
