"""Access tokens by OAuth 2.0: got once for all who ask, renewed before they end, and a failure is not asked for again at once."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from systems import ask, own
from understudy.adapters.tokens.oauth2 import OAuthTokens
from understudy.ports.system import Found
from understudy.ports.tokens import TokenRefused
from understudy.testing.scripted import FrozenClock

PEOPLE: dict[str, Any] = {
    "ask": [{"url": "{base_url}/people?email={email}"}],
    "answered": "@.body.people",
    "items": "$.body.people[*]",
    "same_email": "$.item.mail",
    "id": "$.item.id",
}


def tokens(url: str, clock: FrozenClock, **more: Any) -> OAuthTokens:
    return OAuthTokens("systems.crm", token_url=url, client_id="app", client_secret="s", clock=clock, **more)


def test_a_token_is_got_once_for_all_and_renewed_before_it_ends(httpserver: HTTPServer) -> None:
    clock, given_out = FrozenClock(), iter(range(1, 9))

    def give(_: Request) -> Response:
        return Response(json.dumps({"access_token": f"t-{next(given_out)}", "expires_in": 3600}))

    httpserver.expect_request("/token", method="POST").respond_with_handler(give)

    async def played() -> list[str]:
        source = tokens(httpserver.url_for("/token"), clock)
        said = list(await asyncio.gather(*(source.token() for _ in range(5))))
        clock.advance(3_539)
        said.append(await source.token())
        clock.advance(2)
        said.append(await source.token())
        source.refused("t-1")
        said.append(await source.token())
        source.refused("t-2")
        said.append(await source.token())
        await source.close()
        return said

    assert asyncio.run(played()) == ["t-1"] * 6 + ["t-2"] * 2 + ["t-3"]


def test_a_refresh_token_that_is_replaced_is_followed(httpserver: HTTPServer) -> None:
    asked: list[str] = []

    def give(request: Request) -> Response:
        asked.append(request.form["refresh_token"])
        assert request.form["grant_type"] == "refresh_token"
        return Response(json.dumps({"access_token": "t", "expires_in": 1, "refresh_token": f"r-{len(asked)}"}))

    httpserver.expect_request("/token").respond_with_handler(give)
    clock = FrozenClock()

    async def played() -> None:
        source = tokens(httpserver.url_for("/token"), clock, refresh_token="r-0")
        for _ in range(3):
            await source.token()
            clock.advance(60)
        await source.close()

    asyncio.run(played())
    assert asked == ["r-0", "r-1", "r-2"]


@pytest.mark.parametrize(
    ("status", "body", "is_final"),
    [
        (400, {"error": "invalid_grant"}, True),
        (401, {}, True),
        (429, {}, False),
        (500, {}, False),
        (200, {}, False),
        (200, "x", False),
    ],
)
def test_who_gets_no_token_says_so_and_does_not_ask_at_once_again(
    httpserver: HTTPServer, status: int, body: Any, is_final: bool
) -> None:
    httpserver.expect_request("/token").respond_with_data(json.dumps(body) if body != "x" else "x", status)
    clock = FrozenClock()

    async def played() -> TokenRefused:
        source = tokens(httpserver.url_for("/token"), clock)
        for _ in range(3):
            with pytest.raises(TokenRefused) as refused:
                await source.token()
        await source.close()
        return refused.value

    refused = asyncio.run(played())
    assert refused.is_final is is_final
    assert len(httpserver.log) == 1
    assert '"s"' not in refused.message


def test_a_token_that_is_not_taken_is_renewed_and_the_request_made_once_more(httpserver: HTTPServer) -> None:
    given_out = iter(["old", "new", "newer"])
    httpserver.expect_request("/token").respond_with_handler(
        lambda _: Response(json.dumps({"access_token": next(given_out), "expires_in": 3600}))
    )
    httpserver.expect_request("/people").respond_with_handler(
        lambda request: Response(
            json.dumps({"people": [{"id": 7, "mail": "ada@example.com"}]}),
            200 if request.headers["authorization"] == "Bearer new" else 401,
        )
    )
    auth = {
        "headers": {"authorization": "Bearer {access_token}"},
        "oauth2": {"token_url": "{base_url}/token", "client_id": "a"},
    }
    told = ask(own(httpserver.url_for("").rstrip("/"), {"contact": PEOPLE, "auth": auth}), "contact")
    assert isinstance(told, Found)
    assert len(told.items) == 1
