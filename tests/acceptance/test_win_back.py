"""A customer whom a reply let down is written to by a reviewer, over the API and in the console.

`UNDERSTUDY_PICTURES=FOLDER` keeps pictures in both themes.
"""

from __future__ import annotations

import itertools
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from browsing import PAYLOADS, expect, in_the_console, open_screen, press, px_too_wide, rows, violations
from understudy.records.access import Role

MORE = """
[trust.win_back.texts.sorry]
version = 3
text = "What we wrote on {day} was not good enough: {said} I am {reviewer} of {business}; write to me here."
"""
NUMBERS = itertools.count(1)


@pytest.fixture(scope="module")
def desk(serve: Callable[..., Any]) -> Any:
    return serve(more=MORE)


def let_down(desk: Any, words: Any, until: Any) -> tuple[Any, Any]:
    """A visitor who had an automatic reply and gives it a thumbs down; the visitor, and the hold that comes of it."""
    session = desk.http().post("/chat/sessions").json()
    visitor, reader = desk.http(session["token"]), desk.http(desk.key())
    assert visitor.post("/chat/messages", json={"id": f"m-{next(NUMBERS)}", "text": words.automatic}).status_code == 202
    until(lambda: len(said(visitor)) == 2)
    found = reader.get("/v1/turns?limit=200").json()["items"]
    turn = next(one for one in reversed(found) if one["channel"] == "webchat" and one["state"] == "answered")
    answer = reader.post(f"/v1/turns/{turn['id']}/feedback", json={"kind": "thumbs_down"})
    assert answer.status_code in (200, 201), answer.text

    decide(reader, "audit", "approve")

    def proposed() -> Any:
        holds = reader.get("/v1/holds").json()["items"]
        return next((one for one in holds if one["kind"] == "win_back" and one["turn_id"] == turn["id"]), None)

    return visitor, until(proposed)


def decide(reader: Any, kind: str, action: str) -> None:
    """Give a verdict on everything of a kind that waits."""
    for hold in reader.get("/v1/holds").json()["items"]:
        if hold["kind"] == kind:
            headers = {"If-Match": str(hold["version"])}
            reader.post(f"/v1/holds/{hold['id']}/verdict", json={"action": action}, headers=headers)


@pytest.fixture
def quiet(desk: Any) -> Any:
    """A server on which nothing waits."""
    reader = desk.http(desk.key(name="Sweeper"))
    decide(reader, "audit", "approve")
    decide(reader, "win_back", "reject")
    return desk


def said(visitor: Any) -> list[Any]:
    return list(visitor.get("/chat/messages").json()["messages"])


def test_a_reviewer_sends_the_approved_words_in_their_own_name(desk: Any, words: Any, until: Any) -> None:
    visitor, hold = let_down(desk, words, until)
    rosa = desk.http(desk.key(name="Rosa"))
    detail = rosa.get(f"/v1/holds/{hold['id']}").json()
    shown = detail["win_back"]
    assert (shown["cause"], shown["state"], shown["text_id"]) == ("thumbs_down", "proposed", "sorry@3")
    assert shown["text"].endswith("I am Rosa of Fernhill Kettles; write to me here.")
    assert "9:00 to 18:00" in shown["text"]
    assert len(said(visitor)) == 2
    answer = rosa.post(f"/v1/holds/{hold['id']}/verdict", json={"action": "approve"}, headers={"If-Match": '"1"'})
    assert answer.status_code == 200, answer.text
    until(lambda: len(said(visitor)) == 3)
    last = said(visitor)[-1]
    assert last["text"] == shown["text"]
    assert not last["ai_generated"]
    contact = rosa.get(f"/v1/contacts/{detail['conversation']['contact']['id']}").json()
    (made,) = contact["win_backs"]
    assert (made["state"], made["by"], made["text"]) == ("sent", "Rosa", None)
    figures = rosa.get("/v1/quality/win_back").json()
    assert figures["won_back"]["early"] == 1
    assert rosa.get("/v1/quality/win_back?within_days=0").status_code == 422


class TestInTheConsole:
    pytestmark = in_the_console

    @pytest.mark.parametrize("theme", ["light", "dark"])
    def test_a_reviewer_reads_edits_and_sends_it(
        self, quiet: Any, words: Any, until: Any, enter: Any, theme: str
    ) -> None:
        visitor, _ = let_down(quiet, words, until)
        page = enter("Kim", color_scheme=theme)
        expect(rows(page).first).to_be_visible()
        page.locator(".rows").focus()
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", name="To be written to the customer, in your name")).to_be_visible()
        expect(page.locator(".draft-text")).to_contain_text("I am Kim of Fernhill Kettles")
        expect(page.get_by_role("region", name="Made good")).to_contain_text("a message waits for a person")
        assert violations(page) == []
        assert px_too_wide(page) <= 0
        if folder := os.environ.get("UNDERSTUDY_PICTURES"):
            page.screenshot(path=str(Path(folder) / f"win-back-{theme}.png"))
        press(page, "e")
        field = page.get_by_role("textbox")
        expect(field).to_have_value(re.compile("I am Kim"))
        field.fill("I am sorry. We are open until eight today. Kim")
        page.keyboard.press("Control+Enter")
        until(lambda: said(visitor)[-1]["text"] == "I am sorry. We are open until eight today. Kim")

    def test_a_reviewer_leaves_it(self, quiet: Any, words: Any, until: Any, enter: Any) -> None:
        visitor, hold = let_down(quiet, words, until)
        page = enter("Kim")
        expect(rows(page).first).to_be_visible()
        page.locator(".rows").focus()
        page.keyboard.press("Enter")
        expect(page.get_by_role("button", name="Not needed")).to_be_visible()
        press(page, "r")
        reader = quiet.http(quiet.key())
        until(lambda: reader.get(f"/v1/holds/{hold['id']}").json()["hold"]["state"] == "decided")
        assert len(said(visitor)) == 2

    def test_what_followed_stands_in_quality(self, quiet: Any, words: Any, until: Any, enter: Any) -> None:
        let_down(quiet, words, until)
        page = enter("Lena", Role.LEAD)
        open_screen(page, "Quality")
        after = page.get_by_role("region", name="After something went badly", exact=True)
        expect(after.get_by_role("row").filter(has_text="A person wrote to them")).to_be_visible()
        assert violations(page) == []

    @pytest.mark.parametrize("payload", PAYLOADS[:3])
    def test_words_are_text(self, quiet: Any, words: Any, until: Any, enter: Any, payload: str) -> None:
        _, hold = let_down(quiet, words, until)
        page = enter(payload[:60])
        expect(rows(page).first).to_be_visible()
        page.locator(".rows").focus()
        page.keyboard.press("Enter")
        expect(page.locator(".draft-text")).to_contain_text(payload[:60])
        assert page.evaluate("window.hacked") is None
        page.keyboard.press("Escape")  # what is left is given back, for the next one to sweep away
        reader = quiet.http(quiet.key())
        until(lambda: reader.get(f"/v1/holds/{hold['id']}").json()["hold"]["claimed_by"] is None)
