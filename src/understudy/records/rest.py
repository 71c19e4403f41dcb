"""How a REST channel talks, as data: where its messages are, how a reply is written and what an answer means. It does nothing.

Paths and conditions are asked of a table that holds all there is to see, so that one form does for all of them:

    inbound       {"message", "event", "payload", "headers", "query", "own"}
    reports       {"report", and the same}
    handshakes    {"payload", "headers", "query", "own"}
    answer        {"status", "headers", "body"}
    look_up       {"item", "entry", "status", "headers", "body"}

`own` are the channel's own `values`: its number, its account. Names of headers are in lower case.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from understudy.records.json_paths import Condition, Path, Paths
from understudy.records.templates import Template, Tree, placeholders

Meaning = Literal["accepted", "rejected", "retry", "unknown"]
Moment = Literal["seconds", "milliseconds", "iso-8601"]

OF_THE_REPLY = frozenset({"to", "text", "conversation", "key", "created_s", "author", "ai_generated", "origin"})
ALWAYS_KNOWN = OF_THE_REPLY | {"channel", "public_url", "secret"}
"""Placeholders that every reply has; `secret` is the first of the channel's `secrets`."""


class Part(BaseModel):
    """A part of the shape: unknown keys are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class SignatureShape(Part):
    """How one knows that a request is the provider's: a known `scheme`, one of your own, or a plain shared `token`."""

    scheme: str | None = Field(None, description="a known scheme, as `understudy channels verify` lists them")
    header: str | None = Field(None, description="where the signature stands, for a scheme of your own")
    template: str | None = Field(
        None,
        description="what is signed: text with {id}, {timestamp}, {nonce}, {body}, {method}, {url} and, without a key, {secret}",
    )
    algorithm: Literal["sha256", "sha1"] = Field("sha256", description="of the hash")
    encoding: Literal["hex", "base64"] = Field("hex", description="how the signature is written")
    prefix: str = Field("", description="what stands before the signature, such as sha256=")
    is_list: bool = Field(False, description="true: several signatures, separated by spaces, of which one has to fit")
    is_keyed: bool = Field(True, description="false: a plain hash over a text that holds the secret, no HMAC")
    id_header: str | None = Field(None, description="the header that {id} stands for")
    timestamp_header: str | None = Field(None, description="the header that {timestamp} stands for")
    nonce_header: str | None = Field(None, description="the header that {nonce} stands for")
    clock: Moment = Field("seconds", description="how the timestamp is written")
    tolerance_s: int = Field(300, ge=0, description="how far the timestamp may be from now; 0 = any age is taken")
    token: Path | None = Field(
        None, description="where a plain shared secret stands, such as $.headers['x-api-key'] or $.query.token"
    )

    @model_validator(mode="after")
    def _is_one_of_three(self) -> SignatureShape:
        own = self.header is not None or self.template is not None
        if [self.scheme is not None, own, self.token is not None].count(True) != 1:
            raise ValueError("give one of scheme, token, or header and template")
        if own and (self.header is None or self.template is None):
            raise ValueError("a scheme of your own needs both header and template")
        return self


class IgnoredShape(Part):
    """Something that comes in and is no customer's message, and why."""

    when: Condition = Field(description="condition on the table of inbound")
    why: str = Field(
        min_length=1, max_length=200, description="said in the log, and to whoever asks why nothing came in"
    )


class AttachmentShape(Part):
    """Something besides text that a message may carry; it is noted, not fetched."""

    at: Path = Field(description="where it is; each thing found is one attachment")
    label: str = Field(min_length=1, max_length=40, description="what people call it, such as image")
    details: list[str] = Field([], description="its members that are worth showing, such as filename")


