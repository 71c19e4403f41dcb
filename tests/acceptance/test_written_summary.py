"""Where a model is configured, whoever gets a hand-off reads its few lines above what is stored, said to be a model's; the model may
say anything and be gone.

`UNDERSTUDY_PICTURES=FOLDER` keeps pictures in both themes.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from browsing import PAYLOADS, expect, in_the_console, press, px_too_wide, record, rows, violations
from understudy.testing.listening import OwnThread
from understudy.testing.llm import LlmEndpoint, Reply

ANGRY = "This is outrageous! I want to speak to a real person about kettle 4711."
KEY = "sk-summaries-77aa"
LINES = "They want a person, and are angry about kettle 4711.\nSay first what happens with it now."


class Model:
    """What the fake answers: `LINES`, or what a test puts in their place."""

    def __init__(self) -> None:
        self.says = LINES
        self.may_answer = Event()
        self.may_answer.set()
        self.shown: list[Any] = []

    async def answer(self, messages: Sequence[Mapping[str, Any]]) -> Reply:
        self.shown.append(json.loads(messages[-1]["content"]))
        await asyncio.to_thread(self.may_answer.wait, 10)
        return Reply(text=self.says)


@pytest.fixture(scope="module")
def model() -> Model:
    return Model()


@pytest.fixture(scope="module")
def endpoint(model: Model) -> Iterator[LlmEndpoint]:
    thread = OwnThread()
    fake = LlmEndpoint(answers=model.answer, models=("small-1",), key=KEY)
    thread.run(fake.start())
    yield fake
    thread.run(fake.stop())
    thread.close()


@pytest.fixture(scope="module")
def desk(serve: Any, endpoint: LlmEndpoint) -> Any:
    more = f'[summaries]\nbase_url = "{endpoint.url}/v1"\nmodel = "small-1"\n'
    return serve(more=more, environment={"UNDERSTUDY__SUMMARIES__API_KEY": KEY})


def hand_off(desk: Any, words: Any, contact: str, text: str = ANGRY) -> str:
    """Ask for a person; returns the hold."""
    asked = record(words, contact={"id": contact, "name": "Ada"})
    asked["messages"] = [{"role": "user", "content": text}]
    writer = desk.http(desk.key())
    turn = writer.post("/v1/turns", json=asked).json()
    return str(writer.get(f"/v1/turns/{turn['id']}").json()["hold_id"])


def read(desk: Any, hold: str) -> dict[str, list[str]]:
    parts = desk.http(desk.key()).get(f"/v1/holds/{hold}").json()["summary"]
    return {part["name"]: [line["text"] for line in part["lines"]] for part in parts}


def test_its_lines_are_read_above_what_is_stored(emptied: Any, words: Any, model: Model, until: Any) -> None:
    hold = hand_off(emptied, words, "written-ada")
    until(lambda: "short" in read(emptied, hold))
    told = read(emptied, hold)
    assert told["short"] == [*LINES.splitlines(), "Written by small-1, from what stands below. It may be wrong."]
    assert told["wanted"] == [ANGRY]
    assert model.shown[-1]["wanted"] == [ANGRY]


def test_what_it_makes_up_nobody_reads(emptied: Any, words: Any, model: Model, until: Any) -> None:
    model.says = "They paid 250 EUR for kettle 4711."
    asked = len(model.shown)
    try:
        hold = hand_off(emptied, words, "written-eve")
        until(lambda: len(model.shown) == asked + 2)
        assert "short" not in read(emptied, hold)
        assert read(emptied, hold)["wanted"] == [ANGRY]
    finally:
        model.says = LINES


def test_the_doctor_asks_for_the_model(
    write_folder: Any, understudy: Any, endpoint: LlmEndpoint, tmp_path: Path
) -> None:
    more = f'[summaries]\nbase_url = "{endpoint.url}/v1"\nmodel = "small-1"\n'
    write_folder(tmp_path, more=more)
    told = understudy("doctor", cwd=tmp_path, env={"UNDERSTUDY__SUMMARIES__API_KEY": KEY})
    assert "summaries" in told.out
    refused = understudy("doctor", cwd=tmp_path, env={"UNDERSTUDY__SUMMARIES__API_KEY": "sk-wrong"})
    assert "the key was refused" in refused.out
    assert "sk-wrong" not in refused.out + refused.err


class TestInTheConsole:
    pytestmark = in_the_console

    @pytest.mark.parametrize("theme", ["light", "dark"])
    def test_they_stand_first_and_say_whose_they_are(
        self, emptied: Any, words: Any, until: Any, enter: Any, theme: str
    ) -> None:
        hold = hand_off(emptied, words, f"written-{theme}")
        until(lambda: "short" in read(emptied, hold))
        page = enter("Kim", color_scheme=theme)
        expect(rows(page).first).to_be_visible()
        page.locator(".rows").focus()
        page.keyboard.press("Enter")
        short = page.get_by_role("region", name="In short")
        expect(short.locator("dt").first).to_have_text("In a few words")
        expect(short.locator("dd").first).to_contain_text("Written by small-1")
        assert violations(page) == []
        assert px_too_wide(page) <= 0
        if folder := os.environ.get("UNDERSTUDY_PICTURES"):
            page.screenshot(path=str(Path(folder) / f"written-summary-{theme}.png"))

    def test_whoever_reads_already_gets_them_as_they_come(
        self, emptied: Any, words: Any, enter: Any, model: Model
    ) -> None:
        model.may_answer.clear()
        try:
            hand_off(emptied, words, "written-late")
            page = enter("Kim")
            expect(rows(page).first).to_be_visible()
            page.locator(".rows").focus()
            page.keyboard.press("Enter")
            short = page.get_by_role("region", name="In short")
            expect(short.locator("dt").first).to_have_text("What they want")
        finally:
            model.may_answer.set()
        expect(short.locator("dt").first).to_have_text("In a few words")

    @pytest.mark.parametrize("payload", PAYLOADS)
    def test_what_it_writes_is_text(
        self, emptied: Any, words: Any, until: Any, enter: Any, model: Model, payload: str
    ) -> None:
        model.says = payload
        try:
            hold = hand_off(emptied, words, "written-bad", text=f"I want to speak to a human. {payload}")
            until(lambda: "short" in read(emptied, hold))
            page = enter("Kim")
            expect(rows(page).first).to_be_visible()
            page.locator(".rows").focus()
            page.keyboard.press("Enter")
            expect(page.get_by_role("region", name="In short").locator("dd").first).to_contain_text(
                "Written by small-1"
            )
            assert page.evaluate("window.hacked") is None
            press(page, "t")
        finally:
            model.says = LINES
