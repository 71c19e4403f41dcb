"""A real browser for tests, and the console in it: tabs that say what was complained of, somebody who signs in, axe-core.

The fixtures are named in `acceptance/conftest.py`. A test file takes `pytestmark` from here, and is skipped without a browser.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from understudy.client.client import Client
from understudy.records.access import Role, user_id
from understudy.web.console import is_built
from understudy.web.users import add_user, make_user

CHROMIUMS = (Path("/usr/bin/chromium-headless-shell"), Path("/usr/bin/chromium"))
CHROMIUM = next((path for path in CHROMIUMS if path.is_file()), CHROMIUMS[-1])
"""The same engine twice. The first has no window to draw, as Playwright's own; it needs two fifths of the other's time."""
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
]
WITHIN_MS = 20_000
AXE = Path(__file__).parents[1] / "console" / "node_modules" / "axe-core" / "axe.min.js"
AXE_RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
AT_REST = "() => Promise.all(document.getAnimations().map(one => one.finished.catch(() => null))).then(() => null)"
"""What fades in has its colours only once it is there."""
PASSWORD = "correct horse battery"
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
"""Texts that would run as a script wherever a page makes markup of them."""

in_a_browser = [
    pytest.mark.browser,
    pytest.mark.skipif(find_spec("playwright") is None, reason="Playwright is not installed"),
    pytest.mark.skipif(
        not CHROMIUM.is_file(), reason=f"there is no Chromium at {CHROMIUM}; apt-get install chromium-headless-shell"
    ),
]
in_the_console = [
    *in_a_browser,
    pytest.mark.skipif(not is_built(), reason="the console is not built; `./dev setup` builds it"),
]


def expect(what: Any) -> Any:
    """Playwright's assertion that waits, as long as everything else does on a page."""
    from playwright.sync_api import expect as waiting

    waiting.set_options(timeout=WITHIN_MS)
    return waiting(what)


