"""Access tokens for mail servers that want OAuth 2.0 and no password (XOAUTH2): fetched, kept until they end, fetched anew. It opens no mailbox.

Everything here blocks and belongs into a thread. Who signs in asks a `TokenSource`, so that a source of another kind may stand here.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Protocol

import httpx2

from understudy.errors import ChannelUnreachable

EARLY_S = 60.0
"""A token that ends so soon is not used any more: a session may be opened with it a moment later."""
LASTS_S = 300.0
"""Of a token whose server does not say how long it is good."""
ANSWER_BYTES_MAX = 65_536


class TokenSource(Protocol):
    """What gives an access token that is good now."""

    def token(self) -> str:
        """An access token; blocks, and raises `ChannelUnreachable` with what the server said."""
        ...

    def forget(self) -> None:
        """Give no token again that was given so far: a server has refused it."""
        ...


class OAuthTokens:
    """Asks a token endpoint, by client credentials or, with a `refresh_token`, by that; several threads share one answer."""

    def __init__(
        self,
        *,
        url: str,
        client_id: str,
        client_secret: str | None,
        refresh_token: str | None,
        scope: str | None,
        now: Callable[[], datetime],
        timeout_s: float,
    ) -> None:
        self._url = url
        self._now = now
        self._timeout_s = timeout_s
        self._form = {"grant_type": "refresh_token" if refresh_token else "client_credentials", "client_id": client_id}
        given = {"client_secret": client_secret, "refresh_token": refresh_token, "scope": scope}
        self._form |= {name: value for name, value in given.items() if value}
        self._one_at_a_time = threading.Lock()
        self._token: str | None = None
        self._ends: datetime | None = None

    def token(self) -> str:
        """The token that is kept, or a new one."""
        with self._one_at_a_time:
            if self._token is None or self._ends is None or self._ends <= self._now():
                self._fetch()
            assert self._token is not None, "a token was fetched"
            return self._token

    def forget(self) -> None:
        """Fetch a new one next time."""
        with self._one_at_a_time:
            self._token = None

    def _fetch(self) -> None:
        try:
            answer = httpx2.post(self._url, data=self._form, timeout=self._timeout_s, follow_redirects=False)
            said: Any = answer.json() if len(answer.content) <= ANSWER_BYTES_MAX else None
        except (httpx2.HTTPError, ValueError, RecursionError) as error:
            raise ChannelUnreachable(f"{self._url} gives no access token: {type(error).__name__}") from error
        token = said.get("access_token") if isinstance(said, Mapping) else None
        if answer.status_code != 200 or not isinstance(token, str) or not token or not token.isprintable():
            why = said.get("error") if isinstance(said, Mapping) else None
            detail = f" ({why[:100]})" if isinstance(why, str) and why.isprintable() else ""
            raise ChannelUnreachable(f"{self._url} gives no access token: {answer.status_code}{detail}")
        renewed = said.get("refresh_token")
        if isinstance(renewed, str) and renewed and "refresh_token" in self._form:
            self._form["refresh_token"] = renewed  # some servers give a new one with each answer
        lasts = said.get("expires_in")
        is_number = isinstance(lasts, int | float) and not isinstance(lasts, bool)
        lasts_s = float(lasts) if is_number else LASTS_S
        self._token, self._ends = token, self._now() + timedelta(seconds=max(min(lasts_s, 86_400.0) - EARLY_S, 1.0))
