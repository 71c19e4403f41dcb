"""Signing in at the console in a real browser: by the company account of a real provider, back to where one was, and out."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import identity
from browsing import expect, in_the_console, violations
from understudy.records.admission import Refusal
from understudy.web.signing_in_elsewhere import COOKIE

OF_THE_PROVIDER = ("fonts.googleapis.com", "net::ERR_NAME_NOT_RESOLVED", "net::ERR_ABORTED")
"""The provider's own page wants letters from the network, and is left while it still waits for them."""

pytestmark = in_the_console
provider = identity.provider
WORDS = Path(__file__).parents[2] / "console" / "src" / "words" / "signIn.ts"


@pytest.fixture(scope="module")
def desks(serve: Callable[..., Any], provider: Any) -> dict[str, Any]:
    """Servers by whose passwords they take."""
    made = {whose: serve(more=provider.config(password=whose)) for whose in ("all", "admins", "none")}
    provider.expect(*made.values())
    return made


def go_through(page: Any, login: str) -> None:
    """Fill in the provider's own pages."""
    page.get_by_placeholder("Enter any login").fill(login)
    page.get_by_placeholder("and password").fill("any")
    page.get_by_role("button", name="Sign-in").click()
    page.get_by_role("button", name="Continue").click()


def shown(tab: Any, desk: Any, place: str = "") -> Any:
    """The sign-in page, once it knows the ways in."""
    tab.page.goto(f"{desk.url}/console/{place}")
    expect(tab.page.get_by_role("heading", name="Sign in")).to_be_visible()
    expect(tab.page.get_by_text("Loading")).to_have_count(0)
    return tab.page


def test_reviewer_signs_in_by_the_company_account_and_is_back_where_they_were(desks: Any, open_tab: Any) -> None:
    tab = open_tab()
    page = shown(tab, desks["none"], "#/conversation/c%201")
    expect(page.get_by_label("Password")).to_have_count(0)
    button = page.get_by_role("link", name="Sign in with your company account")
    expect(button).to_be_focused()
    page.keyboard.press("Enter")
    go_through(page, "ines")
    expect(page.get_by_text("Ines Roth, reviewer")).to_be_visible()
    assert page.url == f"{desks['none'].url}/console/#/conversation/c%201"
    names = {cookie["name"]: cookie for cookie in page.context.cookies(desks["none"].url)}
    assert COOKIE not in names
    assert names["understudy_session"]["sameSite"] == "Strict"
    assert names["understudy_session"]["httpOnly"]
    page.get_by_role("button", name="Sign out").click()
    expect(button).to_be_visible()
    tab.forgive(401, 404, *OF_THE_PROVIDER)  # nobody was signed in, and there is no such conversation


def test_who_has_no_role_is_told_so_in_words_and_not_again(desks: Any, open_tab: Any) -> None:
    tab = open_tab()
    page = shown(tab, desks["all"])
    page.get_by_role("link", name="company account").click()
    go_through(page, "guest")
    expect(page.get_by_role("alert")).to_contain_text("gives you no role here")
    assert page.url == f"{desks['all'].url}/console/#/"
    page.reload()
    expect(page.get_by_label("Password")).to_be_visible()
    expect(page.get_by_role("alert")).to_have_count(0)
    tab.forgive(401, *OF_THE_PROVIDER)


def test_admin_finds_the_password_behind_the_company_account(desks: Any, open_tab: Any) -> None:
    tab = open_tab()
    page = shown(tab, desks["admins"])
    expect(page.get_by_label("Password")).to_be_hidden()
    page.get_by_text("Sign in with a password").click()
    expect(page.get_by_label("Password")).to_be_visible()
    tab.forgive(401)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("whose", ["all", "admins", "none"])
def test_page_is_without_a_violation_of_accessibility(
    whose: str, theme: str, desks: Any, open_tab: Any, tmp_path: Path
) -> None:
    tab = open_tab(color_scheme=theme, viewport={"width": 1280, "height": 800})
    page = shown(tab, desks[whose], "?refused=no-role")
    expect(page.get_by_role("alert")).to_be_visible()
    found = violations(page)
    page.screenshot(path=Path(os.environ.get("UNDERSTUDY_PICTURES", tmp_path)) / f"{theme}-sign-in-{whose}.png")
    assert not found, "\n".join(found)
    tab.forgive(401)


@pytest.mark.parametrize("why", ["<img src=x onerror=alert(1)>", "constructor"])
def test_words_of_the_address_are_not_shown(why: str, desks: Any, open_tab: Any) -> None:
    tab = open_tab()
    page = shown(tab, desks["all"], f"?refused={why}")
    expect(page.get_by_role("alert")).to_have_text(
        "Signing in did not work. Try again; if it stays so, tell whoever runs this server."
    )
    tab.forgive(401)


def test_every_reason_has_a_sentence() -> None:
    words = WORDS.read_text(encoding="utf-8")
    assert not [why for why in Refusal if f'"{why.value}":' not in words]
