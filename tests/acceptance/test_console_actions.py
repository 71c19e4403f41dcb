"""Actions that a draft proposes, in a real browser: seen before the verdict, left out or changed, and what became of them.

`UNDERSTUDY_PICTURES=FOLDER` keeps pictures of them in both themes.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from browsing import expect, in_the_console, numbers, press, px_too_wide, rows, violations
from understudy.records.access import Role

pytestmark = in_the_console

DECLARED = """
[actions.refund]
amount = "$.amount"
unit = "GBP"
reversibility = "compensable"
limits = {{ amount_max = 100, contact_day_amount_max = 150 }}

[actions.refund.arguments]
required = ["order", "amount"]
[actions.refund.arguments.properties]
order = {{ type = "string", pattern = "^FW-[0-9]{{5}}$" }}
amount = {{ type = "number", exclusiveMinimum = 0 }}
reason = {{ type = "string" }}

[actions.refund.call]
url = "{books}/refunds"
key_header = "Idempotency-Key"
honours_keys = true
template = {{ order = "{{order}}", amount = "{{amount}}" }}

[actions.refund.read_back]
url = "{books}/refunds/{{key}}"
is_done = "@.status == 200 && @.body.amount == @.arguments.amount"
not_done = "@.status == 404"

[actions.close_account]
approver = "lead"
[actions.close_account.arguments]
properties = {{ contact = {{ type = "string" }}, why = {{ type = "string" }} }}
[actions.close_account.call]
url = "{books}/closed/{{contact}}"
"""
CLOSE = {"name": "close_account", "arguments": {"why": "asked for"}}


class Books:
    """What was refunded, by key."""

    def __init__(self, server: HTTPServer) -> None:
        self.url = server.url_for("").rstrip("/")
        self.refunds: dict[str, Any] = {}
        server.expect_request(re.compile("/.*")).respond_with_handler(self._answer)

    def _answer(self, request: Request) -> Response:
        if request.method == "POST":
            self.refunds[request.headers.get("Idempotency-Key", request.path)] = request.get_json(silent=True)
            return Response("{}", status=201)
        found = self.refunds.get(request.path.rpartition("/")[2])
        return Response("null", status=404) if found is None else Response(f'{{"amount": {found["amount"]}}}')


@pytest.fixture
def books(httpserver: HTTPServer) -> Books:
    return Books(httpserver)


@pytest.fixture
def desk(serve: Callable[..., Any], books: Books) -> Any:
    return serve(more=DECLARED.replace('contact = {{ type = "string" }}, ', "").format(books=books.url))


def propose(desk: Any, *actions: dict[str, Any], text: str = "I have refunded 40 GBP for order FW-20391.") -> Any:
    number = next(numbers)
    return desk.client().submit_turn(
        {
            "id": f"act-{number}",
            "conversation_id": f"act-{number}",
            "topic": "returns",
            "contact": {"id": "k-104", "name": "Maren Holt", "emails": ["maren@mail.example"]},
            "messages": [{"role": "user", "content": "I sent my boots back (order FW-20391). Where are my 40 GBP?"}],
            "draft": {"text": text, "actions": list(actions)},
        }
    )


def refund(amount: float = 40, **more: Any) -> dict[str, Any]:
    return {"name": "refund", "arguments": {"order": "FW-20391", "amount": amount, **more}}


def state_of(desk: Any, turn: Any) -> list[str]:
    entries = desk.app.store.read_now(lambda tx: tx.actions.of_turn(turn.id))
    return [entry.state.value for entry in entries]


def picture(page: Any, name: str) -> None:
    folder = os.environ.get("UNDERSTUDY_PICTURES")
    if folder:
        page.screenshot(path=str(Path(folder) / f"{name}.png"))


def open_first(page: Any) -> None:
    expect(rows(page).first).to_be_visible()
    page.keyboard.press("Enter")
    expect(page.get_by_role("article", name="refund").first).to_be_visible()


def edit(page: Any) -> None:
    """Begin to edit, once verdicts are taken."""
    expect(page.get_by_role("button", name="Take over")).to_be_enabled()
    page.get_by_role("button", name="Edit").click()


def test_a_reviewer_sees_what_would_be_done_and_approves_it(desk: Any, enter: Any, books: Books, until: Any) -> None:
    turn = propose(desk, refund(reason="sent back"))
    page = enter("Kim")
    open_first(page)
    card = page.get_by_role("article", name="refund")
    for words in ("40 GBP", "FW-20391", "Maren Holt", "can be made up for", "at most 100 GBP at a time"):
        expect(card.get_by_text(words).first).to_be_visible()
    press(page, "a")
    until(lambda: state_of(desk, turn) == ["done"])
    assert [body["amount"] for body in books.refunds.values()] == [40]


def test_a_draft_whose_action_is_left_out_is_edited_and_not_approved(
    desk: Any, enter: Any, books: Books, until: Any
) -> None:
    turn = propose(desk, refund())
    page = enter("Kim")
    open_first(page)
    page.get_by_role("button", name="Leave it").click()
    expect(page.get_by_role("button", name="Approve")).to_be_disabled()
    edit(page)
    page.get_by_role("textbox", name="The draft, to be changed").fill("This one was refunded last week.")
    page.keyboard.press("Control+Enter")
    until(lambda: state_of(desk, turn) == ["dropped"])
    assert books.refunds == {}


def test_arguments_are_corrected_by_the_reviewer(desk: Any, enter: Any, books: Books, until: Any) -> None:
    turn = propose(desk, refund())
    page = enter("Kim")
    open_first(page)
    page.get_by_role("button", name="Change what it is given").click()
    field = page.get_by_role("textbox", name="Arguments, as a JSON object")
    field.fill("{")
    expect(page.get_by_text("This is no JSON object.")).to_be_visible()
    field.fill('{"order": "FW-20391", "amount": 35}')
    edit(page)
    page.get_by_role("textbox", name="The draft, to be changed").fill("You get 35 GBP back.")
    page.keyboard.press("Control+Enter")
    until(lambda: state_of(desk, turn) == ["done"])
    assert [body["amount"] for body in books.refunds.values()] == [35]


def test_what_is_a_leads_to_let_through_is_told_and_only_a_lead_can(desk: Any, enter: Any, until: Any) -> None:
    turn = propose(desk, refund(250))
    page = enter("Kim")
    open_first(page)
    expect(page.get_by_text("Beyond its limits only a lead lets this through.")).to_be_visible()
    expect(page.get_by_role("button", name="Approve")).to_be_disabled()
    page.get_by_role("button", name="Queue").first.click()
    lead = enter("Lena", Role.LEAD)
    open_first(lead)
    expect(lead.get_by_role("button", name="Approve")).to_be_enabled()
    assert state_of(desk, turn) == ["proposed"]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_actions_can_be_used_by_everybody_in_both_themes(desk: Any, enter: Any, until: Any, theme: str) -> None:
    propose(desk, refund(250, reason="two pairs"), CLOSE, {"name": "send_voucher", "arguments": {"worth": 10}})
    page = enter("Kim", color_scheme=theme)
    open_first(page)
    picture(page, f"actions-{theme}")
    page.get_by_role("button", name="Leave it").first.click()
    page.get_by_role("button", name="Change what it is given").first.click()
    page.get_by_role("article", name="send_voucher").scroll_into_view_if_needed()
    picture(page, f"actions-below-{theme}")
    assert violations(page) == []
    page.set_viewport_size({"width": 1024, "height": 768})
    assert px_too_wide(page) <= 0
    picture(page, f"actions-tablet-{theme}")
