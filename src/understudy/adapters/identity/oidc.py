"""OpenID Connect: the authorization code flow with PKCE, state and nonce, for any provider that has a discovery document.

It finds out who came, and judges nothing of it. Discovery and keys are kept for a while; a token by an unknown key has
the keys fetched anew, once. The flow is ours, the signatures are joserfc's: see docs/adr/0022.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import httpx2

from understudy.adapters.identity.documents import Documents
from understudy.adapters.identity.tokens import UnknownKey, demand_claims, verified
from understudy.errors import SignInRefused
from understudy.ports.clock import Clock
from understudy.ports.identity import Attempt, Identity
from understudy.records.admission import Refusal

DISCOVERY = "/.well-known/openid-configuration"
NEEDED = ("authorization_endpoint", "token_endpoint", "jwks_uri")


class OidcProvider:
    """Keeps `ports.identity.IdentityProvider`.

    `client_secret` None: a public client, which PKCE alone protects. `skew_s`: how far the clocks may differ.
    """

    def __init__(
        self,
        *,
        issuer: str,
        client_id: str,
        client_secret: str | None,
        scopes: Sequence[str],
        clock: Clock,
        skew_s: float,
        timeout_s: float,
        kept_s: float,
        transport: httpx2.AsyncBaseTransport | None = None,
    ) -> None:
        self.issuer = issuer
        self._client_id = client_id
        self._secret = client_secret
        self._scopes = " ".join(dict.fromkeys(["openid", *scopes]))
        self._clock = clock
        self._skew_s = skew_s
        self._documents = Documents(clock, timeout_s=timeout_s, kept_s=kept_s, transport=transport)

    def __repr__(self) -> str:
        return f"OidcProvider({self.issuer!r})"

    async def address(self, attempt: Attempt, *, back_to: str) -> str:
        """The provider's page, with everything that it and we shall recognise this attempt by."""
        asked = {
            "response_type": "code",
            "client_id": self._client_id,
            "redirect_uri": back_to,
            "scope": self._scopes,
            "state": attempt.state,
            "nonce": attempt.nonce,
            "code_challenge": challenge_of(attempt.verifier),
            "code_challenge_method": "S256",
        }
        page = str((await self._discovery())["authorization_endpoint"])
        return f"{page}{'&' if '?' in page else '?'}{urlencode(asked)}"

    async def redeem(self, code: str, attempt: Attempt, *, back_to: str) -> Identity:
        """Redeem the code for a token, hold that against the keys, and ask what else is known of whom it names."""
        discovery = await self._discovery()
        answer = await self._tokens(discovery, code, attempt, back_to=back_to)
        claims = await self._verified(answer.get("id_token"), discovery)
        demand_claims(
            claims,
            issuer=self.issuer,
            client_id=self._client_id,
            nonce=attempt.nonce,
            now=self._clock.now(),
            skew_s=self._skew_s,
        )
        more = await self._more(discovery, answer.get("access_token"), subject=claims["sub"])
        return Identity(issuer=self.issuer, subject=claims["sub"], claims=_together(claims, more))

    async def check(self) -> str:
        """Fetch the discovery document and the keys."""
        keys = (await self._documents.kept((await self._discovery())["jwks_uri"], anew=True)).get("keys")
        if not isinstance(keys, list) or not keys:
            raise SignInRefused(f"{self.issuer} publishes no keys", why=Refusal.PROVIDER_AWAY)
        return f"{self.issuer} answers and publishes {len(keys)} key(s)"

    async def close(self) -> None:
        """Close the connections."""
        await self._documents.close()

    async def _discovery(self) -> dict[str, Any]:
        url = self.issuer.rstrip("/") + DISCOVERY
        found = await self._documents.kept(url)
        if found.get("issuer") != self.issuer:
            said = str(found.get("issuer"))[:200]
            raise SignInRefused(
                f"{url} calls itself {said!r}; sign_in.oidc.issuer has to be exactly that", why=Refusal.PROVIDER_AWAY
            )
        for name in (*NEEDED, *(["userinfo_endpoint"] if "userinfo_endpoint" in found else [])):
            if urlsplit(str(found.get(name))).scheme not in ("https", urlsplit(self.issuer).scheme):
                raise SignInRefused(f"{url} has no {name} that is safe to use", why=Refusal.PROVIDER_AWAY)
        return found

    async def _tokens(self, discovery: dict[str, Any], code: str, attempt: Attempt, *, back_to: str) -> dict[str, Any]:
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": back_to}
        form["code_verifier"] = attempt.verifier
        headers = {}
        ways = discovery.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
        if self._secret is not None and "client_secret_basic" in ways:
            pair = f"{quote(self._client_id, safe='')}:{quote(self._secret, safe='')}"
            headers["authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
        else:
            form["client_id"] = self._client_id
            form |= {} if self._secret is None else {"client_secret": self._secret}
        return await self._documents.fetch("POST", str(discovery["token_endpoint"]), headers=headers, form=form)

    async def _verified(self, token: Any, discovery: dict[str, Any]) -> dict[str, Any]:
        url = str(discovery["jwks_uri"])
        try:
            return verified(token, await self._documents.kept(url))
        except UnknownKey:
            return verified(token, await self._documents.kept(url, anew=True))

    async def _more(self, discovery: dict[str, Any], token: Any, *, subject: str) -> dict[str, Any]:
        """What the provider says beside the token, as most do of names and groups; nothing where it has no place for it."""
        url = discovery.get("userinfo_endpoint")
        if url is None or not isinstance(token, str) or not (token.isascii() and token.isprintable()):
            return {}
        more = await self._documents.fetch("GET", str(url), headers={"authorization": f"Bearer {token}"})
        if more.get("sub") != subject:
            raise SignInRefused("the provider's userinfo is about somebody else", why=Refusal.TOKEN_INVALID)
        return more


def _together(claims: dict[str, Any], more: dict[str, Any]) -> dict[str, Any]:
    """What the token and the userinfo say; the token counts first. That an address was verified is said of one address."""
    found = {**more, **claims}
    of_it = [said for said in (claims, more) if said.get("email") == found.get("email") and "email_verified" in said]
    verified_by = {"email_verified": of_it[0]["email_verified"]} if of_it else {}
    return {**{name: said for name, said in found.items() if name != "email_verified"}, **verified_by}


def challenge_of(verifier: str) -> str:
    """What is shown of a verifier beforehand (RFC 7636, S256)."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
