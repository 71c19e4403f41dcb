"""Standard Webhooks signatures, made and verified over bytes; it reads no clock, no socket and no payload.

The scheme (standardwebhooks.com, version 1): the header `webhook-signature` carries, separated by spaces, one or more
`v1,` + base64(HMAC-SHA256(secret, "{webhook-id}.{webhook-timestamp}." + body)). Several secrets are valid at once, so
that one can be replaced without a gap. The published Python library reads the system clock and decodes the body before
it checks it; here the moment is an argument and the body stays bytes. `tests/contract` compares both.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from datetime import datetime

from understudy.adapters.channels.schemes import SCHEMES
from understudy.adapters.channels.signing import Signed
from understudy.errors import ConfigurationError

ID_HEADER = "webhook-id"
TIMESTAMP_HEADER = "webhook-timestamp"
SIGNATURE_HEADER = "webhook-signature"
SECRET_BYTES_MIN = 24
SECRET_BYTES_MAX = 64

_VERSION = "v1"
_SCHEME = SCHEMES["standard-webhooks"]
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
        _SCHEME.verify_by(Signed(headers=headers, body=body), keys=self._keys, at=at)

    def _digests(self, message_id: str, timestamp: str, body: bytes) -> list[bytes]:
        signed = f"{message_id}.{timestamp}.".encode("utf-8", "surrogateescape") + body
        return [hmac.new(key, signed, hashlib.sha256).digest() for key in self._keys]


def _key(secret: str, number: int) -> bytes:
    try:
        key = _SCHEME.key(secret)
    except ConfigurationError as error:
        raise ConfigurationError(
            f"webhook secret {number} is of no use, {error.message}; {_HOW_TO_MAKE_ONE}"
        ) from error
    if not SECRET_BYTES_MIN <= len(key) <= SECRET_BYTES_MAX:
        raise ConfigurationError(
            f"webhook secret {number} is {len(key)} bytes long, allowed are {SECRET_BYTES_MIN} to {SECRET_BYTES_MAX}; "
            f"{_HOW_TO_MAKE_ONE}"
        )
    return key
