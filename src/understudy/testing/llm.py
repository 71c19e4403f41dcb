"""A fake LLM endpoint, OpenAI-compatible: chat completions, plain and streamed, responses, embeddings, models; and `POST /draft`.

It has no model. It checks each request strictly and refuses as the real ones do, with their words and codes. A question for a verdict (a JSON
schema with `verdict`) is answered with *pass*, one for `lines` with the reply's lines. An `Idempotency-Key` is honoured: the same key and body give the same
answer, and the same key with another body is refused.
"""

from __future__ import annotations

import asyncio
import hashlib
import inspect
import itertools
import json
import math
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from aiohttp import web

from understudy.testing.listening import Listening
from understudy.testing.provider import RETRY_AFTER_S, Wrong, need, object_of

Message = Mapping[str, Any]
ROLES: Final = ("system", "developer", "user", "assistant", "tool")
_FIELDS: Final = frozenset(
    "model messages stream stream_options temperature top_p n max_tokens max_completion_tokens stop tools tool_choice "
    "parallel_tool_calls response_format seed user metadata logprobs top_logprobs presence_penalty frequency_penalty store".split()
)
DIMENSIONS: Final = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What is answered: a text, and what an agent says beside it (docs/reference/draft.md), such as its sources."""

    text: str
    beside: Mapping[str, Any] = field(default_factory=dict)


def echoing(messages: Sequence[Message]) -> Reply:
    """Say what the customer's last message was about, and quote it as the source."""
    asked = next((str(one.get("content")) for one in reversed(messages) if one.get("role") == "user"), "")
    text = f"About {asked[:200]}"
    return Reply(text=text, beside={"sources": [{"id": "echo", "title": "What was asked", "text": text}]})


