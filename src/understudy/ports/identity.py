"""A place elsewhere that knows who somebody is, as a port; whether they may come in, and as what, is not asked of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """What one attempt to sign in is recognised by, each part unguessable.

    `state` comes back in the address, `nonce` in the token; `verifier` is shown by whoever redeems the code (PKCE).
    """

    state: str
    nonce: str
    verifier: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Somebody, as their provider knows them: `subject` never changes and is never given to anybody else there."""

    issuer: str
    subject: str
    claims: Mapping[str, Any]


class IdentityProvider(Protocol):
    """Anything that a browser is sent to and that says afterwards who came."""

    @property
    def issuer(self) -> str:
        """The provider's own name for itself, an address."""
        ...

    async def address(self, attempt: Attempt, *, back_to: str) -> str:
        """Where to send the browser; raises `SignInRefused` where the provider cannot be reached."""
        ...

    async def redeem(self, code: str, attempt: Attempt, *, back_to: str) -> Identity:
        """Say who came back with this code; raises `SignInRefused` where that is not beyond doubt."""
        ...

    async def check(self) -> str:
        """Say in one line that it can be reached; raises `SignInRefused` where it cannot."""
        ...

    async def close(self) -> None:
        """Let go of connections."""
        ...
