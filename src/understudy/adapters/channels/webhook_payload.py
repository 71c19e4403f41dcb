"""What the generic webhook channel reads and writes as JSON; it signs nothing and opens no connection."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, ValidationInfo

from understudy.errors import MalformedInput
from understudy.records.codec import explain
from understudy.records.conversation import Inbound
from understudy.records.outbox import OutboxEntry, origin_of

MESSAGE_RECEIVED = "message.received"
MESSAGE_REPLY = "message.reply"
TEXT_CHARS_MAX = 20_000

_WHAT_TO_DO = "compare it with docs/how-to/connect-a-channel.md"


def _storable(text: str) -> str:
    if "\x00" in text:
        raise ValueError("must not contain the character U+0000, which databases cannot store; remove it")
    return text


def _not_blank(text: str) -> str:
    if not text.strip():
        raise ValueError("must not be blank; send no message.received event for messages without text")
    return text


def _within_limit(text: str, info: ValidationInfo) -> str:
    limit = (info.context or {}).get("text_chars_max", TEXT_CHARS_MAX)
    if len(text) > limit:
        raise ValueError(f"is {len(text)} characters long, allowed are {limit}; cut it or raise the channel's limit")
    return text


def _in_utc(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        return moment.replace(tzinfo=UTC)
    try:
        return moment.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("must lie within the years 1 to 9999 in UTC") from error


_Text = Annotated[str, AfterValidator(_storable)]
_Name = Annotated[_Text, AfterValidator(_not_blank), Field(max_length=200)]
_Reach = Annotated[_Text, AfterValidator(_not_blank), Field(max_length=320)]


class _Strict(BaseModel):
    model_config = ConfigDict(strict=True, extra="ignore", populate_by_name=False)


class _Event(_Strict):
    type: str = Field(max_length=200)


class _MessageIn(_Strict):
    conversation_id: _Name
    sender: _Reach = Field(alias="from")
    text: Annotated[_Text, AfterValidator(_not_blank), AfterValidator(_within_limit)]
    id: _Name | None = None
    name: _Name | None = None
    email: _Reach | None = None
    phone: _Name | None = None
    topic: _Name | None = None


class _MessageReceived(_Event):
    timestamp: Annotated[datetime, AfterValidator(_in_utc)] | None = None
    data: _MessageIn


def read_event(body: bytes, *, message_id: str | None, text_chars_max: int = TEXT_CHARS_MAX) -> tuple[Inbound, ...]:
    """Read a `message.received` event as one message; an event of another type gives an empty tuple.

    `message_id` names the message where `data.id` does not. Fields that are not known are passed over, so that a
    sender may add some. Raises `MalformedInput` naming the field, the value and what to do.
    """
    try:
        # Decoded here because pydantic alone would report broken UTF-8 as broken JSON, which sends people astray.
        text = body.decode("utf-8")
        event = _Event.model_validate_json(text)
        if event.type != MESSAGE_RECEIVED:
            return ()
        received = _MessageReceived.model_validate_json(text, context={"text_chars_max": text_chars_max})
    except UnicodeDecodeError as error:
        raise MalformedInput(f"the body is not UTF-8 at byte {error.start}: encode the JSON as UTF-8") from error
    except ValidationError as error:
        raise MalformedInput(f"not a {MESSAGE_RECEIVED} event: {explain(error)}; {_WHAT_TO_DO}") from error
    return (_inbound(received, message_id),)


def write_reply(entry: OutboxEntry) -> bytes:
    """Write an entry as a `message.reply` event. The bytes are the same for each attempt, as the key is."""
    event: dict[str, Any] = {
        "type": MESSAGE_REPLY,
        "timestamp": entry.created_at.astimezone(UTC).isoformat().replace("+00:00", "Z"),
        "data": {
            "id": entry.id,
            "conversation_id": entry.external_id,
            "to": entry.address,
            "text": entry.text,
            "author": entry.author.value,
            "ai_generated": entry.ai_generated,
            "origin": origin_of(entry),
        },
    }
    return json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode()


def _inbound(received: _MessageReceived, message_id: str | None) -> Inbound:
    data = received.data
    provider_id = data.id or message_id
    if not provider_id or len(provider_id) > 200:
        raise MalformedInput(
            f"not a {MESSAGE_RECEIVED} event: data.id is missing and the header webhook-id is "
            f"{'missing too' if not provider_id else 'longer than 200 characters'}; without a name of its own a "
            "repeated message cannot be told from a new one, so send either"
        )
    return Inbound(
        provider_id=provider_id,
        external_id=data.conversation_id,
        address=data.sender,
        text=data.text,
        sent_at=received.timestamp,
        topic=data.topic,
        contact_name=data.name,
        contact_email=data.email,
        contact_phone=data.phone,
    )
