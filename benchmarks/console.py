"""The console, measured in Chromium: how soon a long queue is there, the next hold, frames while holds arrive, its cost.

    ./dev bench console [--json] [--holds 5000] [--arrivals 50] [--seconds 10]

A real server over SQLite holds so many drafts that wait. A reviewer signs in; from the loading of the page to the first
rows on the screen is `ready_ms`. `next_row_ms` and `next_hold_ms` are from the press of a key to the frame that shows what
it asked for, measured in the page: `next_hold_script_ms` of it until all scripts were done. Then holds arrive, each in a
transaction of its own, and every frame is timed. `memory_mb_per_reviewer` and `reconnected_s` are of a server process of its
own (`console_bench/served.py`): what each of 50 more sessions with an event stream adds to its memory, and how long after a
killed server is back the page is. `script_bytes_gzip` is what queue and review need; other screens are fetched when opened.
"""

from __future__ import annotations

import argparse
import asyncio
import gzip
import json
import re
import statistics
import sys
import tempfile
import threading
import time
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, sync_playwright

from console_bench.served import PASSWORD, served
from understudy.app import App, build
from understudy.ports.store import Transaction
from understudy.records.access import Role
from understudy.records.codec import dump
from understudy.records.conversation import Author, Conversation, Inbound, Message, Mode
from understudy.records.evidence import Draft, Passage
from understudy.records.review import Hold, HoldKind, HoldState
from understudy.records.turn import Turn, TurnState
from understudy.settings.load import load
from understudy.web.asgi import create
from understudy.web.server import Server
from understudy.web.users import add_user, make_user

CHROMIUM = "/usr/bin/chromium"
TOPICS = ("returns", "delivery", "sizing", "gift_cards", "repairs")
BATCH = 200
PRESSES = 30
UNTIL_SCRIPTS = """(key) => { const began = performance.now();
  dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true })); return performance.now() - began; }"""
AFTER_KEY = """(key) => new Promise((done) => {
  const began = performance.now();
  dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
  requestAnimationFrame(() => { const channel = new MessageChannel();
    channel.port1.onmessage = () => done(performance.now() - began); channel.port2.postMessage(0); });
})"""
FRAMES = """(ms) => new Promise((done) => {
  const took = []; let last = performance.now(); const ends = last + ms;
  requestAnimationFrame(function frame(now) { took.push(now - last); last = now;
    now < ends ? requestAnimationFrame(frame) : done(took); });
})"""


