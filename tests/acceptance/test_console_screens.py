"""Every screen of the console in a real browser: hostile texts, small screens, both themes without a violation of WCAG 2.2 AA.

`UNDERSTUDY_PICTURES=FOLDER` keeps a picture of each.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from browsing import PAYLOADS, expect, in_the_console, numbers, press, px_too_wide, record, rows, violations

pytestmark = in_the_console


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
    expect(rows(page)).to_have_count(len(PAYLOADS))
    page.keyboard.press("Enter")
    for _ in PAYLOADS:
        expect(page.locator(".review .draft-text, .review .draft .muted").first).to_be_visible()
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
    expect(rows(page)).to_have_count(1)
    assert px_too_wide(page) <= 0
    page.locator(".rows").focus()
    page.keyboard.press("Enter")
    for shown in (
        page.get_by_role("log").get_by_text(words.held),
        page.get_by_role("heading", name="Customer", exact=True),
    ):
        shown.scroll_into_view_if_needed()
        expect(shown).to_be_in_viewport()
    expect(page.get_by_role("button", name="Approve")).to_be_in_viewport()
    assert px_too_wide(page) <= 0


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
        expect(page.get_by_role("dialog")).to_be_visible()
        yield "keys", page
        page.keyboard.press("Escape")
        expect(page.locator("dialog")).to_have_count(
            0
        )  # the browser tells the page of its end a moment after it is hidden
        page.keyboard.press("Enter")
        expect(page.locator("footer.verdicts button").first).to_be_enabled()
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
        expect(page.get_by_role("textbox", name="Your message")).to_be_visible()
        page.keyboard.type("Hello!")
        page.wait_for_timeout(200)
        yield "conversation", page
        page.get_by_role("button", name="Sign out").click()
        expect(page.get_by_label("Password")).to_be_visible()
        yield "sign-in", page

    return walk


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_screen_is_without_a_violation_of_accessibility(theme: str, scenes: Any, tmp_path: Path) -> None:
    pictures = Path(os.environ.get("UNDERSTUDY_PICTURES", tmp_path))
    found = []
    for name, page in scenes(theme):
        found += [f"{name}: {one}" for one in violations(page)]
        page.screenshot(path=pictures / f"{theme}-{name}.png")
    assert not found, "\n".join(found)
