"""Staffing in the console: a switch for oneself, whose a hand-off is and how long it waits in the queue, and a lead's screen.

`UNDERSTUDY_PICTURES=FOLDER` keeps pictures in both themes.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from browsing import expect, in_the_console, open_screen, px_too_wide, rows, violations
from understudy.records.access import Role
from understudy.records.staffing import Assignment

pytestmark = in_the_console

numbers = itertools.count(1)
TEAMS = """
[topics.returns]
phrases = ["return", "refund"]

[teams.returns]
members = ["Kim", "Tom"]
topics = ["returns"]
capacity = 2
overflow = "everybody"

[teams.everybody]
members = ["Kim", "Tom", "Lena", "Ida"]

[sla]
answer_within_s = { 0 = 1800 }
"""


@pytest.fixture(scope="module")
def desk(serve: Callable[..., Any]) -> Any:
    return serve(more=TEAMS)


@pytest.fixture
def quiet(emptied: Any, until: Callable[..., Any]) -> Any:
    """A server on which nobody waits, and nobody is away."""
    http = emptied.http(emptied.key())
    for name in ("Kim", "Tom", "Lena"):
        emptied.http(emptied.key(name=name)).put("/v1/desk/presence", json={"is_away": False})
    until(lambda: http.get("/v1/teams/waiting").json()["items"] == [])
    return emptied


def hand_off(desk: Any, name: str = "Ada Byron", said: str = "I want to talk to a human being about my return.") -> Any:
    """Have a customer ask for a person."""
    number = next(numbers)
    contact = {"id": f"staffing-{number}", "name": name}
    asked = [{"role": "user", "content": said}]
    record = {"id": f"staffing-{number}", "messages": asked, "draft": {"text": "I will get somebody."}}
    return desk.client().submit_turn({**record, "contact": contact})


def waits(desk: Any) -> list[Any]:
    found: list[Any] = desk.http(desk.key()).get("/v1/teams/waiting").json()["items"]
    return found


def who_is_here(desk: Any) -> set[str]:
    teams = desk.http(desk.key()).get("/v1/teams").json()["items"]
    return {one["name"] for team in teams for one in team["people"] if one["is_here"]}


def age(desk: Any, conversation_id: str, minutes: float) -> None:
    """Let a customer have waited longer than they have."""

    def step(tx: Any) -> None:
        (wait,) = (one for one in tx.assignments.live(limit=99) if one.conversation_id == conversation_id)
        by = timedelta(minutes=minutes)
        older: Assignment = replace(
            wait, waits_since=wait.waits_since - by, due_at=wait.due_at - by, step_at=wait.step_at - by
        )
        tx.assignments.change(replace(older, version=wait.version + 1), was=wait.version)
        tx.ledger.append("test.aged", at=desk.app.clock.now())

    desk.app.store.write_now(step)


def picture(page: Any, name: str) -> None:
    if folder := os.environ.get("UNDERSTUDY_PICTURES"):
        page.screenshot(path=str(Path(folder) / f"{name}.png"))


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_somebody_switches_between_here_and_away_by_keyboard(
    quiet: Any, enter: Any, until: Callable[..., Any], theme: str
) -> None:
    hand_off(quiet)
    page = enter("Kim", color_scheme=theme)
    switch = page.get_by_role("switch", name="Here for hand-offs")
    expect(switch).to_be_checked()
    expect(rows(page).first).to_contain_text("for you")
    expect(rows(page).first).to_contain_text("waits")
    expect(rows(page).first).to_contain_text("in 30 min")
    assert violations(page) == []
    assert px_too_wide(page) <= 0
    picture(page, f"staffing-queue-{theme}")
    switch.focus()
    page.keyboard.press("Enter")
    expect(switch).not_to_be_checked()
    expect(page.get_by_text("You are away: you are given nothing")).to_be_visible()
    hand_off(quiet, "Charles")
    until(lambda: len(waits(quiet)) == 2)
    assert next(one for one in waits(quiet) if one["person"] is None)["why"] == "nobody_here"
    assert violations(page) == []
    page.keyboard.press("Enter")
    expect(switch).to_be_checked()
    expect(rows(page).filter(has_text="for you")).to_have_count(2)


def test_a_key_switches_between_here_and_away_and_is_listed(quiet: Any, enter: Any) -> None:
    page = enter("Kim")
    switch = page.get_by_role("switch", name="Here for hand-offs")
    expect(switch).to_be_checked()
    page.keyboard.press("h")
    expect(switch).not_to_be_checked()
    page.keyboard.press("h")
    expect(switch).to_be_checked()
    page.keyboard.press("?")
    keys = page.get_by_role("dialog")
    expect(keys).to_contain_text("be here for hand-offs, or away")
    page.keyboard.press("h")
    page.keyboard.press("Escape")
    expect(switch).to_be_checked()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_screen_of_a_hold_says_whose_the_hand_off_is(
    quiet: Any, enter: Any, until: Callable[..., Any], theme: str
) -> None:
    hand_off(quiet)
    page = enter("Kim", color_scheme=theme)
    expect(rows(page).first).to_contain_text("for you")
    page.locator(".rows").focus()
    page.keyboard.press("Enter")
    about = page.locator("section").filter(has=page.get_by_role("heading", name="This hold"))
    expect(about).to_contain_text("for you")
    expect(about).to_contain_text("returns")
    expect(about).to_contain_text("in 30 min")
    assert violations(page) == []
    picture(page, f"staffing-hold-{theme}")
    (wait,) = waits(quiet)
    lead = quiet.http(quiet.key(name="Lena"))
    assert lead.get("/v1/teams/waiting", params={"hold": "nothing"}).json()["items"] == []
    lead.post(f"/v1/teams/waiting/{wait['hold_id']}/assign", json={"person": "Tom"})
    expect(about).to_contain_text("for Tom")
    expect(about).to_contain_text("Lena gave it to Tom.")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_frame_of_who_may_all_stands_in_one_line(quiet: Any, enter: Any, until: Any, theme: str) -> None:
    late = hand_off(quiet)
    until(lambda: len(waits(quiet)) == 1)
    age(quiet, late.conversation_id, 40)
    until(lambda: {one["is_broken"] for one in waits(quiet)} == {True})
    page = enter("Ida", Role.ADMIN, color_scheme=theme)
    expect(page.get_by_role("switch", name="Here for hand-offs")).to_be_visible()
    expect(page.get_by_role("navigation", name="Screens").get_by_role("link", name="People")).to_be_visible()
    expect(page.get_by_role("link", name="Staffing")).to_contain_text("1")
    picture(page, f"frame-{theme}")
    tops = page.locator("header.top").evaluate("(top) => top.getBoundingClientRect().height")
    out = page.get_by_role("button", name="Sign out").evaluate("(one) => one.getBoundingClientRect().height")
    assert (tops < 60, out < 45) == (True, True), f"the frame is {tops} px high, and the button {out}"
    assert violations(page) == []
    assert px_too_wide(page) <= 0
    for width in (1100, 800, 390):
        page.set_viewport_size({"width": width, "height": 800})
        assert px_too_wide(page) <= 0, f"at {width} px"
        picture(page, f"frame-{theme}-{width}")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_lead_sees_who_is_here_and_every_clock_and_gives_one_to_somebody(
    quiet: Any, enter: Any, until: Callable[..., Any], theme: str
) -> None:
    late, soon, _ = (hand_off(quiet, name) for name in ("Ada Byron", "Charles Babbage", "Mary Somerville"))
    until(lambda: len(waits(quiet)) == 3)
    age(quiet, late.conversation_id, 40)
    age(quiet, soon.conversation_id, 26)
    until(lambda: {one["is_told"] for one in waits(quiet)} == {True, False})
    page = enter("Lena", Role.LEAD, color_scheme=theme)
    link = page.get_by_role("navigation", name="Screens").get_by_role("link", name="Staffing")
    expect(link).to_have_text("Staffing 2 waits are too long, or nearly")
    until(lambda: "Lena" in who_is_here(quiet))  # her page says so once it is there
    open_screen(page, "Staffing")
    here = page.get_by_role("region", name="Who is here")
    expect(here.get_by_role("row", name="Lena").first).to_contain_text("Here")
    expect(here.get_by_role("row", name="Tom").first).to_contain_text("Not here")
    waiting = page.get_by_role("region", name="Who waits")
    expect(waiting.get_by_role("row", name="Ada Byron")).to_contain_text("too late")
    expect(waiting.get_by_role("row", name="Charles Babbage")).to_contain_text("leads told")
    expect(waiting.get_by_role("row", name="Mary Somerville")).to_contain_text("in 30 min")
    assert violations(page) == []
    assert px_too_wide(page) <= 0
    picture(page, f"staffing-{theme}")
    page.get_by_label("Give Mary Somerville to").select_option("Tom")
    expect(page.get_by_text("It is Tom’s now.")).to_be_visible()
    row = waiting.get_by_role("row", name="Mary Somerville")
    expect(row).to_contain_text("Lena gave it to Tom.")
    assert violations(page) == []
    page.set_viewport_size({"width": 390, "height": 800})
    assert px_too_wide(page) <= 0
    picture(page, f"staffing-narrow-{theme}")


def test_without_teams_the_console_shows_nothing_of_it(serve: Any, open_tab: Any) -> None:
    plain = serve()
    password = "correct horse battery"
    lead = plain.http(plain.key(name="root"))
    made = lead.post("/v1/users", json={"name": "Lea", "role": "lead"})
    assert made.status_code == 201, made.text
    tab = open_tab()
    tab.page.goto(f"{plain.url}/console/")
    tab.forgive(401)
    tab.page.get_by_label("Name").fill("Lea")
    tab.page.get_by_label("Password").fill(made.json().get("password", password))
    tab.page.keyboard.press("Enter")
    tab.forgive(401)
    expect(tab.page.get_by_role("heading", name="Queue")).to_be_visible()
    expect(tab.page.get_by_role("navigation", name="Screens").get_by_role("link", name="Quality")).to_be_visible()
    assert tab.page.get_by_role("switch").count() == 0
    assert tab.page.get_by_role("link", name="Staffing").count() == 0
