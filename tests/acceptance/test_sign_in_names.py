"""Whoever may choose their name at an identity provider takes no name here that means somebody or something else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import identity
from identity import as_browser

provider = identity.provider


@pytest.fixture(scope="module")
def desk(serve: Callable[..., Any], provider: Any) -> Any:
    served = serve(more=provider.config())
    provider.expect(served)
    served.key(name="nightly import")
    return served


@pytest.mark.parametrize("name", ["Nightly Import", "system", "Command  Line", "channel", "customer"])
def test_name_of_a_program_or_of_the_product_is_not_taken(name: str, desk: Any, provider: Any) -> None:
    """Verdicts, second reviews and the ledger go by the name, whether it is a user's or an API key's."""
    login = "login-" + name.split(maxsplit=1)[0].lower()
    provider.know(login, name=name, groups=["support"])
    client = desk.http()
    as_browser(client, client.get("/v1/session/oidc"), login, until="/console/")
    shown = " ".join(name.split())
    assert client.get("/v1/session").json()["name"] == f"{shown} (2)"
