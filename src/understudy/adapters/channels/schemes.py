"""The signature schemes of the services that webhooks come from: a row each, and what is peculiar to one beside it.

Each row is what its vendor documents; `tests/contract/test_channel_signatures.py` checks it against examples that
vendors and their libraries publish.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence
from typing import Final
from urllib.parse import parse_qs, parse_qsl, urlsplit, urlunsplit

from understudy.adapters.channels.signing import Clock, Scheme, Signed
from understudy.errors import ConfigurationError

STANDARD_PREFIX = "whsec_"
_HUBSPOT_DECODES: Final = {
    "%3A": ":",
    "%2F": "/",
    "%3F": "?",
    "%40": "@",
    "%21": "!",
    "%24": "$",
    "%27": "'",
    "%28": "(",
    "%29": ")",
    "%2A": "*",
    "%2C": ",",
    "%3B": ";",
}
"""What HubSpot decodes in a URL before it signs; everything else stays as it was sent."""
_PORTS: Final = {"https": 443, "http": 80}


def _standard_key(secret: str) -> bytes:
    text = secret.strip().removeprefix(STANDARD_PREFIX)
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError) as error:
        raise ConfigurationError(f"the secret is not {STANDARD_PREFIX} followed by base64") from error


def _twilio_urls(request: Signed) -> Sequence[bytes]:
    """Twilio signs the address with or without the port, whichever the server's own name for itself is."""
    try:
        parts = urlsplit(request.url)
        host, port = parts.netloc.rpartition("@")[2].partition(":")[0], parts.port
    except ValueError:
        return [request.url.encode()]
    login = parts.netloc.rpartition("@")[0]
    before = f"{login}@" if login else ""
    ports = dict.fromkeys([None, port or _PORTS.get(parts.scheme)])
    ways = [f"{before}{host}" if one is None else f"{before}{host}:{one}" for one in ports]
    return [urlunsplit(parts._replace(netloc=way)).encode() for way in ways]


def _twilio_form(request: Signed) -> Sequence[bytes]:
    """Each name with each of its values, sorted, joined by nothing; a JSON body is covered by the URL's bodySHA256."""
    if _body_digest(request.url) is not None:
        return [b""]
    fields = set(parse_qsl(request.body.decode("utf-8", "replace"), keep_blank_values=True))
    return ["".join(name + value for name, value in sorted(fields)).encode()]


def _body_digest(url: str) -> str | None:
    try:
        return parse_qs(urlsplit(url).query).get("bodySHA256", [None])[0]
    except ValueError:
        return None


def _twilio_refuses(request: Signed) -> str | None:
    wanted = _body_digest(request.url)
    if wanted is None or hmac.compare_digest(hashlib.sha256(request.body).hexdigest(), wanted.lower()):
        return None
    return "the body is not the one whose SHA-256 stands in the URL as bodySHA256: see that no proxy changes it"


def _hubspot_url(request: Signed) -> Sequence[bytes]:
    decoded = re.sub("%[0-9A-Fa-f]{2}", lambda one: _HUBSPOT_DECODES.get(one[0].upper(), one[0]), request.url)
    return list(dict.fromkeys([decoded.encode(), request.url.encode()]))


_ROWS = (
    Scheme(
        name="standard-webhooks",
        header="webhook-signature",
        template="{id}.{timestamp}.{body}",
        encoding="base64",
        prefix="v1,",
        is_list=True,
        id_header="webhook-id",
        timestamp_header="webhook-timestamp",
        key=_standard_key,
    ),
    Scheme(
        name="slack",
        header="x-slack-signature",
        template="v0:{timestamp}:{body}",
        prefix="v0=",
        timestamp_header="x-slack-request-timestamp",
    ),
    Scheme(
        name="twilio",
        header="x-twilio-signature",
        template="{url}{form}",
        algorithm="sha1",
        encoding="base64",
        parts={"url": _twilio_urls, "form": _twilio_form},
        refused=_twilio_refuses,
    ),
    Scheme(
        name="sinch-conversation",
        header="x-sinch-webhook-signature",
        template="{body}.{nonce}.{timestamp}",
        encoding="base64",
        nonce_header="x-sinch-webhook-signature-nonce",
        timestamp_header="x-sinch-webhook-signature-timestamp",
    ),
    Scheme(name="whatsapp-cloud-api", header="x-hub-signature-256", template="{body}", prefix="sha256="),
    Scheme(
        name="chatwoot",
        header="x-chatwoot-signature",
        template="{timestamp}.{body}",
        prefix="sha256=",
        timestamp_header="x-chatwoot-timestamp",
    ),
    Scheme(
        name="zendesk",
        header="x-zendesk-webhook-signature",
        template="{timestamp}{body}",
        encoding="base64",
        timestamp_header="x-zendesk-webhook-signature-timestamp",
        clock=Clock.ISO_8601,
        tolerance_s=None,  # the moment is that of the event, which may be delivered again for days
    ),
    Scheme(name="intercom", header="x-hub-signature", template="{body}", algorithm="sha1", prefix="sha1="),
    Scheme(
        name="hubspot-v3",
        header="x-hubspot-signature-v3",
        template="{method}{url}{body}{timestamp}",
        encoding="base64",
        timestamp_header="x-hubspot-request-timestamp",
        clock=Clock.MILLISECONDS,
        parts={"url": _hubspot_url},
    ),
    Scheme(
        name="hubspot-v2",
        header="x-hubspot-signature",
        template="{secret}{method}{url}{body}",
        is_keyed=False,
        parts={"url": _hubspot_url},
    ),
    Scheme(name="hubspot-v1", header="x-hubspot-signature", template="{secret}{body}", is_keyed=False),
)
SCHEMES: Final[Mapping[str, Scheme]] = {scheme.name: scheme for scheme in _ROWS}
"""By name; `ALIASES` are shorter names for some."""
ALIASES: Final[Mapping[str, str]] = {
    "hubspot": "hubspot-v3",
    "sinch": "sinch-conversation",
    "webhook": "standard-webhooks",
    "whatsapp": "whatsapp-cloud-api",
}


def scheme_of(provider: str) -> Scheme:
    """The scheme of a provider, by its name or a shorter one; raises `ConfigurationError` naming all."""
    name = provider.strip().lower()
    scheme = SCHEMES.get(ALIASES.get(name, name))
    if scheme is None:
        raise ConfigurationError(f"no signature scheme is called {provider!r}; there are {', '.join(SCHEMES)}")
    return scheme
