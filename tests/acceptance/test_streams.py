"""Live streams: what is said arrives at once, and a stream that broke goes on behind the last event, no gap, no double."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

import pytest

from understudy.adapters.dispatch.embedded import EmbeddedDispatcher

WITHIN_S = 60.0


class Listener:
    """Reads a stream in a thread of its own, as browsers do, until it is closed."""

    def __init__(self, http: Any, path: str, last: int | None = None) -> None:
        self.events: list[dict[str, Any]] = []
        self.has_begun = threading.Event()
        self.is_over = threading.Event()
        self._closing = False
        headers = {} if last is None else {"Last-Event-ID": str(last)}
        self._thread = threading.Thread(target=self._read, args=(http, path, headers), daemon=True)
        self._thread.start()
        assert self.has_begun.wait(WITHIN_S), "the stream does not begin"

    def _read(self, http: Any, path: str, headers: dict[str, str]) -> None:
        try:
            with http.stream("GET", path, headers=headers) as answer:
                assert answer.status_code == 200, answer.read()
                event: dict[str, Any] = {}
                for line in answer.iter_lines():
                    self.has_begun.set()
                    if self._closing:
                        return
                    name, _, value = line.partition(":")
                    if line and name:
                        event[name] = value.strip()
                    elif event:
                        if "data" in event:
                            self.events.append(event | {"data": json.loads(event["data"])})
                        event = {}
        finally:
            self.is_over.set()

    def close(self) -> None:
        """Look at nothing more from now on; the thread ends with the server's next line."""
        self._closing = True

    def messages(self) -> list[Any]:
        return [event["data"] for event in self.events if event.get("event") == "message"]

    def statuses(self) -> list[str]:
        return [event["data"]["status"] for event in self.events if event.get("event") == "status"]


@pytest.fixture
def listen() -> Iterator[Callable[..., Listener]]:
    opened: list[Listener] = []

    def start(*arguments: Any) -> Listener:
        opened.append(Listener(*arguments))
        return opened[-1]

    yield start
    for listener in opened:
        listener.close()


@pytest.fixture(scope="module")
def client(served: Any) -> Any:
    return served.client(served.key())


def visit(served: Any) -> Any:
    return served.http(served.http().post("/chat/sessions", json={}).json()["token"])


def say(visitor: Any, number: int, text: str) -> None:
    assert visitor.post("/chat/messages", json={"id": f"m-{number}", "text": text}).status_code == 202


def test_ledger_events_arrive_at_once(
    served: Any, client: Any, words: Any, until: Any, listen: Any, only_pushed: None
) -> None:
    listener = listen(served.http(served.key()), "/v1/events")
    turn = client.submit_turn(words.record("live"))
    until(lambda: any(event["data"]["turn_id"] == turn.id for event in listener.events))


def test_ledger_stream_carries_the_ledger_and_no_message_text(
    served: Any, client: Any, words: Any, until: Any, listen: Any
) -> None:
    listener = listen(served.http(served.key()), "/v1/events", 0)
    turn = client.submit_turn(words.record("quiet"))
    until(lambda: any(event["data"]["event"] == "hold.opened" for event in listener.events))
    until(lambda: any(event["data"]["turn_id"] == turn.id for event in listener.events))
    assert words.held not in json.dumps(listener.events)
    assert all(event["id"] == str(event["data"]["seq"]) for event in listener.events)
    assert all(event["event"] == event["data"]["event"] for event in listener.events)


def test_ledger_stream_resumes_without_gap_or_double(
    served: Any, client: Any, words: Any, until: Any, listen: Any
) -> None:
    http = served.http(served.key())
    before = client.submit_turn(words.record("before"))
    first = listen(http, "/v1/events", 0)
    until(lambda: any(event["data"]["turn_id"] == before.id for event in first.events))
    first.close()
    seen = [event["data"]["seq"] for event in list(first.events)]
    missed = client.submit_turn(words.record("missed"))
    second = listen(http, "/v1/events", seen[-1])
    after = client.submit_turn(words.record("after"))
    until(lambda: {missed.id, after.id} <= {event["data"]["turn_id"] for event in second.events})
    seen += [event["data"]["seq"] for event in list(second.events)]
    assert seen == list(range(1, len(seen) + 1))


