"""OpenID Connect as the port asks for it, against a scripted provider: what it keeps, what it asks, and what it never believes.

The flow with a real provider stands in acceptance/test_sign_in_elsewhere.py.
"""

from __future__ import annotations

import asyncio
import base64
import hmac
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs

import httpx2
import pytest
from joserfc import jws, jwt
from joserfc.jwk import ECKey, OctKey, RSAKey

from understudy.adapters.identity.oidc import OidcProvider, challenge_of
from understudy.errors import SignInRefused
from understudy.ports.identity import Attempt, Identity
from understudy.records.admission import Refusal
from understudy.testing.scripted import FrozenClock

ISSUER = "https://login.shop.example"
BACK_TO = "https://shop.example/v1/session/oidc/callback"
ATTEMPT = Attempt(state="s" * 43, nonce="n" * 43, verifier="v" * 43)
START = datetime(2026, 5, 2, 12, 0, tzinfo=UTC)
RSA, EC = RSAKey.generate_key(2048, {"kid": "one"}), ECKey.generate_key("P-256", {"kid": "two"})


class Scripted:
    """A provider that answers as it is told; `asked` is what it was asked, in order."""

    def __init__(self) -> None:
        self.asked: list[httpx2.Request] = []
        self.discovery: dict[str, Any] = {
            "issuer": ISSUER,
            "authorization_endpoint": f"{ISSUER}/auth?tenant=1",
            "token_endpoint": f"{ISSUER}/token",
            "jwks_uri": f"{ISSUER}/keys",
        }
        self.keys: list[Any] = [RSA, EC]
        self.key: Any = RSA
        self.header: dict[str, Any] = {"alg": "RS256", "kid": "one"}
        self.claims: dict[str, Any] = {
            "iss": ISSUER,
            "aud": "understudy",
            "sub": "ines",
            "nonce": ATTEMPT.nonce,
            "iat": START.timestamp(),
            "exp": START.timestamp() + 60,
        }
        self.userinfo: dict[str, Any] = {"sub": "ines", "name": "Ines"}
        self.instead: dict[str, Callable[[], httpx2.Response]] = {}

    def answer(self, request: httpx2.Request) -> httpx2.Response:
        self.asked.append(request)
        path = request.url.path
        if path in self.instead:
            return self.instead[path]()
        if path == "/token":
            token = jwt.encode(self.header, self.claims, self.key, algorithms=[self.header["alg"]])
            return httpx2.Response(200, json={"id_token": token, "access_token": "for userinfo"})
        known = {
            "/.well-known/openid-configuration": self.discovery,
            "/keys": {
                "keys": [key.as_dict(private=False) if isinstance(key, RSAKey | ECKey) else key for key in self.keys]
            },
            "/me": self.userinfo,
        }
        return httpx2.Response(200, json=known[path])

    def paths(self) -> list[str]:
        return [request.url.path.rpartition("/")[2] for request in self.asked]


@pytest.fixture
def scripted() -> Scripted:
    return Scripted()


def provider(scripted: Scripted, *, secret: str | None = "s/e:c ret", clock: Any = None) -> OidcProvider:
    return OidcProvider(
        issuer=ISSUER,
        client_id="understudy",
        client_secret=secret,
        scopes=["profile", "openid"],
        clock=clock or FrozenClock(START),
        skew_s=30,
        timeout_s=5,
        kept_s=3600,
        transport=httpx2.MockTransport(scripted.answer),
    )


def redeemed(scripted: Scripted, **options: Any) -> Identity:
    return asyncio.run(provider(scripted, **options).redeem("code", ATTEMPT, back_to=BACK_TO))


def why(scripted: Scripted) -> str:
    with pytest.raises(SignInRefused) as refused:
        redeemed(scripted)
    assert "for userinfo" not in refused.value.message
    assert "s/e:c ret" not in refused.value.message
    return refused.value.why


