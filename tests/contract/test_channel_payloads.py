"""Every payload that vendors and their libraries publish, through the vendor's whole channel: a message, a report, or why not."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from rest_channels import DATA, body_of, channel_of, signed
from understudy.ports.channel import Events

PAYLOADS = DATA / "webhook_payloads.jsonl.gz"
KINDS = {
    "whatsapp-cloud-api": "whatsapp_cloud",
    "sinch-conversation": "sinch_conversation",
    "chatwoot": "chatwoot",
    "zendesk": "zendesk",
    "slack": "slack",
    "twilio": "twilio",
}
pytestmark = pytest.mark.skipif(not PAYLOADS.exists(), reason="needs ../shared/data/webhook_payloads.jsonl.gz")


def published() -> Iterator[tuple[str, str, Any]]:
    if PAYLOADS.exists():
        with gzip.open(PAYLOADS, "rt", encoding="utf-8") as lines:
            for line in lines:
                one = json.loads(line)
                yield KINDS[one["vendor"]], one["kind"], one["payload"]


def numbers_in(payload: Any) -> Iterator[str]:
    if isinstance(payload, dict):
        if isinstance(found := payload.get("phone_number_id"), str):
            yield found
        for inner in payload.values():
            yield from numbers_in(inner)
    elif isinstance(payload, list):
        for inner in payload:
            yield from numbers_in(inner)


def read(kind: str, payload: Any) -> Events:
    own = next(numbers_in(payload), "1") if kind == "whatsapp_cloud" else None
    channel = channel_of(kind, **({"phone_number_id": own} if own else {}))
    return channel.read(signed(kind, body_of(kind, payload)))


def test_every_published_payload_is_a_message_a_report_a_remark_or_passed_over_with_a_reason() -> None:
    outcomes: Counter[str] = Counter()
    for kind, name, payload in published():
        events = read(kind, payload)
        said = {
            "message": events.messages,
            "report": events.reports,
            "remark": events.remarks,
            "ignored": events.ignored,
            "refused": events.refused,
        }
        (outcome,) = [word for word, found in said.items() if found]  # exactly one of them, and none is silent
        assert all(why.strip() for why in (*events.ignored, *events.refused)), (kind, name)
        outcomes[outcome] += 1
    assert outcomes == {"message": 30, "report": 5, "ignored": 49, "remark": 1, "refused": 2}


def test_a_published_message_reads_as_its_customer_wrote_it() -> None:
    by_name = {(kind, name): payload for kind, name, payload in published()}
    (text,) = read("whatsapp_cloud", by_name["whatsapp_cloud", "message/text"]).messages
    assert (text.text, text.external_id, text.address) == ("Body Text", "972987654321", "972987654321")
    assert (text.contact_name, text.needs_person) == ("Test Name", None)
    assert text.sent_at is not None
    assert text.sent_at.timestamp() == 1697043223
    (document,) = read("whatsapp_cloud", by_name["whatsapp_cloud", "message/document"]).messages
    assert document.text == "caption\n[document: filename.pdf, application/pdf]"
    pending = by_name["chatwoot", "message_created"]
    pending["conversation"]["status"] = "pending"
    (hi,) = read("chatwoot", pending).messages
    assert (hi.provider_id, hi.external_id, hi.address, hi.text) == ("118", "10", "14", "hi")


def test_a_published_message_that_is_only_an_attachment_goes_to_a_person() -> None:
    for kind, name, payload in published():
        if name.removeprefix("message/") in ("image", "voice", "static_sticker", "current_location", "unsupported"):
            (message,) = read(kind, payload).messages
            assert message.needs_person == "message_without_text", name
            assert message.text.startswith("["), name


def test_a_published_message_without_an_id_is_refused_by_name() -> None:
    refused = [why for kind, _, payload in published() for why in read(kind, payload).refused]
    assert (
        refused
        == ["a message whose id is missing: inbound.id looks at $.message.id; compare it with what the provider sends"]
        * 2
    )


def test_a_published_echo_or_status_is_no_customers_message() -> None:
    for kind, name, payload in published():
        if name.split("/")[0] in ("outgoing_message", "message_status", "call_status") or "submit" in name:
            assert not read(kind, payload).messages, name