@dataclass
class Tab:
    """A page, and whatever the browser complained about on it."""

    page: Any
    complaints: list[str] = field(default_factory=list)
    is_closing: bool = False

    def listen(self) -> None:
        self.page.on("console", lambda said: said.type in ("error", "warning") and self.complaints.append(said.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("requestfailed", self._failed)
        self.page.on("response", lambda one: one.status >= 400 and self.complaints.append(f"{one.status} {one.url}"))
        self.page.add_init_script(
            "addEventListener('securitypolicyviolation', (e) => console.error('policy: ' + e.violatedDirective))"
        )

    def _failed(self, request: Any) -> None:
        """Whoever leaves a page ends what is being read for it. What it changes, and what it is made of, has to arrive."""
        is_read = request.method == "GET" and request.resource_type in ("fetch", "eventsource", "document")
        is_said_again = request.url.endswith("/v1/desk/here")  # who is there, in some seconds
        if not (request.failure == "net::ERR_ABORTED" and (is_read or is_said_again or self.is_closing)):
            self.complaints.append(f"failed: {request.method} {request.url} {request.failure}")

    def forgive(self, *signs: int | str) -> None:
        """Strike what the test itself brings about: answers of a status, or complaints with some words in them."""
        words = [sign for sign in signs if isinstance(sign, str)]
        for status in set(signs).difference(words):
            words += [f"{status} http", f"status of {status} "]
        self.complaints[:] = [one for one in self.complaints if not any(word in one for word in words)]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        started = driver.chromium.launch(executable_path=str(CHROMIUM), args=ARGUMENTS)
        yield started
        started.close()


@pytest.fixture
def open_tab(browser: Any) -> Iterator[Callable[..., Tab]]:
    """Open pages as visitors of their own; at the end nothing may have complained."""
    contexts, tabs = [], []

    def start(**options: Any) -> Tab:
        context = browser.new_context(**options)
        context.set_default_timeout(WITHIN_MS)
        contexts.append(context)
        tab = Tab(context.new_page())
        tab.listen()
        tabs.append(tab)
        return tab

    yield start
    for tab in tabs:
        tab.is_closing = True
    for context in contexts:
        context.close()
    complaints = [complaint for tab in tabs for complaint in tab.complaints]
    assert not complaints, "\n".join(complaints)


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
        taken = {"take_from": has_it} if (has_it := detail["conversation"]["taken_by"]) else {}
        assert sweeper.post(f"{place}/take_over", json=taken).status_code == 200
        # what nobody has answered would be asked of the agent again
        assert sweeper.post(f"{place}/messages", json={"text": "That is all."}).status_code < 300
        assert sweeper.post(f"{place}/hand_back").status_code == 200
    assert sweeper.get("/v1/queue").json()["rows"] == []
    return desk


def sign_in(page: Any, name: str) -> None:
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")


@pytest.fixture
def enter(desk: Any, open_tab: Any) -> Callable[..., Any]:
    """Sign somebody in, by the page's own form; returns the page."""
    never, always = datetime(1971, 1, 1, tzinfo=UTC), datetime(2999, 1, 1, tzinfo=UTC)

    def by_keyboard(name: str, role: Role = Role.REVIEWER, **options: Any) -> Any:
        if desk.app.store.read_now(lambda tx: tx.users.get(user_id(name))) is None:
            user = make_user(name, role, PASSWORD, now=datetime.now(UTC))
            desk.app.store.write_now(lambda tx: add_user(tx, user, actor="test"))
        desk.app.store.write_now(lambda tx: tx.users.forget(tries_before=always, sessions_before=never))
        tab = open_tab(**{"viewport": {"width": 1280, "height": 800}, **options})
        tab.page.goto(f"{desk.url}/console/")
        expect(tab.page.get_by_label("Name")).to_be_focused()
        tab.forgive(401)  # that nobody was signed in is asked, and answered
        tab.page.keyboard.type(name)
        tab.page.keyboard.press("Tab")
        tab.page.keyboard.type(PASSWORD)
        tab.page.keyboard.press("Enter")
        expect(tab.page.get_by_role("heading", name="Queue")).to_be_visible()
        tab.page.tab = tab
        return tab.page

    return by_keyboard


@dataclass
class OwnConsole:
    """A console whose server is a process of its own, which a test may kill and start again, and a key of its API."""

    page: Any
    server: Any
    key: str
    turn: Any
    start: Callable[..., Any]

    def start_again(self) -> Any:
        """Start the server again where it was."""
        return self.start("--port", self.server.url.rpartition(":")[2])


@pytest.fixture
def own_console(
    tmp_path: Path, write_folder: Any, key_in: Any, understudy: Any, start_server: Any, browser: Any, words: Any
) -> Iterator[OwnConsole]:
    """Kim at the only hold that waits. What the browser complains of is not heard, since its server goes away."""
    write_folder(tmp_path)
    key = key_in(tmp_path)
    understudy("users", "add", "Kim", "--ask", cwd=tmp_path, stdin=f"{PASSWORD}\n")
    server = start_server(tmp_path)
    with Client(server.url, key) as client:
        turn = client.submit_turn(record(words))
    page = browser.new_page()
    page.goto(f"{server.url}/console/")
    sign_in(page, "Kim")
    expect(rows(page)).to_have_count(1)
    page.keyboard.press("Enter")
    yield OwnConsole(page, server, key, turn, partial(start_server, tmp_path))
    page.close()


def open_screen(page: Any, name: str) -> None:
    page.get_by_role("navigation", name="Screens").get_by_role("link", name=name).click()
    expect(page.get_by_role("heading", name=name, exact=True, level=1)).to_be_visible()


def px_too_wide(page: Any) -> int:
    """How far one would have to scroll sideways; not above 0 where everything is within reach."""
    found: int = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    return found


def rows(page: Any) -> Any:
    return page.locator(".rows").get_by_role("option")


def press(page: Any, key: str) -> None:
    """Press a key on a hold once its verdicts are taken."""
    expect(page.locator("footer.verdicts button").first).to_be_enabled()
    page.keyboard.press(key)


def violations(page: Any) -> list[str]:
    """What axe-core finds against WCAG 2.2 AA and its own best practice on the page as it stands; skips without axe-core."""
    if not AXE.is_file():
        pytest.skip(
            "axe-core is not there: build the console anew (`rm -r src/understudy/web/console_page && ./dev setup`)"
        )
    page.evaluate(AXE.read_text(encoding="utf-8"))
    page.evaluate(AT_REST)
    ran = page.evaluate("rules => axe.run(document, {runOnly: rules})", AXE_RULES)
    return [f"{one['id']} {[node['html'][:200] for node in one['nodes']]}" for one in ran["violations"]]
