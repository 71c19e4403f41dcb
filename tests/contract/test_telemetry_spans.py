"""What the product tells a collector of itself: spans and records of evaluations, and never a word of a message."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import InMemoryLogRecordExporter, SimpleLogRecordProcessor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

from told_events import ASKED, DECIDED, EVENTS, SENT, START, TRACE_ID
from understudy.adapters.telemetry.logs import event_name
from understudy.adapters.telemetry.spans import Spans
from understudy.ports.telemetry import (
    Event,
)


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
