"""A new version is certified by the labels of what it says as before, and by people where it does not; on both databases."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from stage_redrafts import NEW, OLD, asked, epoch_of, faults, plan_of, redraft, released
from stage_releases import release_now, watch
from understudy.learning.ladder import Progress
from understudy.records.codec import load
from understudy.records.conversation import Mode
from understudy.records.release import Stage
from understudy.records.review import VerdictKind

Build = Callable[..., Any]


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def anywhere(request: pytest.FixtureRequest, staging: ModuleType, tmp_path: Path) -> Iterator[Build]:
    """Make a stage on either database."""
    if request.param == "sqlite":
        yield request.getfixturevalue("build")
        return
    url = request.getfixturevalue("postgres_server").create(like=request.getfixturevalue("postgres_template"))
    made: list[Any] = []

    def build(**plan: Any) -> Any:
        made.append(staging.Stage(staging.Plan(path=tmp_path / "none.db", url=url, **plan)))
        return made[-1]

    yield build
    for one in made:
        one.close()


def finish(stage: Any, verdict_of: Callable[[], VerdictKind]) -> None:
    """Let the server redraft and people judge until nothing is left."""
    while redraft(stage) or asked(stage):
        for hold in asked(stage):
            stage.give(hold, verdict_of())
        stage.settle()


def canary(stage: Any, release: Any) -> None:
    now = release_now(stage, release)
    orders = stage.letting_out.orders
    stage.run(orders.promote(release.id, version=now.version, by="Ines", to=Stage.CANARY, share=0.5))
    watch(stage)


def test_few_labels_certify_a_version_that_says_nearly_the_same(anywhere: Build, staging: ModuleType) -> None:
    dice = random.Random(7)
    stage, release = released(anywhere, staging, new=lambda _request: NEW if dice.random() < 0.1 else OLD)
    sent = list(stage.channel.texts)
    finish(stage, lambda: VerdictKind.APPROVE)
    plan = plan_of(stage, release)
    assert plan.done == plan.same + plan.asked == len(plan.drawn)
    assert 0 < plan.asked < plan.done / 4
    canary(stage, release)
    epoch = epoch_of(stage, release)
    assert load(Progress, epoch.progress).labels == plan.done
    assert epoch.proposal is not None
    assert faults(stage) == []
    assert stage.channel.texts == sent
    assert not stage.read(lambda tx: tx.outbox.due(stage.clock.now(), limit=1))


def test_a_version_that_is_bad_where_it_differs_is_not_certified(anywhere: Build, staging: ModuleType) -> None:
    dice = random.Random(8)
    stage, release = released(anywhere, staging, new=lambda _request: NEW if dice.random() < 0.4 else OLD)
    finish(stage, lambda: VerdictKind.REJECT)
    canary(stage, release)
    assert epoch_of(stage, release).proposal is None
    assert faults(stage) == []


@pytest.mark.parametrize("kind", [VerdictKind.APPROVE, VerdictKind.EDIT, VerdictKind.REJECT])
def test_whatever_is_said_of_a_redraft_nobody_hears_it(build: Build, staging: ModuleType, kind: VerdictKind) -> None:
    stage, release = released(build, staging, new=NEW)
    redraft(stage)
    sent, entries = list(stage.channel.texts), stage.ledger[-1].seq
    holds = asked(stage)
    for hold in holds:
        stage.give(hold, kind, text="In other words." if kind is VerdictKind.EDIT else None)
    for _ in range(3):
        stage.pass_time(100_000)
    assert stage.channel.texts == sent
    assert not [one for one in stage.ledger if one.seq > entries and one.event.startswith("outbox.")]
    for hold in holds:
        conversation = stage.read(lambda tx, h=hold: tx.conversations.get(h.conversation_id))
        assert conversation.mode is Mode.REHEARSAL
    assert release_now(stage, release).stage is Stage.SHADOW
