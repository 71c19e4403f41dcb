"""Channels described in the configuration, through a whole server: messages in, replies out, reports, handshakes."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlencode

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from understudy.records.outbox import OutboxState

ACCOUNT = "AC" + "0" * 32
PUBLIC = "https://understudy.example"
DESCRIBED = """
[server]
public_url = "https://understudy.example"

[channels.parcel]
kind = "rest"
secrets = ["between-us"]
credentials = { api_key = "k-1", verify_token = "ours" }

[channels.parcel.signature]
header = "X-Parcel-Signature"
template = "{body}"

[channels.parcel.inbound]
messages = "$.news[*]"
when = "@.message.kind == 'question'"
id = "$.message.no"
conversation = "$.message.parcel"
address = "$.message.phone"
text = "$.message.words"
attachments = [{ at = "$.message.photo", label = "photo", details = ["name"] }]
ignore = [{ when = "@.message.by == 'shop'", why = "our own message came back" }]

[channels.parcel.reports]
at = "$.news[*]"
when = "@.report.kind == 'receipt'"
key = "$.report.ref"
status = "$.report.outcome"
delivered = ["there"]
failed = ["lost"]

[[channels.parcel.handshakes]]
when = "@.query.hello"
challenge = "$.query.hello"
token = "$.query.token"
credential = "verify_token"

[channels.parcel.send]
url = "SINK/parcels/{conversation}/replies"
headers = { x-api-key = "{api_key}" }
template = { to = "{to}", words = "{text}", ref = "{key}" }

[channels.parcel.answer]
provider_id = "$.body.no"

