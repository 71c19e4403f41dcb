"""Webhook signatures of every provider in the table: the examples that vendors and their libraries publish, and tampering."""

from __future__ import annotations

import base64
import gzip
import hashlib
import hmac
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy.adapters.channels.schemes import ALIASES, SCHEMES, scheme_of
from understudy.adapters.channels.signing import Clock, Scheme, Signed
from understudy.errors import ConfigurationError, SignatureInvalid

VECTORS = Path(__file__).parents[3] / "shared" / "data" / "webhook_signature_vectors.jsonl.gz"
NOW = datetime(2026, 11, 27, 12, 0, 0, tzinfo=UTC)
NOW_S = int(NOW.timestamp())
SECRET = "whsec_" + base64.b64encode(b"0123456789abcdef0123456789abcdef").decode()
URL = "https://shop.example/hooks?one=1&two=%3A"
FORM = b"From=%2B1415&Body=hi+there"


def published() -> Iterator[dict[str, Any]]:
    if VECTORS.exists():
        with gzip.open(VECTORS, "rt", encoding="utf-8") as lines:
            yield from map(json.loads, lines)


def body_of(vector: dict[str, Any]) -> bytes:
    if "body" in vector:
        return str(vector["body"]).encode()
    fields = [tuple(pair) for pair in vector.get("params_list") or vector["params"].items()]
    return urlencode(fields).encode()


def headers_of(vector: dict[str, Any]) -> dict[str, str]:
    return {name.lower(): value for name, value in vector["headers"].items()}


@pytest.mark.skipif(not VECTORS.exists(), reason="needs ../shared/data/webhook_signature_vectors.jsonl.gz")
def test_every_published_example_is_judged_as_its_publisher_says() -> None:
    judged = 0
    for vector in published():
        request = Signed(
            headers=headers_of(vector),
            body=body_of(vector),
            method=vector.get("method", "POST"),
            url=vector.get("url", ""),
        )
        at = datetime.fromtimestamp(vector.get("now", NOW_S), UTC)
        try:
            scheme_of(vector["vendor"]).verify(request, secrets=["QUFBQQ==", vector["secret"]], at=at)
            found = "valid"
        except SignatureInvalid:
            found = "invalid"
        assert found == vector["expect"].split("-")[0], vector
        judged += 1
    assert judged == 25


def signed(scheme: Scheme, body: bytes = FORM) -> Signed:
    """A request that the scheme takes, signed here by plain means and not by its own code."""
    stamp = {
        Clock.SECONDS: str(NOW_S),
        Clock.MILLISECONDS: str(NOW_S * 1000 + 7),
        Clock.ISO_8601: NOW.isoformat(),
    }[scheme.clock]
    headers = {
        name: value
        for name, value in (
            (scheme.id_header, "msg-1"),
            (scheme.timestamp_header, stamp),
            (scheme.nonce_header, "nonce-1"),
        )
        if name is not None
    }
    key = scheme.key(SECRET)
    url = URL.replace("%3A", ":") if scheme.name.startswith("hubspot") else URL
    form = "Bodyhi thereFrom+1415"
    text = scheme.template
    for part, value in {
        "id": "msg-1",
        "timestamp": stamp,
        "nonce": "nonce-1",
        "body": body.decode(),
        "method": "POST",
        "url": url,
        "form": form,
        "secret": SECRET,
    }.items():
        text = text.replace("{" + part + "}", value)
    keyed = (
        hmac.new(key, text.encode(), scheme.algorithm)
        if scheme.is_keyed
        else hashlib.new(scheme.algorithm, text.encode())
    )
    digest = keyed.digest()
    encoded = digest.hex() if scheme.encoding == "hex" else base64.b64encode(digest).decode()
    return Signed(headers={**headers, scheme.header: scheme.prefix + encoded}, body=body, method="POST", url=URL)


