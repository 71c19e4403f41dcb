"""Recognise numbers, amounts, dates, addresses and the like in text; it judges nothing.

An entity may have several readings ("05/06/2024", "1.200"); two entities agree when they share one. Most entities
begin with a digit, so the text is searched for digits and each pattern is tried only there; every pattern is
bounded, so the time grows with the length of the text and not faster. Words and formats are English and European.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from itertools import islice

import phonenumbers

from understudy.assessment.cards import card_spans, digits_of, mask_cards
from understudy.records.assessment import Span

__all__ = ["COUNT_WORDS", "Entity", "EntityKind", "decimal_readings", "entities", "find_emails", "mask_cards"]


class EntityKind(StrEnum):
    """What an entity is."""

    EMAIL = "email"
    LINK = "link"
    CARD = "card"
    DATE = "date"
    TIME = "time"
    MONEY = "money"
    PERCENTAGE = "percentage"
    DURATION = "duration"
    PHONE = "phone"
    IDENTIFIER = "identifier"
    NUMBER = "number"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entity:
    """An entity and where it stands. `readings` are its normalised values, the likeliest first:

    number and percentage "12.5" · money "1200 USD" · duration "20160 minute", "5 business day" or "24 month" ·
    date "2024-05-17", "--05-17" without a year, "2024-05" for a month · time "18:30" · e-mail and link in lower
    case, a link without scheme, `www.` and closing slash · card and phone their digits, a phone with and without
    its country · identifier in upper case without "#".
    """

    kind: EntityKind
    span: Span
    text: str
    readings: tuple[str, ...]


_PLAIN = str.maketrans("\u202f\u2007\u2009\u2010\u2011\u2019", "\u00a0\u00a0\u00a0--'")
_ODD = re.compile("[\u202f\u2007\u2009\u2010\u2011]")
"""Rare spaces, hyphens and quotes become the usual ones, one for one, so that offsets stay."""

_URL_REST = r"[^\s<>\"'`)\]}|\\]"
_TLD = "com|org|net|io|co|eu|de|fr|es|it|nl|ch|at|uk|ie|app|dev|shop|store|info|biz|ai|ca|au|gov|edu|example"
_EMAIL = re.compile(r"(?<![\w.+%*-])[\w.+%-]{1,64}@(?:[\w-]{1,63}\.){1,6}[A-Za-z]{2,24}")
_URL = re.compile(rf"(?:https?://|www\.){_URL_REST}{{1,2000}}", re.IGNORECASE)
_DOMAIN = re.compile(
    rf"(?<![\w@./-])(?:[a-z0-9-]{{1,63}}\.){{1,4}}(?:{_TLD})(?![\w-])(?:/{_URL_REST}{{0,2000}})?", re.IGNORECASE
)
_HAS_TLD = re.compile(rf"\.(?:{_TLD})\b", re.IGNORECASE)

_DIGIT = re.compile(r"[0-9]")
_NUM = r"(?:[0-9]{1,3}(?:[,.'\u00a0][0-9]{3}){1,6}(?:[.,][0-9]{1,2})?(?![0-9])|[0-9]{1,40}(?:[.,][0-9]{1,12})?)"
_NUMBER = re.compile(_NUM)
_DOTTED = re.compile(r"[0-9]{1,5}(?:\.[0-9]{1,5}){2,6}")
_ORDINAL = re.compile(r"[0-9]{1,3}(?:st|nd|rd|th)\b", re.IGNORECASE)
_UNIT = re.compile(r"(?:[A-Za-z]{1,3}|mins?|secs?|inch|Mbps|Gbps)\b")
_TOKEN_REST = re.compile(r"[A-Za-z0-9_]{1,64}(?:-[A-Za-z0-9_]{1,32}){0,6}")

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH = (
    r"(Jan(?:uary)?|Feb(?:ruary)?|Mar(?:ch)?|Apr(?:il)?|May|June?|July?|Aug(?:ust)?|Sept?(?:ember)?|Oct(?:ober)?"
    r"|Nov(?:ember)?|Dec(?:ember)?)\b\.?"
)
_S = "[ \u00a0]"
_YEAR = r"((?:19|20)[0-9]{2})(?![0-9])"
_ISO_DATE = re.compile(r"([0-9]{4})([-/.])([0-9]{1,2})\2([0-9]{1,2})(?![0-9])")
_SLASH_DATE = re.compile(r"([0-9]{1,2})([/.-])([0-9]{1,2})\2([0-9]{4}|[0-9]{2})(?![0-9])")
_DAY_MONTH = re.compile(
    rf"([0-9]{{1,2}})(?:st|nd|rd|th)?(?:{_S}of)?(?:{_S}|-){{1,2}}{_MONTH}(?:,?{_S}{_YEAR})?", re.IGNORECASE
)
_MONTH_BEFORE = re.compile(rf"\b{_MONTH},?{_S}{{1,2}}\Z", re.IGNORECASE)
_DAY_REST = re.compile(rf"([0-9]{{1,2}})(?:st|nd|rd|th)?(?![0-9:])(?:,?{_S}{{1,2}}{_YEAR})?")
_YEAR_REST = re.compile(_YEAR)
_CLOCK = re.compile(r"([0-2]?[0-9])(?::([0-5][0-9])(?::[0-5][0-9])?(?![0-9]))?(?:\s?([ap])\.?m\b\.?)?", re.IGNORECASE)

_CURRENCIES = "USD|EUR|GBP|CHF|JPY|INR|CAD|AUD|NZD|SEK|NOK|DKK|PLN|CZK|HUF|BRL|MXN|CNY|SGD|HKD|ZAR|TRY|AED"
_SYMBOLS = {"$": "USD", "€": "EUR", "£": "GBP", "¥": "JPY", "₹": "INR"}
_CURRENCY_WORDS = {"dollar": "USD", "buck": "USD", "euro": "EUR", "pound": "GBP", "rupee": "INR", "franc": "CHF"}
_CURRENCY_BEFORE = re.compile(rf"([$€£¥₹]|\b(?:{_CURRENCIES}))\s?-?\Z")
_CURRENCY_AFTER = re.compile(rf"\s?([€£]|(?:{_CURRENCIES}|{'|'.join(_CURRENCY_WORDS)})s?\b)", re.IGNORECASE)
_SCALES = {"k": 10**3, "thousand": 10**3, "m": 10**6, "million": 10**6, "bn": 10**9, "billion": 10**9}
_SCALE = re.compile(rf"[ \u00a0]?({'|'.join(_SCALES)})\b", re.IGNORECASE)
_PERCENT = re.compile(r"\s?(?:%|percent\b|per cent\b|percentage point)", re.IGNORECASE)

_UNITS = r"(business |working |week)?(minute|hour|day|week|month|year|min|hr|yr)s?\b"
_DURATION = re.compile(rf"[ \u00a0-]?{_UNITS}", re.IGNORECASE)
_RANGE = re.compile(
    rf"(?:{_S}?[-\u2013\u2014]{_S}?|{_S}(?:to|or|and){_S})([0-9]{{1,4}})[ \u00a0-]?{_UNITS}", re.IGNORECASE
)
_MINUTES = {"minute": 1, "min": 1, "hour": 60, "hr": 60, "day": 1440, "week": 10080}
_MONTHS_IN = {"month": 1, "year": 12, "yr": 12}
COUNT_WORDS = {
    "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10,
    "eleven": 11, "twelve": 12, "thirteen": 13, "fourteen": 14, "fifteen": 15, "twenty": 20, "thirty": 30,
    "forty-five": 45, "sixty": 60, "ninety": 90,
}  # fmt: skip
_WORD_DURATION = re.compile(rf"\b({'|'.join(COUNT_WORDS)})[ -]{_UNITS}", re.IGNORECASE)

_PHONE = re.compile(r"\+?\(?[0-9](?:[ ().\-/\u00a0]{0,2}[0-9]){6,14}(?![0-9])")

_Found = tuple[EntityKind, int, int, tuple[str, ...]]


def entities(text: str, *, limit: int | None = None) -> tuple[Entity, ...]:
    """List the entities of a text in order, the first `limit` of them; they do not overlap."""
    return tuple(islice(_entities(text), limit))


def _entities(text: str) -> Iterator[Entity]:
    written, text = text, text.replace("\u2019", "'")
    if not text.isascii() and _ODD.search(text):
        text = text.translate(_PLAIN)
    claimed = sorted(_addresses_and_cards(text), key=lambda found: found[1])
    position = 0
    for found in claimed:
        if found[1] >= position:
            yield from (_entity(written, one) for one in _number_led(text, position, found[1]))
            yield _entity(written, found)
            position = found[2]
    yield from (_entity(written, one) for one in _number_led(text, position, len(text)))


def _entity(text: str, found: _Found) -> Entity:
    kind, start, end, readings = found
    return Entity(kind=kind, span=Span(start=start, end=end), text=text[start:end], readings=readings)


def find_emails(text: str) -> tuple[Entity, ...]:
    """List only the e-mail addresses of a text, in order."""
    return tuple(
        Entity(kind=EntityKind.EMAIL, span=Span(start=start, end=end), text=text[start:end], readings=readings)
        for _, start, end, readings in _emails(text)
    )


def decimal_readings(text: str) -> tuple[str, ...]:
    """Read a number in the English and the continental way, as canonical decimals: "1,200" is 1200 or 1.2."""
    bare = text.replace("\u00a0", "").replace("'", "")
    commas, dots = bare.count(","), bare.count(".")
    if commas and dots:
        decimal_mark = "," if bare.rfind(",") > bare.rfind(".") else "."
        candidates = [bare.replace("." if decimal_mark == "," else ",", "").replace(",", ".")]
    elif commas + dots == 1 and len(bare) - max(bare.rfind(","), bare.rfind(".")) == 4:
        joined, split = bare.replace(",", "").replace(".", ""), bare.replace(",", ".")
        candidates = [joined, split] if commas else [split, joined]
    elif commas + dots > 1:
        candidates = [bare.replace(",", "").replace(".", "")]
    else:
        candidates = [bare.replace(",", ".")]
    return tuple(_canonical(Decimal(candidate)) for candidate in candidates)


def _canonical(value: Decimal) -> str:
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") or "0" if "." in text else text


# --- addresses ---


def _addresses_and_cards(text: str) -> Iterator[_Found]:
    yield from _emails(text)
    yield from _links(text)
    for start, end in card_spans(text):
        yield EntityKind.CARD, start, end, (digits_of(text[start:end]),)
    for match in _WORD_DURATION.finditer(text):
        readings = _duration(str(COUNT_WORDS[match[1].lower()]), match[2], match[3])
        if readings != ("1440 minute",):
            yield EntityKind.DURATION, match.start(), match.end(), readings


def _emails(text: str) -> Iterator[_Found]:
    if "@" in text:
        for match in _EMAIL.finditer(text):
            yield EntityKind.EMAIL, match.start(), match.end(), (match[0].lower(),)


def _links(text: str) -> Iterator[_Found]:
    patterns = []
    if "://" in text or "www." in text.lower():
        patterns.append(_URL)
    if _HAS_TLD.search(text):
        patterns.append(_DOMAIN)
    for pattern in patterns:
        for match in pattern.finditer(text):
            link = match[0].rstrip(".,;:!?*_&")
            yield EntityKind.LINK, match.start(), match.start() + len(link), (_bare_link(link),)


def _bare_link(link: str) -> str:
    bare = link.lower()
    for prefix in ("https://", "http://", "www."):
        bare = bare.removeprefix(prefix)
    return bare.rstrip("/")


# --- what begins with a digit ---


def _number_led(text: str, start: int, end: int) -> Iterator[_Found]:
    floor = position = start
    while (digit := _DIGIT.search(text, position, end)) is not None:
        found, position = _at_digit(text, digit.start(), end, floor)
        yield from found
        floor = position


def _at_digit(text: str, at: int, end: int, floor: int) -> tuple[list[_Found], int]:
    """Recognise what stands at a digit; nothing may reach back over `floor`. Gives where to search on."""
    before = text[max(floor, at - 12) : at]
    inside_word = before[-1:].isalnum() or before[-1:] == "_"
    if inside_word and not (before[-1] == "T" and text[at - 2 : at - 1].isdigit()):
        return _identifier(text, at, end, floor)
    found = _date(text, at, end, before) or _time(text, at, end)
    if found is None:
        return _quantity(text, at, end, floor, before)
    return [found], found[2]


def _date(text: str, at: int, end: int, before: str) -> _Found | None:
    if match := _ISO_DATE.match(text, at, end):
        readings = _day_readings(match[1], int(match[3]), int(match[4]))
    elif match := _SLASH_DATE.match(text, at, end):
        first, second = int(match[1]), int(match[3])
        year = match[4] if len(match[4]) == 4 else f"20{match[4]}"
        months_first = _day_readings(year, first, second) if match[2] != "." else ()
        readings = tuple(dict.fromkeys((*months_first, *_day_readings(year, second, first))))
    elif (match := _DAY_MONTH.match(text, at, end)) and not _is_verb(match, text):
        readings = _day_readings(match[3], _month(match[2]), int(match[1]))
    elif month := _MONTH_BEFORE.search(before):
        begin = at - (len(before) - month.start())
        if match := _YEAR_REST.match(text, at, end):
            return EntityKind.DATE, begin, match.end(), (f"{match[1]}-{_month(month[1]):02d}",)
        if match := _DAY_REST.match(text, at, end):
            readings = _day_readings(match[2], _month(month[1]), int(match[1]))
            return (EntityKind.DATE, begin, match.end(), readings) if readings else None
        return None
    else:
        return None
    return (EntityKind.DATE, at, match.end(), readings) if readings else None


def _day_readings(year: str | None, month: int, day: int) -> tuple[str, ...]:
    if not (1 <= month <= 12 and 1 <= day <= 31):
        return ()
    return (f"{year or '-'}-{month:02d}-{day:02d}",)


def _is_verb(match: re.Match[str], text: str) -> bool:
    """Whether the "may" of "option 1 may lead to" was taken for the month."""
    return match[0].endswith("may") and text[match.end() : match.end() + 2].strip().islower()


def _month(name: str) -> int:
    return _MONTHS.index(name[:3].lower()) + 1


def _time(text: str, at: int, end: int) -> _Found | None:
    match = _CLOCK.match(text, at, end)
    if match is None or (match[2] is None and match[3] is None):
        return None
    hour, minute, half = int(match[1]), match[2] or "00", (match[3] or "").lower()
    if hour > 24 or (half and hour > 12):
        return None
    if half:
        hours = [hour % 12 + (12 if half == "p" else 0)]
    else:
        hours = [hour % 24] + ([hour + 12] if 1 <= hour < 12 else [])
    return EntityKind.TIME, at, match.end(), tuple(f"{hour:02d}:{minute}" for hour in hours)


def _quantity(text: str, at: int, end: int, floor: int, before: str) -> tuple[list[_Found], int]:
    """Recognise an amount, a percentage, a duration, a phone number or, failing these, a number or identifier."""
    if match := (_ORDINAL.match(text, at, end) or _DOTTED.match(text, at, end)):
        return ([], match.end()) if match.re is _ORDINAL else ([_as_identifier(text, at, match.end())], match.end())
    match = _NUMBER.match(text, at, end)
    assert match is not None
    after = match.end()
    if found := _money(text, match, end, before):
        return [found], found[2]
    readings = decimal_readings(match[0])
    if percent := _PERCENT.match(text, after, end):
        return [(EntityKind.PERCENTAGE, at, percent.end(), readings)], percent.end()
    if unit := _DURATION.match(text, after, end):
        return [(EntityKind.DURATION, at, unit.end(), _duration(readings[0], unit[1], unit[2]))], unit.end()
    if span := _RANGE.match(text, after, end):
        low = (EntityKind.DURATION, at, after, _duration(readings[0], span[2], span[3]))
        return [low, (EntityKind.DURATION, span.start(1), span.end(), _duration(span[1], span[2], span[3]))], span.end()
    if found := _phone(text, at, end, floor):
        return [found], found[2]
    unit_end = unit.end() if (unit := _UNIT.match(text, after, end)) else after
    if unit_end == after and (
        text[after : after + 1].isalpha() or text[after : after + 1] == "_" or before[-1:] == "#"
    ):
        return _identifier(text, at, end, floor)
    return [(EntityKind.NUMBER, at, unit_end, readings)], unit_end


def _money(text: str, number: re.Match[str], end: int, before: str) -> _Found | None:
    scale = _SCALE.match(text, number.end(), end)
    amount_end = scale.end() if scale else number.end()
    begin = number.start()
    if symbol := _CURRENCY_BEFORE.search(before):
        currency = _SYMBOLS.get(symbol[1], symbol[1])
        begin -= len(before) - symbol.start()
    elif word := _CURRENCY_AFTER.match(text, amount_end, end):
        name = word[1].lower()
        singular = name.removesuffix("s")
        currency = _SYMBOLS.get(name) or _CURRENCY_WORDS.get(singular) or (name if len(name) == 3 else singular).upper()
        amount_end = word.end()
    else:
        return None
    factor = _SCALES[scale[1].lower()] if scale else 1
    amounts = tuple(_canonical(Decimal(reading) * factor) for reading in decimal_readings(number[0]))
    return EntityKind.MONEY, begin, amount_end, tuple(f"{amount} {currency}" for amount in amounts)


def _duration(count: str, qualifier: str | None, unit: str) -> tuple[str, ...]:
    unit = unit.lower()
    if qualifier:
        return (f"{count} business {unit}",)
    if unit in _MINUTES:
        return (f"{_canonical(Decimal(count) * _MINUTES[unit])} minute",)
    return (f"{_canonical(Decimal(count) * _MONTHS_IN[unit])} month",)


def _phone(text: str, at: int, end: int, floor: int) -> _Found | None:
    begin = at
    while begin > floor and text[begin - 1] in "+(":
        begin -= 1
    match = _PHONE.match(text, begin, end)
    if match is None or _NUMBER.fullmatch(match[0]):
        return None
    is_international = match[0].startswith("+")
    digits = digits_of(match[0])
    if not (is_international or len(digits) == 10 or (len(digits) == 11 and digits[0] in "01")):
        return None
    try:
        parsed = phonenumbers.parse(match[0], None if is_international else "GB" if digits[0] == "0" else "US")
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_possible_number(parsed):
        return None
    readings = (f"+{parsed.country_code}{parsed.national_number}", digits, str(parsed.national_number))
    return EntityKind.PHONE, begin, match.end(), tuple(dict.fromkeys(readings))


def _identifier(text: str, at: int, end: int, floor: int) -> tuple[list[_Found], int]:
    """Widen a digit inside a word to the whole word; it is an identifier if it looks like one, else it is skipped."""
    begin = at
    while begin > max(floor, at - 64) and (text[begin - 1].isalnum() or text[begin - 1] in "_#-"):
        begin -= 1
    begin += len(text[begin:at]) - len(text[begin:at].lstrip("-"))
    rest = _TOKEN_REST.match(text, at, end)
    assert rest is not None
    word = text[begin : rest.end()]
    digits = sum(character.isdigit() for character in word)
    looks_like_one = "#" in word or "_" in word or any(character.isupper() for character in word) or digits >= 4
    if len(word) < 5 or digits * 6 < len(word) or not looks_like_one:
        return [], rest.end()
    return [_as_identifier(text, begin, rest.end())], rest.end()


def _as_identifier(text: str, start: int, end: int) -> _Found:
    return EntityKind.IDENTIFIER, start, end, (text[start:end].strip("#_-").upper(),)
