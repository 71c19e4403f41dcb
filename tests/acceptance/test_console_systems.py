"""What systems of record say, in the console: a reviewer sees facts with their source and age, and what is unknown and why.

`UNDERSTUDY_PICTURES=FOLDER` keeps pictures.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from standardwebhooks import Webhook
from werkzeug import Request, Response

from browsing import PAYLOADS, expect, in_the_console, numbers, open_screen, rows, violations
from understudy.records.access import Role

pytestmark = in_the_console

SYSTEMS = """
[systems.desk]
preset = "chatwoot"
values = {{ base_url = "{url}", account_id = "1", inbox_id = "3" }}
credentials = {{ api_token = "t" }}
hand_offs = true
tells = ["note", "assign"]
people = {{ Rosa = "7" }}

[systems.shop.orders]
ask = [{{ url = "{url}/orders?email={{email}}" }}]
answered = "@.body.orders"
items = "$.body.orders[*]"
id = "$.item.number"
needed = ["status"]
link = "{url}/orders/{{id}}"

[systems.shop.orders.fields]
order = "$.item.number"
status = "$.item.status"
total = "$.item.total"
"""


class Systems:
    """A desk and a shop; `broken` are the paths that answer with 500."""

    def __init__(self) -> None:
        self.broken: set[str] = set()
        self.name = "Ada Lovelace"

    def answer(self, request: Request) -> Response:
        path = request.path.rpartition("/")[2]
        if path in self.broken:
            return Response("oops", 500)
        said: dict[str, Any] = {
            "search": {"meta": {"count": 1}, "payload": [{"id": 14, "name": self.name, "email": "ada@example.com"}]},
            "conversations": {"payload": [{"id": 21, "status": "open", "labels": ["delivery", "vip"]}], "id": 22},
            "orders": {"orders": [
                {"number": "1042", "status": "shipped", "total": "49.90 EUR"},
                {"number": "1037", "status": "returned", "total": "12.00 EUR"},
            ]},
        }  # fmt: skip
        return Response(json.dumps(said.get(path, {"id": 1})))


@pytest.fixture(scope="module")
def systems() -> Iterator[Systems]:
    kept = Systems()
    with HTTPServer() as http:
        http.expect_request(re.compile(".*")).respond_with_handler(kept.answer)
        kept.url = http.url_for("").rstrip("/")  # type: ignore[attr-defined]
        yield kept


@pytest.fixture(scope="module")
def desk(serve: Callable[..., Any], systems: Any) -> Any:
    return serve(more=SYSTEMS.format(url=systems.url))


@pytest.fixture
def write(emptied: Any, words: Any) -> Callable[..., int]:
    """A known customer writes by the business's own system."""

    def post(text: str, *, again: int | None = None) -> int:
        number = next(numbers)
        of = number if again is None else again
        data = {
            "conversation_id": f"sys-{of}",
            "from": f"u-{of}",
            "text": text,
            "name": "Ada",
            "email": "ada@example.com",
        }
        body = json.dumps({"type": "message.received", "data": data}).encode()
        now = datetime.now(UTC)
        headers = {
            "webhook-id": f"msg-{number}",
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": Webhook(words.secret).sign(f"msg-{number}", now, body.decode()),
        }
        answered = emptied.http().post("/webhooks/desk", content=body, headers=headers)
        assert answered.status_code < 300, answered.text
        return of

    return post


def picture(page: Any, name: str) -> None:
    if folder := os.environ.get("UNDERSTUDY_PICTURES"):
        page.screenshot(path=str(Path(folder) / f"{name}.png"))


def open_hold(page: Any) -> Any:
    expect(rows(page).first).to_be_visible()
    page.locator(".rows").focus()
    page.keyboard.press("Enter")
    pane = page.get_by_role("region", name="From the systems")
    expect(pane).to_be_visible()
    return pane


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_reviewer_sees_facts_with_their_age_and_what_is_unknown_and_why(
    write: Any, enter: Any, words: Any, systems: Any, theme: str
) -> None:
    systems.broken = {"orders"}
    write(words.held)
    page = enter("Kim", color_scheme=theme)
    pane = open_hold(page)
    expect(pane).to_contain_text("Contact in desk")
    expect(pane).to_contain_text("Ada Lovelace")
    expect(pane).to_contain_text("delivery, vip")
    expect(pane).to_contain_text("read")
    expect(pane).to_contain_text("Orders in shop")
    expect(pane).to_contain_text("The system could not be reached, or failed")
    expect(pane.locator(".badge", has_text="Unknown")).to_have_count(1)
    assert violations(page) == []
    picture(page, f"review-systems-unknown-{theme}")
    systems.broken = set()


