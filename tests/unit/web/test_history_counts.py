"""How a customer was answered, counted: what waits counts as nothing yet, and nothing counts twice."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from understudy.records.assessment import DecisionKind
from understudy.records.turn import Turn, TurnState
from understudy.web.history import _counts

AT = datetime(2026, 1, 1, tzinfo=UTC)


def turn(decision: DecisionKind | None, state: TurnState) -> Turn:
    return Turn(
        id="t-1",
        position=1,
        conversation_id="c-1",
        channel="web",
        state=state,
        token=1,
        due_at=None,
        topic=None,
        agent_version=None,
        decision=decision,
        reasons=(),
        confidence=None,
        rulebook_id=None,
        is_audited=False,
        superseded_by=None,
        trace=None,
        created_at=AT,
        decided_at=None,
        finished_at=None,
    )


@pytest.mark.parametrize(
    ("decision", "state", "counted"),
    [
        (DecisionKind.DELIVER, TurnState.ANSWERED, (1, 0, 0)),
        (DecisionKind.DEGRADE, TurnState.HANDED_OFF, (1, 0, 0)),
        (DecisionKind.HOLD, TurnState.ANSWERED, (0, 1, 0)),
        (DecisionKind.HOLD, TurnState.HELD, (0, 0, 0)),
        (DecisionKind.HOLD, TurnState.HANDED_OFF, (0, 0, 1)),
        (DecisionKind.HOLD, TurnState.SUPERSEDED, (0, 0, 0)),
        (DecisionKind.HAND_OFF, TurnState.ANSWERED, (0, 0, 1)),
        (DecisionKind.HAND_OFF, TurnState.HANDED_OFF, (0, 0, 1)),
        (None, TurnState.DRAFTING, (0, 0, 0)),
    ],
)
def test_each_turn_counts_once_and_what_waits_as_nothing(
    decision: DecisionKind | None, state: TurnState, counted: tuple[int, int, int]
) -> None:
    counts = _counts([turn(decision, state)])
    assert (counts.turns, counts.by_agent, counts.reviewed, counts.by_person) == (1, *counted)
