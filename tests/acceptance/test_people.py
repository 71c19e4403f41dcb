"""An admin looks after who signs in, by the API and by the console's screen; nobody else does."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx2
import pytest

import browsing
from browsing import PASSWORD, expect, px_too_wide, violations
from understudy.records.access import Role
from understudy.web.sessions import COOKIE
from understudy.web.users import add_user, make_user, make_user_of

HERE = {"Sec-Fetch-Site": "same-origin"}


@pytest.fixture(scope="module")
def admin(served: Any) -> httpx2.Client:
    user = make_user("Root", Role.ADMIN, PASSWORD, now=datetime.now(UTC))
    served.app.store.write_now(lambda tx: add_user(tx, user, actor="test"))
    client: httpx2.Client = served.http(**HERE)
    enter(client, "Root", PASSWORD)
    return client


def enter(client: httpx2.Client, name: str, password: str) -> int:
    return client.post("/v1/session", json={"name": name, "password": password}, headers=HERE).status_code


def let_in(admin: httpx2.Client, name: str, role: str = "reviewer") -> str:
    answer = admin.post("/v1/users", json={"name": name, "role": role})
    assert answer.status_code == 201
    assert answer.json()["user"]["role"] == role
    password: str = answer.json()["password"]
    return password


def place(admin: httpx2.Client, name: str) -> str:
    """Where a user is changed."""
    return "/v1/users/" + str(next(one["id"] for one in admin.get("/v1/users").json() if one["name"] == name))


def entries(served: Any, name: str) -> list[tuple[str, str]]:
    lines = served.http(served.key()).get("/v1/ledger?limit=1000").json()["items"]
    return [(line["event"], line["actor"]) for line in lines if line["body"].get("user") == name]


def test_somebody_new_signs_in_with_the_password_that_was_shown(served: Any, admin: httpx2.Client) -> None:
    password = let_in(admin, "Nina  New")
    assert enter(served.http(), "nina new", password) == 201
    listed = next(one for one in admin.get("/v1/users").json() if one["name"] == "Nina New")
    assert (listed["provider"], listed["sessions"]) == (None, 1)
    assert entries(served, "Nina New") == [("user.added", "Root")]
    assert password not in repr(served.tables())
    assert "password" not in listed
    assert admin.post("/v1/users", json={"name": "NINA NEW", "role": "lead"}).status_code == 409


def test_change_ends_every_session(served: Any, admin: httpx2.Client) -> None:
    password = let_in(admin, "Changed")
    for change in ({"role": "lead"}, {"disabled": True}):
        client = served.http()
        assert enter(client, "Changed", password) == 201
        assert admin.post(place(admin, "Changed"), json=change).status_code == 200
        assert client.get("/v1/session").status_code == 401
    assert enter(served.http(), "Changed", password) == 401
    assert admin.post(place(admin, "Changed"), json={"disabled": False}).json()["disabled_at"] is None
    assert enter(served.http(), "Changed", password) == 201
    assert [event for event, actor in entries(served, "Changed") if actor == "Root"] == [
        "user.added",
        *["user.changed"] * 3,
    ]


def test_new_password_takes_the_place_of_the_old(served: Any, admin: httpx2.Client) -> None:
    old = let_in(admin, "Forgetful")
    new = admin.post(place(admin, "Forgetful") + "/password").json()["password"]
    assert [enter(served.http(), "Forgetful", password) for password in (old, new)] == [401, 201]


def test_sessions_can_be_ended_alone(served: Any, admin: httpx2.Client) -> None:
    password = let_in(admin, "Left Open")
    client = served.http()
    enter(client, "Left Open", password)
    assert admin.post(place(admin, "Left Open") + "/sign_out").json()["sessions"] == 0
    assert client.get("/v1/session").status_code == 401
    assert enter(client, "Left Open", password) == 201
    assert ("user.signed_out", "Root") in entries(served, "Left Open")


def test_nobody_shuts_themselves_out(admin: httpx2.Client) -> None:
    for change in ({"disabled": True}, {"role": "viewer"}):
        answer = admin.post(place(admin, "Root"), json=change)
        assert (answer.status_code, answer.json()["detail"][:11]) == (409, "that is you")
    assert admin.get("/v1/session").json()["role"] == "admin"


def test_somebody_of_a_provider_gets_no_password(served: Any, admin: httpx2.Client) -> None:
    user = make_user_of("https://login.example sub-1", "Petra", Role.LEAD, now=datetime.now(UTC))
    served.app.store.write_now(lambda tx: add_user(tx, user, actor="test"))
    assert admin.post(place(admin, "Petra") + "/password").status_code == 422
    assert (
        next(one for one in admin.get("/v1/users").json() if one["name"] == "Petra")["provider"]
        == "https://login.example"
    )


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("", {"name": "", "role": "lead"}, 422),
        ("", {"name": "x" * 201, "role": "lead"}, 422),
        ("", {"name": "tab\there\x1b", "role": "lead"}, 422),
        ("", {"name": "Owner", "role": "owner"}, 422),
        ("", {"name": "Own", "role": "lead", "password": "mine"}, 422),
        ("/nobody", {"role": "lead"}, 404),
        ("/nobody/password", None, 404),
        ("/nobody/sign_out", None, 404),
    ],
)
def test_what_cannot_be_done_says_why(path: str, body: Any, status: int, admin: httpx2.Client) -> None:
    answer = admin.post(f"/v1/users{path}", **({} if body is None else {"json": body}))
    assert answer.status_code == status
    assert answer.json()["detail"]


# --- on the screen ---


class TestScreen:
    """In a real browser."""

    pytestmark = browsing.in_the_console

    def test_admin_lets_somebody_in_and_shuts_them_out_by_keyboard(self, desk: Any, enter: Any) -> None:
        page = enter("Chief", Role.ADMIN)
        page.get_by_role("link", name="People").press("Enter")
        page.get_by_label("Name").fill("Nils <b>New</b>")
        page.get_by_role("form", name="Add a person").get_by_role("combobox").select_option("lead")
        page.get_by_role("button", name="Add", exact=True).press("Enter")
        dialog = page.get_by_role("dialog")
        expect(dialog).to_contain_text("shown this once")
        password = dialog.locator("pre").inner_text()
        page.keyboard.press("Enter")
        expect(dialog).to_have_count(0)
        assert password not in page.content()
        client = desk.http()
        body = {"name": "Nils <b>New</b>", "password": password}
        assert client.post("/v1/session", json=body, headers=HERE).status_code == 201
        assert COOKIE in client.cookies
        page.get_by_role("button", name="Shut out: Nils").press("Enter")
        page.get_by_role("button", name="Yes, shut out").press("Enter")
        expect(page.get_by_role("row", name="Nils")).to_contain_text("shut out")
        assert client.get("/v1/session").status_code == 401
        page.get_by_role("button", name="Let in again: Nils").press("Enter")
        expect(page.get_by_role("row", name="Nils")).to_contain_text("may sign in")

    def test_nobody_else_is_offered_the_screen(self, desk: Any, enter: Any) -> None:
        page = enter("Lead", Role.LEAD)
        expect(page.get_by_role("link", name="Queue")).to_be_visible()
        expect(page.get_by_role("link", name="People")).to_have_count(0)
        page.evaluate("location.hash = '#/people'")
        expect(page.get_by_text("Your role does not open this screen.")).to_be_visible()
        expect(page.get_by_role("form", name="Add a person")).to_have_count(0)

    @pytest.mark.parametrize("theme", ["light", "dark"])
    @pytest.mark.parametrize("size", [(1280, 800), (1024, 768), (640, 400)], ids=["desk", "tablet", "zoomed"])
    def test_screen_is_without_a_violation(
        self, theme: str, size: tuple[int, int], desk: Any, enter: Any, tmp_path: Path
    ) -> None:
        page = enter("Chief", Role.ADMIN, color_scheme=theme, viewport={"width": size[0], "height": size[1]})
        page.goto(f"{desk.url}/console/#/people")
        expect(page.get_by_role("row", name="Chief")).to_be_visible()
        assert violations(page) == []
        page.screenshot(path=Path(os.environ.get("UNDERSTUDY_PICTURES", tmp_path)) / f"{theme}-people-{size[0]}.png")
        assert px_too_wide(page) <= 0
