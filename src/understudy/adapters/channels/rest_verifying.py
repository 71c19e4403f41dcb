"""How a REST channel knows that a request is its provider's: a signature, or a plain shared secret; it reads no message."""

from __future__ import annotations

import hmac
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from urllib.parse import quote

from understudy.adapters.channels.schemes import scheme_of
from understudy.adapters.channels.signing import Clock, Scheme, Signed
from understudy.errors import ConfigurationError, SignatureInvalid
from understudy.ports.channel import InboundRequest
from understudy.records.json_paths import first_text
from understudy.records.rest import SignatureShape

_HEADER = re.compile(r"\$\.headers\['([\w-]+)'\]")
_QUERY = re.compile(r"\$\.query(?:\.(\w+)|\['([^']+)'\])")

Verifier = Callable[[Signed, Mapping[str, Any], datetime], None]
"""Takes a request, what is to be seen of it (`headers`, `query`) and now; raises `SignatureInvalid` with what to do."""


def verifier(channel: str, shape: SignatureShape | None, secrets: Sequence[str], *, insecure: bool) -> Verifier | None:
    """What raises for a request that is not the provider's; None for a channel that says so.

    Raises `ConfigurationError`, naming the channel, where there is no secret or no way to verify.
    """
    if insecure and secrets:
        raise ConfigurationError(f"channel {channel!r} has secrets and insecure = true; remove one of them")
    if insecure:
        return None
    if shape is None:
        raise ConfigurationError(f"channel {channel!r} has no signature; describe it, or say insecure = true")
    if not secrets or not all(secrets):
        raise ConfigurationError(
            f"channel {channel!r} has no secret, so anybody could write in a customer's name: give it one, "
            "or say insecure = true"
        )
    if shape.token is not None:
        return _by_token(shape.token, secrets)
    try:
        return _by_signature(scheme_of(shape.scheme) if shape.scheme else _own(channel, shape), secrets)
    except ConfigurationError as error:
        raise ConfigurationError(f"channel {channel!r}: signature: {error.message}") from error


def signed(channel: str, shape: SignatureShape | None, request: InboundRequest, *, secret: str) -> InboundRequest:
    """The request as its provider would sign it; for trials. A token outside headers and query cannot be given."""
    if shape is None:
        return request
    if shape.token is not None:
        if header := _HEADER.fullmatch(shape.token):
            return replace(request, headers={**request.headers, header[1]: secret})
        if query := _QUERY.fullmatch(shape.token):
            joint = "&" if "?" in request.url else "?"
            return replace(request, url=f"{request.url}{joint}{query[1] or query[2]}={quote(secret, safe='')}")
        raise ConfigurationError(f"signature.token {shape.token}: only $.headers['name'] and $.query.name can be tried")
    scheme = scheme_of(shape.scheme) if shape.scheme else _own(channel, shape)
    plain = Signed(headers=request.headers, body=request.body, method=request.method, url=request.url)
    headers = scheme.sign(plain, key=scheme.key(secret), at=request.received_at)
    return replace(request, headers={**request.headers, **headers})


def _by_signature(scheme: Scheme, secrets: Sequence[str]) -> Verifier:
    keys = [scheme.key(secret) for secret in secrets]

    def verify(request: Signed, _: Mapping[str, Any], at: datetime) -> None:
        scheme.verify_by(request, keys=keys, at=at)

    return verify


def _by_token(path: str, secrets: Sequence[str]) -> Verifier:
    ours = [secret.encode() for secret in secrets]

    def verify(_: Signed, seen: Mapping[str, Any], at: datetime) -> None:  # noqa: ARG001
        told = first_text([path], seen)
        if told is None:
            raise SignatureInvalid(f"there is no token at {path}: see that the provider sends it")
        fits = [hmac.compare_digest(told.encode("utf-8", "replace"), one) for one in ours]  # all, whichever fits
        if not any(fits):
            raise SignatureInvalid(f"the token at {path} is none of this channel's secrets: compare both sides")

    return verify


def _own(channel: str, shape: SignatureShape) -> Scheme:
    return Scheme(
        name=channel,
        header=(shape.header or "").lower(),
        template=shape.template or "",
        algorithm=shape.algorithm,
        encoding=shape.encoding,
        prefix=shape.prefix,
        is_list=shape.is_list,
        is_keyed=shape.is_keyed,
        id_header=_lower(shape.id_header),
        timestamp_header=_lower(shape.timestamp_header),
        nonce_header=_lower(shape.nonce_header),
        clock=Clock(shape.clock),
        tolerance_s=shape.tolerance_s or None,
    )


def _lower(name: str | None) -> str | None:
    return None if name is None else name.lower()
