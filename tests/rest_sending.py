"""A reply to send over REST channels of tests, and a small channel of one's own to send it by."""

from __future__ import annotations

import asyncio
import re
from typing import Any

from pytest_httpserver import HTTPServer

from replies import reply
from rest_channels import SECRET
from understudy.adapters.channels.rest import RestChannel
from understudy.records.outbox import OutboxEntry, SendResult
from understudy.records.rest import RestShape
from understudy.testing.scripted import FrozenClock

ANY = re.compile(".*")
ENTRY = reply(external_id="c-17", text='Say "hi" & <b>bye</b>\n{text} \\ 👋')


def send(channel: RestChannel, entry: OutboxEntry = ENTRY, *, times: int = 1) -> SendResult:
    async def scene() -> SendResult:
        try:
            for _ in range(times - 1):
                await channel.send(entry)
            return await channel.send(entry)
        finally:
            await channel.close()

    return asyncio.run(scene())


def look_up(channel: RestChannel) -> SendResult:
    async def scene() -> SendResult:
        try:
            return await channel.look_up(ENTRY)
        finally:
            await channel.close()

    return asyncio.run(scene())


def at(http: HTTPServer) -> str:
    return http.url_for("").rstrip("/")


def own(http_url: str, *, timeout_s: float = 60.0, **more: Any) -> RestChannel:
    """A small channel of one's own."""
    shape = {
        "signature": {"token": "$.query.token"},
        "inbound": {"when": "@.message", "id": "$.message.id", "conversation": "$.message.id",
                    "address": "$.message.id", "text": "$.message.text"},
        "send": {"url": "{base_url}/send/{to}", "template": {"text": "{text}"}, "key_header": "Idempotency-Key"},
        **more,
    }  # fmt: skip
    return RestChannel(
        "shop",
        RestShape.model_validate(shape),
        clock=FrozenClock(),
        secrets=[SECRET],
        values={"base_url": http_url},
        timeout_s=timeout_s,
    )
