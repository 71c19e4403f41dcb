"""What `understudy doctor` says of signing in: whether the identity provider answers, and who else gets in."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

from understudy.doctor.releases import Result
from understudy.errors import UnderstudyError
from understudy.settings.model import Settings

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
    if settings.sign_in.password == "none":  # noqa: S105 - whose passwords, no password
        yield Result(
            what="sign_in.password",
            state="warning",
            says="nobody gets in while the provider is away",
            mend='set password = "admins", and keep an admin made by `understudy users add`',
        )