def test_orders_stand_there_one_by_one_and_the_ticket_of_a_hand_off(
    write: Any, enter: Any, systems: Any, desk: Any, until: Any
) -> None:
    http = desk.http(desk.key(name="Rosa"))
    write("I want to talk to a person about my order.")
    page = enter("Kim")
    pane = open_hold(page)
    expect(pane).to_contain_text("49.90 EUR")
    expect(pane).to_contain_text("1037")
    expect(pane.get_by_role("link", name="See order 1042 in shop")).to_have_attribute(
        "href", f"{systems.url}/orders/1042"
    )
    (hold,) = http.get("/v1/holds").json()["items"]
    until(lambda: [one for one in http.get(f"/v1/holds/{hold['id']}").json()["tickets"] if one["state"] == "opened"])
    page.reload()
    expect(page.get_by_text("22 in desk")).to_be_visible()
    picture(page, "review-systems-ticket")
    assert violations(page) == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_what_a_ticket_is_told_stands_below_it_while_its_hand_off_is_not_over(
    write: Any, enter: Any, systems: Any, desk: Any, until: Any, theme: str
) -> None:
    """Rosa takes the conversation, and the desk does not take that in; the customer writes again: it is the same ticket."""
    number, http = write("I want to talk to a person about my order."), desk.http(desk.key(name="Rosa"))
    (first,) = until(lambda: http.get("/v1/holds").json()["items"])
    until(lambda: [one for one in http.get(f"/v1/holds/{first['id']}").json()["tickets"] if one["state"] == "opened"])
    systems.broken = {"assignments"}
    try:
        taken = http.post(f"/v1/conversations/{first['conversation_id']}/take_over")
        assert taken.status_code == 200, taken.text
        until(
            lambda: [
                one for one in http.get(f"/v1/holds/{first['id']}").json()["tickets"][0]["steps"] if one["last_error"]
            ]
        )
        write("Are you there? I want to talk to a person!", again=number)
        page = enter("Kim", color_scheme=theme)
        expect(rows(page).first).to_be_visible()
        page.locator(".rows").focus()
        page.keyboard.press("Enter")
        expect(page.get_by_text("22 in desk")).to_be_visible()
        expect(page.get_by_text("Given to who answers")).to_be_visible()
        expect(page.get_by_text("answered 500")).to_be_visible()
        picture(page, f"review-systems-steps-{theme}")
        assert violations(page) == []
    finally:
        systems.broken = set()


@pytest.mark.parametrize("payload", PAYLOADS[:4])
def test_what_a_system_says_is_text(write: Any, enter: Any, words: Any, systems: Any, payload: str) -> None:
    systems.name = payload
    write(words.held)
    page = enter("Kim")
    expect(open_hold(page)).to_contain_text(payload[:30])
    assert page.evaluate("window.hacked") is None
    systems.name = "Ada Lovelace"


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_health_lists_systems(write: Any, enter: Any, words: Any, systems: Any, until: Any, theme: str) -> None:
    systems.broken = {"orders"}
    write(words.held)
    page = enter("Lena", role=Role.LEAD, color_scheme=theme)
    open_screen(page, "Health")
    table = page.get_by_role("table", name="Systems of record")
    expect(table.get_by_role("row", name=re.compile("^shop"))).to_contain_text("unreachable")
    expect(table.get_by_role("row", name=re.compile("^desk"))).to_contain_text("closed")
    expect(page.get_by_role("table", name="Agents")).not_to_contain_text("systems.")
    assert violations(page) == []
    table.scroll_into_view_if_needed()
    picture(page, f"health-systems-{theme}")
    systems.broken = set()
