"""The console's screens Ledger and Health in a real browser: a turn is found and read, tampering shows, what was given up is sent.

`UNDERSTUDY_PICTURES=FOLDER` keeps a picture of each.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from browsing import PAYLOADS, expect, in_the_console, numbers, open_screen, px_too_wide, violations
from sinks import GONE, TAKEN, Sink, listening
from understudy.records.access import Role
from understudy.records.conversation import Inbound

pytestmark = in_the_console

PHONE = "+49 30 1234567"
BETTER = "We pay the return postage. A label for your kettle follows shortly."


@pytest.fixture(scope="module")
def sink() -> Iterator[Sink]:
    taking = Sink()
    with listening(taking):
        yield taking


@pytest.fixture(scope="module")
def desk(serve: Callable[..., Any], sink: Sink) -> Any:
    return serve(sink=sink.url)


@pytest.fixture(scope="module")
def edited(desk: Any, words: Any, until: Any) -> str:
    """A turn of Zoë Müller whose draft Mia edited; beside it some of others. Returns its id."""
    for name in ("Ann Lee", "Bo Sörensen", "Chidi Okafor"):
        ask(desk, until, words.held, contact_name=name)
    question = f"{words.held} Call me on {PHONE}, please, says Zoë Müller."
    turn_id, _ = ask(desk, until, question, contact_name="Zoë Müller", contact_phone=PHONE)
    mia = desk.http(desk.key(name="Mia"))
    hold = next(row for row in mia.get("/v1/holds").json()["items"] if row["turn_id"] == turn_id)
    mia.post(f"/v1/holds/{hold['id']}/claim")
    body = {"action": "edit", "text": BETTER, "reasons": ["incomplete"], "severity": 0.3}
    decided = mia.post(f"/v1/holds/{hold['id']}/verdict", json=body, headers={"If-Match": f'"{hold["version"]}"'})
    assert decided.status_code == 200
    until(lambda: desk.app.store.read_now(lambda tx: tx.turns.get(turn_id)).state.value == "answered")
    return turn_id


def run(desk: Any, coroutine: Any) -> Any:
    """Run something in the server's own loop."""
    return asyncio.run_coroutine_threadsafe(coroutine, desk.server._loop).result(60)


def ask(desk: Any, until: Any, question: str, **more: Any) -> tuple[str, str]:
    """Write as a customer on the channel `desk`; returns the turn and the conversation once the turn is decided."""
    number = next(numbers)
    inbound = Inbound(
        provider_id=f"m-{number}", external_id=f"c-{number}", address=f"+44{number}", text=question, **more
    )
    received = run(desk, desk.app.intake.receive("desk", inbound))
    until(lambda: desk.app.store.read_now(lambda tx: tx.turns.get(received.turn_id)).decision)
    return received.turn_id, received.message.conversation_id


def test_a_turn_is_found_by_the_customers_name_and_read_by_keyboard(edited: str, enter: Any) -> None:
    page = enter("Ada", Role.AUDITOR)
    open_screen(page, "Ledger")
    expect(page.get_by_role("table").get_by_role("row")).to_have_count(5)
    page.get_by_label("Customer").focus()
    page.keyboard.type("muller")
    page.keyboard.press("Enter")
    expect(page.get_by_role("table").get_by_role("row")).to_have_count(2)
    page.get_by_role("link", name="Zoë Müller").focus()
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"{page.url.split('#')[0]}#/ledger/{edited}")
    story = page.get_by_role("region", name="What happened")
    for words in ("The customer wrote", "The checks and the decision", "The rule that decided", "Mia", "To be sent"):
        expect(story.get_by_text(words).first).to_be_visible()
    expect(story.locator("ins").first).to_be_visible()
    expect(story.locator(".queued .quote")).to_have_text(BETTER)
    page.get_by_role("link", name="← Ledger").click()
    expect(page.get_by_role("heading", name="Ledger", exact=True)).to_be_visible()


def test_words_of_a_reply_find_its_turn_and_what_is_not_there_is_said(edited: str, enter: Any) -> None:
    page = enter("Ada", Role.AUDITOR)
    open_screen(page, "Ledger")
    page.get_by_label("Words said").fill("KETTLE shortly")
    page.get_by_role("button", name="Search").click()
    expect(page.get_by_role("link", name="Zoë Müller")).to_be_visible()
    page.get_by_label("Words said").fill("elephants")
    page.get_by_role("button", name="Search").click()
    expect(page.get_by_text("Nothing found.")).to_be_visible()
    page.get_by_role("link", name="Entries").click()
    page.get_by_label("Event").fill("verdict.given")
    page.get_by_role("button", name="Search").click()
    expect(page.get_by_role("table").get_by_role("row")).to_have_count(2)
    expect(page.get_by_role("cell", name="Mia")).to_be_visible()


