"""Short messages through a real Kannel and its fake SMS centre: a customer's phone asks, a reply reaches it once, and its report comes back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from kannel_server import Kannel, Phone, kannel_running
from mail_servers import free_port
from understudy.records.outbox import OutboxState

SECRET = "0123456789abcdef"
CONFIG = """
[server]
public_url = "http://127.0.0.1:{port}"

[channels.sms]
kind = "kannel"
base_url = "http://127.0.0.1:{http}"
username = "shop"
password = "letmein"
sender = "4930"
secrets = ["{secret}"]
"""


@pytest.fixture(scope="module")
def ports() -> tuple[int, int]:
    return free_port(), free_port()


@pytest.fixture(scope="module")
def kannel(ports: tuple[int, int]) -> Iterator[Kannel]:
    port, http = ports
    with kannel_running(f"http://127.0.0.1:{port}/webhooks/sms?token={SECRET}", http=http) as one:
        yield one


@pytest.fixture(scope="module")
def product(kannel: Kannel, ports: tuple[int, int], serve: Callable[..., Any]) -> Any:
    port, http = ports
    more = CONFIG.format(port=port, http=http, secret=SECRET)
    return serve(more=more, environment={"UNDERSTUDY__SERVER__PORT": str(port)})


@pytest.fixture
def phone(kannel: Kannel, product: Any) -> Iterator[Phone]:
    one = Phone(kannel, "4915100")
    yield one
    one.close()


def entries(product: Any) -> list[Any]:
    everything = list(OutboxState)
    return product.app.store.read_now(lambda tx: tx.outbox.listed(everything, channel="sms", limit=100))  # type: ignore[no-any-return]


def test_question_by_short_message_is_answered_and_the_report_comes_back(
    product: Any, phone: Phone, kannel: Kannel, words: Any, until: Callable[..., Any]
) -> None:
    phone.say(f"Grüße! {words.automatic}")
    until(lambda: entries(product))
    (entry,) = entries(product)
    assert phone.hear() == entry.as_sent().text
    until(lambda: entries(product)[0].state is OutboxState.SENT)

    def outcomes() -> set[str]:
        return {one.outcome for one in product.app.store.read_now(lambda tx: tx.outbox.receipts(entry.id))}

    until(lambda: {"accepted", "delivered"} <= outcomes(), within_s=30)
    asked = product.app.store.read_now(lambda tx: tx.messages.of_conversation(entry.conversation_id))[0]
    assert (asked.text, entry.address) == (f"Grüße! {words.automatic}", "4915100"), kannel.log


def test_address_needs_its_token(product: Any) -> None:
    query = "id=1&from=%2B49&to=4930&text=Hi"
    assert product.http().get(f"/webhooks/sms?{query}").status_code == 401
    assert product.http().get(f"/webhooks/sms?token=wrong&{query}").status_code == 401
