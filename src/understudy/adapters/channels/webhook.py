"""The generic signed webhook channel: JSON in and JSON out under Standard Webhooks; it knows no vendor.

Messages come in as `message.received` events, replies go out as `message.reply` events with `webhook-id` = the outbox
entry's id. That id and the body are the same on every attempt, so a receiver that remembers ids delivers once; only
the attempt's timestamp and hence the signature differ.

What an answer means is in `outlet.py`; here a 2xx is *accepted*, and so is a 409: the receiver has seen this id before.
Where the receiver gives ids, a 2xx without one is *unknown*.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from types import TracebackType

import aiohttp

from understudy.adapters.channels.outlet import TIMEOUT_S, Outlet, body_of, checked_url
from understudy.adapters.channels.standard_webhooks import ID_HEADER, Signer
from understudy.adapters.channels.webhook_payload import TEXT_CHARS_MAX, read_event, write_reply
from understudy.errors import ConfigurationError
from understudy.ports.channel import Capabilities, InboundRequest
from understudy.ports.clock import Clock
from understudy.records.conversation import Inbound
from understudy.records.outbox import Accepted, OutboxEntry, Rejected, SendResult, Unknown

ANSWER_S_MAX = 2.0
"""How long the body of a 2xx is waited for; it can only name the message, the status has accepted it already."""


class WebhookChannel:
    """A channel behind your own HTTP service.

    `url` takes the replies; `secrets` sign both ways, the current one first, more while one is being replaced.
    A channel without secrets must say `insecure=True`, and then takes what anybody sends it. `honours_keys`: the
    receiver delivers a repeated `webhook-id` once. `gives_ids`: it names each reply that it takes. `timeout_s` bounds one send; `chars_max` is the longest reply the
    receiver takes; `text_chars_max` bounds what customers send. Raises `ConfigurationError`, naming the channel.
    """

    def __init__(
        self,
        name: str,
        *,
        url: str,
        clock: Clock,
        secrets: Sequence[str] = (),
        insecure: bool = False,
        honours_keys: bool = True,
        gives_ids: bool = False,
        chars_max: int | None = None,
        text_chars_max: int = TEXT_CHARS_MAX,
        timeout_s: float = TIMEOUT_S,
    ) -> None:
        self.name = name
        self._url = url
        self._clock = clock
        self._signer = _signer(name, secrets, insecure=insecure)
        # As configured; a webhook cannot be asked what became of a message.
        self.capabilities = Capabilities(honours_keys=honours_keys, can_look_up=False, chars_max=chars_max)
        self._text_chars_max = text_chars_max
        self._gives_ids = gives_ids
        self._outlet = Outlet(checked_url(name, url), clock=clock, timeout_s=timeout_s, honours_keys=honours_keys)

    def __repr__(self) -> str:
        signed = "signed" if self._signer else "insecure"
        return f"WebhookChannel({self.name!r}, host={self._outlet.host!r}, {signed})"

    async def __aenter__(self) -> WebhookChannel:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    def parse(self, request: InboundRequest) -> tuple[Inbound, ...]:
        """Verify the signature, then read the event; `request.received_at` is the clock of the check.

        Raises `SignatureInvalid` or `MalformedInput`, each with what to do.
        """
        if self._signer:
            self._signer.verify(headers=request.headers, body=request.body, at=request.received_at)
        return read_event(request.body, message_id=request.headers.get(ID_HEADER), text_chars_max=self._text_chars_max)

    async def send(self, entry: OutboxEntry) -> SendResult:
        """Post one entry, and say what the answer means (see `outlet.py`)."""
        limit = self.capabilities.chars_max
        if limit is not None and len(entry.text) > limit:
            return Rejected(reason=f"the reply is {len(entry.text)} characters long, {self.name} takes {limit}")
        body = write_reply(entry)
        return await self._outlet.send(
            "POST", self._url, headers=self._headers(entry, body), body=body, read=self._meaning
        )

    async def look_up(self, entry: OutboxEntry) -> SendResult:  # noqa: ARG002
        """Answer `Unknown`: a webhook has no way to ask; a receiver that honours keys may be sent it again."""
        return Unknown(reason=f"{self.name} is a webhook and cannot be asked what became of a message")

    async def close(self) -> None:
        """Close the connections to the receiver."""
        await self._outlet.close()

    def _headers(self, entry: OutboxEntry, body: bytes) -> dict[str, str]:
        headers = {"content-type": "application/json; charset=utf-8"}
        if self._signer is None:
            return headers | {ID_HEADER: entry.id}
        now_s = int(self._clock.now().timestamp())
        return headers | self._signer.sign(message_id=entry.id, timestamp_s=now_s, body=body)

    async def _meaning(self, answer: aiohttp.ClientResponse, deadline: asyncio.Timeout) -> SendResult:
        if 200 <= answer.status < 300 and self._gives_ids:
            named = await _provider_id(answer)
            if named is None:  # a broken proxy can say 200 too
                return Unknown(reason=f"{self._outlet.host} answered {answer.status} without the reply's id")
            return Accepted(provider_id=named)
        if 200 <= answer.status < 300:
            # The status has decided; from here on a slow or broken body must not turn it into "unknown".
            deadline.reschedule(None)
            return Accepted(provider_id=await _provider_id(answer))
        # A receiver of this protocol answers 409 to an id that it has seen, whether or not it promises to.
        return Accepted() if answer.status == 409 else self._outlet.refusal(answer)


def _signer(name: str, secrets: Sequence[str], *, insecure: bool) -> Signer | None:
    if insecure and secrets:
        raise ConfigurationError(f"channel {name!r} has secrets and insecure = true; remove one of them")
    if insecure:
        return None
    if not secrets:
        raise ConfigurationError(
            f"channel {name!r} has no secret, so anybody could write in a customer's name: give it one, "
            "or say insecure = true"
        )
    try:
        return Signer(secrets)
    except ConfigurationError as error:
        raise ConfigurationError(f"channel {name!r}: {error.message}") from error


async def _provider_id(answer: aiohttp.ClientResponse) -> str | None:
    """Read the receiver's own name for the message, where its answer is JSON with an `id`.

    Nothing that goes wrong here may change the outcome: the status has already said that the message was taken.
    """
    try:
        async with asyncio.timeout(ANSWER_S_MAX):
            named = json.loads(await body_of(answer) or b"null")
    except (aiohttp.ClientError, TimeoutError, ValueError, RecursionError):
        return None
    found = named.get("id") if isinstance(named, dict) else None
    if isinstance(found, int) and not isinstance(found, bool):
        found = str(found)
    return found if isinstance(found, str) and 0 < len(found) <= 500 and found.isprintable() else None