def tamper(desk: Any, sql: str) -> None:
    with desk.app.store.engine.connect() as connection, connection.begin():
        assert connection.execute(text(sql)).rowcount


def test_tampering_is_said_in_words(edited: str, desk: Any, enter: Any) -> None:
    page = enter("Ada", Role.AUDITOR)
    open_screen(page, "Ledger")
    page.get_by_role("button", name="Verify the ledger").click()
    expect(page.get_by_text("The ledger is intact")).to_be_visible()
    page.goto(f"{desk.url}/console/#/ledger/{edited}")
    page.get_by_role("button", name="Verify this turn").click()
    expect(page.get_by_text("Everything is as it was.")).to_be_visible()
    expect(page.get_by_text("bit for bit")).to_be_visible()
    tamper(desk, "UPDATE outbox SET text = text || ' And a gift.'")
    tamper(desk, "UPDATE ledger SET actor = 'nobody' WHERE event = 'verdict.given'")
    try:
        page.get_by_role("button", name="Verify this turn").click()
        expect(page.get_by_text("Something was changed.")).to_be_visible()
        expect(page.get_by_text("were changed since")).to_be_visible()
        expect(page.get_by_text("(verdict.given) was changed")).to_be_visible()
        page.get_by_role("link", name="← Ledger").click()
        page.get_by_role("button", name="Verify the ledger").click()
        expect(page.get_by_text("The ledger is broken: entry")).to_be_visible()
    finally:
        tamper(desk, "UPDATE outbox SET text = replace(text, ' And a gift.', '')")
        tamper(desk, "UPDATE ledger SET actor = 'Mia' WHERE event = 'verdict.given'")


def test_an_export_masks_customers_and_the_whole_needs_a_reason(
    edited: str, desk: Any, enter: Any, tmp_path: Path
) -> None:
    page = enter("Root", Role.ADMIN)
    open_screen(page, "Ledger")
    page.get_by_role("button", name="Export").click()
    with page.expect_download() as started:
        page.get_by_role("link", name="Download").click()
    started.value.save_as(tmp_path / "masked.csv")
    masked = (tmp_path / "masked.csv").read_text(encoding="utf-8")
    assert started.value.suggested_filename.endswith(".csv")
    assert edited in masked
    assert "1234567" not in masked
    assert "Müller" not in masked
    page.get_by_label("With customers' data as it is").check()
    expect(page.get_by_text("Say why customers' data is taken out.")).to_be_visible()
    page.get_by_label("Why?").fill("a court asked")
    with page.expect_download() as started:
        page.get_by_role("link", name="Download").click()
    started.value.save_as(tmp_path / "whole.csv")
    assert "Müller" in (tmp_path / "whole.csv").read_text(encoding="utf-8")
    noted = desk.app.store.read_now(lambda tx: tx.trail.entries(event="ledger.exported", limit=9))
    assert [(one.actor, json.loads(one.body)["masked"]) for one in noted] == [("Root", False), ("Root", True)]


def test_who_does_not_audit_reads_a_story_in_part(edited: str, desk: Any, enter: Any) -> None:
    page = enter("Kim", Role.REVIEWER)
    expect(page.get_by_role("navigation", name="Screens").get_by_role("link", name="Ledger")).to_have_count(0)
    page.goto(f"{desk.url}/console/#/ledger/{edited}")
    expect(page.get_by_text("You see what your role may know")).to_be_visible()
    expect(page.get_by_text("The customer wrote")).to_be_visible()
    expect(page.get_by_role("button", name="Verify this turn")).to_have_count(0)
    expect(page.get_by_text("hold.claimed")).to_have_count(0)


def dead_letter(desk: Any, sink: Sink, until: Any) -> Any:
    """A reply that the channel refused for good."""
    app = desk.app
    _, conversation = ask(desk, until, "Can I return it?")
    run(desk, app.conversations.take_over(conversation, reviewer="Ines"))
    until(lambda: not app.store.read_now(lambda tx: tx.outbox.open_of(conversation)))
    sink.status = GONE
    said = run(desk, app.conversations.say(conversation, "Tomorrow.", reviewer="Ines"))
    return until(
        lambda: next(
            iter(app.store.read_now(lambda tx: [one for one in tx.trail.dead(limit=9) if one.id == said.id])), None
        )
    )


def test_a_message_that_was_given_up_is_sent_again_from_the_screen(
    desk: Any, sink: Sink, enter: Any, until: Any
) -> None:
    entry = dead_letter(desk, sink, until)
    page = enter("Lena", Role.LEAD)
    open_screen(page, "Health")
    expect(page.get_by_text("1 message was given up")).to_be_visible()
    sink.status = TAKEN
    page.get_by_role("button", name="Send again").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("Put back")).to_be_visible()
    expect(page.get_by_text("Every message reached its channel.")).to_be_visible()
    assert until(lambda: desk.app.store.read_now(lambda tx: tx.outbox.get(entry.id)).state.value == "sent")


