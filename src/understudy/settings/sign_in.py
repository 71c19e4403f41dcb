"""How people sign in: by passwords kept here, by an identity provider, or both; nobody is asked anything here."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator, model_validator

from understudy.records.access import Role
from understudy.records.admission import AdmissionTerms
from understudy.settings.section import Section


class OidcSettings(Section):
    """An OpenID Connect provider; needs understudy[oidc]. Its client's redirect address is PUBLIC_URL/v1/session/oidc/callback."""

    issuer: str = Field(description="its address, exactly as its discovery document says")
    client_id: str = Field(min_length=1, description="what it calls this server")
    client_secret: SecretStr | None = Field(
        None, description="better set by environment or *_FILE; default: a public client, with PKCE alone"
    )
    scopes: list[str] = Field(["profile", "email"], description="what is asked for beside `openid`")
    label: str = Field(
        "Sign in with your company account", min_length=1, max_length=80, description="what stands on the button"
    )
    name_claim: str = Field("name", description="the claim that says how somebody is called in verdicts and the ledger")
    role_claim: str | None = Field(
        None,
        description="the claim that `roles` are looked up in, a text or a list; a path such as realm_access.roles too",
    )
    roles: dict[str, Role] = Field(
        {}, description="value of the claim -> role; the first line that somebody has counts, at every sign-in"
    )
    default_role: Role | None = Field(None, description="role of those who have none of these; default: not let in")
    email_domains: list[str] = Field(
        [], description="only people with a verified address there are let in; empty = everybody the provider knows"
    )
    clock_skew_s: float = Field(60.0, ge=0, le=600, description="how far its clock and ours may differ")
    timeout_s: float = Field(10.0, gt=0, le=60, description="for one answer of the provider")
    kept_s: float = Field(3_600.0, ge=0, description="how long its discovery document and keys are good for")

    @field_validator("issuer")
    @classmethod
    def _is_safe(cls, issuer: str) -> str:
        address = urlsplit(issuer)
        if not address.hostname or address.query or address.fragment:
            raise ValueError("must be an address such as https://login.example.com, without query and fragment")
        if address.scheme != "https" and not (address.scheme == "http" and _is_this_machine(address.hostname)):
            raise ValueError("must begin with https://; http:// is taken for this machine alone")
        return issuer

    @model_validator(mode="after")
    def _lets_somebody_in(self) -> Self:
        if self.roles and self.role_claim is None:
            raise ValueError("roles need role_claim, the claim they are looked up in")
        if not self.roles and self.default_role is None:
            raise ValueError("nobody would have a role: set role_claim and roles, or default_role")
        return self

    @property
    def terms(self) -> AdmissionTerms:
        """Whom it lets in, as the rule takes it."""
        return AdmissionTerms(
            name_claim=self.name_claim,
            role_claim=self.role_claim,
            roles=tuple(self.roles.items()),
            default_role=self.default_role,
            email_domains=frozenset(domain.removeprefix("@").casefold() for domain in self.email_domains),
        )


class SignInSettings(Section):
    """How people sign in to the console."""

    password: Literal["all", "admins", "none"] = Field(
        "all",
        description="whose passwords are taken; `admins` leaves a way in while the provider is away; these need sign_in.oidc",
    )
    oidc: OidcSettings | None = None

    @model_validator(mode="after")
    def _leaves_a_way_in(self) -> Self:
        if self.password != "all" and self.oidc is None:  # noqa: S105 - whose passwords, no password
            raise ValueError(f"password = {self.password!r} needs [sign_in.oidc], else nobody could sign in")
        return self


def _is_this_machine(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
