"""The way of one reply to an HTTP receiver: connections, the time it may take, and what became of it; it writes no body.

What every channel over HTTP has in common, whoever is at the other end:

    no connection made                                      Retry: nothing can have left
    anything later that breaks, or silence past the time    Unknown
    408, 425, 429                                           Retry, after Retry-After where given
    5xx, receiver honours keys                              Retry: a second attempt cannot reach the customer twice
    501, 503                                                Retry: the receiver says that it did not take the message
    other 5xx, receiver honours no keys                     Unknown: it may have failed after the message had gone out
    3xx                                                     Rejected: redirects are not followed
    409, receiver honours keys                              Accepted: the receiver has seen this key before
    other 4xx                                               Rejected

What a 2xx means is the channel's to say, and so is a 4xx or 5xx whose body says more than its status.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import SplitResult, urlsplit
from urllib.request import getproxies, proxy_bypass

import aiohttp

from understudy import __version__
from understudy.errors import ConfigurationError
from understudy.ports.clock import Clock
from understudy.records.outbox import Accepted, Rejected, Retry, SendResult, Unknown

TIMEOUT_S = 10.0
RETRY_AFTER_S_MAX = 3_600.0
"""A longer wait is cut to this: a reply that waits for days serves nobody, and the header may be a mistake."""
ANSWER_BYTES_MAX = 65_536
CONNECTIONS_MAX = 50

_TRY_AGAIN_LATER = frozenset({408, 425, 429})
_NOT_TAKEN = frozenset({501, 503})
# Certainly nothing left: the pool gave no connection, or none was made. Everything else counts as unknown.
_NEVER_SENT = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, aiohttp.InvalidURL)

Reader = Callable[[aiohttp.ClientResponse, asyncio.Timeout], Awaitable[SendResult]]
"""Says what an answer means; it may end the time limit once the status has decided."""


class Outlet:
    """Sends to one receiver. `timeout_s` bounds a request as a whole; `honours_keys`: it delivers a repeated key once."""

    def __init__(self, address: SplitResult, *, clock: Clock, timeout_s: float, honours_keys: bool) -> None:
        self.host = address.hostname
        self._clock = clock
        self._timeout_s = timeout_s
        self._honours_keys = honours_keys
        self._proxy = _proxy_for(address)
        self._client: aiohttp.ClientSession | None = None

    async def send(
        self, method: str, url: Any, *, headers: Mapping[str, str], body: bytes | None, read: Reader
    ) -> SendResult:
        """Make one request and say what became of it; raises nothing for what the receiver or the network does."""
        try:
            # The session bounds connecting; this bounds all together, so that a dripping answer holds no worker.
            async with asyncio.timeout(self._timeout_s) as deadline:
                if self._client is None:  # a session belongs to the loop that runs it
                    self._client = _client(self._timeout_s, reuse_connections=self._honours_keys)
                asking = self._client.request(
                    method, url, headers=headers, data=body, proxy=self._proxy, allow_redirects=False
                )
                async with asking as answer:
                    return await read(answer, deadline)
        except _NEVER_SENT as error:
            return Retry(reason=f"no connection to {self.host}: {_say(error)}")
        except TimeoutError:
            return Unknown(reason=f"no answer from {self.host} within {self._timeout_s:g} s")
        except aiohttp.ClientError as error:
            return Unknown(reason=f"the connection to {self.host} broke while sending: {_say(error)}")

    def refusal(self, answer: aiohttp.ClientResponse, *, detail: str = "", after_s: float | None = None) -> SendResult:
        """What a status other than 2xx means (see the table above); `detail` is told to people."""
        status = answer.status
        reason = f"{self.host} answered {status}{detail}"
        if status == 409 and self._honours_keys:
            return Accepted()
        if status in _TRY_AGAIN_LATER or status in _NOT_TAKEN or (status >= 500 and self._honours_keys):
            return Retry(reason=reason, after_s=self.retry_after_s(answer) if after_s is None else after_s)
        if status >= 500:
            return Unknown(reason=f"{reason}; it may have failed after the message had gone out")
        if 300 <= status < 400:
            return Rejected(reason=f"{reason}, a redirect, which is not followed: configure the final URL")
        return Rejected(reason=reason)

    def retry_after_s(self, answer: aiohttp.ClientResponse) -> float | None:
        """Read Retry-After, in seconds or as an HTTP date; None where it is missing or unreadable."""
        return _retry_after_s(answer.headers.get("retry-after", "").strip(), self._clock.now())

    async def close(self) -> None:
        """Close the connections to the receiver."""
        if self._client is not None:
            await self._client.close()


def ahead_of(date: str | None, now: datetime) -> float | None:
    """How many seconds `now` is ahead of a header Date; None where there is none that can be read."""
    try:
        theirs = parsedate_to_datetime(date or "")
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return (now - (theirs if theirs.tzinfo else theirs.replace(tzinfo=UTC))).total_seconds()


def checked_url(name: str, url: str) -> SplitResult:
    """Read the address of a channel; raises `ConfigurationError` naming the channel and what is wrong."""
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


async def body_of(answer: aiohttp.ClientResponse) -> bytes | None:
    """Read the body of an answer, at most `ANSWER_BYTES_MAX`; None where it is longer."""
    read = bytearray()
    async for piece in answer.content.iter_any():
        read += piece
        if len(read) > ANSWER_BYTES_MAX:
            return None
    return bytes(read)


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


def _retry_after_s(value: str, now: datetime) -> float | None:
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
