"""Find phone numbers in text by their form and by the words around them; whose number it is it does not know.

What looks like a phone number in any country is found: whether a number is in use cannot be told offline, and people
write numbers that no plan of their country has. What may as well be a date, an amount, a card or an order number counts
only where the words beside it speak of a phone. The words are English and of neighbouring languages.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from typing import Final

from understudy.assessment.cards import card_spans, plain_digits

_GAP = "[ \u00a0\u2009\u202f]{0,2}"
_SEPARATOR = rf"(?:{_GAP}[-.\u2010-\u2013/()]{{0,2}}{_GAP})"
_CANDIDATE = re.compile(rf"(?<![\w+])(?:\+{_GAP})?\(?[0-9](?:[0-9]|{_SEPARATOR}[0-9])*+")
_GROUPS = re.compile("[0-9]+")
_EXTENSION = re.compile(r"[ ,]{0,2}(?:x|ext\.?|extension|#)[ ]?[0-9]{1,6}(?![0-9])", re.IGNORECASE)

FOUND_MAX: Final = 50
"""No more phone numbers of one text are listed; the first few say enough."""
LOOKED_AT_MAX: Final = 500
"""After so many rows of digits in one text, whatever could be a phone number counts as one."""

_DIGITS_MIN: Final = 6
_DIGITS_MAX: Final = 15
_WORDS_CHARS: Final = 48

_PHONE_WORD = (
    r"(?:tele)?(?:phones?|fon|fono)|tel|fax|mobile|cell(?:ular|phone)?|landline|handset|whats ?app|sms|hot-?line|"
    r"help-?line|handy|portable|m[oó]vil|direct line|extension"
)
_PHONE_DEED = (
    r"call(?:ed|ing|s)?|call back|ring|dial|phone[ds]?|phoning|text(?:ed)?|messages? (?:to|from|at|on)|reach(?:ed)?|"
    r"answering|pick(?:ing)? up|contact(?: (?:number|no\.?|details?))?|(?:registered|my|our|your|his|her|their|new|old) "
    r"(?:number|no\.?)"
)
_BEFORE = re.compile(
    rf"\b(?:{_PHONE_WORD}|{_PHONE_DEED})\b[\w '\u2019/]{{0,24}}[:.\-#()\[\]*\"' \n]{{0,6}}\Z", re.IGNORECASE
)
_LABEL = re.compile(r"\b(?:desk|office|home|work)[:.]? ?\Z", re.IGNORECASE)
_AFTER = re.compile(rf"[ \-(\[]{{0,3}}(?:{_PHONE_WORD}|desk|office|home|work)\b", re.IGNORECASE)
_OTHER_THING = re.compile(
    r"(?:\b(?:orders?|ref(?:erence)?|invoice|account|card|iban|ticket|case|booking|reservation|tracking|parcel|item|sku|"
    r"serial|model|product|policy|customer|member(?:ship)?|user|passport|licen[cs]e|ssn|social security(?: number)?|tax|"
    r"routing|sort code|zip|postcode|isbn|version|order number|id|ip)(?: (?:number|no\.?|code|id|is|was|#))*"
    r"|[#$\u20ac\u00a3\u00a5])[ :#.]{0,3}\Z",
    re.IGNORECASE,
)
_AMOUNT_AFTER = re.compile(r"\s?(?:%|[$\u20ac\u00a3]|usd|eur|gbp|dollars?|euros?|pounds?|kg|km|mb|gb)", re.IGNORECASE)

_DATE = re.compile(
    r"(?:[12][0-9]{3}([-./])[01]?[0-9]\1[0-3]?[0-9]|[0-3]?[0-9]([-./])[01]?[0-9]\2(?:[12][0-9])?[0-9]{2}"
    r"|[01]?[0-9]([-./])[0-3]?[0-9]\3(?:[12][0-9])?[0-9]{2})(?:[ T-]{0,2}[0-9]{1,2})?"
)
_YEARS = re.compile(r"(?:19|20)[0-9]{2}(?:[-\u2013/ ]{1,3}(?:19|20)?[0-9]{2}){1,3}")
_NATIONAL_ID = re.compile(r"[0-9]{3}[- ][0-9]{2}[- ][0-9]{4}")
_DOTTED_QUAD = re.compile(r"[0-9]{1,3}(?:\.[0-9]{1,3}){3}")
_THOUSANDS = re.compile(r"[1-9][0-9]{0,2}(?:([ .\u00a0])[0-9]{3})(?:\1[0-9]{3})*")
_NORTH_AMERICAN = re.compile(
    rf"(?:(?:\+?1|001){_SEPARATOR})?(?:\([0-9]{{3}}\){_GAP}|[0-9]{{3}}[-. /])[0-9]{{3}}[-. ]?[0-9]{{4}}"
)
_AREA_CODE = re.compile(rf"(?:\+[0-9]{{1,3}}{_GAP})?\([0-9]{{1,5}}\){_GAP}[0-9][0-9 \-./]{{4,12}}")


def phone_spans(text: str) -> tuple[tuple[int, int], ...]:
    """List where phone numbers stand, with `+`, country, area code and extension, in order and without overlap."""
    plain = plain_digits(text)
    found: list[tuple[int, int]] = []
    cards: tuple[tuple[int, int], ...] | None = None
    looked_at = 0
    for match in _CANDIDATE.finditer(plain):
        if not _could_be_one(plain, match):
            continue
        looked_at += 1
        cards = card_spans(plain) if cards is None else cards
        start, end = match.span()
        if looked_at <= LOOKED_AT_MAX and (_overlaps(cards, start, end) or not _is_one(plain, start, end)):
            continue
        extension = _EXTENSION.match(plain, end)
        found.append((start, extension.end() if extension else end))
        if len(found) == FOUND_MAX:
            break
    return tuple(found)


def _overlaps(spans: tuple[tuple[int, int], ...], start: int, end: int) -> bool:
    """Whether one of the spans, which stand in order, shares a character with `start` to `end`."""
    before_end = bisect_left(spans, (end, end))
    return before_end > 0 and spans[before_end - 1][1] > start


def _could_be_one(text: str, match: re.Match[str]) -> bool:
    """Whether the number of digits is that of a phone number, and nothing is glued to it."""
    if match.end() - match.start() > 3 * _DIGITS_MAX:
        return False
    digits = sum(len(group) for group in _GROUPS.findall(match[0]))
    after = text[match.end() : match.end() + 2]
    is_glued = after[:1] == "_" or (after[:1].isalpha() and not _EXTENSION.match(text, match.end()))
    is_decimal = after[:1] in (",", "'", ":") and after[1:].isdigit()
    return _DIGITS_MIN <= digits <= _DIGITS_MAX and not (is_glued or is_decimal)


def _is_one(text: str, start: int, end: int) -> bool:
    written = text[start:end]
    before = text[max(0, start - _WORDS_CHARS) : start]
    if _OTHER_THING.search(before) or before[-1:] in ("/", "=", "@", "&", "\\", "_"):
        return False
    groups = _GROUPS.findall(written)
    digits = sum(len(group) for group in groups)
    if _is_other_form(written) or _AMOUNT_AFTER.match(text, end):
        return False
    if written.startswith("+"):
        return digits >= 8
    if _NORTH_AMERICAN.fullmatch(written):
        return True
    if _BEFORE.search(before) or _LABEL.search(before) or _AFTER.match(text, end):
        return digits >= 7 or len(groups) > 1
    is_dialled = written.startswith("0") and not written.startswith("000") and 9 <= digits <= 14
    is_grouped = 2 <= len(groups) <= 6 and min(len(group) for group in groups[1:]) >= 2
    return (is_grouped and is_dialled) or (digits >= 7 and _AREA_CODE.fullmatch(written) is not None)


def _is_other_form(written: str) -> bool:
    """Whether it has the form of a date, a range of years, a social security number, an address on the net or a sum."""
    forms = (_DATE, _YEARS, _NATIONAL_ID, _DOTTED_QUAD)
    if any(form.fullmatch(written) for form in forms):
        return True
    return "." in written and _THOUSANDS.fullmatch(written) is not None
