"""The fakes of providers: what they post is what the product's channels take, what they refuse is said, and they are as strict as the real ones."""

from __future__ import annotations

import asyncio
import gzip
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from aiohttp import web

from understudy.adapters.system_clock import SystemClock
from understudy.connections import build_channel
from understudy.ports.channel import Events, InboundRequest, TakesEvents
from understudy.records.conversation import Author
from understudy.records.outbox import Accepted, OutboxEntry, OutboxState, Rejected, Retry
from understudy.settings.model import Settings
from understudy.testing.fakes import Fakes
from understudy.testing.listening import Listening
from understudy.testing.scripted import FROZEN_START
from understudy.testing.whatsapp import WhatsApp

KINDS = ("chatwoot", "zendesk", "whatsapp", "webhook")
WRITTEN: dict[str, dict[str, Any]] = {
    "chatwoot": {"kind": "chatwoot", "account_id": "1", "access_token": "bot-token", "base_url": "http://x"},
    "zendesk": {"kind": "zendesk", "subdomain": "acme", "app_id": "app", "key_id": "key", "key_secret": "key-secret"},
    "whatsapp": {"kind": "whatsapp_cloud", "phone_number_id": "106540352242922", "access_token": "meta-token", "verify_token": "ours"},
    "webhook": {"kind": "webhook", "url": "http://x"},
}  # fmt: skip
CUSTOMER = "4915100000001"
DATA = Path(__file__).parents[3] / "shared" / "data"


class Product(Listening):
    """Where web hooks go: the product's own channel reads them; it answers as it is told."""

    def __init__(self) -> None:
        super().__init__()
        self.channel: Any = None
        self.events: list[Events] = []
        self.statuses: list[int | None] = []
        self.requests: list[tuple[dict[str, str], bytes]] = []

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        body = await request.read()
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.requests.append((headers, body))
        status = self.statuses.pop(0) if self.statuses else 200
        if status is None:
            await asyncio.sleep(3)
        if status != 200:
            return web.Response(status=status or 200)
        asked = InboundRequest(method=request.method, url=str(request.url), headers=headers, body=body, received_at=SystemClock().now())  # fmt: skip
        channel = self.channel
        read = channel.read(asked) if isinstance(channel, TakesEvents) else Events(messages=channel.parse(asked))
        self.events.append(read)
        return web.Response(text=read.say or "")

    @property
    def messages(self) -> list[Any]:
        return [one for events in self.events for one in events.messages]

    @property
    def reports(self) -> list[Any]:
        return [one for events in self.events for one in events.reports]


@pytest.fixture
def fakes() -> Iterator[Fakes]:
    with Fakes() as fakes:
        yield fakes


@pytest.fixture
def product(fakes: Fakes) -> Any:
    return fakes.start(Product())


def connected(fakes: Fakes, kind: str, product: Any, *, named: dict[str, Any] | None = None, **options: Any) -> tuple[Any, Any]:  # fmt: skip
    """A fake, and the product's channel to it."""
    fake = getattr(fakes, kind)(webhook=product.url, pace=0.01, **options)
    more = {"url": f"{fake.url}/replies"} if kind == "webhook" else {}
    settings = Settings.model_validate({"channels": {"shop": {**WRITTEN[kind], **more, "secrets": [fake.secret], **(named or {})}}})  # fmt: skip
    channel = build_channel("shop", settings.channels["shop"], SystemClock(), settings, instead=fake.url)
    product.channel = channel
    return fake, channel


def entry(text: str = "It left on Monday.", *, key: str = "out-1") -> OutboxEntry:
    return OutboxEntry(
        id=key, seq=1, turn_id=None, conversation_id="c", channel="shop", address=CUSTOMER, external_id=CUSTOMER,
        text=text, author=Author.AGENT, author_name=None, ai_generated=True, state=OutboxState.SENDING, attempts=1,
        due_at=None, last_error=None, created_at=FROZEN_START,
    )  # fmt: skip


