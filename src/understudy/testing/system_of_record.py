"""A fake of any system of record: it answers what the system's description says, and opens a ticket once for a key.

A look-up is answered by the sample of its description, which then carries the address that was asked for, so that the customer
is always known. It cannot tell whether something was written: only what honours keys is played.
"""

from __future__ import annotations

import json
import re
from typing import Any, Final
from urllib.parse import unquote_plus

from aiohttp import web

from understudy.records.facts import ABOUT
from understudy.records.rest import RequestShape
from understudy.records.systems import SystemShape, WriteShape
from understudy.testing.listening import Listening

EMAIL: Final = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
PHONE: Final = re.compile(r"\+?\d(?:[ ()-]*\d){7,14}")
_PLACEHOLDER: Final = re.compile(r"\{[a-z_:]+\}")
_PREFIX: Final = re.compile(r"https?://[^/]+|\{[a-z_]+\}")
"""Of an address: the server, or what stands for it."""


class SystemOfRecord(Listening):
    """A system of this shape. `written` has what it was told, each key once; `repeated` counts keys that came again."""

    def __init__(self, shape: SystemShape) -> None:
        super().__init__()
        self.shape = shape
        self.written: dict[str, str] = {}
        self.repeated = 0

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request; 404 where the description knows none like it."""
        asked = unquote_plus(request.raw_path if isinstance(request, web.Request) else str(request.rel_url))
        body = (await request.read()).decode("utf-8", "replace")
        for about in ABOUT:
            consult = self.shape.consults(about)
            if consult is None or consult.sample is None:
                continue
            if any(_fits(ask, request.method, asked) for ask in consult.ask):
                return _said(_with_addresses(json.loads(consult.sample), f"{asked} {body}"))
        for write in (self.shape.create, self.shape.note, self.shape.assign, self.shape.close):
            if write is not None and write.honours_keys and _fits(write, request.method, asked):
                return self._taken(write, request, body)
        if self.shape.probe is not None and _fits(self.shape.probe, request.method, asked):
            return _said({})
        return web.json_response({"error": "there is no such address"}, status=404)

    def _taken(self, write: WriteShape, request: web.BaseRequest, body: str) -> web.Response:
        key = request.headers.get(write.key_header or "", "") or body
        self.repeated += key in self.written
        number = self.written.setdefault(key, str(len(self.written) + 1))
        answer = json.loads(write.answer.sample or "{}")
        if isinstance(answer, dict) and "id" in answer:
            answer["id"] = number
        return _said(answer, status=201)


def in_place(shape: SystemShape, address: str) -> dict[str, Any]:
    """A shape as settings have it, with every request going to this address and nobody asked for a token."""
    moved: dict[str, Any] = _moved(shape.model_dump(exclude_none=True), address)
    return {**moved, "auth": {}}


def _moved(tree: Any, address: str) -> Any:
    if isinstance(tree, dict):
        return {
            name: address + _PREFIX.sub("", inner, count=1) if name == "url" else _moved(inner, address)
            for name, inner in tree.items()
        }
    return [_moved(inner, address) for inner in tree] if isinstance(tree, list) else tree


def _fits(shape: RequestShape, method: str, asked: str) -> bool:
    path = unquote_plus(_PREFIX.sub("", shape.url, count=1))
    parts = [re.escape(part) for part in _PLACEHOLDER.split(path)]
    return shape.method == method and re.fullmatch(".*?".join(parts), asked) is not None


def _with_addresses(node: Any, asked: str) -> Any:
    """The sample, in which every address is the one that was asked for."""
    email, phone = EMAIL.search(asked), PHONE.search(asked)

    def walk(inner: Any) -> Any:
        if isinstance(inner, dict):
            return {name: walk(one) for name, one in inner.items()}
        if isinstance(inner, list):
            return [walk(one) for one in inner]
        if isinstance(inner, str) and email is not None and EMAIL.fullmatch(inner):
            return email[0]
        return phone[0] if isinstance(inner, str) and phone is not None and PHONE.fullmatch(inner) else inner

    return walk(node)


def _said(answer: Any, *, status: int = 200) -> web.Response:
    return web.json_response(answer, status=status)
