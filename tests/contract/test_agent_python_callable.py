"""What a Python function may take, return and raise as an agent."""

from __future__ import annotations

import asyncio
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from understudy.adapters.agents.python_callable import CALLS_MAX, PythonCallableAgent
from understudy.errors import AgentAnsweredNonsense, AgentTimedOut, AgentUnavailable, ConfigurationError
from understudy.ports.agent import DraftRequest
from understudy.records.evidence import Action, ChatMessage, ContactFacts, Draft, Passage


def request(*, deadline_s: float = 5.0) -> DraftRequest:
    return DraftRequest(
        turn_id="t-1",
        conversation_id="c-1",
        channel="webchat",
        topic="cards",
        messages=(
            ChatMessage(role="assistant", content="Ada here.", person=True),
            ChatMessage(role="user", content="When does it arrive?"),
        ),
        contact=ContactFacts(id="k-1", phones=("+15550100",)),
        deadline_s=deadline_s,
    )


def ask(function: Any, *, deadline_s: float = 5.0) -> Draft:
    agent = PythonCallableAgent(name="mine", function=function, version="v3")
    return asyncio.run(agent.draft(request(deadline_s=deadline_s)))


def test_function_gets_the_body_of_post_draft() -> None:
    seen: list[dict[str, Any]] = []

    def function(body: dict[str, Any]) -> str:
        seen.append(body)
        return "ok"

    ask(function)
    assert seen == [
        {
            "turn_id": "t-1",
            "conversation_id": "c-1",
            "channel": "webchat",
            "topic": "cards",
            "messages": [
                {"role": "assistant", "content": "Ada here.", "person": True},
                {"role": "user", "content": "When does it arrive?"},
            ],
            "contact": {"id": "k-1", "name": None, "emails": [], "phones": ["+15550100"]},
            "deadline_s": 5.0,
        }
    ]


def test_string_is_a_draft() -> None:
    assert ask(lambda body: "Soon.") == Draft(text="Soon.", agent="mine", agent_version="v3")


def test_dict_is_read_in_wire_form() -> None:
    draft = ask(
        lambda body: {"text": "Soon.", "sources": [{"id": "kb-1", "quote": "Five days."}], "agent_version": "v9"}
    )
    assert (draft.sources, draft.agent_version) == ((Passage(id="kb-1", text="Five days."),), "v9")


def test_draft_is_taken_under_the_agents_name() -> None:
    given = Draft(text="Soon.", actions=(Action(name="refund", arguments={"amount": 5}),), confidence=0.5)
    draft = ask(lambda body: given)
    assert (draft.text, draft.actions, draft.agent, draft.agent_version) == ("Soon.", given.actions, "mine", "v3")


def test_async_function_and_plain_function_that_returns_a_coroutine_are_awaited() -> None:
    async def reply(body: dict[str, Any]) -> str:
        return "Soon."

    def begin(body: dict[str, Any]) -> Any:
        return reply(body)

    assert ask(reply).text == ask(begin).text == "Soon."


@pytest.mark.parametrize(
    "answer",
    [None, 7, b"bytes", ["a"], {}, {"text": 7}, {"text": "x", "confidence": 2}, {"text": {1, 2}}, {"text": "\ud800"},
     {"text": "x", "actions": [{"name": "r", "arguments": {"a": float("nan")}}]},
     Draft(text=7),  # type: ignore[arg-type]
     Draft(text="\ud800"),
     Draft(text="x", actions=(Action(name="r", arguments={"a": float("inf")}),))],
)  # fmt: skip
def test_answer_that_is_no_draft_is_nonsense(answer: Any) -> None:
    with pytest.raises(AgentAnsweredNonsense, match="mine"):
        ask(lambda body: answer)


@pytest.mark.parametrize("error", [ValueError("card 4111"), KeyError("x"), ConnectionError("down")])
def test_exception_is_unavailable_and_keeps_its_words_to_itself(error: Exception) -> None:
    def function(body: dict[str, Any]) -> str:
        raise error

    with pytest.raises(AgentUnavailable, match=type(error).__name__) as caught:
        ask(function)
    assert "4111" not in str(caught.value)


def test_sys_exit_ends_the_call_and_not_the_server() -> None:
    with pytest.raises(AgentUnavailable):
        ask(lambda body: sys.exit(3))


def test_agent_error_passes_as_it_is() -> None:
    def function(body: dict[str, Any]) -> str:
        raise AgentUnavailable("busy", retry_after_s=9)

    with pytest.raises(AgentUnavailable) as caught:
        ask(function)
    assert caught.value.retry_after_s == 9


def test_plain_function_that_hangs_is_left_behind_at_the_deadline() -> None:
    release = threading.Event()
    with pytest.raises(AgentTimedOut):
        ask(lambda body: release.wait(5), deadline_s=0.05)
    release.set()


def test_async_function_that_hangs_is_cancelled_at_the_deadline() -> None:
    cancelled = []

    async def function(body: dict[str, Any]) -> str:
        try:
            await asyncio.sleep(5)
        except asyncio.CancelledError:
            cancelled.append(True)
            raise
        return "late"

    with pytest.raises(AgentTimedOut):
        ask(function, deadline_s=0.05)
    assert cancelled == [True]


def test_hanging_calls_are_limited_and_their_places_come_back() -> None:
    release, running = threading.Event(), []

    def function(body: dict[str, Any]) -> str:
        running.append(1)
        release.wait(5)
        return "late"

    async def scene() -> Draft:
        agent = PythonCallableAgent(name="mine", function=function)
        calls = [agent.draft(request(deadline_s=0.2)) for _ in range(CALLS_MAX + 3)]
        outcomes = await asyncio.gather(*calls, return_exceptions=True)
        assert all(isinstance(outcome, AgentTimedOut) for outcome in outcomes)
        assert len(running) == CALLS_MAX
        release.set()
        return await agent.draft(request())

    assert asyncio.run(scene()).text == "late"


def test_function_is_imported_from_the_folder_of_the_configuration(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "path", list(sys.path))
    (tmp_path / "my_agent_module_71.py").write_text("def reply(body):\n    return 'from a file'\n")
    agent = PythonCallableAgent(name="mine", function="my_agent_module_71:reply", folder=tmp_path)
    assert asyncio.run(agent.draft(request())).text == "from a file"
    assert "my_agent_module_71:reply" in asyncio.run(agent.check())


@pytest.mark.parametrize("target", ["json", "json:", ":dumps", "no_such_module_71:f", "json:no_such", "json:decoder"])
def test_function_that_cannot_be_imported_is_a_configuration_error(target: str) -> None:
    with pytest.raises(ConfigurationError, match="mine"):
        PythonCallableAgent(name="mine", function=target)


def test_module_that_breaks_while_imported_is_a_configuration_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "path", list(sys.path))
    (tmp_path / "broken_module_71.py").write_text("raise ValueError('no key')\n")
    with pytest.raises(ConfigurationError, match="no key"):
        PythonCallableAgent(name="mine", function="broken_module_71:f", folder=tmp_path)
