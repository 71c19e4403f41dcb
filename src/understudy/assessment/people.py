"""Whose data the tool results of a conversation hold: this contact's or somebody else's; it reads no draft.

A record is this contact's where it shares an e-mail address, a phone number, an id or a name with what is known of the
contact or with what the customer wrote. Where no record is, nothing says whose any of them are.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from understudy.assessment.cards import digits_of
from understudy.records.evidence import ContactFacts

RESULT_CHARS_MAX: Final = 200_000
"""A longer tool result is not read as records."""
_DEPTH_MAX: Final = 12
_RECORDS_MAX: Final = 2_000

_FULL_NAME_KEYS = frozenset({"name", "full_name", "fullname", "customer_name", "contact_name", "display_name"})
_FIRST_KEYS, _LAST_KEYS = (
    frozenset({"first_name", "firstname", "given_name"}),
    frozenset({"last_name", "lastname", "surname", "family_name"}),
)
_PERSONAL_KEYS = re.compile(r"e-?mail|phone|mobile|address|street|date_of_birth|dob|birth|zip|postcode", re.IGNORECASE)
_ADDRESS_KEYS = re.compile(r"\A(?:address_?(?:line)?_?1?|street(?:_address)?|line_?1|full_address)\Z", re.IGNORECASE)
_IDENTIFYING_KEYS = re.compile(r"e-?mail|phone|mobile|(?:\A|_)id\Z|number\Z|user_?name|login", re.IGNORECASE)
_DIGIT = re.compile("[0-9]")
_NAME = re.compile(r"[^\W\d_][\w'\u2019.-]*(?: [^\W\d_][\w'\u2019.-]*){1,4}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """What one record says of somebody, in lower case; `marks` are the values that tell people apart."""

    names: frozenset[str]
    addresses: frozenset[str]
    marks: frozenset[str]


def people_in(results: tuple[str, ...]) -> tuple[Person, ...]:
    """List the people of whom tool results in JSON have records: a name and an address, e-mail, phone or birthday."""
    found: list[Person] = []
    for text in results:
        if len(text) > RESULT_CHARS_MAX or not (_PERSONAL_KEYS.search(text) and "name" in text):
            continue
        try:
            value = json.loads(text)
        except (ValueError, RecursionError):
            continue  # prose, not records
        for record, marks in _records(value, frozenset(), 0):
            found.append(_person(record, marks))
            if len(found) == _RECORDS_MAX:
                return tuple(found)
    return tuple(found)


def is_contact(person: Person, contact: ContactFacts, customer_text: str) -> bool:
    """Whether the record is the contact's; `customer_text` is all the customer wrote, in lower case."""
    known = {*(email.lower() for email in contact.emails), *(digits_of(phone)[-9:] for phone in contact.phones)}
    if not person.marks.isdisjoint(known) or (contact.name or "").lower() in person.names:
        return True
    return any(mark in customer_text for mark in person.marks | person.names)


def _records(value: Any, marks: frozenset[str], depth: int) -> Iterator[tuple[dict[str, Any], frozenset[str]]]:
    """Give the outermost objects that describe a person, each with the ids of what it stands in: a passenger belongs
    to whom the booking belongs."""
    if depth > _DEPTH_MAX:
        return
    if isinstance(value, list):
        for item in value:
            yield from _records(item, marks, depth + 1)
    elif isinstance(value, dict):
        if _names(value) and any(_PERSONAL_KEYS.search(key) for key in value):
            yield value, marks
        else:
            own = {_mark(key, item) for key, item in value.items() if isinstance(item, str | int)}
            for item in value.values():
                yield from _records(item, marks | own - {""}, depth + 1)


def _names(record: dict[str, Any]) -> list[str]:
    """The full names an object gives its person: one text, or a first and a last name, here or under `name`."""
    names: list[str] = []
    for key, value in record.items():
        if key.lower() in _FULL_NAME_KEYS:
            if isinstance(value, str):
                names.append(value)
            elif isinstance(value, dict):
                names += _names(value)
    first = next(
        (value for key, value in record.items() if key.lower() in _FIRST_KEYS and isinstance(value, str)), None
    )
    last = next((value for key, value in record.items() if key.lower() in _LAST_KEYS and isinstance(value, str)), None)
    if first and last:
        names.append(f"{first} {last}")
    return [name.lower() for name in names if len(name) <= 100 and _NAME.fullmatch(name)]


def _person(record: dict[str, Any], around: frozenset[str]) -> Person:
    leaves = list(_leaves(record, "", 0))
    addresses = {
        value.lower() for key, value in leaves if _ADDRESS_KEYS.match(key) and len(value) >= 6 and _DIGIT.search(value)
    }
    marks = {_mark(key, value) for key, value in leaves} - {""}
    return Person(names=frozenset(_names(record)), addresses=frozenset(addresses), marks=around | marks)


def _mark(key: str, value: Any) -> str:
    """Give a value that tells people apart as it is compared, else nothing."""
    text = str(value)
    if not _IDENTIFYING_KEYS.search(key) or len(text) < 5:
        return ""
    return digits_of(text)[-9:] if re.search("phone|mobile", key, re.IGNORECASE) else text.lower()


def _leaves(value: Any, key: str, depth: int) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict) and depth <= _DEPTH_MAX:
        for name, item in value.items():
            yield from _leaves(item, name, depth + 1)
    elif isinstance(value, list) and depth <= _DEPTH_MAX:
        for item in value:
            yield from _leaves(item, key, depth + 1)
    elif isinstance(value, str | int) and not isinstance(value, bool):
        yield key, str(value)
