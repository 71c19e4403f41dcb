"""The reviewers' desk in a real browser, by keyboard: taking back, views, keys, canned replies, drafts alike, other conversations.

`UNDERSTUDY_PICTURES=FOLDER` keeps a picture of each screen.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from browsing import expect, in_the_console, numbers, press, record, rows, violations
from understudy.records.access import Role

pytestmark = in_the_console

SAME = "You can send it back within 30 days, and we pay the postage."


@pytest.fixture(scope="module")
def desk(serve: Callable[..., Any]) -> Any:
    """A server whose verdicts wait as long as they do where nobody set anything else."""
    return serve(environment={"UNDERSTUDY__REVIEW__UNDO_S": "10"})


def submit(emptied: Any, words: Any, count: int = 1, **more: Any) -> list[Any]:
    client = emptied.client()
    return [client.submit_turn(record(words, **more)) for _ in range(count)]


def submit_alike(emptied: Any, words: Any, names: list[str]) -> None:
    client = emptied.client()
    for name in names:
        contact = {"name": name, "id": f"{name}-{next(numbers)}"}
        client.submit_turn(record(words, topic="returns", text=SAME, contact=contact))


def pending(page: Any) -> Any:
    return page.get_by_role("region", name="Verdicts that you can still take back")


def open_first(page: Any) -> None:
    expect(rows(page).first).to_be_visible()
    page.locator(".rows").focus()
    page.keyboard.press("Enter")
    expect(page.locator("footer.verdicts button").first).to_be_enabled()


def test_a_verdict_is_taken_back_by_a_key_and_is_then_as_if_it_had_not_been(
    emptied: Any, enter: Any, words: Any
) -> None:
    first, second = submit(emptied, words, 2)
    page = enter("Kim")
    open_first(page)
    shown = page.url
    press(page, "e")
    page.keyboard.type(" Sent today.")
    page.keyboard.press("Control+Enter")
    expect(pending(page)).to_contain_text("Your text is sent in")
    expect(page.locator("footer.verdicts")).to_be_visible()  # the next one is there at once
    assert page.url != shown
    page.wait_for_timeout(300)
    page.keyboard.press("u")
    expect(page.get_by_role("textbox", name="The draft, to be changed")).to_have_value(
        "We pay the return postage. Sent today."
    )
    assert page.url == shown
    client = emptied.client()
    assert [client.turn(one.id).state for one in (first, second)] == ["held", "held"]
    page.keyboard.press("Escape")
    press(page, "a")
    expect(page.locator("footer.verdicts, .alone").first).to_be_visible()


def test_a_verdict_that_nobody_takes_back_takes_effect(emptied: Any, enter: Any, words: Any, until: Any) -> None:
    (turn,) = submit(emptied, words)
    page = enter("Kim")
    open_first(page)
    press(page, "a")
    expect(pending(page)).to_be_visible()
    client = emptied.client()
    assert client.turn(turn.id).state == "held"
    until(lambda: client.turn(turn.id).state == "answered")
    expect(pending(page)).to_be_hidden()
    page.keyboard.press("u")
    expect(page.get_by_text("There is nothing to take back any more.")).to_be_visible()


def test_a_colleague_sees_that_it_is_decided_and_gets_it_again_once_it_is_taken_back(
    emptied: Any, enter: Any, words: Any
) -> None:
    submit(emptied, words)
    kim, tom = enter("Kim"), enter("Tom")
    expect(rows(tom)).to_have_count(1)
    open_first(kim)
    press(kim, "a")
    expect(tom.get_by_text("Nothing waits.")).to_be_visible()
    kim.keyboard.press("u")
    expect(rows(tom)).to_have_count(1)


def test_a_customer_who_writes_while_it_waits_is_told_with_the_text_that_was_not_sent(
    emptied: Any, enter: Any, words: Any
) -> None:
    client, name = emptied.client(), f"console-conv-{next(numbers)}"
    client.submit_turn(record(words, conversation_id=name))
    page = enter("Kim")
    open_first(page)
    press(page, "e")
    page.keyboard.type(" Precious words.")
    page.keyboard.press("Control+Enter")
    expect(pending(page)).to_be_visible()
    client.submit_turn(record(words, conversation_id=name))
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("Your last verdict had no effect. The customer wrote again")
    expect(alert).to_contain_text("Precious words.")


def test_a_view_is_kept_opened_by_a_digit_and_by_its_address_in_another_browser(
    emptied: Any, enter: Any, words: Any
) -> None:
    submit(emptied, words, topic="returns")
    submit(emptied, words, topic="repairs")
    page = enter("Kim")
    expect(rows(page)).to_have_count(2)
    page.get_by_label("Topic").select_option("repairs")
    expect(rows(page)).to_have_count(1)
    page.get_by_role("button", name="Keep this view").click()
    page.keyboard.type("Repairs first")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Repairs first 1", exact=True)).to_have_attribute("aria-pressed", "true")
    page.locator(".rows").focus()
    page.keyboard.press("0")
    expect(rows(page)).to_have_count(2)
    page.keyboard.press("1")
    expect(rows(page)).to_have_count(1)
    address = page.url
    assert "view=" in address
    again = enter("Kim")
    again.goto("about:blank")
    again.goto(address)
    expect(rows(again)).to_have_count(1)
    expect(again.get_by_role("button", name="Repairs first 1", exact=True)).to_have_attribute("aria-pressed", "true")
    again.get_by_role("button", name="Remove “Repairs first”").click()
    expect(page.get_by_role("button", name="Repairs first")).to_have_count(0)
    expect(rows(page)).to_have_count(1)


def test_a_key_of_one_s_own_follows_the_person_and_a_taken_one_is_refused_in_words(
    emptied: Any, enter: Any, words: Any
) -> None:
    submit(emptied, words)
    page = enter("Ida")
    expect(rows(page)).to_have_count(1)
    page.keyboard.press("?")
    page.get_by_role("button", name="Change the key: edit, then send").click()
    page.keyboard.press("a")
    expect(page.get_by_role("dialog")).to_contain_text("a is taken: approve: send it as it is.")
    page.keyboard.press("z")
    expect(page.get_by_role("dialog")).to_contain_text("z: edit, then send.")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    again = enter("Ida")
    open_first(again)
    expect(again.get_by_role("button", name="Edit z")).to_be_visible()
    again.keyboard.press("e")
    expect(again.locator("textarea")).to_have_count(0)
    press(again, "z")
    expect(again.locator("textarea")).to_be_focused()
    again.keyboard.press("Escape")
    again.keyboard.press("?")
    again.get_by_role("button", name="All keys as they came").click()
    expect(again.get_by_role("dialog")).to_contain_text("The keys are as they came.")


def test_a_canned_reply_is_written_by_a_lead_and_used_by_all_with_what_is_missing_shown(
    emptied: Any, enter: Any, words: Any
) -> None:
    lead = enter("Lea", Role.LEAD)
    lead.get_by_role("link", name="Replies").click()
    lead.get_by_role("button", name="Add a reply").click()
    lead.keyboard.type("Greeting")
    lead.get_by_label("Text").fill("Dear {customer}, {nonsense}")
    expect(lead.get_by_text("Nobody fills in {nonsense}.")).to_be_visible()
    lead.get_by_label("Text").fill("Dear {first_name}, thank you for writing to {business} at {email}. {reviewer}")
    lead.get_by_role("button", name="Save").click()
    expect(lead.get_by_role("heading", name="Greeting")).to_be_visible()

    submit(emptied, words, contact={"name": "<b>Ann</b> {reviewer} Lee"})
    page = enter("Kim")
    open_first(page)
    press(page, "p")
    page.keyboard.type("/")
    expect(page.get_by_role("combobox", name="A canned reply")).to_be_focused()
    page.keyboard.type("gre")
    page.keyboard.press("Enter")
    own = page.get_by_role("textbox", name="Your words to the customer")
    expect(own).to_have_value("Dear <b>Ann</b>, thank you for writing to Fernhill Kettles at {email}. Kim")
    expect(page.get_by_text("Still to be filled in: {email}")).to_be_visible()
    page.keyboard.press("Control+Enter")
    expect(own).to_be_visible()  # it is not sent
    own.fill("Dear Ann, thank you.")
    page.keyboard.press("Control+Enter")
    expect(pending(page)).to_contain_text("Your words are sent")
    lead.get_by_role("button", name="Remove: Greeting").click()
    lead.get_by_role("button", name="Remove", exact=True).click()
    expect(lead.get_by_text("There are no canned replies yet. Add the first.")).to_be_visible()


def test_identical_drafts_are_approved_at_one_press_and_taken_back_at_one(emptied: Any, enter: Any, words: Any) -> None:
    submit_alike(emptied, words, ["Ann", "Bob", "Cid"])
    page = enter("Kim")
    expect(rows(page)).to_have_count(3)
    expect(rows(page).first).to_contain_text("×3")
    open_first(page)
    press(page, "A")
    group = page.get_by_role("group", name="2 more customers wait with exactly this draft")
    expect(group.get_by_role("checkbox")).to_have_count(2)
    page.keyboard.press("Enter")
    expect(pending(page)).to_contain_text("3 approved.")
    expect(page.get_by_text("Nothing waits.")).to_be_visible()
    page.keyboard.press("u")
    expect(page.locator("footer.verdicts")).to_be_visible()
    page.keyboard.press("q")
    expect(rows(page)).to_have_count(3)


def test_what_the_same_customer_said_elsewhere_stands_beside_and_nobody_else_s(
    emptied: Any, enter: Any, words: Any
) -> None:
    client, me = emptied.client(), f"ann-{next(numbers)}"
    ann = {"id": me, "name": "Ann Lee", "tags": ["gold"]}
    asked = {"role": "user", "content": "Yesterday I asked about a lid."}
    client.submit_turn(record(words, contact=ann, conversation_id=f"{me}-1", messages=[asked]))
    other = {"role": "user", "content": "I am another Ann."}
    client.submit_turn(record(words, contact={**ann, "id": f"{me}-x"}, conversation_id=f"{me}-2", messages=[other]))
    client.submit_turn(record(words, contact=ann, conversation_id=f"{me}-3"))
    page = enter("Kim")
    rows(page).nth(2).click()
    said = page.get_by_role("log", name="Conversation")
    expect(said).to_contain_text("Yesterday I asked about a lid.")
    expect(said).not_to_contain_text("I am another Ann.")
    aside = page.locator("aside.customer")
    expect(aside).to_contain_text("1 question since")
    expect(aside).to_contain_text("gold")


def test_one_sees_who_else_is_in_the_queue(emptied: Any, enter: Any, words: Any) -> None:
    submit(emptied, words)
    enter("Mia")
    page = enter("Kim")
    expect(page.get_by_text("Also here: ")).to_contain_text("Mia")


def test_who_takes_over_sees_what_the_agent_did_and_hands_back_knowingly(emptied: Any, enter: Any, words: Any) -> None:
    submit(emptied, words, contact={"name": "Ann Lee"})
    page = enter("Kim")
    open_first(page)
    press(page, "t")
    expect(page.get_by_role("heading", name="What the agent did")).to_be_visible()
    expect(page.locator("aside.customer")).to_contain_text("We pay the return postage.")
    expect(page.locator("aside.customer")).to_contain_text("Why a person is asked")
    page.get_by_role("button", name="Hand back to the AI agent").click()
    expect(page.get_by_role("alert")).to_contain_text("The customer's last message is not answered yet.")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Queue")).to_be_visible()


@pytest.fixture
def customers(emptied: Any, words: Any) -> None:
    """Four who wait with the same draft, and one who was here before."""
    submit_alike(emptied, words, ["Ann Lee", "Bob Ray", "Cid Fox", "Dora Marsh"])
    client, me = emptied.client(), f"eve-{next(numbers)}"
    eve = {"id": me, "name": "Eve Stone", "emails": [f"{me}@shop.example", f"{me}@work.example"], "tags": ["gold"]}
    earlier = [{"role": "user", "content": "Does the lid of the small kettle fit the large one?"}]
    first = client.submit_turn(record(words, contact=eve, conversation_id=f"{me}-1", messages=earlier))
    before = emptied.http(emptied.key(name="Before"))
    before.post(f"/v1/holds/{first.hold_id}/verdict", headers={"If-Match": '"1"'}, json={"action": "approve"})
    client.submit_turn(record(words, contact=eve, conversation_id=f"{me}-2", topic="repairs"))


def prepare(lead: Any, theme: str) -> Iterator[str]:
    """A lead shares a view and writes canned replies; yields the name of what is to be looked at."""
    lead.get_by_label("Topic").select_option("returns")
    lead.get_by_role("button", name="Keep this view").click()
    lead.keyboard.type(f"Returns, {theme}")
    yield "keeping"
    lead.get_by_label("for everybody").check()
    lead.keyboard.press("Enter")
    expect(lead.get_by_role("button", name=f"Returns, {theme} 1", exact=True)).to_be_visible()
    lead.get_by_role("link", name="Replies").click()
    for name, text in (("Greeting", "Dear {first_name}, thank you. {reviewer}"), ("Wait", "We look into {topic}.")):
        lead.get_by_role("button", name="Add a reply").click()
        lead.get_by_label("Name", exact=True).fill(name)
        lead.get_by_label("Text").fill(text)
        if name == "Wait":
            yield "reply"
        lead.get_by_role("button", name="Save").click()
        expect(lead.get_by_role("heading", name=name)).to_be_visible()
    yield "replies"


def clear(lead: Any, theme: str) -> None:
    """As it was, for whoever comes next."""
    for name in ("Greeting", "Wait"):
        lead.get_by_role("button", name=f"Remove: {name}").click()
        lead.get_by_role("button", name="Remove", exact=True).click()
        expect(lead.get_by_role("heading", name=name)).to_be_hidden()
    lead.go_back()
    lead.get_by_role("button", name=f"Remove “Returns, {theme}”").click()
    expect(lead.get_by_role("button", name=f"Returns, {theme}")).to_have_count(0)


def work(page: Any) -> Iterator[str]:
    """A reviewer goes through all that there is."""
    expect(rows(page)).to_have_count(5)
    yield "queue"
    page.get_by_text("Eve Stone").click()
    expect(page.get_by_text("Does the lid")).to_be_visible()
    press(page, "p")
    page.keyboard.press("Control+/")
    expect(page.get_by_role("listbox", name="A canned reply")).to_be_visible()
    yield "canned"
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    yield "known"
    page.keyboard.press("q")
    page.get_by_text("Ann Lee").click()
    press(page, "A")
    yield "alike"
    page.keyboard.press("Escape")
    press(page, "a")
    expect(pending(page)).to_be_visible()
    yield "undo"
    page.keyboard.press("?")
    page.get_by_role("button", name="Change the key: edit, then send").click()
    yield "keys"
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    expect(page.locator("dialog")).to_have_count(0)  # the browser tells the page of its end a moment after it is hidden
    press(page, "t")
    expect(page.get_by_role("heading", name="What the agent did")).to_be_visible()
    page.get_by_role("button", name="Hand back to the AI agent").click()
    yield "hand-back"


@pytest.mark.usefixtures("customers")
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_desk_is_without_a_violation_of_accessibility(theme: str, enter: Any, tmp_path: Path) -> None:
    pictures = Path(os.environ.get("UNDERSTUDY_PICTURES", tmp_path))
    enter("Mia")
    lead, found = enter("Lea", Role.LEAD, color_scheme=theme), []
    kim = enter("Kim", color_scheme=theme)
    for page, walk in ((lead, prepare(lead, theme)), (kim, work(kim))):
        for name in walk:
            found += [f"{name}: {one}" for one in violations(page)]
            page.screenshot(path=pictures / f"{theme}-desk-{name}.png")
    clear(lead, theme)
    assert not found, "\n".join(found)
