"""Events as structured log lines; a decided turn is the one canonical line per turn. No message text at INFO."""

from __future__ import annotations

import logging
import re
import sys
from dataclasses import fields
from datetime import datetime
from typing import Any, Final, Literal

import structlog

from understudy.ports.telemetry import (
    ActionTried,
    AgentAsked,
    AutonomyMoved,
    BreakerChanged,
    DeliveryReported,
    Event,
    HandOffMoved,
    HoldRaised,
    MessageSent,
    PledgeDue,
    ReleaseMoved,
    RequestRefused,
    StepFailed,
    SummaryTried,
    SystemAsked,
    SystemDrifted,
    TicketTried,
    TrialMade,
    TrialsRefused,
    TurnDecided,
)

_WORD = re.compile(r"(?<!^)(?=[A-Z])")


def configure(*, level: str = "INFO", form: Literal["json", "console"] = "json") -> None:
    """Set up structlog and the standard library's logging to write to stderr, a line an event."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    renderer: Any = (
        structlog.processors.JSONRenderer()
        if form == "json"
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    # JSON carries a traceback as text; the console's renderer writes it by itself.
    told: list[Any] = [structlog.processors.format_exc_info] if form == "json" else []
    structlog.configure(
        processors=[*shared, *told, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level.upper())),
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stderr)
    finish = [structlog.stdlib.ProcessorFormatter.remove_processors_meta, *told, renderer]
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(processors=finish, foreign_pre_chain=shared))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING if level.upper() == "INFO" else level.upper())


def event_name(event: Event) -> str:
    """Write an event's type as its name in logs: `TurnDecided` -> `turn_decided`."""
    return _WORD.sub("_", type(event).__name__).lower()


class LogLines:
    """`ports.telemetry.Telemetry` as log lines; `level` is the least that is written, and nothing is prepared for less."""

    def __init__(self, level: str = "INFO") -> None:
        self._log = structlog.get_logger("understudy")
        self._says_all = logging.getLevelName(level.upper()) <= logging.INFO

    def emit(self, event: Event) -> None:
        if _is_usual(event):
            if self._says_all:
                self._log.info(event_name(event), **_fields(event))
        elif isinstance(event, StepFailed) or (isinstance(event, ReleaseMoved) and event.what == "unverified"):
            self._log.error(event_name(event), **_fields(event))
        else:
            self._log.warning(event_name(event), **_fields(event))


_USUAL: Final[dict[type, tuple[str, ...]]] = {
    AgentAsked: ("draft",),
    SystemAsked: ("known", "not_verified", "no_contact"),
    TicketTried: ("opened", "done"),
    SummaryTried: ("written",),
    MessageSent: ("accepted",),
    ActionTried: ("answered", "looked", "done"),
}
"""Outcomes of what was tried outside with which nothing is wrong."""


def _is_usual(event: Event) -> bool:
    """Whether an event tells of nothing that went wrong."""
    if isinstance(event, AgentAsked | SystemAsked | TicketTried | SummaryTried | MessageSent | ActionTried):
        return event.outcome in _USUAL[type(event)]
    if isinstance(event, PledgeDue):
        return not event.is_broken
    if isinstance(event, HandOffMoved):
        return event.what not in ("lost", "escalated", "broken")
    if isinstance(event, DeliveryReported):
        return event.outcome != "undelivered"
    if isinstance(event, AutonomyMoved):
        return event.what not in ("demoted", "stopped")
    if isinstance(event, TrialMade):
        return event.outcome != "error"
    if isinstance(event, ReleaseMoved):
        return event.what not in ("rolled_back", "regressed", "unverified")
    return not isinstance(
        event, BreakerChanged | HoldRaised | RequestRefused | StepFailed | SystemDrifted | TrialsRefused
    )


def _fields(event: Event) -> dict[str, Any]:
    values = {field.name: _plain(getattr(event, field.name)) for field in fields(event)}
    if isinstance(event, TurnDecided):
        values["signals"] = {signal.check: round(signal.score, 4) for signal in event.signals}
        values["findings"] = [finding.name for finding in event.findings]
        values["confidence"] = None if event.confidence is None else round(event.confidence, 4)
    return {name: round(value, 3) if isinstance(value, float) else value for name, value in values.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    return list(value) if isinstance(value, tuple) else value