class InboundShape(Part):
    """Where the messages of a request are, and which of them a customer wrote."""

    form: Literal["json", "form", "query"] = Field(
        "json",
        description="what the body is; the fields of a form are texts. query: everything stands in the address, and a GET is as good as a POST",
    )
    events: Path = Field("$", description="the events in the payload; `$` is the payload itself")
    messages: Paths = Field(
        ["$"], description="the messages in an event, all that each path finds; `$` is the event itself"
    )
    ignore: list[IgnoredShape] = Field([], description="what is no customer's message, asked first")
    when: Condition = Field(description="condition for a customer's message; what else comes is passed over")
    id: Paths = Field(description="the provider's id of the message: the same id again is the same message")
    conversation: Paths = Field(description="the provider's name of the thread; replies carry it as {conversation}")
    address: Paths = Field(description="where the customer is reached; replies carry it as {to}")
    text: Paths = Field(description="what they wrote")
    text_form: Literal["plain", "html", "entities"] = Field(
        "plain",
        description="html: tags are taken away; entities: `&amp;`, `&lt;` and `&gt;` are read as what they stand for",
    )
    time: Paths = Field([], description="when they wrote it")
    time_form: Moment = Field("iso-8601", description="how the time is written")
    name: Paths = Field([], description="the customer's name")
    email: Paths = Field([], description="the customer's e-mail address")
    phone: Paths = Field([], description="the customer's phone number")
    attachments: list[AttachmentShape] = Field([], description="what else a message may carry")
    sample: str | None = Field(None, description="a customer's message as the provider sends it, for the connector kit")
    acknowledge: Literal["json", "empty", "ok"] = Field(
        "json", description="how a request is answered; empty: 204, no body; ok: 200 and these two letters"
    )


class ReportsShape(Part):
    """What the provider says later of a reply that it took: delivered, or failed."""

    at: Path = Field("$", description="the reports in an event")
    when: Condition = Field(description="condition for a report")
    key: Paths = Field([], description="our {key}, where the provider carries it back")
    provider_id: Paths = Field([], description="the provider's id of the reply")
    status: Path = Field(description="the word that says what became of it")
    delivered: list[str] = Field(min_length=1, description="words for: it is with the customer")
    failed: list[str] = Field(min_length=1, description="words for: the customer did not get it and will not")
    why: Paths = Field([], description="the provider's reason for a failure")

    @model_validator(mode="after")
    def _names_the_reply(self) -> ReportsShape:
        if not (self.key or self.provider_id):
            raise ValueError("give key or provider_id: without either a report says of no reply what became of it")
        return self


class HandshakeShape(Part):
    """A request by which a provider asks whether this address is yours; the answer is what it gave to say back."""

    method: Literal["GET", "POST"] = Field("GET", description="POST is signed as all else is, GET is not")
    when: Condition = Field(description="condition for the handshake")
    challenge: Path = Field(description="what is said back")
    token: Path | None = Field(None, description="where the provider repeats what you told it; needs `credential`")
    credential: str | None = Field(None, description="the name, in `credentials`, of what it has to repeat")

    @model_validator(mode="after")
    def _is_guarded(self) -> HandshakeShape:
        if (self.token is None) != (self.credential is None):
            raise ValueError("give token and credential together")
        if self.method == "GET" and self.token is None:
            raise ValueError("a GET carries no signature, so it needs token and credential")
        return self


class RequestShape(Part):
    """A request to the provider."""

    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"] = Field("POST", description="of the request")
    url: Template = Field(
        description="address with {placeholders}, each percent-encoded; one whose name ends in _url stands as it is"
    )
    headers: dict[str, Template] = Field({}, description="headers with {placeholders}")
    login: list[Template] = Field([], max_length=2, description="name and password, for HTTP Basic")
    body: Literal["json", "form", "none"] = Field("json", description="how the template is written")
    template: Tree = Field({}, description="the body, a table whose texts have {placeholders}")

    @model_validator(mode="after")
    def _has_both_of_a_login(self) -> RequestShape:
        if len(self.login) == 1:
            raise ValueError("login is a name and a password; give both, the password may be empty")
        if self.body == "form" and not all(isinstance(value, str) for value in self.template.values()):
            raise ValueError("the fields of a form are texts; quote them")
        return self

    def wanted(self) -> frozenset[str]:
        """The names of all its placeholders."""
        return placeholders([self.url, *self.headers.values(), *self.login, self.template])


class SendShape(RequestShape):
    """The request that sends a reply. The key stands where a template says {key}, or in `key_header`."""

    key_header: str | None = Field(None, description="a header that carries the key of the reply, the same on each try")


