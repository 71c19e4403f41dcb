"""Suites of cases and what came of their trials: the nouns of evaluation; reading, running and grading stand elsewhere.

A case is a question that was hard once: a conversation up to a customer's message (*turn*), or a customer to be played
to an agent (*conversation*). Everything the agent may look at is frozen in it, so that nothing outside is touched.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Literal

from understudy.records.codec import digest, dump
from understudy.records.evidence import NO_FACTS, ChatMessage, ContactFacts, Passage


class CaseKind(StrEnum):
    """*turn*: one reply to a frozen conversation. *conversation*: a simulated customer, several replies."""

    TURN = "turn"
    CONVERSATION = "conversation"


class CaseRule(StrEnum):
    """What one case alone may do to a gate: nothing, block where it cannot be shown to pass, block at one failure."""

    ORDINARY = "ordinary"
    MUST_PASS = "must_pass"  # noqa: S105 - no secret
    ZERO_TOLERANCE = "zero_tolerance"


@dataclass(frozen=True, slots=True, kw_only=True)
class GraderTerms:
    """Which grader looks at a case, and with what terms; `evaluation/graders` says which there are."""

    kind: str
    terms: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolAnswer:
    """What a tool answers in a case, in place of the real one.

    `arguments`: answer only a call that has at least these; None: any call. `call`: answer only the n-th call of this
    tool, from 1. `error` instead of `result` is a fault: a timeout, a refusal. The first answer that fits is given.
    """

    name: str
    arguments: Mapping[str, Any] | None = None
    result: str | None = None
    error: str | None = None
    call: int | None = None

    def __post_init__(self) -> None:
        if (self.result is None) == (self.error is None):
            raise ValueError(f"tool {self.name!r}: give either a result or an error")
        if self.call is not None and self.call < 1:
            raise ValueError(f"tool {self.name!r}: calls are counted from 1, got {self.call}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """What happened when it happened: the reply, who gave it, what people said of it and why; `is_good` None: nobody."""

    text: str
    release: str | None = None
    is_good: bool | None = None
    action: str | None = None
    reasons: tuple[str, ...] = ()
    handoff: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """Where a scripted customer goes on after a reply: to `go`, if the reply matches `when` (RE2; None: any reply)."""

    go: str
    when: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ScriptState:
    """What a scripted customer says in a state, and where it goes then. `ends`: nothing more is said; `why` it ended."""

    say: str | None = None
    then: tuple[Step, ...] = ()
    ends: Literal["satisfied", "unsatisfied"] | None = None

    def __post_init__(self) -> None:
        if (self.say is None) == (self.ends is None):
            raise ValueError("a state of a script either says something or ends")


@dataclass(frozen=True, slots=True, kw_only=True)
class Customer:
    """A simulated customer: a goal, a persona, facts that are told only when asked for; a script, or an agent plays it.

    `script` names its states, the first is `start`. `played_by` names an agent of the configuration. `turns_max`:
    replies after which the conversation ends.
    """

    goal: str
    persona: str = "polite"
    facts: Mapping[str, str] = field(default_factory=dict)
    script: Mapping[str, ScriptState] = field(default_factory=dict)
    played_by: str | None = None
    turns_max: int = 8

    def __post_init__(self) -> None:
        if bool(self.script) == (self.played_by is not None):
            raise ValueError("a simulated customer needs either a script or played_by")
        if not 1 <= self.turns_max <= 50:
            raise ValueError(f"turns_max must be in 1 to 50, got {self.turns_max}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One case. `what_was_wrong` is for people; `source` says where it is from, such as `turn:t-17`.

    `sources` stand for what the agent would look up, `tools` answer in place of the real ones.
    """

    id: str
    kind: CaseKind = CaseKind.TURN
    rule: CaseRule = CaseRule.ORDINARY
    channel: str = "api"
    topic: str | None = None
    failure_mode: str | None = None
    tags: tuple[str, ...] = ()
    what_was_wrong: str | None = None
    source: str | None = None
    messages: tuple[ChatMessage, ...] = ()
    contact: ContactFacts = NO_FACTS
    sources: tuple[Passage, ...] = ()
    tools: tuple[ToolAnswer, ...] = ()
    recorded: Recorded | None = None
    customer: Customer | None = None
    graders: tuple[GraderTerms, ...] = ()

    def __post_init__(self) -> None:
        if (self.kind is CaseKind.CONVERSATION) != (self.customer is not None):
            raise ValueError("a case has a customer exactly when it is a conversation")
        if self.kind is CaseKind.TURN and not any(message.role == "user" for message in self.messages):
            raise ValueError("a case of one turn needs at least one message of the customer")
        if not self.graders:
            raise ValueError("a case needs at least one grader, or nothing could ever fail it")

    @property
    def digest(self) -> str:
        """Names what the case holds; whatever changes in it changes this."""
        return digest(dump(self))


@dataclass(frozen=True, slots=True, kw_only=True)
class Suite:
    """Cases under one name. `checksum` names all their content."""

    name: str
    cases: tuple[Case, ...]
    description: str = ""
    trials: int = 1
    margin: float = 0.03

    @property
    def checksum(self) -> str:
        """Names the content of all cases, whatever their order."""
        return digest("\n".join(sorted(f"{case.id} {case.digest}" for case in self.cases)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Grade:
    """What one grader said: a loss in [0, 1] and why. `error`: it could not grade, which is no pass and no failure."""

    grader: str
    loss: float | None = None
    why: str = ""
    error: str | None = None

    def __post_init__(self) -> None:
        if (self.loss is None) == (self.error is None):
            raise ValueError("a Grade has either a loss or an error")
        if self.loss is not None and not (math.isfinite(self.loss) and 0.0 <= self.loss <= 1.0):
            raise ValueError(f"Grade.loss must be in [0, 1], got {self.loss!r}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One attempt at one case, numbered from 0. `loss` in [0, 1], 0 is good; `error` instead where nothing was learned
    of the agent: it could not be reached, or a grader could not grade. `reply` is what the customer would have read.
    """

    case: str
    trial: int
    loss: float | None = None
    error: str | None = None
    why: str = ""
    reply: str | None = None
    decision: str | None = None
    grades: tuple[Grade, ...] = ()
    rule: CaseRule = CaseRule.ORDINARY
    has_teeth: bool | None = None
    """Whether the case's graders refuse the reply that people once called bad; None: there is none to try."""
    took_ms: float | None = None
    attempts: int = 1

    def __post_init__(self) -> None:
        if (self.loss is None) == (self.error is None):
            raise ValueError(f"trial {self.trial} of {self.case!r} needs either a loss or an error")
        if self.loss is not None and not (math.isfinite(self.loss) and 0.0 <= self.loss <= 1.0):
            raise ValueError(f"trial {self.trial} of {self.case!r}: loss must be in [0, 1], got {self.loss!r}")

    @property
    def is_passed(self) -> bool:
        """Whether nothing was wrong."""
        return self.loss == 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """All trials of a suite against one release. `planned` trials, of which `done` have a result, errors included;
    `ended_at` None: it goes on, or was cut off and can be resumed."""

    id: str
    suite: str
    suite_digest: str
    release: str
    planned: int
    began_at: datetime
    done: int = 0
    ended_at: datetime | None = None
