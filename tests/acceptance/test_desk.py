"""The reviewers' desk over HTTP: verdicts taken back, views, keys, canned replies, who is there, what is known of a customer."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import httpx2
import pytest

from understudy.records.access import Scope

numbers = itertools.count(1)
REVIEWS = (Scope.HOLDS_READ, Scope.HOLDS_WRITE)
LEADS = (*REVIEWS, Scope.AUTONOMY_WRITE)


@pytest.fixture(scope="module")
def desk(serve: Callable[..., Any]) -> Any:
    return serve(environment={"UNDERSTUDY__REVIEW__UNDO_S": "60"})


@pytest.fixture
def kim(desk: Any) -> httpx2.Client:
    return desk.http(desk.key(*REVIEWS, name=f"Kim {next(numbers)}"))


@pytest.fixture
def lead(desk: Any) -> httpx2.Client:
    return desk.http(desk.key(*LEADS, name="Lea"))


callers: dict[str, Any] = {}


def held(desk: Any, words: Any, **more: Any) -> str:
    caller = callers.get(desk.url) or callers.setdefault(desk.url, desk.client())
    turn = caller.submit_turn(words.record(f"desk-{next(numbers)}", text="We pay the postage.", **more))
    assert turn.hold_id is not None
    return turn.hold_id


def verdict(client: httpx2.Client, hold: str, **body: Any) -> httpx2.Response:
    version = client.get(f"/v1/holds/{hold}").headers["etag"]
    return client.post(f"/v1/holds/{hold}/verdict", headers={"If-Match": version}, json={"action": "approve", **body})


# Taking back -----------------------------------------------------------------------------------------------------


def test_a_verdict_waits_and_is_taken_back(desk: Any, words: Any, kim: httpx2.Client) -> None:
    hold = held(desk, words)
    answer = verdict(kim, hold, action="edit", text="We do pay it.", undo_s=60).json()
    assert answer["undo_until"] is not None
    assert (answer["turn"]["state"], answer["turn"]["reply"]) == ("held", None)
    assert hold not in [row["id"] for row in kim.get("/v1/queue").json()["rows"]]
    back = kim.delete(f"/v1/holds/{hold}/verdict").json()
    assert (back["verdict"]["text"], back["hold"]["undo_until"]) == ("We do pay it.", None)
    assert hold in [row["id"] for row in kim.get("/v1/queue").json()["rows"]]
    again = kim.delete(f"/v1/holds/{hold}/verdict")
    assert (again.status_code, again.json()["type"]) == (409, "urn:understudy:problem:too-late")


def test_the_settings_bound_how_long_it_waits(serve: Callable[..., Any], words: Any) -> None:
    quick = serve()
    client = quick.http(quick.key(*REVIEWS, name="Kim"))
    answer = verdict(client, held(quick, words), undo_s=60).json()
    assert answer["undo_until"] is None
    assert answer["turn"]["state"] in ("delivering", "answered")


def test_it_takes_effect_by_itself(desk: Any, words: Any, kim: httpx2.Client, until: Any) -> None:
    hold = held(desk, words)
    verdict(kim, hold, undo_s=0.3)
    until(lambda: kim.get(f"/v1/holds/{hold}").json()["hold"]["state"] == "decided")


def test_taking_over_waits_for_nothing(desk: Any, words: Any, kim: httpx2.Client) -> None:
    assert verdict(kim, held(desk, words), action="take_over", undo_s=60).json()["undo_until"] is None


def test_without_being_asked_for_it_nothing_waits(desk: Any, words: Any, kim: httpx2.Client) -> None:
    assert verdict(kim, held(desk, words)).json()["undo_until"] is None


def test_what_was_decided_is_told_to_auditors_alone_until_it_is_carried_out(
    desk: Any, words: Any, kim: httpx2.Client
) -> None:
    hold = held(desk, words)
    auditor = desk.http(desk.key(Scope.LEDGER_READ, Scope.HOLDS_READ, name="Ada"))
    seq = kim.get("/v1/queue").json()["seq"]
    verdict(kim, hold, undo_s=60)
    kim.delete(f"/v1/holds/{hold}/verdict")
    wanted = {"hold.deciding", "hold.reopened", "review.verdict_waiting", "review.verdict_taken_back"}
    heard: dict[str, set[str]] = {}
    for name, client, last in (("kim", kim, "hold.reopened"), ("auditor", auditor, "review.verdict_taken_back")):
        with client.stream("GET", "/v1/events", headers={"Last-Event-ID": str(seq)}) as stream:
            heard[name] = set()
            for line in stream.iter_lines():
                if line.startswith("event:"):
                    heard[name].add(line.split(":")[1].strip())
                if last in heard[name]:
                    break
    assert heard["kim"] & wanted == {"hold.deciding", "hold.reopened"}
    assert heard["auditor"] & wanted == wanted


# Approving together ----------------------------------------------------------------------------------------------


def test_identical_drafts_are_approved_at_once(desk: Any, words: Any, kim: httpx2.Client) -> None:
    text = {"text": "We pay the return postage, always.", "sources": []}
    holds = [held(desk, words, topic="returns", draft=text) for _ in range(3)]
    rows = {row["id"]: row for row in kim.get("/v1/queue").json()["rows"]}
    names = {rows[hold]["alike"] for hold in holds}
    assert len(names) == 1
    assert names != {None}
    kim.post(f"/v1/holds/{holds[0]}/claim")
    body = {"holds": [{"id": hold, "version": rows[hold]["version"] + (hold == holds[2]) * 7} for hold in holds]}
    answer = kim.post("/v1/holds/approve_alike", json=body).json()
    assert answer["approved"] == holds[:2]
    assert [(one["hold_id"], one["code"]) for one in answer["refused"]] == [(holds[2], "stale-version")]


def test_drafts_that_are_not_alike_are_not(desk: Any, words: Any, kim: httpx2.Client) -> None:
    holds = [held(desk, words), held(desk, words, draft={"text": "Something else.", "sources": []})]
    answer = kim.post("/v1/holds/approve_alike", json={"holds": [{"id": hold, "version": 1} for hold in holds]})
    assert (answer.status_code, answer.json()["type"]) == (422, "urn:understudy:problem:input")


# Views, keys, canned replies -------------------------------------------------------------------------------------

SHOWS = {"order": "risk", "kind": "draft", "topic": "returns", "channel": "", "text": "", "free": True}


def test_a_view_is_kept_for_its_owner_changed_and_removed(desk: Any, kim: httpx2.Client, lead: httpx2.Client) -> None:
    made = kim.post("/v1/desk/views", json={"name": " Mine ", "shows": SHOWS}).json()
    assert (made["name"], made["shows"], made["is_mine"], made["is_shared"]) == ("Mine", SHOWS, True, False)
    assert kim.get("/v1/desk").json()["views"] == [made]
    assert made["id"] not in [view["id"] for view in lead.get("/v1/desk").json()["views"]]
    place = f"/v1/desk/views/{made['id']}"
    assert kim.put(place, json={"name": "Other", "shows": {}}).json()["name"] == "Other"
    assert lead.put(place, json={"name": "Theirs", "shows": {}}).status_code == 404
    assert lead.delete(place).status_code == 404
    assert kim.delete(place).status_code == 204
    assert kim.get("/v1/desk").json()["views"] == []


def test_a_lead_shares_a_view_with_everybody_and_nobody_else_does(kim: httpx2.Client, lead: httpx2.Client) -> None:
    refused = kim.post("/v1/desk/views", json={"name": "For all", "shows": SHOWS, "is_shared": True})
    assert (refused.status_code, "autonomy:write" in refused.json()["detail"]) == (403, True)
    shared = lead.post("/v1/desk/views", json={"name": "For all", "shows": SHOWS, "is_shared": True}).json()
    (seen,) = [view for view in kim.get("/v1/desk").json()["views"] if view["id"] == shared["id"]]
    assert (seen["by"], seen["is_mine"]) == ("Lea", False)
    assert lead.delete(f"/v1/desk/views/{shared['id']}").status_code == 204


@pytest.mark.parametrize(
    "body",
    [
        {"name": "", "shows": SHOWS},
        {"name": " ", "shows": SHOWS},
        {"name": "x", "shows": {**SHOWS, "order": "random"}},
        {"name": "x", "shows": {**SHOWS, "more": 1}},
        {"name": "x" * 61, "shows": SHOWS},
    ],
)
def test_a_view_that_is_none_is_refused(kim: httpx2.Client, body: dict[str, Any]) -> None:
    assert kim.post("/v1/desk/views", json=body).status_code == 422


def test_nobody_keeps_views_without_end(kim: httpx2.Client) -> None:
    statuses = [kim.post("/v1/desk/views", json={"name": f"v{n}", "shows": {}}).status_code for n in range(51)]
    assert statuses == [201] * 50 + [409]


def test_keys_follow_the_person(desk: Any, kim: httpx2.Client, lead: httpx2.Client) -> None:
    keys = {"approve": ["y", "Ctrl+Enter"], "reject": ["x"]}
    for body in ({"keys": keys}, {"keys": {**keys, "next": ["m"]}}):
        assert kim.put("/v1/desk/preferences", json=body).json() == body
        assert kim.get("/v1/desk").json()["preferences"] == body
    assert lead.get("/v1/desk").json()["preferences"] == {"keys": {}}


@pytest.mark.parametrize(
    "keys", [{"approve": ["x" * 21]}, {"approve": list("abcde")}, {"a" * 41: ["x"]}, {"approve": "x"}]
)
def test_preferences_are_bounded(kim: httpx2.Client, keys: dict[str, Any]) -> None:
    assert kim.put("/v1/desk/preferences", json={"keys": keys}).status_code == 422


def test_leads_keep_canned_replies_that_all_use(desk: Any, kim: httpx2.Client, lead: httpx2.Client) -> None:
    name = f"Thanks {next(numbers)}"
    made = lead.post("/v1/desk/canned", json={"name": name, "text": "Dear {customer}, thank you."}).json()
    assert made["changed_by"] == "Lea"
    assert made in kim.get("/v1/desk").json()["canned"]
    twice = lead.post("/v1/desk/canned", json={"name": name.upper(), "text": "Again."})
    assert (twice.status_code, name.upper() in twice.json()["detail"]) == (409, True)
    place = f"/v1/desk/canned/{made['id']}"
    assert lead.put(place, json={"name": name, "text": "Hello."}).json()["text"] == "Hello."
    assert lead.put("/v1/desk/canned/none", json={"name": "x", "text": "y"}).status_code == 404
    assert lead.delete(place).status_code == 204
    assert lead.delete(place).status_code == 404
    auditor = desk.http(desk.key(Scope.LEDGER_READ, name="Ada"))
    lines = auditor.get("/v1/ledger", params={"limit": 1000}).json()["items"]
    told = [line["event"] for line in lines if line["body"].get("reply") == made["id"]]
    assert told == ["desk.canned_kept", "desk.canned_kept", "desk.canned_removed"]


# Who is there, and what is known ---------------------------------------------------------------------------------


def test_one_sees_who_else_is_there_and_on_what(desk: Any) -> None:
    mia, tom = (desk.http(desk.key(*REVIEWS, name=name)) for name in ("Mia", "Tom"))
    mia.post("/v1/desk/here", json={"hold": "hold-1"})
    people = tom.post("/v1/desk/here", json={}).json()["people"]
    assert {"name": "Mia", "hold": "hold-1"} in people
    assert "Tom" not in [one["name"] for one in people]
    assert {"name": "Tom", "hold": None} in mia.post("/v1/desk/here", json={"hold": None}).json()["people"]


def test_a_caller_s_customer_has_their_name_and_their_other_conversations(
    desk: Any, words: Any, kim: httpx2.Client
) -> None:
    me = f"c-{next(numbers)}"
    contact = {"id": me, "name": "Ann Lee", "emails": ["ann@shop.example"], "tags": ["vip_no_more"]}
    first = held(desk, words, contact=contact, conversation_id=f"{me}-one")
    verdict(kim, first)
    second = held(desk, words, contact=contact, conversation_id=f"{me}-two")
    held(desk, words, contact={"id": f"{me}-other", "name": "Ann Lee"}, conversation_id=f"{me}-three")
    detail = kim.get(f"/v1/holds/{second}").json()
    assert detail["conversation"]["contact"]["name"] == "Ann Lee"
    (row,) = [row for row in kim.get("/v1/queue").json()["rows"] if row["id"] == second]
    assert row["customer"] == "Ann Lee"
    found = kim.get(f"/v1/conversations/{detail['conversation']['id']}/history").json()
    assert [one["channel"] for one in found["others"]] == ["api"]
    assert [one["kind"] for one in found["verdicts"]] == ["approve"]
    assert (found["counts"]["turns"], found["counts"]["reviewed"]) == (1, 1)
    assert found["facts"]["tags"] == ["vip_no_more"]
    assert found["last_turn"]["id"] == detail["turn"]["id"]


def test_a_customer_s_history_asks_for_a_conversation_that_there_is(kim: httpx2.Client) -> None:
    assert kim.get("/v1/conversations/none/history").status_code == 404
