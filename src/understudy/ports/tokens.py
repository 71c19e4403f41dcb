"""Where access tokens come from, as a port: the one place where they are renewed; whoever uses one knows no grant."""

from __future__ import annotations

from typing import Protocol


class TokenRefused(Exception):
    """No token could be had. `is_final`: the provider says that it will give none, so the configuration is wrong."""

    def __init__(self, message: str, *, is_final: bool) -> None:
        super().__init__(message)
        self.message = message
        self.is_final = is_final


class TokenSource(Protocol):
    """Gives access tokens that are good for now."""

    async def token(self) -> str:
        """A token that is good for some time; however many ask, it is renewed once. Raises `TokenRefused`."""
        ...

    def refused(self, token: str) -> None:
        """Say that a token was not taken, so that the next is a new one."""
        ...

    async def close(self) -> None:
        """Let go of connections."""
        ...
