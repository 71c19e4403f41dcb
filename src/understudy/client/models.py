"""What the HTTP API answers, as frozen dataclasses; nothing here sends or decides anything.

Reading is lenient towards a newer server: unknown fields are passed over, and closed sets (states, kinds, decisions)
stay plain strings. A field that is there must fit its type. Times are in UTC.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Annotated, Any, Generic, TypeVar

from pydantic import AliasChoices, Field, TypeAdapter

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Where in the draft, as character offsets: `text[start:end]`."""

    start: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """Why a decision was taken: a code and one sentence for people."""

    code: str
    explanation: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing a check found. `severity` is info, minor, major, blocking or unknown (the check could not tell)."""

    check: str
    code: str
    severity: str
    explanation: str = ""
    span: Span | None = None
    passage_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Contribution:
    """How much one signal moved the confidence, in log-odds (negative = less confident), and why in words."""

    signal: str
    log_odds: float
    words: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A passage the draft rests on; `score` is the retriever's own, any range."""

    id: str
    text: str = ""
    title: str | None = None
    url: str | None = None
    score: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolCall:
    """A call the agent made for this draft, with what came back."""

    name: str
    id: str = ""
    arguments: Any = None
    result: Any = None
    error: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """A side effect the agent proposes."""

    name: str
    arguments: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposedAction:
    """A proposed action as it is kept: where it stands, its limits, and what stands against it. `amount` in `unit`."""

    id: str
    name: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    state: str = "proposed"
    amount: float | None = None
    unit: str = ""
    reversibility: str | None = None
    approver: str | None = None
    limits: tuple[str, ...] = ()
    against: tuple[str, ...] = ()
    last_error: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionChoice:
    """What a reviewer makes of one proposed action: it is let through, with its own `arguments` or with these, or dropped."""

    id: str
    let_through: bool
    arguments: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What the agent proposes to send. `confidence` is the agent's own, in [0, 1], not the calibrated one."""

    text: str
    sources: tuple[Source, ...] = ()
    tool_calls: tuple[ToolCall, ...] = ()
    actions: tuple[Action, ...] = ()
    confidence: float | None = None
    topic: str | None = None
    handoff: bool = False
    does_not_know: bool = False
    finish_reason: str | None = None
    cost: float | None = None
    agent: str | None = None
    agent_version: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Disclosure:
    """What a message tells of the AI that wrote it; `shown` is message, channel or caller: then whoever asked shows it."""

    text: str
    language: str = ""
    version: int = 1
    shown: str = "message"
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What went to the customer. `author` is agent, reviewer or safe_reply; `state` pending, sending, sent, unknown, dead
    or dropped; `origin` ai, ai_approved, ai_edited, person or automatic. `text` is without its `disclosure`.
    """

    text: str
    author: str
    state: str
    author_name: str | None = None
    at: datetime | None = None
    origin: str | None = None
    disclosure: Disclosure | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One turn: what was drafted, what the checks said, what was decided, what was sent.

    `decision` is deliver, hold, hand_off or degrade, and None while the turn is under way. `confidence` in [0, 1] is
    the probability that a reviewer would approve the draft unedited. `signals` maps a check to [0, 1], 1 = nothing
    wrong.
    """

    id: str
    state: str
    position: int = 0
    conversation_id: str = ""
    channel: str = ""
    topic: str | None = None
    decision: str | None = None
    reasons: tuple[Reason, ...] = ()
    confidence: float | None = None
    contributions: tuple[Contribution, ...] = ()
    signals: Mapping[str, float] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()
    draft: Draft | None = None
    actions: tuple[ProposedAction, ...] = ()
    agent_error: str | None = None
    superseded_by: str | None = None
    hold_id: str | None = None
    reply: Reply | None = None
    is_audited: bool = False
    rulebook_id: str | None = None
    created_at: datetime | None = None
    decided_at: datetime | None = None
    finished_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PipelineStep:
    """One step of the agent's own pipeline: which part, model and version did what, from what, in how many ms."""

    name: str
    model: str | None = None
    version: str | None = None
    took_ms: float | None = None
    input: str | None = None
    output: str | None = None
    from_steps: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Pipeline:
    """How a turn's draft came about, step by step."""

    turn_id: str
    steps: tuple[PipelineStep, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Feedback:
    """What a customer thinks of a reply, as it was kept; `kind` is complaint, thumbs_down, thumbs_up or recontact."""

    turn_id: str
    kind: str
    by: str = ""
    at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """Something waiting for a reviewer. `kind` is draft, hand_off, unsure_send, unsure_action, win_back, audit, second or redraft; `state` open, decided, superseded
    or expired. `version` grows with every change a verdict must know of; `priority` 0 comes first."""

    id: str
    version: int
    kind: str
    state: str
    turn_id: str = ""
    conversation_id: str = ""
    channel: str = ""
    topic: str | None = None
    priority: int = 5
    reasons: tuple[str, ...] = ()
    claimed_by: str | None = None
    claimed_until: datetime | None = None
    created_at: datetime | None = None
    expires_at: datetime | None = None
    raised_at: datetime | None = None
    closed_at: datetime | None = None
    superseded_by: str | None = None
    claimed_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """The customer."""

    id: str
    name: str | None = None
    email: str | None = None
    phone: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """Something said; `author` is customer, agent, reviewer or safe_reply. `seq` orders and resumes. `text` is without its
    `disclosure`."""

    seq: int
    author: str
    text: str
    author_name: str | None = None
    at: datetime | None = None
    turn_id: str | None = None
    origin: str | None = None
    disclosure: Disclosure | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversation:
    """One thread with one customer on one channel; `mode` is agent, or person while a reviewer has taken it over."""

    id: str
    channel: str = ""
    external_id: str = ""
    mode: str = "agent"
    taken_by: str | None = None
    contact: Contact | None = None
    messages: tuple[Message, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class WinBack:
    """What is proposed to be written to a customer whom a reply let down: the words, and what happened."""

    text: str | None = None
    explanation: str = ""
    cause: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldDetail:
    """All a reviewer needs to decide on one hold. `disclosure`: what the draft will tell of the AI that wrote it; `win_back`: of a
    hold of that kind, what is proposed."""

    hold: Hold
    turn: Turn
    conversation: Conversation
    disclosure: Disclosure | None = None
    win_back: WinBack | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """A reviewer's decision as it was stored; `action` is approve, edit, reject, respond or take_over."""

    action: Annotated[str, Field(validation_alias=AliasChoices("action", "kind"))]
    id: str = ""
    hold_id: str = ""
    turn_id: str = ""
    text: str | None = None
    reasons: tuple[str, ...] = ()
    severity: float | None = None
    reviewer: str | None = None
    at: datetime | None = None
    topic: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """The verdict that was taken, and the turn after it."""

    verdict: Verdict
    turn: Turn


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One line of the ledger, as it happened. `seq` grows; give it back as `after` to resume behind it."""

    seq: int
    event: str
    at: datetime | None = None
    turn_id: str | None = None
    conversation_id: str | None = None
    actor: str = ""
    body: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Page(Generic[T]):
    """Part of a list; `next` is the cursor of the following part, None at the end."""

    items: tuple[T, ...]
    next: str | None = None


@lru_cache(maxsize=64)
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


def read(kind: type[T], data: Any) -> T:
    """Read an answer from plain JSON data; raises pydantic's `ValidationError` where a field does not fit."""
    return _adapter(kind).validate_python(data)  # type: ignore[arg-type, no-any-return]
