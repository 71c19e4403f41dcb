"""A masked export of what callers and reviewers may write customers' data into; what each field is stands in the reference."""

from __future__ import annotations

import json
import re
from typing import Any

from sqlalchemy import text

from understudy.records.access import Scope

EMAIL, PHONE = "zoe@mueller.example", "+49 30 1234567"
SECRETS = ("mueller", "1234567", "Zoë")
RECORD = {
    "id": "order of zoe@mueller.example",
    "conversation_id": "zoe@mueller.example",
    "topic": "returns",
    "contact": {"id": "zoe@mueller.example", "name": "Zoë", "emails": [EMAIL], "phones": [PHONE], "tags": [EMAIL]},
    "messages": [
        {"role": "system", "content": f"You talk to {EMAIL}."},
        {"role": "user", "content": f"I am {EMAIL}, {PHONE}.", "name": "Zoë"},
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [
                {"id": "1", "type": "function", "function": {"name": "look", "arguments": json.dumps({"email": EMAIL})}}
            ],
        },
        {"role": "tool", "tool_call_id": "1", "content": json.dumps({"email": EMAIL, "phone": PHONE})},
    ],
    "draft": {
        "text": f"We write to {EMAIL}.",
        "sources": [{"id": EMAIL, "title": EMAIL, "url": "https://x.example/?q=zoe@mueller.example", "text": EMAIL}],
        "tool_calls": [{"id": "1", "name": "look", "arguments": {"email": EMAIL}, "result": {"email": EMAIL}}],
        "actions": [{"name": "refund", "arguments": {"to": EMAIL}}],
        "pipeline": [{"name": "p", "took_ms": 1.5, "input": EMAIL, "output": PHONE}],
    },
}


def test_what_anybody_wrote_anywhere_is_masked(served: Any) -> None:
    turn = served.http(served.key(name="shop")).post("/v1/turns", json=RECORD).json()
    http = served.http(served.key(Scope.HOLDS_READ, Scope.HOLDS_WRITE, name="Rosa"))
    verdict = {"action": "edit", "text": f"Dear {EMAIL}.", "reasons": [f"wrote {PHONE}"], "topic": EMAIL}
    answer = http.post(f"/v1/holds/{turn['hold_id']}/verdict", json=verdict, headers={"If-Match": '"1"'})
    assert answer.status_code == 200, answer.text
    for form in ("jsonl", "csv"):
        whole = served.http(served.key()).get("/v1/ledger/export", params={"form": form}).text
        assert turn["id"] in whole
        found = [whole[max(0, place.start() - 90) : place.end() + 9] for place in re.finditer("|".join(SECRETS), whole)]
        assert found == [], form


def test_a_turn_whose_assessment_was_made_unreadable_is_still_told(served: Any) -> None:
    turn = served.http(served.key(name="shop")).post("/v1/turns", json=RECORD | {"id": "tampered"}).json()
    sql = "UPDATE artifacts SET body = '{}' WHERE turn_id = :turn AND kind IN ('assessment', 'draft')"
    with served.app.store.engine.connect() as connection, connection.begin():
        connection.execute(text(sql), {"turn": turn["id"]})
    http = served.http(served.key())
    story = http.get(f"/v1/turns/{turn['id']}/story")
    assert (story.status_code, story.json()["turn"]["draft"]) == (200, None), story.text
    assert http.get(f"/v1/turns/{turn['id']}/verification").json()["is_intact"] is False
    assert http.get(f"/v1/holds/{turn['hold_id']}").status_code == 200
