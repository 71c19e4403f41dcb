"""What `release status` says of labels that carry over."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from understudy.cli.release_report import show_one
from understudy.records.redraft import Redrafted
from understudy.records.release import Release, Stage
from understudy.records.rollout import ReleaseStatus

NOW = datetime(2026, 5, 2, tzinfo=UTC)
RELEASE = Release(
    id="rel-1",
    version=1,
    agent="shop",
    entry="shop-2",
    parts=(),
    stage=Stage.SHADOW,
    created_at=NOW,
    created_by="ines",
    since=NOW,
)


def test_the_report_counts_what_carried_over_and_what_people_have_to_judge(capsys: pytest.CaptureFixture[str]) -> None:
    counts = {"drawn": 300, "done": 120, "same": 100, "asked": 15, "kept": 0, "apart": 3, "failed": 2, "awaited": 4}
    redrafts = (Redrafted(topic="[red]orders", channel="chat", **counts),)
    show_one(ReleaseStatus(release=RELEASE, is_stated=True, conversations=0, redrafts=redrafts))
    said = capsys.readouterr().out
    assert "redrafts on [red]orders × chat: 120 of 300; 100 say the same, 15 judged anew (4 still wait)" in said
    assert "3 left to people by a rule, 2 could not be made" in said
    assert "bad label" not in said
