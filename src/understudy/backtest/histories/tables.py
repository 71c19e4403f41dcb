"""Read CSV with a header, its columns mapped to the fields of a turn record by name; it guesses no column.

A column counts where it has a field's name, or where the user says so: `draft=Answer`. Needed are a verdict, and either
the customer's message and the draft, or a confidence.
"""

from __future__ import annotations

import csv
import difflib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from understudy.backtest.histories.labelled import Labelled, labelled, moment
from understudy.backtest.histories.ratings import Meaning, verdict_of
from understudy.backtest.histories.source import Place, Source
from understudy.errors import ConfigurationError

FIELDS: Final[Mapping[str, str]] = {
    "id": "your name of the turn; else the line",
    "conversation_id": "which conversation it belongs to",
    "at": "when",
    "channel": "",
    "topic": "",
    "agent_version": "",
    "message": "what the customer said last",
    "draft": "what the agent proposed",
    "confidence": "in [0, 1]",
    "verdict": "a verdict's name or a rating",
    "text": "what was sent instead",
    "severity": "in [0, 1]",
    "reasons": "codes, separated by semicolons",
    "reviewer": "",
}
"""The fields a column may hold, with what each means where its name does not say."""
FIELD_CHARS_MAX: Final = 1_000_000
HEADER_CHARS_MAX: Final = 64_000


def columns_of(text: str) -> dict[str, str]:
    """Read `field=column,…`; raises `ConfigurationError` that names the nearest field."""
    found: dict[str, str] = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        field, _, column = (half.strip() for half in part.partition("="))
        if field not in FIELDS or not column:
            near = difflib.get_close_matches(field, FIELDS, n=1)
            hint = f"did you mean {near[0]}?" if near and near[0] != field else f"fields are {', '.join(FIELDS)}"
            raise ConfigurationError(f"--columns: {part!r} is not FIELD=COLUMN; {hint}")
        found[field] = column
    return found


def read(source: Source, meaning: Meaning, columns: Mapping[str, str]) -> Iterator[Labelled]:
    """Each row; raises `MalformedInput` that names the line and the column."""
    csv.field_size_limit(FIELD_CHARS_MAX)
    line = 1
    with source.text() as text:
        try:
            delimiter = _delimiter(text.readline(HEADER_CHARS_MAX))
            text.seek(0)
            rows = csv.reader(text, delimiter=delimiter, strict=True)
            header = next(rows, [])
            mapped = _mapped(header, columns, source.at(1))
            line = rows.line_num + 1
            for row in rows:
                if any(cell.strip() for cell in row):
                    yield _turn(row, header, mapped, source.at(line), meaning)
                line = rows.line_num + 1
        except csv.Error as error:
            source.at(line).refuse(f"not CSV: {error}")


def _delimiter(header: str) -> str:
    """The separator that cuts the header into most columns; a comma where none does."""
    return max(",;\t|", key=lambda separator: (header.count(separator), separator == ","))


def _mapped(header: Sequence[str], columns: Mapping[str, str], place: Place) -> dict[str, str]:
    """The column of each field that has one."""
    there = {name.strip().casefold(): name for name in header}
    mapped: dict[str, str] = {}
    for field in FIELDS:
        wanted = columns.get(field, field).casefold()
        if wanted in there:
            mapped[field] = there[wanted]
        elif field in columns:
            place.refuse(f"there is no column {columns[field]!r}; there is {', '.join(map(repr, header))}")
    if "verdict" not in mapped:
        place.refuse(f"no column is the verdict; say which (--columns verdict=NAME): {', '.join(map(repr, header))}")
    if "confidence" not in mapped and not {"message", "draft"} <= mapped.keys():
        place.refuse(
            "without a column confidence the columns message and draft are needed (--columns message=NAME,draft=NAME); "
            f"there is {', '.join(map(repr, header))}"
        )
    return mapped


def _turn(
    cells: Sequence[str], header: Sequence[str], mapped: Mapping[str, str], place: Place, meaning: Meaning
) -> Labelled:
    if len(cells) != len(header):
        place.refuse(f"the row has {len(cells)} cells, the header {len(header)}")
    row = dict(zip(header, cells, strict=True))
    given = {field: row[column].strip() for field, column in mapped.items() if row[column].strip()}
    try:
        kind = verdict_of(given.get("verdict"), meaning)
    except ValueError as error:
        place.refuse(f"column {mapped['verdict']}: {error}")
    verdict = (
        None
        if kind is None
        else {
            "action": kind.value,
            "text": given.get("text"),
            "severity": _number(given, mapped, "severity", place),
            "reasons": [reason.strip() for reason in given.get("reasons", "").split(";") if reason.strip()],
            "reviewer": given.get("reviewer"),
        }
    )
    data: dict[str, Any] = {
        "id": given.get("id") or f"line-{place.line}",
        "conversation_id": given.get("conversation_id"),
        "channel": given.get("channel") or "api",
        "topic": given.get("topic"),
        "agent_version": given.get("agent_version"),
        "at": moment(given.get("at"), place, mapped.get("at", "at")),
        "messages": [{"role": "user", "content": given.get("message", "")}],
        "draft": {"text": given.get("draft", ""), "confidence": _number(given, mapped, "confidence", place)},
        "verdict": verdict,
    }
    return labelled(place, data)


def _number(given: Mapping[str, str], mapped: Mapping[str, str], field: str, place: Place) -> float | None:
    if field not in given:
        return None
    try:
        return float(given[field])
    except ValueError:
        place.refuse(f"column {mapped[field]}: {given[field]!r:.60} is no number")
