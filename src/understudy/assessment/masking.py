"""Personal data in a case replaced by stand-ins, the same value by the same stand-in throughout; it keeps no list of them.

Masked are e-mail addresses, phone, card, bank account and state-given numbers, the contact's name and the names and
addresses of people in tool results. What belongs to the business stays, and so do order numbers: a case needs them. A
name that stands only in running text is not recognised, so a case is read by a person before it is shared.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from understudy.assessment.cards import digits_of, mask_cards
from understudy.assessment.entities import find_emails
from understudy.assessment.national_ids import iban_spans, national_id_spans
from understudy.assessment.people import people_in
from understudy.assessment.phones import phone_spans
from understudy.records.codec import build, plain
from understudy.records.evidence import ContactFacts
from understudy.records.rulebook import Profile

T = TypeVar("T")

Spans = tuple[tuple[int, int], ...]
NAME_PART_CHARS_MIN = 3


class Mask:
    """Stand-ins for one case. `keep` is the business, whose own addresses and numbers stay."""

    def __init__(self, keep: Profile, contact: ContactFacts, tool_results: Iterable[str]) -> None:
        self._emails: dict[str, str] = {}
        self._phones: dict[str, str] = {}
        self._numbers: dict[str, str] = {}
        self._keep_emails = {email.lower() for email in keep.emails}
        self._keep_domains = {domain.lower() for domain in keep.domains}
        self._keep_phones = {digits_of(phone)[-9:] for phone in keep.phones}
        self._names = _names(contact, tuple(tool_results))

    def text(self, text: str) -> str:
        """Mask a text."""
        found = mask_cards(text)[0]
        found = _replaced(found, iban_spans, lambda value: self._number(value, "ACCOUNT"))
        found = _replaced(found, national_id_spans, lambda value: self._number(value, "ID"))
        found = _replaced(found, _email_spans, self._email)
        found = _replaced(found, phone_spans, self._phone)
        for pattern, stand_in in self._names:
            found = pattern.sub(stand_in, found)
        return found

    def all(self, value: Any) -> Any:
        """Mask every text in plain data, keys aside."""
        match value:
            case str():
                return self.text(value)
            case dict():
                return {key: self.all(item) for key, item in value.items()}
            case list() | tuple():
                return [self.all(item) for item in value]
            case _:
                return value

    def record(self, kind: type[T], record: T) -> T:
        """Mask every text of a record."""
        return build(kind, self.all(plain(record)))

    def _email(self, value: str) -> str:
        address = value.lower()
        domain = address.rpartition("@")[2]
        if address in self._keep_emails or any(
            domain == own or domain.endswith("." + own) for own in self._keep_domains
        ):
            return value
        if domain in ("example.com", "example.org", "example.net"):
            return value
        return self._emails.setdefault(address, f"customer{len(self._emails) + 1}@example.com")

    def _phone(self, value: str) -> str:
        key = digits_of(value)[-9:]
        if key in self._keep_phones:
            return value
        return self._phones.setdefault(key, f"+1 202 555 {100 + len(self._phones):04d}")

    def _number(self, value: str, kind: str) -> str:
        key = re.sub(r"\W", "", value).upper()
        return self._numbers.setdefault(key, f"[{kind} {len(self._numbers) + 1}]")


def _replaced(text: str, find: Callable[[str], Spans], stand_in: Callable[[str], str]) -> str:
    parts, position = [], 0
    for start, end in find(text):
        parts += [text[position:start], stand_in(text[start:end])]
        position = end
    return "".join(parts) + text[position:] if parts else text


def _email_spans(text: str) -> Spans:
    return tuple((one.span.start, one.span.end) for one in find_emails(text))


def _names(contact: ContactFacts, results: tuple[str, ...]) -> list[tuple[re.Pattern[str], str]]:
    """Patterns of names and addresses with their stand-ins: whole names first, then their parts."""
    people = people_in(results)
    own = (contact.name or "").strip()
    names = [own] if own else []
    names += sorted({name for person in people for name in person.names} - {own.lower()})
    whole: dict[str, str] = {}
    parts: dict[str, str] = {}
    for number, name in enumerate(names, start=1):
        stand_in = f"Customer {number}" if number == 1 and own else f"Person {number}"
        whole[name] = stand_in
        for part in name.split():
            if len(part) >= NAME_PART_CHARS_MIN and part.lower() not in ("the", "von", "van", "del"):
                parts.setdefault(part, stand_in)
    addresses = sorted({address for person in people for address in person.addresses}, key=len, reverse=True)
    found = [(address, "1 Example Street") for address in addresses]
    found += sorted(whole.items(), key=lambda one: -len(one[0])) + sorted(parts.items(), key=lambda one: -len(one[0]))
    return [(re.compile(rf"(?<!\w){re.escape(value)}(?!\w)", re.IGNORECASE), stand_in) for value, stand_in in found]
