"""What a lead does for a customer: lifts a cap with a reason, says who they are, sends a code, erases them; nobody else may.

`UNDERSTUDY_PICTURES=FOLDER` keeps pictures.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from browsing import expect, in_the_console, press, px_too_wide, record, rows, violations
from understudy.records.access import SCOPES_OF, Role, Scope

MORE = """
[safe_replies.code]
version = 1
text = "Your code is {code}. We never ask you to tell it to anybody."
[identity]
code_reply = "code"
"""
NUMBERS = itertools.count(1)


@pytest.fixture(scope="module")
def desk(serve: Callable[..., Any]) -> Any:
    return serve(more=MORE)


def as_role(desk: Any, role: Role, name: str = "Lena") -> Any:
    return desk.http(desk.key(*SCOPES_OF[role], name=name))


def customer(desk: Any, words: Any, name: str = "Ada Secretive") -> tuple[str, str]:
    """Somebody whose draft waits; their contact and their conversation."""
    number = next(NUMBERS)
    contact = {"id": f"acts-{number}", "name": name, "emails": [f"ada{number}@mail.example"]}
    turn = desk.client().submit_turn(record(words, contact=contact))
    found = as_role(desk, Role.LEAD).get(f"/v1/conversations/{turn.conversation_id}").json()
    return found["contact"]["id"], turn.conversation_id


def entries(desk: Any, event: str) -> list[Any]:
    lines = desk.http(desk.key()).get(f"/v1/ledger/entries?event={event}").json()
    return list(lines["items"])


def burn(desk: Any, conversation: str) -> None:
    """A person had to take them over."""
    reviewer = as_role(desk, Role.REVIEWER, "Rosa")
    assert reviewer.post(f"/v1/conversations/{conversation}/take_over").status_code == 200
    assert reviewer.post(f"/v1/conversations/{conversation}/hand_back").status_code == 200


def test_a_cap_is_lifted_with_a_reason_by_a_lead_alone(desk: Any, words: Any) -> None:
    contact, conversation = customer(desk, words)
    burn(desk, conversation)
    place = f"/v1/contacts/{contact}/lift_cap"
    assert as_role(desk, Role.REVIEWER).post(place, json={"why": "settled"}).status_code == 403
    lead = as_role(desk, Role.LEAD)
    assert lead.post(place, json={"why": "because"}).status_code == 422
    assert lead.post(place, json={"why": "settled"}).json()["cap"] is None
    lines = desk.http(desk.key()).get("/v1/ledger?limit=1000").json()["items"]
    (lifted,) = (one for one in lines if one["event"] == "trust.lifted" and one["body"]["contact"] == contact)
    assert (lifted["actor"], lifted["body"]["why"]) == ("Lena", "settled")


@pytest.mark.parametrize("role", [role for role in Role if Scope.CONTACTS_ERASE not in SCOPES_OF[role]])
def test_nobody_but_a_lead_erases(desk: Any, words: Any, role: Role) -> None:
    contact, _ = customer(desk, words)
    answer = as_role(desk, role).post(f"/v1/contacts/{contact}/erase", json={"confirm": contact})
    assert answer.status_code == 403
    assert as_role(desk, Role.LEAD).get(f"/v1/contacts/{contact}").json()["name"] == "Ada Secretive"


def test_nobody_is_erased_by_a_slip(desk: Any, words: Any) -> None:
    contact, _ = customer(desk, words)
    lead = as_role(desk, Role.LEAD)
    for body in ({"confirm": "yes"}, {}, {"confirm": contact, "more": 1}):
        assert lead.post(f"/v1/contacts/{contact}/erase", json=body).status_code == 422
    assert lead.get(f"/v1/contacts/{contact}").json()["name"] == "Ada Secretive"
    assert lead.post("/v1/contacts/contact-nobody/erase", json={"confirm": "contact-nobody"}).status_code == 404


def test_who_is_erased_is_in_no_byte_of_the_store_and_the_ledger_stays_whole(desk: Any, words: Any, until: Any) -> None:
    name = "Zacharias Vanishingly"
    contact, conversation = customer(desk, words, name)
    lead = as_role(desk, Role.LEAD)
    answer = lead.post(f"/v1/contacts/{contact}/erase", json={"confirm": contact})
    assert answer.status_code == 200, answer.text
    assert answer.json() == {"contacts": [contact], "left": [], "is_written_anew": False}
    assert lead.get(f"/v1/contacts/{contact}").json()["name"] is None
    assert [one["text"] for one in lead.get(f"/v1/conversations/{conversation}").json()["messages"]] in ([], [""])

    def told(event: str) -> list[Any]:
        lines = desk.http(desk.key()).get("/v1/ledger?limit=1000").json()["items"]
        return [one for one in lines if one["event"] == event and one["body"]["contact"] == contact]

    assert [one["actor"] for one in told("contact.erased")] == ["Lena"]
    until(lambda: told("contact.rewritten"))
    for file in desk.database.parent.glob("understudy.db*"):
        assert name.encode() not in file.read_bytes(), file.name


class TestInTheConsole:
    pytestmark = in_the_console

    def test_a_lead_lifts_vouches_and_sends_a_code(self, emptied: Any, words: Any, enter: Any, until: Any) -> None:
        contact, conversation = customer(emptied, words)
        burn(emptied, conversation)
        customer_again(emptied, words, contact, conversation)
        page = enter("Lena", Role.LEAD)
        open_first(page)
        acts = page.get_by_role("region", name="For this customer")
        acts.get_by_role("button", name="Let the agent answer again…").click()
        dialog = page.get_by_role("dialog")
        dialog.get_by_label("Why?").select_option("asked")
        assert violations(page) == []
        keep(page, "lead-lift")
        dialog.get_by_role("button", name="Yes, lift it").click()
        expect(acts.get_by_role("button", name="Let the agent answer again…")).to_be_hidden()
        acts.get_by_role("button", name="An address is theirs…").click()
        dialog.get_by_label("E-mail address or phone number").fill("ada.known@mail.example")
        dialog.get_by_role("button", name="Yes, it is theirs").click()
        expect(page.locator("section.identity")).to_contain_text("ada.known@mail.example: a colleague says so")
        acts.get_by_role("button", name="Send a one-time code…").click()
        dialog.get_by_label("E-mail address or phone number").fill("nobody@mail.example")
        dialog.get_by_role("button", name="Send it").click()
        expect(acts.get_by_role("alert")).to_be_visible()
        page.tab.forgive(409)
        assert px_too_wide(page) <= 0

    @pytest.mark.parametrize("theme", ["light", "dark"])
    def test_a_person_is_erased_once_their_name_is_typed(
        self, emptied: Any, words: Any, enter: Any, until: Any, theme: str
    ) -> None:
        contact, _ = customer(emptied, words)
        page = enter("Lena", Role.LEAD, color_scheme=theme)
        open_first(page)
        acts = page.get_by_role("region", name="For this customer")
        acts.get_by_role("button", name="Erase this person…").click()
        dialog = page.get_by_role("dialog")
        dialog.get_by_label("Type Ada Secretive to go on").fill("Ada")
        assert violations(page) == []
        keep(page, f"lead-erase-{theme}")
        dialog.get_by_role("button", name="Erase for good").click()
        expect(acts.get_by_role("alert")).to_contain_text("Nothing was erased")
        reader = as_role(emptied, Role.LEAD)
        assert reader.get(f"/v1/contacts/{contact}").json()["name"] == "Ada Secretive"
        acts.get_by_role("button", name="Erase this person…").click()
        dialog.get_by_label("Type Ada Secretive to go on").fill("Ada Secretive")
        dialog.get_by_role("button", name="Erase for good").click()
        until(lambda: reader.get(f"/v1/contacts/{contact}").json()["name"] is None)
        expect(page.get_by_role("heading", name="Queue")).to_be_visible()

    def test_whoever_goes_on_to_the_next_draft_acts_for_the_next_customer(
        self, emptied: Any, words: Any, enter: Any, until: Any
    ) -> None:
        people = {name: customer(emptied, words, name)[0] for name in ("Ada Secretive", "Ben Carter")}
        page = enter("Lena", Role.LEAD)
        open_first(page)
        first, second = people if page.get_by_text("Ada Secretive").count() else reversed(people)
        identity = page.locator("section.identity")
        expect(identity).to_contain_text(mail_of(emptied, people[first]))
        press(page, "n")
        expect(identity).to_contain_text(mail_of(emptied, people[second]))
        page.get_by_role("region", name="For this customer").get_by_role("button", name="Erase this person…").click()
        dialog = page.get_by_role("dialog")
        dialog.get_by_label(f"Type {second} to go on").fill(second)
        dialog.get_by_role("button", name="Erase for good").click()
        reader = as_role(emptied, Role.LEAD)
        until(lambda: reader.get(f"/v1/contacts/{people[second]}").json()["name"] is None)
        assert reader.get(f"/v1/contacts/{people[first]}").json()["name"] == first

    def test_a_reviewer_may_send_a_code_and_no_more(self, emptied: Any, words: Any, enter: Any) -> None:
        customer(emptied, words)
        page = enter("Rosa", Role.REVIEWER)
        open_first(page)
        acts = page.get_by_role("region", name="For this customer")
        expect(acts.get_by_role("button")).to_have_text(["Send a one-time code…"])


def mail_of(desk: Any, contact: str) -> str:
    """The address that their software vouches for."""
    (known,) = as_role(desk, Role.LEAD).get(f"/v1/contacts/{contact}").json()["group"]
    return str(next(one["value"] for one in known["handles"] if one["kind"] == "email"))


def customer_again(desk: Any, words: Any, contact: str, conversation: str) -> None:
    """They write on, and it waits."""
    known = as_role(desk, Role.LEAD).get(f"/v1/contacts/{contact}").json()
    handle = next(one["value"] for one in known["group"][0]["handles"] if one["kind"] == "external")
    desk.client().submit_turn(record(words, contact={"id": handle, "name": known["name"]}))


def open_first(page: Any) -> None:
    expect(rows(page).first).to_be_visible()
    page.locator(".rows").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("region", name="For this customer")).to_be_visible()


def keep(page: Any, name: str) -> None:
    if folder := os.environ.get("UNDERSTUDY_PICTURES"):
        page.screenshot(path=str(Path(folder) / f"{name}.png"))
