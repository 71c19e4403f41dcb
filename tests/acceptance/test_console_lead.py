"""What leads and releasers do in the console, in a real browser: stop everything, confirm a promotion, take a release back.

`UNDERSTUDY_PICTURES=FOLDER` keeps a picture of each screen.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from browsing import expect, in_the_console, numbers, px_too_wide, violations
from understudy.records.access import Role, Scope

pytestmark = in_the_console

PROMISES = {
    f"UNDERSTUDY__AUTONOMY__{name}": value
    for name, value in {
        "RISK_MAX": "0.2",
        "SEVERE_MAX": "0.2",
        "CONFIDENCE": "0.9",
        "SENSITIVITY": "1.0",
        "DAYS_MIN": "0",
        "REVIEWERS_MIN": "1",
    }.items()
}
"""Generous ones, so that some tens of verdicts certify."""
CASE = "id: c{number}\nmessages: [{{user: What are your opening hours?}}]\ngraders: [{{regex: '{wants}'}}]\n"
HOSTILE = "<img src=x onerror=\"window.hacked='topic'\">"
SEEN_WITHIN_MS = 2_000
DRAFTS_MAX = 60


@pytest.fixture(scope="module")
def desk(serve: Callable[..., Any], write_folder: Callable[..., Path], tmp_path_factory: Any) -> Any:
    """A server with generous promises, and a second version of its agent that fails one case of a suite of three."""
    folder = tmp_path_factory.mktemp("second")
    write_folder(folder)
    hours = folder / "knowledge" / "opening-hours.md"
    hours.write_text("---\ntitle: Opening hours\ntopic: stores\n---\nOur shop is open from 8:00 to 20:00.\n", "utf-8")
    suite = folder / "suites" / "hours"
    suite.mkdir(parents=True)
    for number, wants in enumerate(("open", "open", "18:00")):
        (suite / f"c{number}.yaml").write_text(CASE.format(number=number, wants=wants), encoding="utf-8")
    more = f"""
[agents.faq-2]
kind = "faq"
knowledge = "{folder / "knowledge"}"
release_of = "faq"
[evaluation]
suites = "{folder / "suites"}"
cases_min = 3
"""
    return serve(more=more, environment=PROMISES)


@pytest.fixture
def running(desk: Any) -> Iterator[Any]:
    """The server, with nothing stopped before and after."""
    http = desk.http(desk.key(name="Tidy"))

    def lift() -> None:
        for stop in http.get("/v1/autonomy/stops").json():
            http.post("/v1/autonomy/resume", json={"topic": stop["topic"], "channel": stop["channel"]})

    lift()
    yield desk
    lift()


def ask(running: Any, topic: str, *, text: str = "We pay the return postage.", judged: bool = True) -> str:
    """A customer asks about a topic, and a reviewer approves the draft; returns the turn's id."""
    client = running.client(running.key(name="Ines"))
    source = {"id": "returns", "text": "We pay the return postage."}
    turn = client.submit_turn(
        {
            "id": f"lead-{next(numbers)}",
            "topic": topic,
            "agent_version": "v1",
            "messages": [{"role": "user", "content": "Do you pay the return postage?"}],
            "draft": {"text": text, "sources": [source]},
        }
    )
    if judged and turn.hold_id:
        client.approve(turn.hold_id, version=1)
    return str(turn.id)


def propose(running: Any, topic: str, until: Callable[..., Any]) -> None:
    """Approve drafts until a promotion is proposed."""
    http = running.http(running.key(name="Look"))

    def of_topic() -> Any:
        return next((one for one in http.get("/v1/autonomy").json()["slices"] if one["topic"] == topic), None)

    for _ in range(DRAFTS_MAX):
        ask(running, topic)
        until(lambda: (found := of_topic()) is not None and found["awaiting"] == 0)
        if of_topic()["proposal"] is not None:
            return
    raise AssertionError(f"after {DRAFTS_MAX} approvals the slice is {of_topic()}")


def stop_button(page: Any) -> Any:
    return page.get_by_role("banner").get_by_role("button", name="Stop automatic replies")