def sent(channel: Any, *entries: OutboxEntry) -> list[Any]:
    async def sending() -> list[Any]:
        try:
            return [await channel.send(one) for one in entries]
        finally:
            await channel.close()

    return asyncio.run(sending())


def until(holds: Any) -> None:
    ends = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < ends, "waited in vain"
        time.sleep(0.01)


# --- with the product's channels


@pytest.mark.parametrize("kind", KINDS)
def test_a_customer_writes_and_is_answered(fakes: Fakes, product: Any, kind: str) -> None:
    fake, channel = connected(fakes, kind, product)
    wrote = fake.customer_writes("Where is it? 👋", conversation=CUSTOMER, name="Ada")
    assert wrote.is_acknowledged
    (message,) = product.messages
    assert (message.provider_id, message.external_id, message.text) == (wrote.id, CUSTOMER, "Where is it? 👋")
    assert message.contact_name == "Ada"
    (result,) = sent(channel, entry())
    assert result == Accepted(provider_id=fake.taken[0].id)
    assert (fake.seen(CUSTOMER), fake.complaints) == (["It left on Monday."], [])


@pytest.mark.parametrize("kind", ["chatwoot", "zendesk"])
def test_what_we_wrote_comes_back_and_is_no_message(fakes: Fakes, product: Any, kind: str) -> None:
    fake, channel = connected(fakes, kind, product)
    fake.customer_writes("Hello", conversation=CUSTOMER)
    sent(channel, entry())
    until(lambda: any(events.ignored for events in product.events))
    assert len(product.messages) == 1


@pytest.mark.parametrize("kind", ["zendesk", "whatsapp"])
def test_what_became_of_a_reply_is_reported_under_our_key(fakes: Fakes, product: Any, kind: str) -> None:
    more: dict[str, Any] = {"shuffles": True, "seed": 3} if kind == "whatsapp" else {}
    fake, channel = connected(fakes, kind, product, **more)
    fake.customer_writes("Hello", conversation=CUSTOMER)
    sent(channel, entry())
    until(lambda: product.reports)
    assert {(one.key, one.provider_id, one.has_arrived) for one in product.reports} == {("out-1", fake.taken[0].id, True)}  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_a_repeated_reply_is_a_second_message_except_where_keys_are_honoured(fakes: Fakes, product: Any, kind: str) -> None:  # fmt: skip
    fake, channel = connected(fakes, kind, product)
    fake.customer_writes("Hello", conversation=CUSTOMER)
    results = sent(channel, entry(), entry())
    assert all(isinstance(one, Accepted) for one in results)
    assert len(fake.seen(CUSTOMER)) == (1 if kind == "webhook" else 2)


def test_a_lost_reply_is_found_again_by_its_key(fakes: Fakes, product: Any) -> None:
    fake, channel = connected(fakes, "zendesk", product)
    fake.customer_writes("Hello", conversation=CUSTOMER)

    async def asking() -> list[Any]:
        try:
            await channel.send(entry())
            return [await channel.look_up(entry(key=key)) for key in ("out-1", "out-2")]
        finally:
            await channel.close()

    found, unseen = asyncio.run(asking())
    assert found == Accepted(provider_id=fake.taken[0].id)
    assert isinstance(unseen, Retry)


@pytest.mark.parametrize(("kind", "wrong"), [("chatwoot", {"access_token": "x"}), ("zendesk", {"key_secret": "x"}), ("whatsapp", {"access_token": "x"})])  # fmt: skip
def test_a_wrong_credential_is_refused_and_said(fakes: Fakes, product: Any, kind: str, wrong: dict[str, str]) -> None:
    fake, channel = connected(fakes, kind, product, named=wrong)
    fake.customer_writes("Hello", conversation=CUSTOMER)
    (result,) = sent(channel, entry())
    assert isinstance(result, Rejected)
    assert "401" in result.reason
    assert "not this" in fake.complaints[0]
    assert fake.taken == []


