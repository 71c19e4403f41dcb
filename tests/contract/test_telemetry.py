"""What the product tells of itself: a log line and metrics for every event, and never a word of a message."""

from __future__ import annotations

import dataclasses
import json
import logging
from collections.abc import Callable, Iterator
from typing import Any, get_args

import pytest
import structlog

from told_events import ASKED, DECIDED, EVENTS, LET_OUT, MOVED, SENT
from understudy.adapters.telemetry.logs import LogLines, configure, event_name
from understudy.adapters.telemetry.metrics import Metrics
from understudy.ports.telemetry import (
    BreakerChanged,
    Event,
    MessageReceived,
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