def test_a_message_is_dropped_with_a_reason(desk: Any, sink: Sink, enter: Any, until: Any) -> None:
    entry = dead_letter(desk, sink, until)
    page = enter("Lena", Role.LEAD)
    open_screen(page, "Health")
    page.get_by_role("button", name="Do not send").click()
    page.get_by_label("Why is it not sent?").fill("She called meanwhile.")
    page.keyboard.press("Enter")
    expect(page.get_by_text("It will not be sent.")).to_be_visible()
    assert desk.app.store.read_now(lambda tx: tx.outbox.get(entry.id)).state.value == "dropped"
    sink.status = TAKEN


def test_the_doctor_is_asked_by_whoever_may(desk: Any, enter: Any) -> None:
    page = enter("Vic", Role.VIEWER)
    open_screen(page, "Health")
    expect(page.get_by_role("heading", name="Limits")).to_be_visible()
    expect(page.get_by_role("button", name="Examine")).to_have_count(0)
    page = enter("Lena", Role.LEAD)
    open_screen(page, "Health")
    page.get_by_role("button", name="Examine").click()
    expect(page.get_by_text("every key is known")).to_be_visible()
    assert "whsec" not in page.content()


def test_hostile_texts_run_nothing_in_a_story(desk: Any, enter: Any) -> None:
    client = desk.client()
    ids = []
    for payload in PAYLOADS:
        tool = {"id": "1", "name": payload, "arguments": json.dumps({"x": payload}), "result": payload}
        source = {"id": payload[:50], "title": payload, "url": "javascript:window.hacked=1", "text": payload}
        turn = client.submit_turn(
            {
                "id": f"console-{next(numbers)}",
                "conversation_id": f"{payload} {next(numbers)}",
                "topic": payload[:100],
                "contact": {"name": payload},
                "messages": [{"role": "user", "content": payload}],
                "draft": {"text": f"We pay. {payload} Yes.", "sources": [source], "tool_calls": [tool]},
            }
        )
        ids.append(turn.id)
    page = enter("Ada", Role.AUDITOR)
    open_screen(page, "Ledger")
    expect(page.locator(".asked-cell .asked").filter(has_text=PAYLOADS[0])).to_be_visible()
    for turn_id in ids:
        page.goto(f"{desk.url}/console/#/ledger/{turn_id}")
        expect(page.locator(".said .quote")).to_be_visible()
        expect(page.get_by_text(turn_id, exact=True)).to_be_visible()
        for summary in page.locator("summary").all():
            summary.click()
        page.wait_for_timeout(30)
    assert page.evaluate("window.hacked") is None
    assert (
        page.locator("#console img:not([src='./icon.svg']), #console script, #console iframe, #console svg").count()
        == 0
    )


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_screens_are_without_a_violation_of_accessibility(
    theme: str, edited: str, desk: Any, enter: Any, tmp_path: Path
) -> None:
    pictures = Path(os.environ.get("UNDERSTUDY_PICTURES", tmp_path))
    found = []

    def look(page: Any, name: str) -> None:
        found.extend(f"{name}: {one}" for one in violations(page))
        page.screenshot(path=pictures / f"{theme}-{name}.png")
        wide = px_too_wide(page)
        found.extend([f"{name}: {wide} px too wide"] if wide > 0 else [])

    page = enter("Root", Role.ADMIN, color_scheme=theme)
    open_screen(page, "Ledger")
    expect(page.get_by_role("link", name="Zoë Müller")).to_be_visible()
    page.get_by_role("button", name="Export").click()
    look(page, "ledger")
    page.get_by_role("link", name="Entries").click()
    expect(page.get_by_role("table")).to_be_visible()
    page.get_by_role("button", name="Verify the ledger").click()
    expect(page.get_by_text("The ledger is intact")).to_be_visible()
    look(page, "ledger-entries")
    page.goto(f"{desk.url}/console/#/ledger/{edited}")
    page.get_by_role("button", name="Verify this turn").click()
    expect(page.get_by_text("bit for bit")).to_be_visible()
    look(page, "story")
    for summary in page.locator("summary").all():
        summary.click()
    look(page, "story-open")
    open_screen(page, "Health")
    page.get_by_role("button", name="Examine").click()
    expect(page.get_by_text("every key is known")).to_be_visible()
    look(page, "health")
    page.set_viewport_size({"width": 1024, "height": 768})
    look(page, "health-tablet")
    page.goto(f"{desk.url}/console/#/ledger/{edited}")
    expect(page.get_by_text("The customer wrote")).to_be_visible()
    look(page, "story-tablet")
    page.set_viewport_size({"width": 640, "height": 400})
    look(page, "story-zoomed")
    assert not found, "\n".join(found)
