"""Who a customer is, in the console: by what they are known, who may be the same person, linked and unlinked with a question before.

`UNDERSTUDY_PICTURES=FOLDER` keeps a picture in each theme.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from browsing import expect, in_the_console, record, rows, violations
from understudy.records.access import Role, Scope

pytestmark = in_the_console


def open_first(page: Any) -> None:
    expect(rows(page).first).to_be_visible()
    page.locator(".rows").focus()
    page.keyboard.press("Enter")
    expect(page.locator("footer.verdicts button").first).to_be_enabled()


def test_a_lead_takes_a_link_away_and_makes_it_again(emptied: Any, enter: Any, words: Any) -> None:
    client = emptied.client()
    known = client.submit_turn(
        record(words, contact={"name": "Kim Lee", "id": "shop-1", "emails": ["kim@mail.example"]})
    )
    here = client.submit_turn(record(words, contact={"name": "Kim", "id": "shop-2", "emails": ["k.lee@mail.example"]}))
    http = emptied.http(emptied.key(Scope.HOLDS_READ, Scope.AUTONOMY_WRITE, name="Lena"))
    ids = [http.get(f"/v1/conversations/{turn.conversation_id}").json()["contact"]["id"] for turn in (known, here)]
    assert http.post(f"/v1/contacts/{ids[0]}/link", json={"contact_id": ids[1]}).status_code == 200
    page = enter("Lena", Role.LEAD)
    open_first(page)
    pane = page.locator("section.identity")
    expect(pane).to_contain_text("kim@mail.example: from your own software")
    expect(pane).to_contain_text("Replies and the agent’s history do not follow.")
    assert violations(page) == []
    _keep(page, "identity")
    pane.get_by_role("button", name="Unlink…").click()
    dialog = page.get_by_role("dialog", name="Take this link away?")
    expect(dialog).to_contain_text("Each contact is as it was before")
    _keep(page, "identity-unlink")
    dialog.get_by_role("button", name="Yes, unlink them").click()
    expect(pane.get_by_text("The same person")).to_be_hidden()
    assert [one["id"] for one in http.get(f"/v1/contacts/{ids[0]}").json()["group"]] == [ids[0]]


def test_a_reviewer_sees_who_somebody_is_and_changes_nothing(emptied: Any, enter: Any, words: Any) -> None:
    client = emptied.client()
    client.submit_turn(record(words, contact={"name": "Kim Lee", "id": "shop-1"}))
    page = enter("Rosa", Role.REVIEWER)
    open_first(page)
    pane = page.locator("section.identity")
    expect(pane).to_contain_text("shop-1: from your own software")
    expect(pane.get_by_role("button")).to_have_count(0)


def test_who_proves_themselves_while_one_looks_is_shown_by_what_proved_them(
    emptied: Any, enter: Any, words: Any
) -> None:
    client = emptied.client()
    first = record(words, conversation_id="proving")
    turn = client.submit_turn(first)
    http = emptied.http(emptied.key(Scope.HOLDS_READ, Scope.HOLDS_WRITE, name="Rosa"))
    assert http.post(f"/v1/conversations/{turn.conversation_id}/take_over").status_code == 200
    page = enter("Rosa", Role.REVIEWER)
    page.goto(f"{emptied.url}/console/#/conversation/{turn.conversation_id}")
    pane = page.locator("section.identity")
    expect(pane).to_contain_text("The channel vouches for who writes here.")
    client.submit_turn(record(words, conversation_id="proving", contact={"emails": ["kim@proving.example"]}))
    expect(pane).to_contain_text("kim@proving.example: from your own software")
    expect(pane).not_to_contain_text("The channel vouches")


def _keep(page: Any, name: str) -> None:
    folder = os.environ.get("UNDERSTUDY_PICTURES")
    if folder is None:
        return
    for theme in ("light", "dark"):
        page.emulate_media(color_scheme=theme)
        page.screenshot(path=str(Path(folder) / f"{name}-{theme}.png"), full_page=True)
