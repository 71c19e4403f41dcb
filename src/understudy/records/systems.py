"""How a system of record talks over REST, as data: what it can be asked of a customer and told of a ticket. It asks nothing.

Paths and conditions are asked of a table that holds all there is to see:

    look-ups      {"item", "status", "headers", "body", "known"}       known: emails, phones, contact_id
    writes        {"status", "headers", "body"}
    find          {"item", "order", "status", "headers", "body"}       order: what was to be written, with its key
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

from pydantic import Field, model_validator

from understudy.records.facts import About
from understudy.records.json_paths import Condition, Path, Paths
from understudy.records.rest import AnswerShape, Part, RequestShape
from understudy.records.shape import Shape
from understudy.records.templates import Template, placeholders

Write = Literal["create", "note", "assign", "close"]
"""What a system can be told: to open a ticket, to note something in it, to give it to somebody, to close it."""
WRITES: Final[tuple[Write, ...]] = ("create", "note", "assign", "close")

OF_THE_CUSTOMER: Final = frozenset({"email", "phone", "phone_digits", "contact_id", "external_id"})
"""Placeholders of look-ups; a request that names one nothing vouches for is not made."""
OF_THE_ORDER: Final = frozenset(
    {"key", "ticket", "subject", "text", "assignee", "email", "phone", "name", "contact_id", "link", "at"}
)
"""Placeholders of writes."""
ALWAYS_KNOWN: Final = frozenset({"system", "access_token", "public_url"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """By what a customer can be looked up: what somebody vouches for. `contact_id` is the system's own name for them,
    once it was looked up; `external_id` the business's, where its own software gave it."""

    emails: tuple[str, ...] = ()
    phones: tuple[str, ...] = ()
    external_id: str | None = None
    contact_id: str | None = None

    @property
    def is_nobody(self) -> bool:
        """Whether there is nothing to look them up by."""
        return not (self.emails or self.phones or self.external_id or self.contact_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """Something to be told to a system under a `key` that is the same at every try.

    `ticket` is the system's name for the ticket, None where one is to be created. `known` is who it is about. `tried_at`: when
    it was last tried to carry it out.
    """

    what: Write
    key: str
    ticket: str | None = None
    subject: str = ""
    text: str = ""
    assignee: str = ""
    name: str = ""
    link: str = ""
    known: Known = Known()
    tried_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Contract:
    """What a system's answers to one kind of look-up looked like so far."""

    system: str
    about: About
    shape: Shape
    changed_at: datetime


class OAuthShape(Part):
    """Where access tokens come from (OAuth 2.0, RFC 6749); a refresh token is used where there is one, else the client's own."""

    token_url: Template = Field(description="address of the token endpoint, with {placeholders}")
    client_id: Template = Field(description="of the app")
    client_secret: Template | None = Field(None, description="of the app")
    refresh_token: Template | None = Field(None, description="of the user who let the app in")
    scope: str | None = Field(None, description="what is asked for, separated by spaces")
    audience: str | None = Field(None, description="whose interface the token is for, where the provider asks for it")
    login: bool = Field(False, description="true: the client's id and secret go as HTTP Basic instead of in the body")


class AuthShape(Part):
    """How each request says who asks: headers (bearer tokens, API keys), a login, and where tokens come from."""

    headers: dict[str, Template] = Field(
        {}, description="sent with each request; {access_token} is what `oauth2` got, others stand in credentials"
    )
    login: list[Template] = Field([], max_length=2, description="name and password, for HTTP Basic")
    oauth2: OAuthShape | None = None

    @model_validator(mode="after")
    def _is_whole(self) -> AuthShape:
        if len(self.login) == 1:
            raise ValueError("login is a name and a password; give both, the password may be empty")
        wants = "access_token" in placeholders([*self.headers.values(), *self.login])
        if wants != (self.oauth2 is not None):
            raise ValueError("{access_token} and oauth2 belong together: one names what the other gets")
        return self


class AskShape(RequestShape):
    """A request that changes nothing."""

    method: Literal["GET", "POST"] = Field("GET", description="of the request")
    body: Literal["json", "form", "none"] = Field("json", description="how the template is written, if there is one")


class ConsultShape(Part):
    """How one kind of thing is looked up, and where it stands in the answer."""

    ask: list[AskShape] = Field(
        min_length=1,
        description="requests; the first whose {placeholders} are all known is made, each value tried in turn",
    )
    answered: Condition = Field(
        description="condition for an answer to rely on, such as @.body.users: what is read is there at all; an answer without it is unknown, never empty"
    )
    items: Path = Field(description="the things in the answer")
    when: Condition | None = Field(None, description="condition for those that count, such as open tickets")
    same_email: Paths = Field([], description="the e-mail address of a thing; only those of the customer's count")
    same_phone: Paths = Field([], description="the phone number of a thing; only those of the customer's count")
    id: Paths = Field(description="the system's name for the thing")
    fields: dict[str, Paths] = Field({}, description="what is read of each thing: our name for it = where it stands")
    needed: list[str] = Field([], description="fields that no thing can lack: where one is gone, all is unknown")
    link: Template | None = Field(None, description="where people see the thing; {id} is its name")
    more: Condition | None = Field(None, description="condition for further pages")
    not_found: list[int] = Field([], description="statuses that mean: there is none")
    as_of: Paths = Field([], description="as of when the answer holds, in ISO 8601; default: when it was read")
    sample: str | None = Field(None, description="an answer as the system gives it, for tests")

    @model_validator(mode="after")
    def _needs_what_it_reads(self) -> ConsultShape:
        unread = [name for name in self.needed if name not in self.fields]
        if unread:
            raise ValueError(f"needed names {unread[0]!r}, which is not in fields")
        return self


class FindShape(AskShape):
    """The request that asks whether something was written, where the outcome of the write is unknown."""

    answered: Condition = Field(description="condition for an answer to rely on: what is looked through is there")
    items: Path = Field(description="the candidates in the answer")
    when: Condition = Field(description="condition for what was written; `order` has its key")
    id: Paths = Field(description="the system's name for it")
    more: Condition | None = Field(None, description="condition for further pages: what is not here is then unknown")
    not_found: list[int] = Field([], description="statuses that mean: there is none")
    settles_s: float = Field(
        0.0, ge=0, le=3600, description="for so long after a write it may not be found though it is there"
    )


class WriteShape(RequestShape):
    """A request that changes something. The key stands where a template says {key}, or in `key_header`."""

    method: Literal["POST", "PUT", "PATCH"] = Field("POST", description="of the request")
    key_header: str | None = Field(None, description="a header that carries the key, the same on each try")
    honours_keys: bool = Field(
        False,
        description="true: the same key again changes nothing, or the request says what shall be and not what to add",
    )
    answer: AnswerShape = Field(AnswerShape(), description="how the answer is read")
    find: FindShape | None = Field(None, description="how one sees whether it was written")
    confirm: bool = Field(
        False, description="true: an answer that takes it proves nothing, so it is looked up by `find` each time"
    )

    @model_validator(mode="after")
    def _can_be_confirmed(self) -> WriteShape:
        if self.confirm and self.find is None:
            raise ValueError("confirm needs find: that is how one sees whether it was written")
        return self


class SystemShape(Part):
    """The whole of a system of record."""

    values: dict[str, str] = Field({}, description="what {placeholders} stand for, where nothing else is said")
    auth: AuthShape = AuthShape()
    contact: ConsultShape | None = None
    orders: ConsultShape | None = None
    tickets: ConsultShape | None = None
    create: WriteShape | None = None
    note: WriteShape | None = None
    assign: WriteShape | None = None
    close: WriteShape | None = None
    probe: AskShape | None = Field(
        None, description="a request that changes nothing, by which doctor sees that it is let in"
    )

    def consults(self, about: About) -> ConsultShape | None:
        """How a kind of thing is looked up, if it can be."""
        found: ConsultShape | None = getattr(self, about)
        return found

    def writes(self, what: Write) -> WriteShape | None:
        """How something is written, if it can be."""
        found: WriteShape | None = getattr(self, what)
        return found

    def requests(self) -> list[RequestShape]:
        """All its requests."""
        asks = [one for about in (self.contact, self.orders, self.tickets) if about for one in about.ask]
        writes = [one for one in (self.create, self.note, self.assign, self.close) if one is not None]
        finds = [one.find for one in writes if one.find is not None]
        return [*asks, *writes, *finds, *([] if self.probe is None else [self.probe])]

    def unknown_placeholders(self, known: Any) -> frozenset[str]:
        """Placeholders that nobody gives a value."""
        auth = self.auth
        texts: list[Any] = [*auth.headers.values(), *auth.login]
        if (oauth := auth.oauth2) is not None:
            texts += [
                one for one in (oauth.token_url, oauth.client_id, oauth.client_secret, oauth.refresh_token) if one
            ]
        links = [one.link for one in (self.contact, self.orders, self.tickets) if one and one.link]
        wanted = placeholders(texts) | frozenset(name for one in self.requests() for name in one.wanted())
        linked = placeholders(links) - {"id"}
        given = OF_THE_CUSTOMER | OF_THE_ORDER | ALWAYS_KNOWN | frozenset(known) | frozenset(self.values)
        return (wanted | linked) - given


def joined(preset: SystemShape, given: Mapping[str, Any]) -> SystemShape:
    """A shape with some of its parts written anew."""
    return preset.model_copy(update={name: part for name, part in given.items() if part is not None})
