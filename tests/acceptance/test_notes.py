"""Drafts reviewed in a help desk, through a whole server: web hooks in, notes out, a verdict by a command, the reply to the customer."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from help_desks import NOTE_SECRET, SECRET, Chatwoot, serving
from understudy.adapters.system_clock import SystemClock

CONFIG = """
[channels.chat]
kind = "chatwoot"
base_url = "URL"
account_id = "1"
access_token = "of-the-bot"
notes_token = "of-an-admin"
secrets = ["SECRET"]
note_secrets = ["NOTES"]
review = "notes"
colleagues = { "rosa@shop.example" = "Rosa" }
"""


@pytest.fixture(scope="module")
def desk() -> Iterator[Any]:
    one = Chatwoot()
    with serving(one):
        yield one


@pytest.fixture(scope="module")
def product(serve: Callable[..., Any], desk: Any) -> Any:
    more = CONFIG.replace("URL", desk.url).replace("SECRET", SECRET).replace("NOTES", NOTE_SECRET)
    return serve(more=more)


def post(product: Any, desk: Any, payload: dict[str, Any], where: str = "") -> Any:
    request = desk.request(where, payload, SystemClock())
    return product.http().post(f"/webhooks/chat{where}", content=request.body, headers=request.headers)


def asked(number: int, text: str) -> dict[str, Any]:
    return {
        "event": "message_created",
        "id": number,
        "content": text,
        "message_type": "incoming",
        "private": False,
        "created_at": "2026-01-01T12:00:00Z",
        "sender": {"id": 14, "name": "Ada", "type": "contact"},
        "conversation": {"id": 10, "status": "pending"},
    }


def test_draft_is_shown_and_approved_in_a_private_note_and_the_reply_goes_out(
    product: Any, desk: Any, until: Callable[..., Any]
) -> None:
    from understudy.records.access import Role
    from understudy.web.users import add_user, make_user

    user = make_user("Rosa", Role.REVIEWER, "a long enough password", now=SystemClock().now())
    product.app.store.write_now(lambda tx: add_user(tx, user, actor="test"))
    assert post(product, desk, asked(1, "Do you pay the return postage?")).json() == {"received": 1, "duplicates": 0}
    until(lambda: desk.said)
    (note,) = desk.said
    assert note["private"] is True
    assert "return postage" in note["content"]
    reviewer = product.client(product.key(name="Ines"))
    assert list(reviewer.holds()) == []
    desk.events.clear()
    payload = desk.remark("/approve")
    assert post(product, desk, payload).json() == {"received": 1, "duplicates": 0}
    until(lambda: desk.to_customers)
    assert len(desk.to_customers) == 1
    assert post(product, desk, payload, "/notes").json() == {"received": 1, "duplicates": 1}
    assert "Rosa approved the draft" in until(lambda: len(desk.said) > 2 and desk.said[-1]["content"])
    metrics = product.http(product.key(name="Mo")).get("/metrics")
    assert 'understudy_remarks_total{channel="chat",outcome="approve"} 1.0' in metrics.text


def test_address_for_notes_takes_nothing_unsigned(product: Any, desk: Any) -> None:
    body = json.dumps(desk.remark("/approve")).encode()
    answer = product.http().post("/webhooks/chat/notes", content=body)
    assert answer.status_code == 401
    assert product.http().post("/webhooks/webchat/notes", content=body).status_code == 404
    assert product.http().post("/webhooks/nobody/notes", content=body).status_code == 404
