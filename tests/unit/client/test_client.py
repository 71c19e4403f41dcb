"""The Python client against scripted answers: what it sends, what it repeats, what it makes of refusals."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable

import httpx2
import pytest

from understudy.client.calls import ATTEMPTS_MAX
from understudy.client.client import EVENTS_ATTEMPTS_MAX, AsyncClient, Client
from understudy.client.errors import AnswerUnreadable, ApiError, ServerUnreachable
from understudy.errors import ConfigurationError

KEY = "us_k1_very-secret"
URL = "http://desk.example/base"
TURN = {"id": "t-1", "state": "held", "decision": "hold", "signals": {"grounding": 0.5}, "brand_new_field": {"x": 1}}
HOLD = {"id": "h-1", "version": 3, "kind": "draft", "state": "open", "created_at": "2026-05-02T10:00:00Z"}
DECIDED = {"verdict": {"kind": "approve", "reviewer": "r-1"}, "turn": TURN}


class Server:
    """Answers from a list of scripted answers, and remembers what it was asked."""

    def __init__(self, *answers: httpx2.Response | Exception) -> None:
        self.answers = list(answers)
        self.asked: list[httpx2.Request] = []
        self.slept: list[float] = []

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        self.asked.append(request)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def client(self) -> Client:
        return Client(URL, KEY, transport=httpx2.MockTransport(self), sleep=self.slept.append)

    def async_client(self) -> AsyncClient:
        async def sleep(seconds: float) -> None:
            self.slept.append(seconds)

        return AsyncClient(URL, KEY, transport=httpx2.MockTransport(self), sleep=sleep)


def answer(data: object, status: int = 200) -> httpx2.Response:
    return httpx2.Response(status, json=data)


def problem(status: int, code: str, detail: str = "no", headers: dict[str, str] | None = None) -> httpx2.Response:
    body = {"type": f"urn:understudy:problem:{code}", "title": "No", "status": status, "detail": detail}
    return httpx2.Response(status, json=body, headers={"content-type": "application/problem+json", **(headers or {})})


def stream(*events: str) -> httpx2.Response:
    text = "".join(event + "\n\n" for event in events)
    return httpx2.Response(200, text=text, headers={"content-type": "text/event-stream"})


def event(seq: int) -> str:
    return f"id: {seq}\nevent: hold.opened\ndata: " + json.dumps({"seq": seq, "event": "hold.opened"})


def test_turn_is_handed_over_with_key_and_an_idempotency_key_of_its_own() -> None:
    server = Server(answer(TURN), answer(TURN))
    client = server.client()
    turn = client.submit_turn({"id": "t-1", "messages": [], "draft": {"text": "naïve"}}, wait_s=5)
    client.submit_turn('{"id": "t-1"}')
    first, second = server.asked
    assert (turn.id, turn.decision, turn.signals) == ("t-1", "hold", {"grounding": 0.5})
    assert str(first.url) == "http://desk.example/base/v1/turns?wait_s=5"
    assert first.headers["authorization"] == f"Bearer {KEY}"
    assert json.loads(first.content)["draft"]["text"] == "naïve"
    assert first.extensions["timeout"]["read"] == 35
    assert second.content == b'{"id": "t-1"}'
    assert first.headers["idempotency-key"] != second.headers["idempotency-key"]


def test_repeats_of_a_turn_carry_the_same_idempotency_key() -> None:
    server = Server(problem(503, "overloaded", headers={"Retry-After": "2"}), httpx2.ReadError("gone"), answer(TURN))
    assert server.client().submit_turn({"id": "t-1"}).id == "t-1"
    assert len({request.headers["idempotency-key"] for request in server.asked}) == 1
    assert server.slept == [2.0, 0.4]


def test_a_verdict_is_never_repeated() -> None:
    server = Server(httpx2.ReadTimeout("slow"))
    with pytest.raises(ServerUnreachable, match=r"http://desk\.example/base: it did not answer in time"):
        server.client().approve("h-1", version=3)
    assert len(server.asked) == 1


def test_reads_stop_after_the_last_attempt() -> None:
    server = Server(*[httpx2.ConnectError("refused")] * ATTEMPTS_MAX)
    with pytest.raises(ServerUnreachable, match=r"no connection \(refused\); is the address right"):
        server.client().turn("t-1")
    assert server.answers == []


def test_read_is_not_repeated_when_the_server_asks_for_a_long_pause() -> None:
    server = Server(problem(429, "overloaded", headers={"Retry-After": "3600"}))
    with pytest.raises(ApiError) as caught:
        server.client().turn("t-1")
    assert caught.value.retry_after_s == 3600.0


def test_a_refusal_says_status_code_and_detail() -> None:
    server = Server(problem(412, "stale-version", "version 3 is now 4"))
    with pytest.raises(ApiError) as caught:
        server.client().edit("h-1", "Better.", version=3)
    error = caught.value
    assert (error.status, error.code, error.detail) == (412, "stale-version", "version 3 is now 4")
    assert error.retry_after_s is None
    assert KEY not in str(error)


def test_a_proxys_html_page_is_a_refusal_too() -> None:
    server = Server(httpx2.Response(403, text="<html>no</html>"))
    with pytest.raises(ApiError) as caught:
        server.client().turn("t-1")
    assert caught.value.code == "http-403"


@pytest.mark.parametrize(
    "strange", [httpx2.Response(200, text="<html>hello</html>"), answer([]), answer({"id": "t-1", "state": {}})]
)
def test_an_answer_that_is_not_this_apis_is_named(strange: httpx2.Response) -> None:
    with pytest.raises(AnswerUnreadable):
        Server(strange).client().turn("t-1")


Decide = Callable[[Client], object]


@pytest.mark.parametrize(
    ("decide", "action", "text"),
    [
        (lambda c: c.approve("h-1", version=3), "approve", None),
        (lambda c: c.edit("h-1", "Better.", version=3), "edit", "Better."),
        (lambda c: c.reject("h-1", version=3, reasons=["wrong"]), "reject", None),
        (lambda c: c.respond("h-1", "Me.", version=3), "respond", "Me."),
        (lambda c: c.take_over("h-1", version=3), "take_over", None),
    ],
)
def test_every_verdict_names_the_version_it_was_made_on(decide: Decide, action: str, text: str | None) -> None:
    server = Server(answer(DECIDED))
    decide(server.client())
    request = server.asked[0]
    body = json.loads(request.content)
    assert request.url.path == "/base/v1/holds/h-1/verdict"
    assert request.headers["if-match"] == '"3"'
    assert (body["action"], body["text"]) == (action, text)


def test_a_person_writes_and_hands_back() -> None:
    server = Server(
        answer({"text": "Hello.", "author": "reviewer", "author_name": "Ines", "state": "pending"}, 202),
        answer({"id": "c-1", "mode": "agent"}),
    )
    client = server.client()
    assert client.say("c-1", "Hello.").state == "pending"
    assert client.hand_back("c-1").mode == "agent"
    assert json.loads(server.asked[0].content) == {"text": "Hello."}


@pytest.mark.parametrize(
    "decide",
    [
        lambda c: c.approve("h-1", version=3, topic="refunds"),
        lambda c: c.edit("h-1", "x", version=3, topic="refunds"),
        lambda c: c.reject("h-1", version=3, topic="refunds"),
        lambda c: c.respond("h-1", "x", version=3, topic="refunds"),
        lambda c: c.take_over("h-1", version=3, topic="refunds"),
    ],
)
def test_every_verdict_may_say_what_the_turn_is_about(decide: Decide) -> None:
    server = Server(answer(DECIDED))
    decide(server.client())
    assert json.loads(server.asked[0].content)["topic"] == "refunds"


def test_a_verdict_is_read_under_either_name_of_its_kind() -> None:
    assert Server(answer(DECIDED)).client().approve("h-1", version=3).verdict.action == "approve"


def test_lists_are_read_page_by_page_and_only_as_far_as_needed() -> None:
    server = Server(
        answer({"items": [HOLD, HOLD], "next": "abc"}),
        answer({"items": [{**HOLD, "id": "h-2"}], "next": None}),
    )
    holds = server.client().holds(limit=2)
    next(holds)
    assert len(server.asked) == 1
    assert [hold.id for hold in holds] == ["h-1", "h-2"]
    assert str(server.asked[1].url).endswith("/v1/holds?limit=2&cursor=abc")


def test_a_cursor_that_does_not_move_ends_the_list() -> None:
    page = {"items": [HOLD], "next": "same"}
    assert len(list(Server(answer(page), answer(page)).client().holds())) == 2


def test_ids_cannot_reach_another_path() -> None:
    server = Server(answer(TURN))
    server.client().turn("../holds?x=1")
    assert server.asked[0].url.raw_path == b"/base/v1/turns/..%2Fholds%3Fx%3D1"
    with pytest.raises(ValueError, match="must not be empty or made of dots"):
        server.client().turn("..")


@pytest.mark.parametrize("client", [Client(URL, KEY), AsyncClient(URL, KEY)])
def test_the_key_is_in_no_repr(client: Client | AsyncClient) -> None:
    assert "secret" not in repr(client)
    assert "secret" not in repr(vars(client))


def test_a_base_url_with_a_password_is_shown_without_it() -> None:
    assert repr(Client("https://me:hush@desk.example/", KEY)) == "Client('https://desk.example')"


@pytest.mark.parametrize(("url", "key"), [("desk.example", KEY), ("ftp://x", KEY), (URL, ""), (URL, "us_\n")])
def test_what_cannot_work_is_refused_at_once(url: str, key: str) -> None:
    with pytest.raises(ConfigurationError):
        Client(url, key)


def test_a_broken_stream_is_resumed_without_gaps_or_repeats() -> None:
    server = Server(
        stream(": hello", event(5), event(6)),
        httpx2.ConnectError("restarting"),
        problem(503, "overloaded"),
        stream(event(6), event(7)),
    )
    events = server.client().events(after=4)
    assert [next(events).seq for _ in range(3)] == [5, 6, 7]
    assert [request.headers["last-event-id"] for request in server.asked] == ["4", "6", "6", "6"]


def test_a_stream_without_rights_is_refused_at_once() -> None:
    server = Server(problem(403, "forbidden"))
    with pytest.raises(ApiError, match="forbidden"):
        next(server.client().events())
    assert "last-event-id" not in server.asked[0].headers


def test_a_stream_that_cannot_be_opened_gives_up_in_the_end() -> None:
    server = Server(*[httpx2.ConnectError("refused")] * EVENTS_ATTEMPTS_MAX)
    with pytest.raises(ServerUnreachable):
        next(server.client().events())
    assert max(server.slept) <= 10.0


def test_the_async_client_makes_the_same_calls() -> None:
    server = Server(
        problem(502, "agent-error"),
        answer(TURN),
        answer({"items": [HOLD], "next": None}),
        stream(event(1)),
        stream(event(2)),
    )

    async def use() -> tuple[str, list[str], list[int]]:
        async with server.async_client() as client:
            turn = await client.turn("t-1")
            holds = [hold.id async for hold in client.holds()]
            events = client.events()
            seqs = [(await anext(events)).seq, (await anext(events)).seq]
            await events.aclose()
            return turn.id, holds, seqs

    assert asyncio.run(use()) == ("t-1", ["h-1"], [1, 2])


def test_both_clients_have_the_same_methods() -> None:
    def public(kind: type) -> set[str]:
        return {name for name in vars(kind) if not name.startswith("_")}

    assert public(Client) == public(AsyncClient)
