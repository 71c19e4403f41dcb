"""One HTTP call to an agent: JSON out, JSON in, every failure as an `AgentError`; it knows no agent's format.

Limits: the whole call ends at its deadline however slowly the bytes drip, an answer larger than `ANSWER_BYTES_MAX` is
dropped, redirects are not followed (a reply must come from the address the configuration names). Error messages name
the address, the status and the codes an API puts beside it, never the free text of an error body: servers like to
repeat what they were sent, and that is the customer's message.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Any

import httpx2

from understudy.adapters.agents.json_forms import read_json
from understudy.errors import AgentAnsweredNonsense, AgentTimedOut, AgentUnavailable, ConfigurationError

ANSWER_BYTES_MAX = 2_000_000
CHECK_DEADLINE_S = 5.0
"""Time `check` gives an endpoint to answer at all."""
RETRY_AFTER_S_MAX = 3600.0
"""A longer Retry-After is cut to this: nobody waits longer for a draft, and absurd values do no harm."""

_CODE = re.compile(r"[\w.\-\[\]/]{1,80}")
_HINTS = {
    400: "the request was refused; check the model's name and the extra parameters",
    401: "the key was refused; check api_key",
    403: "the key was refused; check that api_key may use this address and model",
    404: "nothing there; check the address and the model's name",
    405: "the address takes no POST; check its path",
    413: "the conversation is too long for the agent",
    422: "the request was refused; check that the agent takes the format in docs/reference/draft.md",
}


class HttpCall:
    """A connection pool to one agent's address; calls carry the agent's headers, its key included, and show none."""

    def __init__(
        self,
        *,
        name: str,
        address: str,
        api_key: str | None = None,
        headers: Mapping[str, str] | None = None,
        transport: httpx2.AsyncBaseTransport | None = None,
    ) -> None:
        self.name = name
        self._url = _checked_url(name, address)
        self.address = str(self._url.copy_with(username=None, password=None, query=None))
        """The address as error messages may show it: no password, no query."""
        self._client = httpx2.AsyncClient(
            headers=_checked_headers(name, api_key, headers or {}),
            follow_redirects=False,
            timeout=None,  # the deadline below covers the whole call
            transport=transport,
        )

    def __repr__(self) -> str:
        return f"HttpCall({self.name!r}, {self.address!r})"

    async def post(self, path: str, body: Any, *, deadline_s: float, traceparent: str | None = None) -> Any:
        """Post JSON to address + path and return the JSON that came back.

        Raises `AgentUnavailable` (no connection, 5xx, 408, 425, 429 with its Retry-After), `AgentTimedOut`, or
        `AgentAnsweredNonsense` (3xx, other 4xx, too large, not JSON).
        """
        headers = {"content-type": "application/json"} | ({"traceparent": traceparent} if traceparent else {})
        content = json.dumps(body, ensure_ascii=False).encode(errors="replace")
        status, answer = await self._exchange("POST", path, deadline_s, headers=headers, content=content)
        try:
            return read_json(answer)
        except ValueError as error:
            reason = "is empty" if not answer else f"is not JSON: {error}"
            raise self._nonsense(f"answered {status}, but the body {reason}") from error

    async def reach(self, path: str = "") -> tuple[int, Any]:
        """Get address + path and return the status and the JSON, or None where it is none; any status below 500 is
        fine, except a refused key. Raises like `post`."""
        try:
            status, answer = await self._exchange("GET", path, CHECK_DEADLINE_S, headers={}, content=None)
        except _Refused as error:
            if error.status in (401, 403):
                raise
            return error.status, None
        try:
            return status, read_json(answer)
        except ValueError:
            return status, None

    async def close(self) -> None:
        """Close all connections."""
        await self._client.aclose()

    async def _exchange(
        self, method: str, path: str, deadline_s: float, *, headers: Mapping[str, str], content: bytes | None
    ) -> tuple[int, bytes]:
        url = self._url.copy_with(path=self._url.path.rstrip("/") + path) if path else self._url
        try:
            async with asyncio.timeout(max(deadline_s, 0.0)):
                async with self._client.stream(method, url, headers=headers, content=content) as response:
                    body = await self._body(response)
        except (TimeoutError, httpx2.TimeoutException) as error:
            raise AgentTimedOut(
                f"agent {self.name!r} at {self.address} did not answer within {deadline_s:g} s; "
                "raise drafting.deadline_s or make it quicker"
            ) from error
        except httpx2.DecodingError as error:
            raise self._nonsense("answered with a body whose compression is broken") from error
        except httpx2.TransportError as error:
            raise AgentUnavailable(
                f"agent {self.name!r} at {self.address} could not be reached "
                f"({type(error).__name__}: {error}); is it running, and is the address right?"
            ) from error
        self._raise_for_status(response, body)
        return response.status_code, body

    async def _body(self, response: httpx2.Response) -> bytes:
        body = bytearray()
        async for chunk in response.aiter_bytes():
            body += chunk
            if len(body) > ANSWER_BYTES_MAX:
                raise self._nonsense(f"answered with more than {ANSWER_BYTES_MAX:,} bytes; a draft is never that long")
        return bytes(body)

    def _raise_for_status(self, response: httpx2.Response, body: bytes) -> None:
        status = response.status_code
        if 200 <= status < 300:
            return
        said = f"agent {self.name!r} at {self.address} answered {status}{_codes(body)}"
        if status >= 500 or status in (408, 425, 429):
            hint = "it is asked too often" if status == 429 else "look at its own log"
            raise AgentUnavailable(f"{said}: {hint}", retry_after_s=_retry_after_s(response.headers))
        if 300 <= status < 400:
            raise _Refused(f"{said}: redirects are not followed; configure the final address", status=status)
        hint = _HINTS.get(status, "the request was refused; look at the agent's own log")
        raise _Refused(f"{said}: {hint}", status=status)

    def _nonsense(self, what: str) -> AgentAnsweredNonsense:
        return AgentAnsweredNonsense(f"agent {self.name!r} at {self.address} {what}")


class _Refused(AgentAnsweredNonsense):
    """The agent refused the request."""

    def __init__(self, message: str, *, status: int) -> None:
        super().__init__(message)
        self.status = status


def _checked_url(name: str, address: str) -> httpx2.URL:
    try:
        url = httpx2.URL(address)
    except httpx2.InvalidURL as error:
        raise ConfigurationError(f"agent {name!r}: {address!r} is not an address ({error})") from error
    if url.scheme not in ("http", "https") or not url.host:
        raise ConfigurationError(
            f"agent {name!r}: {address!r} is not an address; write it with its scheme, as https://host/v1"
        )
    return url


def _checked_headers(name: str, api_key: str | None, headers: Mapping[str, str]) -> dict[str, str]:
    checked = {"accept": "application/json", **{key.lower(): value.strip() for key, value in headers.items()}}
    if api_key is not None:
        checked["authorization"] = f"Bearer {api_key.strip()}"
    for key, value in checked.items():
        if not (value.isascii() and value.isprintable()):
            raise ConfigurationError(f"agent {name!r}: the header {key!r} holds a character that HTTP cannot carry")
    return checked


def _codes(body: bytes) -> str:
    """Name the machine-readable codes of an error body, as ` (invalid_request_error, model_not_found)`, or nothing."""
    try:
        error = read_json(body)["error"]
        found = [error[key] for key in ("type", "code", "param") if isinstance(error.get(key), str)]
    except (ValueError, TypeError, KeyError, AttributeError):
        return ""
    codes = [code for code in dict.fromkeys(found) if _CODE.fullmatch(code)]
    return f" ({', '.join(codes)})" if codes else ""


def _retry_after_s(headers: httpx2.Headers) -> float | None:
    """Read Retry-After as seconds; a date is read against the answer's own Date, so no clock is needed."""
    value = headers.get("retry-after", "").strip()
    if re.fullmatch(r"\d{1,9}(\.\d{1,6})?", value):
        return min(float(value), RETRY_AFTER_S_MAX)
    try:
        wait = parsedate_to_datetime(value) - parsedate_to_datetime(headers.get("date", ""))
    except (ValueError, TypeError):
        return None
    return min(max(wait.total_seconds(), 0.0), RETRY_AFTER_S_MAX)