def test_client_follows_the_ledger_from_where_it_was(client: Any, words: Any) -> None:
    client.submit_turn(words.record("followed"))
    first = [event.seq for event in islice(client.events(after=0), 4)]
    rest = [event.seq for event in islice(client.events(after=first[-1]), 3)]
    assert first + rest == [1, 2, 3, 4, 5, 6, 7]


def test_chat_stream_brings_question_status_and_reply(
    served: Any, words: Any, until: Any, listen: Any, only_pushed: None
) -> None:
    visitor = visit(served)
    listener = listen(visitor, "/chat/events")
    say(visitor, 1, words.automatic)
    until(lambda: len(listener.messages()) == 2)
    question, reply = listener.messages()
    assert (question["author"], question["client_id"]) == ("customer", "m-1")
    assert reply["ai_generated"] is True
    until(lambda: listener.statuses()[-1:] == ["idle"])
    assert [event["id"] for event in listener.events if event["event"] == "message"] == [
        str(question["seq"]),
        str(reply["seq"]),
    ]


def test_chat_stream_resumes_without_gap_or_double(served: Any, words: Any, until: Any, listen: Any) -> None:
    visitor = visit(served)
    first = listen(visitor, "/chat/events")
    say(visitor, 1, words.automatic)
    until(lambda: len(first.messages()) == 2)
    first.close()
    seen = list(first.messages())
    say(visitor, 2, "Is the shop open on Monday?")
    until(lambda: len(visitor.get("/chat/messages").json()["messages"]) == 4)
    second = listen(visitor, "/chat/events", seen[-1]["seq"])
    say(visitor, 3, "Are you closed on Sundays?")
    until(lambda: len(second.messages()) == 4)
    seen += second.messages()
    assert seen == visitor.get("/chat/messages").json()["messages"]


def test_chat_stream_resumes_over_more_than_a_page_of_messages(
    served: Any, client: Any, until: Any, listen: Any
) -> None:
    visitor = visit(served)
    say(visitor, 0, "I want to talk to a human being, please.")
    found = until(lambda: [hold for hold in client.holds() if hold.kind == "hand_off"])
    client.take_over(found[0].id, version=found[0].version)
    for number in range(1, 231):
        say(visitor, number, f"line {number}")
    listener = listen(visitor, "/chat/events", 0)
    until(lambda: len([one for one in listener.messages() if one["author"] == "customer"]) == 231)
    lines = [one["client_id"] for one in listener.messages() if one["author"] == "customer"]
    assert lines == [f"m-{number}" for number in range(231)]


def test_stream_of_one_visitor_is_silent_about_the_others(served: Any, words: Any, until: Any, listen: Any) -> None:
    one, other = visit(served), visit(served)
    listener = listen(other, "/chat/events")
    say(one, 1, words.automatic)
    until(lambda: len(one.get("/chat/messages").json()["messages"]) == 2)
    say(other, 2, words.automatic)
    until(lambda: len(listener.messages()) == 2)
    assert [message["client_id"] for message in listener.messages()] == ["m-2", None]


def test_streams_end_when_the_server_stops(serve: Callable[..., Any], listen: Any) -> None:
    running = serve()
    ledger = listen(running.http(running.key()), "/v1/events")
    chat = listen(visit(running), "/chat/events")
    running.server.end_streams()
    assert ledger.is_over.wait(WITHIN_S)
    assert chat.is_over.wait(WITHIN_S)


def test_what_other_processes_commit_is_asked_for_before_the_start(serve: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A dispatcher tells nobody who asks later. What becomes of it is in `contract/test_dispatcher_pgqueuer.py`."""
    asked: list[tuple[str, bool]] = []

    def subscribe(dispatcher: EmbeddedDispatcher, listener: Callable[[set[str]], None]) -> None:
        asked.append((listener.__name__, dispatcher._loop is None))

    monkeypatch.setattr(EmbeddedDispatcher, "subscribe", subscribe)
    serve()
    assert asked == [("heard_elsewhere", True)]
