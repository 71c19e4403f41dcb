"""Every event this product reports of itself, as types; adapters turn them into log lines, metrics and spans.

No event carries message text. Fields are ids, codes, counts and durations (`_ms`, `_s`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from understudy.records.assessment import Finding, Signal


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageReceived:
    """A customer message was stored and acknowledged, or recognised as one that was stored before."""

    channel: str
    conversation_id: str
    turn_id: str | None
    is_duplicate: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestRefused:
    """A request was turned away before anything was stored; `code` is the error's."""

    face: str
    code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EventIgnored:
    """A channel's provider sent something that is no customer's message; `why` it is passed over, in the configuration's words."""

    channel: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteWritten:
    """A note was written into a help desk, or was not: `outcome` is *written*, *retry*, *unsure* (it is looked for later), *unknown* or
    *failed*."""

    note_id: str
    channel: str
    kind: str
    outcome: str
    attempt: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RemarkTaken:
    """What a colleague remarked in a help desk was dealt with; `outcome` says in a word what came of it."""

    channel: str
    kind: str
    outcome: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PullFailed:
    """A channel that is fetched from could not be asked, or what it gave could not be stored; it is tried again in
    `again_s`. Nothing is lost meanwhile: it stays where it is. `failures`: so often in a row."""

    channel: str
    error: str
    failures: int
    again_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryReported:
    """A channel's provider said what became of a reply it took. `outcome` is `delivered`, `undelivered`, `known` (said
    before, or nothing to learn) or `not_ours`."""

    channel: str
    outbox_id: str | None
    outcome: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentAsked:
    """The agent was asked once. `outcome` is `draft` or the error's code."""

    turn_id: str
    conversation_id: str
    agent: str
    agent_version: str | None
    outcome: str
    started_at: datetime
    took_ms: float
    attempt: int
    trace: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemAsked:
    """A system of record was asked for something of a customer. `outcome` is `known`, or why it is unknown."""

    system: str
    about: str
    outcome: str
    took_ms: float
    turn_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemDrifted:
    """A system of record answered in another shape than before. `kind` is missing, new, type or enumeration; `words` say what
    was and what is. It is told once."""

    system: str
    about: str
    kind: str
    path: str
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketTried:
    """It was tried to open a ticket for a hand-off (`what` is create), or to tell an open one something (note, assign, close).
    `outcome` is opened or done, retry, unknown or dead."""

    ticket_id: str
    system: str
    what: str
    outcome: str
    attempt: int
    took_ms: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SummaryTried:
    """A model was asked to put a hand-off in short. `outcome` is written, or why not: not_carried, over_budget, interrupted, or an error."""

    turn_id: str
    outcome: str
    attempt: int
    took_ms: float


@dataclass(frozen=True, slots=True, kw_only=True)
class PledgeDue:
    """People were told of something that was promised to a customer: its deadline comes near, or it has passed (`is_broken`).
    `late_s`: seconds since the deadline; before it, negative."""

    pledge_id: str
    conversation_id: str
    kind: str
    is_broken: bool
    late_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class HandOffMoved:
    """A customer's wait for a person went on. `what` is waits, assigned, lost, taken, escalated, broken or ended; `detail` why
    it was assigned or lost, what was done to escalate it, or how it ended. `is_late`: longer than was promised."""

    hold_id: str
    conversation_id: str
    what: str
    detail: str
    team: str | None
    waited_s: float
    is_late: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakerChanged:
    """The circuit breaker of an agent, or of a system of record (`systems.NAME`), opened, half opened or closed."""

    agent: str
    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnSuperseded:
    """A newer customer message made a turn void before it was answered."""

    turn_id: str
    superseded_by: str
    conversation_id: str
    was: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnDecided:
    """A turn was decided: the one canonical line per turn. `took_ms` runs from the first message to the decision."""

    turn_id: str
    conversation_id: str
    channel: str
    topic: str
    agent: str | None
    agent_version: str | None
    decision: str
    reasons: tuple[str, ...]
    confidence: float | None
    signals: tuple[Signal, ...]
    findings: tuple[Finding, ...]
    rulebook_id: str
    started_at: datetime
    decided_at: datetime
    took_ms: float
    assess_ms: float
    trace: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldOpened:
    """Something began to wait for a person."""

    hold_id: str
    turn_id: str
    kind: str
    topic: str | None
    channel: str
    priority: int


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldClosed:
    """A hold ended; `how` is a verdict, `superseded` or `expired`; `age_s` is how long it waited."""

    hold_id: str
    turn_id: str
    how: str
    reviewer: str | None
    age_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldRaised:
    """A hold's deadline passed and it was put before the others."""

    hold_id: str
    turn_id: str
    age_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageSent:
    """A send was tried. `outcome` is accepted, rejected, retry, unknown or dead."""

    outbox_id: str
    turn_id: str | None
    channel: str
    outcome: str
    attempt: int
    took_ms: float
    age_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionTried:
    """A step of carrying an action out was taken: `step` is call, read_back or compensate; `outcome` is answered, looked,
    retry, done, failed, compensating, compensated or unknown."""

    action_id: str
    turn_id: str
    name: str
    step: str
    outcome: str
    attempt: int
    took_ms: float


