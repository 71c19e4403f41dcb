"""One event of each kind that telemetry may hear of, for tests of whatever it tells."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from understudy.ports.telemetry import (
    ActionTried,
    AgentAsked,
    AutonomyMoved,
    BreakerChanged,
    CalibratorAdopted,
    DeliveryReported,
    Event,
    EventIgnored,
    HandOffMoved,
    HoldClosed,
    HoldOpened,
    HoldRaised,
    MessageReceived,
    MessageSent,
    NoteWritten,
    PledgeDue,
    PullFailed,
    ReleaseMoved,
    RemarkTaken,
    RequestRefused,
    StepFailed,
    SummaryTried,
    SystemAsked,
    SystemDrifted,
    TicketTried,
    TopicModelAdopted,
    TrialMade,
    TrialsRefused,
    TurnDecided,
    TurnSuperseded,
)
from understudy.records.assessment import Finding, Severity, Signal

START = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)
TRACE_ID = "0af7651916cd43dd8448eb211c80319c"
TRACE = f"00-{TRACE_ID}-b7ad6b7169203331-01"
WORDS = "the xylophone of a customer"  # what a finding explains to reviewers, and belongs in no log

DECIDED = TurnDecided(
    turn_id="t-1",
    conversation_id="c-1",
    channel="web",
    topic="orders",
    agent="bot",
    agent_version="v1",
    decision="hold",
    reasons=("below_threshold", "check_failed.policy"),
    confidence=0.123456,
    signals=(Signal(check="grounding", score=0.75), Signal(check="policy", score=0.0), Signal(check="tone", score=0.2)),
    findings=(
        Finding(check="grounding", code="unsupported", severity=Severity.MINOR, explanation=WORDS),
        Finding(check="policy", code="check_failed", severity=Severity.UNKNOWN, explanation=WORDS),
    ),
    rulebook_id="rb",
    started_at=START,
    decided_at=START + timedelta(seconds=2),
    took_ms=2000.0,
    assess_ms=1.5,
    trace=TRACE,
)
ASKED = AgentAsked(
    turn_id="t-1",
    conversation_id="c-1",
    agent="bot",
    agent_version="v1",
    outcome="draft",
    started_at=START,
    took_ms=250.0,
    attempt=1,
    trace=TRACE,
)
SENT = MessageSent(
    outbox_id="o-1", turn_id="t-1", channel="web", outcome="accepted", attempt=1, took_ms=10.0, age_s=3.0
)
MOVED = AutonomyMoved(
    topic="orders", channel="web", release="v7", what="promoted", level="probation", threshold=0.9, why=None, by="lena"
)
TRIED: dict[str, Any] = {"unseen": 60, "p_value": 0.001}
ADOPTED: dict[str, Any] = {"model": "m", "replaces": None, "topics": 3, "tags": 140}
LET_OUT = ReleaseMoved(release="rel-1", agent="bot", what="canary", by="Ines", why="")
EVENTS: tuple[Event, ...] = (
    MessageReceived(channel="web", conversation_id="c-1", turn_id="t-1", is_duplicate=False),
    RequestRefused(face="api", code="too-large"),
    ASKED,
    BreakerChanged(agent="bot", state="open"),
    TurnSuperseded(turn_id="t-1", superseded_by="t-2", conversation_id="c-1", was="held"),
    DECIDED,
    HoldOpened(hold_id="h-1", turn_id="t-1", kind="draft", topic="orders", channel="web", priority=5),
    HoldClosed(hold_id="h-1", turn_id="t-1", how="approve", reviewer="rosa", age_s=12.0),
    HoldRaised(hold_id="h-1", turn_id="t-1", age_s=900.0),
    SENT,
    MOVED,
    StepFailed(flow="turn", key="c-1", error="LookupError: in the middle"),
    CalibratorAdopted(calibrator="c", replaces="b", labels=140, log_loss_before=0.4, log_loss_after=0.3, **TRIED),
    TopicModelAdopted(right_before=0, right_after=50, wrong_after=1, **ADOPTED, **TRIED),
    LET_OUT,
    TrialMade(run="run-1", suite="shop", release="rel-1", outcome="passed", attempts=1, took_ms=20.0),
    TrialsRefused(run="run-1", suite="shop", release="rel-1", code="suite-differs", why="other cases"),
    PullFailed(channel="mail", error="no route", failures=2, again_s=1.5),
    EventIgnored(channel="web", why="our own message came back"),
    NoteWritten(note_id="note-1", channel="web", kind="hold", outcome="written", attempt=1),
    RemarkTaken(channel="web", kind="command", outcome="approve"),
    DeliveryReported(channel="web", outbox_id="out-1", outcome="delivered"),
    TicketTried(ticket_id="tk-1", system="desk", what="create", outcome="unknown", attempt=1, took_ms=20.0),
    SummaryTried(turn_id="t-1", outcome="not_carried", attempt=1, took_ms=812.0),
    PledgeDue(pledge_id="pl-1", conversation_id="c-1", kind="call", is_broken=True, late_s=2.0),
    HandOffMoved(
        hold_id="h-1", conversation_id="c-1", what="ended", detail="answered", team="all", waited_s=90.0, is_late=True
    ),
    HandOffMoved(
        hold_id="h-1", conversation_id="c-1", what="broken", detail="", team=None, waited_s=60.0, is_late=True
    ),
    SystemDrifted(system="desk", about="orders", kind="missing", path="$.a", words="$.a is missing; it was text"),
    SystemAsked(system="desk", about="orders", outcome="timed_out", took_ms=4000.0, turn_id="t-1"),
    ActionTried(
        action_id="t-1-a0", turn_id="t-1", name="refund", step="call", outcome="answered", attempt=1, took_ms=30.0
    ),
)
