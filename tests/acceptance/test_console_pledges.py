"""What replies promise, in the console: seen and corrected before the draft leaves, and ended by whoever did it.

`UNDERSTUDY_PICTURES=FOLDER` keeps pictures in both themes.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from browsing import PAYLOADS, expect, in_the_console, open_screen, press, px_too_wide, record, rows, violations
from understudy.effects.pledging import add_pledge
from understudy.records.pledges import USUAL_PLEDGES, PledgeKind

pytestmark = in_the_console

CALL, SEND = "We will call you tomorrow", "We will send a new lid"
PROMISES = f"We pay the return postage. {CALL}. {SEND}."


def picture(page: Any, name: str) -> None:
    if folder := os.environ.get("UNDERSTUDY_PICTURES"):
        page.screenshot(path=str(Path(folder) / f"{name}.png"))


def ask(desk: Any, words: Any, text: str = PROMISES) -> Any:
    return desk.client().submit_turn(record(words, text=text))


def owed(desk: Any) -> list[Any]:
    found: list[Any] = desk.http(desk.key()).get("/v1/pledges").json()["items"]
    return found


@pytest.fixture
def paid(emptied: Any) -> Any:
    """A server on which nothing waits, and nobody is owed anything."""
    for one in owed(emptied):
        emptied.http(emptied.key()).post(f"/v1/pledges/{one['id']}/withdraw", json={"note": "between tests"})
    return emptied


def open_hold(page: Any) -> None:
    expect(rows(page).first).to_be_visible()
    page.locator(".rows").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("region", name="What this promises")).to_be_visible()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_reviewer_corrects_what_a_draft_promises_before_it_leaves(
    paid: Any, words: Any, enter: Any, until: Any, theme: str
) -> None:
    ask(paid, words)
    page = enter("Kim", color_scheme=theme)
    open_hold(page)
    said = page.get_by_role("region", name="What this promises")
    expect(said.locator("q")).to_have_text([CALL, SEND])
    expect(said).to_contain_text("No time is named: the usual one.")
    said.get_by_label("Due").first.fill("2099-05-01T09:30")
    said.get_by_label("no promise").nth(1).check()
    assert violations(page) == []
    assert px_too_wide(page) <= 0
    picture(page, f"review-promises-{theme}")
    page.get_by_role("heading", level=1).focus()
    press(page, "a")
    (call,) = until(lambda: owed(paid))
    assert (call["words"], call["made_by"], call["has_named_time"]) == (CALL, "Kim", True)
    assert call["due_at"][:10] in ("2099-04-30", "2099-05-01", "2099-05-02")


def test_what_an_approved_text_promised_is_not_told_as_the_agents(paid: Any, words: Any, enter: Any) -> None:
    which = ask(paid, words).conversation_id
    paid.app.store.write_now(
        lambda tx: add_pledge(
            tx, paid.app.clock, which, "Somebody writes by nine.", kind=PledgeKind.WRITE, terms=USUAL_PLEDGES, by=None
        )
    )
    page = enter("Kim")
    open_screen(page, "Promises")
    said = page.get_by_role("listitem").filter(has_text="Somebody writes by nine.")
    expect(said).to_contain_text("by an approved standard text")
    expect(said).not_to_contain_text("AI agent")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_what_was_promised_is_listed_and_ended(paid: Any, words: Any, enter: Any, until: Any, theme: str) -> None:
    ask(paid, words)
    page = enter("Kim", color_scheme=theme)
    open_hold(page)
    press(page, "a")
    until(lambda: len(owed(paid)) == 2)
    open_screen(page, "Promises")
    expect(page.locator(".replies-list q")).to_have_text([CALL, SEND])
    assert violations(page) == []
    picture(page, f"promises-{theme}")
    page.get_by_role("button", name=f"Done: {CALL}", exact=True).click()
    expect(page.locator(".replies-list .badge", has_text="kept")).to_be_visible()
    page.get_by_role("button", name=f"Another time: {SEND}").click()
    page.get_by_label("Until when?").fill("2099-05-01T09:30")
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".replies-list")).to_contain_text("2099")
    page.get_by_role("button", name=f"Need not be done: {SEND}").click()
    page.get_by_label("Why need it not be done?").fill("they found the spare one")
    assert violations(page) == []
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".replies-list")).to_contain_text("they found the spare one")
    assert owed(paid) == []


def test_what_a_customer_is_owed_stands_beside_their_next_message(
    paid: Any, words: Any, enter: Any, until: Any
) -> None:
    client, ada = paid.client(), {"id": "comes-back", "name": "Ada"}  # who is who is known by the key's own names
    client.submit_turn(record(words, text=PROMISES, contact=ada))
    page = enter("Kim")
    open_hold(page)
    press(page, "a")
    until(lambda: len(owed(paid)) == 2)
    client.submit_turn(record(words, contact=ada))
    page.goto(f"{paid.url}/console/")
    expect(rows(page).first).to_be_visible()
    page.locator(".rows").focus()
    page.keyboard.press("Enter")
    beside = page.get_by_role("region", name="Promised already")
    expect(beside.locator("q")).to_have_text([CALL, SEND])
    beside.get_by_role("button", name=f"Done: {CALL}", exact=True).click()
    until(lambda: len(owed(paid)) == 1)
    assert violations(page) == []


@pytest.mark.parametrize("payload", PAYLOADS[:2])
def test_what_is_promised_is_text(paid: Any, words: Any, enter: Any, until: Any, payload: str) -> None:
    ask(paid, words, text=f"We will call you tomorrow about {payload}.")
    page = enter("Kim")
    open_hold(page)
    assert page.evaluate("window.hacked") is None
    press(page, "t")
