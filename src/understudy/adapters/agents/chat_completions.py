"""An agent behind an OpenAI-compatible Chat Completions endpoint; it asks for one answer and executes no tool.

How the answer becomes a draft (the first choice counts):

    content                               text; parts of a list are joined by line breaks
    refusal                               text, with handoff: the model says it will not answer, so a person should
    annotations: url_citation             sources
    tool_calls                            actions: proposed, held with the draft, executed by nobody here
    finish_reason, model                  finish_reason ("length" = cut off); model goes to the pipeline log
    understudy (beside `choices`,         sources, tool_calls, actions, pipeline, confidence, topic, handoff and
    or inside the message)                does_not_know as in docs/reference/draft.md: how an agent hands over evidence

A tool call that `understudy.tool_calls` lists under the same id was executed by the agent and is no action.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from understudy.adapters.agents.http_call import HttpCall
from understudy.adapters.agents.json_forms import (
    action_form,
    chat_form,
    content_version,
    facts_message,
    list_in,
    nonsense,
    object_in,
    read_draft,
    text_in,
)
from understudy.ports.agent import DraftRequest
from understudy.records.evidence import Draft

EXTENSION_FIELDS = (
    "sources", "tool_calls", "actions", "pipeline", "confidence", "topic", "handoff", "does_not_know", "cost",
)  # fmt: skip
"""What the answer's `understudy` object may carry; other fields in it are passed over."""


class ChatCompletionsAgent:
    """Keeps `ports.agent.Agent` over `POST {base_url}/chat/completions`.

    `base_url` ends before `/chat/completions` (as `https://api.example.com/v1`). `api_key` is sent as a bearer token
    and shown nowhere. `parameters` go into the body as they are (temperature, tools, …). `version` is by default a
    hash of address, model, prompt and parameters, so that a change of any of them is a new version.
    """

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
            ["chat_completions", self._call.address, model, system_prompt, self._parameters]
        )

    def __repr__(self) -> str:
        return f"ChatCompletionsAgent({self.name!r}, {self._call.address!r}, model={self._model!r})"

    async def draft(self, request: DraftRequest) -> Draft:
        """Ask for a completion and read it as a draft."""
        prompt = [{"role": "system", "content": self._system_prompt}] if self._system_prompt else []
        messages = prompt + facts_message(request) + chat_form(request.messages)
        body = {**self._parameters, "model": self._model, "messages": messages}
        started = time.perf_counter()
        answer = await self._call.post(
            "/chat/completions", body, deadline_s=request.deadline_s, traceparent=request.traceparent
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


def draft_form(answer: Any, *, agent: str) -> dict[str, Any]:
    """Translate a completion to the wire form of a draft; raises `AgentAnsweredNonsense` naming what is wrong."""
    choices = list_in(object_in(answer, "the answer", agent).get("choices"), "choices", agent)
    if not choices:
        raise nonsense(agent, "the answer has no choices; is the address a Chat Completions endpoint?")
    choice = object_in(choices[0], "choices[0]", agent)
    message = object_in(choice.get("message"), "choices[0].message", agent)
    given = extension(answer, agent) | extension(message, agent)
    text = _content(message.get("content"), agent)
    refusal = text_in(message.get("refusal"), "choices[0].message.refusal", agent)
    actions = _actions(message, given, agent)
    if not (text or refusal or actions):
        if choice.get("finish_reason") == "length":
            raise nonsense(agent, "the answer was cut off before its first word; raise the limit on tokens")
        raise nonsense(agent, "choices[0].message has neither content nor refusal nor tool_calls")
    form = {
        **given,
        "text": text or refusal,
        "finish_reason": choice.get("finish_reason"),
        "sources": _citations(message, agent) + list_in(given.get("sources"), "understudy.sources", agent),
        "actions": actions + list_in(given.get("actions"), "understudy.actions", agent),
    }
    return form if text or not refusal else form | {"handoff": True}


def extension(holder: dict[str, Any], agent: str) -> dict[str, Any]:
    """Take the known, non-null fields of an `understudy` object, where there is one."""
    found = holder.get("understudy")
    given = {} if found is None else object_in(found, "understudy", agent)
    return {field: given[field] for field in EXTENSION_FIELDS if given.get(field) is not None}


def model_step(answer: dict[str, Any], model: str, took_ms: float) -> dict[str, Any]:
    """Write the one pipeline step a plain answer proves: this model answered, in this time."""
    answered = answer.get("model")
    return {"name": "model", "model": answered if isinstance(answered, str) else model, "took_ms": took_ms}


async def check_models(call: HttpCall, name: str, model: str) -> str:
    """Say in one line that `GET /models` answers and whether it lists the model; raises `AgentError`."""
    status, answer = await call.reach("/models")
    listed = answer.get("data") if isinstance(answer, dict) else None
    if not isinstance(listed, list):
        return f"{name}: {call.address} answers (status {status}, lists no models)"
    ids = {entry.get("id") for entry in listed if isinstance(entry, dict)}
    found = f"model {model} is there" if model in ids else f"but model {model} is not among the {len(ids)} it lists"
    return f"{name}: {call.address} answers, {found}"


def _content(content: Any, agent: str) -> str:
    if not isinstance(content, list):
        return text_in(content, "choices[0].message.content", agent)
    parts = [object_in(part, f"choices[0].message.content[{n}]", agent) for n, part in enumerate(content)]
    return "\n".join(
        text_in(part.get("text"), f"choices[0].message.content[{n}].text", agent)
        for n, part in enumerate(parts)
        if part.get("type") == "text"
    )


def _citations(message: dict[str, Any], agent: str) -> list[dict[str, Any]]:
    """Read url_citation annotations as sources, one per address; some servers put the cited text in `content`."""
    found: dict[str, dict[str, Any]] = {}
    for number, annotation in enumerate(list_in(message.get("annotations"), "annotations", agent)):
        where = f"choices[0].message.annotations[{number}]"
        if object_in(annotation, where, agent).get("type") != "url_citation":
            continue
        cited = object_in(annotation.get("url_citation"), f"{where}.url_citation", agent)
        url = text_in(cited.get("url"), f"{where}.url_citation.url", agent)
        text = text_in(cited.get("content"), f"{where}.url_citation.content", agent)
        found.setdefault(url, {"id": url, "url": url, "title": cited.get("title"), "text": text})
    return list(found.values())


def _actions(message: dict[str, Any], given: dict[str, Any], agent: str) -> list[dict[str, Any]]:
    executed = {
        call.get("id")
        for call in list_in(given.get("tool_calls"), "understudy.tool_calls", agent)
        if isinstance(call, dict) and call.get("id")
    }
    actions = []
    for number, call in enumerate(list_in(message.get("tool_calls"), "choices[0].message.tool_calls", agent)):
        where = f"choices[0].message.tool_calls[{number}]"
        if object_in(call, where, agent).get("id") in executed:
            continue
        if call.get("type") == "custom":
            custom = object_in(call.get("custom"), f"{where}.custom", agent)
            actions.append(action_form(custom.get("name"), {"input": custom.get("input")}, f"{where}.custom", agent))
        else:
            function = object_in(call.get("function"), f"{where}.function", agent)
            actions.append(
                action_form(function.get("name"), function.get("arguments", "{}"), f"{where}.function", agent)
            )
    return actions
