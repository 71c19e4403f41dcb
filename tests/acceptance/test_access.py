"""Who may call what: every route of the API against no key, wrong keys, keys without its scope, and its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from understudy.records.access import Scope

SCOPES = {
    ("post", "/v1/turns"): Scope.TURNS_WRITE,
    ("get", "/v1/turns"): Scope.TURNS_READ,
    ("get", "/v1/turns/{turn_id}"): Scope.TURNS_READ,
    ("get", "/v1/turns/{turn_id}/pipeline"): Scope.TURNS_READ,
    ("post", "/v1/turns/{turn_id}/feedback"): Scope.TURNS_WRITE,
    ("post", "/v1/turns/{turn_id}/case"): Scope.HOLDS_WRITE,
    ("post", "/v1/chat/completions"): Scope.TURNS_WRITE,
    ("get", "/v1/queue"): Scope.HOLDS_READ,
    ("get", "/v1/holds"): Scope.HOLDS_READ,
    ("get", "/v1/holds/{hold_id}"): Scope.HOLDS_READ,
    ("post", "/v1/holds/{hold_id}/claim"): Scope.HOLDS_WRITE,
    ("post", "/v1/holds/{hold_id}/release"): Scope.HOLDS_WRITE,
    ("post", "/v1/holds/{hold_id}/verdict"): Scope.HOLDS_WRITE,
    ("delete", "/v1/holds/{hold_id}/verdict"): Scope.HOLDS_WRITE,
    ("post", "/v1/holds/approve_alike"): Scope.HOLDS_WRITE,
    ("get", "/v1/conversations/{conversation_id}"): Scope.HOLDS_READ,
    ("get", "/v1/conversations/{conversation_id}/history"): Scope.HOLDS_READ,
    ("post", "/v1/conversations/{conversation_id}/take_over"): Scope.HOLDS_WRITE,
    ("post", "/v1/conversations/{conversation_id}/hand_back"): Scope.HOLDS_WRITE,
    ("post", "/v1/conversations/{conversation_id}/messages"): Scope.HOLDS_WRITE,
    ("get", "/v1/desk"): Scope.HOLDS_READ,
    ("post", "/v1/desk/views"): Scope.HOLDS_READ,
    ("put", "/v1/desk/views/{view_id}"): Scope.HOLDS_READ,
    ("delete", "/v1/desk/views/{view_id}"): Scope.HOLDS_READ,
    ("put", "/v1/desk/preferences"): Scope.HOLDS_READ,
    ("post", "/v1/desk/here"): Scope.HOLDS_READ,
    ("post", "/v1/desk/canned"): Scope.AUTONOMY_WRITE,
    ("put", "/v1/desk/canned/{reply_id}"): Scope.AUTONOMY_WRITE,
    ("delete", "/v1/desk/canned/{reply_id}"): Scope.AUTONOMY_WRITE,
    ("get", "/v1/autonomy"): Scope.AUTONOMY_READ,
    ("get", "/v1/autonomy/stops"): Scope.HOLDS_READ,
    ("get", "/v1/autonomy/slice"): Scope.AUTONOMY_READ,
    **{
        ("post", f"/v1/autonomy/{order}"): Scope.AUTONOMY_WRITE
        for order in ("hold", "resume", "confirm", "decline", "restart")
    },
    ("get", "/v1/releases"): Scope.RELEASES_READ,
    ("get", "/v1/releases/{release_id}"): Scope.RELEASES_READ,
    ("post", "/v1/releases"): Scope.RELEASES_WRITE,
    **{
        ("post", f"/v1/releases/{{release_id}}/{order}"): Scope.RELEASES_WRITE
        for order in ("waive", "promote", "rollback", "give-up", "hold", "resume")
    },
    ("get", "/v1/releases/{release_id}/gate"): Scope.RELEASES_READ,
    ("delete", "/v1/releases/{release_id}/gate"): Scope.RELEASES_WRITE,
    ("post", "/v1/evaluations/runs"): Scope.RELEASES_WRITE,
    ("get", "/v1/evaluations/suites"): Scope.RELEASES_READ,
    ("get", "/v1/evaluations/runs"): Scope.RELEASES_READ,
    ("get", "/v1/evaluations/runs/{run_id}"): Scope.RELEASES_READ,
    ("get", "/v1/evaluations/runs/{run_id}/trials"): Scope.RELEASES_READ,
    ("delete", "/v1/evaluations/runs/{run_id}"): Scope.RELEASES_WRITE,
    ("get", "/v1/contacts/{contact_id}"): Scope.HOLDS_READ,
    ("post", "/v1/contacts/{contact_id}/lift_cap"): Scope.AUTONOMY_WRITE,
    ("post", "/v1/contacts/{contact_id}/erase"): Scope.CONTACTS_ERASE,
    ("get", "/v1/contacts/proposed"): Scope.HOLDS_READ,
    ("post", "/v1/contacts/{contact_id}/link"): Scope.AUTONOMY_WRITE,
    ("post", "/v1/contacts/{contact_id}/unlink"): Scope.AUTONOMY_WRITE,
    ("post", "/v1/contacts/{contact_id}/vouch"): Scope.AUTONOMY_WRITE,
    ("post", "/v1/conversations/{conversation_id}/code"): Scope.HOLDS_WRITE,
    ("get", "/v1/teams"): Scope.HOLDS_READ,
    ("get", "/v1/teams/waiting"): Scope.HOLDS_READ,
    ("post", "/v1/teams/waiting/{hold_id}/assign"): Scope.AUTONOMY_WRITE,
    ("get", "/v1/desk/presence"): Scope.HOLDS_READ,
    ("put", "/v1/desk/presence"): Scope.HOLDS_WRITE,
    ("get", "/v1/pledges"): Scope.HOLDS_READ,
    ("post", "/v1/pledges"): Scope.HOLDS_WRITE,
    ("post", "/v1/pledges/said"): Scope.HOLDS_READ,
    ("post", "/v1/pledges/{pledge_id}/keep"): Scope.HOLDS_WRITE,
    ("post", "/v1/pledges/{pledge_id}/withdraw"): Scope.HOLDS_WRITE,
    ("post", "/v1/pledges/{pledge_id}/put_off"): Scope.HOLDS_WRITE,
    ("get", "/v1/reviewers"): Scope.AUTONOMY_READ,
    ("get", "/v1/quality"): Scope.AUTONOMY_READ,
    ("get", "/v1/quality/csat"): Scope.AUTONOMY_READ,
    ("get", "/v1/quality/resolution"): Scope.AUTONOMY_READ,
    ("get", "/v1/quality/win_back"): Scope.AUTONOMY_READ,
    ("get", "/v1/insights"): Scope.AUTONOMY_READ,
    ("get", "/v1/insights/turns"): Scope.TURNS_READ,
    ("get", "/v1/events"): Scope.HOLDS_READ,
    ("get", "/v1/ledger"): Scope.LEDGER_READ,
    **{("get", f"/v1/ledger/{part}"): Scope.LEDGER_READ for part in ("entries", "turns", "verification", "export")},
    ("get", "/v1/turns/{turn_id}/story"): Scope.TURNS_READ,
    ("get", "/v1/turns/{turn_id}/verification"): Scope.LEDGER_READ,
    ("get", "/v1/health"): Scope.METRICS_READ,
    ("post", "/v1/health/doctor"): Scope.UPKEEP_WRITE,
    ("get", "/v1/outbox"): Scope.METRICS_READ,
    **{("post", f"/v1/outbox/{{outbox_id}}/{order}"): Scope.UPKEEP_WRITE for order in ("retry", "drop")},
    ("post", "/v1/outbox/retry-dead"): Scope.UPKEEP_WRITE,
    ("get", "/v1/actions"): Scope.METRICS_READ,
    ("get", "/v1/actions/{action_id}"): Scope.HOLDS_READ,
    **{("post", f"/v1/actions/{{action_id}}/{order}"): Scope.UPKEEP_WRITE for order in ("retry", "settle", "drop")},
    ("get", "/v1/users"): Scope.USERS_WRITE,
    **{
        ("post", f"/v1/users{part}"): Scope.USERS_WRITE
        for part in ("", "/{which}", "/{which}/password", "/{which}/sign_out")
    },
}
OPEN = {("get", "/v1/schemas/draft"), ("get", "/v1/schemas/turn-record")}
SESSION = {(method, "/v1/session") for method in ("get", "post", "delete")} | {
    ("get", f"/v1/session/{page}") for page in ("ways", "oidc", "oidc/callback")
}
"""Needs no scope: who one is, may be asked by everybody."""
ROUTES = sorted(SCOPES)
BODY = {"action": "approve", "text": "x", "id": "1", "messages": []}


def ask(client: Any, route: tuple[str, str], **headers: str) -> tuple[int, dict[str, Any]]:
    """Call a route about things that do not exist; returns the status and the problem, if it is one."""
    method, path = route
    address = path.replace("{turn_id}", "x").replace("{hold_id}", "x").replace("{conversation_id}", "x")
    address = address.replace("{contact_id}", "x").replace("{release_id}", "x").replace("{run_id}", "x")
    address = address.replace("{outbox_id}", "x").replace("{action_id}", "x")
    address = address.replace("{view_id}", "x").replace("{reply_id}", "x")
    address = address.replace("{which}", "x")
    body = {} if method in ("get", "delete") else {"json": BODY}
    with client.stream(method.upper(), address, headers={"If-Match": '"1"', **headers}, **body) as answer:
        is_problem = answer.headers["content-type"] == "application/problem+json"
        return answer.status_code, answer.read() and answer.json() if is_problem else {}


def test_every_route_of_the_api_stands_in_this_file(served: Any) -> None:
    paths = served.http().get("/openapi.json").json()["paths"]
    there = {(method, path) for path, methods in paths.items() if path.startswith("/v1/") for method in methods}
    assert there == set(SCOPES) | OPEN | SESSION


@pytest.mark.parametrize("route", sorted(OPEN))
def test_schemas_need_no_key(route: tuple[str, str], served: Any) -> None:
    answer = served.http().get(route[1])
    assert answer.status_code == 200
    assert answer.json()["type"] == "object"


@pytest.mark.parametrize("route", ROUTES)
def test_route_refuses_whoever_sends_no_key(route: tuple[str, str], served: Any) -> None:
    status, problem = ask(served.http(), route)
    assert status == 401
    assert "understudy keys create" in problem["detail"]


@pytest.mark.parametrize("route", ROUTES)
def test_route_refuses_a_key_without_its_scope(route: tuple[str, str], served: Any) -> None:
    others = [scope for scope in Scope if scope is not SCOPES[route]]
    status, problem = ask(served.http(served.key(*others, name="Tom")), route)
    assert status == 403
    assert SCOPES[route].value in problem["detail"]
    assert "Tom" in problem["detail"]


@pytest.mark.parametrize("route", ROUTES)
def test_route_lets_a_key_with_only_its_scope_in(route: tuple[str, str], served: Any) -> None:
    client = served.http(served.key(SCOPES[route]))
    if route[1] == "/v1/events":
        with client.stream("GET", route[1]) as answer:
            assert answer.status_code == 200
    else:
        status, _ = ask(client, route)
        assert status not in (401, 403)


def revoked(served: Any) -> str:
    key: str = served.key()
    served.revoke(key)
    return key


WRONG: dict[str, tuple[Callable[[Any], str], str]] = {
    "is missing": (lambda served: "", "Authorization"),
    "is short": (lambda served: served.key()[:-1], "form"),
    "is long": (lambda served: served.key() + "x", "form"),
    "is of another make": (lambda served: "sk-12345", "form"),
    "has another secret": (lambda served: served.key()[:-43] + "x" * 43, "not known"),
    "has an unknown id": (lambda served: "us_" + "0" * 12 + served.key()[15:], "not known"),
    "was revoked": (revoked, "revoked"),
    "has expired": (lambda served: served.key(days=1, age_s=86_401), "expired"),
}


@pytest.mark.parametrize("how", WRONG)
def test_key_is_refused_when_it(how: str, served: Any) -> None:
    make, word = WRONG[how]
    key = make(served)
    before = served.tables()
    answer = served.http(**({"Authorization": f"Bearer {key}"} if key else {})).get("/v1/holds")
    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["www-authenticate"] == "Bearer"
    assert word in answer.json()["detail"]
    assert served.tables() == before


def test_refusal_of_a_key_does_not_repeat_its_secret(served: Any) -> None:
    key = revoked(served)
    answer = served.http(key).get("/v1/holds")
    assert key[16:] not in answer.text


def test_key_in_another_scheme_is_refused(served: Any) -> None:
    assert served.http(Authorization=f"Basic {served.key()}").get("/v1/holds").status_code == 401


def test_revoked_key_is_refused_from_the_next_request_on(served: Any) -> None:
    key = served.key()
    client = served.http(key)
    assert client.get("/v1/holds").status_code == 200
    served.revoke(key)
    assert client.get("/v1/holds").status_code == 401


def test_metrics_are_open_where_the_configuration_does_not_say_otherwise(served: Any) -> None:
    answer = served.http().get("/metrics")
    assert answer.status_code == 200
    assert "understudy_backlog" in answer.text


def test_metrics_want_their_scope_where_the_configuration_says_so(serve: Callable[..., Any]) -> None:
    served = serve(more="[server]\nmetrics_need_key = true")
    assert served.http().get("/metrics").status_code == 401
    assert served.http(served.key(Scope.HOLDS_READ)).get("/metrics").status_code == 403
    assert served.http(served.key(Scope.METRICS_READ)).get("/metrics").status_code == 200
