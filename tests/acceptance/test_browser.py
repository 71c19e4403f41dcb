"""The web chat in a real browser: what a customer sees, what a hostile text cannot do, and that nothing complains."""

from __future__ import annotations

import json
from typing import Any

import pytest

from browsing import WITHIN_MS, expect, in_a_browser

HOSTILE = '<img src=x onerror="window.hacked = 1"><script>window.hacked = 1</script> & <b>bold</b> javascript:alert(1)'

pytestmark = in_a_browser


@pytest.fixture(scope="module")
def reviewer(served: Any) -> Any:
    return served.client(served.key(name="Ines"))


def write(page: Any, text: str) -> None:
    page.get_by_role("textbox").fill(text)
    page.keyboard.press("Enter")


def shown(page: Any, text: str) -> Any:
    return page.get_by_role("log").get_by_text(text, exact=True)


def hold_of(reviewer: Any, text: str) -> Any:
    details = (reviewer.hold(hold.id) for hold in reviewer.holds())
    return next((one for one in details if any(said.text == text for said in one.conversation.messages)), None)


def test_approved_reply_appears_without_a_reload(
    served: Any, reviewer: Any, words: Any, until: Any, open_tab: Any
) -> None:
    page = open_tab().page
    page.goto(f"{served.url}/chat")
    expect(page.get_by_text("You are talking to an AI assistant.")).to_be_visible()
    page.evaluate("window.same = 1")
    write(page, words.held)
    expect(shown(page, words.held)).to_be_visible()
    detail = until(lambda: hold_of(reviewer, words.held))
    reviewer.edit(detail.hold.id, "Yes, we pay the postage.", version=detail.hold.version)
    expect(shown(page, "Yes, we pay the postage.")).to_be_visible()
    assert page.evaluate("window.same") == 1


def test_conversation_is_still_there_after_a_reload(served: Any, words: Any, open_tab: Any) -> None:
    page = open_tab().page
    page.goto(f"{served.url}/chat")
    write(page, words.automatic)
    reply = page.get_by_role("log").get_by_text("9:00 to 18:00")
    expect(reply).to_be_visible()
    page.reload()
    expect(shown(page, words.automatic)).to_have_count(1)
    expect(reply).to_have_count(1)
    write(page, f"{words.automatic} Again.")
    expect(shown(page, f"{words.automatic} Again.")).to_have_count(1)


def test_hostile_words_are_shown_as_words(served: Any, reviewer: Any, until: Any, open_tab: Any) -> None:
    page = open_tab().page
    page.goto(f"{served.url}/chat")
    write(page, HOSTILE)
    expect(shown(page, HOSTILE)).to_have_count(1)
    detail = until(lambda: hold_of(reviewer, HOSTILE))
    answer = f"{HOSTILE} indeed"
    if detail.hold.kind == "draft":
        reviewer.edit(detail.hold.id, answer, version=detail.hold.version)
    else:
        reviewer.respond(detail.hold.id, answer, version=detail.hold.version)
    expect(shown(page, answer)).to_have_count(1)
    page.reload()
    expect(shown(page, answer)).to_have_count(1)
    assert page.locator("img, [role=log] b, [role=log] script").count() == 0
    assert page.evaluate("window.hacked") is None


def test_reviewers_name_cannot_carry_markup(served: Any, until: Any, open_tab: Any) -> None:
    page = open_tab().page
    hostile = served.client(served.key(name='<img src=x onerror="window.hacked=1">'))
    page.goto(f"{served.url}/chat")
    asked = "I want to talk to a human being, please."
    write(page, asked)
    detail = until(lambda: hold_of(hostile, asked))
    hostile.take_over(detail.hold.id, version=detail.hold.version)
    hostile.say(detail.conversation.id, "Hello there.")
    expect(shown(page, "Hello there.")).to_be_visible()
    assert page.locator("img").count() == 0
    assert page.evaluate("window.hacked") is None


def test_head_of_the_chat_says_who_writes_now(served: Any, until: Any, open_tab: Any) -> None:
    reviewer = served.client(served.key(name="Ines Duarte"))
    page = open_tab().page
    page.goto(f"{served.url}/chat")
    ai, person = page.get_by_text("You are talking to an AI assistant."), page.get_by_text("not the AI assistant")
    expect(page.get_by_text("AI assistant", exact=True)).to_be_visible()
    asked = "I want to talk to somebody of your team, a human being please."
    write(page, asked)
    detail = until(lambda: hold_of(reviewer, asked))
    reviewer.take_over(detail.hold.id, version=detail.hold.version)
    expect(page.get_by_text("Our team answers here", exact=True)).to_be_visible()
    reviewer.say(detail.conversation.id, "Good morning.")
    expect(page.get_by_text("Ines Duarte of our team answers here")).to_be_visible()
    expect(person).to_be_visible()
    expect(ai).to_have_count(0)
    reviewer.hand_back(detail.conversation.id)
    expect(ai).to_be_visible()
    expect(page.get_by_text("AI assistant", exact=True)).to_be_visible()


