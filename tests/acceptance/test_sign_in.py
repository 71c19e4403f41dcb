"""People who sign in: the cookie, what it opens, and everything that is refused, with what is written down of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import pytest

from understudy.records.access import SCOPES_OF, Role, Scope, user_id
from understudy.web import events
from understudy.web.passwords import HASHER
from understudy.web.sessions import COOKIE, TRIES_MAX
from understudy.web.users import add_user, change_user, make_user

PASSWORD = "correct horse battery"
HERE = {"Sec-Fetch-Site": "same-origin"}


@pytest.fixture(autouse=True)
def nobody_tried(served: Any) -> Iterator[None]:
    """Each test with its own tries: all come from one address."""
    yield
    served.app.store.write_now(lambda tx: tx.users.forget(tries_before=far(1), sessions_before=far(-1)))


def far(years: int) -> datetime:
    return datetime.now(UTC) + timedelta(days=365 * years)


def known(served: Any, name: str, role: Role = Role.REVIEWER) -> str:
    user = make_user(name, role, PASSWORD, now=datetime.now(UTC))
    served.app.store.write_now(lambda tx: add_user(tx, user, actor="test"))
    return name


def enter(client: httpx2.Client, name: str, password: str = PASSWORD, **headers: str) -> httpx2.Response:
    body = {"name": name, "password": password}
    return client.post("/v1/session", json=body, headers=headers or HERE)


def entries(served: Any, *events: str) -> list[dict[str, Any]]:
    lines = served.http(served.key()).get("/v1/ledger?limit=1000").json()["items"]
    return [line for line in lines if line["event"] in events]


def code(answer: httpx2.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["type"].rpartition(":")[2]


def test_who_signs_in_is_known_by_a_cookie_that_no_script_can_read(served: Any) -> None:
    client = served.http()
    answer = enter(client, f" {known(served, 'Ada Lovelace').upper()} ")
    assert answer.status_code == 201
    assert answer.json()["name"] == "Ada Lovelace"
    cookie = answer.headers["set-cookie"]
    assert {part.split("=")[0].strip().lower() for part in cookie.split(";")} >= {"httponly", "samesite", "path"}
    assert "samesite=strict" in cookie.lower()
    who = client.get("/v1/session").json()
    assert (who["name"], who["role"]) == ("Ada Lovelace", "reviewer")
    assert set(who["scopes"]) == {str(scope) for scope in SCOPES_OF[Role.REVIEWER]}
    assert client.get("/v1/holds").status_code == 200


def test_cookie_over_https_is_secure_and_bound_to_this_host(served: Any) -> None:
    client = served.http(**{"X-Forwarded-Proto": "https"})
    answer = enter(client, known(served, "Secure"))
    assert answer.headers["set-cookie"].startswith(f"__Host-{COOKIE}=")
    assert "secure" in answer.headers["set-cookie"].lower()


def test_verdict_of_who_signed_in_carries_their_name(served: Any, words: Any) -> None:
    served.client().submit_turn(words.record("signed"))
    client = served.http(**HERE)
    enter(client, known(served, "Grace"))
    hold = client.get("/v1/holds").json()["items"][0]
    answer = client.post(
        f"/v1/holds/{hold['id']}/verdict", json={"action": "approve"}, headers={"If-Match": f'"{hold["version"]}"'}
    )
    assert answer.status_code == 200
    assert answer.json()["verdict"]["reviewer"] == "Grace"


def test_only_argon2id_hashes_are_stored(served: Any) -> None:
    known(served, "Hashed")
    client = served.http()
    token = enter(client, "Hashed").cookies[COOKIE]
    everything = repr(served.tables())
    assert "$argon2id$" in everything
    assert PASSWORD not in everything
    assert token not in everything
    assert HASHER.type.name == "ID"


@pytest.mark.parametrize("who", ["Wanda", "nobody at all"])
def test_wrong_name_and_wrong_password_are_refused_alike(who: str, served: Any) -> None:
    if who == "Wanda":
        known(served, who)
    answer = enter(served.http(), who, "not the password")
    assert code(answer) == (401, "unauthenticated")
    assert answer.json()["detail"] == "name or password is wrong, or this user was shut out"
    assert COOKIE not in answer.headers.get("set-cookie", "")


def test_sign_in_is_refused_after_too_many_tries_even_with_the_right_password(served: Any) -> None:
    known(served, "Tried")
    client = served.http()
    most = TRIES_MAX["user and address"]
    assert {code(enter(client, "Tried", f"wrong {number}")) for number in range(most)} == {(401, "unauthenticated")}
    before = len(entries(served, "session.refused"))
    answer = enter(client, "Tried")
    assert code(answer) == (429, "too-many-tries")
    assert 0 < int(answer.headers["retry-after"]) <= 300
    assert len(entries(served, "session.refused")) == before, (
        "what is refused unseen is no entry: nobody fills the ledger"
    )
    assert enter(served.http(), known(served, "Another")).status_code == 201


def test_right_password_begins_the_count_anew(served: Any) -> None:
    known(served, "Clumsy")
    client = served.http()
    for _ in range(3):
        for _ in range(TRIES_MAX["user and address"] - 1):
            enter(client, "Clumsy", "wrong")
        assert enter(client, "Clumsy").status_code == 201


def test_many_names_from_one_address_are_refused_too(served: Any) -> None:
    client = served.http()
    answers = [enter(client, f"guess {number}", "wrong").status_code for number in range(TRIES_MAX["address"] + 1)]
    assert answers[-1] == 429
    assert set(answers[:-1]) == {401}


def test_sign_out_ends_the_session_at_the_server(served: Any) -> None:
    client = served.http()
    token = enter(client, known(served, "Leaver")).cookies[COOKIE]
    assert client.delete("/v1/session", headers=HERE).status_code == 204
    kept = served.http(Cookie=f"{COOKIE}={token}")
    assert kept.get("/v1/session").status_code == 401


@pytest.mark.parametrize("change", [{"is_disabled": True}, {"role": Role.VIEWER}, {"password_hash": "$argon2id$x"}])
def test_session_ends_when_its_user_is_changed(change: dict[str, Any], served: Any) -> None:
    name = known(served, f"Changed {next(iter(change))}")
    client = served.http()
    enter(client, name)
    assert client.get("/v1/holds").status_code == 200
    served.app.store.write_now(lambda tx: change_user(tx, name, now=datetime.now(UTC), actor="test", **change))
    assert client.get("/v1/holds").status_code == 401


def test_who_was_shut_out_cannot_sign_in(served: Any) -> None:
    name = known(served, "Shut Out")
    served.app.store.write_now(lambda tx: change_user(tx, name, now=datetime.now(UTC), actor="test", is_disabled=True))
    assert enter(served.http(), name).status_code == 401


def test_session_ends_by_itself(served: Any) -> None:
    client = served.http()
    enter(client, known(served, "Sleeper"))

    def age(tx: Any) -> None:
        session = "UPDATE user_sessions SET expires_at = 1 WHERE user_id = 'sleeper'"
        tx.session._cursor.execute(session)
        tx.ledger.append("test.step", at=datetime.now(UTC))

    served.app.store.write_now(age)
    assert client.get("/v1/session").status_code == 401


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "https://evil.example", "Sec-Fetch-Site": "same-origin"},
        {"X-Nothing": "says where it comes from"},
    ],
    ids=str,
)
@pytest.mark.parametrize("call", ["sign in", "sign out", "change"])
def test_change_by_cookie_from_another_site_is_refused(call: str, headers: dict[str, str], served: Any) -> None:
    client = served.http()
    if served.app.store.read_now(lambda tx: tx.users.get(user_id("Victim"))) is None:
        known(served, "Victim")
    enter(client, "Victim")
    if call == "sign in":
        answer = enter(client, "Victim", **headers)
    elif call == "sign out":
        answer = client.delete("/v1/session", headers=headers)
    else:
        answer = client.post("/v1/holds/x/claim", headers=headers)
    assert code(answer) == (403, "cross-site")
    assert client.get("/v1/session").status_code == 200, "nothing was done"


def test_own_origin_may_change_things(served: Any) -> None:
    client = served.http()
    enter(client, known(served, "Own"), Origin=served.url)
    assert client.post("/v1/holds/x/claim", headers={"Origin": served.url}).status_code == 404


def test_key_counts_before_a_cookie_and_needs_no_origin(served: Any) -> None:
    client = served.http()
    enter(client, known(served, "Both", Role.VIEWER))
    client.headers["Authorization"] = f"Bearer {served.key(name='Robot')}"
    assert client.get("/v1/session").json() | {"scopes": []} == {
        "name": "Robot",
        "role": None,
        "scopes": [],
        "until": None,
    }
    assert client.post("/v1/holds/x/claim").status_code == 404


def test_what_happens_is_in_the_ledger_without_any_secret_or_name_that_was_typed(served: Any) -> None:
    client = served.http()
    enter(client, known(served, "Audited", Role.LEAD))
    enter(served.http(), "Audited", "wrong password")
    enter(served.http(), "my password typed as a name", "x")
    client.delete("/v1/session", headers=HERE)
    lines = entries(served, "user.added", "session.opened", "session.refused", "session.closed")
    mine = [(line["event"], line["actor"]) for line in lines if "Audited" in (line["actor"], line["body"].get("user"))]
    assert mine == [
        ("user.added", "test"),
        ("session.opened", "Audited"),
        ("session.refused", "system"),
        ("session.closed", "Audited"),
    ]
    assert "typed as a name" not in json.dumps(lines)
    assert PASSWORD not in json.dumps(lines)


@pytest.mark.parametrize("who", ["user", "key"])
def test_stream_ends_once_its_caller_may_no_longer_have_it(
    who: str, served: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events, "ASKED_AGAIN_S", 0.05)
    key = served.key(name="Streamer")
    client = served.http(**({"Authorization": f"Bearer {key}"} if who == "key" else {}))
    if who == "user":
        enter(client, known(served, "Streamer"))
    with client.stream("GET", "/v1/events") as answer:
        lines = answer.iter_lines()
        next(lines)
        if who == "key":
            served.revoke(key)
        else:
            client.delete("/v1/session", headers=HERE)
        assert not [line for line in lines if line.startswith("never")], "the loop ends because the stream does"


def test_reviewers_do_not_hear_who_signs_in(served: Any, until: Any) -> None:
    listener = served.http()
    enter(listener, known(served, "Listener"))
    heard: list[str] = []
    with listener.stream("GET", "/v1/events", headers={"Last-Event-ID": "0"}) as answer:
        enter(served.http(), "Listener")
        served.client().submit_turn(
            {"id": "heard", "messages": [{"role": "user", "content": "Hi?"}], "draft": {"text": "Hi."}}
        )
        for line in answer.iter_lines():
            if line.startswith("event:"):
                heard.append(line.removeprefix("event:").strip())
            if "turn.decided" in heard:
                break
    assert not [event for event in heard if event.partition(".")[0] in ("session", "user")]


def test_who_signs_out_is_seen_at_the_desk_no_longer(served: Any) -> None:
    colleague = served.http(served.key(Scope.HOLDS_READ, name="Tom"))
    name = known(served, "Ola Here")
    client = served.http()
    enter(client, name)

    def present() -> list[str]:
        return [one["name"] for one in colleague.post("/v1/desk/here", json={}).json()["people"]]

    client.post("/v1/desk/here", json={}, headers=HERE).raise_for_status()
    assert name in present()
    client.delete("/v1/session", headers=HERE).raise_for_status()
    assert name not in present()