@pytest.mark.parametrize("scheme", SCHEMES.values(), ids=SCHEMES)
def test_what_was_signed_is_taken_and_anything_else_is_not(scheme: Scheme) -> None:
    request = signed(scheme)
    scheme.verify(request, secrets=[SECRET], at=NOW)
    scheme.verify(request, secrets=["whsec_AAAA", SECRET], at=NOW)
    with pytest.raises(SignatureInvalid, match="no signature matched"):
        scheme.verify(request, secrets=["whsec_AAAA"], at=NOW)
    with pytest.raises(SignatureInvalid):
        scheme.verify(replace(request, body=FORM + b"x=1"), secrets=[SECRET], at=NOW)
    for name in request.headers:
        rest = {other: value for other, value in request.headers.items() if other != name}
        with pytest.raises(SignatureInvalid, match=f"header {name} is missing"):
            scheme.verify(replace(request, headers=rest), secrets=[SECRET], at=NOW)
    if "{url}" in scheme.template:
        with pytest.raises(SignatureInvalid):
            scheme.verify(replace(request, url=URL + "&three=3"), secrets=[SECRET], at=NOW)


@pytest.mark.parametrize(
    "scheme", [one for one in SCHEMES.values() if one.tolerance_s and one.timestamp_header], ids=lambda one: one.name
)
@pytest.mark.parametrize(("age_s", "is_taken"), [(300, True), (-300, True), (301, False), (-302, False)])
def test_a_request_is_good_for_five_minutes_either_way(scheme: Scheme, age_s: int, is_taken: bool) -> None:
    at = datetime.fromtimestamp(NOW_S + age_s, UTC)
    if is_taken:
        scheme.verify(signed(scheme), secrets=[SECRET], at=at)
        return
    with pytest.raises(SignatureInvalid, match="too old" if age_s > 0 else "too new"):
        scheme.verify(signed(scheme), secrets=[SECRET], at=at)


@pytest.mark.parametrize("scheme", SCHEMES.values(), ids=SCHEMES)
@given(data=st.data())
def test_a_header_of_any_content_is_refused_or_fits_and_never_breaks(scheme: Scheme, data: st.DataObject) -> None:
    request = signed(scheme)
    name = data.draw(st.sampled_from(sorted(request.headers)))
    headers = {**request.headers, name: data.draw(st.text(min_size=0, max_size=80))}
    if headers[name].strip() == request.headers[name]:
        return
    told = ""
    try:
        scheme.verify(replace(request, headers=headers), secrets=[SECRET], at=NOW)
    except SignatureInvalid as error:
        told = error.message
    assert SECRET not in told
    assert told or headers[name].strip() != "", "an empty signature fits nothing"


@given(body=st.binary(max_size=60), url=st.text(max_size=60))
def test_any_body_and_url_of_a_twilio_request_is_refused_and_never_breaks(body: bytes, url: str) -> None:
    request = Signed(headers={"x-twilio-signature": "RSOYDt4T1cUTdK1PDd93/VVr8B8="}, body=body, url=url)
    with pytest.raises(SignatureInvalid):
        SCHEMES["twilio"].verify(request, secrets=["12345"], at=NOW)


def test_a_provider_that_is_none_names_those_there_are() -> None:
    with pytest.raises(ConfigurationError, match="'faxes'; there are standard-webhooks, slack"):
        scheme_of("faxes")
    assert {scheme_of(name).name for name in ALIASES} <= set(SCHEMES)


@pytest.mark.parametrize("secrets", [[], [""], ["good", ""]])
def test_no_secret_or_an_empty_one_is_a_configuration_error(secrets: list[str]) -> None:
    with pytest.raises(ConfigurationError, match="secret"):
        SCHEMES["slack"].verify(signed(SCHEMES["slack"]), secrets=secrets, at=NOW)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"template": "{bodies}"}, "no parts of a request"),
        ({"template": "{timestamp}.{body}"}, "names no header"),
        ({"algorithm": "md5"}, "sha256 or sha1"),
        ({"encoding": "base32"}, "hex or base64"),
    ],
)
def test_a_scheme_that_cannot_work_is_refused_at_once(wrong: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigurationError, match=words):
        Scheme(**{"name": "mine", "header": "x-signature", "template": "{body}", **wrong})
