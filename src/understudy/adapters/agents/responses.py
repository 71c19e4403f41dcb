"""An agent behind the OpenAI Responses API; it asks for one response, stores nothing there and executes no tool.

How `output[]` becomes a draft:

    message: output_text                  text; several are joined by line breaks
    message: refusal                      text, with handoff, where nothing else was said
    annotations: url_citation,            sources; a file citation carries no text, so the passages of
      file_citation                       file_search_call results are taken instead where the answer includes them
    file_search_call.results              sources with text and score (send `include: ["file_search_call.results"]`)
    web_search_call.action.sources        sources without text
    function_call + function_call_output  tool_calls with results; mcp_call the same
    function_call alone                   actions: proposed, held with the draft
    status incomplete                     finish_reason "length" or "content_filter"
    understudy                            as for Chat Completions
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

from understudy.adapters.agents.chat_completions import check_models, extension, model_step
from understudy.adapters.agents.http_call import HttpCall
from understudy.adapters.agents.json_forms import (
    action_form,
    content_version,
    facts_message,
    list_in,
    nonsense,
    object_in,
    read_draft,
    text_in,
)
from understudy.errors import AgentUnavailable
from understudy.ports.agent import DraftRequest
from understudy.records.evidence import ChatMessage, Draft

_MAY_PASS = frozenset({"server_error", "rate_limit_exceeded", "vector_store_timeout"})
"""Codes of a failed response that a later attempt may not meet."""


class ResponsesAgent:
    """Keeps `ports.agent.Agent` over `POST {base_url}/responses`; settings as for `ChatCompletionsAgent`."""

    def __init__(
        self,
        *,
        name: str,
        base_url: str,
        model: str,
        api_key: str | None = None,
        system_prompt: str | None = None,
        parameters: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        version: str | None = None,
    ) -> None:
        self.name = name
        self._model = model
        self._system_prompt = system_prompt
        self._parameters = dict(parameters or {})
        self._call = HttpCall(name=name, address=base_url, api_key=api_key, headers=headers)
        self.version: str | None = version or content_version(
            ["responses", self._call.address, model, system_prompt, self._parameters]
        )

    def __repr__(self) -> str:
        return f"ResponsesAgent({self.name!r}, {self._call.address!r}, model={self._model!r})"

    async def draft(self, request: DraftRequest) -> Draft:
        """Ask for a response and read it as a draft."""
        body = {
            "store": False,
            **self._parameters,
            "model": self._model,
            "input": facts_message(request) + input_form(request.messages),
        }
        if self._system_prompt:
            body["instructions"] = self._system_prompt
        started = time.perf_counter()
        answer = await self._call.post(
            "/responses", body, deadline_s=request.deadline_s, traceparent=request.traceparent
        )
        took_ms = (time.perf_counter() - started) * 1000
        form = draft_form(answer, agent=self.name)
        form.setdefault("pipeline", [model_step(answer, self._model, took_ms)])
        return read_draft(form, agent=self.name, agent_version=self.version)

    async def check(self) -> str:
        """Ask for the list of models: that needs the address and the key to be right, and costs nothing."""
        return await check_models(self._call, self.name, self._model)

    async def close(self) -> None:
        """Close the connections."""
        await self._call.close()


def input_form(messages: Sequence[ChatMessage]) -> list[dict[str, Any]]:
    """Write messages as input items; tool calls and their results become items of their own."""
    items: list[dict[str, Any]] = []
    for message in messages:
        if message.role == "tool":
            items.append(
                {"type": "function_call_output", "call_id": message.tool_call_id or "", "output": message.content or ""}
            )
            continue
        if message.content is not None:
            items.append({"role": "assistant" if message.person else message.role, "content": message.content})
        items += [
            {"type": "function_call", "call_id": call.id, "name": call.name, "arguments": call.arguments}
            for call in message.tool_calls
        ]
    return items


def draft_form(answer: Any, *, agent: str) -> dict[str, Any]:
    """Translate a response to the wire form of a draft; raises `AgentError` naming what is wrong."""
    finish_reason = _finish_reason(object_in(answer, "the answer", agent), agent)
    if not isinstance(answer.get("output"), list):
        raise nonsense(agent, "the answer has no output list; is the address a Responses endpoint?")
    items = [object_in(item, f"output[{n}]", agent) for n, item in enumerate(answer["output"])]
    given = extension(answer, agent)
    text, refusal = _said(items, "output_text", "text", agent), _said(items, "refusal", "refusal", agent)
    tool_calls, actions = _calls(items, agent)
    if not (text or refusal or actions):
        if finish_reason == "length":
            raise nonsense(agent, "the answer was cut off before its first word; raise max_output_tokens")
        raise nonsense(agent, "output has neither text nor refusal nor function calls")
    form = {
        **given,
        "text": text or refusal,
        "finish_reason": finish_reason,
        "sources": _sources(items, agent) + list_in(given.get("sources"), "understudy.sources", agent),
        "tool_calls": tool_calls + list_in(given.get("tool_calls"), "understudy.tool_calls", agent),
        "actions": actions + list_in(given.get("actions"), "understudy.actions", agent),
    }
    return form if text or not refusal else form | {"handoff": True}


def _finish_reason(answer: dict[str, Any], agent: str) -> str:
    status = answer.get("status", "completed")
    if status == "completed":
        return "stop"
    if status == "incomplete":
        details = answer.get("incomplete_details")
        reason = details.get("reason") if isinstance(details, dict) else None
        return reason if isinstance(reason, str) and reason != "max_output_tokens" else "length"
    error = answer.get("error")
    code = error.get("code") if isinstance(error, dict) else None
    if status == "failed" and code in _MAY_PASS:
        raise AgentUnavailable(f"agent {agent!r}: the response failed ({code}); look at its own log")
    raise nonsense(agent, f"the response's status is {str(status)[:40]!r} ({str(code)[:40]}), not completed")


def _parts(items: Sequence[dict[str, Any]], kind: str, agent: str) -> list[dict[str, Any]]:
    """All content parts of this type in the messages, in order."""
    found = []
    for number, item in enumerate(items):
        if item.get("type") == "message":
            where = f"output[{number}].content"
            parts = [object_in(part, where, agent) for part in list_in(item.get("content"), where, agent)]
            found += [part for part in parts if part.get("type") == kind]
    return found


def _said(items: Sequence[dict[str, Any]], kind: str, field: str, agent: str) -> str:
    return "\n".join(text_in(part.get(field), f"output message {kind}", agent) for part in _parts(items, kind, agent))


def _sources(items: Sequence[dict[str, Any]], agent: str) -> list[dict[str, Any]]:
    """Passages of file searches first, then what was cited and is not among them; one source per id."""
    found: dict[str, dict[str, Any]] = {}
    files = set()
    for item in items:
        if item.get("type") == "file_search_call":
            for number, result in enumerate(list_in(item.get("results"), "file_search_call.results", agent)):
                file_id = text_in(object_in(result, "file_search_call.results", agent).get("file_id"), "file_id", agent)
                files.add(file_id)
                key = file_id if file_id not in found else f"{file_id}#{number}"
                found[key] = {
                    "id": key,
                    "title": result.get("filename"),
                    "text": text_in(result.get("text"), "file_search_call.results.text", agent),
                    "score": result.get("score"),
                }
        elif item.get("type") == "web_search_call":
            action = item.get("action") or {}
            for source in list_in(object_in(action, "web_search_call.action", agent).get("sources"), "sources", agent):
                _add_url(found, object_in(source, "web_search_call.action.sources", agent), agent)
    for part in _parts(items, "output_text", agent):
        for annotation in list_in(part.get("annotations"), "annotations", agent):
            kind = object_in(annotation, "annotations", agent).get("type")
            if kind == "url_citation":
                _add_url(found, annotation, agent)
            elif kind in ("file_citation", "container_file_citation") and annotation.get("file_id") not in files:
                file_id = text_in(annotation.get("file_id"), "file_citation.file_id", agent)
                found.setdefault(file_id, {"id": file_id, "title": annotation.get("filename"), "text": ""})
    return list(found.values())


def _add_url(found: dict[str, dict[str, Any]], cited: dict[str, Any], agent: str) -> None:
    url = text_in(cited.get("url"), "url_citation.url", agent)
    known = found.setdefault(url, {"id": url, "url": url, "title": None, "text": ""})
    known["title"] = known["title"] or cited.get("title")


def _calls(items: Sequence[dict[str, Any]], agent: str) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Function calls with an output were executed (tool_calls); the others are proposed (actions)."""
    outputs = {item.get("call_id"): item for item in items if item.get("type") == "function_call_output"}
    executed, proposed = [], []
    for number, item in enumerate(items):
        where, kind = f"output[{number}]", item.get("type")
        if kind == "function_call" and item.get("call_id") not in outputs:
            proposed.append(action_form(item.get("name"), item.get("arguments", "{}"), where, agent))
        elif kind in ("function_call", "mcp_call"):
            result = item if kind == "mcp_call" else outputs[item.get("call_id")]
            executed.append(
                {
                    "id": item.get("call_id") or item.get("id") or f"call-{number}",
                    "name": text_in(item.get("name"), f"{where}.name", agent),
                    "arguments": item.get("arguments", "{}"),
                    "result": result.get("output"),
                    "error": result.get("error"),
                }
            )
    return executed, proposed
