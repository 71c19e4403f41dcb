"""Channels over somebody's REST interface: one described whole, and vendors whose description is shipped; it opens none."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, SecretStr

from understudy.records.policy import Markup
from understudy.records.rest_notes import DeskShape
from understudy.settings.section import Section


class Remote(Section):
    """What every channel over a REST interface has."""

    secrets: list[SecretStr] = Field(
        [], description="what requests are signed with; several while one is being replaced"
    )
    timeout_s: float = Field(10.0, gt=0, description="for one send")
    chars_max: int | None = Field(None, ge=1, description="longest reply it takes, in characters")
    markup: Markup | None = Field("none", description="what it renders; a draft with other markup is a finding")
    insecure: bool = Field(False, description="true: accept unsigned requests; shows red in doctor")
    agent: str | None = Field(None, description="agent for this channel; default: drafting.agent")


class Desk(Remote):
    """What a channel has whose provider is a help desk, with notes for its people alone."""

    review: Literal["console", "notes", "both"] = Field(
        "console", description="where people decide on drafts: here, in the help desk's notes, or either"
    )
    note_secrets: list[SecretStr] = Field(
        [], description="what requests to /webhooks/NAME/notes are signed with; default: `secrets`"
    )
    colleagues: dict[str, str] = Field(
        {},
        description="who people of the help desk are here: their id there, or the e-mail address it verified, = a user's name",
    )
    automations: list[str] = Field(
        [],
        description="names under which the help desk itself answers customers; what they write is no person's answer",
    )


class Rest(Desk, DeskShape):
    """A channel over any REST interface, described here: where messages are, how a reply is written, what answers mean."""

    kind: Literal["rest"]
    values: dict[str, str] = Field({}, description="what {placeholders} stand for, and `own` in conditions")
    credentials: dict[str, SecretStr] = Field({}, description="the same for what nobody may read")


class Twilio(Remote):
    """SMS by Twilio, or WhatsApp where the sender begins with whatsapp:; `secrets` are the account's auth tokens."""

    kind: Literal["twilio"]
    account_sid: str = Field(pattern="^AC[0-9a-fA-F]{32}$", description="of the account")
    sender: str = Field(
        min_length=1, description="the number replies come from, such as +14155550100 or whatsapp:+14155550100"
    )
    chars_max: int | None = Field(1_600, ge=1, description="longest reply it takes, in characters")


class SinchSms(Remote):
    """SMS by Sinch; call-backs go to /webhooks/NAME?token=SECRET, where the secret is one of `secrets`."""

    kind: Literal["sinch_sms"]
    service_plan_id: str = Field(min_length=1, description="of the service plan")
    api_token: SecretStr = Field(description="of the service plan")
    sender: str = Field(min_length=1, description="the number replies come from")
    region: Literal["us", "eu", "au", "br", "ca"] = Field("us", description="where the service plan is hosted")
    chars_max: int | None = Field(2_000, ge=1, description="longest reply it takes, in characters")


class Kannel(Remote):
    """SMS by a Kannel gateway; it calls /webhooks/NAME?token=SECRET, where the secret is one of `secrets`, of letters and digits."""

    kind: Literal["kannel"]
    base_url: str = Field(pattern="^https?://", description="address of its smsbox, such as http://localhost:13013")
    username: str = Field(min_length=1, description="of the sendsms-user")
    password: SecretStr = Field(description="of the sendsms-user")
    sender: str = Field(min_length=1, description="the number replies come from")
    chars_max: int | None = Field(600, ge=1, description="longest reply it takes, in characters; ten parts of 67")


class SinchConversation(Remote):
    """WhatsApp, RCS, SMS and others by Sinch's Conversation API; `secrets` are those of its web hooks."""

    kind: Literal["sinch_conversation"]
    project_id: str = Field(min_length=1, description="of the project")
    app_id: str = Field(min_length=1, description="of the app")
    access_key_id: str = Field(min_length=1, description="of the access key")
    access_key: SecretStr = Field(description="the access key's secret")
    region: Literal["us", "eu", "br"] = Field("us", description="where the app is hosted")
    chars_max: int | None = Field(1_600, ge=1, description="longest reply it takes, in characters")


class WhatsAppCloud(Remote):
    """WhatsApp by Meta's Cloud API; `secrets` are the app's."""

    kind: Literal["whatsapp_cloud"]
    phone_number_id: str = Field(min_length=1, description="of the number replies come from, not the number itself")
    access_token: SecretStr = Field(description="of a system user that may send")
    verify_token: SecretStr = Field(description="any text of yours; give Meta the same for the address's verification")
    api_version: str = Field("v23.0", pattern=r"^v\d+\.\d+$", description="of the Graph API")
    chars_max: int | None = Field(4_096, ge=1, description="longest reply it takes, in characters")


class Slack(Remote):
    """Direct messages to a Slack app; `secrets` are its signing secrets."""

    kind: Literal["slack"]
    bot_token: SecretStr = Field(description="the app's bot token, xoxb-…")
    chars_max: int | None = Field(4_000, ge=1, description="longest reply it takes, in characters")


class Chatwoot(Desk):
    """An agent bot of Chatwoot; `secrets` are those of its web hook."""

    kind: Literal["chatwoot"]
    base_url: str = Field(
        pattern="^https?://", description="address of the installation, such as https://app.chatwoot.com"
    )
    account_id: str = Field(min_length=1, description="of the account, as it stands in addresses")
    access_token: SecretStr = Field(description="of the agent bot")
    notes_token: SecretStr | None = Field(
        None,
        description="access token of an administrator: by it the authors of private notes are known, and notes looked up",
    )


class Zendesk(Desk):
    """Zendesk messaging by Sunshine Conversations; `secrets` are those of its web hook, which come as X-API-Key."""

    kind: Literal["zendesk"]
    subdomain: str = Field(pattern="^[a-z0-9][a-z0-9-]*$", description="what stands before .zendesk.com")
    app_id: str = Field(min_length=1, description="of the Sunshine Conversations app")
    key_id: str = Field(min_length=1, description="of the app's API key")
    key_secret: SecretStr = Field(description="the API key's secret")
    notes_user: str | None = Field(
        None, description="e-mail address of the agent who owns `notes_token`; writes the notes"
    )
    notes_token: SecretStr | None = Field(None, description="API token of Zendesk Support, for internal comments")
    chars_max: int | None = Field(4_096, ge=1, description="longest reply it takes, in characters")


class Intercom(Remote):
    """Conversations of Intercom; `secrets` are the app's client secrets."""

    kind: Literal["intercom"]
    access_token: SecretStr = Field(description="of the app")
    admin_id: str = Field(min_length=1, description="of the teammate in whose name replies are written")
    base_url: str = Field(
        "https://api.intercom.io",
        pattern="^https?://",
        description="https://api.eu.intercom.io or api.au for other regions",
    )


Vendor = Twilio | Kannel | SinchSms | SinchConversation | WhatsAppCloud | Slack | Chatwoot | Zendesk | Intercom
"""Channels whose shape is shipped under their `kind`."""
