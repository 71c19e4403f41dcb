"""Judged replies reduced to numbers: what a verdict costs, which slice a reply is in, and what the file holds."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from understudy.assessment.checks import CHECKS
from understudy.assessment.grading import grade, is_severe
from understudy.backtest.histories.labelled import Labelled
from understudy.backtest.histories.source import Place
from understudy.backtest.replies import Survey, replies, survey
from understudy.records.backtest import ScoreOrigin
from understudy.records.rulebook import Rulebook, Rules
from understudy.records.wire import TurnRecord, VerdictIn

RULEBOOK = Rulebook(id="r", rules=Rules())


def record(number: int = 0, *, confidence: float | None = None, verdict: Any = None, **more: Any) -> Labelled:
    data = {
        "id": f"t-{number}",
        "messages": [{"role": "user", "content": "Where is it?"}],
        "draft": {"text": "It was sent on Monday.", "confidence": confidence, "agent_version": "v7"},
        "verdict": verdict,
        **more,
    }
    return Labelled(place=Place(file="history", line=number + 1), record=TurnRecord.model_validate(data))


@pytest.mark.parametrize(
    ("verdict", "loss"),
    [
        ({"action": "approve"}, 0.0),
        ({"action": "approve", "severity": 0.7}, 0.0),
        ({"action": "edit", "severity": 0.35, "text": "Else."}, 0.35),
        ({"action": "edit", "text": "It was sent on Monday!"}, 0.0),
        ({"action": "edit", "text": "It was sent on Monday by courier."}, 0.2),
        ({"action": "edit"}, 1.0),
        ({"action": "reject"}, 1.0),
        ({"action": "respond", "text": "Else."}, 1.0),
        ({"action": "take_over"}, 1.0),
    ],
)
def test_verdict_costs_what_its_severity_says(verdict: Any, loss: float) -> None:
    given = VerdictIn.model_validate(verdict)
    draft = "It was sent on Monday."
    said = grade(given.action, draft=draft, text=given.text, severity=given.severity, reasons=given.reasons)
    assert said.loss == loss


@pytest.mark.parametrize(
    ("reasons", "severe"), [([], False), (["wrong_amount"], False), (["policy"], True), (["harm-minor", "x"], True)]
)
def test_harm_and_broken_policy_are_severe(reasons: list[str], severe: bool) -> None:
    assert is_severe(reasons) is severe


def read_all(history: list[Labelled], origin: ScoreOrigin, *by: str) -> tuple[list[Any], tuple[str, ...]]:
    def read() -> Iterator[Labelled]:
        return iter(history)

    told: list[int] = []
    found = replies(read, survey(read, told.append), origin, by, RULEBOOK, CHECKS, told.append)
    assert told[-1] == len(history)
    return found


GOOD = {"action": "approve"}


def test_survey_counts_what_the_file_holds() -> None:
    history = [record(0, confidence=0.9, verdict=GOOD, at="2026-05-02T10:00:00Z"), record(1, verdict=GOOD), record(2)]
    assert survey(lambda: iter(history), lambda _: None) == Survey(records=3, judged=2, sure=1, timed=1)


@pytest.mark.parametrize(
    ("judged", "sure", "origin"),
    [(0, 0, "learned"), (9, 0, "learned"), (9, 4, "learned"), (9, 5, "given"), (9, 9, "given")],
)
def test_score_is_given_where_most_drafts_have_it(judged: int, sure: int, origin: str) -> None:
    assert Survey(records=9, judged=judged, sure=sure, timed=0).origin().value == origin


def test_reply_is_in_the_slice_of_its_topic_channel_version() -> None:
    found, _ = read_all(
        [record(0, verdict=GOOD, topic="refunds", channel="sms")],
        ScoreOrigin.GIVEN,
        "topic",
        "channel",
        "agent_version",
    )
    assert found[0].parts == ("refunds", "sms", "v7")


def test_draft_without_confidence_is_never_sure_enough() -> None:
    found, _ = read_all([record(0, verdict=GOOD), record(1, verdict=GOOD, confidence=0.9)], ScoreOrigin.GIVEN)
    assert [one.score for one in found] == [0.0, 0.9]


def test_learned_score_looks_at_every_check() -> None:
    found, names = read_all([record(0, verdict=GOOD), record(1)], ScoreOrigin.LEARNED)
    assert names == tuple(check.name for check in CHECKS)
    assert len(found) == 1
    assert len(found[0].signals) == len(names)
    assert all(0.0 <= signal <= 1.0 for signal in found[0].signals)


def test_order_is_the_time_only_where_every_judged_draft_has_one() -> None:
    timed = [
        record(0, verdict=GOOD, at="2026-05-02T10:00:01Z"),
        record(1, verdict=GOOD, at="2026-05-02T10:00:00Z"),
        record(2),
    ]
    found, _ = read_all(timed, ScoreOrigin.GIVEN)
    assert found[0].order == found[1].order + 1
    found, _ = read_all([*timed, record(3, verdict=GOOD)], ScoreOrigin.GIVEN)
    assert [one.order for one in found] == [0.0, 1.0, 3.0]


def test_draft_without_conversation_stands_alone() -> None:
    found, _ = read_all([record(0, verdict=GOOD), record(1, verdict=GOOD, conversation_id="c")], ScoreOrigin.GIVEN)
    assert [one.conversation for one in found] == ["t-0", "c"]