def test_address_carries_everything_that_the_attempt_is_recognised_by(scripted: Scripted) -> None:
    address = httpx2.URL(asyncio.run(provider(scripted).address(ATTEMPT, back_to=BACK_TO)))
    assert str(address).startswith(f"{ISSUER}/auth?tenant=1&")
    assert dict(address.params) == {
        "tenant": "1",
        "response_type": "code",
        "client_id": "understudy",
        "redirect_uri": BACK_TO,
        "scope": "openid profile",
        "state": ATTEMPT.state,
        "nonce": ATTEMPT.nonce,
        "code_challenge": challenge_of(ATTEMPT.verifier),
        "code_challenge_method": "S256",
    }


def test_challenge_is_that_of_rfc_7636() -> None:
    """Its appendix B."""
    assert challenge_of("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk") == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


@pytest.mark.parametrize(
    ("key", "algorithm", "kid"), [(RSA, "RS256", "one"), (RSA, "PS384", "one"), (EC, "ES256", "two")]
)
def test_token_by_a_published_key_says_who_came(key: Any, algorithm: str, kid: str, scripted: Scripted) -> None:
    scripted.key, scripted.header = key, {"alg": algorithm, "kid": kid}
    found = redeemed(scripted)
    assert (found.issuer, found.subject) == (ISSUER, "ines")
    assert scripted.paths() == ["openid-configuration", "token", "keys"]


def test_secret_goes_where_the_provider_takes_it(scripted: Scripted) -> None:
    redeemed(scripted)
    form = parse_qs(scripted.asked[1].content.decode())
    assert scripted.asked[1].headers["authorization"] == "Basic dW5kZXJzdHVkeTpzJTJGZSUzQWMlMjByZXQ="
    assert form == {
        "grant_type": ["authorization_code"],
        "code": ["code"],
        "redirect_uri": [BACK_TO],
        "code_verifier": [ATTEMPT.verifier],
    }
    scripted.discovery["token_endpoint_auth_methods_supported"] = ["client_secret_post"]
    redeemed(scripted)
    assert parse_qs(scripted.asked[-2].content.decode())["client_secret"] == ["s/e:c ret"]
    redeemed(scripted, secret=None)
    assert "client_secret" not in parse_qs(scripted.asked[-2].content.decode())
    assert "authorization" not in scripted.asked[-2].headers


def test_what_the_token_says_counts_before_what_else_is_known(scripted: Scripted) -> None:
    scripted.discovery["userinfo_endpoint"] = f"{ISSUER}/me"
    scripted.claims["groups"] = ["support"]
    scripted.userinfo["groups"] = ["leads"]
    found = redeemed(scripted)
    assert (found.claims["name"], found.claims["groups"]) == ("Ines", ["support"])
    scripted.userinfo["sub"] = "lena"
    assert why(scripted) == Refusal.TOKEN_INVALID


def test_an_address_is_verified_only_by_who_says_it(scripted: Scripted) -> None:
    scripted.discovery["userinfo_endpoint"] = f"{ISSUER}/me"
    scripted.claims["email"] = "ceo@shop.example"
    scripted.userinfo |= {"email": "ines@elsewhere.example", "email_verified": True}
    assert "email_verified" not in redeemed(scripted).claims
    scripted.userinfo["email"] = "ceo@shop.example"
    assert redeemed(scripted).claims["email_verified"] is True
    scripted.userinfo["email"] = "ines@elsewhere.example"
    scripted.claims["email_verified"] = True
    found = redeemed(scripted).claims
    assert (found["email"], found["email_verified"]) == ("ceo@shop.example", True)
    del scripted.claims["email"]
    scripted.userinfo = {"sub": "ines", "email": "ines@elsewhere.example"}
    assert "email_verified" not in redeemed(scripted).claims


