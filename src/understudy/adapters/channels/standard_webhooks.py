"""Standard Webhooks signatures, made and verified over bytes; it reads no clock, no socket and no payload.

The scheme (standardwebhooks.com, version 1): the header `webhook-signature` carries, separated by spaces, one or more
`v1,` + base64(HMAC-SHA256(secret, "{webhook-id}.{webhook-timestamp}." + body)). Several secrets are valid at once, so
that one can be replaced without a gap. The published Python library reads the system clock and decodes the body before
it checks it; here the moment is an argument and the body stays bytes. `tests/contract` compares both.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from datetime import datetime

from understudy.errors import ConfigurationError, SignatureInvalid

ID_HEADER = "webhook-id"
TIMESTAMP_HEADER = "webhook-timestamp"
SIGNATURE_HEADER = "webhook-signature"
TOLERANCE_S = 300
SECRET_PREFIX = "whsec_"  # noqa: S105 - the mark before every secret, not one
SECRET_BYTES_MIN = 24
SECRET_BYTES_MAX = 64
SIGNATURES_MAX = 20

_VERSION = "v1"
_HOW_TO_MAKE_ONE = "make one by: python -c \"import base64, secrets; print('whsec_' + base64.b64encode(secrets.token_bytes(32)).decode())\""


class Signer:
    """Signs and verifies under one or more secrets, the current one first. Its repr never shows them."""

    def __init__(self, secrets: Sequence[str]) -> None:
        """Take secrets as `whsec_` + base64 of 24 to 64 bytes; raises `ConfigurationError`, naming which is wrong."""
        if not secrets:
            raise ConfigurationError(f"no webhook secret given; {_HOW_TO_MAKE_ONE}")
        self._keys = tuple(_key(secret, number) for number, secret in enumerate(secrets, start=1))

    def __repr__(self) -> str:
        return f"Signer(<{len(self._keys)} secrets>)"

    def sign(self, *, message_id: str, timestamp_s: int, body: bytes) -> dict[str, str]:
        """Make the three headers; there is one signature per secret, so that the receiver may hold either."""
        timestamp = str(timestamp_s)
        signatures = (
            f"{_VERSION},{base64.b64encode(digest).decode()}" for digest in self._digests(message_id, timestamp, body)
        )
        return {
            ID_HEADER: message_id,
            TIMESTAMP_HEADER: timestamp,
            SIGNATURE_HEADER: " ".join(signatures),
        }

    def verify(self, *, headers: Mapping[str, str], body: bytes, at: datetime) -> None:
        """Return if one signature matches one secret and the timestamp lies within 300 s of `at` (aware).

        `headers` have lower-case names. Raises `SignatureInvalid` saying what was wrong and what to do; the message
        holds neither a secret nor an expected signature.
        """
        for name in (ID_HEADER, TIMESTAMP_HEADER, SIGNATURE_HEADER):
            if not headers.get(name):
                raise SignatureInvalid(
                    f"header {name} is missing: sign requests by Standard Webhooks, "
                    "and see that no proxy on the way drops the header"
                )
        timestamp = headers[TIMESTAMP_HEADER]
        _demand_recent(timestamp, at)
        given = _signatures(headers[SIGNATURE_HEADER])
        expected = self._digests(headers[ID_HEADER], timestamp, body)
        matches = [hmac.compare_digest(mine, theirs) for mine in expected for theirs in given]
        if not any(matches):
            raise SignatureInvalid(
                f"no signature matched: none of the {len(given)} given under {_VERSION} fits any of the "
                f"{len(self._keys)} secrets configured; compare the secret on both sides, sign the bytes that are "
                "sent, and see that no proxy changes the body"
            )

    def _digests(self, message_id: str, timestamp: str, body: bytes) -> list[bytes]:
        signed = f"{message_id}.{timestamp}.".encode("utf-8", "surrogateescape") + body
        return [hmac.new(key, signed, hashlib.sha256).digest() for key in self._keys]


def _key(secret: str, number: int) -> bytes:
    text = secret.strip().removeprefix(SECRET_PREFIX)
    try:
        key = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError) as error:
        raise ConfigurationError(
            f"webhook secret {number} is not {SECRET_PREFIX} followed by base64; {_HOW_TO_MAKE_ONE}"
        ) from error
    if not SECRET_BYTES_MIN <= len(key) <= SECRET_BYTES_MAX:
        raise ConfigurationError(
            f"webhook secret {number} is {len(key)} bytes long, allowed are {SECRET_BYTES_MIN} to {SECRET_BYTES_MAX}; "
            f"{_HOW_TO_MAKE_ONE}"
        )
    return key


def _demand_recent(timestamp: str, at: datetime) -> None:
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 12):
        raise SignatureInvalid(
            f"header {TIMESTAMP_HEADER} is {timestamp[:40]!r}: it must be the whole seconds since 1970, in digits"
        )
    age_s = int(at.timestamp()) - int(timestamp)
    if age_s > TOLERANCE_S:
        raise SignatureInvalid(
            f"header {TIMESTAMP_HEADER} {timestamp} is too old by {age_s - TOLERANCE_S} s ({age_s} s old, allowed are "
            f"{TOLERANCE_S} s): sign each attempt anew with the present time, and check the clocks of both machines"
        )
    if -age_s > TOLERANCE_S:
        raise SignatureInvalid(
            f"header {TIMESTAMP_HEADER} {timestamp} is too new by {-age_s - TOLERANCE_S} s ({-age_s} s in the future, "
            f"allowed are {TOLERANCE_S} s): check the clocks of both machines"
        )


def _signatures(header: str) -> list[bytes]:
    parts = header.split()
    if len(parts) > SIGNATURES_MAX:
        raise SignatureInvalid(
            f"header {SIGNATURE_HEADER} carries {len(parts)} signatures, allowed are {SIGNATURES_MAX}: send fewer"
        )
    found: list[bytes] = []
    for part in parts:
        version, comma, encoded = part.partition(",")
        if version != _VERSION or not comma:
            continue
        try:
            found.append(base64.b64decode(encoded, validate=True))
        except (binascii.Error, ValueError):
            continue  # a signature that is no base64 matches nothing; another one in the list may
    if not found:
        raise SignatureInvalid(
            f"header {SIGNATURE_HEADER} carries no readable {_VERSION} signature (versions seen: "
            f"{', '.join(sorted({part.partition(',')[0][:10] for part in parts})) or 'none'}): "
            f"send '{_VERSION},' followed by the base64 of an HMAC-SHA256"
        )
    return found