def test_stop_and_resume_by_keyboard_are_seen_by_everybody(running: Any, enter: Any, words: Any) -> None:
    lead, other = enter("Lena", Role.LEAD), enter("Rosa", Role.REVIEWER)
    expect(other.get_by_role("banner").get_by_role("button", name="Stop")).to_have_count(0)
    stop_button(lead).focus()
    lead.keyboard.press("Enter")
    dialog = lead.get_by_role("dialog", name="Stop all automatic replies?")
    expect(dialog).to_contain_text("every draft waits for a person until somebody resumes")
    lead.keyboard.type("odd replies since noon")
    lead.keyboard.press("Enter")
    pressed = time.monotonic()
    band = other.get_by_role("region", name="Where automatic replies are stopped")
    expect(band).to_contain_text("Automatic replies are stopped everywhere.", timeout=SEEN_WITHIN_MS)
    assert time.monotonic() - pressed < SEEN_WITHIN_MS / 1000
    expect(band).to_contain_text("By Lena at ")
    expect(band).to_contain_text("“odd replies since noon”")
    expect(band.get_by_role("button", name="Resume")).to_have_count(0)
    expect(dialog).to_be_hidden()
    expect(stop_button(lead)).to_have_count(0)
    http = running.http(running.key())
    turn = http.post("/v1/turns", json=words.record(f"lead-{next(numbers)}", topic="stores")).json()
    assert (turn["decision"], [one["code"] for one in turn["reasons"]]) == ("hold", ["autonomy_on_hold"])
    for place in ("#/autonomy", "#/releases", "#/"):
        lead.evaluate("place => location.hash = place", place)
        expect(lead.get_by_role("region", name="Where automatic replies are stopped")).to_contain_text("everywhere")
    lead.get_by_role("button", name="Resume").first.focus()
    lead.keyboard.press("Enter")
    expect(lead.get_by_role("dialog", name="Resume automatic replies everywhere?")).to_be_visible()
    lead.keyboard.press("Enter")
    expect(band).to_be_hidden(timeout=SEEN_WITHIN_MS)
    expect(stop_button(lead)).to_be_visible()
    events = [(one["event"], one["actor"]) for one in http.get("/v1/ledger?limit=1000").json()["items"]]
    assert [one for one in events if one[0].startswith("autonomy.stop")] == [("autonomy.stopped", "Lena")]


def test_leaving_the_question_stops_nothing(running: Any, enter: Any) -> None:
    page = enter("Lena", Role.LEAD)
    stop_button(page).click()
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    page.wait_for_timeout(100)
    expect(stop_button(page)).to_be_visible()
    assert running.http(running.key()).get("/v1/autonomy/stops").json() == []


def test_a_topic_and_a_channel_are_stopped_from_the_grid(running: Any, enter: Any) -> None:
    ask(running, "grid")
    page = enter("Lena", Role.LEAD)
    page.get_by_role("link", name="Autonomy").click()
    page.get_by_role("button", name="Stop grid").click()
    page.get_by_role("button", name="Stop here").click()
    band = page.get_by_role("region", name="Where automatic replies are stopped")
    expect(band).to_contain_text("stopped on grid, on every channel")
    expect(page.get_by_role("link", name="grid × api")).to_contain_text("stopped")
    page.get_by_role("button", name="Stop the channel api").click()
    page.get_by_role("button", name="Stop here").click()
    expect(band).to_contain_text("stopped on the channel api")
    stops = running.http(running.key()).get("/v1/autonomy/stops").json()
    assert {(one["topic"], one["channel"]) for one in stops} == {("grid", "*"), ("*", "api")}


def test_a_promotion_is_confirmed_by_keyboard(running: Any, enter: Any, until: Any) -> None:
    propose(running, "postage", until)
    page = enter("Lena", Role.LEAD)
    page.evaluate("location.hash = '#/autonomy'")
    cell = page.get_by_role("link", name="postage × api")
    expect(cell).to_contain_text("probation proposed")
    cell.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="postage × api")).to_be_visible()
    expect(page.get_by_role("region", name="How it stands")).to_contain_text("the mean loss is at most 20 %")
    expect(page.get_by_role("img", name="Risk and coverage")).to_be_visible()
    page.get_by_role("button", name="Confirm the promotion").focus()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name="Let postage × api answer alone?")
    expect(dialog).to_contain_text("or more leave by themselves")
    expect(dialog.get_by_role("button", name="Confirm")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("region", name="What happened")).to_contain_text("Promoted to probation")
    expect(page.get_by_role("region", name="What happened")).to_contain_text("by Lena")
    expect(page.get_by_role("button", name="Confirm the promotion")).to_have_count(0)
    http = running.http(running.key())
    turn = http.post("/v1/turns", json=_clear("postage")).json()
    assert turn["decision"] == "deliver"


def _clear(topic: str) -> dict[str, Any]:
    source = {"id": "returns", "text": "We pay the return postage."}
    return {
        "id": f"lead-{next(numbers)}",
        "topic": topic,
        "agent_version": "v1",
        "messages": [{"role": "user", "content": "Do you pay the return postage?"}],
        "draft": {"text": "We pay the return postage.", "sources": [source]},
    }


