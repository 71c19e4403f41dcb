"""An ID token held against the provider's keys and against what was asked for (OpenID Connect Core 1.0, 3.1.3.7).

Only signatures by a private key count: with a symmetric algorithm, or none, whoever knows the client's id could sign.
"""

from __future__ import annotations

import base64
import json
from contextlib import suppress
from datetime import datetime
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import JWKRegistry, Key

from understudy.errors import SignInRefused
from understudy.records.admission import Refusal

ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
SUBJECT_CHARS_MAX = 255
TOKEN_CHARS_MAX = 100_000
MOMENT_MAX = 1e12
"""Seconds since 1970; what is more, or no number at all, is no moment of anybody's."""


class UnknownKey(SignInRefused):
    """The token was signed by a key that is not among those known; they may have been replaced."""


def verified(token: Any, keys: dict[str, Any]) -> dict[str, Any]:
    """The claims of a token whose signature holds; raises `SignInRefused`, as `UnknownKey` where the key is not there."""
    header = _header(token)
    algorithm, key_id = header.get("alg"), header.get("kid")
    if algorithm not in ALGORITHMS:
        raise _invalid(f"is signed by {str(algorithm)[:20]!r}, which proves nothing")
    candidates = [key for key in _keys(keys) if key_id is None or key.get("kid") == key_id]
    if not candidates or (key_id is None and len(candidates) > 1):
        raise UnknownKey(
            "the ID token is signed by a key that the provider does not publish", why=Refusal.TOKEN_INVALID
        )
    try:
        return jwt.decode(token, _imported(candidates[0]), algorithms=[algorithm]).claims
    except (JoseError, ValueError, TypeError, LookupError, RecursionError) as error:
        raise _invalid(f"has no signature that holds ({type(error).__name__})") from error


def demand_claims(
    claims: dict[str, Any], *, issuer: str, client_id: str, nonce: str, now: datetime, skew_s: float
) -> None:
    """See that a token is from this provider, for us, of this attempt and still good; raises `SignInRefused`."""
    audience = claims.get("aud")
    audiences = audience if isinstance(audience, list) else [audience]
    moment = now.timestamp()
    if claims.get("iss") != issuer:
        raise _invalid("is from another issuer")
    if client_id not in audiences:
        raise _invalid("is meant for another client")
    if claims.get("azp", client_id) != client_id or (len(audiences) > 1 and "azp" not in claims):
        raise _invalid("was asked for by another client")
    if claims.get("nonce") != nonce:
        raise _invalid("is of another attempt to sign in")
    if _number(claims, "exp") + skew_s <= moment:
        raise _invalid("has expired; do the clocks agree?")
    if max(_number(claims, "iat"), _number(claims, "nbf", least=0)) - skew_s > moment:
        raise _invalid("is from the future; do the clocks agree?")
    subject = claims.get("sub")
    if not isinstance(subject, str) or not 0 < len(subject) <= SUBJECT_CHARS_MAX or not subject.isprintable():
        raise _invalid("names nobody")


def _header(token: Any) -> dict[str, Any]:
    """The header, before anything is known to be true of it."""
    header = None
    if isinstance(token, str) and len(token) <= TOKEN_CHARS_MAX:
        part = token.split(".")[0]
        with suppress(ValueError, RecursionError):
            header = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    if not isinstance(header, dict):
        raise _invalid("is no JSON web token")
    return header


def _keys(keys: dict[str, Any]) -> list[dict[str, Any]]:
    listed = keys.get("keys")
    found = [key for key in listed if isinstance(key, dict)] if isinstance(listed, list) else []
    return [key for key in found if key.get("use", "sig") == "sig" and key.get("kty") in ("RSA", "EC", "OKP")]


def _imported(key: dict[str, Any]) -> Key:
    return JWKRegistry.import_key(key)


def _number(claims: dict[str, Any], name: str, *, least: float | None = None) -> float:
    value = claims.get(name, least)
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= MOMENT_MAX:
        raise _invalid(f"has no {name!r} that is a number")
    return float(value)


def _invalid(what: str) -> SignInRefused:
    return SignInRefused(f"the ID token {what}", why=Refusal.TOKEN_INVALID)