class AnswerRule(Part):
    """A kind of answer and what it means, where the status alone does not say it."""

    when: Condition = Field(description="condition on the answer, such as @.body.error == 'ratelimited'")
    means: Meaning = Field(description="what became of the reply")
    why: str = Field("", max_length=200, description="told to people")


class AnswerShape(Part):
    """How an answer is read: the first rule that holds, else the status."""

    provider_id: Paths = Field(
        [], description="the provider's id; an answer that took the reply and lacks it counts as unknown"
    )
    retry_after: Paths = Field([], description="seconds to wait; else the header Retry-After is read")
    code: Paths = Field([], description="the provider's code for what went wrong, told to people")
    sample: str | None = Field(None, description="the answer to a reply that was taken, for the connector kit")
    sample_status: int = Field(200, ge=200, le=299, description="the status that comes with the sample")
    rules: list[AnswerRule] = Field([], description="asked in order")


class LookUpShape(RequestShape):
    """The request that asks what became of a reply whose send has an unknown outcome."""

    answered: Condition = Field(description="condition for an answer to rely on, such as @.body.messages: it is there")
    items: Path = Field("$.body", description="the candidates in the answer")
    when: Condition = Field(description="condition for the reply in question; `entry` is ours, with key, to and text")
    failed: Condition | None = Field(None, description="condition for one that the provider gave up")
    more: Condition | None = Field(
        None, description="condition for further pages: what is not on this one is then unknown"
    )
    not_found: list[int] = Field([404], description="statuses by which it says that it never saw the reply")
    provider_id: Paths = Field([], description="the provider's id of what was found")


class InspectionShape(RequestShape):
    """A question to the provider that changes nothing, asked by doctor; its condition may speak of {"item", "hook", "own"} and the answer.

    `hook` has the addresses of this channel as providers should know them: `url`, and `notes`.
    """

    what: str = Field(min_length=1, max_length=40, description="what is looked at, such as web hook")
    answered: Condition = Field(description="condition for an answer to rely on")
    items: Path = Field("$.body", description="the candidates in the answer")
    when: Condition | None = Field(None, description="condition that holds of one of the items where all is well")
    words: Paths = Field([], description="where words stand, separated by commas or spaces, or as a list")
    needs: list[str] = Field([], description="words that have to be there, such as scopes")
    secret: Paths = Field(
        [], description="where an item that fits says the secret it signs with, compared with `secrets`"
    )
    mend: str = Field(min_length=1, max_length=300, description="what to do where it is not well")

    @model_validator(mode="after")
    def _asks_something(self) -> InspectionShape:
        if self.when is None and not (self.words and self.needs):
            raise ValueError("give when, or words and needs: else nothing is asked")
        return self


class CanShape(Part):
    """What the channel can do."""

    honours_keys: bool = Field(False, description="true: a reply sent twice under one key reaches the customer once")
    window_h: float | None = Field(
        None,
        gt=0,
        description="so many hours after the customer's last message replies are taken; later ones go to a person",
    )
    per_minute_max: int | None = Field(None, ge=1, description="so many sends a minute from one process; more wait")
    keeps_order: bool = Field(True, description="false: the provider may deliver a later reply first; doctor says so")


class RestShape(Part):
    """The whole of a REST channel."""

    signature: SignatureShape | None = Field(None, description="none only where insecure = true")
    inbound: InboundShape
    reports: ReportsShape | None = None
    handshakes: list[HandshakeShape] = Field([], description="requests by which the provider asks who answers here")
    send: SendShape
    answer: AnswerShape = AnswerShape()
    look_up: LookUpShape | None = None
    can: CanShape = CanShape()
    probe: RequestShape | None = Field(
        None, description="a request that changes nothing, by which doctor sees that it is let in"
    )
    inspections: list[InspectionShape] = Field(
        [], description="further questions of doctor; one that lacks a credential is not asked"
    )

    def unknown_placeholders(self, known: Any) -> frozenset[str]:
        """Placeholders of its requests that nobody gives a value."""
        requests = [one for one in (self.send, self.look_up, self.probe) if one is not None]
        wanted = frozenset(name for request in requests for name in request.wanted())
        return wanted - ALWAYS_KNOWN - frozenset(known)