def test_message_written_while_the_server_was_away_arrives_once(
    serve: Any, words: Any, browser: Any, until: Any
) -> None:
    running = serve()
    context = browser.new_context()
    page = context.new_page()
    page.goto(f"{running.url}/chat")
    write(page, words.automatic)
    expect(page.get_by_role("log").get_by_text("9:00 to 18:00")).to_be_visible(timeout=WITHIN_MS)
    context.set_offline(True)
    write(page, f"{words.automatic} Still?")
    context.set_offline(False)
    expect(page.get_by_role("log").get_by_text("9:00 to 18:00")).to_have_count(2, timeout=WITHIN_MS)
    stored = [row for row in running.tables()["messages"] if f"{words.automatic} Still?" in row]
    assert len(stored) == 1
    context.close()


def test_widget_opens_and_closes_by_keyboard(served: Any, words: Any, open_tab: Any) -> None:
    page = open_tab().page
    page.goto(f"{served.url}/chat/example")
    button = page.get_by_role("button", name="Open chat: Ask Fernhill")
    expect(button).to_be_visible()
    button.focus()
    page.keyboard.press("Enter")
    frame = page.frame_locator("iframe")
    field_ = frame.get_by_role("textbox")
    expect(field_).to_be_focused()
    page.keyboard.type(words.automatic)
    page.keyboard.press("Enter")
    expect(frame.get_by_role("log").get_by_text("9:00 to 18:00")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    expect(button).to_be_focused()
    page.keyboard.press("Space")
    expect(page.get_by_role("dialog", name="Ask Fernhill")).to_be_visible()
    expect(frame.get_by_role("log").get_by_text("9:00 to 18:00")).to_have_count(1)


def test_widget_covers_a_phone_and_gives_the_page_back(served: Any, open_tab: Any) -> None:
    still = {"reduced_motion": "reduce"}  # else the panel is measured while it opens
    page = open_tab(viewport={"width": 375, "height": 667}, has_touch=True, is_mobile=True, **still).page
    page.goto(f"{served.url}/chat/example")
    page.get_by_role("button", name="Open chat").click()
    frame = page.frame_locator("iframe")
    expect(frame.get_by_role("textbox")).to_be_visible()
    box = page.get_by_role("dialog").bounding_box()
    assert (box["x"], box["y"], box["width"], box["height"]) == (0, 0, 375, 667)
    frame.get_by_role("button", name="Close").click()
    expect(page.get_by_role("dialog")).to_be_hidden()
    expect(page.get_by_role("heading", level=1)).to_be_visible()


def test_customer_may_start_over(served: Any, words: Any, open_tab: Any) -> None:
    page = open_tab().page
    page.goto(f"{served.url}/chat")
    write(page, words.automatic)
    expect(page.get_by_role("log").get_by_text("9:00 to 18:00")).to_be_visible()
    page.get_by_role("button", name="Start a new chat").click()
    page.get_by_role("dialog").get_by_role("button", name="Keep this chat").click()
    expect(shown(page, words.automatic)).to_have_count(1)
    page.get_by_role("button", name="Start a new chat").click()
    page.get_by_role("dialog").get_by_role("button", name="Start a new chat").click()
    expect(shown(page, words.automatic)).to_have_count(0)
    page.reload()
    expect(page.get_by_role("textbox")).to_be_visible()
    expect(shown(page, words.automatic)).to_have_count(0)


def test_page_is_fetched_from_this_server_alone(served: Any, open_tab: Any) -> None:
    tab = open_tab()
    asked: list[str] = []
    tab.page.on("request", lambda request: asked.append(request.url))
    tab.page.goto(f"{served.url}/chat/example")
    tab.page.get_by_role("button", name="Open chat").click()
    expect(tab.page.frame_locator("iframe").get_by_role("textbox")).to_be_visible()
    assert asked
    assert [url for url in asked if not url.startswith(served.url)] == []


def test_another_site_may_not_frame_the_chat(served: Any, browser: Any, httpserver: Any) -> None:
    httpserver.expect_request("/").respond_with_data(
        f"<iframe src={json.dumps(served.url + '/chat')}></iframe>", content_type="text/html"
    )
    page = browser.new_page()
    with page.expect_console_message(
        lambda message: "frame-ancestors" in message.text or "Refused to frame" in message.text
    ):
        page.goto(httpserver.url_for("/").replace("localhost", "127.0.0.1"))
    page.close()
