"""Carry actions out over anybody's REST interface, as their declaration describes it; by the same parts as REST channels.

What an agent or a customer wrote stands in a request as data: percent-encoded in an address, as a value of the JSON or a
field of the form. The server is never chosen by an argument.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import SplitResult, urlsplit

import aiohttp
from yarl import URL

from understudy.adapters.channels.outlet import Outlet, Reader, checked_url
from understudy.adapters.channels.rest_answers import meaning, seen_of
from understudy.adapters.channels.rest_writing import CannotStand, Written, written
from understudy.errors import ConfigurationError
from understudy.ports.clock import Clock
from understudy.records.acting import ActionEntry, Confirmed, Differs, NotDone, ReadBack, Unanswered
from understudy.records.action_calls import OF_THE_ACTION, ActionCalls, CallShape
from understudy.records.json_paths import found, holds, text_of
from understudy.records.outbox import Accepted, Rejected, SendResult, Unknown
from understudy.records.rest import RequestShape
from understudy.records.templates import filled, placeholders

ANSWER_CHARS_MAX = 500
COMPENSATION = "-undo"
"""What is put after the key of an action for the call that makes up for it."""


class RestExecutor:
    """`ports.acting.Executor` over REST. `values` and `credentials` stand for placeholders; raises `ConfigurationError`."""

    def __init__(
        self,
        name: str,
        calls: ActionCalls,
        *,
        clock: Clock,
        values: Mapping[str, str] | None = None,
        credentials: Mapping[str, str] | None = None,
        argument_names: frozenset[str] = frozenset(),
        timeout_s: float = 10.0,
    ) -> None:
        self.name = name
        self._calls = calls
        self._values = {**(values or {}), **(credentials or {})}
        self._arguments = argument_names
        self._clock, self._timeout_s = clock, timeout_s
        self._call = self._outlet(calls.call, honours_keys=calls.call.honours_keys)
        self._reading = None if calls.read_back is None else self._outlet(calls.read_back, honours_keys=True)
        self._undoing = None
        if calls.compensation is not None:
            self._undoing = self._outlet(calls.compensation, honours_keys=calls.compensation.honours_keys)
        self.honours_keys = calls.call.honours_keys
        self.can_read_back = calls.read_back is not None
        self.can_compensate = calls.compensation is not None
        self.compensates_by_key = calls.compensation is not None and calls.compensation.honours_keys

    def __repr__(self) -> str:
        return f"RestExecutor({self.name!r}, host={self._call.host!r})"

    async def call(self, entry: ActionEntry) -> SendResult:
        """Make the call and say what the answer means."""
        return await self._made(self._call, self._calls.call, entry, key=entry.id)

    async def compensate(self, entry: ActionEntry) -> SendResult:
        """Make up for it, under a key of its own."""
        if self._calls.compensation is None or self._undoing is None:
            return Rejected(reason=f"action {self.name!r} declares no compensation")
        return await self._made(self._undoing, self._calls.compensation, entry, key=entry.id + COMPENSATION)

    async def read_back(self, entry: ActionEntry) -> ReadBack:
        """Ask what became of it."""
        shape, outlet = self._calls.read_back, self._reading
        if shape is None or outlet is None:
            return Unanswered(reason=f"action {self.name!r} declares no read-back")
        try:
            request = self._written(shape, entry, key=entry.id)
        except CannotStand as error:
            return Unanswered(reason=str(error))
        read: list[ReadBack] = []

        async def look(answer: aiohttp.ClientResponse, _: asyncio.Timeout) -> SendResult:
            scope = {**await seen_of(answer), "arguments": entry.table, "key": entry.id, "answer": entry.provider_id}
            if holds(shape.is_done, scope):
                read.append(Confirmed(answer=_shown(scope["body"])))
            elif shape.not_done is not None and holds(shape.not_done, scope):
                read.append(NotDone(reason=f"{outlet.host} shows that it was not done"))
            elif 200 <= answer.status < 300 and scope["body"] is not None:
                read.append(Differs(reason=f"{outlet.host} shows another state than is_done asks for"))
            else:
                read.append(Unanswered(reason=f"{outlet.host} answered {answer.status} to the read-back"))
            return Accepted()

        result = await self._sent(outlet, request, look)
        return read[0] if read else Unanswered(reason=getattr(result, "reason", "no answer to the read-back"))

    async def close(self) -> None:
        """Close the connections."""
        for outlet in (self._call, self._reading, self._undoing):
            if outlet is not None:
                await outlet.close()

    async def _made(self, outlet: Outlet, shape: CallShape, entry: ActionEntry, *, key: str) -> SendResult:
        try:
            request = self._written(shape, entry, key=key)
        except CannotStand as error:
            return Rejected(reason=str(error))

        async def read(answer: aiohttp.ClientResponse, deadline: asyncio.Timeout) -> SendResult:
            result = await meaning(shape.answer, outlet, answer, deadline)
            # Some systems do it and then send the caller elsewhere to look at it.
            if isinstance(result, Rejected) and 300 <= answer.status < 400:
                return Unknown(reason=result.reason)
            return result

        return await self._sent(outlet, request, read)

    async def _sent(self, outlet: Outlet, request: Written, read: Reader) -> SendResult:
        url = URL(request.url, encoded=True)
        return await outlet.send(request.method, url, headers=request.headers, body=request.body, read=read)

    def _written(self, shape: RequestShape, entry: ActionEntry, *, key: str) -> Written:
        texts, whole = self._said(entry, key)
        is_json = shape.body == "json"
        missing = placeholders([shape.url, *shape.headers.values(), *shape.login, {} if is_json else shape.template])
        if missing := missing - texts.keys():
            raise CannotStand(
                f"action {self.name!r} was not given {', '.join(sorted(missing))}, which its request needs"
            )
        plain = shape.model_copy(update={"body": "none"}) if is_json else shape
        request = written(plain, texts, key_header=getattr(shape, "key_header", None))
        if not is_json or not shape.template:
            return request
        body = json.dumps(_filled(shape.template, texts, whole), ensure_ascii=False, separators=(",", ":"))
        headers = {"content-type": "application/json; charset=utf-8", **request.headers}
        return Written(method=request.method, url=request.url, headers=headers, body=body.encode("utf-8", "replace"))

    def _said(self, entry: ActionEntry, key: str) -> tuple[dict[str, str], dict[str, Any]]:
        """What placeholders stand for: as texts, and as the values that they are."""
        table = entry.table
        whole: dict[str, Any] = {name: table[name] for name in self._arguments & table.keys()}
        for name, path in self._calls.values_of.items():
            values = found(path, table)
            if values:
                whole[name] = values[0]
        own = {
            "key": key,
            "contact": entry.contact_id,
            "conversation": entry.conversation_id,
            "turn": entry.turn_id,
            "approved_by": entry.approved_by or "",
        }
        texts = {name: text for name, value in whole.items() if (text := text_of(value)) is not None}
        return {**texts, **self._values, **own}, {**whole, **self._values, **own}

    def _outlet(self, shape: RequestShape, *, honours_keys: bool) -> Outlet:
        address = self._address(shape)
        return Outlet(address, clock=self._clock, timeout_s=self._timeout_s, honours_keys=honours_keys)

    def _address(self, shape: RequestShape) -> SplitResult:
        """The server a request goes to, which must not depend on what the action is given."""
        names = self._arguments | OF_THE_ACTION | self._calls.values_of.keys()
        bare = shape.model_copy(update={"headers": {}, "login": [], "template": {}})
        try:
            url, other = (written(bare, {**dict.fromkeys(names, one), **self._values}).url for one in "12")
        except CannotStand as error:
            raise ConfigurationError(f"action {self.name!r}: {error}") from error
        if urlsplit(url)[:2] != urlsplit(other)[:2]:
            raise ConfigurationError(
                f"action {self.name!r}: the server in url {shape.url!r} would be chosen by what the action is given; "
                "write it out, or give it in values"
            )
        return checked_url(self.name, url)


_ABSENT: Any = object()
_ONE = re.compile(r"\{([a-z][a-z0-9_]*)\}")


def _filled(template: Any, texts: Mapping[str, str], whole: Mapping[str, Any]) -> Any:
    """Fill a table: a text that is one placeholder becomes the value itself, and is left out where there is none."""
    if isinstance(template, Mapping):
        inner = {name: _filled(value, texts, whole) for name, value in template.items()}
        return {name: value for name, value in inner.items() if value is not _ABSENT}
    if isinstance(template, list):
        return [value for one in template if (value := _filled(one, texts, whole)) is not _ABSENT]
    if not isinstance(template, str):
        return template
    if (only := _ONE.fullmatch(template)) is not None:
        return whole.get(only[1], _ABSENT)
    if missing := placeholders(template) - texts.keys():
        raise CannotStand(f"the action was not given {', '.join(sorted(missing))}, which its request needs")
    return filled(template, texts)


def _shown(body: Any) -> str | None:
    """What the system said, for people, cut short."""
    return None if body is None else json.dumps(body, ensure_ascii=False)[:ANSWER_CHARS_MAX]
