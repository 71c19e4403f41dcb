"""Every role on every route of the API: what is not its scope is a 403, and everything else is let through.

The same routes without a session, with one that has ended, and asked for by a page of another site: nobody comes through.
"""

from __future__ import annotations

import importlib.util
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx2
import pytest

from understudy.records.access import SCOPES_OF, Role, Scope
from understudy.web.sessions import COOKIE
from understudy.web.users import add_user, make_user

spec = importlib.util.spec_from_file_location("understudy_tests_access", Path(__file__).with_name("test_access.py"))
assert spec is not None
assert spec.loader is not None
access = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
spec.loader.exec_module(access)

PASSWORD = "correct horse battery"
CHANGING = [route for route in access.ROUTES if route[0] != "get"]
FOREIGN = (
    {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"},
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Sec-Fetch-Site": "same-site"},
    {"Sec-Fetch-Site": "none"},
)
"""What browsers say for a page of another site, a sandboxed one, another host of the same domain, and a typed address."""


@pytest.fixture(scope="module")
def signed_in(served: Any) -> dict[Role, httpx2.Client]:
    clients = {}
    for role in Role:
        user = make_user(role.value, role, PASSWORD, now=datetime.now(UTC))
        served.app.store.write_now(lambda tx, user=user: add_user(tx, user, actor="test"))
        clients[role] = served.http(**{"Sec-Fetch-Site": "same-origin"})
        answer = clients[role].post("/v1/session", json={"name": role.value, "password": PASSWORD})
        assert answer.status_code == 201
    return clients


@pytest.mark.parametrize("route", access.ROUTES, ids=" ".join)
@pytest.mark.parametrize("role", list(Role))
def test_role_is_let_in_by_its_scopes_alone(
    role: Role, route: tuple[str, str], signed_in: dict[Role, httpx2.Client]
) -> None:
    scope: Scope = access.SCOPES[route]
    if scope not in SCOPES_OF[role]:
        status, problem = access.ask(signed_in[role], route)
        assert status == 403
        assert scope.value in problem["detail"]
    elif route[1] == "/v1/events":
        with signed_in[role].stream("GET", route[1]) as answer:
            assert answer.status_code == 200
    else:
        status, _ = access.ask(signed_in[role], route)
        assert status not in (401, 403)


def test_every_role_that_may_decide_is_kept_from_what_would_tell_it_how(signed_in: dict[Role, httpx2.Client]) -> None:
    """Who gives second reviews hears no first verdict, unless they audit: that is an admin's choice to use."""
    assert [role for role in Role if {Scope.HOLDS_WRITE, Scope.LEDGER_READ} <= set(SCOPES_OF[role])] == [Role.ADMIN]


def test_nobody_but_an_admin_has_every_scope() -> None:
    assert [role for role in Role if set(SCOPES_OF[role]) == set(Scope)] == [Role.ADMIN]
    assert Scope.TURNS_WRITE not in {scope for role in Role if role is not Role.ADMIN for scope in SCOPES_OF[role]}


def test_table_has_every_route_and_every_role(served: Any) -> None:
    """A route that is added without a line of its own fails here."""
    paths = served.http().get("/openapi.json").json()["paths"]
    there = {(method, path) for path, methods in paths.items() if path.startswith("/v1/") for method in methods}
    assert set(access.ROUTES) == there - access.OPEN - access.SESSION
    assert set(SCOPES_OF) == set(Role)


@pytest.fixture(scope="module")
def bare(served: Any) -> httpx2.Client:
    """A client that sends nothing but what it is told to."""
    client: httpx2.Client = served.http()
    return client


@pytest.mark.parametrize("route", access.ROUTES, ids=" ".join)
def test_nobody_comes_through_without_a_session(route: tuple[str, str], bare: httpx2.Client) -> None:
    for cookie in ({}, {"Cookie": f"{COOKIE}="}, {"Cookie": f"{COOKIE}={'x' * 43}"}):
        assert access.ask(bare, route, **{"Sec-Fetch-Site": "same-origin", **cookie})[0] == 401


@pytest.mark.parametrize("route", CHANGING, ids=" ".join)
def test_page_of_another_site_changes_nothing_whoever_is_signed_in(
    route: tuple[str, str], signed_in: dict[Role, httpx2.Client], bare: httpx2.Client, served: Any
) -> None:
    before = served.tables()
    for role in Role:
        for headers in FOREIGN:
            cookie = f"{COOKIE}={signed_in[role].cookies[COOKIE]}"
            status, problem = access.ask(bare, route, Cookie=cookie, **headers)
            assert (status, problem["type"].rpartition(":")[2]) == (403, "cross-site"), (role, headers)
    assert served.tables() == before


@pytest.mark.parametrize("role", list(Role))
def test_every_role_may_ask_who_it_is(role: Role, signed_in: dict[Role, httpx2.Client]) -> None:
    who = signed_in[role].get("/v1/session").json()
    assert (who["name"], who["role"]) == (role.value, role.value)
    assert set(who["scopes"]) == {scope.value for scope in SCOPES_OF[role]}
