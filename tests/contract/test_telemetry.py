"""What the product tells of itself: a log line, metrics and spans for every event, and never a word of a message."""

from __future__ import annotations

import dataclasses
import json
import logging
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, get_args

import pytest
import structlog
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import InMemoryLogRecordExporter, SimpleLogRecordProcessor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

from understudy.adapters.telemetry.logs import LogLines, configure, event_name
from understudy.adapters.telemetry.metrics import Metrics
from understudy.adapters.telemetry.spans import Spans
from understudy.ports.telemetry import (
    AgentAsked,
    AutonomyMoved,
    BreakerChanged,
    CalibratorAdopted,
    DeliveryReported,
    Event,
    EventIgnored,
    HoldClosed,
    HoldOpened,
    HoldRaised,
    MessageReceived,
    MessageSent,
    PullFailed,
    ReleaseMoved,
    RequestRefused,
    StepFailed,
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
    DeliveryReported(channel="web", outbox_id="out-1", outcome="delivered"),
)


def test_every_event_is_in_this_file() -> None:
    assert {type(event) for event in EVENTS} == set(get_args(Event))


# Log lines ---------------------------------------------------------------------------------------------------


@pytest.fixture
def log(capsys: pytest.CaptureFixture[str]) -> Iterator[Callable[[], str]]:
    """What was written to the log so far; however logging was configured before is put back."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield lambda: capsys.readouterr().err
    structlog.reset_defaults()
    root.handlers[:] = handlers
    root.setLevel(level)


def lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


@pytest.mark.parametrize("event", EVENTS, ids=event_name)
def test_every_event_is_one_line_of_json_with_all_its_fields(log: Callable[[], str], event: Event) -> None:
    configure()
    LogLines().emit(event)
    (line,) = lines(log())
    fields = {field.name for field in dataclasses.fields(event)}
    assert (line["event"], {*fields, "level", "timestamp"} - line.keys()) == (event_name(event), set())


def test_an_event_is_named_as_its_type() -> None:
    assert [event_name(event) for event in (DECIDED, EVENTS[0])] == ["turn_decided", "message_received"]


def test_a_decided_turn_is_told_in_codes_and_rounded_numbers(log: Callable[[], str]) -> None:
    configure()
    LogLines().emit(DECIDED)
    (line,) = lines(log())
    assert line["signals"] == {"grounding": 0.75, "policy": 0.0, "tone": 0.2}
    assert line["findings"] == ["grounding.unsupported", "policy.check_failed"]
    assert line["reasons"] == ["below_threshold", "check_failed.policy"]
    assert line["started_at"] == "2026-01-01T12:00:00+00:00"
    assert line["confidence"] == pytest.approx(0.1235, abs=0.001)


def test_no_explanation_is_logged(log: Callable[[], str]) -> None:
    configure(level="DEBUG")
    for event in EVENTS:
        LogLines().emit(event)
    written = log()
    assert len(written.splitlines()) == len(EVENTS)
    assert "xylophone" not in written


@pytest.mark.parametrize(
    ("event", "level"),
    [
        (DECIDED, "info"),
        (ASKED, "info"),
        (dataclasses.replace(ASKED, outcome="agent-timed-out"), "warning"),
        (SENT, "info"),
        (dataclasses.replace(SENT, outcome="retry"), "warning"),
        (EVENTS[1], "warning"),
        (EVENTS[3], "warning"),
        (EVENTS[8], "warning"),
        (dataclasses.replace(MOVED, what="demoted"), "warning"),
        (EVENTS[11], "error"),
        (LET_OUT, "info"),
        (dataclasses.replace(LET_OUT, what="rolled_back"), "warning"),
        (dataclasses.replace(LET_OUT, what="unverified"), "error"),
    ],
)
def test_trouble_is_louder_than_business(log: Callable[[], str], event: Event, level: str) -> None:
    configure()
    LogLines().emit(event)
    assert lines(log())[0]["level"] == level


def test_what_is_below_the_level_is_not_written(log: Callable[[], str]) -> None:
    configure(level="ERROR")
    for event in EVENTS:
        LogLines().emit(event)
    assert [line["event"] for line in lines(log())] == ["step_failed"]


def test_other_peoples_log_lines_have_the_same_form(log: Callable[[], str]) -> None:
    configure()
    logging.getLogger("somebody.else").warning("watch %s", "out")
    assert [(line["event"], line["level"]) for line in lines(log())] == [("watch out", "warning")]


def test_for_people_lines_are_written_for_people(log: Callable[[], str]) -> None:
    configure(form="console")
    LogLines().emit(DECIDED)
    written = log()
    assert "turn_decided" in written
    assert not written.startswith("{")


# Metrics -----------------------------------------------------------------------------------------------------


def value(metrics: Metrics, name: str, **labels: str) -> float | None:
    return metrics.registry.get_sample_value(f"understudy_{name}", labels)


@pytest.mark.parametrize("event", EVENTS, ids=event_name)
def test_every_event_changes_the_metrics(event: Event) -> None:
    metrics = Metrics()
    before = _samples(metrics)
    metrics.emit(event)
    assert _samples(metrics) != before


def _samples(metrics: Metrics) -> set[str]:
    """The samples without the moments at which they were made."""
    return {line for line in metrics.render().decode().splitlines() if "_created" not in line}


def test_a_decided_turn_is_counted_with_its_reasons_and_findings() -> None:
    metrics = Metrics()
    metrics.emit(DECIDED)
    assert value(metrics, "turns_total", decision="hold", channel="web", topic="orders") == 1
    assert value(metrics, "decision_reasons_total", decision="hold", reason="below_threshold") == 1
    assert value(metrics, "findings_total", check="policy", code="check_failed", severity="unknown") == 1
    assert value(metrics, "turn_seconds_sum", decision="hold") == 2.0
    assert value(metrics, "assess_seconds_sum") == 0.0015


def test_a_send_counts_its_wait_only_once_it_was_accepted() -> None:
    metrics = Metrics()
    metrics.emit(dataclasses.replace(SENT, outcome="retry"))
    metrics.emit(SENT)
    assert value(metrics, "messages_sent_total", channel="web", outcome="retry") == 1
    assert value(metrics, "outbox_age_seconds_count", channel="web") == 1
    assert value(metrics, "send_seconds_count", channel="web") == 2


def test_the_breakers_gauge_follows_its_state() -> None:
    metrics, seen = Metrics(), []
    for state in ("open", "half_open", "open", "closed"):
        metrics.emit(BreakerChanged(agent="bot", state=state))
        seen.append(value(metrics, "breaker_open", agent="bot"))
    assert (seen[0], seen[2], seen[3]) == (1.0, 1.0, 0.0)


def test_a_duplicate_is_counted_apart() -> None:
    metrics = Metrics()
    for is_duplicate in (False, True, True):
        metrics.emit(MessageReceived(channel="web", conversation_id="c", turn_id="t", is_duplicate=is_duplicate))
    counts = [value(metrics, "messages_received_total", channel="web", duplicate=word) for word in ("false", "true")]
    assert counts == [1, 2]


def test_a_watched_number_is_read_at_each_scrape() -> None:
    metrics, numbers = Metrics(), iter([3.0, 5.0])
    metrics.watch("backlog", "Turns waiting", lambda: next(numbers))
    assert [value(metrics, "backlog"), value(metrics, "backlog")] == [3.0, 5.0]


def test_two_houses_do_not_share_their_metrics() -> None:
    one, other = Metrics(), Metrics()
    one.emit(DECIDED)
    assert value(other, "turns_total", decision="hold", channel="web", topic="orders") is None


# Spans -------------------------------------------------------------------------------------------------------


class Exported:
    """Spans and log records as an SDK in memory got them."""

    def __init__(self) -> None:
        self._spans, self._records = InMemorySpanExporter(), InMemoryLogRecordExporter()
        tracers, loggers = TracerProvider(), LoggerProvider()
        tracers.add_span_processor(SimpleSpanProcessor(self._spans))
        loggers.add_log_record_processor(SimpleLogRecordProcessor(self._records))
        self.telemetry = Spans(tracers=tracers, loggers=loggers)

    @property
    def spans(self) -> list[Any]:
        return list(self._spans.get_finished_spans())

    @property
    def records(self) -> list[Any]:
        return [one.log_record for one in self._records.get_finished_logs()]


def test_a_decided_turn_is_a_span_with_its_true_times() -> None:
    exported = Exported()
    exported.telemetry.emit(DECIDED)
    (span,) = exported.spans
    assert span.name == "invoke_workflow turn"
    assert span.start_time == int(START.timestamp()) * 10**9
    assert span.end_time - span.start_time == 2 * 10**9
    assert span.attributes["understudy.decision"] == "hold"
    assert span.attributes["understudy.reasons"] == ("below_threshold", "check_failed.policy")
    assert span.attributes["gen_ai.conversation.id"] == "c-1"


def test_a_turn_and_its_agents_answer_are_in_one_trace() -> None:
    exported = Exported()
    exported.telemetry.emit(ASKED)
    exported.telemetry.emit(DECIDED)
    assert {format(span.context.trace_id, "032x") for span in exported.spans} == {TRACE_ID}


def test_a_decided_turn_gives_one_evaluation_per_check_and_one_of_the_confidence() -> None:
    exported = Exported()
    exported.telemetry.emit(DECIDED)
    assert {record.event_name for record in exported.records} == {"gen_ai.evaluation.result"}
    found = [
        (record.attributes["gen_ai.evaluation.name"], record.attributes["gen_ai.evaluation.score.label"])
        for record in exported.records
    ]
    assert found == [("grounding", "pass"), ("policy", "unknown"), ("tone", "fail"), ("confidence", "fail")]


def test_an_evaluation_carries_its_score_and_the_codes_behind_it() -> None:
    exported = Exported()
    exported.telemetry.emit(DECIDED)
    grounding, policy = (record.attributes for record in exported.records[:2])
    assert grounding["gen_ai.evaluation.score.value"] == 0.75
    assert grounding["gen_ai.evaluation.explanation"] == "grounding.unsupported"
    assert "error.type" not in grounding
    assert policy["error.type"] == "check_failed"


def test_an_evaluation_belongs_to_the_span_of_its_turn() -> None:
    exported = Exported()
    exported.telemetry.emit(DECIDED)
    (span,) = exported.spans
    assert {(record.trace_id, record.span_id) for record in exported.records} == {
        (span.context.trace_id, span.context.span_id)
    }


def test_a_turn_without_a_draft_has_no_confidence_to_tell_of() -> None:
    exported = Exported()
    exported.telemetry.emit(dataclasses.replace(DECIDED, confidence=None, agent=None, signals=()))
    assert exported.records == []


@pytest.mark.parametrize(("outcome", "status"), [("draft", StatusCode.UNSET), ("agent-timed-out", StatusCode.ERROR)])
def test_asking_an_agent_is_a_span_of_its_own(outcome: str, status: StatusCode) -> None:
    exported = Exported()
    exported.telemetry.emit(dataclasses.replace(ASKED, outcome=outcome))
    (span,) = exported.spans
    assert (span.name, span.status.status_code) == ("invoke_agent bot", status)
    assert span.end_time - span.start_time == 250 * 10**6
    assert span.attributes.get("error.type") == (None if outcome == "draft" else outcome)


@pytest.mark.parametrize(
    ("outcome", "status"),
    [("accepted", StatusCode.UNSET), ("retry", StatusCode.UNSET), ("dead", StatusCode.ERROR)],
)
def test_a_send_is_a_span(outcome: str, status: StatusCode) -> None:
    exported = Exported()
    exported.telemetry.emit(dataclasses.replace(SENT, outcome=outcome, turn_id=None))
    assert [(span.name, span.status.status_code) for span in exported.spans] == [("send web", status)]


def test_no_words_leave_with_a_span() -> None:
    exported = Exported()
    for event in EVENTS:
        exported.telemetry.emit(event)
    told = [span.to_json() for span in exported.spans] + [repr(record.attributes) for record in exported.records]
    assert told
    assert not [one for one in told if "xylophone" in one]


def test_asking_without_a_trace_begins_one() -> None:
    exported = Exported()
    exported.telemetry.emit(dataclasses.replace(ASKED, trace=None))
    assert [span.parent for span in exported.spans] == [None]


@pytest.mark.parametrize("event", EVENTS, ids=event_name)
def test_without_an_sdk_nothing_happens(event: Event) -> None:
    Spans().emit(event)
