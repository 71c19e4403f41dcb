"""JSON over HTTP from an identity provider: fetched within bounds, some of it kept for a while; it knows no meaning of it.

A failure is a `SignInRefused` that names the address, the status and the provider's own code, never a body: that may
hold tokens.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import httpx2

from understudy.errors import SignInRefused
from understudy.ports.clock import Clock
from understudy.records.admission import Refusal

ANSWER_BYTES_MAX = 500_000
AWAY_FOR = timedelta(seconds=5)
"""So long a provider that did not answer is not asked for the same document again: else many who wait would do so in turn."""
_CODE = re.compile(r"[a-z_]{1,60}")


@dataclass(frozen=True, slots=True)
class _Kept:
    document: dict[str, Any]
    until: datetime


class Documents:
    """What one provider answers. `kept_s`: how long a document that `kept` fetched is good for."""

    def __init__(
        self, clock: Clock, *, timeout_s: float, kept_s: float, transport: httpx2.AsyncBaseTransport | None = None
    ) -> None:
        self._clock = clock
        self._timeout_s = timeout_s
        self._kept_for = timedelta(seconds=kept_s)
        self._kept: dict[str, _Kept] = {}
        self._away: dict[str, tuple[SignInRefused, datetime]] = {}
        self._lock = asyncio.Lock()
        self._client = httpx2.AsyncClient(
            headers={"accept": "application/json"}, follow_redirects=False, timeout=None, transport=transport
        )

    async def kept(self, url: str, *, anew: bool = False) -> dict[str, Any]:
        """The document at an address, from here where it is young enough; with `anew` it is fetched in any case."""
        async with self._lock:  # many who sign in at once fetch it once
            known = self._kept.get(url)
            if known is None or anew or known.until <= self._clock.now():
                document = await self._fetch_unless_away(url)
                known = self._kept[url] = _Kept(document, self._clock.now() + self._kept_for)
            return known.document

    async def _fetch_unless_away(self, url: str) -> dict[str, Any]:
        found = self._away.get(url)
        if found is not None and self._clock.now() < found[1]:
            raise SignInRefused(found[0].message, why=found[0].why)
        try:
            return await self.fetch("GET", url)
        except SignInRefused as error:
            self._away[url] = (SignInRefused(error.message, why=error.why), self._clock.now() + AWAY_FOR)
            raise

    async def fetch(
        self, method: str, url: str, *, headers: Mapping[str, str] | None = None, form: Mapping[str, str] | None = None
    ) -> dict[str, Any]:
        """One exchange; raises `SignInRefused` for anything but a JSON object."""
        try:
            async with asyncio.timeout(self._timeout_s):
                async with self._client.stream(method, url, headers=headers, data=form) as response:
                    body = await _body(response)
        except TimeoutError as error:
            raise SignInRefused(
                f"{url} did not answer within {self._timeout_s:g} s", why=Refusal.PROVIDER_AWAY
            ) from error
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            raise SignInRefused(
                f"{url} could not be reached ({type(error).__name__})", why=Refusal.PROVIDER_AWAY
            ) from error
        if response.status_code != 200:
            why = Refusal.PROVIDER_AWAY if response.status_code >= 500 else Refusal.PROVIDER_REFUSED
            raise SignInRefused(f"{url} answered {response.status_code}{_code(body)}", why=why)
        try:
            document = json.loads(body)
        except (ValueError, RecursionError):
            document = None
        if not isinstance(document, dict):
            raise SignInRefused(f"{url} answered something else than a JSON object", why=Refusal.PROVIDER_AWAY)
        return document

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()


async def _body(response: httpx2.Response) -> bytes:
    body = bytearray()
    async for chunk in response.aiter_bytes():
        body += chunk
        if len(body) > ANSWER_BYTES_MAX:
            raise SignInRefused(
                f"{response.url} answered more than {ANSWER_BYTES_MAX:,} bytes", why=Refusal.PROVIDER_AWAY
            )
    return bytes(body)


def _code(body: bytes) -> str:
    """The error code of RFC 6749 in a refusal, as ` (invalid_grant)`, or nothing."""
    try:
        code = json.loads(body)["error"]
    except (ValueError, TypeError, KeyError, RecursionError):
        return ""
    return f" ({code})" if isinstance(code, str) and _CODE.fullmatch(code) else ""