@dataclass(frozen=True, slots=True, kw_only=True)
class AutonomyMoved:
    """The autonomy of a slice changed, or somebody is asked whether it may. `what` is proposed, promoted, demoted,
    expired, restarted, calibrated, stopped or resumed; `why` says what made it fall; `by` is the person, if one did."""

    topic: str
    channel: str
    release: str
    what: str
    level: str | None
    threshold: float | None
    why: str | None
    by: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CalibratorAdopted:
    """A calibrator learned from `labels` verdicts is in force, because it did better on `unseen` later ones: its mean
    log loss, in nats, was `log_loss_after` where that of the one before was `log_loss_before`."""

    calibrator: str
    replaces: str
    labels: int
    unseen: int
    log_loss_before: float
    log_loss_after: float
    p_value: float


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicModelAdopted:
    """A topic model learned from `tags` is in force, because on `unseen` later ones it was sure and right more often
    (`right_after`) than the one before (`right_before`), and sure and wrong seldom (`wrong_after`)."""

    model: str
    replaces: str | None
    topics: int
    tags: int
    unseen: int
    right_before: int
    right_after: int
    wrong_after: int
    p_value: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseMoved:
    """Something was done to a release, or should be. `what` is created, gated, shadow, canary, full, rolled_back, retired,
    held, resumed, verified (after a rollback the old release answers), unverified (nobody could see that it does),
    proposed (the next stage) or regressed (it should be taken back and a person's word keeps it)."""

    release: str
    agent: str
    what: str
    by: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialMade:
    """A trial of a run that a server was asked for was made and kept. `outcome` is passed, failed or error; `took_ms` is that
    of the try that counts, 0 where none gave a reply."""

    run: str
    suite: str
    release: str
    outcome: str
    attempts: int
    took_ms: float


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialsRefused:
    """A process with room leaves the trials of a run to others. `code` is the error's: suite-differs where its copy of the
    suite has other cases, configuration where it does not state the release."""

    run: str
    suite: str
    release: str
    code: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StepFailed:
    """A step broke in a way nobody foresaw and will be tried again; `error` is the exception's type and message."""

    flow: str
    key: str
    error: str


Event = (
    MessageReceived
    | RequestRefused
    | EventIgnored
    | NoteWritten
    | RemarkTaken
    | PullFailed
    | DeliveryReported
    | AgentAsked
    | SystemAsked
    | SystemDrifted
    | TicketTried
    | SummaryTried
    | PledgeDue
    | HandOffMoved
    | BreakerChanged
    | TurnSuperseded
    | TurnDecided
    | HoldOpened
    | HoldClosed
    | HoldRaised
    | MessageSent
    | ActionTried
    | AutonomyMoved
    | CalibratorAdopted
    | TopicModelAdopted
    | ReleaseMoved
    | TrialMade
    | TrialsRefused
    | StepFailed
)


class Telemetry(Protocol):
    """Where events go."""

    def emit(self, event: Event) -> None:
        """Report an event; never raises, never blocks."""
        ...
