"""People whom an identity provider knows sign in here, against a real provider; and everything that lets nobody in."""

from __future__ import annotations

import itertools
import json
import logging
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx2
import pytest

import identity
from identity import as_browser
from understudy.errors import InputError
from understudy.records.access import Role
from understudy.records.admission import Refusal
from understudy.web import attempts
from understudy.web.sessions import BY_PROVIDER, COOKIE, TRIES_MAX
from understudy.web.users import add_user, change_user, make_user

provider = identity.provider
PASSWORD = "correct horse battery"
HERE = {"Sec-Fetch-Site": "same-origin"}
numbers = itertools.count(1)


@pytest.fixture(scope="module")
def desk(serve: Callable[..., Any], provider: Any) -> Any:
    served = serve(more=provider.config())
    provider.expect(served)
    return served


@pytest.fixture(autouse=True)
def nobody_tried(request: pytest.FixtureRequest) -> Iterator[None]:
    yield
    if "desk" in request.fixturenames:
        far = datetime.now(UTC) + timedelta(days=365)
        never = datetime(1971, 1, 1, tzinfo=UTC)
        request.getfixturevalue("desk").app.store.write_now(
            lambda tx: tx.users.forget(tries_before=far, sessions_before=never)
        )
        request.getfixturevalue("provider").tell_the_truth()


def arrive(client: httpx2.Client, login: str, *, to: str | None = None) -> httpx2.Response:
    """Sign in by the provider; returns the answer that leads back into the console."""
    begun = client.get("/v1/session/oidc", params={} if to is None else {"to": to})
    assert begun.status_code == 303
    return as_browser(client, begun, login, until="/console/")


def stand_before_the_door(client: httpx2.Client, login: str) -> str:
    """Sign in as far as the address that the provider sends the browser back to."""
    begun = client.get("/v1/session/oidc")
    back = as_browser(client, begun, login, until="/v1/session/oidc/callback")
    return str(back.headers["location"])


def refused(answer: httpx2.Response) -> str | None:
    """Why the console says that nobody came in."""
    assert answer.status_code == 303
    to = urlsplit(answer.headers["location"])
    assert (to.netloc, to.path) == ("", "/console/")
    return parse_qs(to.query).get("refused", [None])[0]


def entries(served: Any, *events: str) -> list[dict[str, Any]]:
    lines = served.http(served.key()).get("/v1/ledger?limit=1000").json()["items"]
    return [line for line in lines if line["event"] in events]


def newcomer(provider: Any, **claims: Any) -> str:
    login = f"new{next(numbers)}"
    provider.know(login, **{"name": login.capitalize(), "groups": ["support"], **claims})
    return login


def test_who_comes_for_the_first_time_becomes_a_user_with_the_role_of_their_groups(desk: Any) -> None:
    client = desk.http()
    answer = arrive(client, "ines")
    assert refused(answer) is None
    cookie = next(one for one in answer.headers.get_list("set-cookie") if one.startswith(COOKIE))
    assert {"httponly", "samesite=strict"} <= {part.strip().lower() for part in cookie.split(";")}
    who = client.get("/v1/session").json()
    assert (who["name"], who["role"]) == ("Ines Roth", "reviewer")
    assert client.get("/v1/holds").status_code == 200
    assert client.get("/v1/ledger").status_code == 403


def test_who_comes_again_is_the_same_user(desk: Any) -> None:
    for _ in range(2):
        assert refused(arrive(desk.http(), "lena")) is None
    users = desk.app.store.read_now(lambda tx: tx.users.all())
    assert [user.role for user in users if user.name == "Lena Brandt"] == [Role.LEAD]
    mine = [
        line["event"] for line in entries(desk, "user.added", "session.opened") if "Lena Brandt" in json.dumps(line)
    ]
    assert mine == ["user.added", "session.opened", "session.opened"]


def test_role_follows_the_groups_and_ends_what_was_open(desk: Any, provider: Any) -> None:
    login = newcomer(provider)
    before, after = desk.http(), desk.http()
    arrive(before, login)
    provider.know(login, name="Somebody Else Now", groups=["leads"])
    arrive(after, login)
    who = after.get("/v1/session").json()
    assert (who["name"], who["role"]) == (login.capitalize(), "lead"), "the name in the ledger stays"
    assert before.get("/v1/session").status_code == 401
    (changed,) = [line for line in entries(desk, "user.changed") if line["body"]["user"] == who["name"]]
    assert (changed["actor"], changed["body"]["role"]) == (provider.issuer, "lead")