def test_many_who_come_while_the_provider_is_away_wait_for_it_once(scripted: Scripted) -> None:
    clock = FrozenClock(START)
    kept = provider(scripted, clock=clock)
    scripted.instead["/.well-known/openid-configuration"] = broken(httpx2.ConnectError("no"))

    async def come(number: int) -> list[Any]:
        coming = (kept.redeem("code", ATTEMPT, back_to=BACK_TO) for _ in range(number))
        return await asyncio.gather(*coming, return_exceptions=True)

    async def play() -> None:
        away = await come(5)
        assert {one.why for one in away} == {Refusal.PROVIDER_AWAY}
        assert scripted.paths() == ["openid-configuration"]
        scripted.instead.clear()
        await clock.sleep(5)
        (found,) = await come(1)
        assert found.subject == "ines"

    asyncio.run(play())


def test_documents_are_kept_for_their_time(scripted: Scripted) -> None:
    clock = FrozenClock(START)
    kept = provider(scripted, clock=clock)
    scripted.claims["exp"] += 10_000

    async def sign_in_four_times() -> None:
        for wait_s in (0, 3599, 2, 0):
            await clock.sleep(wait_s)
            await kept.redeem("code", ATTEMPT, back_to=BACK_TO)

    asyncio.run(sign_in_four_times())
    names = scripted.paths()
    assert (names.count("openid-configuration"), names.count("keys"), names.count("token")) == (2, 2, 4)


def test_key_that_was_replaced_is_fetched_once(scripted: Scripted) -> None:
    kept = provider(scripted)
    new = RSAKey.generate_key(2048, {"kid": "three"})

    async def sign_in() -> None:
        await kept.redeem("code", ATTEMPT, back_to=BACK_TO)

    async def play() -> None:
        await sign_in()
        scripted.keys, scripted.key, scripted.header = [new], new, {"alg": "RS256", "kid": "three"}
        await sign_in()
        scripted.keys = [RSA]
        await sign_in()
        scripted.header = {"alg": "RS256", "kid": "four"}
        with pytest.raises(SignInRefused) as refused:
            await sign_in()
        assert refused.value.why == Refusal.TOKEN_INVALID

    asyncio.run(play())
    assert scripted.paths().count("keys") == 3


def signed_by_the_public_key(scripted: Scripted) -> None:
    header, claims = ({"alg": "HS256", "kid": "one"}, scripted.claims)
    parts = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=") for part in (header, claims)]
    signature = hmac.digest(RSA.as_pem(private=False), b".".join(parts), "sha256")
    token = b".".join([*parts, base64.urlsafe_b64encode(signature).rstrip(b"=")]).decode()
    scripted.instead["/token"] = lambda: httpx2.Response(200, json={"id_token": token})


def signed_by_the_secret(scripted: Scripted) -> None:
    scripted.key, scripted.header = OctKey.import_key("s/e:c ret" * 4), {"alg": "HS256"}


def not_signed(scripted: Scripted) -> None:
    token = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJpbmVzIn0."
    scripted.instead["/token"] = lambda: httpx2.Response(200, json={"id_token": token})


def by_a_key_for_encryption(scripted: Scripted) -> None:
    scripted.keys = [RSA.as_dict(private=False) | {"use": "enc"}]


def by_one_of_two_and_not_said_which(scripted: Scripted) -> None:
    del scripted.header["kid"]


def published_key_that_is_none(scripted: Scripted) -> None:
    scripted.keys = [{"kty": "RSA", "kid": "one", "n": "!", "e": "AQAB"}, {"kty": "?"}, 7]


def published_key_of_a_curve_that_nobody_knows(scripted: Scripted) -> None:
    scripted.keys = [{"kty": "EC", "kid": "one", "crv": "P-1", "x": "AA", "y": "AA"}]


def signed_and_nested_too_deep(scripted: Scripted) -> None:
    token = jws.serialize_compact({"alg": "RS256", "kid": "one"}, b"[" * 50_000, RSA)
    scripted.instead["/token"] = lambda: httpx2.Response(200, json={"id_token": token})


def no_token_at_all(scripted: Scripted) -> None:
    scripted.instead["/token"] = lambda: httpx2.Response(200, json={"id_token": {"not": "text"}})


