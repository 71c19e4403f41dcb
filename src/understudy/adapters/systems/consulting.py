"""What a system's answer to a look-up says, by the shape of the look-up; pure, it asks nobody.

Nothing here takes "it is not there" for "there is none": an answer that lacks what is read is *unknown*, with the path.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from understudy.adapters.systems.asking import Answered, Broken, NotAsked
from understudy.ports.system import Found, Untold
from understudy.records.facts import ITEMS_MAX, VALUE_CHARS_MAX, FactItem
from understudy.records.json_paths import first_text, found, holds, text_of
from understudy.records.systems import ConsultShape, Known
from understudy.records.text import storable
from understudy.rest_writing import CannotStand, url_of

PHONE_DIGITS: Final = 9
"""Phone numbers are the same whose last digits, so many, are: systems keep them with and without the country."""
LISTED_MAX: Final = 10
"""Of a list of texts so many are read into one value."""


def told(
    shape: ConsultShape,
    answer: Answered | NotAsked | Broken,
    known: Known,
    *,
    is_named: bool,
    values: Mapping[str, str],
) -> Found | Untold:
    """Read an answer. `is_named`: the request named the customer by an id, so that each thing in it is theirs."""
    if isinstance(answer, NotAsked):
        return Untold(why="refused" if answer.is_refusal else "unreachable", says=answer.says)
    if isinstance(answer, Broken):
        return Untold(why="timed_out" if answer.is_late else "unreachable", says=answer.says)
    if answer.status in shape.not_found:
        return Found()
    if not answer.is_fine:
        return _untold(answer)
    if answer.body is None:
        says = "an answer that is too long" if answer.is_cut else "an answer that is no JSON"
        return Untold(why="nonsense", says=says)
    seen = answer.seen()
    if not holds(shape.answered, seen):
        return Untold(why="changed", says=f"the answer does not meet answered = {shape.answered!r}")
    return _items(shape, seen, known, is_named=is_named, values=values)


def same_phone(one: str, other: str) -> bool:
    """Whether two phone numbers are the same, however they are written."""
    ours, theirs = _digits(one), _digits(other)
    if min(len(ours), len(theirs)) < PHONE_DIGITS:
        return ours == theirs and ours != ""
    return ours[-PHONE_DIGITS:] == theirs[-PHONE_DIGITS:]


def _items(
    shape: ConsultShape, seen: Mapping[str, Any], known: Known, *, is_named: bool, values: Mapping[str, str]
) -> Found | Untold:
    items: list[FactItem] = []
    count = 0
    who = {"emails": list(known.emails), "phones": list(known.phones), "contact_id": known.contact_id}
    for node in found(shape.items, seen):
        scope = {**seen, "item": node, "known": who}
        if shape.when is not None and not holds(shape.when, scope):
            continue
        if not (is_named or _is_theirs(shape, scope, known)):
            continue
        name = first_text(shape.id, scope)
        lacking = [field for field in shape.needed if first_text(shape.fields[field], scope) is None]
        if name is None or lacking:
            paths = shape.id if name is None else shape.fields[lacking[0]]
            return Untold(why="changed", says=f"a thing in the answer has nothing at {' or '.join(paths)}")
        count += 1
        if len(items) < ITEMS_MAX:
            items.append(_item(shape, scope, name, values))
    has_more = count > len(items) or (shape.more is not None and holds(shape.more, seen))
    return Found(items=tuple(items), has_more=has_more, as_of=_as_of(shape, seen))


def _item(shape: ConsultShape, scope: Mapping[str, Any], name: str, values: Mapping[str, str]) -> FactItem:
    read = ((field, _value(paths, scope)) for field, paths in shape.fields.items())
    link = None
    if shape.link is not None:
        try:
            link = url_of(shape.link, {**values, "id": name})
        except CannotStand:
            link = None
    return FactItem(id=_kept(name), values={field: value for field, value in read if value}, link=link)


def _value(paths: list[str], scope: Mapping[str, Any]) -> str:
    """What the first path that finds something finds; several texts are listed."""
    for path in paths:
        texts = [text.strip() for node in found(path, scope) if (text := text_of(node)) is not None and text.strip()]
        if texts:
            return _kept(", ".join(texts[:LISTED_MAX]))
    return ""


def _is_theirs(shape: ConsultShape, scope: Mapping[str, Any], known: Known) -> bool:
    """Whether a thing carries an address of the customer's; a search may find more than it was asked for."""
    if not (shape.same_email or shape.same_phone):
        return True
    emails = {email.casefold() for email in known.emails}
    if any(text.casefold() in emails for text in _texts(shape.same_email, scope)):
        return True
    return any(same_phone(text, phone) for text in _texts(shape.same_phone, scope) for phone in known.phones)


def _texts(paths: list[str], scope: Mapping[str, Any]) -> Iterator[str]:
    for path in paths:
        yield from (text.strip() for node in found(path, scope) if (text := text_of(node)))


def _untold(answer: Answered) -> Untold:
    says = f"it answered {answer.status}"
    if answer.status == 429:
        return Untold(why="rate_limited", says=says, after_s=answer.retry_after_s)
    if answer.status >= 500 or answer.status in (408, 425):
        return Untold(why="unreachable", says=says, after_s=answer.retry_after_s)
    return Untold(why="refused", says=says)


def _as_of(shape: ConsultShape, seen: Mapping[str, Any]) -> datetime | None:
    text = first_text(shape.as_of, seen)
    try:
        moment = datetime.fromisoformat(text or "")
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _kept(text: str) -> str:
    return storable(text if len(text) <= VALUE_CHARS_MAX else text[: VALUE_CHARS_MAX - 1] + "…")


def _digits(text: str) -> str:
    return "".join(one for one in text if one.isdecimal() and one.isascii())
