"""A fake system of record that an agent looks orders up in: `GET /orders/NUMBER`; it changes nothing and knows no vendor."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final

import aiohttp
from aiohttp import web

from understudy.testing.listening import Listening
from understudy.testing.llm import Message, Reply

LOOK_UP_S: Final = 2.0
"""So long an agent waits for the system before it says that it cannot tell."""
NUMBER: Final = re.compile(r"order (\d+)")


class Orders(Listening):
    """Every order is on its way."""

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        """Show one order."""
        number = request.path.removeprefix("/orders/")
        if request.method != "GET" or not number.isdigit():
            return web.json_response({"error": "there is no such address"}, status=404)
        return web.json_response({"number": number, "state": "on_its_way"})


def looking_up(url: str) -> Callable[[Sequence[Message]], Awaitable[Reply]]:
    """An agent that looks the order up which a customer asks about, and where it cannot, wants a person to answer.

    It says of each look-up what came of it, as an agent should (docs/reference/draft.md).
    """

    async def answered(messages: Sequence[Message]) -> Reply:
        asked = next((str(one.get("content")) for one in reversed(messages) if one.get("role") == "user"), "")
        found = NUMBER.search(asked)
        number = found[1] if found else "0"
        call: dict[str, Any] = {"id": f"call-{number}", "name": "get_order", "arguments": f'{{"number": "{number}"}}'}
        try:
            shown = await _looked_up(f"{url}/orders/{number}")
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            failed = {**call, "error": type(error).__name__}
            text = f"I could not look order {number} up just now."
            return Reply(text=text, beside={"tool_calls": [failed], "handoff": True})
        text = f"Your order {number} is on its way."
        source = {"id": f"order-{number}", "title": "Order", "text": text}
        return Reply(text=text, beside={"tool_calls": [{**call, "result": shown}], "sources": [source]})

    return answered


async def _looked_up(url: str) -> str:
    """The system's answer; raises `ValueError` where it is not what an order looks like."""
    async with (
        aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=LOOK_UP_S)) as client,
        client.get(url) as answer,
    ):
        text = await answer.text()
        if answer.status != 200:
            raise ValueError(f"the system answered {answer.status}")
        order = await answer.json(content_type=None)
        if (
            not isinstance(order, dict)
            or order.get("state") != "on_its_way"
            or not isinstance(order.get("number"), str)
        ):
            raise ValueError("the answer is no order")
        return text
