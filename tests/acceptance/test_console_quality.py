"""The screens Quality and Insights in a real browser: figures, charts, sorting, the heat map by keyboard, both themes.

`UNDERSTUDY_PICTURES=FOLDER` keeps a picture of each.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from browsing import expect, in_the_console, open_screen, px_too_wide, violations
from past import write_past
from understudy.records.access import Role

pytestmark = in_the_console


@pytest.fixture(scope="module")
def desk(serve: Callable[..., Any]) -> Any:
    """A server of a business with eight weeks behind it."""
    running = serve()
    write_past(running.app.store, now=datetime.now(UTC))
    return running


def test_a_lead_reads_the_figures_of_the_morning(enter: Any) -> None:
    page = enter("Lena", Role.LEAD)
    open_screen(page, "Quality")
    tile = page.locator(".tile").filter(has_text="Answered by the agent alone")
    expect(tile).to_contain_text("%")
    expect(tile).to_contain_text("up by")
    expect(page.locator(".plot canvas").first).to_be_visible()
    assert page.locator(".plot canvas").count() == 6
    page.get_by_text("As a table").first.click()
    expect(
        page.get_by_role("region", name="Answered by the agent alone, as a table").get_by_role("row").nth(3)
    ).to_be_visible()
    reviewers = page.get_by_role("region", name="Reviewers").last
    expect(reviewers.get_by_role("rowheader", name="Rosa")).to_be_visible()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_how_matters_ended_is_said_of_the_agent_and_of_people_apart(enter: Any, theme: str) -> None:
    page = enter("Lena", Role.LEAD, color_scheme=theme)
    open_screen(page, "Quality")
    ended = page.get_by_role("region", name="How matters ended", exact=True)
    for who in ("Answered last by the agent alone", "Answered last with a person"):
        expect(ended.get_by_role("row").filter(has_text=who)).to_contain_text("%")
    expect(ended).to_contain_text("within 7 days")
    ended.get_by_label("Came back within").select_option("30 days")
    expect(ended).to_contain_text("within 30 days")
    assert violations(page) == []
    assert px_too_wide(page) <= 0
    if folder := os.environ.get("UNDERSTUDY_PICTURES"):
        ended.scroll_into_view_if_needed()
        page.screenshot(path=str(Path(folder) / f"resolution-{theme}.png"))


def test_filters_stand_in_the_address_and_few_cases_are_said(enter: Any) -> None:
    page = enter("Lena", Role.LEAD)
    open_screen(page, "Quality")
    expect(page.locator(".tile").first).to_contain_text("%")
    page.get_by_role("combobox", name="Topic").select_option("other")
    page.get_by_role("combobox", name="Time").select_option("week")
    expect(page.locator(".tile").first).to_contain_text("too few cases")
    assert page.url.endswith("#/quality?topic=other&time=week")
    page.reload()
    expect(page.get_by_role("combobox", name="Topic")).to_have_value("other")
    expect(page.locator(".tile").first).to_contain_text("too few cases")


def test_the_table_of_topics_sorts_by_keyboard(enter: Any) -> None:
    page = enter("Lena", Role.LEAD)
    open_screen(page, "Quality")
    table = page.get_by_role("region", name="Topics and their figures")
    expect(table.get_by_role("rowheader").first).to_have_text("delivery")
    table.get_by_role("button", name="Alone", exact=True).focus()
    page.keyboard.press("Enter")
    expect(table.get_by_role("columnheader", name="Alone").first).to_have_attribute("aria-sort", "descending")
    page.keyboard.press("Enter")
    expect(table.get_by_role("rowheader").first).to_have_text("refunds")


def test_a_cell_of_the_heat_map_opens_its_turns_by_keyboard(enter: Any) -> None:
    page = enter("Vera", Role.VIEWER)
    open_screen(page, "Insights")
    cell = page.locator("td.heat button[tabindex='0']")
    cell.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowDown")
    chosen = page.evaluate("document.activeElement.getAttribute('aria-label')")
    count = int(page.evaluate("document.activeElement.textContent"))
    page.keyboard.press("Enter")
    pane = page.locator(".behind")
    expect(pane.get_by_role("heading")).to_be_focused()
    expect(pane.get_by_role("article")).to_have_count(min(count, 25))
    topic = chosen.split(" of ", 1)[1].split(":")[0]
    assert pane.get_by_role("heading").inner_text().startswith(topic)
    page.keyboard.press("Escape")
    expect(pane).to_have_count(0)
    expect(page.get_by_role("button", name=chosen)).to_be_focused()


def test_a_turn_that_waits_leads_to_its_hold(desk: Any, enter: Any) -> None:
    desk.client().submit_turn(
        {
            "id": "waits",
            "topic": "lids",
            "messages": [{"role": "user", "content": "<img src=x onerror=window.hacked=1> What is a lid?"}],
            "draft": {"text": "A lid costs 30 EUR.", "sources": [{"id": "k", "text": "We sell lids."}]},
        }
    )
    page = enter("Lena", Role.LEAD)
    open_screen(page, "Insights")
    page.get_by_role("button", name="1 of lids: Not grounded, unsupported money").click()
    expect(page.locator(".behind .text").get_by_text("onerror=window.hacked=1")).to_be_visible()
    expect(page.get_by_role("link", name="Its story")).to_be_visible()
    page.get_by_role("link", name="Waits for a person").click()
    expect(page.locator("footer.verdicts button").first).to_be_enabled()
    assert page.evaluate("window.hacked") is None


def test_a_lead_reads_which_reply_was_given_and_who_approved_it(desk: Any, enter: Any) -> None:
    turn = desk.client(desk.key(name="Rosa")).submit_turn(
        {
            "id": "approved",
            "topic": "hinge_pins",
            "messages": [{"role": "user", "content": "Do you sell hinge pins?"}],
            "draft": {"text": "We sell hinge pins.", "sources": [{"id": "k", "text": "We sell hinge pins."}]},
        }
    )
    desk.client(desk.key(name="Rosa")).approve(turn.hold_id, version=1)
    page = enter("Lena", Role.LEAD)
    open_screen(page, "Insights")
    page.get_by_label("Time").select_option(label="Last hour")
    page.get_by_role("button", name="1 of hinge pins: all turns").click()
    expect(page.get_by_role("heading", name="hinge pins: all turns")).to_be_focused()
    expect(page.locator(".behind article")).to_contain_text("approved by Rosa, ")
    page.get_by_role("link", name="Its story").click()
    expect(page.get_by_role("heading", name="Rosa approved it as it was")).to_be_visible()
    expect(page.get_by_role("region", name="What happened")).to_contain_text("We sell hinge pins.")


def test_what_hurts_most_is_seen_first_and_an_open_cell_stays_in_sight(enter: Any) -> None:
    page = enter("Lena", Role.LEAD, viewport={"width": 1000, "height": 700})
    open_screen(page, "Insights")
    page.locator("td.heat button").last.click()
    expect(page.locator(".behind")).to_be_visible()
    chosen = page.locator("td.heat button[aria-current]")
    expect(chosen).to_be_in_viewport(ratio=1)
    box, topic = page.locator(".heat-box"), page.locator(".heat-table tbody th").first
    frame = box.bounding_box()
    box.evaluate("box => box.scrollLeft = box.scrollWidth")
    assert topic.bounding_box()["x"] == pytest.approx(frame["x"], abs=4)
    turns = page.locator(".heat-table td.number").first.bounding_box()
    assert turns["x"] < frame["x"] + 200


def test_a_reviewer_is_offered_neither_screen(enter: Any) -> None:
    page = enter("Kim")
    expect(page.get_by_role("navigation", name="Screens").get_by_role("link")).to_have_text(
        ["Queue", "Promises", "Replies"]
    )


def test_what_cannot_be_read_is_said_and_tried_again(enter: Any) -> None:
    page = enter("Lena", Role.LEAD)
    page.route("**/v1/quality*", lambda route: route.abort())
    open_screen(page, "Quality")
    expect(page.get_by_role("alert")).to_contain_text("could not be read")
    page.unroute("**/v1/quality*")
    page.get_by_role("button", name="Try again").click()
    expect(page.locator(".tile").first).to_contain_text("%")
    page.tab.forgive("/v1/quality", "net::ERR_FAILED")


@pytest.mark.parametrize("size", [(1280, 800), (1024, 768), (640, 400), (320, 640)], ids=lambda one: str(one[0]))
def test_nothing_is_out_of_reach_on_a_small_screen(size: tuple[int, int], enter: Any) -> None:
    page = enter("Lena", Role.LEAD, viewport={"width": size[0], "height": size[1]})
    open_screen(page, "Quality")
    expect(page.locator(".tile").first).to_contain_text("%")
    assert px_too_wide(page) <= 0
    page.get_by_role("heading", name="Reviewers").scroll_into_view_if_needed()
    open_screen(page, "Insights")
    page.locator("td.heat button").first.click()
    expect(page.get_by_role("article").first).to_be_visible()
    assert px_too_wide(page) <= 0


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_both_screens_are_without_a_violation_of_accessibility(theme: str, enter: Any, tmp_path: Path) -> None:
    pictures = Path(os.environ.get("UNDERSTUDY_PICTURES", tmp_path))
    page = enter("Lena", Role.LEAD, color_scheme=theme)
    open_screen(page, "Quality")
    expect(page.locator(".plot canvas").first).to_be_visible()
    page.wait_for_timeout(300)
    page.screenshot(path=pictures / f"{theme}-quality.png")
    page.get_by_text("As a table").first.click()
    page.get_by_text("How each figure is counted").click()
    found = [f"quality: {one}" for one in violations(page)]
    page.get_by_role("heading", name="Reviewers").scroll_into_view_if_needed()
    page.screenshot(path=pictures / f"{theme}-quality-below.png")
    page.get_by_text("How each figure is counted").click()
    page.get_by_role("heading", name="Reviewers").scroll_into_view_if_needed()
    page.screenshot(path=pictures / f"{theme}-quality-names.png")
    open_screen(page, "Insights")
    page.locator("td.heat button").first.click()
    expect(page.get_by_role("article").first).to_be_visible()
    found += [f"insights: {one}" for one in violations(page)]
    page.screenshot(path=pictures / f"{theme}-insights.png")
    assert not found, "\n".join(found)
