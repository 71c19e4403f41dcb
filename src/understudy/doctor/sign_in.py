"""What `understudy doctor` says of signing in: whether the identity provider answers, and who else gets in."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from urllib.parse import urlsplit

from understudy.doctor.result import Result
from understudy.errors import UnderstudyError
from understudy.records.access import Role
from understudy.settings.model import Settings
from understudy.settings.sign_in import OidcSettings

OPEN_TO_ALL = frozenset(
    {"accounts.google.com", "gitlab.com", "appleid.apple.com", "www.facebook.com", "www.linkedin.com"}
)
"""Providers with whom anybody can have an account."""
HOW_TO = "see docs/how-to/use-the-console.md"


def sign_in(settings: Settings) -> Iterator[Result]:
    """Ask the identity provider, where there is one, and say what would keep people out."""
    from understudy.app import system_clock
    from understudy.connections import build_identity

    if settings.sign_in.oidc is None:
        return
    try:
        provider = build_identity(settings, system_clock())
        assert provider is not None

        async def ask() -> str:
            try:
                return await provider.check()
            finally:
                await provider.close()

        yield Result(what="sign_in.oidc", state="ok", says=asyncio.run(ask()))
    except UnderstudyError as error:
        yield Result(what="sign_in.oidc", state="error", says=error.message, mend=HOW_TO)
    if settings.server.public_url is None:
        yield Result(
            what="sign_in.oidc",
            state="warning",
            says="the provider sends people back to whatever address their browser used",
            mend="set server.public_url, and register PUBLIC_URL/v1/session/oidc/callback with the provider",
        )
    yield from openness(settings.sign_in.oidc)
    if settings.sign_in.password == "none":  # noqa: S105 - whose passwords, no password
        yield Result(
            what="sign_in.password",
            state="warning",
            says="nobody gets in while the provider is away",
            mend='set password = "admins", and keep an admin made by `understudy users add`',
        )


def openness(oidc: OidcSettings) -> Iterator[Result]:
    """Say where more people get in, or get more, than anybody may have meant."""
    if oidc.default_role is Role.ADMIN:
        yield Result(
            what="sign_in.oidc",
            state="warning",
            says="everybody whom the provider knows is an admin here",
            mend="give admins a group of their own in sign_in.oidc.roles, and default_role less, or none",
        )
    elif oidc.default_role is not None and not oidc.email_domains and urlsplit(oidc.issuer).hostname in OPEN_TO_ALL:
        yield Result(
            what="sign_in.oidc",
            state="warning",
            says=f"anybody can have an account with {oidc.issuer}, and so is let in as {oidc.default_role.value}",
            mend="set email_domains, or roles without default_role",
        )