[channels.sms]
kind = "twilio"
account_sid = "ACCOUNT"
sender = "+18005551212"
secrets = ["auth-token"]
"""


class Provider:
    """Takes replies and keeps them; answers with an id, or as it is told."""

    def __init__(self) -> None:
        self.taken: list[tuple[str, dict[str, Any]]] = []
        self.breaks = False
        self._lock = threading.Lock()

    def take(self, request: Request) -> Response:
        with self._lock:
            if self.breaks:
                return Response("", 502)
            self.taken.append((request.path, json.loads(request.get_data())))
            assert request.headers["x-api-key"] == "k-1"
        return Response(json.dumps({"no": f"r-{len(self.taken)}"}), 200)


@pytest.fixture(scope="module")
def provider() -> Iterator[Any]:
    one = Provider()
    with HTTPServer() as http:
        http.expect_request("/parcels/p-1/replies").respond_with_handler(one.take)
        http.expect_request("/parcels/p-2/replies").respond_with_handler(one.take)
        one.url = http.url_for("").rstrip("/")  # type: ignore[attr-defined]
        yield one


@pytest.fixture(scope="module")
def product(serve: Callable[..., Any], provider: Any) -> Any:
    return serve(more=DESCRIBED.replace("SINK", provider.url).replace("ACCOUNT", ACCOUNT))


@pytest.fixture(scope="module")
def reviewer(product: Any) -> Any:
    return product.client(product.key(name="Ines"))


def post(product: Any, *news: dict[str, Any]) -> Any:
    body = json.dumps({"news": news}).encode()
    signature = hmac.new(b"between-us", body, hashlib.sha256).hexdigest()
    return product.http().post("/webhooks/parcel", content=body, headers={"x-parcel-signature": signature})


def question(number: str, words: str, *, parcel: str = "p-1", **more: Any) -> dict[str, Any]:
    return {"kind": "question", "no": number, "parcel": parcel, "phone": "+4930", "words": words, **more}


def test_a_message_of_a_described_channel_is_answered_and_repeats_are_known(
    product: Any, provider: Any, words: Any, until: Any
) -> None:
    answer = post(product, question("1", words.automatic), {"kind": "question", "by": "shop", "no": "x"})
    assert (answer.status_code, answer.json()) == (200, {"received": 1, "duplicates": 0})
    until(lambda: provider.taken)
    path, reply = provider.taken[0]
    assert (path, reply["to"]) == ("/parcels/p-1/replies", "+4930")
    assert reply["words"]
    assert post(product, question("1", words.automatic)).json() == {"received": 1, "duplicates": 1}
    assert len(provider.taken) == 1


def test_a_message_that_cannot_be_read_is_refused_and_the_rest_of_its_batch_is_kept(product: Any, words: Any) -> None:
    answer = post(product, question("2", words.held, parcel="p-3"), {"kind": "question", "words": "no id"})
    assert answer.status_code == 400
    assert "inbound.id looks at $.message.no" in answer.json()["detail"]
    assert "1 other message(s) of the request are stored" in answer.json()["detail"]
    assert post(product, question("2", words.held, parcel="p-3")).json() == {"received": 1, "duplicates": 1}


def test_a_photo_alone_waits_for_a_person(product: Any, reviewer: Any, until: Any) -> None:
    post(product, question("3", "", parcel="p-4", photo={"name": "dent.jpg"}))

    def waiting() -> list[Any]:
        return [hold for hold in reviewer.holds() if "message_without_text" in hold.reasons]

    until(waiting)


def test_a_send_of_unknown_outcome_is_settled_by_the_providers_report(
    product: Any, provider: Any, reviewer: Any, words: Any, until: Any
) -> None:
    provider.breaks = True
    try:
        post(product, question("4", words.automatic, parcel="p-2"))

        def unsure() -> list[Any]:
            return [hold for hold in reviewer.holds() if "send_outcome_unknown" in hold.reasons]

        until(unsure)
    finally:
        provider.breaks = False
    (entry,) = product.app.store.read_now(lambda tx: tx.outbox.listed([OutboxState.UNKNOWN], limit=9))
    answer = post(product, {"kind": "receipt", "ref": entry.id, "outcome": "there"})
    assert (answer.status_code, answer.json()) == (200, {"received": 0, "duplicates": 0})
    until(lambda: not unsure())


def test_a_request_signed_by_nobody_is_refused(product: Any) -> None:
    answer = product.http().post("/webhooks/parcel", content=b"{}", headers={"x-parcel-signature": "00" * 32})
    assert (answer.status_code, answer.json()["type"].rpartition(":")[2]) == (401, "signature-invalid")
    for body in (b"{", b"\xff"):
        signature = hmac.new(b"between-us", body, hashlib.sha256).hexdigest()
        answer = product.http().post("/webhooks/parcel", content=body, headers={"x-parcel-signature": signature})
        assert answer.status_code == 400


def test_a_handshake_is_answered_with_its_challenge_alone(product: Any) -> None:
    answer = product.http().get("/webhooks/parcel", params={"hello": "<b>42</b>", "token": "ours"})
    assert (answer.status_code, answer.text) == (200, "<b>42</b>")
    assert answer.headers["content-type"].startswith("text/plain")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert product.http().get("/webhooks/parcel", params={"hello": "42", "token": "theirs"}).status_code == 401
    for path in ("/webhooks/parcel", "/webhooks/nobody", "/webhooks/desk", "/webhooks/webchat"):
        assert product.http().get(path).status_code == 404


def test_a_vendors_channel_needs_no_more_than_its_ids(product: Any, reviewer: Any, words: Any, until: Any) -> None:
    fields = {"MessageSid": "SM1", "From": "+4930", "To": "+18005551212", "Body": words.held, "NumMedia": "0"}
    url = f"{PUBLIC}/webhooks/sms"
    text = url + "".join(name + value for name, value in sorted(fields.items()))
    signature = base64.b64encode(hmac.new(b"auth-token", text.encode(), hashlib.sha1).digest()).decode()
    answer = product.http().post(
        "/webhooks/sms",
        content=urlencode(fields),
        headers={"x-twilio-signature": signature, "content-type": "application/x-www-form-urlencoded"},
    )
    assert (answer.status_code, answer.content) == (204, b"")
    until(lambda: [hold for hold in reviewer.holds() if hold.channel == "sms"])


def test_what_was_passed_over_is_counted(product: Any) -> None:
    text = product.http().get("/metrics").text
    assert 'understudy_events_ignored_total{channel="parcel"}' in text
