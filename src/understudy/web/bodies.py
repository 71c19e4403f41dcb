"""Read a request's JSON so that only what can be stored and written again gets in; what it means is the models' work.

Python's reader takes more than JSON: `NaN`, numbers beyond a float, half a surrogate pair. Each would be refused or,
worse, silently changed by what comes later, so an action's amount could arrive as nothing.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Coroutine, Iterator
from typing import Any, ClassVar

from fastapi import Request, Response
from fastapi.routing import APIRoute

from understudy.errors import MalformedInput
from understudy.records.text import storable_record

DEPTH_MAX = 64
"""How deep lists and objects may stand in each other."""
SEQ_MAX = 2**63 - 1
"""The largest number a database keeps, hence the largest cursor."""


class JsonRequest(Request):
    """A request whose `json()` raises `MalformedInput`, naming the place and what to do."""

    async def json(self) -> Any:
        """Read the body, once."""
        if not hasattr(self, "_json"):
            self._json = read_json(await self.body())
        return self._json


class MendedRequest(JsonRequest):
    """A request whose texts may hold what no database takes; it becomes U+FFFD."""

    async def json(self) -> Any:
        """Read the body, once."""
        if not hasattr(self, "_json"):
            self._json = read_json(await self.body(), mends_text=True)
        return self._json


class JsonRoute(APIRoute):
    """A route that reads its body strictly: for programs, whose makers can be told what to mend."""

    request_class: ClassVar[type[JsonRequest]] = JsonRequest

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        answer = super().get_route_handler()

        async def handle(request: Request) -> Response:
            return await answer(self.request_class(request.scope, request.receive))

        return handle


class CustomersJsonRoute(JsonRoute):
    """A route for what customers write: half an emoji at the end is no reason to refuse their message."""

    request_class = MendedRequest


def read_json(body: bytes, *, mends_text: bool = False) -> Any:
    """Read one JSON value; raises `MalformedInput`, and `json.JSONDecodeError` where it is not JSON at all.

    Text that cannot be stored is refused, or with `mends_text` mended as `records.text` does.
    """
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise MalformedInput(f"the body is not UTF-8 at byte {error.start}: encode the JSON as UTF-8") from error
    try:
        value = json.loads(text, parse_constant=_refuse_constant, parse_float=_finite)
    except json.JSONDecodeError:
        raise
    except RecursionError:
        raise MalformedInput(_too_deep("the body")) from None
    except ValueError:  # Python reads no whole number of more than 4,300 digits
        raise MalformedInput("the body holds a whole number of thousands of digits; send it as text") from None
    if text.count("[") + text.count("{") > DEPTH_MAX or "\\u" in text:
        _demand_storable(value, mends_text=mends_text)
        value = storable_record(value) if mends_text else value
    return value


def _demand_storable(value: Any, *, mends_text: bool) -> None:
    """Look at how deep everything stands, and at every text that is not going to be mended."""
    waiting: list[tuple[Any, tuple[Any, ...]]] = [(value, ())]
    while waiting:
        found, place = waiting.pop()
        if isinstance(found, str) and not mends_text:
            _demand_storable_text(found, place)
        elif isinstance(found, dict | list):
            if len(place) >= DEPTH_MAX:
                raise MalformedInput(_too_deep(_named(place[:4]) + "…"))
            waiting.extend(_parts(found, place))


def _parts(found: dict[str, Any] | list[Any], place: tuple[Any, ...]) -> Iterator[tuple[Any, tuple[Any, ...]]]:
    if isinstance(found, dict):
        for name, part in found.items():
            yield name, (*place, "the name of a field")
            yield part, (*place, name)
    else:
        for number, part in enumerate(found):
            yield part, (*place, number)


def _demand_storable_text(text: str, place: tuple[Any, ...]) -> None:
    if "\x00" in text:
        raise MalformedInput(f"{_named(place)}: must not contain the character U+0000, which databases cannot store")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        half = f"\\u{ord(text[error.start]):04x}"
        raise MalformedInput(f"{_named(place)}: {half} is half of a surrogate pair and no character") from None


def _named(place: tuple[Any, ...]) -> str:
    return ".".join(("body", *(str(part) for part in place)))


def _too_deep(where: str) -> str:
    return f"{where}: lists and objects stand more than {DEPTH_MAX} deep in each other; send flatter JSON"


def _refuse_constant(word: str) -> None:
    raise MalformedInput(f"the body is not JSON: {word} is no JSON number; leave it out or send null")


def _finite(digits: str) -> float:
    number = float(digits)
    if number in (float("inf"), float("-inf")):
        raise MalformedInput(f"the body holds the number {digits[:40]}, which is larger than a number may be")
    return number
