"""What customers say over REST channels, and what comes back of our own, as each vendor documents it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rest_channels import SECRET, body_of, channel_of, signed
from understudy.adapters.channels.rest import RestChannel
from understudy.ports.channel import Events
from understudy.records.rest import RestShape
from understudy.testing.scripted import FrozenClock

OWN_NUMBER = "1122334455667"


def whatsapp(*messages: dict[str, Any], field: str = "messages", **value: Any) -> dict[str, Any]:
    inner = {"metadata": {"display_phone_number": "49301", "phone_number_id": OWN_NUMBER}, **value}
    if messages:
        inner["messages"] = list(messages)
    return {"entry": [{"changes": [{"field": field, "value": inner}]}]}


def slack(**event: Any) -> dict[str, Any]:
    spoken = {"type": "message", "channel_type": "im", "channel": "D1", "user": "U1", "ts": "1767268800.0001"}
    return {"type": "event_callback", "event_id": "Ev1", "event": {**spoken, **event}}


def zendesk(author: str = "user", kind: str = "conversation:message", **content: Any) -> dict[str, Any]:
    message = {"id": "m-1", "author": {"type": author, "userId": "u-1", "displayName": "Ada"}, "content": content}
    event = {"id": "e-1", "type": kind, "payload": {"conversation": {"id": "c-1"}, "message": message}}
    return {"events": [event]}


def intercom(author: str = "user", topic: str = "conversation.user.replied", body: str = "<p>Hi</p>") -> dict[str, Any]:
    part = {"id": "p-1", "body": body, "author": {"type": author, "id": "u-1", "name": "Ada"}}
    parts = {"conversation_parts": {"conversation_parts": [part]}}
    return {"type": "notification_event", "topic": topic, "data": {"item": {"id": "c-1", **parts}}}


def chatwoot(**more: Any) -> dict[str, Any]:
    written = {"event": "message_created", "id": 7, "content": "Hi", "message_type": "incoming", "private": False}
    return {**written, "conversation": {"id": 10, "status": "pending"}, "sender": {"id": 14, "name": "Ada"}, **more}


SAID: Mapping[str, Any] = {
    "twilio": {"MessageSid": "SM1", "From": "+4930", "To": "+18005551212", "Body": "Hi", "NumMedia": "0"},
    "kannel": {"id": "m-1", "from": "4930", "to": "18005551212", "text": "Hi"},
    "sinch_sms": {"type": "mo_text", "id": "m-1", "from": "4930", "to": "12025550142", "body": "Hi"},
    "sinch_conversation": {
        "message": {
            "id": "m-1",
            "direction": "TO_APP",
            "conversation_id": "c-1",
            "contact_id": "k-1",
            "contact_message": {"text_message": {"text": "Hi"}},
        }
    },
    "whatsapp_cloud": whatsapp({"from": "4930", "id": "wamid.1", "type": "text", "text": {"body": "Hi"}}),
    "slack": slack(text="Hi"),
    "chatwoot": chatwoot(),
    "zendesk": zendesk(type="text", text="Hi"),
    "intercom": intercom(),
}
"""A customer's *Hi*, as each vendor documents it."""
ECHOES: Mapping[str, Any] = {
    "twilio": {**SAID["twilio"], "From": "+18005551212"},
    "kannel": {**SAID["kannel"], "from": "18005551212"},
    "sinch_sms": {**SAID["sinch_sms"], "from": "12025550142"},
    "sinch_conversation": {"message": {**SAID["sinch_conversation"]["message"], "direction": "TO_CONTACT"}},
    "whatsapp_cloud": whatsapp({"from": "49301", "id": "wamid.2", "type": "text", "text": {"body": "Hi"}}),
    "slack": slack(text="Hi", bot_id="B1"),
    "chatwoot": chatwoot(message_type="outgoing"),
    "zendesk": zendesk(author="business", type="text", text="Hi"),
    "intercom": intercom(author="admin"),
}
"""The same, written by the business or its agent and sent back by the vendor."""


def read(kind: str, payload: Any, *, query: str = "", **more: Any) -> Events:
    return channel_of(kind, **more).read(signed(kind, body_of(kind, payload), query=query))


def minimal(*, secrets: list[str] = [SECRET], credentials: Mapping[str, str] | None = None, **more: Any) -> RestChannel:  # noqa: B006
    shape = {
        "inbound": {"when": "@.message.text", "id": "$.message.id", "conversation": "$.message.from",
                    "address": "$.message.from", "text": "$.message.text"},
        "send": {"url": "https://api.example/send"},
        **more,
    }  # fmt: skip
    return RestChannel(
        "shop", RestShape.model_validate(shape), clock=FrozenClock(), secrets=secrets, credentials=credentials
    )
