"""What customers are told and asked, in a real browser: the chat's question with its buttons, and what the console shows.

`UNDERSTUDY_PICTURES=FOLDER` keeps a picture of each.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from browsing import expect, in_the_console, open_screen, rows, violations
from understudy.records.access import Role

pytestmark = in_the_console

MORE = """
[disclosure.channels.webchat]
shown = "message"
[csat]
ask = "score"
quiet_h = 0.0001
"""
TOLD = "You are talking to an AI assistant of Fernhill Kettles. Ask for a person at any time."


@pytest.fixture(scope="module")
def desk(serve: Callable[..., Any]) -> Any:
    return serve(more=MORE)


def kept(page: Any, name: str) -> None:
    if folder := os.environ.get("UNDERSTUDY_PICTURES"):
        page.screenshot(path=str(Path(folder) / f"{name}.png"))


def sweep(desk: Any) -> int:
    """Look whom to ask, in a thread: the browser's own loop runs in this one."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(lambda: asyncio.run(desk.app.surveys.sweep())).result()


def write(page: Any, text: str) -> None:
    page.get_by_role("textbox").fill(text)
    page.keyboard.press("Enter")


def test_visitor_answers_by_a_button(desk: Any, words: Any, until: Any, open_tab: Any) -> None:
    page = open_tab().page
    page.goto(f"{desk.url}/chat")
    write(page, words.automatic)
    expect(page.get_by_role("log").get_by_text("9:00 to 18:00")).to_be_visible()
    until(lambda: sweep(desk))
    choices = page.get_by_role("group", name="How was it?")
    expect(choices.get_by_role("button")).to_have_count(5)
    kept(page, "chat-question")
    choices.get_by_role("button", name="4 of 5").click()
    expect(choices).to_be_hidden()
    expect(page.locator(".from-customer .text").last).to_have_text("4")
    kept(page, "chat-answered")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_console_shows_what_was_told_and_asked(desk: Any, words: Any, open_tab: Any, enter: Any, scheme: str) -> None:
    chat = open_tab().page
    chat.goto(f"{desk.url}/chat")
    write(chat, words.held)
    expect(chat.get_by_role("log").get_by_text(words.held)).to_be_visible()
    page = enter(f"Lena {scheme}", Role.LEAD, color_scheme=scheme)
    rows(page).first.click()
    expect(page.locator(".tells").last).to_contain_text(TOLD)
    assert violations(page) == []
    kept(page, f"review-{scheme}")
    open_screen(page, "Quality")
    expect(page.get_by_role("region", name="What customers said when they were asked")).to_contain_text(
        "Answered by the agent alone"
    )
    assert violations(page) == []
    kept(page, f"quality-{scheme}")
