"""What servers found at a gate reaches its release, and only what is about the release that answers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from stage_plan import ON_EACH_STORE
from stage_releases import gate_saying, two_versions
from understudy.errors import Conflict
from understudy.ports.store import Transaction
from understudy.records.gate import GateVerdict
from understudy.records.release import Release, Stage
from understudy.records.spread import GateState, PendingGate
from understudy.release.telling import Telling

Build = Callable[..., Any]
pytestmark = ON_EACH_STORE


def create(stage: Any, entry: str, **more: Any) -> Release:
    return stage.run(stage.letting_out.orders.create(entry, by="Ines", **more))


def judged_by_servers(stage: Any, release: Release, full: Release, verdict: GateVerdict) -> None:
    """Let servers have judged a gate that its release was not told of yet."""
    result = stage.run(gate_saying(verdict)(release, full))
    gate = PendingGate(
        id="ask-1",
        version=1,
        state=GateState.JUDGED,
        candidate=release.id,
        baseline=full.id,
        parts=(),
        asked_by="Ines",
        asked_at=stage.clock.now(),
        result=result,
    )

    def keep(tx: Transaction) -> None:
        tx.pending_gates.add(gate)
        tx.ledger.append("gate.asked", at=stage.clock.now(), gate=gate.id)

    async def judged() -> None:
        await stage.store.write(keep)

    stage.run(judged())


def test_a_gate_that_was_judged_is_not_waived_before_its_release_was_told(build: Build) -> None:
    stage = two_versions(build, gate=gate_saying(GateVerdict.INCONCLUSIVE))
    full = create(stage, "echo")
    release = create(stage, "echo-2")
    judged_by_servers(stage, release, full, GateVerdict.FAIL)
    with pytest.raises(Conflict, match="not decided yet"):
        stage.run(stage.letting_out.orders.waive(release.id, version=None, by="Ines", why="a typo in the prompt"))
    stage.run(Telling(stage.store, stage.clock, stage).sweep())
    with pytest.raises(Conflict, match="failed its gate"):
        stage.run(stage.letting_out.orders.waive(release.id, version=None, by="Ines", why="a typo in the prompt"))


@pytest.mark.parametrize("answers", [True, False])
def test_a_verdict_against_a_release_that_answers_no_more_counts_for_nothing(build: Build, answers: bool) -> None:
    stage = two_versions(build, gate=gate_saying(GateVerdict.INCONCLUSIVE))
    full = create(stage, "echo")
    release = create(stage, "echo-2")
    compared = full if answers else replace(full, id="rel-of-last-week")
    judged_by_servers(stage, release, compared, GateVerdict.PASS)
    stage.run(Telling(stage.store, stage.clock, stage).sweep())
    now = stage.read(lambda tx: tx.releases.get(release.id))
    assert now.stage is (Stage.GATED if answers else Stage.CREATED)
