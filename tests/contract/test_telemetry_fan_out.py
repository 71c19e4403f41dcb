"""Several telemetries as one: each hears everything, and one that breaks keeps nobody else from hearing."""

from __future__ import annotations

import pytest

from understudy.adapters.telemetry.fan_out import FanOut
from understudy.ports.telemetry import Event, HoldRaised, StepFailed

EVENTS = (StepFailed(flow="turn", key="c-1", error="x"), HoldRaised(hold_id="h-1", turn_id="t-1", age_s=1.0))


class Keeps:
    """Remembers what it heard."""

    def __init__(self) -> None:
        self.heard: list[Event] = []

    def emit(self, event: Event) -> None:
        self.heard.append(event)


class Breaks:
    """Cannot tell anybody of anything."""

    def emit(self, event: Event) -> None:
        raise RuntimeError("no disk for logs")


def test_every_telemetry_hears_every_event() -> None:
    one, other = Keeps(), Keeps()
    for event in EVENTS:
        FanOut([one, other]).emit(event)
    assert one.heard == other.heard == list(EVENTS)


def test_a_telemetry_that_breaks_keeps_nobody_from_hearing(caplog: pytest.LogCaptureFixture) -> None:
    kept = Keeps()
    FanOut([Breaks(), kept]).emit(EVENTS[0])
    assert kept.heard == [EVENTS[0]]
    assert "telemetry Breaks failed on StepFailed" in caplog.text
