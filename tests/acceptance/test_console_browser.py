"""The console in a real browser: a reviewer's work by keyboard alone, two at one hold, hostile texts, and both themes."""

from __future__ import annotations

import importlib.util
import itertools
import json
import os
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from understudy.client.client import Client
from understudy.records.access import Role
from understudy.records.review import VerdictKind
from understudy.web.console import is_built
from understudy.web.users import add_user, make_user

playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")

spec = importlib.util.spec_from_file_location("understudy_tests_browser", Path(__file__).with_name("test_browser.py"))
assert spec is not None
assert spec.loader is not None
chat = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
spec.loader.exec_module(chat)
browser, open_tab = chat.browser, chat.open_tab

pytestmark = [
    *chat.pytestmark,
    pytest.mark.skipif(not is_built(), reason="the console is not built; `./dev setup` builds it"),
]

ROOT = Path(__file__).parents[2]
AXE = ROOT / "console" / "node_modules" / "axe-core" / "axe.min.js"
PASSWORD = "correct horse battery"
ARMED_MS = 450
"""Longer than a second press of a key is taken for a slip."""
numbers = itertools.count(1)

PAYLOADS = (
    "<img src=x onerror=\"window.hacked='img'\">",
    "<script>window.hacked='script'</script>",
    "<svg onload=\"window.hacked='svg'\"><animate onbegin=\"window.hacked='animate'\" attributeName=x></svg>",
    "<iframe srcdoc=\"<script>parent.hacked='frame'</script>\"></iframe>",
    '"><details open ontoggle="window.hacked=\'details\'">',
    "javascript:window.hacked='url'",
    "{@html '<img src=x onerror=window.hacked=1>'} {{constructor.constructor('window.hacked=1')()}}",
    "</textarea></title></style><script>window.hacked='close'</script>",
    "<math><mtext><table><mglyph><style><!--</style><img title=\"--&gt;&lt;img src=1 onerror=window.hacked='m'&gt;\">",
    "<a href=\"javascript:window.hacked='a'\" autofocus onfocus=\"window.hacked='focus'\">x</a>",
)


def record(words: Any, *, text: str = "We pay the return postage.", **more: Any) -> Any:
    return words.record(f"console-{next(numbers)}", text=text, **more)


@pytest.fixture(scope="module")
def desk(serve: Callable[..., Any]) -> Any:
    return serve()


@pytest.fixture
def emptied(desk: Any) -> Any:
    """A server on which nothing waits."""
    sweeper = desk.http(desk.key(name="Sweeper"))
    for row in sweeper.get("/v1/queue").json()["rows"]:
        detail = sweeper.get(f"/v1/holds/{row['id']}").json()
        place = f"/v1/conversations/{detail['conversation']['id']}"
        assert sweeper.post(f"{place}/take_over").status_code == 200
        assert sweeper.post(f"{place}/hand_back").status_code == 200
    assert sweeper.get("/v1/queue").json()["rows"] == []
    return desk


@pytest.fixture
def enter(desk: Any, open_tab: Any) -> Callable[..., Any]:
    """Sign somebody in, by the page's own form; returns the page."""
    never, always = datetime(1971, 1, 1, tzinfo=UTC), datetime(2999, 1, 1, tzinfo=UTC)

    def sign_in(name: str, role: Role = Role.REVIEWER, **options: Any) -> Any:
        user = make_user(name, role, PASSWORD, now=datetime.now(UTC))
        if desk.app.store.read_now(lambda tx: tx.users.get(user.id)) is None:
            desk.app.store.write_now(lambda tx: add_user(tx, user, actor="test"))
        desk.app.store.write_now(lambda tx: tx.users.forget(tries_before=always, sessions_before=never))
        tab = open_tab(**{"viewport": {"width": 1280, "height": 800}, **options})
        tab.page.goto(f"{desk.url}/console/")
        playwright.expect(tab.page.get_by_label("Name")).to_be_focused()
        tab.complaints.clear()  # that nobody was signed in is asked, and answered with 401
        tab.page.keyboard.type(name)
        tab.page.keyboard.press("Tab")
        tab.page.keyboard.type(PASSWORD)
        tab.page.keyboard.press("Enter")
        playwright.expect(tab.page.get_by_role("heading", name="Queue")).to_be_visible()
        tab.page.tab = tab
        return tab.page

    return sign_in


def rows(page: Any) -> Any:
    return page.locator(".rows").get_by_role("option")


def press(page: Any, key: str) -> None:
    """Press a key on a hold once its verdicts are taken."""
    playwright.expect(page.locator("footer.verdicts button").first).to_be_enabled()
    page.keyboard.press(key)


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
    playwright.expect(tab.page.get_by_role("alert")).to_have_text(
        "name or password is wrong, or this user was shut out"
    )
    tab.complaints[:] = [one for one in tab.complaints if "401" not in one]


