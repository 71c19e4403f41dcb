"""The first way in: customers write by web chat and by signed webhook, the faq agent drafts, replies come back."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from standardwebhooks.webhooks import Webhook
from werkzeug import Request, Response

from sinks import listening


class Sink:
    """Takes replies, as the business's own system would, and keeps them in order."""

    def __init__(self) -> None:
        self.requests: list[tuple[dict[str, str], bytes]] = []
        self.refusals = 0
        self.url = ""
        self._changed = threading.Lock()

    def take(self, request: Request) -> Response:
        with self._changed:
            if self.refusals > 0:
                self.refusals -= 1
                return Response("not now", 503, headers={"Retry-After": "0"})
            self.requests.append((dict(request.headers), request.get_data()))
        return Response("{}", 200, content_type="application/json")

    def replies_to(self, conversation: str) -> list[dict[str, Any]]:
        events = [json.loads(body) for _, body in self.requests]
        return [event["data"] for event in events if event["data"]["conversation_id"] == conversation]


@pytest.fixture(scope="module")
def sink() -> Iterator[Sink]:
    taken = Sink()
    with listening(taken):
        yield taken


@pytest.fixture(scope="module")
def product(serve: Callable[..., Any], sink: Sink) -> Any:
    return serve(sink=sink.url)


@pytest.fixture(scope="module")
def reviewer(product: Any) -> Any:
    return product.client(product.key(name="Ines"))


def write(product: Any, words: Any, conversation: str, text: str, message_id: str) -> Any:
    body = json.dumps(
        {
            "type": "message.received",
            "data": {"id": message_id, "conversation_id": conversation, "from": f"+44 {conversation}", "text": text},
        }
    )
    now = datetime.now(UTC)
    headers = {
        "webhook-id": message_id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": Webhook(words.secret).sign(message_id, now, body),
    }
    return product.http().post("/webhooks/desk", content=body, headers=headers)


def visit(product: Any) -> tuple[Any, str]:
    """A visitor of the web chat, as an HTTP client that holds the token, and the name of their conversation."""
    session = product.http().post("/chat/sessions", json={}).json()
    return product.http(session["token"]), session["conversation_id"]


def said(visitor: Any) -> list[tuple[str, str]]:
    return [(one["author"], one["text"]) for one in visitor.get("/chat/messages").json()["messages"]]


def waiting(reviewer: Any, conversation: str) -> Any:
    """The hold of a conversation, by the conversation's name on its channel; None while there is none."""
    details = (reviewer.hold(hold.id) for hold in reviewer.holds())
    return next((detail for detail in details if detail.conversation.external_id == conversation), None)


def test_webhook_question_is_answered_with_a_signature_that_fits(
    product: Any, sink: Sink, words: Any, until: Any
) -> None:
    answer = write(product, words, "c-auto", words.automatic, "m-auto")
    assert answer.json() == {"received": 1, "duplicates": 0}
    until(lambda: sink.replies_to("c-auto"))
    headers, body = next(one for one in sink.requests if b"c-auto" in one[1])
    event = Webhook(words.secret).verify(body, headers)
    assert event["type"] == "message.reply"
    reply = event["data"]
    assert "9:00 to 18:00" in reply["text"]
    assert (reply["author"], reply["ai_generated"], reply["to"]) == ("agent", True, "+44 c-auto")
    assert headers["Webhook-Id"] == reply["id"]


def test_repeated_webhook_is_answered_once(product: Any, sink: Sink, words: Any, until: Any) -> None:
    first = write(product, words, "c-twice", words.automatic, "m-twice")
    again = write(product, words, "c-twice", words.automatic, "m-twice")
    assert first.json()["duplicates"] + again.json()["duplicates"] == 1
    until(lambda: sink.replies_to("c-twice"))
    marker = write(product, words, "c-after", words.automatic, "m-after")
    assert marker.status_code == 200
    until(lambda: sink.replies_to("c-after"))
    assert len(sink.replies_to("c-twice")) == 1


def test_webhook_reply_waits_for_the_reviewer(product: Any, sink: Sink, reviewer: Any, words: Any, until: Any) -> None:
    write(product, words, "c-held", words.held, "m-held")
    detail = until(lambda: waiting(reviewer, "c-held"))
    assert sink.replies_to("c-held") == []
    reviewer.edit(detail.hold.id, "Yes, within 30 days.", version=detail.hold.version)
    until(lambda: sink.replies_to("c-held"))
    (reply,) = sink.replies_to("c-held")
    told, _, text = reply["text"].partition("\n\n")
    assert told.startswith("You are talking to an AI assistant of ")
    assert (text, reply["author"], reply["origin"]) == ("Yes, within 30 days.", "agent", "ai_edited")


