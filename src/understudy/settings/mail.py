"""A mailbox as a channel: where it is read, where replies leave, and what is believed of senders; it opens none."""

from __future__ import annotations

from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, model_validator

from understudy.records.policy import Markup
from understudy.settings.section import Section

LOCAL = frozenset({"localhost", "127.0.0.1", "::1"})
ADDRESS = r"^[^@\s<>\"(),:;\\\[\]]+@[A-Za-z0-9][A-Za-z0-9.-]*$"
Security = Literal["tls", "starttls", "none"]


class MailServer(Section):
    """A mail server and how to get in."""

    host: str = Field(min_length=1, description="its name, as in its certificate")
    port: int = Field(0, ge=0, le=65_535, description="0 = the usual one: 993 or 143 to read, 465, 587 or 25 to send")
    security: Security = Field("tls", description="of the connection; none is refused for any server but this machine")
    user: str | None = Field(None, description="who signs in; default: the channel's address")
    password: SecretStr | None = Field(None, description="default: the channel's password")

    @model_validator(mode="after")
    def _is_secured(self) -> MailServer:
        if self.security == "none" and self.host not in LOCAL:
            raise ValueError(f"a password would cross the network to {self.host!r} in the open: use tls or starttls")
        return self


class MailOAuth(Section):
    """Access tokens in place of a password (XOAUTH2), as Microsoft 365 and Gmail want them."""

    token_url: str = Field(
        pattern="^https?://", description="the token endpoint; https, but for a server on this machine"
    )
    client_id: str = Field(min_length=1, description="of the app that was registered there")
    client_secret: SecretStr | None = Field(None, description="of the app; better set by environment or *_FILE")
    refresh_token: SecretStr | None = Field(
        None, description="of the mailbox's user; without it the app signs in for itself (client credentials)"
    )
    scope: str | None = Field(None, description="what is asked for, such as https://outlook.office365.com/.default")

    @model_validator(mode="after")
    def _is_secured(self) -> MailOAuth:
        if self.token_url.startswith("http:") and urlsplit(self.token_url).hostname not in LOCAL:
            raise ValueError(
                f"secrets would cross the network in the open: give an https address, not {self.token_url!r}"
            )
        if self.client_secret is None and self.refresh_token is None:
            raise ValueError("give client_secret, or a refresh_token")
        return self


class Email(Section):
    """A mailbox: read by IMAP, answered by SMTP. Needs `pip install 'understudy[email]'`."""

    kind: Literal["email"]
    address: str = Field(pattern=ADDRESS, description="where customers write to, and where replies come from")
    imap: MailServer = Field(description="where the mailbox is read")
    smtp: MailServer = Field(description="where replies leave")
    password: SecretStr | None = Field(None, description="for both servers; better set by environment or *_FILE")
    oauth: MailOAuth | None = Field(None, description="access tokens for both servers, in place of a password")
    certificates: Path | None = Field(
        None, description="file with the certificates that are believed; default: this machine's"
    )
    sender_name: str | None = Field(None, description="name beside the address; default: business.name")
    reply_to: str | None = Field(None, pattern=ADDRESS, description="where customers' answers go, if not to `address`")
    aliases: list[str] = Field([], description="other addresses of this mailbox; mails from them are our own")
    folder: str = Field("INBOX", min_length=1, description="the folder that is read; nothing in it is changed")
    sent_folder: str | None = Field(
        None,
        description="the folder in which your server *itself* files what it sends, as Gmail and Microsoft 365 do: a send of unknown outcome is looked up there",
    )
    copy_to_self: bool = Field(
        False,
        description="true: each reply also comes to this mailbox, and a send of unknown outcome is looked up there",
    )
    from_the_start: bool = Field(False, description="true: answer what is in the folder already, too")
    polls: bool = Field(False, description="true: ask for new mail every 25 s, where a server's IDLE does not work")
    trusted_host: str | None = Field(
        None,
        description="your mail server's name in the Authentication-Results that it writes; without it no sender is proven",
    )
    unproven: Literal["review", "answer"] = Field(
        "review",
        description="a sender nobody vouches for is a contact apart, and a person reviews every draft for them (`[trust]`); answer: like everybody",
    )
    forms: list[str] = Field([], description="senders, such as your site's form, whose Reply-To names the customer")
    per_sender_hour_max: int = Field(
        20, ge=1, description="mails an hour of one sender; more go to people, since two programs may be talking"
    )
    mail_bytes_max: int = Field(
        2_000_000, ge=10_000, description="as much of a mail is read, in bytes; attachments are noted and not opened"
    )
    message_id_domain: str | None = Field(
        None, pattern=r"^[A-Za-z0-9][A-Za-z0-9.-]*$", description="domain of our Message-IDs; default: the address's"
    )
    disclosure: str = Field(
        "This reply was written by an AI assistant. Answer and ask for a person at any time.",
        description="stands below what nobody but the agent wrote",
    )
    timeout_s: float = Field(30.0, gt=0, le=50, description="for one send, or one answer of the mailbox")
    chars_max: int | None = Field(None, ge=1, description="longest reply that suits it, in characters")
    markup: Markup | None = Field("none", description="what it renders; replies are plain text")
    agent: str | None = Field(None, description="agent for this channel; default: drafting.agent")
