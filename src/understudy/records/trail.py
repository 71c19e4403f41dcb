"""What is looked up of the past and of what is under way by people who watch: turns as a list shows them, and counts. It
decides nothing, and no turn waits for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from understudy.records.assessment import DecisionKind
from understudy.records.ledger import LedgerEntry
from understudy.records.outbox import OutboxState
from understudy.records.review import HoldKind
from understudy.records.turn import Turn, TurnState


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnSeen:
    """A turn in a list: the customer as the channel gave them, and the beginning of what they wrote last."""

    turn: Turn
    customer: str | None
    email: str | None
    phone: str | None
    asked: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Backlog:
    """How many turns are worked on, and since when the oldest of them is; None where none is."""

    count: int
    oldest_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenHolds:
    """Holds of one kind that wait for people; `raised` of them are past their deadline."""

    kind: HoldKind
    count: int
    raised: int
    oldest_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Unsent:
    """Messages of one channel in one state that may still be sent."""

    channel: str
    state: OutboxState
    count: int
    oldest_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentUse:
    """Requests to an agent that has a limit, by all processes: under way, and begun within the last minute."""

    agent: str
    at_once: int
    last_minute: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SliceUse:
    """What left a slice without a person within the last hour, by kind of decision."""

    topic: str
    channel: str
    kind: DecisionKind
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """What is under way now, as the store has it for all processes."""

    working: Mapping[TurnState, Backlog]
    holds: tuple[OpenHolds, ...]
    unsent: tuple[Unsent, ...]
    agents: tuple[AgentUse, ...]
    slices: tuple[SliceUse, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Process:
    """A process that works on the store. `does`: *serves* (takes requests), *works* (on turns), or both;
    `knows` is what it alone knows, as canonical JSON (`records.health.Known`)."""

    id: str
    host: str
    pid: int
    version: str
    does: str
    started_at: datetime
    seen_at: datetime
    knows: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnsAsked:
    """What turns are asked for; None asks for nothing. `customer` is part of a name, an e-mail address or the digits of a
    number; `words` all stand somewhere in what was said or was to be said. `since` is included, `until` is not."""

    since: datetime | None = None
    until: datetime | None = None
    turn_id: str | None = None
    conversation_id: str | None = None
    customer: str | None = None
    words: str | None = None
    channel: str | None = None
    topic: str | None = None
    decision: DecisionKind | None = None
    state: TurnState | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EntriesAsked:
    """What ledger entries are asked for; `event` is a whole name (`turn.decided`)."""

    since: datetime | None = None
    until: datetime | None = None
    turn_id: str | None = None
    conversation_id: str | None = None
    event: str | None = None
    actor: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnsFound:
    """A page. `next` None: there is nothing further back; else go on before it. `looked_back_to`: how far it came."""

    turns: tuple[TurnSeen, ...]
    next: int | None
    looked_back_to: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class EntriesFound:
    """A page of the ledger, the latest first."""

    entries: tuple[LedgerEntry, ...]
    next: int | None
    looked_back_to: datetime | None


class What(StrEnum):
    """What is taken out: turns with all that is kept of each, or the ledger's entries."""

    TURNS = "turns"
    ENTRIES = "entries"


class Form(StrEnum):
    """As what: lines of JSON, or a table."""

    JSONL = "jsonl"
    CSV = "csv"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportAsked:
    """What is taken out: turns, or ledger entries, that began at `since` or later and before `until`; None = all there is.

    `is_masked` False: with customers' data as it is, of turns; `reason` says why somebody takes that out.
    """

    what: What = What.TURNS
    form: Form = Form.JSONL
    since: datetime | None = None
    until: datetime | None = None
    is_masked: bool = True
    reason: str = ""
