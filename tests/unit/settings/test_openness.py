"""The doctor warns where a provider's accounts open more doors than anybody may have meant."""

from __future__ import annotations

from typing import Any

import pytest

from understudy.doctor.sign_in import openness
from understudy.settings.sign_in import OidcSettings


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"default_role": "admin"}, "everybody whom the provider knows is an admin here"),
        ({"default_role": "reviewer"}, None),
        ({"role_claim": "groups", "roles": {"ops": "admin"}}, None),
        (
            {"issuer": "https://accounts.google.com", "default_role": "reviewer"},
            "anybody can have an account with https://accounts.google.com, and so is let in as reviewer",
        ),
        (
            {
                "issuer": "https://accounts.google.com",
                "default_role": "reviewer",
                "email_domains": ["shop.example"],
            },
            None,
        ),
    ],
)
def test_doctor_says_who_else_gets_in(given: dict[str, Any], says: str | None) -> None:
    oidc = OidcSettings(**{"issuer": "https://login.shop.example", "client_id": "understudy", **given})
    assert [one.says for one in openness(oidc)] == ([] if says is None else [says])
