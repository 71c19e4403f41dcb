"""What the console never does, in a real browser: lose what was written, keep quiet that a session ended, run what was said."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from browsing import PAYLOADS, OwnConsole, expect, in_the_console, numbers, press, record, rows, sign_in
from understudy.client.client import Client
from understudy.records.access import Role
from understudy.web import events
from understudy.web.users import change_user

pytestmark = in_the_console

MORE = """
[agents.next]
kind = "faq"
knowledge = "knowledge"
release_of = "faq"
files = ["understudy.toml"]

[policy]
forbidden = [{ phrase = "warranted", why = "<img src=x onerror=\\"window.hacked='why'\\">" }]

[safe_replies.hostile]
text = "<script>window.hacked='reply'</script>"
"""
WOULD_RUN = """() => [...document.querySelectorAll("#console *")].filter((one) =>
  ["SCRIPT", "IFRAME", "OBJECT", "EMBED", "BASE", "META", "LINK", "STYLE"].includes(one.tagName) ||
  (one.tagName === "IMG" && !one.getAttribute("src").endsWith("icon.svg")) ||
  [...one.attributes].some(({name, value}) => name.startsWith("on") || name === "srcdoc" || name === "style" && /url/i.test(value) ||
    (["href", "src", "action", "formaction", "xlink:href"].includes(name) && /^\\s*(javascript|data|vbscript):/i.test(value)))
).map((one) => one.outerHTML.slice(0, 200))"""


@pytest.fixture(scope="module")
def desk(serve: Callable[..., Any]) -> Any:
    return serve(more=MORE)


def test_words_that_were_being_written_outlive_the_server(own_console: OwnConsole) -> None:
    """It is killed under the pen, and what was written goes out, once, as the edit of the hold it was written for."""
    page, turn = own_console.page, own_console.turn
    press(page, "e")
    field = page.get_by_role("textbox", name="The draft, to be changed")
    expect(field).to_be_focused()
    page.keyboard.type(" Half of it")
    own_console.server.process.kill()
    expect(page.get_by_text("Reconnecting")).to_be_visible()
    page.keyboard.type(" and the rest.")
    again = own_console.start_again()
    expect(page.get_by_text("Live", exact=True)).to_be_visible()
    expect(field).to_have_value("We pay the return postage. Half of it and the rest.")
    page.keyboard.press("Control+Enter")
    with Client(again.url, own_console.key) as client:
        expect(page.get_by_role("heading", name="Queue")).to_be_visible()
        reply = client.turn(turn.id, wait_s=20).reply
        assert reply is not None
        assert reply.text == "We pay the return postage. Half of it and the rest."
        assert [hold for hold in client.holds() if hold.turn_id == turn.id] == []


def test_session_that_ends_is_told_and_leads_back_to_where_one_was(
    emptied: Any, enter: Any, words: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Even to somebody who does nothing: the stream of events ends with the session."""
    monkeypatch.setattr(events, "ASKED_AGAIN_S", 0.2)
    emptied.client().submit_turn(record(words))
    page = enter("Nora")
    expect(rows(page)).to_have_count(1)
    page.keyboard.press("Enter")
    expect(page.locator("footer.verdicts button").first).to_be_enabled()
    here = page.url
    now = datetime.now(UTC)
    emptied.app.store.write_now(lambda tx: change_user(tx, "Nora", now=now, actor="test", role=Role.LEAD))
    expect(page.get_by_text("Your session has ended.")).to_be_visible()
    assert page.url == here
    sign_in(page, "Nora")
    expect(page.locator("footer.verdicts button").first).to_be_enabled()
    expect(page.get_by_text("Nora, lead")).to_be_visible()
    assert page.url == here
    page.tab.forgive(401)


def hostile_turn(payload: str) -> dict[str, Any]:
    return {
        "id": f"{payload} {next(numbers)}",
        "conversation_id": f"{payload} {next(numbers)}",
        "topic": payload[:100],
        "agent_version": payload,
        "contact": {"id": payload, "name": payload, "tags": [payload]},
        "messages": [{"role": "user", "content": payload}],
        "draft": {
            "text": f"It is warranted. {payload}",
            "agent_version": payload,
            "sources": [{"id": payload, "title": payload, "text": payload, "url": payload}],
            "tool_calls": [
                {"id": payload, "name": payload, "arguments": json.dumps({payload: payload}), "result": payload}
            ],
        },
    }


def test_hostile_words_run_nothing_on_any_screen(emptied: Any, enter: Any) -> None:
    """Names of people, releases, topics, findings, documents, tool results, reasons: on each screen that there is."""
    admin = emptied.http(emptied.key(name=PAYLOADS[0]))
    for payload in PAYLOADS:
        client = emptied.client(emptied.key(name=payload))
        for _ in range(2):
            client.submit_turn(hostile_turn(payload))
        hold = next(one for one in client.holds() if one.kind == "draft")
        client.reject(hold.id, version=hold.version, reasons=[payload], text=payload)
    visitor = emptied.http()
    token = visitor.post("/chat/sessions", json={}).json()["token"]
    said = {"id": "1", "text": f"{PAYLOADS[0]} a person please", "name": PAYLOADS[1]}
    assert visitor.post("/chat/messages", json=said, headers={"Authorization": f"Bearer {token}"}).is_success
    for entry in ("faq", "next"):
        created = admin.post("/v1/releases", json={"entry": entry, "why": PAYLOADS[1]})
        assert created.is_success, created.text
    assert admin.post("/v1/autonomy/hold", json={"topic": PAYLOADS[2], "channel": "api", "why": PAYLOADS[0]}).is_success
    page = enter(PAYLOADS[4], Role.ADMIN)
    assert page.evaluate(WOULD_RUN) == []
    links = page.get_by_role("navigation", name="Screens").get_by_role("link")
    screens = [link.get_attribute("href") for link in links.all()]
    for screen in screens:
        page.goto(f"{emptied.url}/console/{screen}")
        page.reload()
        expect(page.locator("main h1, main h2").first).to_be_visible()
        page.wait_for_timeout(500)
        for summary in page.locator("main summary").all():
            summary.click()
        assert page.evaluate(WOULD_RUN) == [], screen
        assert page.evaluate("window.hacked") is None, screen
    page.tab.forgive("net::ERR_ABORTED")  # each screen is left while what it would need further is still being fetched
