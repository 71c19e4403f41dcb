"""One HTTP request to a system of record: who asks is added, and what came back is told apart; it knows no system.

no connection made                          `NotAsked`: nothing can have left
anything later that breaks, or silence      `Broken`: it may have been carried out
an answer, whatever its status              `Answered`
401 with a token of ours                    the token is renewed and the request made once more: nothing was done
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any

import httpx2

from understudy import __version__
from understudy.ports.tokens import TokenRefused, TokenSource
from understudy.records.systems import AuthShape
from understudy.records.templates import filled
from understudy.rest_writing import CannotStand, Written, basic, header_of

ANSWER_BYTES_MAX = 2_000_000
RETRY_AFTER_S_MAX = 3_600.0
_NEVER_SENT = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout, httpx2.UnsupportedProtocol)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """An answer. `body` is None where it is no JSON; `is_cut`: it was too long to read."""

    status: int
    headers: Mapping[str, str]
    body: Any
    is_cut: bool = False

    @property
    def is_fine(self) -> bool:
        """Whether the status says that it was done."""
        return 200 <= self.status < 300

    @property
    def retry_after_s(self) -> float | None:
        """How long it asks to be left alone; a date is read against the answer's own."""
        value = self.headers.get("retry-after", "").strip()
        if re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,6})?", value):
            return min(float(value), RETRY_AFTER_S_MAX)
        try:
            wait = parsedate_to_datetime(value) - parsedate_to_datetime(self.headers.get("date", ""))
        except (ValueError, TypeError, IndexError, OverflowError):
            return None
        return min(max(wait.total_seconds(), 0.0), RETRY_AFTER_S_MAX)

    def seen(self) -> dict[str, Any]:
        """The answer as paths and conditions are asked of it."""
        return {"status": self.status, "headers": dict(self.headers), "body": self.body}


@dataclass(frozen=True, slots=True, kw_only=True)
class NotAsked:
    """The request certainly did not leave. `is_refusal`: nobody lets us in, so trying again helps nothing."""

    says: str
    is_refusal: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Broken:
    """The request may have been carried out."""

    says: str
    is_late: bool


class Asking:
    """Makes the requests of one system; `values` fill its auth, and no error repeats them."""

    def __init__(
        self,
        name: str,
        auth: AuthShape,
        values: Mapping[str, str],
        *,
        tokens: TokenSource | None,
        transport: httpx2.AsyncBaseTransport | None = None,
    ) -> None:
        self.name = name
        self._auth = auth
        self._values = values
        self._tokens = tokens
        headers = {"accept": "application/json", "user-agent": f"understudy/{__version__}"}
        self._client = httpx2.AsyncClient(headers=headers, follow_redirects=False, timeout=None, transport=transport)

    async def ask(self, request: Written, *, deadline_s: float) -> Answered | NotAsked | Broken:
        """Make one request within the time; raises nothing for what the system or the network does."""
        began = asyncio.get_running_loop().time()
        for is_last in (False, True):
            left_s = deadline_s - (asyncio.get_running_loop().time() - began)
            try:
                async with asyncio.timeout(max(left_s, 0.0)):
                    token = None if self._tokens is None else await self._tokens.token()
                headers = {**request.headers, **self._who_asks(token or "", request.headers)}
            except TokenRefused as error:
                return NotAsked(says=error.message, is_refusal=error.is_final)
            except TimeoutError:
                return NotAsked(says=f"no access token within {deadline_s:g} s")
            except CannotStand as error:
                return NotAsked(says=f"{self.name}: {error}", is_refusal=True)
            left_s = deadline_s - (asyncio.get_running_loop().time() - began)
            answer = await self._once(request, headers, left_s=left_s, deadline_s=deadline_s)
            if isinstance(answer, Answered) and answer.status == 401 and token is not None and self._tokens is not None:
                self._tokens.refused(token)
                if not is_last:
                    continue
            return answer
        raise AssertionError("the second try returns")

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()
        if self._tokens is not None:
            await self._tokens.close()

    def _who_asks(self, token: str, given: Mapping[str, str]) -> dict[str, str]:
        values = {**self._values, "access_token": token}
        headers = {name.lower(): header_of(name, filled(one, values)) for name, one in self._auth.headers.items()}
        if self._auth.login:
            headers["authorization"] = basic(*(filled(one, values) for one in self._auth.login))
        return {name: value for name, value in headers.items() if name not in given}

    async def _once(
        self, request: Written, headers: Mapping[str, str], *, left_s: float, deadline_s: float
    ) -> Answered | NotAsked | Broken:
        host = httpx2.URL(request.url).host
        try:
            async with asyncio.timeout(max(left_s, 0.0)):
                # Connecting gets a third, so that a hanging connection ends as "never sent" before the whole time is over.
                timeout = httpx2.Timeout(None, connect=max(left_s / 3, 0.01))
                asking = self._client.stream(
                    request.method, request.url, headers=headers, content=request.body, timeout=timeout
                )
                async with asking as answer:
                    body, is_cut = await _body(answer)
        except _NEVER_SENT as error:
            return NotAsked(says=f"no connection to {host}: {str(error) or type(error).__name__}")
        except (TimeoutError, httpx2.TimeoutException):
            return Broken(says=f"no answer from {host} within {deadline_s:g} s", is_late=True)
        except (httpx2.HTTPError, httpx2.StreamError) as error:
            return Broken(says=f"the connection to {host} broke: {str(error) or type(error).__name__}", is_late=False)
        named = {name.lower(): value for name, value in answer.headers.items()}
        try:
            read = None if is_cut else json.loads(body or b"null")
        except (ValueError, RecursionError):
            read = None
        return Answered(status=answer.status_code, headers=named, body=read, is_cut=is_cut)


async def _body(answer: httpx2.Response) -> tuple[bytes, bool]:
    read = bytearray()
    async for piece in answer.aiter_bytes():
        read += piece
        if len(read) > ANSWER_BYTES_MAX:
            return b"", True
    return bytes(read), False
