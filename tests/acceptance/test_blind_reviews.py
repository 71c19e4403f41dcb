"""While a second review of a draft is open, whoever may give it finds out nowhere what the first reviewer said."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import pytest

from understudy.records.access import Scope

REVIEWER = (Scope.HOLDS_READ, Scope.HOLDS_WRITE, Scope.TURNS_READ)
SAID = "A person wrote this in its place."
NUMBERS = itertools.count(1)


@pytest.fixture(scope="module")
def served(serve: Callable[..., Any]) -> Any:
    """A server on which every verdict is given twice, and on which Tom and Rosa have both reviewed."""
    running = serve(environment={"UNDERSTUDY__REVIEW__SECOND_RATE": "1"})
    turn = ask(running)
    client = running.client(running.key(*REVIEWER, name="Tom"))
    client.approve(turn["hold_id"], version=1)
    return running


def ask(served: Any, **more: Any) -> Any:
    """Hand a draft over that waits for a person; returns the turn as its caller sees it."""
    record = {
        "id": f"turn-{next(NUMBERS)}",
        "topic": "returns",
        "messages": [{"role": "user", "content": "Do you pay the return postage for kettles?"}],
        "draft": {"text": "We pay the return postage.", "sources": [{"id": "k", "text": "We pay the return postage."}]},
        **more,
    }
    return served.http(served.key(name="shop")).post("/v1/turns", json=record).json()


def judge(served: Any, hold_id: str, body: dict[str, Any], *, by: str) -> Any:
    http = served.http(served.key(*REVIEWER, name=by))
    version = http.get(f"/v1/holds/{hold_id}").json()["hold"]["version"]
    return http.post(f"/v1/holds/{hold_id}/verdict", json=body, headers={"If-Match": f'"{version}"'})


VERDICTS: list[dict[str, Any]] = [
    {"action": "approve"},
    {"action": "edit", "text": SAID},
    {"action": "reject"},
    {"action": "take_over"},
]


def seen_by(served: Any, name: str, turn: Any) -> dict[str, Any]:
    """All that a reviewer can look up of a turn, without what differs from turn to turn."""
    http = served.http(served.key(*REVIEWER, name=name))
    listed = {one["id"]: one for one in http.get("/v1/turns", params={"limit": 200}).json()["items"]}
    return {
        "turn": http.get(f"/v1/turns/{turn['id']}").json(),
        "listed": listed[turn["id"]],
        "first hold": http.get(f"/v1/holds/{turn['hold_id']}").json(),
        "conversation": http.get(f"/v1/conversations/{turn['conversation_id']}").json(),
        "story": http.get(f"/v1/turns/{turn['id']}/story").json(),
    }


@pytest.mark.parametrize("verdict", VERDICTS, ids=lambda one: one["action"])
def test_nothing_that_can_be_looked_up_tells_what_the_first_reviewer_said(served: Any, verdict: dict[str, Any]) -> None:
    turn = ask(served)
    assert judge(served, turn["hold_id"], verdict, by="Rosa").status_code == 200
    seen = seen_by(served, "Tom", turn)
    for where in ("turn", "listed"):
        shown = seen[where]
        assert (shown["state"], shown["reply"], shown["finished_at"]) == ("held", None, None), where
    assert (seen["first hold"]["turn"]["state"], seen["first hold"]["turn"]["reply"]) == ("held", None)
    for conversation in (seen["conversation"], seen["first hold"]["conversation"]):
        assert [message["author"] for message in conversation["messages"]] == ["customer"]
        assert (conversation["mode"], conversation["taken_by"]) == ("agent", None)
    story = seen["story"]
    assert (story["turn"]["state"], story["turn"]["reply"]) == ("held", None)
    assert [story[part] for part in ("holds", "verdicts", "sent", "entries", "seconds")] == [[], [], [], [], []]
    assert SAID not in str(seen)


def test_who_said_it_and_who_asked_the_question_are_told(served: Any, until: Callable[..., Any]) -> None:
    turn = ask(served)
    judge(served, turn["hold_id"], {"action": "edit", "text": SAID}, by="Rosa")
    rosa, shop = served.http(served.key(*REVIEWER, name="Rosa")), served.http(served.key(Scope.TURNS_READ, name="shop"))
    for http in (rosa, shop):
        assert until(lambda http=http: http.get(f"/v1/turns/{turn['id']}").json()["reply"])["text"] == SAID


def test_after_the_second_verdict_everything_is_told(served: Any, until: Callable[..., Any]) -> None:
    turn = ask(served)
    judge(served, turn["hold_id"], {"action": "edit", "text": SAID}, by="Rosa")
    tom = served.http(served.key(*REVIEWER, name="Tom"))
    second = tom.get(f"/v1/turns/{turn['id']}").json()["hold_id"]
    assert judge(served, second, {"action": "approve"}, by="Tom").status_code == 200
    assert until(lambda: tom.get(f"/v1/turns/{turn['id']}").json()["reply"])["text"] == SAID


@pytest.mark.parametrize("verdict", VERDICTS, ids=lambda one: one["action"])
def test_the_stream_tells_the_second_reviewer_nothing_of_the_first_verdict(
    served: Any, verdict: dict[str, Any]
) -> None:
    head = served.http(served.key()).get("/v1/ledger", params={"limit": 1000}).json()["items"][-1]["seq"]
    turn = ask(served)
    judge(served, turn["hold_id"], verdict, by="Rosa")
    other = ask(served)
    told: dict[str, list[str]] = {"Rosa": [], "Tom": []}
    for name, events in told.items():
        for event in served.client(served.key(*REVIEWER, name=name)).events(after=head):
            if event.turn_id == turn["id"] or event.conversation_id == turn["conversation_id"]:
                events.append(event.event)
            if event.turn_id == other["id"] and event.event == "hold.opened":
                break
    assert "verdict.given" in told["Rosa"]
    assert {*told["Rosa"]} & {"outbox.queued", "conversation.mode", "hold.opened"}
    assert set(told["Tom"]) == {"turn.decided", "hold.opened", "hold.decided"}


def test_who_takes_up_what_the_first_verdict_led_to_gives_no_second_one(served: Any) -> None:
    turn = ask(served)
    judge(served, turn["hold_id"], {"action": "reject"}, by="Rosa")
    tom = served.http(served.key(*REVIEWER, name="Tom"))
    second = tom.get(f"/v1/turns/{turn['id']}").json()["hold_id"]
    mine = [one for one in tom.get("/v1/holds").json()["items"] if one["turn_id"] == turn["id"]]
    assert {one["kind"] for one in mine} == {"second", "hand_off"}
    assert "draft_rejected" not in str(mine)
    (hand_off,) = (one["id"] for one in mine if one["kind"] == "hand_off")
    assert tom.post(f"/v1/holds/{hand_off}/claim").status_code == 200
    assert tom.get(f"/v1/holds/{second}").status_code == 404
    assert tom.get(f"/v1/turns/{turn['id']}").json()["state"] == "handed_off"


def test_a_reason_that_goes_back_to_the_draft_does_not_name_it_to_the_second_reviewer(served: Any) -> None:
    contact = {"id": f"burnt-{next(NUMBERS)}", "name": "Ada"}
    first = ask(served, contact=contact)
    assert judge(served, first["hold_id"], {"action": "take_over"}, by="Rosa").status_code == 200
    served.http(served.key(*REVIEWER, name="Rosa")).post(f"/v1/conversations/{first['conversation_id']}/hand_back")
    later = ask(served, contact=contact)
    told = {}
    for name in ("Rosa", "Tom"):
        http = served.http(served.key(*REVIEWER, name=name))
        places = (f"/v1/turns/{later['id']}", f"/v1/holds/{later['hold_id']}", f"/v1/turns/{later['id']}/story")
        told[name] = " ".join(http.get(place).text for place in places)
    assert "trust_taken_over" in told["Rosa"]
    assert first["id"] in told["Rosa"]
    assert first["id"] not in told["Tom"]
