"""An agent that is a Python function of yours, named as `module:function`; it runs in this process, unsandboxed.

The function gets one dict, the body of `POST /draft` (docs/reference/draft.md), and returns the reply as a string, a
draft as a dict in the same form as the answer to `POST /draft`, or a `records.evidence.Draft`. It may be async. A plain
function runs in a thread of its own and may block; a thread cannot be stopped, so one that outlives its deadline keeps
running, its result is dropped, and at most `CALLS_MAX` of them exist at a time. The threads do not keep the process
from ending.
"""

from __future__ import annotations

import asyncio
import contextvars
import dataclasses
import importlib
import inspect
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from understudy.adapters.agents.json_forms import nonsense, read_draft, request_form
from understudy.errors import AgentError, AgentTimedOut, AgentUnavailable, ConfigurationError, MalformedInput
from understudy.ports.agent import DraftRequest
from understudy.records.codec import build, canonical
from understudy.records.evidence import Draft

CALLS_MAX = 32
"""Calls of a plain function under way at a time; further ones wait, within their deadline."""

DraftFunction = Callable[[dict[str, Any]], Any]


class PythonCallableAgent:
    """Keeps `ports.agent.Agent` over a function in this process.

    `function` is the function itself or `module:name`; `folder` is put on the import path first, so that a module
    beside the configuration file is found. Raises `ConfigurationError` where the function cannot be imported.
    """

    def __init__(
        self, *, name: str, function: DraftFunction | str, folder: Path | None = None, version: str | None = None
    ) -> None:
        self.name = name
        self.version = version
        self._function = _imported(name, function, folder) if isinstance(function, str) else function
        self._calls = asyncio.Semaphore(CALLS_MAX)

    async def draft(self, request: DraftRequest) -> Draft:
        """Call the function and read what it returns as a draft.

        An `AgentError` the function raises passes as it is, `TimeoutError` becomes `AgentTimedOut`, every other
        exception `AgentUnavailable`: like a server error, it may not happen the next time.
        """
        try:
            async with asyncio.timeout(max(request.deadline_s, 0.0)):
                answer = await self._called(request_form(request))
        except AgentError:
            raise
        except TimeoutError as error:
            raise AgentTimedOut(f"agent {self.name!r} did not answer within {request.deadline_s:g} s") from error
        except Exception as error:  # a customer's function may raise anything
            raise AgentUnavailable(f"agent {self.name!r} raised {type(error).__name__}") from error
        return self._read(answer)

    async def check(self) -> str:
        """Say which function drafts; it is not called, because a call may cost something."""
        module, name = getattr(self._function, "__module__", "?"), getattr(self._function, "__qualname__", "?")
        return f"{self.name}: Python function {module}:{name} is imported"

    async def close(self) -> None:
        """Nothing to let go of: the threads end with their calls."""

    async def _called(self, body: dict[str, Any]) -> Any:
        called = getattr(self._function, "__call__", None)  # noqa: B004
        if inspect.iscoroutinefunction(self._function) or inspect.iscoroutinefunction(called):
            return await self._function(body)
        await self._calls.acquire()
        answer = await _in_thread(self._function, body, when_over=self._calls.release)
        return await answer if inspect.isawaitable(answer) else answer

    def _read(self, answer: Any) -> Draft:
        if isinstance(answer, str):
            answer = {"text": answer}
        if isinstance(answer, dict):
            return read_draft(answer, agent=self.name, agent_version=self.version)
        if not isinstance(answer, Draft):
            raise nonsense(self.name, f"it returned {type(answer).__name__}, not a str, a dict or a Draft")
        try:
            plain = dataclasses.asdict(answer)
            canonical(plain).encode()  # what JSON cannot carry (NaN, half surrogates) must not reach the store
            draft = build(Draft, plain)
        except (MalformedInput, TypeError, ValueError) as error:
            raise nonsense(self.name, str(error)) from error
        unnamed = draft.agent == "unnamed"
        return dataclasses.replace(
            draft,
            agent=self.name if unnamed else draft.agent,
            agent_version=draft.agent_version or self.version,
        )


async def _in_thread(function: DraftFunction, body: dict[str, Any], *, when_over: Callable[[], None]) -> Any:
    """Run a function in a thread that may be left behind; `when_over` is called in the loop when it really ended."""
    loop = asyncio.get_running_loop()
    result: asyncio.Future[tuple[Any, BaseException | None]] = loop.create_future()
    context = contextvars.copy_context()

    def settle(value: Any, error: BaseException | None) -> None:
        when_over()
        if not result.done():
            result.set_result((value, error))

    def work() -> None:
        value, error = None, None
        try:
            value = context.run(function, body)
        except BaseException as raised:  # noqa: BLE001 - carried to the caller, where it is raised again
            error = raised
        try:
            loop.call_soon_threadsafe(settle, value, error)
        except RuntimeError:
            pass  # the loop was closed while the function ran on: nobody waits any more

    try:
        threading.Thread(target=work, name="understudy-agent", daemon=True).start()
    except RuntimeError:  # the system gives no more threads
        when_over()
        raise
    value, error = await result
    if isinstance(error, Exception):
        raise error
    if error is not None:  # sys.exit() in the function ends its thread, not the server
        raise RuntimeError(f"the function ended by {type(error).__name__}") from error
    return value


def _imported(agent: str, target: str, folder: Path | None) -> DraftFunction:
    module_name, _, function_name = target.partition(":")
    if not module_name or not function_name:
        raise ConfigurationError(f"agent {agent!r}: {target!r} must be written as module:function")
    if folder is not None and str(folder) not in sys.path:
        sys.path.insert(0, str(folder))
    try:
        function = importlib.import_module(module_name)
        for part in function_name.split("."):
            function = getattr(function, part)
    except Exception as error:  # a module of yours may raise anything while it is imported
        raise ConfigurationError(
            f"agent {agent!r}: cannot import {target!r}: {type(error).__name__}: {error}"
        ) from error
    if not callable(function):
        raise ConfigurationError(f"agent {agent!r}: {target!r} is {type(function).__name__}, not a function")
    return function