def test_reply_that_the_receiver_refused_for_now_arrives_later(
    product: Any, sink: Sink, words: Any, until: Any
) -> None:
    sink.refusals = 1
    write(product, words, "c-later", words.automatic, "m-later")
    until(lambda: sink.replies_to("c-later"))
    assert len(sink.replies_to("c-later")) == 1


def test_web_chat_question_is_answered_with_the_mark_of_an_agent(product: Any, words: Any, until: Any) -> None:
    visitor, _ = visit(product)
    accepted = visitor.post("/chat/messages", json={"id": "m-1", "text": words.automatic})
    assert accepted.status_code == 202
    until(lambda: len(said(visitor)) == 2)
    question, reply = visitor.get("/chat/messages").json()["messages"]
    assert (question["client_id"], question["seq"]) == ("m-1", accepted.json()["seq"])
    assert reply["ai_generated"] is True
    assert "9:00 to 18:00" in reply["text"]
    assert visitor.get("/chat/messages").json()["status"] == "idle"


def test_web_chat_reply_waits_for_the_reviewer(product: Any, reviewer: Any, words: Any, until: Any) -> None:
    visitor, conversation = visit(product)
    visitor.post("/chat/messages", json={"id": "m-1", "text": words.held})
    detail = until(lambda: waiting(reviewer, conversation))
    assert said(visitor) == [("customer", words.held)]
    assert visitor.get("/chat/messages").json()["status"] == "working"
    reviewer.approve(detail.hold.id, version=detail.hold.version)
    until(lambda: len(said(visitor)) == 2)
    assert said(visitor)[1] == ("agent", detail.turn.draft.text)


def test_customer_who_asks_for_a_person_talks_to_one_and_back(
    product: Any, reviewer: Any, words: Any, until: Any
) -> None:
    visitor, conversation = visit(product)
    visitor.post("/chat/messages", json={"id": "m-1", "text": "I want to talk to a human being, please."})
    detail = until(lambda: waiting(reviewer, conversation))
    assert detail.hold.kind == "hand_off"
    until(lambda: len(said(visitor)) == 2)
    assert said(visitor)[1] == ("safe_reply", "A colleague takes over and answers here.")
    reviewer.take_over(detail.hold.id, version=detail.hold.version)
    reviewer.say(detail.conversation.id, "Hello, this is Ines.")
    until(lambda: said(visitor)[-1] == ("reviewer", "Hello, this is Ines."))
    visitor.post("/chat/messages", json={"id": "m-2", "text": words.automatic})
    assert visitor.get("/chat/messages").json()["status"] == "person"
    reviewer.hand_back(detail.conversation.id)
    visitor.post("/chat/messages", json={"id": "m-3", "text": words.automatic})
    until(lambda: said(visitor)[-1][0] == "agent")


def test_visitor_sees_only_their_own_conversation(product: Any, words: Any, until: Any) -> None:
    (one, _), (other, _) = visit(product), visit(product)
    one.post("/chat/messages", json={"id": "m-1", "text": words.automatic})
    until(lambda: len(said(one)) == 2)
    assert said(other) == []


def test_customer_may_end_in_half_an_emoji(product: Any) -> None:
    visitor, _ = visit(product)
    body = b'{"id": "m-1", "text": "Thank you \\ud83d\\u0000"}'
    assert visitor.post("/chat/messages", content=body).status_code == 202
    assert said(visitor)[0] == ("customer", "Thank you \ufffd\ufffd")


def test_pipeline_of_a_turn_is_kept_under_its_id(product: Any, reviewer: Any, words: Any, until: Any) -> None:
    visitor, conversation = visit(product)
    visitor.post("/chat/messages", json={"id": "m-1", "text": words.held})
    detail = until(lambda: waiting(reviewer, conversation))
    pipeline = reviewer.pipeline(detail.turn.id)
    assert pipeline.turn_id == detail.turn.id
    assert [step.name for step in pipeline.steps]
    assert all(step.took_ms is not None for step in pipeline.steps)
