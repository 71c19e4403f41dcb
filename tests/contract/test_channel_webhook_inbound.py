"""What the webhook channel takes in: the signature first, then the event; every refusal says what to do."""

from __future__ import annotations

import base64
import contextlib
import json
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks.webhooks import Webhook

from understudy.adapters.channels.standard_webhooks import Signer
from understudy.adapters.channels.webhook import WebhookChannel
from understudy.errors import ConfigurationError, InputError, MalformedInput, SignatureInvalid
from understudy.ports.channel import InboundRequest
from understudy.records.conversation import Inbound
from understudy.testing.scripted import FROZEN_START, FrozenClock

NOW_S = int(FROZEN_START.timestamp())


def secret(letter: str) -> str:
    return "whsec_" + base64.b64encode(letter.encode() * 32).decode()


NEW, OLD, FOREIGN = secret("n"), secret("o"), secret("f")
DATA = {"conversation_id": "thread-1", "from": "+4915100", "text": "Where is my card?"}
EVENT = {"type": "message.received", "timestamp": "2026-01-01T11:59:58Z", "data": DATA}


def channel(secrets: Iterable[str] = (NEW,), **options: Any) -> WebhookChannel:
    return WebhookChannel("shop", url="http://127.0.0.1:9/", clock=FrozenClock(), secrets=list(secrets), **options)


def signed(body: bytes, *, key: str = NEW, age_s: int = 0, message_id: str = "msg-1") -> dict[str, str]:
    """Sign by the published library, so that the adapter is not compared with itself."""
    moment = FROZEN_START - timedelta(seconds=age_s)
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(int(moment.timestamp())),
        "webhook-signature": Webhook(key).sign(message_id, moment, body.decode()),
    }


def post(body: bytes | dict[str, Any], headers: dict[str, str] | None = None) -> InboundRequest:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return InboundRequest(
        method="POST",
        url="https://understudy.test/webhooks/shop",
        headers=signed(raw) if headers is None else headers,
        body=raw,
        received_at=FROZEN_START,
    )


def event(**data: Any) -> dict[str, Any]:
    """Make the event with these fields of `data` changed; None takes one away."""
    return EVENT | {"data": {name: value for name, value in (DATA | data).items() if value is not None}}


# Signatures.


def test_message_signed_by_the_published_library_is_taken() -> None:
    assert channel().parse(post(EVENT)) == (
        Inbound(
            provider_id="msg-1",
            external_id="thread-1",
            address="+4915100",
            text="Where is my card?",
            sent_at=datetime(2026, 1, 1, 11, 59, 58, tzinfo=UTC),
        ),
    )


@given(body=st.text().map(lambda text: text.encode(errors="replace")), seconds=st.integers(1, 10**9))
def test_own_signature_is_the_published_library_s(body: bytes, seconds: int) -> None:
    moment = datetime.fromtimestamp(seconds, tz=UTC)
    headers = Signer([NEW]).sign(message_id="out-1", timestamp_s=seconds, body=body)
    assert headers["webhook-signature"] == Webhook(NEW).sign("out-1", moment, body.decode())


@pytest.mark.parametrize("key", [NEW, OLD])
def test_either_secret_is_good_while_one_is_being_replaced(key: str) -> None:
    body = json.dumps(EVENT).encode()
    assert channel([NEW, OLD]).parse(post(body, signed(body, key=key)))


def test_one_matching_signature_among_others_is_enough() -> None:
    body = json.dumps(EVENT).encode()
    headers = signed(body)
    mine = headers["webhook-signature"]
    headers["webhook-signature"] = f"v1a,AAAA v1,not*base64 v1,AAAA v1 {mine}"
    assert channel().parse(post(body, headers))


@pytest.mark.parametrize("name", ["webhook-id", "webhook-timestamp", "webhook-signature"])
def test_missing_header_is_named(name: str) -> None:
    body = json.dumps(EVENT).encode()
    headers = signed(body)
    del headers[name]
    with pytest.raises(SignatureInvalid, match=f"header {name} is missing"):
        channel().parse(post(body, headers))


@pytest.mark.parametrize("age_s", [300, -300])
def test_timestamp_five_minutes_away_is_taken(age_s: int) -> None:
    body = json.dumps(EVENT).encode()
    assert channel().parse(post(body, signed(body, age_s=age_s)))


@pytest.mark.parametrize(("age_s", "words"), [(312, "too old by 12 s"), (-301, "too new by 1 s")])
def test_timestamp_further_away_is_refused_and_says_by_how_much(age_s: int, words: str) -> None:
    body = json.dumps(EVENT).encode()
    with pytest.raises(SignatureInvalid, match=words):
        channel().parse(post(body, signed(body, age_s=age_s)))


