"""`/v1/queue`: the whole list in one answer, and how it is kept up to date by the event stream."""

from __future__ import annotations

from typing import Any

import pytest

from understudy.records.access import Scope


@pytest.fixture(scope="module")
def reader(served: Any) -> Any:
    return served.http(served.key(Scope.HOLDS_READ, Scope.HOLDS_WRITE, name="Ines"))


def test_row_says_what_a_list_shows(served: Any, reader: Any, words: Any, until: Any) -> None:
    visitor = served.http()
    visitor.headers["Authorization"] = f"Bearer {visitor.post('/chat/sessions', json={}).json()['token']}"
    visitor.post("/chat/messages", json={"id": "1", "text": words.held, "name": "Ann <b>Lee</b>"})
    read = until(lambda: (found := reader.get("/v1/queue").json())["rows"] and found)
    (row,) = read["rows"]
    assert (row["customer"], row["asked"], row["state"]) == ("Ann <b>Lee</b>", words.held, "open")
    assert row["confidence"] == pytest.approx(reader.get(f"/v1/holds/{row['id']}").json()["turn"]["confidence"])
    assert read["open_holds"] == 1


def test_changes_after_the_answer_are_all_in_the_stream(served: Any, reader: Any, words: Any) -> None:
    read = reader.get("/v1/queue").json()
    turn = served.client().submit_turn(words.record("streamed"))
    tom = served.client(served.key(name="Tom"))
    tom.claim(turn.hold_id)
    tom.approve(turn.hold_id, version=tom.hold(turn.hold_id).hold.version)
    events = served.client().events(after=read["seq"])
    of_hold = (event.event for event in events if event.body.get("hold") == turn.hold_id and event.event[:4] == "hold")
    assert [next(of_hold) for _ in range(3)] == ["hold.opened", "hold.claimed", "hold.decided"]


def test_named_holds_tell_their_claims_and_their_end(served: Any, reader: Any, words: Any) -> None:
    turn = served.client().submit_turn(words.record("named"))
    tom = served.client(served.key(name="Tom"))
    tom.claim(turn.hold_id)

    def named() -> Any:
        return reader.get("/v1/queue", params={"hold": [turn.hold_id, "none"]}).json()["rows"]

    (row,) = named()
    assert (row["claimed_by"], row["state"]) == ("Tom", "open")
    tom.approve(turn.hold_id, version=row["version"])
    assert [row["state"] for row in named()] == ["decided"]


def test_more_names_than_one_answer_takes_are_refused(reader: Any) -> None:
    assert reader.get("/v1/queue", params={"hold": ["x"] * 201}).status_code == 422
