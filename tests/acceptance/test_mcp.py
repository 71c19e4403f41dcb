"""Declared actions as MCP tools: the client of the `mcp` package, as agents use it, over standard streams and over HTTP.

A call only proposes; what the business's system sees is one request, after a person let it through.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import httpx2
import pytest
from mcp.client import Client
from mcp.client.stdio import StdioServerParameters, stdio_client
from mcp.client.streamable_http import streamable_http_client
from pytest_httpserver import HTTPServer
from werkzeug import Response

from understudy.records.access import Scope
from understudy.records.offered import MARK

DECLARED = """
[actions.refund]
amount = "$.amount"
unit = "GBP"
reversibility = "compensable"
limits = {{ amount_max = 100 }}
arguments = {{ description = "Give money back for an order.", required = ["order"], properties = {{ order = {{ type = "string" }}, amount = {{ type = "number" }} }} }}

[actions.refund.call]
url = "{books}/refunds"
key_header = "Idempotency-Key"
template = {{ order = "{{order}}", amount = "{{amount}}" }}
"""
GIVEN = {"order": "A17", "amount": 40}
MODES = ["auto", "legacy"]


@pytest.fixture(scope="module")
def books() -> Any:
    with HTTPServer() as http:
        http.expect_request(re.compile("/.*")).respond_with_handler(lambda _request: Response("{}", 201))
        yield http


@pytest.fixture(scope="module")
def desk(serve: Callable[..., Any], books: HTTPServer) -> Any:
    more = DECLARED.format(books=books.url_for("").rstrip("/"))
    return serve(more=more, environment={"UNDERSTUDY__SERVER__MCP": "true"})


async def scene(client: Client) -> dict[str, Any]:
    async with client:
        (tool,) = (await client.list_tools()).tools
        return {
            "tool": tool,
            "fine": await client.call_tool("refund", GIVEN),
            "much": await client.call_tool("refund", {**GIVEN, "amount": 500}),
            "wrong": await client.call_tool("refund", {"amount": 40}),
            "none": await client.call_tool("delete_everything", {}),
        }


def looked_at(seen: dict[str, Any]) -> str:
    """See that a client got what it should; returns what it was told of the refund."""
    tool = seen["tool"]
    assert tool.name == "refund"
    assert "Give money back for an order." in tool.description
    assert "Proposes only; compensable. Limits: at most 100 GBP at a time." in tool.description
    assert tool.input_schema["required"] == ["order"]
    assert tool.input_schema["additionalProperties"] is False
    fine, much, wrong, none = (seen[name] for name in ("fine", "much", "wrong", "none"))
    assert not fine.is_error
    assert fine.structured_content[MARK] == {"name": "refund", "arguments": GIVEN}
    assert json.loads(fine.content[0].text) == fine.structured_content
    assert much.structured_content["beyond_limits"] == ["at most 100 GBP at a time"]
    assert wrong.is_error
    assert "order" in wrong.content[0].text
    assert none.is_error
    assert "not declared" in none.content[0].text
    return str(fine.content[0].text)


def over_http(desk: Any, key: str, do: Callable[[Any], Coroutine[Any, Any, Any]], mode: Any = "auto") -> Any:
    async def used() -> Any:
        async with httpx2.AsyncClient(headers={"authorization": f"Bearer {key}"}, timeout=20) as http:
            return await do(Client(streamable_http_client(f"{desk.url}/mcp", http_client=http), mode=mode))

    return asyncio.run(used())


@pytest.mark.parametrize("mode", MODES)
def test_an_agent_is_offered_the_declared_actions_over_http_and_calls_do_nothing(
    desk: Any, books: HTTPServer, mode: str
) -> None:
    before = len(books.log)
    looked_at(over_http(desk, desk.key(Scope.TURNS_WRITE), scene, mode))
    assert len(books.log) == before


def test_what_was_called_is_held_with_the_draft_and_done_once_after_it_was_let_through(
    desk: Any, books: HTTPServer, until: Any
) -> None:
    told = looked_at(over_http(desk, desk.key(Scope.TURNS_WRITE), scene))
    http, before = desk.http(desk.key()), len(books.log)
    call = {"id": "call-1", "name": "mcp__understudy__refund", "arguments": json.dumps(GIVEN), "result": told}
    record = {
        "id": "by-tool", "conversation_id": "by-tool", "topic": "returns",
        "messages": [{"role": "user", "content": "Please refund A17, 40."}],
        "draft": {"text": "You get your money back.", "tool_calls": [call]},
    }  # fmt: skip
    turn = http.post("/v1/turns", json=record).json()
    detail = http.get(f"/v1/holds/{turn['hold_id']}").json()
    (action,) = detail["turn"]["actions"]
    assert (action["name"], action["amount"], action["state"]) == ("refund", 40.0, "proposed")
    assert detail["turn"]["draft"]["tool_calls"] == []
    assert len(books.log) == before
    hold = detail["hold"]
    given = http.post(
        f"/v1/holds/{hold['id']}/verdict", json={"action": "approve"}, headers={"If-Match": f'"{hold["version"]}"'}
    )
    assert given.status_code == 200, given.text
    until(lambda: http.get(f"/v1/actions/{action['id']}").json()["action"]["state"] == "done")
    (request,) = [request for request, _ in books.log[before:]]
    assert (request.headers["Idempotency-Key"], request.get_json()) == (action["id"], GIVEN)


def test_who_may_not_hand_over_turns_is_offered_nothing(desk: Any) -> None:
    body = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
    headers = {"accept": "application/json, text/event-stream"}
    for key, status in ((None, 401), ("us_no_key", 401), (desk.key(Scope.TURNS_READ), 403)):
        given = headers | ({} if key is None else {"authorization": f"Bearer {key}"})
        answered = httpx2.post(f"{desk.url}/mcp", json=body, headers=given)
        assert answered.status_code == status, answered.text
        assert answered.headers["content-type"] == "application/problem+json"
    key = desk.key(Scope.TURNS_WRITE)
    big = httpx2.post(f"{desk.url}/mcp", content=b"x" * 1_100_000, headers=headers | {"authorization": f"Bearer {key}"})
    assert big.status_code == 413
    for nonsense in (b"", b"{", b"[]", b'{"jsonrpc": "2.0", "id": 1, "method": "no/such"}', b"\xff"):
        answered = httpx2.post(
            f"{desk.url}/mcp", content=nonsense,
            headers=headers | {"authorization": f"Bearer {key}", "content-type": "application/json"},
        )  # fmt: skip
        assert answered.status_code < 500, (nonsense, answered.text)


def test_it_is_offered_only_where_it_is_switched_on(served: Any) -> None:
    assert httpx2.post(f"{served.url}/mcp", json={}).status_code == 404


def test_an_agent_on_the_same_machine_is_offered_them_over_standard_streams(tmp_path: Path) -> None:
    (tmp_path / "understudy.toml").write_text(DECLARED.format(books="http://127.0.0.1:9"))
    arguments = ["-m", "understudy", "mcp", "--config", str(tmp_path / "understudy.toml")]
    looked_at(asyncio.run(scene(Client(stdio_client(StdioServerParameters(command=sys.executable, args=arguments))))))


def test_where_nothing_is_declared_there_is_nothing_to_offer(tmp_path: Path, understudy_here: Any) -> None:
    (tmp_path / "understudy.toml").write_text("")
    ended = understudy_here("mcp", cwd=tmp_path)
    assert ended.code == 3
    assert "no action to offer" in ended.err
