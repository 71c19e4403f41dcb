"""The generic signed webhook channel: JSON in and JSON out under Standard Webhooks; it knows no vendor.

Messages come in as `message.received` events, replies go out as `message.reply` events with `webhook-id` = the outbox
entry's id. That id and the body are the same on every attempt, so a receiver that remembers ids delivers once; only
the attempt's timestamp and hence the signature differ.

What an answer means, and why:

    2xx                                   Accepted
    409                                   Accepted: the receiver has seen this id before
    408, 425, 429                         Retry, after Retry-After where given
    5xx, receiver honours keys            Retry: a second attempt cannot reach the customer twice
    501, 503                              Retry: the receiver says that it did not take the message
    other 5xx, receiver honours no keys   Unknown: it may have failed after the message had gone out
    3xx                                   Rejected: redirects are not followed, a signed body stays where it was meant to go
    other 4xx                             Rejected
    no connection made                    Retry: nothing can have left
    anything later that breaks            Unknown
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from types import TracebackType
from urllib.parse import SplitResult, urlsplit
from urllib.request import getproxies, proxy_bypass

import aiohttp

from understudy import __version__
from understudy.adapters.channels.standard_webhooks import ID_HEADER, Signer
from understudy.adapters.channels.webhook_payload import TEXT_CHARS_MAX, read_event, write_reply
from understudy.errors import ConfigurationError
from understudy.ports.channel import Capabilities, InboundRequest
from understudy.ports.clock import Clock
from understudy.records.conversation import Inbound
from understudy.records.outbox import Accepted, OutboxEntry, Rejected, Retry, SendResult, Unknown

TIMEOUT_S = 10.0
RETRY_AFTER_S_MAX = 3_600.0
"""A longer wait is cut to this: a reply that waits for days serves nobody, and the header may be a mistake."""
ANSWER_BYTES_MAX = 65_536
ANSWER_S_MAX = 2.0
"""How long the body of a 2xx is waited for; it can only name the message, the status has accepted it already."""

_TRY_AGAIN_LATER = frozenset({408, 425, 429})
_NOT_TAKEN = frozenset({501, 503})
# Certainly nothing left: the pool gave no connection, or none was made. Everything else counts as unknown.
_NEVER_SENT = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, aiohttp.InvalidURL)
CONNECTIONS_MAX = 50


class WebhookChannel:
    """A channel behind your own HTTP service.

    `url` takes the replies; `secrets` sign both ways, the current one first, more while one is being replaced.
    A channel without secrets must say `insecure=True`, and then takes what anybody sends it. `honours_keys`: the
    receiver delivers a repeated `webhook-id` once. `timeout_s` bounds one send; `chars_max` is the longest reply the
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
        chars_max: int | None = None,
        text_chars_max: int = TEXT_CHARS_MAX,
        timeout_s: float = TIMEOUT_S,
    ) -> None:
        self._name = name
        parsed = _checked_url(name, url)
        self._url = url
        self._host = parsed.hostname
        self._clock = clock
        self._signer = _signer(name, secrets, insecure=insecure)
        self._capabilities = Capabilities(honours_keys=honours_keys, can_look_up=False, chars_max=chars_max)
        self._text_chars_max = text_chars_max
        self._timeout_s = timeout_s
        self._proxy = _proxy_for(parsed)
        self._client: aiohttp.ClientSession | None = None

    def __repr__(self) -> str:
        signed = "signed" if self._signer else "insecure"
        return f"WebhookChannel({self._name!r}, host={self._host!r}, {signed})"

    async def __aenter__(self) -> WebhookChannel:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    @property
    def name(self) -> str:
        """The channel's name in the configuration."""
        return self._name

    @property
    def capabilities(self) -> Capabilities:
        """As configured; a webhook cannot be asked what became of a message."""
        return self._capabilities

    def parse(self, request: InboundRequest) -> tuple[Inbound, ...]:
        """Verify the signature, then read the event; `request.received_at` is the clock of the check.

        Raises `SignatureInvalid` or `MalformedInput`, each with what to do.
        """
        if self._signer:
            self._signer.verify(headers=request.headers, body=request.body, at=request.received_at)
        return read_event(request.body, message_id=request.headers.get(ID_HEADER), text_chars_max=self._text_chars_max)

    async def send(self, entry: OutboxEntry) -> SendResult:
        """Post one entry, and say what the answer means (see the table above)."""
        limit = self._capabilities.chars_max
        if limit is not None and len(entry.text) > limit:
            return Rejected(reason=f"the reply is {len(entry.text)} characters long, {self._name} takes {limit}")
        body = write_reply(entry)
        headers = self._headers(entry, body)
        try:
            # The session bounds connecting; this bounds all together, so that a dripping answer holds no worker.
            async with asyncio.timeout(self._timeout_s) as deadline:
                return await self._post(headers, body, deadline)
        except _NEVER_SENT as error:
            return Retry(reason=f"no connection to {self._host}: {_say(error)}")
        except TimeoutError:
            return Unknown(reason=f"no answer from {self._host} within {self._timeout_s:g} s")
        except aiohttp.ClientError as error:
            return Unknown(reason=f"the connection to {self._host} broke while sending: {_say(error)}")

    async def look_up(self, entry: OutboxEntry) -> SendResult:  # noqa: ARG002
        """Answer `Unknown`: a webhook has no way to ask; a receiver that honours keys may be sent it again."""
        return Unknown(reason=f"{self._name} is a webhook and cannot be asked what became of a message")

    async def close(self) -> None:
        """Close the connections to the receiver."""
        if self._client is not None:
            await self._client.close()

    def _headers(self, entry: OutboxEntry, body: bytes) -> dict[str, str]:
        headers = {"content-type": "application/json; charset=utf-8"}
        if self._signer is None:
            return headers | {ID_HEADER: entry.id}
        now_s = int(self._clock.now().timestamp())
        return headers | self._signer.sign(message_id=entry.id, timestamp_s=now_s, body=body)

    async def _post(self, headers: dict[str, str], body: bytes, deadline: asyncio.Timeout) -> SendResult:
        if self._client is None:  # a session belongs to the loop that runs it
            self._client = _client(self._timeout_s, reuse_connections=self._capabilities.honours_keys)
        asking = self._client.post(self._url, headers=headers, data=body, proxy=self._proxy, allow_redirects=False)
        async with asking as answer:
            # The status has decided; from here on a slow or broken body must not turn it into "unknown".
            deadline.reschedule(None)
            if 200 <= answer.status < 300:
                return Accepted(provider_id=await _provider_id(answer))
            return self._refusal(answer)

    def _refusal(self, answer: aiohttp.ClientResponse) -> SendResult:
        status = answer.status
        reason = f"{self._host} answered {status}"
        if status == 409:
            return Accepted()
        if status in _TRY_AGAIN_LATER or status in _NOT_TAKEN or (status >= 500 and self._capabilities.honours_keys):
            return Retry(reason=reason, after_s=_retry_after_s(answer, self._clock.now()))
        if status >= 500:
            return Unknown(reason=f"{reason}; it may have failed after the message had gone out")
        if 300 <= status < 400:
            return Rejected(reason=f"{reason}, a redirect, which is not followed: configure the final URL")
        return Rejected(reason=reason)