def main() -> None:
    """Run and print."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--json", action="store_true")
    options.add_argument("--holds", type=int, default=5_000)
    options.add_argument("--arrivals", type=int, default=50)
    options.add_argument("--seconds", type=float, default=10)
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory(prefix="understudy-console-") as folder:
        figures = _measure(Path(folder), chosen.holds, chosen.arrivals, chosen.seconds)
    print(json.dumps(figures) if chosen.json else json.dumps(figures, indent=2))


def _measure(folder: Path, holds: int, arrivals: int, seconds: float) -> dict[str, Any]:
    app = build(load(None, {"UNDERSTUDY__SERVER__PORT": "0"}), folder)
    server = Server(create(app), app.settings)
    listening = server.listen()
    thread = threading.Thread(target=lambda: asyncio.run(server.serve(sockets=[listening])), daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.05)
    user = make_user("Kim", Role.REVIEWER, PASSWORD, now=datetime.now(UTC))
    app.store.write_now(lambda tx: add_user(tx, user, actor="benchmark"))
    for start in range(0, holds, BATCH):
        _add(app, start, min(BATCH, holds - start))
    print(f"{holds} holds wait", file=sys.stderr)
    try:
        with sync_playwright() as driver:
            browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
            page = browser.new_page(viewport={"width": 1280, "height": 800})
            url = f"http://127.0.0.1:{listening.getsockname()[1]}/console/"
            figures = _watch(page, url, lambda number: _add(app, number, 1), holds, arrivals, seconds)
            page = browser.new_page(viewport={"width": 1280, "height": 800})
            own = folder / "own"
            own.mkdir()
            figures |= served(own, page)
            browser.close()
    finally:
        server.end_streams()
        server.should_exit = True
        thread.join(20)
    return {"holds": holds, **figures, "script_bytes_gzip": _script_bytes()}


def _watch(page: Page, url: str, arrive: Any, holds: int, arrivals: int, seconds: float) -> dict[str, Any]:
    page.goto(url)
    page.get_by_label("Name").fill("Kim")
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    page.locator(".rows [role=option]").first.wait_for()
    ready = []
    for _ in range(3):
        page.goto("about:blank")
        page.goto(url, wait_until="commit")
        page.locator(".rows [role=option]").first.wait_for()
        ready.append(page.evaluate("performance.now()"))
    size = page.evaluate("fetch('/v1/queue').then((answer) => answer.text()).then((text) => text.length)")
    rows = [page.evaluate(AFTER_KEY, "j") for _ in range(PRESSES)]
    page.keyboard.press("Enter")
    page.locator("footer.verdicts").wait_for()
    next_hold = []
    for _ in range(PRESSES):
        time.sleep(0.3)  # the next is fetched while one reads
        before = page.url
        next_hold.append(page.evaluate(AFTER_KEY, "n"))
        assert page.url != before, "the key did not lead to another hold"
        page.locator("footer.verdicts").wait_for()
    scripts = []
    for _ in range(PRESSES):
        time.sleep(0.3)
        scripts.append(page.evaluate(UNTIL_SCRIPTS, "n"))
        page.locator("footer.verdicts").wait_for()
    page.keyboard.press("q")
    page.locator(".rows [role=option]").first.wait_for()

    def come() -> None:
        ends, number = time.monotonic() + seconds, holds
        while time.monotonic() < ends:
            began = time.monotonic()
            arrive(number)
            number += 1
            time.sleep(max(0.0, 1 / arrivals - (time.monotonic() - began)))

    coming = threading.Thread(target=come)
    coming.start()
    frames = page.evaluate(FRAMES, seconds * 1000)
    coming.join()
    time.sleep(1.5)
    said = page.locator(".bar > .muted").inner_text()
    return {
        "ready_ms": round(statistics.median(ready)),
        "next_row_ms": round(statistics.median(rows), 1),
        "next_hold_ms": round(statistics.median(next_hold), 1),
        "next_hold_script_ms": round(statistics.median(scripts), 1),
        "queue_bytes": size,
        "frame_ms_p50": round(statistics.median(frames), 1),
        "frame_ms_p95": round(sorted(frames)[int(len(frames) * 0.95)], 1),
        "waiting_at_the_end": int(said.split()[0]),
    }


def _add(app: App, start: int, count: int) -> None:
    def step(tx: Transaction) -> None:
        for number in range(start, start + count):
            _add_one(tx, number)

    app.store.write_now(step)


def _add_one(tx: Transaction, number: int) -> None:
    now, topic = datetime.now(UTC), TOPICS[number % len(TOPICS)]
    name, text = f"visitor-{number}", f"Question number {number}: can I still send it back, and who pays the postage?"
    inbound = Inbound(
        provider_id=name, external_id=name, address=name, text=text, contact_name=f"Customer Number {number}"
    )
    contact = tx.contacts.resolve("webchat", inbound, new_id=f"contact-{number:06}", now=now)
    conversation = Conversation(
        id=f"conv-{number:06}",
        contact_id=contact.id,
        channel="webchat",
        external_id=name,
        address=name,
        mode=Mode.AGENT,
        taken_by=None,
        created_at=now,
    )
    tx.conversations.add(conversation)
    turn = tx.turns.add(_turn(number, conversation.id, topic, now))
    message = Message(
        seq=0,
        id=f"msg-{number:06}",
        conversation_id=conversation.id,
        turn_id=turn.id,
        author=Author.CUSTOMER,
        author_name=None,
        text=text,
        at=now,
        provider_id=name,
    )
    tx.messages.add(message, channel="webchat")
    passage = Passage(id="returns", text="You may send anything back within 30 days. We pay the postage.")
    draft = Draft(text="You may send it back within 30 days, and we pay the postage.", sources=(passage,))
    tx.artifacts.put(turn.id, "draft", dump(draft))
    hold = _hold(number, turn, now)
    tx.holds.add(hold)
    tx.ledger.append(
        "hold.opened", at=now, turn_id=turn.id, conversation_id=conversation.id, hold=hold.id, kind="draft", priority=5
    )


def _turn(number: int, conversation_id: str, topic: str, now: datetime) -> Turn:
    return Turn(
        id=f"turn-{number:06}",
        position=0,
        conversation_id=conversation_id,
        channel="webchat",
        state=TurnState.HELD,
        token=0,
        due_at=None,
        topic=topic,
        agent_version=None,
        decision=None,
        reasons=(),
        confidence=(number * 37 % 100) / 100,
        rulebook_id=None,
        is_audited=False,
        superseded_by=None,
        trace=None,
        created_at=now,
        decided_at=now,
        finished_at=None,
    )


def _hold(number: int, turn: Turn, now: datetime) -> Hold:
    return Hold(
        id=f"hold-{number:06}",
        version=1,
        kind=HoldKind.DRAFT,
        state=HoldState.OPEN,
        turn_id=turn.id,
        conversation_id=turn.conversation_id,
        channel="webchat",
        topic=turn.topic,
        priority=5,
        reasons=("level_assist",),
        claimed_by=None,
        claimed_until=None,
        created_at=now,
        expires_at=now + timedelta(minutes=15 + number % 240),
        raised_at=None,
        closed_at=None,
        superseded_by=None,
    )


def _script_bytes() -> int:
    """What the page itself names: the screens that are fetched later do not stand in it."""
    place = files("understudy.web").joinpath("console_page")
    names = re.findall(r'(?:src|href)="[^"]*?(assets/[^"]+\.js)"', place.joinpath("index.html").read_text("utf-8"))
    return sum(len(gzip.compress(place.joinpath(name).read_bytes())) for name in names)


if __name__ == "__main__":
    main()