def test_who_lost_their_groups_is_refused_and_signed_out_everywhere(desk: Any, provider: Any) -> None:
    login = newcomer(provider)
    client = desk.http()
    arrive(client, login)
    provider.know(login, name=login.capitalize(), groups=["all"])
    assert refused(arrive(desk.http(), login)) == Refusal.NO_ROLE
    assert client.get("/v1/session").status_code == 401
    assert (entries(desk, "session.refused")[-1]["body"]) == {
        "user": login.capitalize(),
        "way": "oidc",
        "why": "no-role",
    }


def test_user_without_a_role_is_not_let_in_and_becomes_no_user(desk: Any) -> None:
    client = desk.http()
    assert refused(arrive(client, "guest")) == Refusal.NO_ROLE
    assert client.get("/v1/session").status_code == 401
    assert "A Guest" not in {user.name for user in desk.app.store.read_now(lambda tx: tx.users.all())}


def test_who_was_shut_out_stays_out(desk: Any, provider: Any) -> None:
    login = newcomer(provider)
    arrive(desk.http(), login)
    now = datetime.now(UTC)
    desk.app.store.write_now(lambda tx: change_user(tx, login, now=now, actor="test", is_disabled=True))
    client = desk.http()
    assert refused(arrive(client, login)) == Refusal.SHUT_OUT
    assert client.get("/v1/session").status_code == 401


def test_name_of_somebody_else_is_not_taken(desk: Any, provider: Any) -> None:
    """Whoever may choose their name at the provider is not thereby an admin here."""
    admin = make_user("Root", Role.ADMIN, PASSWORD, now=datetime.now(UTC))
    desk.app.store.write_now(lambda tx: add_user(tx, admin, actor="test"))
    login = newcomer(provider, name="ROOT", email="root@shop.example", email_verified=True)
    client = desk.http()
    arrive(client, login)
    who = client.get("/v1/session").json()
    assert (who["name"], who["role"]) == ("ROOT (root@shop.example)", "reviewer")


def test_user_of_the_provider_has_no_password(desk: Any, provider: Any) -> None:
    login = newcomer(provider)
    arrive(desk.http(), login)
    for password in ("", "x" * 12, "none"):
        body = {"name": login, "password": password or "x"}
        assert desk.http().post("/v1/session", json=body, headers=HERE).status_code == 401


@pytest.mark.parametrize(
    ("to", "place"),
    [
        ("#/hold/h-1", "#/hold/h-1"),
        ("#/autonomy/refunds%20%C3%97%20web?x=1", "#/autonomy/refunds%20%C3%97%20web?x=1"),
        ("https://evil.example/", "#/"),
        ("//evil.example", "#/"),
        ("/\\evil.example", "#/"),
        ("#/\r\nSet-Cookie: x=1", "#/"),
        ("javascript:alert(1)", "#/"),
        ("#/" + "x" * 700, "#/"),
    ],
)
def test_browser_is_led_back_into_the_console_and_nowhere_else(to: str, place: str, desk: Any) -> None:
    answer = arrive(desk.http(), "ines", to=to)
    assert answer.headers["location"] == f"/console/{place}"


def test_provider_is_asked_with_pkce_state_and_nonce(desk: Any) -> None:
    asked = [
        {
            name: value
            for name, (value,) in parse_qs(
                urlsplit(desk.http().get("/v1/session/oidc").headers["location"]).query
            ).items()
        }
        for _ in range(2)
    ]
    assert asked[0]["response_type"] == "code"
    assert asked[0]["code_challenge_method"] == "S256"
    assert asked[0]["scope"] == "openid profile email groups"
    for unguessable in ("state", "nonce", "code_challenge"):
        assert len(asked[0][unguessable]) == 43
        assert asked[0][unguessable] != asked[1][unguessable]


def test_cookie_of_an_attempt_is_out_of_reach_of_scripts(desk: Any) -> None:
    (cookie,) = desk.http(**{"X-Forwarded-Proto": "https"}).get("/v1/session/oidc").headers.get_list("set-cookie")
    assert cookie.startswith(f"__Host-{attempts.COOKIE}=")
    parts = {part.strip().lower() for part in cookie.split(";")}
    assert {"httponly", "secure", "samesite=lax", "path=/", "max-age=600"} <= parts


# --- what lets nobody in ---


def test_answer_that_another_browser_asked_for_is_refused(desk: Any) -> None:
    """The code of an attacker, slipped to somebody else: they would work under the attacker's name."""
    victim = desk.http()
    victim.get("/v1/session/oidc")
    assert refused(victim.get(stand_before_the_door(desk.http(), "ines"))) == Refusal.NOT_BEGUN_HERE
    assert refused(desk.http().get(stand_before_the_door(desk.http(), "ines"))) == Refusal.NOT_BEGUN_HERE