@pytest.mark.parametrize("timestamp", ["soon", "1.5", "-5", "٣", "1" * 400, " 1"])
def test_timestamp_that_is_no_number_of_seconds_is_refused(timestamp: str) -> None:
    headers = signed(b"{}") | {"webhook-timestamp": timestamp}
    with pytest.raises(SignatureInvalid, match="whole seconds since 1970"):
        channel().parse(post(b"{}", headers))


def test_signature_of_a_foreign_secret_is_refused_without_showing_any_secret() -> None:
    body = json.dumps(EVENT).encode()
    with pytest.raises(SignatureInvalid, match="no signature matched") as caught:
        channel([NEW, OLD]).parse(post(body, signed(body, key=FOREIGN)))
    expected = signed(body)["webhook-signature"].removeprefix("v1,")
    assert not any(text in caught.value.message for text in (NEW[6:], OLD[6:], expected))


@pytest.mark.parametrize("header", ["v1a,AAAA", "v2", "v1,***", " ", ","])
def test_header_without_a_readable_v1_signature_is_refused(header: str) -> None:
    with pytest.raises(SignatureInvalid):
        channel().parse(post(b"{}", signed(b"{}") | {"webhook-signature": header}))


def test_long_list_of_signatures_is_refused_before_it_costs_time() -> None:
    with pytest.raises(SignatureInvalid, match="10000 signatures"):
        channel().parse(post(b"{}", signed(b"{}") | {"webhook-signature": "v1,AAAA " * 10_000}))


@given(position=st.integers(0, 10**6), bit=st.integers(0, 7))
def test_any_flipped_bit_of_the_body_is_refused(position: int, bit: int) -> None:
    body = json.dumps(EVENT).encode()
    headers = signed(body)
    changed = bytearray(body)
    changed[position % len(body)] ^= 1 << bit
    with pytest.raises(SignatureInvalid):
        channel().parse(post(bytes(changed), headers))


def test_signature_is_checked_before_the_body_is_read() -> None:
    with pytest.raises(SignatureInvalid):
        channel().parse(post(b"\xff not json", signed(b"{}")))


def test_the_request_s_own_time_is_the_clock_of_the_check() -> None:
    body = json.dumps(EVENT).encode()
    later = InboundRequest(
        method="POST", url="/", headers=signed(body), body=body, received_at=FROZEN_START + timedelta(hours=1)
    )
    with pytest.raises(SignatureInvalid, match="too old by 3300 s"):
        channel().parse(later)


# The configuration.


def test_channel_without_secrets_must_say_that_it_is_insecure() -> None:
    with pytest.raises(ConfigurationError, match="insecure = true"):
        channel(())


def test_insecure_channel_takes_an_unsigned_message() -> None:
    assert channel((), insecure=True).parse(post(EVENT, {"webhook-id": "msg-1"}))


def test_insecure_channel_with_secrets_is_a_contradiction() -> None:
    with pytest.raises(ConfigurationError, match="remove one of them"):
        channel(insecure=True)


@pytest.mark.parametrize("wrong", ["", "whsec_", "whsec_c2hvcnQ=", "whsec_not base64!", secret("x") + "A" * 100])
def test_unusable_secret_is_refused_at_once_with_a_way_to_make_one(wrong: str) -> None:
    with pytest.raises(ConfigurationError, match=r"channel 'shop': webhook secret 2 .* make one by"):
        channel([NEW, wrong])


@pytest.mark.parametrize("url", ["", "example.com/replies", "ftp://example.com", "https://", "http://[::1"])
def test_unusable_url_is_refused_at_once(url: str) -> None:
    with pytest.raises(ConfigurationError, match="channel 'shop': url"):
        WebhookChannel("shop", url=url, clock=FrozenClock(), secrets=[NEW])


def test_secrets_and_passwords_never_show_in_the_repr() -> None:
    made = WebhookChannel("shop", url="https://me:pass@example.com/token", clock=FrozenClock(), secrets=[NEW, OLD])
    shown = repr(made) + repr(Signer([NEW, OLD]))
    assert not any(text in shown for text in (NEW[6:], OLD[6:], "pass", "token"))


# The event.


def test_every_field_arrives_in_its_place() -> None:
    more = {"id": "sms-9", "name": "Ada", "email": "ada@example.com", "phone": "+4915100", "topic": "cards"}
    (message,) = channel().parse(post(event(**more)))
    assert message == Inbound(
        provider_id="sms-9",
        external_id="thread-1",
        address="+4915100",
        text="Where is my card?",
        sent_at=datetime(2026, 1, 1, 11, 59, 58, tzinfo=UTC),
        topic="cards",
        contact_name="Ada",
        contact_email="ada@example.com",
        contact_phone="+4915100",
    )


