"""Read turn records, one JSON object a line; the form itself stands in `records/wire.py`."""

from __future__ import annotations

from collections.abc import Iterator

from understudy.backtest.histories.labelled import Labelled
from understudy.backtest.histories.source import Source
from understudy.errors import MalformedInput
from understudy.records.wire import parse_turn_record


def read(source: Source) -> Iterator[Labelled]:
    """Each line as it is; raises `MalformedInput` that names the line and the field."""
    for number, line in source.lines():
        place = source.at(number)
        try:
            record = parse_turn_record(line)
        except MalformedInput as error:
            place.refuse(error.message)
        yield Labelled(place=place, record=record)
