"""`/v1/quality` and `/v1/insights` over a served history: figures, cells and the turns behind them, and what they keep back."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from understudy.records.access import Scope

REVIEWER = (Scope.HOLDS_READ, Scope.HOLDS_WRITE, Scope.TURNS_READ)
LEAD = (*REVIEWER, Scope.AUTONOMY_READ, Scope.AUTONOMY_WRITE)
NUMBERS = itertools.count(1)
UNSUPPORTED = "finding:grounding.unsupported_money"


@pytest.fixture(scope="module")
def served(serve: Callable[..., Any]) -> Any:
    """A server on which every verdict is given twice, and on which Tom has reviewed."""
    running = serve(environment={"UNDERSTUDY__REVIEW__SECOND_RATE": "1"})
    judge(running, ask(running, "warming-up"), {"action": "approve"}, by="Tom")
    return running


def ask(served: Any, topic: str, text: str = "We pay the return postage.") -> Any:
    """Hand a draft over that waits for a person; returns the turn as its caller sees it."""
    record = {
        "id": f"quality-{next(NUMBERS)}",
        "topic": topic,
        "messages": [{"role": "user", "content": "Do you pay the return postage for kettles?"}],
        "draft": {"text": text, "sources": [{"id": "k", "text": "We pay the return postage."}]},
    }
    return served.http(served.key(name="shop")).post("/v1/turns", json=record).json()


def judge(served: Any, turn: Any, body: dict[str, Any], *, by: str, hold: str | None = None) -> None:
    http = served.http(served.key(*REVIEWER, name=by))
    place = f"/v1/holds/{hold or turn['hold_id']}"
    version = http.get(place).json()["hold"]["version"]
    answer = http.post(f"{place}/verdict", json=body, headers={"If-Match": f'"{version}"'})
    assert answer.status_code == 200, answer.text


def lead(served: Any, name: str = "Lena") -> Any:
    return served.http(served.key(*LEAD, name=name))


def cells(insights: Any, topic: str) -> dict[str, int]:
    rows = {row["topic"]: row for row in insights["topics"]}
    return {cell["mode"]: cell["turns"] for cell in rows[topic]["cells"]} if topic in rows else {}


def test_figures_count_what_was_decided_and_say_nothing_of_few_cases(served: Any) -> None:
    for _ in range(3):
        ask(served, "few")
    found = lead(served).get("/v1/quality", params={"topic": "few"}).json()
    assert found["all"]["turns"] == 3
    assert found["all"]["automation"]["share"] is None
    assert found["changes"]["automation"]["direction"] == "unknown"
    assert {one["name"]: one["figures"]["turns"] for one in found["topics"]}["few"] == 3
    assert sum(one["figures"]["turns"] for one in found["over_time"]) == 3
    assert found["bucket_s"] == 86_400
    assert len(found["over_time"]) == 28


def test_figures_of_enough_cases_have_intervals(served: Any) -> None:
    for number in range(22):
        turn = ask(served, "enough")
        if number < 20:
            judge(served, turn, {"action": "approve"} if number < 15 else {"action": "reject"}, by="Rosa")
            (second,) = [one for one in waiting(served, "Tom", turn) if one["kind"] == "second"]
            judge(served, turn, {"action": "approve"}, by="Tom", hold=second["id"])
    found = lead(served).get("/v1/quality", params={"topic": "enough", "bucket": "hour", "from": hours_ago(3)}).json()
    approved = found["all"]["approved"]
    assert (approved["count"], approved["of"], approved["share"]) == (15, 20, 0.75)
    assert approved["low"] < 0.75 < approved["high"]
    assert found["all"]["waiting"] == 2


def waiting(served: Any, name: str, turn: Any) -> list[Any]:
    rows = served.http(served.key(*REVIEWER, name=name)).get("/v1/holds", params={"limit": 200}).json()["items"]
    return [one for one in rows if one["turn_id"] == turn["id"]]


def hours_ago(hours: float) -> str:
    return (datetime.now(UTC) - timedelta(hours=hours)).isoformat()


def test_a_cell_leads_to_its_turns(served: Any) -> None:
    turn = ask(served, "prices", text="The return postage costs 30 EUR.")
    ask(served, "prices")
    http = lead(served)
    assert cells(http.get("/v1/insights").json(), "prices")[UNSUPPORTED] == 1
    page = http.get("/v1/insights/turns", params={"topic": "prices", "mode": UNSUPPORTED}).json()
    (item,) = page["items"]
    assert (item["id"], item["hold_id"], item["state"]) == (turn["id"], turn["hold_id"], "held")
    assert "kettles" in item["asked"]
    assert page["next"] is None
    assert (item["decided"], item["sent_at"]) == (None, None)


def test_every_turn_of_a_topic_says_who_decided_and_when_it_was_sent(served: Any) -> None:
    turn, waiting_still = ask(served, "who"), ask(served, "who")
    http, asked = lead(served), {"topic": "who"}
    judge(served, turn, {"action": "edit", "text": "We pay it."}, by="Rosa")
    assert [one["id"] for one in http.get("/v1/insights/turns", params=asked).json()["items"]] == [waiting_still["id"]]
    (second,) = [one for one in waiting(served, "Tom", turn) if one["kind"] == "second"]
    judge(served, turn, {"action": "approve"}, by="Tom", hold=second["id"])
    item = http.get("/v1/insights/turns", params=asked).json()["items"][-1]
    assert (item["id"], item["decided"]["how"], item["decided"]["by"]) == (turn["id"], "edit", "Rosa")
    found = served.http(served.key()).get("/v1/ledger/turns", params=asked).json()["items"]
    assert [one["decided"] and one["decided"]["by"] for one in found] == [None, "Rosa"]


def test_turns_behind_a_cell_come_in_pages(served: Any) -> None:
    asked = [ask(served, "paged", text="The return postage costs 30 EUR.")["id"] for _ in range(5)]
    http, seen, cursor = lead(served), [], None
    while True:
        given = {"topic": "paged", "mode": UNSUPPORTED, "limit": 2, **({"cursor": cursor} if cursor else {})}
        page = http.get("/v1/insights/turns", params=given).json()
        seen += [one["id"] for one in page["items"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert seen == asked[::-1]


@pytest.mark.parametrize("verdict", [{"action": "approve"}, {"action": "reject", "reasons": ["wrong_tone"]}])
def test_a_verdict_shows_nowhere_until_the_second_is_given(verdict: dict[str, Any], served: Any) -> None:
    topic = f"blind-{verdict['action']}"
    turn = ask(served, topic, text="The return postage costs 30 EUR.")
    http = lead(served)
    judge(served, turn, verdict, by="Rosa")
    figures = http.get("/v1/quality", params={"topic": topic}).json()["all"]
    assert (figures["turns"], figures["approved"]["of"], figures["wait_people"]["cases"]) == (0, 0, 0)
    assert cells(http.get("/v1/insights").json(), topic) == {}
    for name in ("Lena", "Rosa"):
        answer = lead(served, name).get("/v1/insights/turns", params={"topic": topic, "mode": UNSUPPORTED}).json()
        assert answer["items"] == []
        assert lead(served, name).get("/v1/insights/turns", params={"topic": topic}).json()["items"] == []
    (second,) = [one for one in waiting(served, "Tom", turn) if one["kind"] == "second"]
    judge(served, turn, {"action": "approve"}, by="Tom", hold=second["id"])
    assert http.get("/v1/quality", params={"topic": topic}).json()["all"]["approved"]["of"] == 1
    assert UNSUPPORTED in cells(http.get("/v1/insights").json(), topic)


@pytest.mark.parametrize(
    ("path", "params", "word"),
    [
        ("quality", {"from": "2026-05-02T00:00:00Z", "to": "2026-05-01T00:00:00Z"}, "before"),
        ("quality", {"from": "2026-05-02T00:00:00"}, "time zone"),
        ("quality", {"from": "2020-05-02T00:00:00Z", "bucket": "hour"}, "at most"),
        ("quality", {"to": "9999-12-31T23:59:59Z"}, "years"),
        ("quality", {"bucket": "year"}, "bucket"),
        ("insights", {"from": "0001-01-01T00:00:00Z"}, "years"),
        ("insights/turns", {"mode": "made_up"}, "mode"),
        ("insights/turns", {"mode": UNSUPPORTED, "cursor": "x"}, "cursor"),
        ("insights/turns", {"mode": UNSUPPORTED, "cursor": "9" * 40 + "-1"}, "cursor"),
    ],
)
def test_a_wrong_question_is_told_so(path: str, params: dict[str, str], word: str, served: Any) -> None:
    answer = lead(served).get(f"/v1/{path}", params=params)
    assert answer.status_code == 422
    assert word in answer.text


def test_a_reviewer_sees_no_figures(served: Any) -> None:
    http = served.http(served.key(*REVIEWER, name="Tom"))
    assert http.get("/v1/quality").status_code == 403
    assert http.get("/v1/insights").status_code == 403


def test_how_matters_ended_is_said_of_the_time_and_part_asked_for(served: Any) -> None:
    for _ in range(2):
        judge(served, ask(served, "ends"), {"action": "approve"}, by="Rosa")
    # A second review of each is still open, so nothing is said of it.
    place, asked = "/v1/quality/resolution", {"topic": "ends"}
    assert lead(served).get(place, params=asked).json()["people"]["early"] == 0
    for hold in [one for one in lead(served).get("/v1/holds").json()["items"] if one["topic"] == "ends"]:
        version = lead(served).get(f"/v1/holds/{hold['id']}").json()["hold"]["version"]
        http = served.http(served.key(*REVIEWER, name="Tom"))
        http.post(f"/v1/holds/{hold['id']}/verdict", json={"action": "approve"}, headers={"If-Match": f'"{version}"'})
    found = lead(served).get(place, params=asked).json()
    assert (found["people"]["early"], found["alone"]["early"]) == (2, 0)
    assert found["people"]["assumed"] == {"count": 0, "of": 0, "share": None, "low": None, "high": None}
    assert lead(served).get(place, params={**asked, "within_days": 0}).status_code == 422
    assert lead(served).get(place, params={"topic": "nothing"}).json()["people"]["early"] == 0
