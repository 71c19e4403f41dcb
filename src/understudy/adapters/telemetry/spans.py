"""Events as OpenTelemetry spans and GenAI events; without an installed SDK the API does nothing, at no cost.

Each turn has a trace context of its own from its first step on; the agent gets it as `traceparent`, so its own spans
join. Spans are written when a thing is over, with its true times, so a crash never leaves a half-open one.
Attribute names follow the OpenTelemetry semantic conventions for generative AI (status: development).
"""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

from opentelemetry import trace
from opentelemetry._logs import LoggerProvider, LogRecord, SeverityNumber, get_logger_provider
from opentelemetry._logs._internal import ProxyLoggerProvider
from opentelemetry.context import Context
from opentelemetry.trace import (
    NonRecordingSpan,
    ProxyTracerProvider,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
    TracerProvider,
)

from understudy import __version__
from understudy.ports.telemetry import AgentAsked, Event, MessageSent, TurnDecided
from understudy.records.assessment import Severity

SCOPE = "understudy"
LOOK_AGAIN_S = 1.0
PASS_AT = 0.5
"""A signal at or above this is labelled `pass`; the label is for filtering only, no decision rests on it."""


class Spans:
    """`ports.telemetry.Telemetry` as spans and `gen_ai.evaluation.result` events."""

    def __init__(self, *, tracers: TracerProvider | None = None, loggers: LoggerProvider | None = None) -> None:
        self._is_always_heard = tracers is not None or loggers is not None
        self._looks_again_at = 0.0
        self._tracer = (tracers or trace.get_tracer_provider()).get_tracer(SCOPE, __version__)
        self._logger = (loggers or get_logger_provider()).get_logger(SCOPE, __version__)

    def emit(self, event: Event) -> None:
        if not self._is_heard():
            return
        match event:
            case AgentAsked():
                self._agent_asked(event)
            case TurnDecided():
                self._turn_decided(event)
            case MessageSent():
                self._message_sent(event)
            case _:
                pass

    def _is_heard(self) -> bool:
        """Whether an SDK was installed for the process, looked at once a second: to ask costs as much as a span."""
        if not self._is_always_heard and (now := time.monotonic()) >= self._looks_again_at:
            self._is_always_heard = _is_anybody_there()
            self._looks_again_at = now + LOOK_AGAIN_S
        return self._is_always_heard

    def _agent_asked(self, event: AgentAsked) -> None:
        span = self._tracer.start_span(
            f"invoke_agent {event.agent}",
            context=_parent(event.trace),
            kind=SpanKind.CLIENT,
            start_time=_ns(event.started_at),
            attributes={
                "gen_ai.operation.name": "invoke_agent",
                "gen_ai.agent.name": event.agent,
                "gen_ai.agent.version": event.agent_version or "",
                "gen_ai.conversation.id": event.conversation_id,
                "understudy.turn.id": event.turn_id,
                "understudy.attempt": event.attempt,
            },
        )
        if event.outcome != "draft":
            span.set_attribute("error.type", event.outcome)
            span.set_status(Status(StatusCode.ERROR, event.outcome))
        span.end(_ns(event.started_at + timedelta(milliseconds=event.took_ms)))

    def _turn_decided(self, event: TurnDecided) -> None:
        span = self._tracer.start_span(
            "invoke_workflow turn",
            context=_parent(event.trace),
            kind=SpanKind.INTERNAL,
            start_time=_ns(event.started_at),
            attributes={
                "gen_ai.operation.name": "invoke_workflow",
                "gen_ai.conversation.id": event.conversation_id,
                "gen_ai.agent.name": event.agent or "",
                "gen_ai.agent.version": event.agent_version or "",
                "understudy.turn.id": event.turn_id,
                "understudy.channel": event.channel,
                "understudy.topic": event.topic,
                "understudy.decision": event.decision,
                "understudy.reasons": list(event.reasons),
                "understudy.rulebook.id": event.rulebook_id,
            },
        )
        context = trace.set_span_in_context(span)
        for signal in event.signals:
            found = [finding for finding in event.findings if finding.check == signal.check]
            unknown = any(finding.severity is Severity.UNKNOWN for finding in found)
            explanation = "; ".join(finding.name for finding in found)
            self._evaluated(event, context, signal.check, signal.score, explanation, unknown=unknown)
        if event.confidence is not None:
            self._evaluated(event, context, "confidence", event.confidence, "", unknown=False)
        span.end(_ns(event.decided_at))

    def _evaluated(
        self, event: TurnDecided, context: Context, name: str, score: float, explanation: str, *, unknown: bool
    ) -> None:
        attributes: dict[str, str | float] = {
            "gen_ai.evaluation.name": name,
            "gen_ai.evaluation.score.value": score,
            "gen_ai.evaluation.score.label": "unknown" if unknown else "pass" if score >= PASS_AT else "fail",
            "gen_ai.conversation.id": event.conversation_id,
            "understudy.turn.id": event.turn_id,
        }
        if explanation:
            attributes["gen_ai.evaluation.explanation"] = explanation
        if unknown:
            attributes["error.type"] = "check_failed"
        self._logger.emit(
            LogRecord(
                timestamp=_ns(event.decided_at),
                context=context,
                severity_number=SeverityNumber.INFO,
                event_name="gen_ai.evaluation.result",
                attributes=attributes,
            )
        )

    def _message_sent(self, event: MessageSent) -> None:
        span = self._tracer.start_span(
            f"send {event.channel}",
            kind=SpanKind.PRODUCER,
            attributes={
                "understudy.turn.id": event.turn_id or "",
                "understudy.outbox.id": event.outbox_id,
                "understudy.outcome": event.outcome,
                "understudy.attempt": event.attempt,
            },
        )
        if event.outcome not in ("accepted", "retry"):
            span.set_status(Status(StatusCode.ERROR, event.outcome))
        span.end()


def _is_anybody_there() -> bool:
    """Whether an SDK was installed for the process; until then the API would take everything and keep nothing."""
    return not isinstance(trace.get_tracer_provider(), ProxyTracerProvider) or not isinstance(
        get_logger_provider(), ProxyLoggerProvider
    )


def _parent(traceparent: str | None) -> Context | None:
    """Read a W3C `traceparent` as the context of a remote parent; None where there is none."""
    if traceparent is None:
        return None
    _, trace_id, span_id, _ = traceparent.split("-")
    parent = SpanContext(int(trace_id, 16), int(span_id, 16), is_remote=True, trace_flags=TraceFlags(1))
    return trace.set_span_in_context(NonRecordingSpan(parent))


def _ns(moment: datetime) -> int:
    return int((moment - datetime(1970, 1, 1, tzinfo=UTC)) / timedelta(microseconds=1)) * 1000
