"""All that an assessment may look at: the conversation, the draft with its passages and tool calls, and the facts
the shell gathered. No clock, no dice: even the audit coin is drawn beforehand and stored here.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Literal

from understudy.records.action_rules import ActionUse
from understudy.records.conversation import Mode
from understudy.records.facts import Facts
from understudy.records.pledges import PledgeKind
from understudy.records.topics import TopicGuess
from understudy.records.trust import CapCause, CapOf

NO_MOMENT: Final = datetime(1970, 1, 1, tzinfo=UTC)
"""Stands for the time of a turn that gives none; a fixed one, so that the same file gives the same answers."""

TopicBy = Literal["channel", "rules", "agent", "model"]
"""Who named the topic of a turn."""
GIVEN_BY: Final = ("channel", "agent")
"""Who names a topic without having been taught it here, so that others can learn from it."""

Role = Literal["system", "developer", "user", "assistant", "tool"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolCall:
    """A call the agent made. `arguments` is the JSON text it sent; `result` is None where none was recorded."""

    id: str
    name: str
    arguments: str = "{}"
    result: str | None = None
    error: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatMessage:
    """One message in the OpenAI chat form. `person` is true where a human of the business wrote it."""

    role: Role
    content: str | None = None
    tool_calls: tuple[ToolCall, ...] = ()
    tool_call_id: str | None = None
    name: str | None = None
    person: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """A source the draft may rest on; `score` is the retriever's own, any range."""

    id: str
    text: str
    title: str | None = None
    url: str | None = None
    score: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """A side effect the agent proposes (refund, cancel); it is held with the draft and never executed by a check."""

    name: str
    arguments: dict[str, Any]


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
class Draft:
    """What the agent proposes. `confidence` is the agent's own, in [0, 1]; `finish_reason` "length" means cut off.
    `cost` is what making it cost, at least 0, in a unit that is the same for all versions of the agent.

    `cards_masked` counts the payment card numbers that were masked in `text` before it was stored.
    """

    text: str
    sources: tuple[Passage, ...] = ()
    tool_calls: tuple[ToolCall, ...] = ()
    actions: tuple[Action, ...] = ()
    confidence: float | None = None
    topic: str | None = None
    handoff: bool = False
    does_not_know: bool = False
    finish_reason: str | None = None
    agent: str = "unnamed"
    agent_version: str | None = None
    pipeline: tuple[PipelineStep, ...] = ()
    cards_masked: int = 0
    cost: float | None = None

    def __post_init__(self) -> None:
        if self.confidence is not None and not 0.0 <= self.confidence <= 1.0:
            raise ValueError(f"Draft.confidence must be in [0, 1], got {self.confidence!r}")
        if self.cost is not None and not 0.0 <= self.cost < float("inf"):
            raise ValueError(f"Draft.cost must be at least 0 and finite, got {self.cost!r}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Opinion:
    """What a second opinion said of the draft, as it said it: a word, a score in [0, 1], or why there is neither."""

    name: str
    word: str | None = None
    score: float | None = None
    error: str | None = None
    took_ms: float | None = None

    def __post_init__(self) -> None:
        if self.score is not None and not 0.0 <= self.score <= 1.0:
            raise ValueError(f"Opinion.score must be in [0, 1], got {self.score!r}")


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactFacts:
    """What is known of the customer: their own addresses are no exposure when a draft repeats them.

    `tags` are marks of a system of record, such as `vip` or `open_complaint`.
    """

    id: str | None = None
    name: str | None = None
    emails: tuple[str, ...] = ()
    phones: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PastReply:
    """The automatic reply that the customer's message follows: of which turn, about what, and when it was sent."""

    turn_id: str
    topic: str | None
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Elsewhere:
    """What was said to or by the same customer in another conversation; `role` as in a chat message."""

    channel: str
    at: datetime
    role: Role
    text: str
    person: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Owed:
    """What was promised to the customer and still has to be kept: in which `words`, by when. `timezone`: the IANA name of the zone
    in which the business means its times."""

    kind: PledgeKind
    words: str
    made_at: datetime
    due_at: datetime
    timezone: str = "UTC"


NO_FACTS = ContactFacts()
"""Nothing is known of the customer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """Everything one assessment sees.

    `messages` ends before the draft; its last `burst` messages begin with the customer's first of this turn (the
    agent's tool traffic may follow them).
    `draft` is None exactly when `agent_error` says why. `automatic_last_hour` counts the automatic replies of this
    slice in the hour before `at`, and `degraded_last_hour` its safe replies, those decided in parallel included in both. `audit_draw` is uniform in [0, 1).
    `topic_by` None: nobody could name the topic, or the evidence is from before this was noted. `topic_guess` is what a
    model made of the burst, where it was asked.
    `cap` says why this customer gets people, None where nothing says so, and `cap_of` what that goes back to. `follows` is the reply before this turn, if it
    left without a person. `facts` are what systems of record said before the agent drafted, and what they could not say.
    `uses`: how much of each declared action was let through in the last 24 hours.
    `is_verified`: whether somebody vouches for who writes; None: nobody looked. `group`: the other contacts that are proven to
    be the same person, and `elsewhere` what was said there lately, oldest first. `owed`: what was promised to them, the next
    due first.
    """

    turn_id: str
    conversation_id: str
    channel: str
    topic: str
    at: datetime
    messages: tuple[ChatMessage, ...]
    burst: int
    mode: Mode = Mode.AGENT
    draft: Draft | None = None
    agent_error: str | None = None
    contact: ContactFacts = NO_FACTS
    safe_replies_sent: tuple[str, ...] = ()
    automatic_last_hour: int = 0
    degraded_last_hour: int = 0
    audit_draw: float = 0.0
    masked: tuple[str, ...] = ()
    opinions: tuple[Opinion, ...] = ()
    topic_by: TopicBy | None = None
    topic_guess: TopicGuess | None = None
    cap: CapCause | None = None
    follows: PastReply | None = None
    facts: tuple[Facts, ...] = ()
    uses: tuple[ActionUse, ...] = ()
    is_verified: bool | None = None
    group: tuple[str, ...] = ()
    elsewhere: tuple[Elsewhere, ...] = ()
    cap_of: CapOf | None = None
    owed: tuple[Owed, ...] = ()

    def __post_init__(self) -> None:
        if (self.draft is None) == (self.agent_error is None) and self.mode is Mode.AGENT:
            raise ValueError("Evidence needs either a draft or an agent_error, and not both")
        if not 0 <= self.burst <= len(self.messages):
            raise ValueError(f"Evidence.burst must be in [0, {len(self.messages)}], got {self.burst}")
        if not 0.0 <= self.audit_draw < 1.0:
            raise ValueError(f"Evidence.audit_draw must be in [0, 1), got {self.audit_draw!r}")

    @property
    def slice(self) -> str:
        """Topic × channel, the unit that earns autonomy."""
        return f"{self.topic}×{self.channel}"

    @property
    def customer_texts(self) -> tuple[str, ...]:
        """What the customer wrote, oldest first."""
        return tuple(m.content for m in self.messages if m.role == "user" and m.content)

    @property
    def burst_text(self) -> str:
        """What the customer wrote in this turn, one message a line."""
        burst = self.messages[len(self.messages) - self.burst :]
        return "\n".join(m.content for m in burst if m.role == "user" and m.content)


def says_same(one: Draft | None, other: Draft | None) -> bool:
    """Whether two drafts say the same, letter for letter but for spaces and case, propose the same actions, and agree on
    whether a person is needed."""
    if one is None or other is None:
        return False
    texts = {" ".join(draft.text.split()).casefold() for draft in (one, other)}
    return len(texts) == 1 and one.actions == other.actions and one.handoff == other.handoff
