"""The fake LLM endpoint: what the product's agents and opinions make of it, how strict it is, streams, limits and keys."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

from understudy.adapters.agents.chat_completions import ChatCompletionsAgent
from understudy.adapters.agents.embeddings import EmbeddingsOpinion
from understudy.adapters.agents.judge import JudgeOpinion
from understudy.ports.agent import DraftRequest
from understudy.ports.opinion import OpinionRequest
from understudy.records.evidence import ChatMessage, Draft, Passage
from understudy.testing.fakes import Fakes

ASKED = {"model": "fake-1", "messages": [{"role": "user", "content": "When do you open?"}]}


@pytest.fixture(scope="module")
def fakes() -> Iterator[Fakes]:
    with Fakes() as fakes:
        yield fakes


def post(llm: Any, body: Any = ASKED, *, path: str = "/v1/chat/completions", **headers: str) -> httpx2.Response:
    return httpx2.post(llm.url + path, json=body, headers=headers)


async def closing(one: Any, asked: Any) -> Any:
    try:
        return await asked
    finally:
        await one.close()


def test_an_agent_drafts_with_sources(fakes: Fakes) -> None:
    llm = fakes.llm(key="k")
    agent = ChatCompletionsAgent(name="bot", base_url=f"{llm.url}/v1", model="fake-1", api_key="k")
    request = DraftRequest(turn_id="t", conversation_id="c", channel="x", topic=None, contact=None, messages=(ChatMessage(role="user", content="Hi"),), deadline_s=5)  # fmt: skip
    draft = asyncio.run(closing(agent, agent.draft(request)))
    assert (draft.text, draft.sources[0].text) == ("About Hi", "About Hi")
    assert llm.complaints == []


def test_a_judge_and_a_nearness_are_given(fakes: Fakes) -> None:
    llm = fakes.llm()
    draft = Draft(text="It left on Monday.", sources=(Passage(id="p", text="It left on Monday."),))
    request = OpinionRequest(turn_id="t", conversation_id="c", channel="x", messages=(ChatMessage(role="user", content="Where?"),), draft=draft, deadline_s=5)  # fmt: skip
    judge = JudgeOpinion(name="judge", base_url=f"{llm.url}/v1", model="fake-1")
    assert asyncio.run(closing(judge, judge.ask(request))).word == "pass"
    near = EmbeddingsOpinion(name="near", base_url=f"{llm.url}/v1", model="fake-1")
    assert asyncio.run(closing(near, near.ask(request))).score == pytest.approx(1.0)
    assert llm.complaints == []


def test_a_stream_says_the_same_word_by_word(fakes: Fakes) -> None:
    llm = fakes.llm()
    whole = post(llm).json()["choices"][0]["message"]["content"]
    answer = post(llm, {**ASKED, "stream": True, "stream_options": {"include_usage": True}})
    assert answer.headers["content-type"].startswith("text/event-stream")
    lines = [line.removeprefix("data: ") for line in answer.text.split("\n\n") if line]
    assert lines[-1] == "[DONE]"
    chunks = [json.loads(line) for line in lines[:-1]]
    said = "".join(chunk["choices"][0]["delta"].get("content", "") for chunk in chunks if chunk["choices"])
    assert said == whole
    assert [chunk["choices"][0]["finish_reason"] for chunk in chunks if chunk["choices"]][-1] == "stop"
    assert chunks[-1]["usage"]["total_tokens"] > 0


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        ({**ASKED, "modle": 1}, 400, "Unrecognized request argument supplied: modle"),
        ({**ASKED, "model": "other"}, 404, "does not exist"),
        ({**ASKED, "messages": []}, 400, "messages"),
        ({**ASKED, "messages": [{"role": "robot", "content": "x"}]}, 400, "messages[0].role is 'robot'"),
        ({**ASKED, "messages": [{"role": "user"}]}, 400, "messages[0].content"),
        ({**ASKED, "messages": [{"role": "tool", "content": "x", "tool_call_id": "1"}]}, 400, "answers no tool call"),
        ({**ASKED, "temperature": 3}, 400, "temperature"),
        ([], 400, "a JSON list"),
    ],
)
def test_what_is_wrong_is_refused_and_said(fakes: Fakes, body: Any, status: int, said: str) -> None:
    llm = fakes.llm()
    answer = post(llm, body)
    assert answer.status_code == status
    assert said in answer.json()["error"]["message"]
    assert len(llm.complaints) == 1


def test_a_wrong_key_a_strange_address_and_too_many_requests(fakes: Fakes) -> None:
    llm = fakes.llm(key="k", per_minute_max=2)
    assert post(llm).json()["error"]["code"] == "invalid_api_key"
    assert post(llm, path="/v2", authorization="Bearer k").status_code == 404
    assert post(llm, authorization="Bearer k").status_code == 200
    limited = post(llm, authorization="Bearer k")
    assert (limited.status_code, limited.headers["retry-after"]) == (429, "1")
    assert limited.json()["error"]["code"] == "rate_limit_exceeded"


def test_an_idempotency_key_gives_the_same_answer_for_the_same_request_alone(fakes: Fakes) -> None:
    llm = fakes.llm()
    first, second = (post(llm, **{"idempotency-key": "a"}).json()["id"] for _ in range(2))
    assert first == second
    assert post(llm).json()["id"] != first
    assert post(llm, {**ASKED, "seed": 1}, **{"idempotency-key": "a"}).status_code == 400


def test_other_ways_to_ask_for_a_draft(fakes: Fakes) -> None:
    llm = fakes.llm()
    assert post(llm, {"messages": ASKED["messages"]}, path="/draft").json()["text"] == "About When do you open?"
    said = post(llm, {"model": "fake-1", "input": "Hi"}, path="/v1/responses").json()["output"][0]["content"][0]
    assert said == {"type": "output_text", "text": "About Hi", "annotations": []}
    assert [one["id"] for one in httpx2.get(f"{llm.url}/v1/models").json()["data"]] == ["fake-1"]


def test_the_fixture_of_the_plugin_starts_fakes(understudy_fakes: Fakes) -> None:
    assert post(understudy_fakes.llm()).status_code == 200


def test_one_fake_is_started_from_the_command_line(fakes: Fakes) -> None:
    sink = fakes.webhook()
    words = [sys.executable, "-m", "understudy.testing", "chatwoot", "--webhook", sink.url, "--secret", "s"]
    ended = subprocess.run(words, input="49: Hello\n", capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 0, ended.stderr
    assert "listens on http://127.0.0.1:" in ended.stdout
    assert "signs with s" in ended.stdout
    assert "49 wrote; it was NOT acknowledged" in ended.stdout
    assert sink.complaints, "it was asked"


@pytest.mark.parametrize(("fault", "said"), [("flood", "there is timeout"), ("drip=2", "share must be")])
def test_a_wrong_fault_is_a_message(fault: str, said: str) -> None:
    words = [sys.executable, "-m", "understudy.testing", "llm", "--fault", fault]
    ended = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 2
    assert said in ended.stderr
    assert "Traceback" not in ended.stderr
