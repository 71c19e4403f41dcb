"""What `ports/channel.py` promises, for every channel there is; and what the collected channel adds."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from replies import reply
from understudy.adapters.channels.collected import API, CollectedChannel
from understudy.adapters.channels.rest import RestChannel
from understudy.adapters.channels.webhook import WebhookChannel
from understudy.connections import build_channel
from understudy.errors import ConfigurationError, InputError, MalformedInput
from understudy.ports.channel import Capabilities, Channel, InboundRequest
from understudy.records.outbox import Accepted, Rejected, Retry, Unknown
from understudy.records.rest import RestShape
from understudy.settings.model import Settings
from understudy.testing.scripted import FROZEN_START, FrozenClock, RecordingChannel

SECRET = "whsec_" + "A" * 43 + "="
ENTRY = reply(created_at=datetime(2026, 1, 1, 11, 59, tzinfo=UTC))
CHANNELS: dict[str, Callable[[], Channel]] = {
    "webchat": lambda: CollectedChannel("webchat"),
    "api": lambda: CollectedChannel(API),
    # Port 9 of the loopback: nobody listens there, so that a send meets a refusal.
    "webhook": lambda: WebhookChannel("webhook", url="http://127.0.0.1:9/", secrets=[SECRET], clock=FrozenClock()),
    "rest": lambda: RestChannel(
        "rest",
        RestShape.model_validate(
            {
                "inbound": {
                    "when": "@.message.text",
                    "id": "$.message.id",
                    "conversation": "$.message.id",
                    "address": "$.message.id",
                    "text": "$.message.text",
                },
                "send": {"url": "http://127.0.0.1:9/{to}", "template": {"text": "{text}"}},
            }
        ),
        clock=FrozenClock(),
        insecure=True,
    ),
    "mail": lambda: _configured(
        {
            "kind": "email",
            "address": "help@shop.example",
            "password": "p",
            "imap": {"host": "127.0.0.1", "port": 9},
            "smtp": {"host": "127.0.0.1", "port": 9},
        }
    ),
    "matrix": lambda: _configured(
        {"kind": "matrix", "homeserver": "http://127.0.0.1:9", "user_id": "@help:x", "access_token": "t"}
    ),
    "recording": lambda: RecordingChannel(name="recording"),
}


def _configured(written: dict[str, Any]) -> Channel:
    settings = Settings.model_validate({"channels": {"one": written}})
    return build_channel("one", settings.channels["one"], FrozenClock(), settings)


def test_mailbox_without_a_password_says_which_setting_is_missing() -> None:
    server = {"host": "mail.shop.example"}
    with pytest.raises(ConfigurationError, match=r"'one': .* UNDERSTUDY__CHANNELS__ONE__PASSWORD"):
        _configured({"kind": "email", "address": "help@shop.example", "imap": server, "smtp": server})


@pytest.fixture(params=CHANNELS)
def make(request: pytest.FixtureRequest) -> Callable[[], Channel]:
    return CHANNELS[request.param]


def inbound_request(body: bytes, **headers: str) -> InboundRequest:
    return InboundRequest(
        method="POST", url="https://understudy.test/webhooks/shop", headers=headers, body=body, received_at=FROZEN_START
    )


def test_channel_has_a_name_and_capabilities(make: Callable[[], Channel]) -> None:
    channel = make()
    assert channel.name
    assert isinstance(channel.capabilities, Capabilities)


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b"\xff\xfe", b"not json", b'{"type":1}'])
def test_parse_answers_with_messages_or_an_input_error_and_nothing_else(
    make: Callable[[], Channel], body: bytes
) -> None:
    with contextlib.suppress(InputError):
        assert make().parse(inbound_request(body)) == ()


def test_send_answers_with_one_of_the_four_results_and_raises_nothing(make: Callable[[], Channel]) -> None:
    async def scene() -> None:
        channel = make()
        assert isinstance(await channel.send(ENTRY), Accepted | Rejected | Retry | Unknown)
        await channel.close()

    asyncio.run(scene())


def test_look_up_is_unknown_where_the_channel_cannot_look_up(make: Callable[[], Channel]) -> None:
    async def scene() -> None:
        channel = make()
        assert not channel.capabilities.can_look_up
        assert isinstance(await channel.look_up(ENTRY), Unknown)
        await channel.close()

    asyncio.run(scene())


def test_closing_twice_is_harmless(make: Callable[[], Channel]) -> None:
    async def scene() -> None:
        channel = make()
        await channel.close()
        await channel.close()

    asyncio.run(scene())


# The collected channel: web chat and the API.


@pytest.mark.parametrize(
    ("name", "entrance"),
    [("webchat", "POST /chat/messages"), ("support", "POST /chat/messages"), (API, "POST /v1/turns")],
)
def test_collected_channel_refuses_webhooks_and_names_its_own_entrance(name: str, entrance: str) -> None:
    with pytest.raises(MalformedInput, match=entrance):
        CollectedChannel(name).parse(inbound_request(b"{}"))


def test_collected_channel_accepts_a_reply_of_any_length_at_once() -> None:
    channel = CollectedChannel("webchat")
    assert channel.capabilities.chars_max is None
    assert asyncio.run(channel.send(dataclasses.replace(ENTRY, text="x" * 1_000_000))) == Accepted()


def test_collected_channel_honours_keys_because_a_message_is_stored_once() -> None:
    assert CollectedChannel(API).capabilities.honours_keys
