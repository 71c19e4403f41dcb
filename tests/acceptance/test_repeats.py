"""The same request again: one answer, one turn; another request under the same name is refused."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest


@pytest.fixture(scope="module")
def api(served: Any) -> Any:
    return served.http(served.key())


def turns(served: Any) -> int:
    return len(served.tables()["turns"])


def test_repeated_request_gets_the_first_answer(served: Any, api: Any, words: Any) -> None:
    first = api.post("/v1/turns", json=words.record("a-1"), headers={"Idempotency-Key": "a"})
    count = turns(served)
    again = api.post("/v1/turns", json=words.record("a-1"), headers={"Idempotency-Key": "a"})
    assert (first.status_code, again.status_code) == (200, 200)
    assert again.json() == first.json()
    assert turns(served) == count


def test_repeated_request_may_write_its_json_otherwise(api: Any, words: Any) -> None:
    first = api.post("/v1/turns", json=words.record("b-1", topic="returns"), headers={"Idempotency-Key": "b"})
    shuffled = dict(reversed(words.record("b-1", topic="returns").items()))
    again = api.post("/v1/turns", json=shuffled, headers={"Idempotency-Key": "b"})
    assert again.json() == first.json()


def test_key_that_was_used_with_another_body_is_refused(served: Any, api: Any, words: Any) -> None:
    api.post("/v1/turns", json=words.record("c-1"), headers={"Idempotency-Key": "c"})
    before = served.tables()
    answer = api.post("/v1/turns", json=words.record("c-2"), headers={"Idempotency-Key": "c"})
    assert answer.status_code == 422
    assert answer.json()["type"] == "urn:understudy:problem:key-reused"
    assert "'c'" in answer.json()["detail"]
    assert served.tables() == before


def test_same_idempotency_key_of_another_caller_is_another_key(served: Any, words: Any) -> None:
    first = served.http(served.key()).post("/v1/turns", json=words.record("d"), headers={"Idempotency-Key": "d"})
    other = served.http(served.key()).post("/v1/turns", json=words.record("d"), headers={"Idempotency-Key": "d"})
    assert other.status_code == 200
    assert other.json()["id"] != first.json()["id"]


def test_record_handed_over_twice_is_one_turn(served: Any, api: Any, words: Any) -> None:
    first = api.post("/v1/turns", json=words.record("e"))
    count = turns(served)
    again = api.post("/v1/turns", json=words.record("e"))
    assert again.json()["id"] == first.json()["id"]
    assert turns(served) == count


def test_record_whose_draft_holds_a_card_number_is_known_again(served: Any, api: Any, words: Any) -> None:
    record = words.record("card", text="Your card 4242 4242 4242 4242 was charged.")
    first = api.post("/v1/turns", json=record)
    again = api.post("/v1/turns", json=record)
    assert (again.status_code, again.json()["id"]) == (first.status_code, first.json()["id"])


def test_record_with_the_same_id_and_another_draft_is_refused(served: Any, api: Any, words: Any) -> None:
    api.post("/v1/turns", json=words.record("f"))
    before = served.tables()
    answer = api.post("/v1/turns", json=words.record("f", text="Never."))
    assert answer.status_code == 422
    assert answer.json()["type"] == "urn:understudy:problem:key-reused"
    assert "'f'" in answer.json()["detail"]
    assert served.tables() == before


def test_verdict_that_arrives_twice_decides_once(served: Any, api: Any, words: Any) -> None:
    hold_id = api.post("/v1/turns", json=words.record("g")).json()["hold_id"]
    version = api.get(f"/v1/holds/{hold_id}").headers["etag"]
    first = api.post(f"/v1/holds/{hold_id}/verdict", json={"action": "approve"}, headers={"If-Match": version})
    second = api.post(f"/v1/holds/{hold_id}/verdict", json={"action": "approve"}, headers={"If-Match": version})
    assert first.status_code == 200
    assert second.status_code in (409, 412)
    assert second.json()["type"] in ("urn:understudy:problem:hold-closed", "urn:understudy:problem:stale-version")
    assert len([row for row in served.tables()["outbox"] if first.json()["turn"]["id"] in row]) == 1


def test_chat_message_that_arrives_twice_is_one_message(served: Any) -> None:
    visitor = served.http()
    token = visitor.post("/chat/sessions", json={}).json()["token"]
    headers = {"Authorization": f"Bearer {token}"}
    answers = [visitor.post("/chat/messages", json={"id": "m-1", "text": "Hello"}, headers=headers) for _ in range(2)]
    assert answers[0].json() == answers[1].json()
    messages = visitor.get("/chat/messages", headers=headers).json()["messages"]
    assert [message["client_id"] for message in messages if message["author"] == "customer"] == ["m-1"]


def test_requests_that_arrive_at_once_are_one_turn(served: Any, api: Any, words: Any) -> None:
    count = turns(served)
    with ThreadPoolExecutor(8) as threads:
        asked = [
            threads.submit(api.post, "/v1/turns", json=words.record("h"), headers={"Idempotency-Key": "h"})
            for _ in range(8)
        ]
    answers = [future.result() for future in asked]
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert turns(served) == count + 1