def test_three_holds_are_cleared_by_keyboard_alone(emptied: Any, enter: Any, words: Any, until: Any) -> None:
    client = emptied.client()
    for text in ("We pay the return postage.", "We pay 30 EUR.", "You may never return it."):
        client.submit_turn(record(words, text=text))
    page = enter("Keys")
    playwright.expect(rows(page)).to_have_count(3)
    page.keyboard.press("j")
    page.keyboard.press("k")
    page.keyboard.press("Enter")

    playwright.expect(page.get_by_role("heading", name="Conversation")).to_be_visible()
    press(page, "e")
    field = page.get_by_role("textbox", name="The draft, to be changed")
    playwright.expect(field).to_be_focused()
    page.keyboard.type(" Promised.")
    playwright.expect(page.locator("ins")).to_have_text(" Promised.")
    page.keyboard.press("Control+Enter")

    press(page, "r")
    page.keyboard.press("1")
    page.keyboard.press("4")
    playwright.expect(page.get_by_role("button", pressed=True)).to_have_count(2)
    page.keyboard.press("Enter")

    press(page, "a")
    until(lambda: kinds_by(emptied, "Keys") == ["approve", "edit", "reject"])
    (hand_off,) = until(lambda: list(client.holds()))
    assert hand_off.kind == "hand_off"
    playwright.expect(page.get_by_text("needs a person").first).to_be_visible()


def test_letters_that_follow_a_key_at_once_are_letters(emptied: Any, enter: Any, words: Any) -> None:
    """Whoever is quicker than the page must not approve by the first a of their text."""
    client = emptied.client()
    for _ in range(2):
        client.submit_turn(record(words))
    page = enter("Kim")
    playwright.expect(rows(page)).to_have_count(2)
    page.keyboard.press("Enter")
    playwright.expect(page.get_by_role("button", name="Own words")).to_be_enabled()
    page.keyboard.type("pa rant")
    playwright.expect(page.get_by_role("textbox", name="Your words to the customer")).to_have_value("a rant")
    assert len(list(client.holds())) == 2


def test_second_press_of_a_key_is_no_verdict_on_the_next_hold(emptied: Any, enter: Any, words: Any, until: Any) -> None:
    client = emptied.client()
    for _ in range(2):
        client.submit_turn(record(words))
    page = enter("Kim")
    playwright.expect(rows(page)).to_have_count(2)
    page.keyboard.press("Enter")
    playwright.expect(page.locator("footer.verdicts button").first).to_be_enabled()
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
    playwright.expect(first.locator("footer.verdicts button").first).to_be_enabled()
    playwright.expect(second.get_by_text("by Mia")).to_be_visible()
    second.keyboard.press("Enter")
    playwright.expect(second.get_by_text("Mia is working on this.")).to_be_visible()
    playwright.expect(second.get_by_role("button", name="Approve")).to_be_disabled()
    second.tab.complaints[:] = [one for one in second.tab.complaints if "409" not in one]
    first.keyboard.press("a")
    playwright.expect(second.get_by_text("Somebody else has decided on this already.")).to_be_visible()
    second.keyboard.press("a")
    assert (kinds_by(emptied, "Mia"), kinds_by(emptied, "Lou")) == (["approve"], [])
    assert until(lambda: client.turn(turn.id).reply).author == "agent"


def test_customer_who_writes_again_voids_the_draft_at_once(emptied: Any, enter: Any, words: Any, until: Any) -> None:
    visitor = emptied.http()
    token = visitor.post("/chat/sessions", json={}).json()["token"]
    visitor.headers["Authorization"] = f"Bearer {token}"
    visitor.post("/chat/messages", json={"id": "1", "text": words.held})
    page = enter("Kim")
    playwright.expect(rows(page)).to_have_count(1)
    page.keyboard.press("Enter")
    press(page, "e")
    page.keyboard.type(" My own words.")
    visitor.post("/chat/messages", json={"id": "2", "text": f"{words.held} Please?"})
    playwright.expect(page.get_by_text("The customer wrote again, so this draft is void.").first).to_be_visible()
    playwright.expect(page.locator(".notice pre")).to_contain_text("My own words.")
    page.keyboard.press("Control+Enter")
    said = visitor.get("/chat/messages").json()["messages"]
    assert {one["author"] for one in said} == {"customer"}
    page.get_by_role("button", name="Next").first.click()
    playwright.expect(page.get_by_text("Please?").first).to_be_visible()