@pytest.mark.filterwarnings("ignore::joserfc.errors.SecurityWarning")
@pytest.mark.parametrize(
    "how",
    [
        signed_by_the_public_key,
        signed_by_the_secret,
        not_signed,
        by_a_key_for_encryption,
        by_one_of_two_and_not_said_which,
        published_key_that_is_none,
        published_key_of_a_curve_that_nobody_knows,
        signed_and_nested_too_deep,
        no_token_at_all,
    ],
    ids=lambda how: how.__name__,
)
def test_token_proves_nothing(how: Callable[[Scripted], None], scripted: Scripted) -> None:
    how(scripted)
    assert why(scripted) == Refusal.TOKEN_INVALID


@pytest.mark.parametrize(
    ("claim", "value", "is_good"),
    [
        ("exp", START.timestamp() - 29, True),
        ("exp", START.timestamp() - 30, False),
        ("iat", START.timestamp() + 30, True),
        ("iat", START.timestamp() + 31, False),
        ("nbf", START.timestamp() + 31, False),
        ("exp", True, False),
        ("exp", "soon", False),
        ("exp", float("nan"), False),
        ("exp", float("inf"), False),
        ("exp", 10**400, False),
        ("aud", ["understudy"], True),
        ("aud", [], False),
        ("sub", "x" * 256, False),
        ("sub", "a\nb", False),
        ("iss", f"{ISSUER}/", False),
    ],
)
def test_claim_is_looked_at(claim: str, value: Any, is_good: bool, scripted: Scripted) -> None:
    scripted.claims[claim] = value
    if is_good:
        assert redeemed(scripted).subject == "ines"
    else:
        assert why(scripted) == Refusal.TOKEN_INVALID


def broken(error: Exception) -> Callable[[], httpx2.Response]:
    def fail() -> httpx2.Response:
        raise error

    return fail


@pytest.mark.parametrize(
    ("path", "answer", "reason"),
    [
        ("/keys", broken(httpx2.ConnectError("refused")), Refusal.PROVIDER_AWAY),
        ("/keys", lambda: httpx2.Response(503), Refusal.PROVIDER_AWAY),
        ("/keys", lambda: httpx2.Response(200, text="<html>"), Refusal.PROVIDER_AWAY),
        ("/keys", lambda: httpx2.Response(200, text="[" * 100_000), Refusal.PROVIDER_AWAY),
        ("/keys", lambda: httpx2.Response(200, text=json.dumps("x" * 600_000)), Refusal.PROVIDER_AWAY),
        ("/keys", lambda: httpx2.Response(302, headers={"location": "https://evil.example"}), Refusal.PROVIDER_REFUSED),
        ("/token", lambda: httpx2.Response(400, json={"error": "invalid_grant"}), Refusal.PROVIDER_REFUSED),
        ("/token", lambda: httpx2.Response(200, json=[1]), Refusal.PROVIDER_AWAY),
    ],
)
def test_provider_that_is_not_itself_lets_nobody_in(path: str, answer: Any, reason: str, scripted: Scripted) -> None:
    scripted.instead[path] = answer
    assert why(scripted) == reason


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("issuer", f"{ISSUER}/", "has to be exactly that"),
        ("token_endpoint", "http://login.shop.example/token", "no token_endpoint that is safe to use"),
        ("userinfo_endpoint", "file:///etc/passwd", "no userinfo_endpoint that is safe to use"),
        ("jwks_uri", None, "no jwks_uri that is safe to use"),
    ],
)
def test_discovery_document_that_does_not_fit_is_refused(name: str, value: Any, says: str, scripted: Scripted) -> None:
    scripted.discovery[name] = value
    with pytest.raises(SignInRefused, match=says):
        asyncio.run(provider(scripted).check())


def test_check_says_what_it_found(scripted: Scripted) -> None:
    assert asyncio.run(provider(scripted).check()) == f"{ISSUER} answers and publishes 2 key(s)"
    scripted.keys = []
    with pytest.raises(SignInRefused, match="publishes no keys"):
        asyncio.run(provider(scripted).check())


def test_representation_holds_no_secret(scripted: Scripted) -> None:
    assert "s/e:c" not in repr(provider(scripted))
