"""The console in a real browser: a reviewer's work by keyboard alone, two at one hold, a server that was away."""

from __future__ import annotations

from typing import Any

from browsing import OwnConsole, expect, in_the_console, press, record, rows
from understudy.client.client import Client
from understudy.records.review import VerdictKind

pytestmark = in_the_console

ARMED_MS = 450
"""Longer than a second press of a key is taken for a slip."""


def kinds_by(desk: Any, reviewer: str) -> list[str]:
    """The kinds of verdicts that somebody gave, sorted."""
    known = {kind.value for kind in VerdictKind}
    return sorted(next(word for word in row if word in known) for row in desk.tables()["verdicts"] if reviewer in row)


def test_wrong_password_is_told_and_nothing_else(desk: Any, open_tab: Any) -> None:
    tab = open_tab()
    tab.page.goto(f"{desk.url}/console/")
    tab.page.get_by_label("Name").fill("Nobody")
    tab.page.get_by_label("Password").fill("not the password")
    tab.page.get_by_role("button", name="Sign in").click()
    expect(tab.page.get_by_role("alert")).to_have_text("name or password is wrong, or this user was shut out")
    tab.forgive(401)


def test_three_holds_are_cleared_by_keyboard_alone(emptied: Any, enter: Any, words: Any, until: Any) -> None:
    client = emptied.client()
    for text in ("We pay the return postage.", "We pay 30 EUR.", "You may never return it."):
        client.submit_turn(record(words, text=text))
    page = enter("Keys")
    expect(rows(page)).to_have_count(3)
    page.keyboard.press("j")
    page.keyboard.press("k")
    page.keyboard.press("Enter")

    expect(page.get_by_role("heading", name="Conversation")).to_be_visible()
    press(page, "e")
    field = page.get_by_role("textbox", name="The draft, to be changed")
    expect(field).to_be_focused()
    page.keyboard.type(" Promised.")
    expect(page.locator("ins")).to_have_text(" Promised.")
    page.keyboard.press("Control+Enter")

    press(page, "r")
    page.keyboard.press("1")
    page.keyboard.press("4")
    expect(page.get_by_role("button", pressed=True)).to_have_count(2)
    page.keyboard.press("Enter")

    press(page, "a")
    until(lambda: kinds_by(emptied, "Keys") == ["approve", "edit", "reject"])
    (hand_off,) = until(lambda: list(client.holds()))
    assert hand_off.kind == "hand_off"
    expect(page.get_by_text("needs a person").first).to_be_visible()


def test_first_hold_to_come_into_an_empty_queue_is_opened_by_enter(emptied: Any, enter: Any, words: Any) -> None:
    page = enter("Kim")
    expect(page.get_by_text("Nothing waits.")).to_be_visible()
    emptied.client().submit_turn(record(words))
    expect(rows(page)).to_have_count(1)
    page.keyboard.press("Enter")
    expect(page.locator("footer.verdicts")).to_be_visible()


def test_letters_that_follow_a_key_at_once_are_letters(emptied: Any, enter: Any, words: Any) -> None:
    """Whoever is quicker than the page must not approve by the first a of their text."""
    client = emptied.client()
    for _ in range(2):
        client.submit_turn(record(words))
    page = enter("Kim")
    expect(rows(page)).to_have_count(2)
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Own words")).to_be_enabled()
    page.keyboard.type("pa rant")
    expect(page.get_by_role("textbox", name="Your words to the customer")).to_have_value("a rant")
    assert len(list(client.holds())) == 2


def test_second_press_of_a_key_is_no_verdict_on_the_next_hold(emptied: Any, enter: Any, words: Any, until: Any) -> None:
    client = emptied.client()
    for _ in range(2):
        client.submit_turn(record(words))
    page = enter("Kim")
    expect(rows(page)).to_have_count(2)
    page.keyboard.press("Enter")
    expect(page.locator("footer.verdicts button").first).to_be_enabled()
    page.keyboard.press("a")
    page.keyboard.press("a")
    until(lambda: len(list(client.holds())) == 1)
    page.wait_for_timeout(ARMED_MS)
    assert len(list(client.holds())) == 1


def test_two_reviewers_on_one_hold_give_one_verdict(emptied: Any, enter: Any, words: Any, until: Any) -> None:
    client = emptied.client()
    turn = client.submit_turn(record(words))
    first, second = enter("Mia"), enter("Lou")
    first.keyboard.press("Enter")
    expect(first.locator("footer.verdicts button").first).to_be_enabled()
    expect(second.get_by_text("by Mia")).to_be_visible()
    second.keyboard.press("Enter")
    expect(second.get_by_text("Mia is working on this.")).to_be_visible()
    expect(second.get_by_role("button", name="Approve")).to_be_disabled()
    second.tab.forgive(409)
    first.keyboard.press("a")
    expect(second.get_by_text("Somebody else has decided on this already.")).to_be_visible()
    second.keyboard.press("a")
    assert (kinds_by(emptied, "Mia"), kinds_by(emptied, "Lou")) == (["approve"], [])
    assert until(lambda: client.turn(turn.id).reply).author == "agent"


def visitor_who_wrote(served: Any, text: str) -> Any:
    """The HTTP of a visitor of the web chat, after their first message."""
    visitor = served.http()
    token = visitor.post("/chat/sessions", json={}).json()["token"]
    visitor.headers["Authorization"] = f"Bearer {token}"
    visitor.post("/chat/messages", json={"id": "1", "text": text})
    return visitor


