"""Who may send to REST channels: signatures, tokens, handshakes, and what a channel without any has to say."""

from __future__ import annotations

import gzip
import hashlib
import hmac
import json
from dataclasses import replace
from datetime import UTC, datetime
from urllib.parse import urlencode

import pytest

from rest_channels import DATA, PUBLIC, SECRET, VENDORS, body_of, channel_of, signed
from rest_samples import SAID, minimal
from understudy.errors import ConfigurationError, MalformedInput, SignatureInvalid
from understudy.ports.channel import InboundRequest
from understudy.testing.scripted import FROZEN_START

VECTORS = DATA / "webhook_signature_vectors.jsonl.gz"


@pytest.mark.parametrize("kind", VENDORS)
def test_a_request_that_is_not_the_vendors_is_refused(kind: str) -> None:
    body = body_of(kind, SAID[kind])
    channel = channel_of(kind)
    for wrong in (
        signed(kind, body, secret="somebody-elses"),
        replace(signed(kind, body), headers={}, url=f"{PUBLIC}/webhooks/shop"),
    ):
        with pytest.raises(SignatureInvalid) as refused:
            channel.read(wrong)
        assert SECRET not in refused.value.message
    if kind not in ("sinch_sms", "zendesk", "kannel"):  # a plain token says nothing about the body
        with pytest.raises(SignatureInvalid):
            channel.read(replace(signed(kind, body), body=body.replace(b"Hi", b"Ho")))


@pytest.mark.parametrize("kind", VENDORS)
def test_two_secrets_are_good_while_one_is_being_replaced(kind: str) -> None:
    channel = channel_of(kind, secrets=["the-new-one", SECRET])
    assert channel.read(signed(kind, body_of(kind, SAID[kind]))).messages


@pytest.mark.skipif(not VECTORS.exists(), reason="needs ../shared/data/webhook_signature_vectors.jsonl.gz")
def test_every_published_signature_is_judged_through_the_whole_channel() -> None:
    judged = 0
    with gzip.open(VECTORS, "rt", encoding="utf-8") as lines:
        vectors = [json.loads(line) for line in lines]
    for vector in vectors:
        body = str(vector["body"]) if "body" in vector else None
        fields = [tuple(pair) for pair in vector.get("params_list") or (vector.get("params") or {}).items()]
        request = InboundRequest(
            method=vector.get("method", "POST"),
            url=vector.get("url", ""),
            headers={name.lower(): value for name, value in vector["headers"].items()},
            body=(body if body is not None else urlencode(fields)).encode(),
            received_at=datetime.fromtimestamp(vector.get("now", 1_764_244_800), UTC),
        )
        channel = minimal(signature={"scheme": vector["vendor"]}, secrets=[vector["secret"]])
        try:
            channel.read(request)
            found = "valid"
        except MalformedInput:
            found = "valid"  # it was signed, and is no message of this shape
        except SignatureInvalid:
            found = "invalid"
        assert found == vector["expect"].split("-")[0], vector
        judged += 1
    assert judged == 25


def test_a_signature_of_ones_own_is_described_in_the_configuration() -> None:
    own = {
        "header": "X-Acme-Signature",
        "template": "{timestamp}|{body}",
        "prefix": "sig=",
        "timestamp_header": "X-Acme-Time",
    }
    body = b'{"id": "1", "from": "2", "text": "Hi"}'
    stamp = str(int(FROZEN_START.timestamp()))
    mac = hmac.new(SECRET.encode(), f"{stamp}|".encode() + body, hashlib.sha256).hexdigest()
    request = InboundRequest(
        method="POST",
        url="/",
        headers={"x-acme-signature": f"sig={mac}", "x-acme-time": stamp},
        body=body,
        received_at=FROZEN_START,
    )
    assert minimal(signature=own).read(request).messages
    with pytest.raises(SignatureInvalid, match="too old"):
        minimal(signature=own).read(replace(request, received_at=datetime(2027, 1, 1, tzinfo=UTC)))