class LlmEndpoint(Listening):
    """The endpoint; its base URL is `url` + "/v1". `answers` makes the reply to a conversation, at once or after a while.

    `key`: what it lets in by, None = anybody. `per_minute_max`: its limit on requests. `asked` has the conversations.
    """

    def __init__(
        self,
        *,
        answers: Callable[[Sequence[Message]], Reply | Awaitable[Reply]] = echoing,
        models: tuple[str, ...] = ("fake-1",),
        key: str | None = None,
        per_minute_max: int | None = None,
        takes_s: float = 0.0,
        port: int = 0,
    ) -> None:
        super().__init__(port=port)
        self.complaints: list[str] = []
        self.asked: list[Sequence[Message]] = []
        self._answers = answers
        self._models = models
        self._key = key
        self._per_minute_max = per_minute_max
        self._takes_s = takes_s
        self._asked_at: deque[float] = deque()
        self._numbers = itertools.count(1)
        self._kept: dict[str, tuple[str, dict[str, Any]]] = {}

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer a request; whatever is wrong is kept in `complaints`."""
        body = await request.read()
        try:
            self._let_in(request)
            return await self._routed(request, body)
        except Wrong as wrong:
            self.complaints.append(f"{request.method} {request.path}: {wrong.what}")
            headers = {"retry-after": str(RETRY_AFTER_S)} if wrong.status == 429 else {}
            return web.json_response(wrong.body, status=wrong.status, headers=headers)

    def _let_in(self, request: web.BaseRequest) -> None:
        if self._key is not None and request.headers.get("authorization") != f"Bearer {self._key}":
            raise _refusal(401, "invalid_api_key", "the authorization is not this key")
        if self._per_minute_max is not None:
            now = asyncio.get_running_loop().time()
            while self._asked_at and self._asked_at[0] <= now - 60:
                self._asked_at.popleft()
            if len(self._asked_at) >= self._per_minute_max:
                raise _refusal(429, "rate_limit_exceeded", "more requests than the limit")
            self._asked_at.append(now)

    async def _routed(self, request: web.BaseRequest, body: bytes) -> web.StreamResponse:
        match (request.method, request.path):
            case ("GET", "/v1/models"):
                listed = [{"id": model, "object": "model", "owned_by": "fake"} for model in self._models]
                return web.json_response({"object": "list", "data": listed})
            case ("POST", "/v1/chat/completions"):
                return await self._completed(request, object_of(body, _bad))
            case ("POST", "/v1/embeddings"):
                return web.json_response(self._embedded(object_of(body, _bad)))
            case ("POST", "/v1/responses"):
                return await self._responded(object_of(body, _bad))
            case ("POST", "/draft"):
                return await self._drafted(object_of(body, _bad))
            case _:
                raise _refusal(404, "unknown_url", f"{request.method} {request.path} is no address of it")

    async def _completed(self, request: web.BaseRequest, data: dict[str, Any]) -> web.StreamResponse:
        self._check(data)
        key = request.headers.get("idempotency-key")
        asked = json.dumps(data, sort_keys=True)
        if key is not None and key in self._kept:
            before, answered = self._kept[key]
            need(before == asked, f"the key {key} came before with another body", _bad)
        else:
            await asyncio.sleep(self._takes_s)
            answered = await self._completion(data)
            if key is not None:
                self._kept[key] = asked, answered
        return await _streamed(request, data, answered) if data.get("stream") else web.json_response(answered)

    async def _completion(self, data: Mapping[str, Any]) -> dict[str, Any]:
        messages = data["messages"]
        self.asked.append(messages)
        wants = (data.get("response_format") or {}).get("json_schema", {}).get("schema", {}).get("properties", {})
        reply = Reply(text='{"verdict": "pass"}') if "verdict" in wants else await self._reply(messages)
        if "lines" in wants:
            reply = Reply(text=json.dumps({"lines": reply.text.splitlines()}, ensure_ascii=False))
        words = sum(len(str(one.get("content") or "").split()) for one in messages)
        said = len(reply.text.split())
        completion = {
            "id": f"chatcmpl-{next(self._numbers)}",
            "object": "chat.completion",
            "created": 1_767_268_800,
            "model": data["model"],
            "choices": [
                {
                    "index": 0,
                    "message": {"role": "assistant", "content": reply.text, "refusal": None},
                    "logprobs": None,
                    "finish_reason": "stop",
                }
            ],
            "usage": {"prompt_tokens": words, "completion_tokens": said, "total_tokens": words + said},
        }
        return {**completion, "understudy": dict(reply.beside)} if reply.beside else completion

    async def _reply(self, messages: Sequence[Message]) -> Reply:
        made = self._answers(messages)
        return await made if inspect.isawaitable(made) else made

    def _check(self, data: Mapping[str, Any]) -> None:
        strange = sorted(data.keys() - _FIELDS)
        need(not strange, f"Unrecognized request argument supplied: {', '.join(strange)}", _bad)
        model, messages = data.get("model"), data.get("messages")
        need(isinstance(model, str) and model != "", "you must provide a model parameter", _bad)
        if model not in self._models:
            raise _refusal(404, "model_not_found", f"the model {model!r} does not exist")
        need(isinstance(messages, list) and messages != [], "messages is no list with something in it", _bad)
        assert isinstance(messages, list), "just needed"
        called: set[str] = set()
        for number, message in enumerate(messages):
            _check_message(f"messages[{number}]", message, called)
        heat = data.get("temperature", 1)
        need(_is_number(heat) and 0 <= heat <= 2, f"temperature is {heat!r}, it goes from 0 to 2", _bad)
        need(isinstance(data.get("stream", False), bool), "stream is not true or false", _bad)

    def _embedded(self, data: Mapping[str, Any]) -> dict[str, Any]:
        given = data.get("input")
        texts = [given] if isinstance(given, str) else given
        ok = isinstance(texts, list) and texts != [] and all(isinstance(one, str) and one != "" for one in texts)
        need(ok, "input is no text and no list of texts", _bad)
        assert isinstance(texts, list), "just needed"
        need(data.get("model") in self._models, f"the model {data.get('model')!r} does not exist", _bad)
        listed = [
            {"object": "embedding", "index": number, "embedding": vector_of(text)} for number, text in enumerate(texts)
        ]
        return {"object": "list", "data": listed, "model": data["model"], "usage": {"prompt_tokens": 1, "total_tokens": 1}}  # fmt: skip

    async def _responded(self, data: Mapping[str, Any]) -> web.StreamResponse:
        given = data.get("input")
        messages = [{"role": "user", "content": given}] if isinstance(given, str) else given
        need(isinstance(messages, list) and messages != [], "input is no text and no list of items", _bad)
        assert isinstance(messages, list), "just needed"
        self.asked.append(messages)
        await asyncio.sleep(self._takes_s)
        reply = await self._reply(messages)
        content = {"type": "output_text", "text": reply.text, "annotations": []}
        said = {"type": "message", "id": "msg", "role": "assistant", "status": "completed", "content": [content]}
        whole = {"id": f"resp-{next(self._numbers)}", "object": "response", "status": "completed", "output": [said]}
        return web.json_response({**whole, "model": data.get("model"), "understudy": dict(reply.beside)})

    async def _drafted(self, data: Mapping[str, Any]) -> web.StreamResponse:
        messages = data.get("messages")
        need(isinstance(messages, list) and messages != [], "messages is no list with something in it", _bad)
        assert isinstance(messages, list), "just needed"
        self.asked.append(messages)
        await asyncio.sleep(self._takes_s)
        reply = await self._reply(messages)
        return web.json_response({"text": reply.text, **reply.beside})


def vector_of(text: str) -> list[float]:
    """A vector of length 1 that texts with the same words share: near for like texts, else far; no model."""
    vector = [0.0] * DIMENSIONS
    for word in text.lower().split():
        vector[int.from_bytes(hashlib.sha256(word.encode()).digest()[:4], "big") % DIMENSIONS] += 1.0
    length = math.sqrt(math.fsum(x * x for x in vector)) or 1.0
    return [x / length for x in vector]


def _check_message(where: str, message: Any, called: set[str]) -> None:
    need(isinstance(message, dict), f"{where} is no object", _bad)
    role, content = message.get("role"), message.get("content")
    need(role in ROLES, f"{where}.role is {role!r}", _bad)
    calls = message.get("tool_calls") or []
    need(isinstance(content, str | list) or (content is None and bool(calls)), f"{where}.content is no text", _bad)
    if role == "tool":
        need(message.get("tool_call_id") in called, f"{where} answers no tool call before it", _bad)
    called.update(str(call.get("id")) for call in calls if isinstance(call, dict))


async def _streamed(request: web.BaseRequest, data: Mapping[str, Any], whole: Mapping[str, Any]) -> web.StreamResponse:
    """The same answer as server-sent events, word by word."""
    response = web.StreamResponse(headers={"content-type": "text/event-stream; charset=utf-8"})
    await response.prepare(request)
    head = {name: whole[name] for name in ("id", "created", "model")} | {"object": "chat.completion.chunk"}
    words = whole["choices"][0]["message"]["content"].split(" ")
    deltas: list[dict[str, Any]] = [{"role": "assistant", "content": ""}]
    deltas += [{"content": word if number == 0 else f" {word}"} for number, word in enumerate(words)]
    chunks = [{**head, "choices": [{"index": 0, "delta": delta, "finish_reason": None}]} for delta in deltas]
    chunks.append({**head, "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
    if (data.get("stream_options") or {}).get("include_usage"):
        chunks.append({**head, "choices": [], "usage": whole["usage"]})
    for chunk in chunks:
        await response.write(f"data: {json.dumps(chunk)}\n\n".encode())
    await response.write(b"data: [DONE]\n\n")
    return response


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _refusal(status: int, code: str, what: str) -> Wrong:
    kind = "requests" if status == 429 else "invalid_request_error"
    return Wrong(status, {"error": {"message": what, "type": kind, "param": None, "code": code}}, what)


def _bad(what: str) -> Wrong:
    return _refusal(400, "invalid_request", what)