def test_customer_who_writes_again_voids_the_draft_at_once(emptied: Any, enter: Any, words: Any, until: Any) -> None:
    visitor = visitor_who_wrote(emptied, words.held)
    page = enter("Kim")
    expect(rows(page)).to_have_count(1)
    page.keyboard.press("Enter")
    press(page, "e")
    page.keyboard.type(" My own words.")
    visitor.post("/chat/messages", json={"id": "2", "text": f"{words.held} Please?"})
    expect(page.get_by_text("The customer wrote again, so this draft is void.").first).to_be_visible()
    expect(page.locator(".notice pre")).to_contain_text("My own words.")
    page.keyboard.press("Control+Enter")
    said = visitor.get("/chat/messages").json()["messages"]
    assert {one["author"] for one in said} == {"customer"}
    page.get_by_role("button", name="Next").first.click()
    expect(page.get_by_text("Please?").first).to_be_visible()


def test_conversation_is_taken_over_and_handed_back(emptied: Any, enter: Any, words: Any, until: Any) -> None:
    visitor = visitor_who_wrote(emptied, words.held)
    page = enter("Kim")
    expect(rows(page)).to_have_count(1)
    page.keyboard.press("Enter")
    press(page, "t")
    field = page.get_by_role("textbox", name="Your message")
    expect(field).to_be_focused()
    page.keyboard.type("Hello, this is Kim.")
    page.keyboard.press("Control+Enter")
    until(lambda: [one for one in visitor.get("/chat/messages").json()["messages"] if one["author"] == "reviewer"])
    visitor.post("/chat/messages", json={"id": "2", "text": "Oh, a person!"})
    expect(page.get_by_text("Oh, a person!").first).to_be_visible()
    page.get_by_role("button", name="Hand back to the AI agent").click()
    expect(page.get_by_role("alert")).to_contain_text("The agent is asked.")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Queue")).to_be_visible()


def test_second_person_takes_a_conversation_by_name_and_the_first_is_told(
    emptied: Any, enter: Any, words: Any, until: Any
) -> None:
    visitor = visitor_who_wrote(emptied, words.held)
    first, second = enter("Kim"), enter("Lou")
    expect(rows(first)).to_have_count(1)
    first.keyboard.press("Enter")
    press(first, "t")
    expect(first.get_by_role("textbox", name="Your message")).to_be_focused()
    expect(rows(second)).to_have_count(0)  # the draft; what waits next is the message
    visitor.post("/chat/messages", json={"id": "2", "text": "Is anybody there?"})
    expect(rows(second)).to_have_count(1)
    second.keyboard.press("Enter")
    expect(second.get_by_text("Kim has this conversation.")).to_be_visible()
    second.get_by_role("button", name="Take it from Kim").click()
    expect(second.get_by_role("textbox", name="Your message")).to_be_visible()
    expect(first.get_by_text("Lou took a conversation from you.")).to_be_visible()
    expect(first.get_by_text("Lou answers this customer.")).to_be_visible()
    expect(first.get_by_role("button", name="Take it from Lou")).to_be_visible()
    expect(first.get_by_role("textbox", name="Your message")).to_have_count(0)
    second.get_by_role("button", name="Hand back to the AI agent").click()
    second.get_by_role("textbox", name="What did you do?").fill("Called her.")
    second.get_by_role("button", name="Hand back", exact=True).click()
    expect(second.get_by_role("heading", name="Queue")).to_be_visible()
    for page in (first, second):  # whose claim went with the hold
        page.tab.forgive(409)


def test_arrivals_do_not_move_the_row_one_looks_at(emptied: Any, enter: Any, words: Any) -> None:
    client = emptied.client()
    for _ in range(12):
        client.submit_turn(record(words))
    page = enter("Kim")
    page.get_by_label("Order").select_option("oldest")
    expect(rows(page)).to_have_count(12)
    page.keyboard.press("Home")
    page.locator(".rows").focus()
    for _ in range(4):
        page.keyboard.press("j")
    chosen = rows(page).and_(page.get_by_role("option", selected=True))
    name, top = chosen.get_attribute("id"), chosen.bounding_box()["y"]
    gone = next(iter(client.holds()))
    client.approve(gone.id, version=gone.version)
    expect(page.get_by_text("11 waiting")).to_be_visible()
    page.get_by_label("Order").select_option("risk")
    for _ in range(3):
        client.submit_turn(record(words, text="You may never return it, sent to ann@leak.example, +49 30 1234567."))
    expect(page.get_by_text("14 waiting")).to_be_visible()
    chosen = rows(page).and_(page.get_by_role("option", selected=True))
    assert chosen.get_attribute("id") == name
    assert abs(chosen.bounding_box()["y"] - top) <= 44, "a row that went from above the first screen may let it rise"


def test_page_goes_on_after_the_server_was_killed_and_came_back(own_console: OwnConsole, words: Any) -> None:
    """Without being loaded anew, and with the draft that came while nobody looked."""
    page = own_console.page
    expect(page.locator("footer.verdicts button").first).to_be_enabled()
    page.evaluate("window.same = 1")
    own_console.server.process.kill()
    expect(page.get_by_text("Reconnecting")).to_be_visible()
    with Client(own_console.start_again().url, own_console.key) as client:
        client.submit_turn(record(words))
        expect(page.get_by_text("Live", exact=True)).to_be_visible()
        page.keyboard.press("a")
        expect(page.get_by_text("Approved.")).to_be_visible()
        assert len(list(client.holds())) == 1
    expect(page.locator("footer.verdicts, .rows [role=option]").first).to_be_visible()
    assert page.evaluate("window.same") == 1