# --- handshakes


def get(query: str) -> InboundRequest:
    return InboundRequest(
        method="GET", url=f"{PUBLIC}/webhooks/shop?{query}", headers={}, body=b"", received_at=FROZEN_START
    )


def test_meta_is_told_its_challenge_only_where_it_repeats_our_token() -> None:
    channel = channel_of("whatsapp_cloud")
    asked = {"hub.mode": "subscribe", "hub.challenge": "1158201444", "hub.verify_token": "ours"}
    assert channel.read(get(urlencode(asked))).say == "1158201444"
    for wrong in ("theirs", ""):
        with pytest.raises(SignatureInvalid, match="verify_token"):
            channel.read(get(urlencode({**asked, "hub.verify_token": wrong})))
    with pytest.raises(MalformedInput, match="without a challenge"):
        channel.read(get(urlencode({**asked, "hub.challenge": "x" * 1_001})))


def test_a_get_brings_no_message_in() -> None:
    for kind in VENDORS:
        if kind == "kannel":  # it hands messages over by GET, and proves each by its token
            with pytest.raises(SignatureInvalid):
                channel_of(kind).read(get("a=1"))
            continue
        events = channel_of(kind).read(get("a=1"))
        assert (events.messages, events.say) == ((), None)


def test_slack_is_told_its_challenge_only_where_it_signed() -> None:
    body = body_of("slack", {"type": "url_verification", "challenge": "3eZbrw1a", "token": "old"})
    assert channel_of("slack").read(signed("slack", body)).say == "3eZbrw1a"
    with pytest.raises(SignatureInvalid):
        channel_of("slack").read(replace(signed("slack", body), headers={}))


def test_half_a_character_in_a_handshake_breaks_nothing() -> None:
    body = b'{"type": "url_verification", "challenge": "x\\ud83d"}'
    said = channel_of("slack").read(signed("slack", body)).say
    assert said == "x?"
    post = {"method": "POST", "when": "@.payload.hello", "challenge": "$.payload.hello",
            "token": "$.payload.token", "credential": "verify_token"}  # fmt: skip
    channel = minimal(signature={"token": "$.query.token"}, handshakes=[post], credentials={"verify_token": "ours"})
    asked = InboundRequest(
        method="POST",
        url=f"/?token={SECRET}",
        headers={},
        body=b'{"hello": "1", "token": "\\ud83d"}',
        received_at=FROZEN_START,
    )
    with pytest.raises(SignatureInvalid, match="verify_token"):
        channel.read(asked)


# --- behind a proxy


@pytest.mark.parametrize("url", ["http://[/webhooks/shop", "http://a:b:c/", "//["])
def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises((MalformedInput, SignatureInvalid)):
        channel_of("twilio").read(replace(signed("twilio", body_of("twilio", SAID["twilio"])), url=url))


def test_a_signed_address_is_that_which_the_provider_asked_whatever_the_proxy_calls_us() -> None:
    body = body_of("twilio", SAID["twilio"])
    behind = replace(signed("twilio", body), url="http://10.0.0.7:8080/webhooks/shop")
    assert channel_of("twilio").read(behind).messages


# --- configuration


def test_a_channel_without_a_secret_has_to_say_insecure() -> None:
    with pytest.raises(ConfigurationError, match="'shop' has no secret"):
        channel_of("slack", secrets=[])
    with pytest.raises(ConfigurationError, match="secrets and insecure = true"):
        channel_of("slack", insecure=True)
    open_door = channel_of("slack", secrets=[], insecure=True)
    request = replace(signed("slack", body_of("slack", SAID["slack"])), headers={})
    assert open_door.read(request).messages
    assert "insecure" in repr(open_door)


def test_a_repr_shows_no_secret() -> None:
    assert "xoxb" not in repr(channel_of("slack"))
    assert SECRET not in repr(channel_of("slack"))
