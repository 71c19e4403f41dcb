"""What comes in over REST channels: who may send it, what of it is a customer's message, and what must not become one."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rest_channels import SECRET, VENDORS, body_of, channel_of, signed
from rest_samples import ECHOES, SAID, chatwoot, intercom, minimal, read, slack, whatsapp, zendesk
from understudy.errors import MalformedInput, SignatureInvalid
from understudy.ports.channel import InboundRequest
from understudy.testing.scripted import FROZEN_START


@pytest.mark.parametrize("kind", VENDORS)
def test_a_customers_message_is_read_as_each_vendor_sends_it(kind: str) -> None:
    events = read(kind, SAID[kind])
    assert [message.text for message in events.messages] == ["Hi"]
    assert (events.reports, events.ignored, events.refused) == ((), (), ())
    (message,) = events.messages
    assert message.needs_person is None
    assert message.provider_id
    assert message.external_id
    assert message.address


@pytest.mark.parametrize("kind", VENDORS)
def test_our_own_message_that_comes_back_is_no_customers_message(kind: str) -> None:
    events = read(kind, ECHOES[kind])
    assert events.messages == ()
    assert len(events.ignored) == 1
    assert "own message" in events.ignored[0]


def test_twilio_is_answered_with_nothing_because_it_takes_only_its_own_markup() -> None:
    assert read("twilio", SAID["twilio"]).say == ""


@pytest.mark.parametrize("kind", VENDORS)
def test_the_same_message_twice_has_the_same_id(kind: str) -> None:
    assert read(kind, SAID[kind]).messages == read(kind, SAID[kind]).messages


@pytest.mark.parametrize("kind", VENDORS)
@given(body=st.binary(max_size=200))
def test_any_signed_bytes_are_read_or_refused_and_never_break(kind: str, body: bytes) -> None:
    try:
        events = channel_of(kind).read(signed(kind, body) if kind != "twilio" else _signed_raw(body))
    except (MalformedInput, SignatureInvalid):
        return
    assert events.ignored or events.messages or events.reports or events.refused


def _signed_raw(body: bytes) -> InboundRequest:
    return replace(signed("twilio", b""), body=body)


@pytest.mark.parametrize("kind", [kind for kind in VENDORS if kind not in ("twilio", "kannel")])
@given(payload=st.recursive(st.none() | st.integers() | st.text(max_size=5), lambda inner: st.lists(inner, max_size=3)
       | st.dictionaries(st.sampled_from(["entry", "changes", "value", "messages", "event", "events", "payload", "message",
       "type", "from", "id", "data", "item", "source", "content", "author", "text", "body"]), inner, max_size=4), max_leaves=20))  # fmt: skip
def test_any_json_is_accounted_for(kind: str, payload: Any) -> None:
    events = read(kind, payload)
    assert events.ignored or events.messages or events.reports or events.refused


# --- what goes wrong


def test_a_batch_of_several_is_read_in_order_and_one_unreadable_does_not_lose_the_others() -> None:
    def text(number: int, **more: Any) -> dict[str, Any]:
        return {"from": "4930", "id": f"wamid.{number}", "type": "text", "text": {"body": str(number)}, **more}

    events = read("whatsapp_cloud", whatsapp(text(1), text(2, id=None), text(3)))
    assert [message.text for message in events.messages] == ["1", "3"]
    assert len(events.refused) == 1
    assert "id is missing" in events.refused[0]
    with pytest.raises(MalformedInput, match="id is missing"):
        channel_of("whatsapp_cloud").parse(
            signed("whatsapp_cloud", body_of("whatsapp_cloud", whatsapp(text(2, id=None))))
        )


def test_a_message_without_text_is_noted_for_a_person_and_never_dropped() -> None:
    form = {**SAID["twilio"], "Body": "", "NumMedia": "1", "MediaContentType0": "image/jpeg"}
    (picture,) = read("twilio", form).messages
    assert (picture.text, picture.needs_person) == ("[file: image/jpeg]", "message_without_text")
    (nothing,) = read("twilio", {**SAID["twilio"], "Body": ""}).messages
    assert (nothing.text, nothing.needs_person) == ("[a message without text]", "message_without_text")
    (file,) = read("slack", slack(text="", subtype="file_share", files=[{"name": "bill.pdf"}])).messages
    assert (file.text, file.needs_person) == ("[file: bill.pdf]", "message_without_text")
    (image,) = read("zendesk", zendesk(type="image", mediaUrl="https://x/1.png")).messages
    assert (image.text, image.needs_person) == ("[image]", "message_without_text")


def test_an_attachment_beside_text_is_noted_in_the_text() -> None:
    message = {"from": "4930", "id": "1", "type": "image", "image": {"caption": "Broken", "mime_type": "image/png"}}
    (found,) = read("whatsapp_cloud", whatsapp(message)).messages
    assert (found.text, found.needs_person) == ("Broken\n[image: image/png]", None)


def test_many_attachments_are_counted_and_long_names_are_cut() -> None:
    files = [{"name": f"{number}" * 300} for number in range(30)]
    (found,) = read("slack", slack(text="see", files=files)).messages
    assert found.text.endswith("[and 20 more]")
    assert max(map(len, found.text.splitlines())) < 120


def test_a_message_longer_than_the_limit_is_cut_and_goes_to_a_person() -> None:
    message = {"from": "4930", "id": "1", "type": "text", "text": {"body": "x" * 1_000_000}}
    (found,) = read("whatsapp_cloud", whatsapp(message)).messages
    assert len(found.text) == 20_000
    assert found.text.endswith("[cut here: the message has 1000000 characters]")
    assert found.needs_person == "message_too_long"


@pytest.mark.parametrize(
    ("body", "headers", "words"),
    [
        (b'{"text": "caf\xe9"}', {}, "not UTF-8 at byte 13"),
        (b"{}", {"content-type": "application/json; charset=iso-8859-1"}, "'iso-8859-1': send UTF-8"),
        (b"{", {}, "cannot be read as json"),
        (b"", {}, "cannot be read as json"),
        (b"[" * 100_000, {}, "cannot be read as json"),
        (b"1" * 10_000, {}, "cannot be read as json"),
    ],
)
def test_a_body_in_another_charset_or_form_is_refused_with_what_to_do(
    body: bytes, headers: dict[str, str], words: str
) -> None:
    request = signed("whatsapp_cloud", body)
    with pytest.raises(MalformedInput, match=words):
        channel_of("whatsapp_cloud").read(replace(request, headers={**request.headers, **headers}))


def test_a_form_in_another_charset_is_refused() -> None:
    with pytest.raises(MalformedInput, match="cannot be read as form"):
        minimal(signature={"token": "$.query.token"}, inbound={**_form(), "form": "form"}).read(
            InboundRequest(
                method="POST", url=f"/?token={SECRET}", headers={}, body=b"text=caf%E9", received_at=FROZEN_START
            )
        )


def _form() -> dict[str, Any]:
    return {"when": "@.message.text", "id": "$.message.id", "conversation": "$.message.from", "address": "$.message.from", "text": "$.message.text"}  # fmt: skip


def test_markup_of_the_vendor_is_read_as_what_the_customer_saw() -> None:
    (slacked,) = read("slack", slack(text="3 &lt; 4 &amp; 5")).messages
    assert slacked.text == "3 < 4 & 5"
    html = '<p>Hello&nbsp;there</p><p>bye<br>now <script>alert(1)</script><a href="https://x">link</a></p>'
    (written,) = read("intercom", intercom(body=html)).messages
    assert written.text == "Hello there\nbye\nnow link"
    (unclosed,) = read("intercom", intercom(body="<script>lost")).messages
    assert unclosed.needs_person == "message_without_text"


def test_a_message_to_another_number_of_the_account_is_not_ours() -> None:
    events = read("whatsapp_cloud", SAID["whatsapp_cloud"], phone_number_id="999")
    assert events.messages == ()
    assert events.ignored == ("for another number of the same account",)


def test_a_conversation_that_a_person_at_the_help_desk_has_is_left_alone() -> None:
    events = read("chatwoot", chatwoot(conversation={"id": 10, "status": "open"}))
    assert events.ignored == ("a person at the help desk has this conversation",)


def test_our_own_change_of_status_that_comes_back_is_no_message_and_no_takeover() -> None:
    changed = {"event": "conversation_status_changed", "id": 10, "status": "open", "messages": [{"content": "Hi"}]}
    for payload in (changed, {**changed, "event": "conversation_updated"}, {**changed, "event": "conversation_opened"}):
        events = read("chatwoot", payload)
        assert (events.messages, events.reports) == ((), ())
        assert events.ignored == ("an event that is no new message",)


# --- reports


@pytest.mark.parametrize(
    ("kind", "payload", "query", "key", "has_arrived"),
    [
        ("twilio", {"MessageSid": "SM1", "MessageStatus": "delivered"}, "key=out-1", "out-1", True),
        ("twilio", {"MessageSid": "SM1", "MessageStatus": "undelivered", "ErrorCode": "30005"}, "key=out-1", "out-1", False),
        ("sinch_sms", {"type": "recipient_delivery_report_sms", "batch_id": "b", "client_reference": "out-1", "status": "Delivered"}, "", "out-1", True),
        ("sinch_sms", {"type": "recipient_delivery_report_sms", "batch_id": "b", "client_reference": "out-1", "status": "Expired"}, "", "out-1", False),
        ("sinch_conversation", {"message_metadata": "out-1", "message_delivery_report": {"message_id": "m", "status": "FAILED"}}, "", "out-1", False),
        ("whatsapp_cloud", whatsapp(statuses=[{"id": "wamid.9", "status": "read", "biz_opaque_callback_data": "out-1"}]), "", "out-1", True),
        ("whatsapp_cloud", whatsapp(statuses=[{"id": "wamid.9", "status": "failed", "errors": [{"title": "no"}]}]), "", None, False),
        ("zendesk", {"events": [{"type": "conversation:message:delivery:failure", "payload": {"message": {"id": "m-9", "metadata": {"understudy_key": "out-1"}}}}]}, "", "out-1", False),
    ],
)  # fmt: skip
def test_a_report_on_a_reply_names_it_and_says_what_became_of_it(
    kind: str, payload: Any, query: str, key: str | None, has_arrived: bool
) -> None:
    events = read(kind, payload, query=query)
    (report,) = events.reports
    assert (report.key, report.has_arrived) == (key, has_arrived)
    assert report.key or report.provider_id
    assert (events.messages, events.ignored, events.refused) == ((), (), ())


def test_a_report_under_a_name_longer_than_any_names_nothing() -> None:
    status = {"MessageSid": "S" * 501, "MessageStatus": "failed"}
    assert read("twilio", status, query="key=" + "k" * 501).ignored == ("reports on a reply without naming it",)


def test_a_status_that_is_neither_is_passed_over() -> None:
    events = read("twilio", {"MessageSid": "SM1", "MessageStatus": "queued"}, query="key=out-1")
    assert events.reports == ()
    assert events.ignored == ("reports on a reply of ours, neither delivered nor failed",)