def test_conversation_is_taken_over_and_handed_back(emptied: Any, enter: Any, words: Any, until: Any) -> None:
    visitor = emptied.http()
    token = visitor.post("/chat/sessions", json={}).json()["token"]
    visitor.headers["Authorization"] = f"Bearer {token}"
    visitor.post("/chat/messages", json={"id": "1", "text": words.held})
    page = enter("Kim")
    playwright.expect(rows(page)).to_have_count(1)
    page.keyboard.press("Enter")
    press(page, "t")
    field = page.get_by_role("textbox", name="Your message")
    playwright.expect(field).to_be_focused()
    page.keyboard.type("Hello, this is Kim.")
    page.keyboard.press("Control+Enter")
    until(lambda: [one for one in visitor.get("/chat/messages").json()["messages"] if one["author"] == "reviewer"])
    visitor.post("/chat/messages", json={"id": "2", "text": "Oh, a person!"})
    playwright.expect(page.get_by_text("Oh, a person!")).to_be_visible()
    page.get_by_role("button", name="Hand back to the agent").click()
    playwright.expect(page.get_by_role("heading", name="Queue")).to_be_visible()


def test_arrivals_do_not_move_the_row_one_looks_at(emptied: Any, enter: Any, words: Any) -> None:
    client = emptied.client()
    for _ in range(12):
        client.submit_turn(record(words))
    page = enter("Kim")
    page.get_by_label("Order").select_option("oldest")
    playwright.expect(rows(page)).to_have_count(12)
    page.keyboard.press("Home")
    page.locator(".rows").focus()
    for _ in range(4):
        page.keyboard.press("j")
    chosen = rows(page).and_(page.get_by_role("option", selected=True))
    name, top = chosen.get_attribute("id"), chosen.bounding_box()["y"]
    gone = next(iter(client.holds()))
    client.approve(gone.id, version=gone.version)
    playwright.expect(page.get_by_text("11 waiting")).to_be_visible()
    page.get_by_label("Order").select_option("risk")
    for _ in range(3):
        client.submit_turn(record(words, text="You may never return it, sent to ann@leak.example, +49 30 1234567."))
    playwright.expect(page.get_by_text("14 waiting")).to_be_visible()
    chosen = rows(page).and_(page.get_by_role("option", selected=True))
    assert chosen.get_attribute("id") == name
    assert abs(chosen.bounding_box()["y"] - top) <= 44, "a row that went from above the first screen may let it rise"


def test_page_goes_on_after_the_server_was_killed_and_came_back(
    tmp_path: Path, write_folder: Any, key_in: Any, understudy: Any, start_server: Any, browser: Any, words: Any
) -> None:
    """Without being loaded anew, and with the draft that came while nobody looked."""
    write_folder(tmp_path)
    key = key_in(tmp_path)
    understudy("users", "add", "Kim", "--ask", cwd=tmp_path, stdin=f"{PASSWORD}\n")
    server = start_server(tmp_path)
    with Client(server.url, key) as client:
        client.submit_turn(record(words))
    page = browser.new_page()
    page.goto(f"{server.url}/console/")
    page.get_by_label("Name").fill("Kim")
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    playwright.expect(rows(page)).to_have_count(1)
    page.keyboard.press("Enter")
    playwright.expect(page.locator("footer.verdicts button").first).to_be_enabled()
    page.evaluate("window.same = 1")
    server.process.kill()
    playwright.expect(page.get_by_text("Reconnecting")).to_be_visible()
    again = start_server(tmp_path, "--port", server.url.rpartition(":")[2])
    with Client(again.url, key) as client:
        client.submit_turn(record(words))
        playwright.expect(page.get_by_text("Live", exact=True)).to_be_visible()
        page.keyboard.press("a")
        playwright.expect(page.get_by_text("Approved.")).to_be_visible()
        assert len(list(client.holds())) == 1
    playwright.expect(page.locator("footer.verdicts")).to_be_visible()
    assert page.evaluate("window.same") == 1
    page.close()


