"""How a webhook's signature is made, as data, and the one verifier that reads such a description; it knows no vendor.

A scheme says which bytes are signed (a template), how (HMAC or a plain hash), in what form and in which header the
result is sent, and how old a request may be. Everything is compared in constant time over the body as it came. A
message of this module holds neither a secret nor an expected signature.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum

from understudy.errors import ConfigurationError, SignatureInvalid

SIGNATURES_MAX = 20
"""More signatures in one header are refused before they cost time."""
_FIELD = re.compile(r"\{([a-z]+)\}")
_FIELDS = frozenset({"id", "timestamp", "nonce", "body", "method", "url", "form", "secret"})


class Clock(StrEnum):
    """How a scheme writes the moment of signing."""

    SECONDS = "seconds"
    MILLISECONDS = "milliseconds"
    ISO_8601 = "iso-8601"


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """A request whose signature is to be checked; header names in lower case."""

    headers: Mapping[str, str]
    body: bytes
    method: str = "POST"
    url: str = ""


Variants = Callable[[Signed], Sequence[bytes]]
"""Ways to read a part of a request of which the sender signed one, e.g. a URL with and without its port."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scheme:
    """One way of signing. `template` joins `{id}`, `{timestamp}`, `{nonce}`, `{body}`, `{method}`, `{url}`, `{form}` and,
    for a plain hash, `{secret}`; `parts` says how a part is read where that takes more than the request's own bytes.

    `prefix` stands before each signature; `is_list`: there may be several, separated by spaces, and one has to fit.
    `tolerance_s`: how far the moment of signing may be from now, None = the scheme gives no promise about it. `key`
    reads a secret; raises `ConfigurationError`. `refused` finds what makes a request bad whatever its signature.
    Raises `ConfigurationError` for a template or a header that does not fit.
    """

    name: str
    header: str
    template: str
    algorithm: str = "sha256"
    encoding: str = "hex"
    prefix: str = ""
    is_list: bool = False
    is_keyed: bool = True
    id_header: str | None = None
    timestamp_header: str | None = None
    nonce_header: str | None = None
    clock: Clock = Clock.SECONDS
    tolerance_s: int | None = 300
    key: Callable[[str], bytes] = str.encode
    parts: Mapping[str, Variants] | None = None
    refused: Callable[[Signed], str | None] | None = None
    pieces: tuple[str, ...] = field(init=False, repr=False)
    """The template, cut before and after each part."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "pieces", tuple(filter(None, re.split(r"(\{[a-z]+\})", self.template))))
        fields = set(_FIELD.findall(self.template))
        needed = {"id": self.id_header, "timestamp": self.timestamp_header, "nonce": self.nonce_header}
        missing = [name for name in fields if name in needed and needed[name] is None]
        if unknown := sorted(fields - _FIELDS):
            raise ConfigurationError(
                f"scheme {self.name!r}: {unknown} are no parts of a request; use {sorted(_FIELDS)}"
            )
        if missing:
            raise ConfigurationError(f"scheme {self.name!r} signs {missing}, but names no header for it")
        if self.algorithm not in ("sha256", "sha1") or self.encoding not in ("hex", "base64"):
            raise ConfigurationError(f"scheme {self.name!r}: use sha256 or sha1, and hex or base64")

    def verify(self, request: Signed, *, secrets: Sequence[str], at: datetime) -> None:
        """Return if a signature of the request fits one of the secrets and it is recent at `at` (aware).

        Raises `SignatureInvalid` saying what is wrong and what to do, `ConfigurationError` where there is no secret.
        """
        if not secrets or not all(secrets):
            raise ConfigurationError(f"{self.name}: no secret given, and an empty one would fit anybody's")
        self.verify_by(request, keys=[self.key(secret) for secret in secrets], at=at)

    def verify_by(self, request: Signed, *, keys: Sequence[bytes], at: datetime) -> None:
        """Do the same with secrets that were read before."""
        for name in (self.id_header, self.timestamp_header, self.nonce_header, self.header):
            if name is not None and not request.headers.get(name):
                raise SignatureInvalid(f"header {name} is missing: see that no proxy on the way drops it")
        if self.timestamp_header is not None and self.tolerance_s is not None:
            self._demand_recent(request.headers[self.timestamp_header], at)
        if self.refused is not None and (why := self.refused(request)):
            raise SignatureInvalid(why)
        given = self._given(request.headers[self.header])
        expected = [digest for key in keys for digest in self._digests(key, request)]
        fits = [hmac.compare_digest(mine, theirs) for mine in expected for theirs in given]  # all, whichever fits
        if not any(fits):
            raise SignatureInvalid(
                f"no signature matched: none of the {len(given)} in header {self.header} fits any of the {len(keys)} "
                f"secrets; compare the secret on both sides, the scheme ({self.name}"
                f"{' signs the URL too' if '{url}' in self.template else ''}), and see that no proxy changes what is signed"
            )

    def sign(self, request: Signed, *, key: bytes, at: datetime) -> dict[str, str]:
        """The headers that make a request one that `verify` takes, signed as at `at` (aware); for trials."""
        seconds = int(at.timestamp())
        stamp = {
            Clock.SECONDS: str(seconds),
            Clock.MILLISECONDS: str(seconds * 1000),
            Clock.ISO_8601: at.isoformat(),
        }[self.clock]
        given = ((self.id_header, "trial-1"), (self.timestamp_header, stamp), (self.nonce_header, "trial-1"))
        headers = {name: value for name, value in given if name is not None}
        signed = Signed(
            headers={**request.headers, **headers}, body=request.body, method=request.method, url=request.url
        )
        digest = self._digests(key, signed)[0]
        written = digest.hex() if self.encoding == "hex" else base64.b64encode(digest).decode()
        return {**headers, self.header: self.prefix + written}

    def _digests(self, key: bytes, request: Signed) -> list[bytes]:
        texts: list[bytes] = [b""]
        for piece in self.pieces:
            ways = self._ways(piece[1:-1], key, request) if _FIELD.fullmatch(piece) else [piece.encode()]
            texts = [text + way for text in texts for way in ways]
        if not self.is_keyed:
            return [hashlib.new(self.algorithm, text).digest() for text in texts]
        return [hmac.new(key, text, self.algorithm).digest() for text in texts]

    def _ways(self, part: str, key: bytes, request: Signed) -> Sequence[bytes]:
        if self.parts is not None and part in self.parts:
            return self.parts[part](request)
        own = {
            "body": request.body,
            "secret": key,
            "method": _bytes(request.method.upper()),
            "url": _bytes(request.url),
        }
        if part in own:
            return [own[part]]
        header = {"id": self.id_header, "timestamp": self.timestamp_header, "nonce": self.nonce_header}[part]
        assert header is not None, "checked at construction"
        return [_bytes(request.headers[header])]

    def _given(self, header: str) -> list[bytes]:
        texts = header.split() if self.is_list else [header.strip()]
        if len(texts) > SIGNATURES_MAX:
            raise SignatureInvalid(
                f"header {self.header} carries {len(texts)} signatures, allowed are {SIGNATURES_MAX}: send fewer"
            )
        own = [text.removeprefix(self.prefix) for text in texts if text.startswith(self.prefix)]
        found = [signature for text in own if (signature := self._decoded(text)) is not None]
        if not found:
            begins = f" that begins with {self.prefix!r}" if self.prefix else ""
            raise SignatureInvalid(
                f"header {self.header} carries no {self.encoding} {self.algorithm} signature{begins}"
            )
        return found

    def _decoded(self, text: str) -> bytes | None:
        try:
            signature = bytes.fromhex(text) if self.encoding == "hex" else base64.b64decode(text, validate=True)
        except (binascii.Error, ValueError):
            return None
        return signature if len(signature) == hashlib.new(self.algorithm).digest_size else None

    def _demand_recent(self, text: str, at: datetime) -> None:
        assert self.tolerance_s is not None, "asked only where there is one"
        signed_at = _moment(text, self.clock)
        if signed_at is None:
            form = {
                Clock.SECONDS: "the whole seconds since 1970, in digits",
                Clock.MILLISECONDS: "the milliseconds since 1970, in digits",
                Clock.ISO_8601: "a moment as 2026-11-27T12:00:00Z",
            }[self.clock]
            raise SignatureInvalid(f"header {self.timestamp_header} is {text[:40]!r}: it must be {form}")
        age_s = int(at.timestamp()) - signed_at
        if abs(age_s) > self.tolerance_s:
            kind = "old" if age_s > 0 else "new"
            raise SignatureInvalid(
                f"header {self.timestamp_header} {text} is too {kind} by {abs(age_s) - self.tolerance_s:.0f} s (allowed are "
                f"{self.tolerance_s} s): sign each attempt anew with the present time, and check the clocks of both machines"
            )


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _moment(text: str, clock: Clock) -> float | None:
    """Seconds since 1970, rounded down where the sender wrote milliseconds; None where it is no such moment."""
    if clock is Clock.ISO_8601:
        try:
            moment = datetime.fromisoformat(text.strip())
        except ValueError:
            return None
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    digits = 12 if clock is Clock.SECONDS else 15
    if not (text.isascii() and text.isdigit() and len(text) <= digits):
        return None
    return float(int(text)) if clock is Clock.SECONDS else float(int(text) // 1000)
