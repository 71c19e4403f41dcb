"""What a model is shown of a hand-off, and what of its answer may be shown to people; pure. It asks no model.

A model may leave things out or put them wrongly, so its lines stand above what is stored and replace none of it. What can be
checked is: each figure, day, amount, address and link that it writes stands in what it was shown.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date
from itertools import islice
from typing import Any, Final

from understudy.assessment.cards import mask_cards
from understudy.assessment.checks.grounding import Carriers
from understudy.assessment.entities import Entity, EntityKind, entities
from understudy.assessment.spoken_days import spoken_days
from understudy.assessment.summary import Case, parts_of
from understudy.records.text import storable

MESSAGES_MAX: Final = 40
MESSAGE_CHARS_MAX: Final = 2_000
CHARS_MAX: Final = 24_000
"""Of the conversation a model is shown so much, its end."""
LINES_MAX: Final = 6
LINE_CHARS_MAX: Final = 400
COUNT_MAX: Final = 10
"""Whole numbers up to this may count things, as in "asked 3 times", and need stand nowhere."""


def material_of(case: Case) -> str:
    """What is shown, as JSON, so that no text can pretend to be the frame around it: the parts of the summary that people read, and the
    conversation. What is remembered of a customer's past stays out: not everybody who reads the summary may see it."""
    own = replace(case, cap=None, short=None)
    shown: dict[str, Any] = {part.name: [line.text for line in part.lines] for part in parts_of(own)}
    shown |= {"today": case.at.date().isoformat(), "conversation": _conversation(case)}
    return json.dumps(shown, ensure_ascii=False)


def _conversation(case: Case) -> list[dict[str, Any]]:
    said: list[dict[str, Any]] = []
    left = CHARS_MAX
    for message in reversed(case.messages[-MESSAGES_MAX:]):
        text = message.text[:MESSAGE_CHARS_MAX]
        left -= len(text)
        if left < 0:
            break
        said.append({"by": message.author.value, "at": f"{message.at:%Y-%m-%d %H:%M} UTC", "text": text})
    return said[::-1]


def lines_kept(lines: Sequence[str]) -> tuple[str, ...]:
    """Lines in a form that is stored and shown: one line each, so many and so long at most, without card numbers."""
    written = (mask_cards(" ".join(storable(line).split()))[0] for line in lines)
    return tuple(line[:LINE_CHARS_MAX] for line in islice((line for line in written if line), LINES_MAX))


def is_carried(lines: Sequence[str], material: str, today: date) -> bool:
    """Whether all that can be looked up in what the model was shown stands there."""
    text, carriers = "\n".join(lines), Carriers("\n".join(_texts(json.loads(material))))
    values = (value for value in entities(text) if not _counts(value))
    days = tuple(spoken_days(text, today))
    untold = [day for day in days if not carriers.carry_day(day)]
    told = {day.span.end for day in days} - {day.span.end for day in untold}
    return not untold and all(value.span.end in told or carriers.carry(value) for value in values)


def _texts(value: Any) -> Iterator[str]:
    """The texts of JSON data, as they were before they were escaped."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list | dict):
        for one in value.values() if isinstance(value, dict) else value:
            yield from _texts(one)


def _counts(value: Entity) -> bool:
    number = value.readings[0]
    return value.kind is EntityKind.NUMBER and number.isdigit() and int(number) <= COUNT_MAX
