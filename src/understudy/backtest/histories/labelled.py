"""One turn of somebody's history with the place it stands at, made from plain data of any format; it reads no file."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from pydantic import ValidationError

from understudy.backtest.histories.source import Place
from understudy.records.codec import explain
from understudy.records.wire import TurnRecord

MILLISECONDS_FROM: Final = 1e11
"""A number of seconds since 1970 beyond this would lie after the year 5000, so it counts milliseconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Labelled:
    """A turn record and where it stands. Its verdict is None where nobody judged it."""

    place: Place
    record: TurnRecord


def labelled(place: Place, data: dict[str, Any]) -> Labelled:
    """Make one from plain data; raises `MalformedInput` that names the place and the field."""
    try:
        return Labelled(place=place, record=TurnRecord.model_validate(data))
    except ValidationError as error:
        place.refuse(f"gives no turn record: {explain(error)}")


def moment(value: Any, place: Place, field: str) -> datetime | None:
    """A time as exports write it: ISO 8601, or seconds or milliseconds since 1970. Without a zone it is UTC."""
    if value is None or value == "":
        return None
    try:
        read = _read_moment(value)
    except (ValueError, OverflowError, OSError):
        read = None
    if read is None:
        place.refuse(f"{field}: {value!r:.60} is no time; ISO 8601 or seconds since 1970 was expected")
    return read


def _read_moment(value: Any) -> datetime | None:
    if isinstance(value, str):
        text = value.strip()
        if not text.replace(".", "", 1).isdigit():
            read = datetime.fromisoformat(text)
            return read.replace(tzinfo=UTC) if read.tzinfo is None else read.astimezone(UTC)
        value = float(text)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return datetime.fromtimestamp(value / 1e3 if abs(value) >= MILLISECONDS_FROM else value, UTC)
    return None


def text_of(value: Any) -> str | None:
    """The text in an input or output of any shape: text, a message, a list of either or of parts; `None` where there is none."""
    if isinstance(value, str):
        return value
    if isinstance(value, dict):
        for key in ("content", "text", "output", "answer", "response", "message", "output_text"):
            if (found := text_of(value.get(key))) is not None:
                return found
        choices = value.get("choices")
        return text_of(choices[0]) if isinstance(choices, list) and choices else None
    if isinstance(value, list):
        parts = [part for item in value if (part := text_of(item))]
        return "\n".join(parts) if parts else None
    return None