def test_answer_with_another_state_is_refused(desk: Any) -> None:
    client = desk.http()
    door = urlsplit(stand_before_the_door(client, "ines"))
    query = {name: value for name, (value,) in parse_qs(door.query).items()} | {"state": "x" * 43}
    assert refused(client.get(f"{door.path}?{urlencode(query)}")) == Refusal.NOT_BEGUN_HERE
    assert client.get("/v1/session").status_code == 401


def test_answer_of_another_issuer_is_refused(desk: Any) -> None:
    client = desk.http()
    door = urlsplit(stand_before_the_door(client, "ines"))
    query = {name: value for name, (value,) in parse_qs(door.query).items()} | {"iss": "https://evil.example"}
    assert refused(client.get(f"{door.path}?{urlencode(query)}")) == Refusal.NOT_BEGUN_HERE


def test_answer_that_comes_too_late_is_refused(desk: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    client = desk.http()
    door = stand_before_the_door(client, "ines")
    monkeypatch.setattr(attempts, "LASTS", timedelta(seconds=-1))
    assert refused(client.get(door)) == Refusal.TOO_LATE


def test_code_is_good_for_one_session(desk: Any) -> None:
    client = desk.http()
    door = stand_before_the_door(client, "ines")
    (kept,) = [one.value for one in client.cookies.jar if one.name == attempts.COOKIE]
    assert refused(client.get(door)) is None
    again = desk.http(Cookie=f"{attempts.COOKIE}={kept}")
    assert refused(again.get(door)) == Refusal.PROVIDER_REFUSED


def test_refusal_by_the_provider_is_told(desk: Any) -> None:
    client = desk.http()
    asked = parse_qs(urlsplit(client.get("/v1/session/oidc", params={"to": "#/ledger"}).headers["location"]).query)
    answer = client.get("/v1/session/oidc/callback", params={"state": asked["state"][0], "error": "access_denied"})
    assert refused(answer) == Refusal.PROVIDER_REFUSED
    assert answer.headers["location"].endswith("#/ledger"), "where one wanted to go is not lost"


LIES: dict[str, dict[str, Any]] = {
    "is of another attempt": {"nonce": "x" * 43},
    "has no nonce": {"nonce": None},
    "is meant for others": {"aud": "somebody-else"},
    "is meant for others too": {"aud": ["understudy", "somebody-else"]},
    "was asked for by others": {"azp": "somebody-else"},
    "has expired": {"exp": 1_700_000_000},
    "never expires": {"exp": None},
    "is from the future": {"iat": 4_000_000_000},
    "is from another issuer": {"iss": "https://evil.example"},
    "names nobody": {"sub": ""},
    "names somebody else": {"sub": "lena"},
    "is signed by another key": {"by": "another"},
    "is signed by a key that nobody knows": {"by": "nobody"},
}


@pytest.mark.parametrize("how", LIES)
def test_token_is_not_believed_that(how: str, desk: Any, provider: Any, caplog: pytest.LogCaptureFixture) -> None:
    client = desk.http()
    provider.lie(**LIES[how])
    with caplog.at_level(logging.DEBUG):
        assert refused(arrive(client, "ines")) == Refusal.TOKEN_INVALID
    assert client.get("/v1/session").status_code == 401
    assert "eyJ" not in caplog.text, "no token in a log"
    assert identity.SECRET not in caplog.text


def test_clock_that_is_a_little_off_keeps_nobody_out(desk: Any, provider: Any) -> None:
    provider.lie(exp=int(time.time()) - 30, iat=int(time.time()) + 30)
    assert refused(arrive(desk.http(), "ines")) is None


def test_keys_may_be_replaced(desk: Any, provider: Any) -> None:
    assert refused(arrive(desk.http(), "ines")) is None
    provider.replace_keys()
    assert refused(arrive(desk.http(), "ines")) is None


def test_tries_are_limited(desk: Any) -> None:
    client = desk.http()
    answers = [client.get("/v1/session/oidc/callback?code=x&state=x") for _ in range(TRIES_MAX[BY_PROVIDER] + 1)]
    assert {refused(answer) for answer in answers[:-1]} == {Refusal.NOT_BEGUN_HERE}
    assert refused(answers[-1]) == Refusal.TOO_MANY_TRIES
    assert refused(client.get("/v1/session/oidc")) == Refusal.TOO_MANY_TRIES


def test_what_happens_is_in_the_ledger_without_code_or_token(desk: Any, provider: Any) -> None:
    client = desk.http()
    door = stand_before_the_door(client, newcomer(provider))
    client.get(door)
    desk.http().get(door)
    lines = entries(desk, "user.added", "session.opened", "session.refused")
    assert [line["event"] for line in lines[-3:]] == ["user.added", "session.opened", "session.refused"]
    assert lines[-3]["actor"] == provider.issuer
    assert lines[-2]["body"]["way"] == "oidc"
    assert lines[-1]["body"] == {"user": None, "way": "oidc", "why": "not-begun-here"}
    code = parse_qs(urlsplit(door).query)["code"][0]
    assert code not in repr(desk.tables())


# --- other settings ---


def test_domains_of_addresses_can_be_limited(serve: Callable[..., Any], provider: Any) -> None:
    served = serve(more=provider.config(more='email_domains = ["shop.example"]\ndefault_role = "viewer"'))
    provider.expect(served)
    assert refused(arrive(served.http(), "guest")) == Refusal.OTHER_DOMAIN
    provider.know("unverified", name="U", email="u@shop.example", email_verified=False, groups=[])
    assert refused(arrive(served.http(), "unverified")) == Refusal.OTHER_DOMAIN
    provider.know("nogroup", name="N", email="n@Shop.example", email_verified=True, groups=[])
    client = served.http()
    assert refused(arrive(client, "nogroup")) is None
    assert client.get("/v1/session").json()["role"] == "viewer"


def test_unreachable_provider_is_told_and_passwords_of_admins_are_a_way_in(serve: Callable[..., Any]) -> None:
    gone = identity.CONFIG.format(issuer="http://127.0.0.1:9", password="admins", more="")
    served = serve(more=gone)
    for name, role in (("Root", Role.ADMIN), ("Tom", Role.REVIEWER)):
        user = make_user(name, role, PASSWORD, now=datetime.now(UTC))
        served.app.store.write_now(lambda tx, user=user: add_user(tx, user, actor="test"))
    answer = served.http().get("/v1/session/oidc", params={"to": "#/hold/h-1"})
    assert answer.headers["location"] == "/console/?refused=provider-away#/hold/h-1"
    tried = {
        name: served.http().post("/v1/session", json={"name": name, "password": PASSWORD}, headers=HERE).status_code
        for name in ("Root", "Tom")
    }
    assert tried == {"Root": 201, "Tom": 401}
    assert entries(served, "session.refused")[-1]["body"] == {"user": "Tom", "way": "password", "why": "admins-only"}


def test_passwords_can_be_switched_off(serve: Callable[..., Any], provider: Any) -> None:
    served = serve(more=provider.config(password="none"))
    user = make_user("Root", Role.ADMIN, PASSWORD, now=datetime.now(UTC))
    served.app.store.write_now(lambda tx: add_user(tx, user, actor="test"))
    answer = served.http().post("/v1/session", json={"name": "Root", "password": PASSWORD}, headers=HERE)
    assert answer.status_code == 401
    assert "sign_in.password" in answer.json()["detail"]
    assert served.http().get("/v1/session/ways").json() == {
        "password": "none",
        "provider": "Sign in with your company account",
    }


def test_server_without_a_provider_says_so(served: Any) -> None:
    assert served.http().get("/v1/session/ways").json() == {"password": "all", "provider": None}
    assert refused(served.http().get("/v1/session/oidc")) == Refusal.NOT_CONFIGURED
    assert refused(served.http().get("/v1/session/oidc/callback?code=x")) == Refusal.NOT_BEGUN_HERE


def test_doctor_asks_the_provider(tmp_path: Any, write_folder: Any, understudy_here: Any, provider: Any) -> None:
    def said(more: str) -> list[tuple[str, str]]:
        write_folder(tmp_path, more=more)
        results = understudy_here("doctor", "--json", cwd=tmp_path).json()["results"]
        return [(one["state"], one["says"]) for one in results if one["what"].startswith("sign_in")]

    (answers, address), (gone, *_) = (
        said(provider.config()),
        said(identity.CONFIG.format(issuer="http://127.0.0.1:9", password="all", more="")),
    )
    assert answers == ("ok", f"{provider.issuer} answers and publishes 1 key(s)")
    assert address[0] == "warning"
    assert gone[0] == "error"
    assert ("warning", "nobody gets in while the provider is away") in said(provider.config(password="none"))


def test_people_of_the_provider_are_not_given_passwords(desk: Any, provider: Any) -> None:
    arrive(desk.http(), "ines")
    with pytest.raises(InputError, match="has no password here"):
        desk.app.store.write_now(
            lambda tx: change_user(tx, "Ines Roth", now=datetime.now(UTC), actor="test", password_hash="$argon2id$x")
        )