def _checked_url(name: str, url: str) -> SplitResult:
    try:
        parsed = urlsplit(url)
        scheme, host, _ = parsed.scheme, parsed.hostname, parsed.port
    except ValueError as error:
        raise ConfigurationError(f"channel {name!r}: url cannot be read: {error}") from error
    if scheme not in ("http", "https") or not host:
        raise ConfigurationError(
            f"channel {name!r}: url has scheme {scheme!r} and host {host!r}; "
            "give a whole address such as https://messages.example.com/replies"
        )
    return parsed


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


def _client(timeout_s: float, *, reuse_connections: bool) -> aiohttp.ClientSession:
    # A reused connection may have been closed by the receiver a moment ago. Writing into it is an unknown send: free
    # where keys are honoured, and a question to a person where they are not. There each send opens its own.
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=CONNECTIONS_MAX, force_close=not reuse_connections),
        # Connecting gets a third, so that a hanging connection ends as "never sent" before the whole time is over.
        timeout=aiohttp.ClientTimeout(total=None, connect=timeout_s * 2 / 3, sock_connect=timeout_s / 3),
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
        headers={
            "user-agent": f"understudy/{__version__}",
            "accept": "application/json",
            "accept-encoding": "identity",
        },
    )


def _proxy_for(url: SplitResult) -> str | None:
    """The proxy that the environment names for this address, if any."""
    if url.hostname is None or proxy_bypass(url.hostname):
        return None
    return getproxies().get(url.scheme)


async def _provider_id(answer: aiohttp.ClientResponse) -> str | None:
    """Read the receiver's own name for the message, where its answer is JSON with an `id`.

    Nothing that goes wrong here may change the outcome: the status has already said that the message was taken.
    """
    read = bytearray()
    try:
        async with asyncio.timeout(ANSWER_S_MAX):
            async for piece in answer.content.iter_any():
                read += piece
                if len(read) > ANSWER_BYTES_MAX:
                    return None
        named = json.loads(read)
    except (aiohttp.ClientError, TimeoutError, ValueError, RecursionError):
        return None
    found = named.get("id") if isinstance(named, dict) else None
    if isinstance(found, int) and not isinstance(found, bool):
        found = str(found)
    return found if isinstance(found, str) and 0 < len(found) <= 500 and found.isprintable() else None


def _retry_after_s(answer: aiohttp.ClientResponse, now: datetime) -> float | None:
    """Read Retry-After, in seconds or as an HTTP date; None where it is missing or unreadable."""
    value = answer.headers.get("retry-after", "").strip()
    if re.fullmatch(r"[0-9]{1,9}", value):
        return min(float(value), RETRY_AFTER_S_MAX)
    try:
        moment = parsedate_to_datetime(value)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return min(max((moment - now).total_seconds(), 0.0), RETRY_AFTER_S_MAX)


def _say(error: Exception) -> str:
    return str(error) or type(error).__name__
