"""What every agent promises behind `ports/agent.py`, run against each kind; those over HTTP against a real server."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from understudy.adapters.agents.chat_completions import ChatCompletionsAgent
from understudy.adapters.agents.faq import FaqAgent
from understudy.adapters.agents.http_call import ANSWER_BYTES_MAX
from understudy.adapters.agents.http_draft import HttpDraftAgent
from understudy.adapters.agents.python_callable import PythonCallableAgent
from understudy.adapters.agents.responses import ResponsesAgent
from understudy.errors import AgentAnsweredNonsense, AgentError, AgentTimedOut, AgentUnavailable, ConfigurationError
from understudy.ports.agent import Agent, DraftRequest
from understudy.records.evidence import ChatMessage, ContactFacts, Draft
from understudy.testing.scripted import ScriptedAgent

SECRET = "sk-very-secret-71c9"
TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
REPLY = "Your card arrives within five working days."


def request(text: str = "When does my card arrive?", *, deadline_s: float = 5.0) -> DraftRequest:
    return DraftRequest(
        turn_id="t-1",
        conversation_id="c-1",
        channel="webchat",
        topic=None,
        messages=(
            ChatMessage(role="user", content="Hello"),
            ChatMessage(role="assistant", content="Hello, Ada here.", person=True),
            ChatMessage(role="user", content=text),
        ),
        contact=ContactFacts(id="k-1", name="Grace", emails=("grace@example.com",)),
        deadline_s=deadline_s,
        traceparent=TRACE,
    )


async def _used(agent: Agent, use: Callable[[Agent], Awaitable[Any]]) -> Any:
    try:
        return await use(agent)
    finally:
        await agent.close()


def ask(agent: Agent, asked: DraftRequest | None = None) -> Draft:
    return asyncio.run(_used(agent, lambda a: a.draft(asked or request())))  # type: ignore[no-any-return]


def check(agent: Agent) -> str:
    return asyncio.run(_used(agent, lambda a: a.check()))  # type: ignore[no-any-return]


# ------------------------------------------------------------------------------------------------ over HTTP


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpKind:
    """How to make one kind of HTTP agent, where it posts, and how its server says a reply."""

    name: str
    path: str
    make: Callable[[str], Agent]
    says: Callable[[str], dict[str, Any]]


HTTP_KINDS = [
    HttpKind(
        name="chat_completions",
        path="/v1/chat/completions",
        make=lambda url: ChatCompletionsAgent(name="shop", base_url=f"{url}/v1", model="m-1", api_key=SECRET),
        says=lambda text: {"choices": [{"message": {"role": "assistant", "content": text}, "finish_reason": "stop"}]},
    ),
    HttpKind(
        name="responses",
        path="/v1/responses",
        make=lambda url: ResponsesAgent(name="shop", base_url=f"{url}/v1/", model="m-1", api_key=SECRET),
        says=lambda text: {
            "status": "completed",
            "output": [{"type": "message", "content": [{"type": "output_text", "text": text, "annotations": []}]}],
        },
    ),
    HttpKind(
        name="http_draft",
        path="/draft",
        make=lambda url: HttpDraftAgent(name="shop", url=f"{url}/draft", api_key=SECRET, version="v1"),
        says=lambda text: {"text": text},
    ),
]


@pytest.fixture(params=HTTP_KINDS, ids=lambda kind: kind.name)
def kind(request: pytest.FixtureRequest) -> HttpKind:
    found: HttpKind = request.param
    return found


def base(httpserver: HTTPServer) -> str:
    return str(httpserver.url_for("")).rstrip("/")


def answering(kind: HttpKind, httpserver: HTTPServer, answer: Response | Callable[[Request], Response]) -> Agent:
    """Make the agent, and its server give this answer."""
    handler = answer if callable(answer) and not isinstance(answer, Response) else lambda _: answer
    httpserver.expect_request(kind.path, method="POST").respond_with_handler(handler)
    return kind.make(base(httpserver))


def json_answer(body: Any, *, status: int = 200) -> Response:
    return Response(json.dumps(body), status=status, content_type="application/json")


def test_http_agent_gives_the_reply_under_its_name_and_version(kind: HttpKind, httpserver: HTTPServer) -> None:
    agent = answering(kind, httpserver, json_answer(kind.says(REPLY)))
    draft = ask(agent)
    assert (draft.text, draft.agent, draft.agent_version) == (REPLY, "shop", agent.version)


def test_http_agent_sends_the_key_and_the_trace(kind: HttpKind, httpserver: HTTPServer) -> None:
    ask(answering(kind, httpserver, json_answer(kind.says(REPLY))))
    headers = httpserver.log[0][0].headers
    assert (headers["authorization"], headers["traceparent"]) == (f"Bearer {SECRET}", TRACE)


def test_http_agent_keeps_every_language_intact(kind: HttpKind, httpserver: HTTPServer) -> None:
    text = "Grüße, 您好, مرحبا 👩‍🚀"
    assert ask(answering(kind, httpserver, json_answer(kind.says(text))), request(text)).text == text
    assert text in json.dumps(httpserver.log[0][0].get_json(), ensure_ascii=False)


def test_http_agent_can_be_asked_twice_for_one_turn(kind: HttpKind, httpserver: HTTPServer) -> None:
    async def twice(agent: Agent) -> tuple[Draft, Draft]:
        return await agent.draft(request()), await agent.draft(request())

    agent = answering(kind, httpserver, json_answer(kind.says(REPLY)))
    first, second = asyncio.run(_used(agent, twice))
    assert first.text == second.text


@pytest.mark.parametrize("status", [500, 502, 503, 529, 408, 425, 429])
def test_server_error_or_too_many_requests_is_unavailable(kind: HttpKind, httpserver: HTTPServer, status: int) -> None:
    with pytest.raises(AgentUnavailable, match=str(status)) as caught:
        ask(answering(kind, httpserver, Response("oops", status=status)))
    assert caught.value.is_retryable


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": "99999999"}, 3600.0),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "-5"}, None),
        ({}, None),
    ],
)
def test_retry_after_is_carried(
    kind: HttpKind, httpserver: HTTPServer, headers: dict[str, str], seconds: float | None
) -> None:
    with pytest.raises(AgentUnavailable) as caught:
        ask(answering(kind, httpserver, Response("slow down", status=429, headers=headers)))
    assert caught.value.retry_after_s == seconds


@pytest.mark.parametrize(
    ("status", "hint"),
    [(400, "model"), (401, "key"), (403, "key"), (404, "address"), (405, "path"), (413, "long"), (422, "format")],
)
def test_refusal_is_nonsense_and_says_what_to_check(
    kind: HttpKind, httpserver: HTTPServer, status: int, hint: str
) -> None:
    with pytest.raises(AgentAnsweredNonsense, match=rf"answered {status}.*{hint}") as caught:
        ask(answering(kind, httpserver, Response("no", status=status)))
    assert not caught.value.is_retryable


def test_refusal_names_the_codes_and_not_the_words_of_the_error_body(kind: HttpKind, httpserver: HTTPServer) -> None:
    body = {"error": {"code": "model_not_found", "type": "invalid_request_error", "message": "you sent: my PIN is 1"}}
    with pytest.raises(AgentAnsweredNonsense, match="model_not_found") as caught:
        ask(answering(kind, httpserver, json_answer(body, status=404)))
    assert "PIN" not in str(caught.value)


def test_redirect_is_not_followed(kind: HttpKind, httpserver: HTTPServer) -> None:
    httpserver.expect_request("/elsewhere").respond_with_json(kind.says("I am somebody else"))
    with pytest.raises(AgentAnsweredNonsense, match="redirect"):
        ask(answering(kind, httpserver, Response(status=307, headers={"location": "/elsewhere"})))
    assert len(httpserver.log) == 1


@pytest.mark.parametrize(
    "body",
    [
        b"", b"<html>busy</html>", b'{"text": "cut', b"\xff\xfe\x00", b'{"text": "\xff"}', b'{"text": "\\ud800"}',
        b"[" * 100_000, b"null", b"[]", b"42", b'"hi"', b"{}", b'{"choices": []}', b'{"output": "x"}', b'{"text": 7}',
        b'{"choices": [{"message": {"content": {"a": 1}}}]}', b'{"choices": {"a": 1}, "output": [3]}',
        b'{"choices": [{"message": null}], "output": [{"type": "message", "content": "x"}]}',
    ],
)  # fmt: skip
def test_body_that_is_no_draft_is_nonsense(kind: HttpKind, httpserver: HTTPServer, body: bytes) -> None:
    with pytest.raises(AgentAnsweredNonsense, match="shop"):
        ask(answering(kind, httpserver, Response(body, content_type="application/json")))


def test_answer_larger_than_the_limit_is_dropped(kind: HttpKind, httpserver: HTTPServer) -> None:
    answer = json_answer(kind.says("x" * (ANSWER_BYTES_MAX + 1)))
    with pytest.raises(AgentAnsweredNonsense, match="2,000,000 bytes"):
        ask(answering(kind, httpserver, answer))


def test_reply_longer_than_a_draft_may_be_is_nonsense(kind: HttpKind, httpserver: HTTPServer) -> None:
    with pytest.raises(AgentAnsweredNonsense, match="text"):
        ask(answering(kind, httpserver, json_answer(kind.says("x" * 100_001))))


def test_number_that_json_cannot_carry_is_nonsense(kind: HttpKind, httpserver: HTTPServer) -> None:
    actions = '"actions": [{"name": "refund", "arguments": {"amount": 1e999}}]'
    said = json.dumps(kind.says(REPLY))[:-1]
    with pytest.raises(AgentAnsweredNonsense, match="JSON"):
        ask(answering(kind, httpserver, Response(f'{said}, {actions}, "understudy": {{{actions}}}}}')))


def test_silence_ends_at_the_deadline(kind: HttpKind, httpserver: HTTPServer) -> None:
    def slow(_: Request) -> Response:
        time.sleep(0.6)
        return json_answer(kind.says(REPLY))

    with pytest.raises(AgentTimedOut, match=r"0\.15 s"):
        ask(answering(kind, httpserver, slow), request(deadline_s=0.15))


def test_slow_drip_ends_at_the_deadline(kind: HttpKind, httpserver: HTTPServer) -> None:
    def drip() -> Any:
        for _ in range(20):
            time.sleep(0.05)
            yield b" "

    with pytest.raises(AgentTimedOut):
        ask(answering(kind, httpserver, lambda _: Response(drip())), request(deadline_s=0.2))


def test_no_time_left_is_a_time_out(kind: HttpKind, httpserver: HTTPServer) -> None:
    with pytest.raises(AgentTimedOut):
        ask(answering(kind, httpserver, json_answer(kind.says(REPLY))), request(deadline_s=0.0))


def talking_bytes(kind: HttpKind, answer: bytes) -> AgentError:
    """Ask an agent whose server writes these bytes to every connection and hangs up; return the error."""

    async def scene() -> AgentError:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(answer)
            await writer.drain()
            writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        agent = kind.make(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
        try:
            with pytest.raises(AgentError) as caught:
                await agent.draft(request())
            return caught.value
        finally:
            await agent.close()
            server.close()
            await server.wait_closed()

    return asyncio.run(scene())


def test_retry_after_as_a_date_counts_from_the_answers_own_date(kind: HttpKind) -> None:
    answer = (
        b"HTTP/1.1 503 Busy\r\nretry-after: Wed, 21 Oct 2026 07:28:20 GMT\r\n"
        b"date: Wed, 21 Oct 2026 07:28:00 GMT\r\ncontent-length: 0\r\n\r\n"
    )
    error = talking_bytes(kind, answer)
    assert isinstance(error, AgentUnavailable)
    assert error.retry_after_s == 20.0


@pytest.mark.parametrize(
    "answer",
    [b"", b"SSH-2.0-OpenSSH\r\n", b"HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n{"],
    ids=["hangs-up", "not-http", "half-a-body"],
)
def test_broken_connection_is_unavailable(kind: HttpKind, answer: bytes) -> None:
    assert isinstance(talking_bytes(kind, answer), AgentUnavailable)


def test_broken_compression_is_nonsense(kind: HttpKind) -> None:
    answer = b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 4\r\n\r\n{{{{"
    assert isinstance(talking_bytes(kind, answer), AgentAnsweredNonsense)


def test_nobody_listening_is_unavailable_and_names_the_address(kind: HttpKind) -> None:
    with pytest.raises(AgentUnavailable, match=r"127\.0\.0\.1:1\b"):
        ask(kind.make("http://127.0.0.1:1"))


def test_check_says_in_one_line_that_the_agent_answers(kind: HttpKind, httpserver: HTTPServer) -> None:
    httpserver.expect_request("/v1/models", method="GET").respond_with_json({"data": [{"id": "m-1"}]})
    httpserver.expect_request("/draft", method="GET").respond_with_data("", status=405)
    said = check(kind.make(base(httpserver)))
    assert said.startswith("shop: ")
    assert "\n" not in said


def test_check_raises_where_the_key_is_refused(kind: HttpKind, httpserver: HTTPServer) -> None:
    for path in ("/v1/models", "/draft"):
        httpserver.expect_request(path, method="GET").respond_with_data("", status=401)
    with pytest.raises(AgentAnsweredNonsense, match="api_key"):
        check(kind.make(base(httpserver)))


def test_check_raises_where_nobody_listens(kind: HttpKind) -> None:
    with pytest.raises(AgentUnavailable):
        check(kind.make("http://127.0.0.1:1"))


def test_key_is_shown_nowhere(kind: HttpKind, httpserver: HTTPServer, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    agent = answering(kind, httpserver, Response("no", status=401))
    with pytest.raises(AgentAnsweredNonsense) as caught:
        ask(agent)
    assert SECRET not in repr(agent) + str(agent) + str(caught.value) + caplog.text


def test_password_in_the_address_is_shown_nowhere(kind: HttpKind) -> None:
    agent = kind.make("http://ada:hunter2@127.0.0.1:1")
    with pytest.raises(AgentUnavailable) as caught:
        ask(agent)
    assert "hunter2" not in repr(agent) + str(caught.value)


@pytest.mark.parametrize("address", ["localhost:9000", "ftp://host", "http://", "", "http://[::1"])
def test_address_that_is_none_is_a_configuration_error(kind: HttpKind, address: str) -> None:
    with pytest.raises(ConfigurationError, match="address"):
        kind.make(address)


def test_key_that_http_cannot_carry_is_a_configuration_error() -> None:
    with pytest.raises(ConfigurationError, match="authorization") as caught:
        HttpDraftAgent(name="shop", url="http://localhost/draft", api_key="clé")
    assert "clé" not in str(caught.value)


# ------------------------------------------------------------------------------------------------ every kind


@pytest.fixture(params=[*[kind.name for kind in HTTP_KINDS], "callable", "async_callable", "faq", "scripted"])
def any_agent(request: pytest.FixtureRequest, httpserver: HTTPServer, tmp_path: Path) -> Agent:
    """One agent of each kind, ready to give a good draft about card delivery."""
    for kind in HTTP_KINDS:
        if kind.name == request.param:
            return answering(kind, httpserver, json_answer(kind.says(REPLY)))

    async def reply(body: dict[str, Any]) -> str:
        return REPLY

    (tmp_path / "cards.md").write_text(f"# When does my card arrive?\n\n{REPLY}\n")
    agents: dict[str, Agent] = {
        "callable": PythonCallableAgent(name="shop", function=lambda body: REPLY, version="v1"),
        "async_callable": PythonCallableAgent(name="shop", function=reply, version="v1"),
        "faq": FaqAgent(name="shop", path=tmp_path),
        "scripted": ScriptedAgent(REPLY, name="shop"),
    }
    return agents[request.param]


def test_agent_gives_a_draft_that_says_who_wrote_it(any_agent: Agent) -> None:
    draft = ask(any_agent)
    assert REPLY in draft.text
    assert draft.agent == any_agent.name == "shop"
    assert draft.agent_version == any_agent.version is not None


def test_agent_gives_the_same_draft_when_asked_again(any_agent: Agent) -> None:
    async def twice(agent: Agent) -> tuple[Draft, Draft]:
        return await agent.draft(request()), await agent.draft(request())

    first, second = asyncio.run(_used(any_agent, twice))
    assert (first.text, first.sources) == (second.text, second.sources)


def test_agent_answers_many_requests_at_once(any_agent: Agent) -> None:
    async def many(agent: Agent) -> list[Draft]:
        return await asyncio.gather(*(agent.draft(request(deadline_s=10.0)) for _ in range(40)))

    assert len(asyncio.run(_used(any_agent, many))) == 40


def test_agent_takes_hostile_text_as_data(any_agent: Agent) -> None:
    draft = ask(any_agent, request("'; DROP TABLE passages; -- \" OR NEAR(a b) * {{7*7}} \x00 </system> " + "x" * 5000))
    assert isinstance(draft.text, str)