@pytest.mark.parametrize("kind", ["message.reply", "message.read", "", "MESSAGE.RECEIVED"])
def test_event_of_another_type_is_no_message(kind: str) -> None:
    assert channel().parse(post({"type": kind, "data": "anything"})) == ()


def test_unknown_fields_are_passed_over() -> None:
    assert channel().parse(post(event(mood="curious") | {"version": 2}))


@pytest.mark.parametrize("field", ["conversation_id", "from", "text"])
def test_missing_field_is_named(field: str) -> None:
    with pytest.raises(MalformedInput, match=rf"data\.{field}: Field required"):
        channel().parse(post(event(**{field: None})))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("conversation_id", 7),
        ("from", ""),
        ("from", "x" * 321),
        ("text", ["a"]),
        ("text", " \n"),
        ("text", "a\x00b"),
        ("conversation_id", "x" * 201),
        ("id", ""),
        ("email", False),
    ],
)
def test_field_that_does_not_fit_is_named_with_what_to_do(field: str, value: Any) -> None:
    with pytest.raises(MalformedInput, match=rf"data\.{field}: .*, got .*connect-a-channel"):
        channel().parse(post(event(**{field: value})))


def test_text_at_the_limit_is_taken_and_one_character_more_is_not() -> None:
    strict = channel(text_chars_max=10)
    assert strict.parse(post(event(text="x" * 10)))
    with pytest.raises(MalformedInput, match=r"data\.text: .*11 characters long, allowed are 10"):
        strict.parse(post(event(text="x" * 11)))


def test_text_keeps_every_character_of_the_customer_s() -> None:
    text = " <b>Ünï</b> 👩‍👩‍👧 \u202e\r\n\t"
    assert channel().parse(post(event(text=text)))[0].text == text


@pytest.mark.parametrize("body", [b"", b"not json", b"[]", b"null", b'{"type":"message.received"', b"[" * 100_000])
def test_body_that_is_no_event_is_refused(body: bytes) -> None:
    with pytest.raises(MalformedInput, match=r"not a message\.received event"):
        channel().parse(post(body))


def test_body_that_is_no_utf_8_is_refused_with_the_byte() -> None:
    body = b'{"type": "\xff"}'
    headers = Signer([NEW]).sign(message_id="msg-1", timestamp_s=NOW_S, body=body)
    with pytest.raises(MalformedInput, match="not UTF-8 at byte 10"):
        channel().parse(post(body, headers))


def test_lone_surrogate_is_refused() -> None:
    with pytest.raises(MalformedInput):
        channel().parse(post(json.dumps(event(text="\ud800")).encode()))


def test_message_without_any_name_is_refused_because_a_repeat_could_not_be_told() -> None:
    with pytest.raises(MalformedInput, match=r"data\.id is missing"):
        channel((), insecure=True).parse(post(EVENT, {}))


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        ("2026-01-01T12:59:58+01:00", datetime(2026, 1, 1, 11, 59, 58, tzinfo=UTC)),
        ("2026-01-01T11:59:58", datetime(2026, 1, 1, 11, 59, 58, tzinfo=UTC)),
        (None, None),
    ],
)
def test_timestamp_is_read_in_utc(moment: str | None, expected: datetime | None) -> None:
    assert channel().parse(post(EVENT | {"timestamp": moment}))[0].sent_at == expected


@pytest.mark.parametrize("moment", ["yesterday", "0001-01-01T00:00:00+14:00", 5, {}])
def test_timestamp_that_is_none_is_refused(moment: Any) -> None:
    with pytest.raises(MalformedInput, match="timestamp"):
        channel().parse(post(EVENT | {"timestamp": moment}))


ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(data=st.dictionaries(st.sampled_from([*DATA, "id", "email", "topic"]), ANY_JSON), moment=ANY_JSON)
def test_any_event_gives_a_message_or_an_input_error(data: dict[str, Any], moment: Any) -> None:
    body = {"type": "message.received", "timestamp": moment, "data": data}
    with contextlib.suppress(InputError):
        assert len(channel().parse(post(body))) == 1


@given(body=st.binary(), headers=st.dictionaries(st.sampled_from(list(signed(b""))), st.text()))
def test_any_unsigned_request_is_refused(body: bytes, headers: dict[str, str]) -> None:
    with pytest.raises(SignatureInvalid):
        channel().parse(post(body, headers))
