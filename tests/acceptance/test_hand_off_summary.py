"""Whoever gets a hand-off reads in short what it is about, over the API and in the console; what customers wrote stays text.

`UNDERSTUDY_PICTURES=FOLDER` keeps pictures in both themes.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from browsing import PAYLOADS, expect, in_the_console, press, px_too_wide, record, rows, violations

ANGRY = "This is outrageous! I want to speak to a real person about my kettle."
ADA = {"id": "hand-off-ada", "name": "Ada"}


def hand_off(desk: Any, turn: Any) -> Any:
    reader = desk.http(desk.key())
    held = reader.get(f"/v1/turns/{turn['id']}").json()
    return reader.get(f"/v1/holds/{held['hold_id']}").json()


def ask(desk: Any, words: Any, text: str, contact: Any, **more: Any) -> Any:
    asked = record(words, contact=contact, **more)
    asked["messages"] = [{"role": "user", "content": text}]
    return desk.http(desk.key()).post("/v1/turns", json=asked).json()


def parts(hold: Any) -> dict[str, list[str]]:
    return {part["name"]: [line["text"] for line in part["lines"]] for part in hold["summary"]}


def test_a_hand_off_says_what_a_person_has_to_know(emptied: Any, words: Any) -> None:
    writer = emptied.http(emptied.key())
    before = ask(emptied, words, "Where is my lid?", ADA)
    due_at = "2099-05-01T09:30:00Z"
    owed = writer.post(
        "/v1/pledges", json={"conversation_id": before["conversation_id"], "words": "call Ada", "due_at": due_at}
    )
    assert owed.status_code == 201, owed.text
    hold = hand_off(emptied, ask(emptied, words, ANGRY, ADA))
    assert hold["hold"]["kind"] == "hand_off"
    told = parts(hold)
    assert told["wanted"] == [ANGRY]
    assert "The customer asks to deal with a person." in told["why"]
    assert "The customer is angry." in told["mood"]
    assert told["owed"] == ["“call Ada”, due 2099-05-01 09:30 UTC"]
    assert any(line.startswith("Drafted by the agent and not sent: ") for line in told["tried"])
    writer.post(f"/v1/pledges/{owed.json()['id']}/withdraw", json={"note": "between tests"})


def test_a_draft_on_hold_has_none(emptied: Any, words: Any) -> None:
    turn = ask(emptied, words, "Where is my lid?", {"id": "hand-off-none"})
    assert hand_off(emptied, turn)["summary"] == []


def test_who_takes_over_reads_it_beside_the_conversation(emptied: Any, words: Any) -> None:
    turn = ask(emptied, words, ANGRY, {"id": "hand-off-taken"})
    place = f"/v1/conversations/{turn['conversation_id']}"
    reader = emptied.http(emptied.key())
    assert parts(reader.get(f"{place}/history").json())["wanted"] == [ANGRY]
    reader.post(f"{place}/take_over")
    assert parts(reader.get(f"{place}/history").json())["wanted"] == [ANGRY]
    reader.post(f"{place}/hand_back")
    assert reader.get(f"{place}/history").json()["summary"] == []


class TestInTheConsole:
    pytestmark = in_the_console

    @pytest.mark.parametrize("theme", ["light", "dark"])
    def test_the_summary_stands_above_what_was_drafted(self, emptied: Any, words: Any, enter: Any, theme: str) -> None:
        ask(emptied, words, ANGRY, {"id": f"hand-off-{theme}", "name": "Ada"})
        page = enter("Kim", color_scheme=theme)
        expect(rows(page).first).to_be_visible()
        page.locator(".rows").focus()
        page.keyboard.press("Enter")
        short = page.get_by_role("region", name="In short")
        expect(short.locator("blockquote")).to_have_text(ANGRY)
        expect(short).to_contain_text("The customer is angry.")
        assert violations(page) == []
        assert px_too_wide(page) <= 0
        if folder := os.environ.get("UNDERSTUDY_PICTURES"):
            page.screenshot(path=str(Path(folder) / f"hand-off-{theme}.png"))

    @pytest.mark.parametrize("payload", PAYLOADS)
    def test_what_a_customer_wrote_is_text_in_it(self, emptied: Any, words: Any, enter: Any, payload: str) -> None:
        ask(emptied, words, f"I want to speak to a human. {payload}", {"id": "hand-off-bad", "name": payload[:60]})
        page = enter("Kim")
        expect(rows(page).first).to_be_visible()
        page.locator(".rows").focus()
        page.keyboard.press("Enter")
        expect(page.get_by_role("region", name="In short").locator("blockquote")).to_contain_text(payload)
        assert page.evaluate("window.hacked") is None
        press(page, "t")
