"""How things go: figures of the last minutes, reckoned from what the ledger tells of all processes, and what one process alone
knows. It reads nothing and judges nothing.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from understudy.records.assessment import Assessment, Severity
from understudy.records.evidence import Opinion
from understudy.records.ledger import LedgerEntry, readable_body
from understudy.records.outbox import OutboxState
from understudy.records.trail import OpenHolds, SliceUse, Unsent

DRIFTS_MAX = 5
SENT_OUTCOMES = ("accepted", "retry", "rejected", "unknown", "dead")


@dataclass(frozen=True, slots=True, kw_only=True)
class Took:
    """How long something took, in ms: half of the times no longer than `p50`, 95 % no longer than `p95`; None without any."""

    p50_ms: float | None
    p95_ms: float | None


def took(times_ms: Sequence[float]) -> Took:
    """Find the two times; each is one that was seen."""
    if not times_ms:
        return Took(p50_ms=None, p95_ms=None)
    ordered = sorted(times_ms)
    p50, p95 = (ordered[min(len(ordered) - 1, int(len(ordered) * share))] for share in (0.5, 0.95))
    return Took(p50_ms=round(p50, 1), p95_ms=round(p95, 1))


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentWent:
    """Drafts that an agent was asked for; `failed` gave none. `agent` None: those that failed, whoever was asked."""

    agent: str | None
    asked: int
    failed: int
    took: Took


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelWent:
    """Tries to send on a channel, by what came of them; `took` is from the try to the channel's answer."""

    channel: str
    tries: int
    outcomes: Mapping[str, int]
    took: Took


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemWent:
    """Look-ups in a system of record: how many were tried, and of how many of all wanted the answer is unknown, by why.
    `drifts`: how its answers came to differ from those before, in words, the latest last."""

    system: str
    asked: int
    known: int
    unknown: Mapping[str, int]
    took: Took
    drifts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Went:
    """What happened in a stretch of the ledger. `seconds`: how long it is; `is_cut`: it is shorter than was asked for, because
    too much happened to look at all of it."""

    seconds: float
    is_cut: bool
    received: int
    decided: Mapping[str, int]
    agents: tuple[AgentWent, ...]
    channels: tuple[ChannelWent, ...]
    systems: tuple[SystemWent, ...] = ()


def went(entries: Sequence[LedgerEntry], channels: Mapping[str, str], *, seconds: float, is_cut: bool) -> Went:
    """Reckon from entries in order; `channels` names the channel of an outbox entry."""
    asked_at: dict[str, datetime] = {}
    began_at: dict[tuple[str, int], datetime] = {}
    agents: dict[str | None, _Tally] = defaultdict(_Tally)
    sent: dict[str, _Tally] = defaultdict(_Tally)
    systems: dict[str, _Tally] = defaultdict(_Tally)
    read_ms: dict[str, float] = {}
    drifts: dict[str, list[str]] = defaultdict(list)
    decided: Counter[str] = Counter()
    received = 0
    for entry in entries:
        body = readable_body(entry)
        kind, _, what = entry.event.partition(".")
        if entry.event == "message.received":
            received += 1
        elif entry.event == "turn.decided":
            decided[str(body.get("decision"))] += 1
        elif entry.event == "agent.asked" and entry.turn_id is not None:
            asked_at[entry.turn_id] = entry.at
        elif entry.event == "system.drifted":
            drifts[str(body.get("system"))] += [f"{body.get('about')}: {words}" for words in body.get("changes") or ()]
        elif entry.event == "facts.read":
            read_ms[entry.turn_id or ""] = _count_reads(systems, body)
        elif entry.event == "turn.drafted" and (since := asked_at.pop(entry.turn_id or "", None)) is not None:
            name = None if body.get("failed") else str(body.get("agent"))
            since += timedelta(milliseconds=read_ms.pop(entry.turn_id or "", 0.0))
            agents[name].add("failed" if body.get("failed") else "draft", since, entry.at)
        elif entry.event == "outbox.sending":
            began_at[str(body.get("outbox")), int(body.get("attempt") or 0)] = entry.at
        elif kind == "outbox" and what in SENT_OUTCOMES:
            began = began_at.pop((str(body.get("outbox")), int(body.get("attempt") or 0)), None)
            sent[channels.get(str(body.get("outbox")), "?")].add(what, began, entry.at)
    return Went(
        seconds=seconds,
        is_cut=is_cut,
        received=received,
        decided=dict(decided),
        agents=tuple(
            AgentWent(agent=name, asked=one.count, failed=one.outcomes["failed"], took=took(one.times_ms))
            for name, one in sorted(agents.items(), key=lambda item: item[0] or "")
        ),
        channels=tuple(
            ChannelWent(channel=name, tries=one.count, outcomes=dict(one.outcomes), took=took(one.times_ms))
            for name, one in sorted(sent.items())
        ),
        systems=tuple(
            SystemWent(
                system=name,
                asked=len(one.times_ms),
                known=one.outcomes["known"],
                unknown={why: count for why, count in one.outcomes.items() if why != "known"},
                took=took(one.times_ms),
                drifts=tuple(drifts[name][-DRIFTS_MAX:]),
            )
            for name, one in sorted(systems.items())
        ),
    )


