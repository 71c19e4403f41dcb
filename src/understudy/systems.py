"""Builds systems of record, and what gives their access tokens, from the settings; it asks no system anything."""

from __future__ import annotations

from collections.abc import Mapping

from understudy.errors import ConfigurationError
from understudy.ports.clock import Clock
from understudy.ports.system import System, Witness
from understudy.ports.tokens import TokenSource
from understudy.records.systems import AuthShape, SystemShape, joined
from understudy.records.templates import filled
from understudy.settings.systems import System as SystemSettings


def build_system(name: str, system: SystemSettings, clock: Clock, *, witness: Witness | None = None) -> System:
    """Build one system of record; `witness` is shown its answers. Raises `ConfigurationError`."""
    from understudy.adapters.systems.rest import RestSystem

    shape = shape_of_system(system)
    secrets = {field: secret.get_secret_value() for field, secret in system.credentials.items()}
    values = {**shape.values, **system.values, **secrets}
    tokens = token_source(f"systems.{name}", shape.auth, values, clock)
    return RestSystem(
        name, shape, clock=clock, values=system.values, credentials=secrets, tokens=tokens, witness=witness
    )


def shape_of_system(system: SystemSettings) -> SystemShape:
    """The shape of a system: the vendor's that is shipped, with what the configuration writes anew."""
    if system.preset is None:
        return joined(SystemShape(), system.given())
    from understudy.adapters.systems.presets import shape_of

    return joined(shape_of(system.preset), system.given())


def system_preset(name: str) -> str:
    """The description of a vendor's system that is shipped, as TOML; raises `ConfigurationError` naming all there are."""
    from understudy.adapters.systems.presets import PRESETS, text_of

    if name not in PRESETS:
        raise ConfigurationError(f"no system is shipped as preset {name!r}; there are {', '.join(PRESETS)}")
    return text_of(name)


def token_source(name: str, auth: AuthShape, values: Mapping[str, str], clock: Clock) -> TokenSource | None:
    """Where the access tokens of an interface come from, if it takes any; raises `ConfigurationError`."""
    if (oauth := auth.oauth2) is None:
        return None
    from understudy.adapters.tokens.oauth2 import OAuthTokens

    def fill(template: str | None) -> str | None:
        try:
            return None if template is None else filled(template, values)
        except KeyError as error:
            raise ConfigurationError(
                f"{name}: {{{error.args[0]}}} in auth.oauth2 stands for nothing; give it in values or credentials"
            ) from None

    return OAuthTokens(
        name,
        token_url=fill(oauth.token_url) or "",
        client_id=fill(oauth.client_id) or "",
        client_secret=fill(oauth.client_secret),
        refresh_token=fill(oauth.refresh_token),
        scope=oauth.scope,
        audience=oauth.audience,
        login=oauth.login,
        clock=clock,
    )