def test_a_slice_refreshes_by_itself_and_a_viewer_is_offered_nothing(running: Any, enter: Any) -> None:
    ask(running, "watched")
    page = enter("Vera", Role.VIEWER)
    page.evaluate("location.hash = '#/autonomy/watched?channel=api'")
    expect(page.get_by_role("region", name="How it stands")).to_contain_text("Of the latest 1 draft")
    expect(page.get_by_role("heading", name="What you can do")).to_have_count(0)
    expect(stop_button(page)).to_have_count(0)
    ask(running, "watched")
    expect(page.get_by_role("region", name="How it stands")).to_contain_text("Of the latest 2 drafts")


@pytest.fixture
def canary(running: Any, until: Any) -> dict[str, Any]:
    """A release that failed to be as good, was let through all the same, and has half of the new conversations."""
    http = running.http(running.key(name="Rolf"))
    known = {
        one["release"]["entry"]: one["release"]
        for agent in http.get("/v1/releases").json()
        for one in agent["releases"]
    }
    if "faq" not in known:
        assert http.post("/v1/releases", json={"entry": "faq"}).status_code == 201
    release = known.get("faq-2") or http.post("/v1/releases", json={"entry": "faq-2"}).json()
    release = http.get(f"/v1/releases/{release['id']}").json()["release"]

    def order(what: str, **body: Any) -> dict[str, Any]:
        seen = {"If-Match": f'"{release["version"]}"'}
        answer = http.post(f"/v1/releases/{release['id']}/{what}", json=body, headers=seen)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    if release["stage"] == "created":
        release = order("waive", why="a drill")
    if release["stage"] == "rolled_back":
        release = order("promote", to="gated")
    if release["stage"] == "gated":
        release = order("promote", to="canary", share=0.5)
    return release


def test_a_release_is_rolled_back_in_the_console(running: Any, canary: dict[str, Any], enter: Any) -> None:
    page = enter("Rolf", Role.RELEASER)
    page.get_by_role("link", name="Releases").click()
    row = page.get_by_role("row").filter(has_text="faq-2").first  # the release's own; its runs are listed below
    expect(row).to_contain_text("canary")
    expect(row).to_contain_text("50 %")
    row.get_by_role("link").click()
    expect(page.get_by_role("listitem").filter(has_text="here now")).to_contain_text("canary")
    page.get_by_role("button", name="Roll back…").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog", name="Roll faq-2 back?")).to_be_visible()
    page.keyboard.type("prices are wrong")
    page.keyboard.press("Enter")
    expect(page.get_by_role("listitem").filter(has_text="here now")).to_contain_text("rolled back")
    expect(page.get_by_role("region", name="What it is")).to_contain_text("prices are wrong")
    found = running.http(running.key()).get(f"/v1/releases/{canary['id']}").json()["release"]
    backs = [(move["by"], move["why"]) for move in found["moves"] if move["what"] == "rolled_back"]
    assert (found["stage"], backs[-1]) == ("rolled_back", ("Rolf", "prices are wrong"))


def test_the_version_that_answers_speaks_for_its_slice(running: Any, canary: dict[str, Any], enter: Any) -> None:
    http = running.http(running.key(name="Rolf"))
    for version in ("v7", "v8"):
        ask(running, "lively_topic", judged=False)
        http.post("/v1/turns", json={**_clear("lively_topic"), "agent_version": version})
    page = enter("Lena", Role.LEAD)
    page.get_by_role("link", name="Autonomy").click()
    cell = page.get_by_role("link", name="lively topic × api")
    expect(cell).to_contain_text("answers now: v8")
    expect(cell).to_contain_text("2 other versions, not answering")
    cell.click()
    versions = page.get_by_role("navigation", name="Agent version").get_by_role("link")
    expect(versions.first).to_contain_text("v8: answers now")
    versions.last.click()
    expect(page.get_by_role("region", name="How it stands")).to_contain_text("This version answers nobody now")


def test_who_lost_the_race_for_a_release_is_told(running: Any, canary: dict[str, Any], enter: Any) -> None:
    page = enter("Rolf", Role.RELEASER)
    page.evaluate("id => location.hash = '#/releases/' + id", canary["id"])
    page.get_by_role("button", name="Roll back…").click()
    http = running.http(running.key(name="Another"))
    seen = {"If-Match": f'"{canary["version"]}"'}
    assert http.post(f"/v1/releases/{canary['id']}/hold", json={"why": "mine"}, headers=seen).status_code == 200
    page.get_by_role("button", name="Roll back", exact=True).click()
    expect(page.get_by_role("alert").filter(has_text="Not done")).to_be_visible()
    expect(page.get_by_text("Held by Another")).to_be_visible()
    page.tab.forgive(409, 412)


