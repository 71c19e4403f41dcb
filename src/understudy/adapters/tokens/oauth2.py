"""Access tokens by OAuth 2.0 (RFC 6749): client credentials, or a refresh token; renewed before they end, once for all who ask.

Tokens live in memory alone. A provider that gives a new refresh token with each access token (rotation) is followed as
long as this process lives; after a restart it begins with the configured one again.
"""

from __future__ import annotations

import asyncio
import base64
import json
from typing import Any
from urllib.parse import urlencode

import httpx2

from understudy.errors import ConfigurationError
from understudy.ports.clock import Clock
from understudy.ports.tokens import TokenRefused

TIMEOUT_S = 10.0
ANSWER_BYTES_MAX = 65_536
EARLY_S = 60.0
"""A token is renewed so long before it ends, or in the last tenth of a shorter life."""
USUAL_LIFE_S = 900.0
"""Of a token whose life the provider does not tell."""
PAUSE_S = 5.0
"""After a failure nobody asks again for so long: all who wait would ask at once."""


class OAuthTokens:
    """Keeps `ports.tokens.TokenSource`. Raises `ConfigurationError` where `token_url` is no address."""

    def __init__(
        self,
        name: str,
        *,
        token_url: str,
        client_id: str,
        clock: Clock,
        client_secret: str | None = None,
        refresh_token: str | None = None,
        scope: str | None = None,
        audience: str | None = None,
        login: bool = False,
        timeout_s: float = TIMEOUT_S,
        transport: httpx2.AsyncBaseTransport | None = None,
    ) -> None:
        try:
            url = httpx2.URL(token_url)
        except httpx2.InvalidURL as error:
            raise ConfigurationError(f"{name}: token_url {token_url!r} is no address ({error})") from error
        if url.scheme not in ("http", "https") or not url.host:
            raise ConfigurationError(f"{name}: token_url {token_url!r} is no address; write it with its scheme")
        self.name = name
        self._url = url
        self._clock = clock
        self._client_id, self._client_secret = client_id, client_secret
        self._refresh_token = refresh_token
        self._more = {key: value for key, value in (("scope", scope), ("audience", audience)) if value}
        self._login = login
        self._timeout_s = timeout_s
        self._client = httpx2.AsyncClient(follow_redirects=False, timeout=None, transport=transport)
        self._token: str | None = None
        self._good_until = 0.0
        self._failed: tuple[float, TokenRefused] | None = None
        self._renewing = asyncio.Lock()

    def __repr__(self) -> str:
        return f"OAuthTokens({self.name!r}, {self._url.host!r})"

    async def token(self) -> str:
        """The token in use, or a new one; raises `TokenRefused`."""
        async with self._renewing:
            now = self._clock.now().timestamp()
            if self._token is not None and now < self._good_until:
                return self._token
            if self._failed is not None and now < self._failed[0] + PAUSE_S:
                raise self._failed[1]
            try:
                self._token, life_s = await self._renew()
            except TokenRefused as error:
                self._failed = (self._clock.now().timestamp(), error)
                raise
            self._failed = None
            self._good_until = self._clock.now().timestamp() + max(
                life_s - EARLY_S, life_s * 0.9 if life_s < 600 else 0
            )
            return self._token

    def refused(self, token: str) -> None:
        """Forget a token that was not taken, unless another is in use already."""
        if token == self._token:
            self._token = None

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def _renew(self) -> tuple[str, float]:
        status, answer = await self._ask()
        if status != 200 or not isinstance(answer, dict):
            code = answer.get("error") if isinstance(answer, dict) else None
            said = f" ({code})" if isinstance(code, str) and code.isprintable() and len(code) < 100 else ""
            is_final = 400 <= status < 500 and status not in (408, 429)
            raise TokenRefused(f"{self.name}: {self._url.host} gave no token: {status}{said}", is_final=is_final)
        token, life = answer.get("access_token"), answer.get("expires_in")
        if not (isinstance(token, str) and token and token.isascii() and token.isprintable()):
            raise TokenRefused(f"{self.name}: {self._url.host} answered 200 without an access_token", is_final=False)
        if isinstance(newer := answer.get("refresh_token"), str) and newer and self._refresh_token:
            self._refresh_token = newer
        try:
            life_s = float(life) if life is not None and not isinstance(life, bool) else USUAL_LIFE_S
        except (TypeError, ValueError):
            life_s = USUAL_LIFE_S
        return token, min(max(life_s, 1.0), 86_400.0)

    async def _ask(self) -> tuple[int, Any]:
        fields = {"grant_type": "client_credentials", **self._more}
        if self._refresh_token:
            fields |= {"grant_type": "refresh_token", "refresh_token": self._refresh_token}
        headers = {"accept": "application/json", "content-type": "application/x-www-form-urlencoded"}
        if self._login:
            login = base64.b64encode(f"{self._client_id}:{self._client_secret or ''}".encode()).decode()
            headers["authorization"] = f"Basic {login}"
        else:
            fields |= {"client_id": self._client_id}
            fields |= {"client_secret": self._client_secret} if self._client_secret else {}
        try:
            async with asyncio.timeout(self._timeout_s):
                asking = self._client.stream("POST", self._url, headers=headers, content=urlencode(fields).encode())
                async with asking as answer:
                    body = bytearray()
                    async for piece in answer.aiter_bytes():
                        body += piece
                        if len(body) > ANSWER_BYTES_MAX:
                            raise TokenRefused(f"{self.name}: {self._url.host} answered too much", is_final=False)
        except (TimeoutError, httpx2.HTTPError) as error:
            why = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
            raise TokenRefused(f"{self.name}: no token from {self._url.host} ({why})", is_final=False) from error
        try:
            return answer.status_code, json.loads(body or b"null")
        except (ValueError, RecursionError):
            return answer.status_code, None
