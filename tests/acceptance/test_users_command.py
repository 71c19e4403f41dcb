"""`understudy users`: people are added, listed and changed, and sign in with what they were shown."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx2
import pytest

from understudy.web.console import is_built


@pytest.fixture
def folder(tmp_path: Path, write_folder: Any) -> Path:
    return write_folder(tmp_path).parent


def test_user_signs_in_with_the_password_that_was_shown(folder: Path, understudy_here: Any, start_server: Any) -> None:
    added = understudy_here("users", "add", "Ines Roth", "--role", "lead", "--json", cwd=folder).json()
    server = start_server(folder)
    answer = httpx2.post(
        f"{server.url}/v1/session",
        json={"name": "ines roth", "password": added["password"]},
        headers={"Origin": server.url},
    )
    assert answer.status_code == 201
    assert answer.json()["role"] == "lead"


def test_first_user_of_init_is_an_admin(tmp_path: Path, understudy_here: Any, start_server: Any) -> None:
    begun = understudy_here("init", "new", "--json", cwd=tmp_path).json()
    server = start_server(tmp_path / "new")
    answer = httpx2.post(
        f"{server.url}/v1/session",
        json={"name": begun["name"], "password": begun["password"]},
        headers={"Origin": server.url},
    )
    assert answer.json()["role"] == "admin"


def test_password_may_be_given_and_is_then_not_shown(folder: Path, understudy: Any) -> None:
    added = understudy("users", "add", "Tom", "--ask", cwd=folder, stdin="a password of my own\n")
    assert added.code == 0
    assert "a password of my own" not in added.out
    assert "Tom: reviewer." in added.out


def test_list_shows_everybody_and_no_password(folder: Path, understudy_here: Any) -> None:
    understudy_here("users", "add", "Tom", cwd=folder)
    understudy_here("users", "change", "TOM", "--role", "auditor", "--disable", cwd=folder)
    (listed,) = understudy_here("users", "list", "--json", cwd=folder).json()
    assert (listed["name"], listed["role"]) == ("Tom", "auditor")
    assert listed["disabled_at"]
    assert "argon" not in understudy_here("users", "list", cwd=folder).out
    understudy_here("users", "change", "Tom", "--enable", cwd=folder)
    assert understudy_here("users", "list", "--json", cwd=folder).json()[0]["disabled_at"] is None


def test_doctor_says_whether_anybody_can_sign_in(folder: Path, understudy_here: Any) -> None:
    def console() -> Any:
        results = understudy_here("doctor", "--json", cwd=folder).json()["results"]
        return next(result for result in results if result["what"] == "console")

    assert "users add" in console()["mend"] or not is_built()
    understudy_here("users", "add", "Tom", cwd=folder)
    assert console()["state"] == ("ok" if is_built() else "warning")


def test_new_password_is_shown_once(folder: Path, understudy_here: Any) -> None:
    first = understudy_here("users", "add", "Tom", "--json", cwd=folder).json()["password"]
    second = understudy_here("users", "change", "Tom", "--password", "--json", cwd=folder).json()["password"]
    assert len(second) >= 20
    assert second != first


@pytest.mark.parametrize(
    ("command", "says"),
    [
        (("add", "Tom"), "already"),
        (("add", "  "), "NAME"),
        (("add", "x" * 201), "NAME"),
        (("add", "a\tb\x1b"), "NAME"),
        (("change", "Nobody", "--role", "lead"), "there is no user 'Nobody'"),
    ],
)
def test_what_cannot_be_done_says_why(command: tuple[str, ...], says: str, folder: Path, understudy_here: Any) -> None:
    understudy_here("users", "add", "Tom", cwd=folder)
    ended = understudy_here("users", *command, cwd=folder)
    assert ended.code == 3
    assert says in ended.err


def test_short_password_is_refused(folder: Path, understudy: Any) -> None:
    ended = understudy("users", "add", "Tom", "--ask", cwd=folder, stdin="short\n")
    assert ended.code == 3
    assert "12 to 200 characters" in ended.err