def test_a_run_is_watched_read_and_belongs_to_its_release(running: Any, enter: Any, until: Any) -> None:
    http = running.http(running.key(name="Rolf"))
    run = http.post("/v1/evaluations/runs", json={"suite": "hours", "release": "faq-2", "trials": 4}).json()
    page = enter("Rolf", Role.RELEASER)
    page.evaluate("id => location.hash = '#/releases?run=' + id", run["id"])
    expect(page.get_by_role("region", name="Trials")).to_contain_text("12 of 12")
    failed = page.get_by_role("row").filter(has_text="failed")
    expect(failed).to_have_count(4)
    page.get_by_label("Only failures and errors").check()
    expect(page.get_by_role("row").filter(has_text="passed")).to_have_count(0)
    failed.first.get_by_text("c2").click()
    expect(failed.first).to_contain_text("20:00")


def test_what_a_customer_or_an_agent_names_is_only_text(running: Any, enter: Any) -> None:
    ask(running, HOSTILE)
    running.http(running.key(name=HOSTILE)).post("/v1/autonomy/hold", json={"topic": HOSTILE, "why": HOSTILE})
    page = enter("Lena", Role.LEAD)
    expect(page.get_by_role("region", name="Where automatic replies are stopped")).to_contain_text(HOSTILE)
    page.get_by_role("link", name="Autonomy").click()
    page.get_by_role("link", name=f"{HOSTILE} × api").click()
    expect(page.get_by_role("heading", name=f"{HOSTILE} × api")).to_be_visible()
    expect(page.get_by_role("region", name="What happened")).to_contain_text(HOSTILE)
    assert page.evaluate("window.hacked") is None
    assert page.locator("#console img:not([src='./icon.svg']), #console script, #console iframe").count() == 0


READ_WITHIN_MS = 4_000
SCREENS = ("autonomy", "slice", "releases", "release", "run", "stopping", "stopped")


@pytest.fixture
def scenes(running: Any, canary: dict[str, Any], enter: Any, until: Any) -> Callable[..., Any]:
    """Walk through the screens, stopping at each: yields its name and the page."""
    http = running.http(running.key(*tuple(Scope), name="Lena Brandt"))

    def walk(**options: Any) -> Any:
        for _ in range(2):
            ask(running, "postage")
        run = http.post("/v1/evaluations/runs", json={"suite": "hours", "release": "faq-2", "trials": 2}).json()
        until(lambda: http.get(f"/v1/evaluations/runs/{run['id']}").json()["state"] == "ended")
        page = enter("Ada", Role.ADMIN, **options)

        def go(place: str, heading: str) -> None:
            page.evaluate("place => location.hash = place", place)
            expect(page.get_by_role("heading", name=heading, exact=True).first).to_be_visible()
            page.wait_for_timeout(150)

        go("#/autonomy", "What the levels mean")
        yield "autonomy", page
        go("#/autonomy/postage?channel=api", "Labels over time")
        for summary in page.locator("main summary").all():
            summary.click()
        yield "slice", page
        go("#/releases", "Runs of suites")
        yield "releases", page
        go(f"#/releases/{canary['id']}", "The gate")
        yield "release", page
        go(f"#/releases?run={run['id']}", "Trials")
        page.locator("main summary").first.click()
        yield "run", page
        stop_button(page).click()
        expect(page.get_by_role("dialog")).to_be_visible()
        yield "stopping", page
        page.clock.install()  # what is said of it goes by itself some seconds later
        page.keyboard.press("Enter")
        expect(page.get_by_role("region", name="Where automatic replies are stopped")).to_contain_text("everywhere")
        expect(page.locator(".notice").first).to_be_visible()
        page.clock.run_for(READ_WITHIN_MS)
        page.locator(".notice").first.wait_for(state="hidden")
        yield "stopped", page

    return walk


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_screens_of_leads_are_without_a_violation_of_accessibility(theme: str, scenes: Any, tmp_path: Path) -> None:
    pictures = Path(os.environ.get("UNDERSTUDY_PICTURES", tmp_path))
    faults: dict[str, list[str]] = {}
    for name, page in scenes(color_scheme=theme):
        page.screenshot(path=pictures / f"lead-{name}-{theme}.png")
        faults[name] = violations(page)
    assert faults == {name: [] for name in SCREENS}


@pytest.mark.parametrize("size", [(1024, 768), (640, 400)], ids=["tablet", "zoomed"])
def test_screens_of_leads_fit_a_small_screen(size: tuple[int, int], scenes: Any, tmp_path: Path) -> None:
    pictures = Path(os.environ.get("UNDERSTUDY_PICTURES", tmp_path))
    for name, page in scenes(viewport={"width": size[0], "height": size[1]}):
        page.screenshot(path=pictures / f"lead-{name}-{size[0]}.png", full_page=True)
        assert px_too_wide(page) <= 0, name
