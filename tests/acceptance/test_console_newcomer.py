"""What the first newcomer tripped over at the desk, in a real browser: words that were lost, holds that were passed over, and
what was said nowhere."""

from __future__ import annotations

import re
from typing import Any

from browsing import expect, in_the_console, open_screen, press, record, rows, sign_in

pytestmark = in_the_console

OWN = "Our own words, half of them"


def submit(emptied: Any, words: Any, count: int = 1, **more: Any) -> None:
    client = emptied.client()
    for _ in range(count):
        client.submit_turn(record(words, **more))


def opened(page: Any, count: int) -> None:
    expect(rows(page)).to_have_count(count)
    page.locator(".rows").focus()
    page.keyboard.press("Enter")
    expect(page.locator("footer.verdicts button").first).to_be_enabled()


def test_what_one_was_writing_is_there_again_after_another_screen(emptied: Any, enter: Any, words: Any) -> None:
    submit(emptied, words)
    page = enter("Nele")
    opened(page, 1)
    press(page, "p")
    page.keyboard.type(OWN)
    open_screen(page, "Replies")
    page.go_back()
    expect(page.get_by_role("textbox", name="Your words to the customer")).to_have_value(OWN)


def test_what_was_put_away_is_there_when_one_writes_again(emptied: Any, enter: Any, words: Any) -> None:
    submit(emptied, words)
    page = enter("Nele")
    opened(page, 1)
    press(page, "p")
    page.keyboard.type(OWN)
    page.keyboard.press("Escape")
    press(page, "p")
    expect(page.get_by_role("textbox", name="Your words to the customer")).to_have_value(OWN)


def test_after_a_verdict_the_most_urgent_comes_and_not_the_next_below(emptied: Any, enter: Any, words: Any) -> None:
    submit(emptied, words, 3)
    page = enter("Nele")
    expect(rows(page)).to_have_count(3)
    first = rows(page).first.get_attribute("id")
    page.locator(".rows").focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    press(page, "a")
    expect(page).to_have_url(re.compile(re.escape(str(first).removeprefix("row-")) + "$"))


def test_what_was_passed_over_does_not_come_again_before_the_others(emptied: Any, enter: Any, words: Any) -> None:
    submit(emptied, words, 3)
    page = enter("Nele")
    opened(page, 3)
    passed = page.url
    page.keyboard.press("n")
    expect(page).not_to_have_url(passed)
    press(page, "a")
    expect(page.get_by_text("Approved.").first).to_be_visible()
    assert page.url != passed


def test_who_wrote_again_is_gone_on_with(emptied: Any, enter: Any, words: Any) -> None:
    submit(emptied, words)
    visitor = emptied.http()
    token = visitor.post("/chat/sessions", json={}).json()["token"]
    visitor.headers["Authorization"] = f"Bearer {token}"
    visitor.post("/chat/messages", json={"id": "1", "text": words.held})
    page = enter("Nele")
    expect(rows(page)).to_have_count(2)
    rows(page).filter(has_text=words.held).filter(has_text="webchat").click()
    expect(page.locator("footer.verdicts button").first).to_be_enabled()
    visitor.post("/chat/messages", json={"id": "2", "text": f"{words.held} Please, it is urgent."})
    expect(page.get_by_role("log").get_by_text("Please, it is urgent.")).to_be_visible()
    page.get_by_role("button", name="What they wrote now").click()
    expect(page.get_by_role("log").get_by_text("Please, it is urgent.")).to_be_visible()
    expect(page.locator("footer.verdicts button").first).to_be_enabled()


def test_who_gets_a_rejected_draft_reads_why_and_by_whom(emptied: Any, enter: Any, words: Any, until: Any) -> None:
    submit(emptied, words)
    page = enter("Nele")
    opened(page, 1)
    press(page, "r")
    page.keyboard.press("1")
    page.get_by_label("Anything to add for your colleagues?").fill("The label is only free in the EU.")
    page.get_by_role("button", name="Reject").last.click()
    client = emptied.client()
    until(lambda: [hold.kind for hold in client.holds()] == ["hand_off"])
    page = enter("Olga")
    opened(page, 1)
    expect(page.get_by_text("Nele rejected a draft for this: says something wrong")).to_be_visible()
    expect(page.get_by_text("The label is only free in the EU.")).to_be_visible()


def test_a_key_that_does_nothing_here_says_so(emptied: Any, enter: Any, words: Any, until: Any) -> None:
    submit(emptied, words, draft={"text": "I will get somebody.", "handoff": True})
    until(lambda: [hold.kind for hold in emptied.client().holds()] == ["hand_off"])
    page = enter("Nele")
    opened(page, 1)
    page.keyboard.press("e")
    expect(page.get_by_text("There is no draft here that could be changed")).to_be_visible()


def test_who_signs_in_after_somebody_finds_none_of_their_words(emptied: Any, enter: Any, words: Any) -> None:
    submit(emptied, words)
    enter("Olga").close()
    page = enter("Nele")
    opened(page, 1)
    press(page, "p")
    page.keyboard.type(OWN)
    page.get_by_role("button", name="Sign out").click()
    sign_in(page, "Olga")
    opened(page, 1)
    expect(page.get_by_role("textbox", name="Your words to the customer")).to_have_count(0)
    press(page, "p")
    expect(page.get_by_role("textbox", name="Your words to the customer")).to_have_value("")
