"""Who talks to whom, and what was said: contacts, conversations, messages; nothing about drafts or decisions."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from understudy.records.disclosure import Disclosure
from understudy.records.pulls import Envelope


class Author(StrEnum):
    """Who wrote a message."""

    CUSTOMER = "customer"
    AGENT = "agent"
    REVIEWER = "reviewer"
    SAFE_REPLY = "safe_reply"


class Origin(StrEnum):
    """Whose work a message to the customer is, for machines that read it.

    *ai*: the agent's, and no person saw it before. *ai_approved*: the agent's, let out by a person as it was. *ai_edited*:
    the agent's, changed and let out by a person. *person*: a person's own words. *automatic*: a text that a person approved
    beforehand for such cases, which no AI wrote.
    """

    AI = "ai"
    AI_APPROVED = "ai_approved"
    AI_EDITED = "ai_edited"
    PERSON = "person"
    AUTOMATIC = "automatic"

    @property
    def is_of_ai(self) -> bool:
        """Whether an AI wrote it, whoever saw it since."""
        return self in (Origin.AI, Origin.AI_APPROVED, Origin.AI_EDITED)


class Mode(StrEnum):
    """Who answers in a conversation: the agent (with its checks), or a person who took it over.

    *rehearsal*: nobody, because it was made for reviewers: a known-bad draft was planted in it, or a turn of the past was
    redrafted. Nothing said there reaches anybody, and it is never anything else.
    """

    AGENT = "agent"
    PERSON = "person"
    REHEARSAL = "rehearsal"


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where a contact can be reached: an address of that channel's own kind (a number, an e-mail, a chat's id)."""

    channel: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """The customer, one person over many channels."""

    id: str
    name: str | None
    email: str | None
    phone: str | None
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversation:
    """One thread with one contact on one channel; `external_id` is the channel's own name for it."""

    id: str
    contact_id: str
    channel: str
    external_id: str
    address: str
    mode: Mode
    taken_by: str | None
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """Something said. `seq` grows over all messages, so it orders a conversation and resumes a stream.

    `text` is without the words of its `disclosure`. `origin` None: the customer's, or of before it was kept.
    """

    seq: int
    id: str
    conversation_id: str
    turn_id: str | None
    author: Author
    author_name: str | None
    text: str
    at: datetime
    provider_id: str | None
    origin: Origin | None = None
    disclosure: Disclosure | None = None

    @property
    def is_ours(self) -> bool:
        """Whether the business said it."""
        return self.author is not Author.CUSTOMER

    @property
    def is_of_agent(self) -> bool:
        """Whether the agent wrote it."""
        return self.author is Author.AGENT


@dataclass(frozen=True, slots=True, kw_only=True)
class Inbound:
    """One customer message as a channel parsed it, before it is stored; `provider_id` makes it unique on its channel.

    `needs_person`: why no agent can answer it, as a reason of a hold; its text then says what came instead of words.
    `envelope`: what came around it, where messages are letters: it continues the conversation of a letter that it follows,
    and `external_id` names a new one.
    """

    provider_id: str
    external_id: str
    address: str
    text: str
    sent_at: datetime | None = None
    topic: str | None = None
    contact_name: str | None = None
    contact_email: str | None = None
    contact_phone: str | None = None
    needs_person: str | None = None
    envelope: Envelope | None = None

    def __post_init__(self) -> None:
        for field in ("provider_id", "external_id", "address"):
            if not getattr(self, field):
                raise ValueError(f"Inbound.{field} must not be empty")