def _count_reads(systems: dict[str, _Tally], body: Mapping[str, Any]) -> float:
    """Count the look-ups of a turn; returns how long they took together, in ms."""
    read = body.get("read")
    for line in read if isinstance(read, list) else []:
        system, _, outcome, ms = line
        tally = systems[str(system)]
        tally.outcomes[str(outcome)] += 1
        if ms:
            tally.times_ms.append(float(ms))
    return float(body.get("took_ms") or 0.0)


def sends_in(entries: Sequence[LedgerEntry]) -> frozenset[str]:
    """The outbox entries that were tried in a stretch of the ledger."""
    outcomes = {f"outbox.{what}" for what in SENT_OUTCOMES}
    return frozenset(str(readable_body(entry).get("outbox")) for entry in entries if entry.event in outcomes)


@dataclass(slots=True)
class _Tally:
    outcomes: Counter[str] = field(default_factory=Counter)
    times_ms: list[float] = field(default_factory=list)

    @property
    def count(self) -> int:
        return sum(self.outcomes.values())

    def add(self, outcome: str, since: datetime | None, until: datetime) -> None:
        self.outcomes[outcome] += 1
        if since is not None:
            self.times_ms.append(max(0.0, (until - since).total_seconds() * 1000))


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckWent:
    """A check in the latest turns that were decided: how often it ran and could not tell, its findings by severity, and the
    mean of its signal in [0, 1]; None where it gave none."""

    check: str
    ran: int
    unknown: int
    findings: Mapping[str, int]
    signal: float | None


def checks_went(assessments: Sequence[Assessment]) -> tuple[CheckWent, ...]:
    """Count what each check said."""
    signals: dict[str, list[float]] = defaultdict(list)
    findings: dict[str, Counter[str]] = defaultdict(Counter)
    for assessment in assessments:
        for signal in assessment.signals:
            signals[signal.check].append(signal.score)
        for finding in assessment.findings:
            findings[finding.check][finding.severity.value] += 1
    return tuple(
        CheckWent(
            check=name,
            ran=max(len(signals[name]), findings[name][Severity.UNKNOWN.value]),
            unknown=findings[name][Severity.UNKNOWN.value],
            findings=dict(findings[name]),
            signal=round(sum(signals[name]) / len(signals[name]), 4) if signals[name] else None,
        )
        for name in sorted(signals.keys() | findings.keys())
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class OpinionWent:
    """A second opinion in the latest turns: how often it was asked, and how often it gave none."""

    opinion: str
    asked: int
    failed: int
    took: Took


def opinions_went(opinions: Sequence[Opinion]) -> tuple[OpinionWent, ...]:
    """Count what each second opinion did."""
    by_name: dict[str, list[Opinion]] = defaultdict(list)
    for one in opinions:
        by_name[one.name].append(one)
    return tuple(
        OpinionWent(
            opinion=name,
            asked=len(all_of),
            failed=sum(1 for one in all_of if one.error is not None),
            took=took([one.took_ms for one in all_of if one.took_ms is not None]),
        )
        for name, all_of in sorted(by_name.items())
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentKnown:
    """What one process knows of an agent: its circuit breaker, since when, and the single tries of the last minutes."""

    agent: str
    breaker: str
    since: datetime | None
    tries: int
    failed: int
    took: Took


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What one process alone knows: of agents it asked, and steps of its that broke since it began."""

    agents: tuple[AgentKnown, ...] = ()
    steps_failed: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessSeen:
    """A process at work, with what it alone knows. `is_me`: the one that answers. `is_silent`: it has not been heard of for so
    long that it is taken for dead."""

    id: str
    host: str
    pid: int
    version: str
    does: str
    started_at: datetime
    seen_at: datetime
    is_me: bool
    is_silent: bool
    knows: Known


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """A limit of the configuration, and how much of it is used; `what` is the setting's name."""

    what: str
    used: float
    limit: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Schema:
    """Which version of the schema the database has, and which this program wants."""

    at: str | None
    wanted: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """How everything goes at `at`. What stands in `processes[].knows` one process told of itself; all else is from the store
    and so of all processes."""

    at: datetime
    version: str
    schema: Schema
    store: str
    backlog: int
    backlog_oldest_at: datetime | None
    holds: tuple[OpenHolds, ...]
    unsent: tuple[Unsent, ...]
    slices: tuple[SliceUse, ...]
    limits: tuple[Limit, ...]
    went: Went
    checks: tuple[CheckWent, ...]
    checks_of_turns: int
    opinions: tuple[OpinionWent, ...]
    processes: tuple[ProcessSeen, ...]

    @property
    def dead(self) -> int:
        """How many messages were given up."""
        return sum(one.count for one in self.unsent if one.state is OutboxState.DEAD)