def test_a_webhook_reply_signed_with_another_secret_is_refused(fakes: Fakes, product: Any) -> None:
    fake, channel = connected(fakes, "webhook", product)
    fake.secret = "whsec_" + "A" * 43 + "="
    assert isinstance(sent(channel, entry())[0], Rejected)
    assert fake.complaints == ["POST /replies: no signature matches"]


@pytest.mark.parametrize("kind", KINDS)
def test_more_than_the_limit_is_a_429_with_a_time(fakes: Fakes, product: Any, kind: str) -> None:
    fake, channel = connected(fakes, kind, product, per_minute_max=1)
    fake.customer_writes("Hello", conversation=CUSTOMER)
    first, second = sent(channel, entry(), entry(key="out-2"))
    assert isinstance(first, Accepted)
    assert isinstance(second, Retry)
    assert second.after_s == 1.0


def test_whatsapp_takes_nothing_for_who_has_not_written_for_a_day(fakes: Fakes, product: Any) -> None:
    _, channel = connected(fakes, "whatsapp", product)
    (early,) = sent(channel, entry())
    assert isinstance(early, Rejected)
    assert "24 hours" in early.reason


def test_whatsapp_takes_little_at_once_for_one_person(fakes: Fakes, product: Any) -> None:
    fake, channel = connected(fakes, "whatsapp", product, per_person_max=1)
    fake.customer_writes("Hello", conversation=CUSTOMER)
    first, second = sent(channel, entry(), entry(key="out-2"))
    assert isinstance(first, Accepted)
    assert isinstance(second, Retry)


def test_whatsapp_shakes_hands_with_who_knows_the_token(fakes: Fakes, product: Any) -> None:
    fake, _ = connected(fakes, "whatsapp", product)
    assert fake.shake_hands("ours") == "1158201444"


# --- web hooks are repeated as the provider repeats them


@pytest.mark.parametrize(
    ("kind", "statuses", "tries", "acknowledged"),
    [
        ("chatwoot", [500, 429, 200], 3, True),
        ("chatwoot", [500, 500, 500], 3, False),
        ("chatwoot", [503], 1, False),
        ("chatwoot", [401], 1, False),
        ("zendesk", [503, 408, 500, 429, 200], 5, True),
        ("zendesk", [400], 1, False),
        ("whatsapp", [400, 500, 204, 200], 3, True),
        ("webhook", [503, 429, 200], 3, True),
        ("webhook", [400], 1, False),
    ],
)
def test_a_webhook_is_tried_again(
    fakes: Fakes, product: Any, kind: str, statuses: list[int | None], tries: int, acknowledged: bool
) -> None:
    fake, _ = connected(fakes, kind, product)
    product.statuses[:] = statuses
    assert fake.customer_writes("Hello", conversation=CUSTOMER).is_acknowledged is acknowledged
    assert [one.attempt for one in fake.hooks] == list(range(1, tries + 1))
    assert len({body for _, body in product.requests}) == 1
    if kind == "chatwoot":
        assert len({headers["x-chatwoot-delivery"] for headers, _ in product.requests}) == 1
        assert (CUSTOMER in fake.opened) is not acknowledged
    assert bool(fake.given_up) is not acknowledged


def test_a_webhook_may_come_twice(fakes: Fakes, product: Any) -> None:
    fake, _ = connected(fakes, "whatsapp", product, doubles=1.0)
    fake.customer_writes("Hello", conversation=CUSTOMER)
    until(lambda: len(product.messages) == 2)
    assert len({one.provider_id for one in product.messages}) == 1


# --- strictness