def test_hostile_texts_run_nothing_wherever_they_stand(emptied: Any, enter: Any, until: Any) -> None:
    client = emptied.client()
    for payload in PAYLOADS:
        client.submit_turn(
            {
                "id": f"console-{next(numbers)}",
                "conversation_id": f"{payload} {next(numbers)}",
                "topic": payload[:100],
                "contact": {"name": payload, "email": "a@b.example"},
                "messages": [{"role": "user", "content": f"{payload} What now?"}],
                "draft": {
                    "text": f"We pay the postage. {payload} We open at 9.",
                    "sources": [
                        {
                            "id": payload[:50],
                            "title": payload,
                            "url": "javascript:window.hacked=1",
                            "text": f"We pay the postage. {payload}",
                        }
                    ],
                    "tool_calls": [
                        {"id": "1", "name": payload, "arguments": json.dumps({"x": payload}), "result": payload}
                    ],
                },
            }
        )
    page = enter('<img src=x onerror="window.hacked=0">')
    playwright.expect(rows(page)).to_have_count(len(PAYLOADS))
    page.keyboard.press("Enter")
    for _ in PAYLOADS:
        playwright.expect(page.locator(".review .draft-text, .review .draft .muted").first).to_be_visible()
        for summary in page.locator("summary").all():
            summary.click()
        press(page, "e") if page.get_by_role("button", name="Edit").count() else None
        if page.locator("textarea").count():
            page.locator("textarea").press_sequentially(PAYLOADS[0])
            page.keyboard.press("Escape")
        page.keyboard.press("n")
        page.wait_for_timeout(30)
    assert page.evaluate("window.hacked") is None
    assert (
        page.locator("#console img:not([src='./icon.svg']), #console script, #console iframe, #console svg").count()
        == 0
    )


@pytest.mark.parametrize("size", [(1024, 768), (640, 400), (320, 640)], ids=["tablet", "zoomed", "narrow"])
def test_nothing_is_out_of_reach_on_a_small_screen(size: tuple[int, int], emptied: Any, enter: Any, words: Any) -> None:
    emptied.client().submit_turn(record(words))
    page = enter("Kim", viewport={"width": size[0], "height": size[1]})
    playwright.expect(rows(page)).to_have_count(1)
    wide = "document.documentElement.scrollWidth - innerWidth"
    assert page.evaluate(wide) <= 0
    page.locator(".rows").focus()
    page.keyboard.press("Enter")
    for shown in (page.get_by_role("log").get_by_text(words.held), page.get_by_role("heading", name="Customer")):
        shown.scroll_into_view_if_needed()
        playwright.expect(shown).to_be_in_viewport()
    playwright.expect(page.get_by_role("button", name="Approve")).to_be_in_viewport()
    assert page.evaluate(wide) <= 0


@pytest.fixture
def scenes(emptied: Any, enter: Any, words: Any) -> Callable[[str], Any]:
    """Walk through every screen in a theme, stopping at each: yields its name and the page."""

    def walk(theme: str) -> Any:
        client = emptied.client()
        leaky = "We refund 30 EUR to +49 30 1234567 by Friday. You may send any kettle back within 30 days of delivery."
        for number, text in enumerate([leaky, "We pay the return postage.", "Please wait."]):
            client.submit_turn(
                record(words, text=text, contact={"name": f"Ann Lee {number}", "email": "ann@shop.example"})
            )
        page = enter("Kim", color_scheme=theme)
        yield "queue", page
        page.keyboard.press("?")
        playwright.expect(page.get_by_role("dialog")).to_be_visible()
        yield "keys", page
        page.keyboard.press("Escape")
        playwright.expect(page.get_by_role("dialog")).to_be_hidden()
        page.wait_for_timeout(100)  # the browser tells of the dialog's end a moment later
        page.keyboard.press("Enter")
        playwright.expect(page.locator("footer.verdicts button").first).to_be_enabled()
        yield "review", page
        page.keyboard.press("e")
        page.keyboard.type(" And a few words more.")
        yield "edit", page
        page.keyboard.press("Escape")
        press(page, "r")
        page.keyboard.press("2")
        yield "reject", page
        page.keyboard.press("Escape")
        press(page, "t")
        playwright.expect(page.get_by_role("textbox", name="Your message")).to_be_visible()
        page.keyboard.type("Hello!")
        page.wait_for_timeout(200)
        yield "conversation", page
        page.get_by_role("button", name="Sign out").click()
        playwright.expect(page.get_by_label("Password")).to_be_visible()
        yield "sign-in", page

    return walk


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_screen_is_without_a_violation_of_accessibility(theme: str, scenes: Any, tmp_path: Path) -> None:
    if not AXE.is_file():
        pytest.skip(
            "axe-core is not there: build the console anew (`rm -r src/understudy/web/console_page && ./dev setup`)"
        )
    axe = AXE.read_text(encoding="utf-8")
    pictures = Path(os.environ.get("UNDERSTUDY_PICTURES", tmp_path))
    found = []
    for name, page in scenes(theme):
        page.evaluate(axe)
        ran = page.evaluate(
            "axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']})"
        )
        found += [f"{name}: {one['id']} {[node['html'][:200] for node in one['nodes']]}" for one in ran["violations"]]
        page.screenshot(path=pictures / f"{theme}-{name}.png")
    assert not found, "\n".join(found)
