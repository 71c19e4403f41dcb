"""Declared actions as MCP tools, for agents that call tools by themselves: a call proposes, and nothing is carried out here.

Needs the extra `mcp`. Over HTTP it answers at /mcp where `server.mcp` is set, to API keys that may hand over turns; over
standard input and output it is `understudy mcp`. It keeps no session and reads no store.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from fastapi import Request
from starlette.types import Receive, Scope, Send

from understudy import __version__
from understudy.app import App
from understudy.errors import ConfigurationError
from understudy.records.access import Scope as Right
from understudy.records.action_rules import ActionRule, ActionUse, Fault, limits_shown, objections, rule_for
from understudy.records.offered import proposal
from understudy.settings.actions import DeclaredAction
from understudy.settings.model import Settings
from understudy.web.auth import needs, whose

if TYPE_CHECKING:
    from mcp.server.lowlevel.server import Server

PATH = "/mcp"
INSTRUCTIONS = (
    "Each tool proposes an action to the business. Nothing is done by the call: it is held with your draft until it is let "
    "through. Hand the call and its answer over among the draft's tool calls, or the action among its actions."
)


def tools_of(settings: Settings) -> Server[Any]:
    """An MCP server whose tools are the declared actions; raises `ConfigurationError` where the extra is missing."""
    try:
        from mcp import types
        from mcp.server.lowlevel.server import Server
    except ImportError as error:
        raise ConfigurationError("MCP tools need the extra: pip install 'understudy[mcp]'") from error
    declared, rules = settings.actions.declared, settings.actions.rules()
    tools = [_tool(types, name, one, rules) for name, one in sorted(declared.items())]

    async def list_tools(_context: Any, _params: Any) -> types.ListToolsResult:
        return types.ListToolsResult(tools=tools)

    async def call_tool(_context: Any, params: types.CallToolRequestParams) -> types.CallToolResult:
        told, is_error = answer(rules, params.name, params.arguments or {})
        text = told if isinstance(told, str) else json.dumps(told, ensure_ascii=False)
        return types.CallToolResult(
            content=[types.TextContent(type="text", text=text)],
            structured_content=None if isinstance(told, str) else dict(told),
            is_error=is_error,
        )

    return Server(
        "understudy", version=__version__, instructions=INSTRUCTIONS, on_list_tools=list_tools, on_call_tool=call_tool
    )


def answer(rules: Sequence[ActionRule], name: str, arguments: dict[str, Any]) -> tuple[Mapping[str, Any] | str, bool]:
    """What a call is told, and whether that is an error. Beyond its limits it may be proposed: then a lead lets it through."""
    against = objections(rule_for(rules, name), arguments, ActionUse(name=name))
    beyond = [one.why for one in against if one.fault is Fault.OVER_LIMIT]
    if wrong := [one.why for one in against if one.fault is not Fault.OVER_LIMIT]:
        return f"{name[:60]!r} cannot be proposed so: {'; '.join(wrong)}", True
    return {**proposal(name, arguments), **({"beyond_limits": beyond} if beyond else {})}, False


def _tool(types: Any, name: str, declared: DeclaredAction, rules: Sequence[ActionRule]) -> Any:
    rule = rule_for(rules, name)
    assert rule is not None, "each declared action has a rule"
    limits = "; ".join(limits_shown(rule))
    says = f"{declared.arguments.get('description') or f'Propose to {name.replace(chr(95), chr(32))}.'}"
    return types.Tool(
        name=name,
        description=f"{says} Proposes only; {declared.reversibility}.{f' Limits: {limits}.' if limits else ''}",
        input_schema={"type": "object", "additionalProperties": False, **declared.arguments},
        annotations=types.ToolAnnotations(
            read_only_hint=True, destructive_hint=False, idempotent_hint=True, open_world_hint=False
        ),
    )


async def over_standard_streams(settings: Settings) -> None:
    """Answer on standard input and output until the input ends."""
    server = tools_of(settings)
    from mcp.server.stdio import stdio_server

    async with stdio_server() as (incoming, outgoing):
        await server.run(incoming, outgoing, server.create_initialization_options())


class OverHttp:
    """The tools over streamable HTTP, an ASGI application; `running` must be entered before it is called."""

    def __init__(self, app: App) -> None:
        tools = tools_of(app.settings)
        from mcp.server.streamable_http_manager import StreamableHTTPSessionManager

        self._app = app
        self._manager = StreamableHTTPSessionManager(
            app=tools,
            json_response=True,
            stateless=True,
            max_request_body_size=app.settings.limits.body_bytes_max,
        )

    @property
    def running(self) -> Any:
        """What answers, as an asynchronous context."""
        return self._manager.run()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer whoever may; raises as the API does."""
        await needs(Right.TURNS_WRITE)(await whose(self._app, Request(scope, receive)))
        await self._manager.handle_request(scope, receive, send)
