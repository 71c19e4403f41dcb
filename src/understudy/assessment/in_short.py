"""What a model is shown of a hand-off, and what of its answer may be shown to people; pure. It asks no model.

A model may leave things out or put them wrongly, so its lines stand above what is stored and replace none of it. What can be
checked is: figures, amounts, days, references, addresses and links that it writes stand in what it was shown.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import date
from functools import cache
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
LOOKED_AT_LINES_MAX: Final = 50
LOOKED_AT_MAX: Final = 2_000
"""Of what was written so much is looked at, so that a hostile answer costs little."""
COUNT_MAX: Final = 10
"""Whole numbers up to this may count things, as in "asked 3 times", and need stand nowhere."""

NAMES: Final = {
    "en": (
        "monday tuesday wednesday thursday friday saturday sunday",
        "january february march april _may june july august september october november december",
        "yesterday tomorrow",
    ),
    "de": (
        "montag dienstag mittwoch donnerstag freitag samstag sonntag",
        "januar februar märz april mai juni juli august september oktober november dezember",
        "gestern morgen",
    ),
    "fr": (
        "lundi mardi mercredi jeudi vendredi samedi dimanche",
        "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
        "hier demain",
    ),
    "es": (
        "lunes martes miércoles jueves viernes sábado domingo",
        "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
        "ayer mañana",
    ),
    "it": (
        "lunedì martedì mercoledì giovedì venerdì sabato domenica",
        "gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre",
        "ieri domani",
    ),
    "nl": (
        "maandag dinsdag woensdag donderdag vrijdag zaterdag zondag",
        "januari februari maart april mei juni juli augustus september oktober november december",
        "gisteren morgen",
    ),
}
"""Days of the week from Monday, months, yesterday and tomorrow. "May" is left out: it is a verb."""
_WORD: Final = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)?")
_MONTH_OF_DATE: Final = re.compile(r"\b[0-9]{4}-(0[1-9]|1[0-2])-[0-9]{2}")
_SCALES: Final = (
    "k|m|mio|mrd|bn|hundred|thousand|million|billion|dozen|hundert|tausend|million(?:en)?|milliarde[n]?|cent|mille|millions?|cien|mil|"
    "mill[oó]n(?:es)?|cento|mila|milion[ei]|honderd|duizend|miljoen"
)
_LITERAL: Final = re.compile(
    rf"\#[0-9]\w*|[a-z][a-z0-9+.-]*:/\S*|//\S+|\b[\w-]+(?:\.[\w-]+)*\.[^\W\d_]{{2,}}\b(?:/\S*)?|[0-9][0-9.,]*\s?(?:{_SCALES})\b|\b\w*(?:hundred|thousand|million|billion|"
    r"hundert|tausend|milliard|honderd|duizend|miljoen)\w*",
    re.IGNORECASE,
)
"""What has to stand there as it is written: whatever may be a link, numbers with a word for many, and such words alone."""


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
    """Lines in a form that is stored and shown: one line each, so many and so long at most, without card numbers and without characters
    that nobody sees or that turn the direction of writing."""
    looked_at = (_plain(line[:LOOKED_AT_MAX]) for line in islice(lines, LOOKED_AT_LINES_MAX))
    written = (mask_cards(" ".join(storable(line).split()))[0] for line in looked_at)
    return tuple(line[:LINE_CHARS_MAX] for line in islice((line for line in written if line), LINES_MAX))


def _plain(text: str) -> str:
    """Compatibility forms, such as wide digits, as the usual characters; format and control characters left out."""
    usual = unicodedata.normalize("NFKC", text)
    return "".join(
        " " if c in "\t\n" else c for c in usual if c in "\t\n" or unicodedata.category(c) not in ("Cf", "Cc")
    )


def is_carried(lines: Sequence[str], material: str, today: date) -> bool:
    """Whether what can be looked up in what the model was shown stands there: figures, amounts, days, references, addresses, links."""
    shown = _plain("\n".join(_texts(json.loads(material))))
    carriers = Carriers(shown)
    return all(_stand([line], shown) or _is_carried(line, shown, carriers, today) for line in lines)


def _is_carried(line: str, shown: str, carriers: Carriers, today: date) -> bool:
    if not (_stand(_LITERAL.findall(line), shown) and _days_stand(line, shown)):
        return False
    values = (value for value in entities(line) if not _counts(value, line))
    days = tuple(spoken_days(line, today))
    untold = [day for day in days if not carriers.carry_day(day)]
    told = {day.span.end for day in days} - {day.span.end for day in untold}
    return not untold and all(value.span.end in told or carriers.carry(value) for value in values)


def _stand(found: Iterable[str], shown: str) -> bool:
    """Whether texts stand in another as they are, in whatever case."""
    lowered = shown.lower()
    return all(one.lower() in lowered for one in found)


def _days_stand(text: str, shown: str) -> bool:
    """Whether each day of the week, month and nearby day that is named, in any of six languages, is named there in any of them. English
    days are also compared as dates, and months also stand in dates."""
    known = _named(shown) | {f"month {int(month)}" for month in _MONTH_OF_DATE.findall(shown)}
    english = {word for word, _ in _names("en")}
    return all(concept in known for word, concept in _found(text) if word not in english or concept.startswith("month"))


def _named(text: str) -> set[str]:
    return {concept for _, concept in _found(text)}


def _found(text: str) -> Iterator[tuple[str, str]]:
    """Names of days and months, each with what it means in all languages; a word may mean something in several."""
    words = set(_WORD.findall(text.lower()))
    for language in NAMES:
        yield from ((word, concept) for word, concept in _names(language) if word in words)


@cache
def _names(language: str) -> tuple[tuple[str, str], ...]:
    weekdays, months, near = (line.split() for line in NAMES[language])
    return (
        *((word, f"weekday {place}") for place, word in enumerate(weekdays)),
        *((word, f"month {place}") for place, word in enumerate(months, start=1)),
        *((word, f"near {place}") for place, word in enumerate(near)),
    )


def _texts(value: Any) -> Iterator[str]:
    """The texts of JSON data, as they were before they were escaped."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list | dict):
        for one in value.values() if isinstance(value, dict) else value:
            yield from _texts(one)


def _counts(value: Entity, text: str) -> bool:
    """Whether a number only counts, as in "asked 3 times": small, whole, and no part of something else."""
    is_small = value.kind is EntityKind.NUMBER and value.text.isdigit() and int(value.text) <= COUNT_MAX
    return is_small and text[max(0, value.span.start - 1) : value.span.start] not in ("-", "/", ".")
