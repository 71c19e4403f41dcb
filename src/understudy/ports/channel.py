"""A way to talk to customers as a port: it verifies and parses what comes in, and sends what goes out."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from understudy.records.conversation import Inbound
from understudy.records.notes import Colleague, Note, Remark, Said
from understudy.records.outbox import OutboxEntry, Report, SendResult
from understudy.records.pulls import Envelope


@dataclass(frozen=True, slots=True, kw_only=True)
class InboundRequest:
    """An HTTP request as it came: header names in lower case, the body untouched, because signatures cover bytes."""

    method: str
    url: str
    headers: dict[str, str]
    body: bytes
    received_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """What a channel can do. `honours_keys`: a repeated send with the same key reaches the customer once.

    `chars_max` is the longest text it takes; None = no limit known. `window_s`: how long after the customer's last
    message it takes replies; None = always. `keeps_order`: what it accepted first reaches the customer first.
    `asker_fetches`: whoever asked fetches the answer, so it goes nowhere else, and no other comes here.
    """

    honours_keys: bool = False
    can_look_up: bool = False
    chars_max: int | None = None
    window_s: float | None = None
    keeps_order: bool = True
    asker_fetches: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Events:
    """What a request holds. `ignored` says of each event that is neither message nor report why it is passed over;
    `refused` of each message that cannot be read what is wrong with it and what to do. `remarks`: what people of a help
    desk wrote there. `say`: answer with this text and nothing else.
    """

    messages: tuple[Inbound, ...] = ()
    reports: tuple[Report, ...] = ()
    remarks: tuple[Said, ...] = ()
    ignored: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()
    say: str | None = None


class Channel(Protocol):
    """Anything customers talk over."""

    @property
    def name(self) -> str:
        """The channel's name in the configuration."""
        ...

    @property
    def capabilities(self) -> Capabilities:
        """What this channel can do."""
        ...

    def parse(self, request: InboundRequest) -> tuple[Inbound, ...]:
        """Verify the request and read its messages; an event that is no message gives an empty tuple.

        Raises `SignatureInvalid` or `MalformedInput`, each with what to do.
        """
        ...

    async def send(self, entry: OutboxEntry) -> SendResult:
        """Send one entry under its id as idempotency key. Never raises for what the channel answers.

        An exception that escapes counts as *unknown*: the bytes may have left.
        """
        ...

    async def look_up(self, entry: OutboxEntry) -> SendResult:
        """Ask the channel what became of an entry whose send is unknown; `Unknown` where it cannot tell."""
        ...

    async def close(self) -> None:
        """Let go of connections."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspected:
    """What a provider says of how this channel is set up there. `is_well` None: it could not be asked; `mend` says what to do."""

    what: str
    is_well: bool | None
    says: str
    mend: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reached:
    """What a provider answered to a question that changes nothing; `clock_ahead_s`: how far our clock is ahead of its."""

    says: str
    clock_ahead_s: float | None = None
    inspected: tuple[Inspected, ...] = ()


class Checked(ABC):
    """What a channel also is whose provider can be asked whether it lets us in."""

    @abstractmethod
    async def check(self) -> Reached:
        """Ask the provider whether it lets us in; raises `ConfigurationError` or
        `ChannelUnreachable` with what it said where it does not."""


class TakesEvents(Checked):
    """What a channel also is whose provider sends more than messages: reports on replies, handshakes, other events."""

    @abstractmethod
    def read(self, request: InboundRequest) -> Events:
        """Verify the request and read all that it holds; a GET can be a handshake and nothing else.

        Raises `SignatureInvalid` or `MalformedInput` where nothing of it can be read, each with what to do.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """One thing that was fetched, whatever it holds. `cursor`: how far it is once all of it is stored; `id`: the
    channel's own name for it, for whoever looks for it."""

    events: Events
    cursor: str
    id: str | None = None


class Fetched(ABC):
    """What a channel also is whose provider does not call: it is asked for what came."""

    per_sender_hour_max: int | None
    """So many messages an hour of one address; more go to people, since two programs may be talking."""

    @abstractmethod
    async def fetch(self, cursor: str | None, *, wait_s: float) -> tuple[Arrival, ...]:
        """What came after a cursor, in order, some of it at least; where there is nothing, wait for it at most `wait_s`.

        `cursor` None: nothing was ever fetched, so begin. Nothing is changed at the provider but invitations accepted, and the same cursor gives
        the same again. May be cancelled at any moment. Raises `ChannelUnreachable` with what went wrong.
        """


class AnswersLetters(ABC):
    """What a channel also is whose replies refer to the letter that they answer."""

    @abstractmethod
    async def send_letter(self, entry: OutboxEntry, answered: Envelope | None) -> SendResult:
        """Do what `send` does, as a reply to this letter; it is the same at every try. None: begin a new thread."""


class KeepsNotes(ABC):
    """What a channel also is whose provider is a help desk: its people have notes of their own beside each conversation."""

    needs_threads: bool
    """Whether its notes stand under a name other than the conversation's, which has to be found first."""
    looks_up_notes: bool
    """Whether it can be asked what became of a note."""
    knows_authors: bool
    """Whether it can be asked who wrote a remark."""
    note_chars_max: int
    """The longest note it takes."""

    @abstractmethod
    def read_notes(self, request: InboundRequest) -> Events:
        """Verify and read what comes to the address for notes; raises as `TakesEvents.read`."""

    @abstractmethod
    async def write_note(self, note: Note) -> SendResult:
        """Write one; never raises for what the help desk answers."""

    @abstractmethod
    async def look_up_note(self, note: Note) -> SendResult:
        """Ask what became of a note whose writing has an unknown outcome; `Retry` where it certainly does not stand there."""

    @abstractmethod
    async def colleague(self, remark: Remark) -> Colleague:
        """Ask who wrote a remark; only with the id where it cannot be asked. Raises `ChannelUnreachable`."""

    @abstractmethod
    async def conversation_of(self, thread: str) -> str | None:
        """Ask which conversation a thread is; None where it is none of this channel. Raises `ChannelUnreachable`."""