@pytest.mark.parametrize(
    ("kind", "path", "headers", "body", "status", "said"),
    [
        ("chatwoot", "/api/v1/accounts/1/conversations/1/messages", {}, {"content": "x"}, 401, "api-access-token is missing"),
        ("chatwoot", "/api/v1/accounts/2/conversations/1/messages", {"api_access_token": "bot-token"}, {"content": "x"}, 404, "account 2"),
        ("chatwoot", "/api/v1/accounts/1/conversations/9/messages", {"api_access_token": "bot-token"}, {"content": "x"}, 404, "no conversation 9"),
        ("chatwoot", "/api/v1/accounts/1/conversations/1/messages", {"api_access_token": "bot-token"}, {"text": "x"}, 422, "content is None"),
        ("chatwoot", "/api/v1/accounts/1/conversations/1/messages", {"api_access_token": "bot-token"}, {"content": "x", "message_type": "incoming"}, 422, "as if it were the customer"),
        ("chatwoot", "/api/v1/accounts/1/conversations/1/messages", {"api_access_token": "bot-token"}, [], 422, "a JSON list"),
        ("chatwoot", "/elsewhere", {}, {}, 404, "no such address"),
        ("zendesk", "/sc/v2/apps/app/conversations/1/messages", {}, {}, 401, "no authorization"),
        ("zendesk", "/sc/v2/apps/app/conversations/1/messages", {"authorization": "Basic a2V5OmtleS1zZWNyZXQ="}, {"author": {"type": "user"}}, 400, "author.type"),
        ("zendesk", "/sc/v2/apps/app/conversations/1/messages", {"authorization": "Basic a2V5OmtleS1zZWNyZXQ="}, {"author": {"type": "business"}, "content": {"type": "text", "text": "x" * 5000}}, 400, "5000 characters"),
        ("zendesk", "/sc/v2/apps/other/conversations/1/messages", {"authorization": "Basic a2V5OmtleS1zZWNyZXQ="}, {}, 403, "app other"),
        ("whatsapp", "/v23.0/106540352242922/messages", {}, {}, 401, "no authorization"),
        ("whatsapp", "/v23.0/1/messages", {"authorization": "Bearer meta-token"}, {}, 400, "no object"),
        ("whatsapp", "/v23.0/106540352242922/messages", {"authorization": "Bearer meta-token"}, {"messaging_product": "sms"}, 400, "messaging_product"),
        ("whatsapp", "/v23.0/106540352242922/messages", {"authorization": "Bearer meta-token"}, {"messaging_product": "whatsapp", "type": "text", "to": "Ada", "text": {"body": "x"}}, 400, "no number"),
        ("whatsapp", "/v23.0/106540352242922/messages", {"authorization": "Bearer meta-token"}, {"messaging_product": "whatsapp", "zz": 1}, 400, "zz is no field"),
        ("webhook", "/replies", {}, {}, 401, "missing"),
        ("webhook", "/replies", {"webhook-id": "a", "webhook-timestamp": "1", "webhook-signature": "v1,x"}, {}, 401, "five minutes"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_refused_as_the_provider_does_and_said(
    fakes: Fakes, kind: str, path: str, headers: dict[str, str], body: Any, status: int, said: str
) -> None:
    fake = getattr(fakes, kind)()
    fake.customer_writes("Hello", conversation="1")
    answer = httpx2.post(fake.url + path, headers=headers, json=body)
    assert answer.status_code == status
    (complaint,) = fake.complaints
    assert said in complaint
    assert answer.json()
    assert fake.taken == []


def test_whatsapp_signs_as_the_public_vector_says() -> None:
    file = DATA / "webhook_signature_vectors.jsonl.gz"
    if not file.is_file():
        pytest.skip(f"there is no {file}")
    with gzip.open(file, "rt", encoding="utf-8") as lines:
        vectors = [row for row in map(json.loads, lines) if row["vendor"] == "whatsapp-cloud-api"]
    assert vectors
    for vector in vectors:
        fake = WhatsApp(secret=vector["secret"])
        mine = fake.signed(vector["body"].encode(), hook="1")["x-hub-signature-256"]
        assert (mine == vector["headers"]["X-Hub-Signature-256"]) is (vector["expect"] == "valid")
