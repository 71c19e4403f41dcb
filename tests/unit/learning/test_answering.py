"""Which version of a slice answers now: what releases say, and where none does, who drafted last."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from understudy.learning.answering import answering
from understudy.learning.status import audit_rate_now
from understudy.records.release import Release, Roster, Stage
from understudy.records.rulebook import Grant, Level, Rules

NOW = datetime(2026, 5, 1, tzinfo=UTC)


def release(name: str, stage: Stage, **fields: Any) -> Release:
    given = {"agent_version": "v1", "created_at": NOW, "created_by": "Rolf", "since": NOW, "parts": ()}
    return Release(id=f"rel-{name}", version=1, agent="faq", entry=name, stage=stage, **{**given, **fields})


def shares(latest: dict[str, int], *releases: Release) -> dict[str, float]:
    """The shares of versions whose latest drafts have these numbers."""

    def latest_of(topic: str, channel: str, name: str, *, limit: int) -> list[Any]:
        return [SimpleNamespace(seq=latest[name])]

    tx: Any = SimpleNamespace(
        releases=SimpleNamespace(roster=lambda: Roster(releases=releases)),
        candidates=SimpleNamespace(latest_of=latest_of),
    )
    found = answering(tx, [("orders", "chat", name) for name in latest])
    return {name: share for (_, _, name), share in found.items()}


FIRST = release("first", Stage.FULL, is_first=True)


def test_a_release_that_was_taken_back_answers_nobody() -> None:
    assert shares({"v1": 3, "rel-next": 9}, FIRST, release("next", Stage.ROLLED_BACK)) == {"v1": 1.0, "rel-next": 0.0}


def test_a_canary_and_the_full_release_share() -> None:
    found = shares({"v1": 9, "rel-next": 3}, FIRST, release("next", Stage.CANARY, share=0.1))
    assert found == {"v1": pytest.approx(0.9), "rel-next": 0.1}


def test_a_shadow_answers_nobody_and_who_was_never_released_answers_by_drafting_last() -> None:
    assert shares({"v1": 3, "rel-next": 9}, FIRST, release("next", Stage.SHADOW)) == {"v1": 1.0, "rel-next": 0.0}
    assert shares({"v1": 3, "v2": 9}) == {"v1": 0.0, "v2": 1.0}
    assert shares({"v1": 3, "v2": 9}, FIRST) == {"v1": 0.0, "v2": 1.0}
    assert shares({"v1": 9, "v2": 3}, FIRST) == {"v1": 1.0, "v2": 0.0}


def test_of_two_names_of_one_release_the_one_that_drafted_last_answers() -> None:
    found = shares({"rel-next": 3, "rel-next~v9": 9}, release("next", Stage.FULL))
    assert found == {"rel-next": 0.0, "rel-next~v9": 1.0}


def test_what_leaves_by_itself_is_audited_also_before_there_is_evidence() -> None:
    rules = Rules(audit_rate=0.05)
    auto = Grant(topic="orders", channel="chat", level=Level.AUTO, threshold=0.9)
    assert audit_rate_now(None, auto, Level.AUTO, rules) == 0.05
    assert audit_rate_now(None, auto, Level.PROBATION, rules) == 1.0
    assert audit_rate_now(None, auto, Level.ASSIST, rules) is None
