"""Versions of an agent come to the customers and go, and nothing in between: a promotion or rollback cut off by `kill -9` is
the old state or the new, of two at once one wins, no conversation is switched but by a rollback, a shadow sends nothing.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from stage_plan import ON_EACH_STORE
from stage_releases import PASSES, begin, release_now, two_versions, watch
from understudy.adapters.stores.sql_store import SqlStore
from understudy.errors import Conflict
from understudy.records.release import Release, Stage
from understudy.release import rollout
from understudy.testing.scripted import FrozenClock, ScriptedAgent

ROOT = Path(__file__).parents[2]
if str(ROOT / "benchmarks") not in sys.path:
    sys.path.append(str(ROOT / "benchmarks"))

from crash_harness.broken_calls import BrokenCalls  # noqa: E402

Build = Callable[..., Any]
pytestmark = ON_EACH_STORE


class Deadly(BrokenCalls):
    """Calls to the database, at one of which its process is gone."""

    def call(self, what: str, do: Callable[[], Any], error: Callable[[], Exception]) -> Any:
        self.count += 1
        if self.count == self._at:
            os.kill(os.getpid(), signal.SIGKILL)
        return do()


def act_and_die(url: str, act: Callable[[Any], Any], at: int) -> bool:
    """Do something in a process of its own that is killed before its n-th call to the database; whether it lived on."""
    child = os.fork()
    if child == 0:
        store = SqlStore(url)
        Deadly(at=at, is_after=False).get_into(store.engine)
        store.write_now(act)
        store.close_now()
        os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status) == 0


def url_of(stage: Any) -> str:
    return stage.plan.url or f"sqlite:///{stage.plan.path}"


def stages_of(stage: Any) -> dict[str, Stage]:
    return {one.entry: one.stage for one in stage.read(lambda tx: tx.releases.roster().releases)}


def promote_to_all(tx: Any) -> Any:
    return rollout.promoted(tx, FrozenClock(), tx.releases.roster().candidate("echo"), share=0.5, by="Ines")


def take_back(tx: Any) -> Any:
    return rollout.rolled_back(tx, FrozenClock(), tx.releases.roster().full("echo"), by="Ines", why="odd")


OLD = {"echo": Stage.FULL, "echo-2": Stage.CANARY}
NEW = {"echo": Stage.RETIRED, "echo-2": Stage.FULL}
BACK = {"echo": Stage.FULL, "echo-2": Stage.ROLLED_BACK}


@pytest.mark.skipif(sys.platform != "linux", reason="it forks")
@pytest.mark.parametrize(("act", "before", "after"), [(promote_to_all, OLD, NEW), (take_back, NEW, BACK)])
def test_a_process_killed_in_the_middle_leaves_the_old_release_or_the_new(
    build: Build, act: Callable[[Any], Any], before: dict[str, Stage], after: dict[str, Stage]
) -> None:
    stage = two_versions(build)
    begin(stage, Stage.CANARY)
    if before is NEW:
        stage.store.write_now(promote_to_all)
    stage.close()
    outcomes = []
    for at in range(1, 60):
        act_and_die(url_of(stage), act, at)
        stage = type(stage)(stage.plan)
        outcomes.append(stages_of(stage))
        drafted = stage.draft(stage.ask("When?", to=f"c-{at}")).text
        stage.close()
        assert outcomes[-1] in (before, after)
        assert drafted in ("The old answer.", "The new answer.")
        if outcomes[-1] == after:
            break
    assert outcomes[-1] == after
    assert outcomes.count(before) >= 3, "it was killed at several statements before its commit"


def test_of_two_processes_that_promote_two_releases_at_once_one_wins(build: Build) -> None:
    """Both processes read the same state, then both write; the second is refused and nothing of it is stored."""
    third = ScriptedAgent("A third answer.", name="echo-3", version="v3")
    second = ScriptedAgent("The new answer.", name="echo-2", version="v2")
    own = ScriptedAgent("The old answer.", name="echo", version="v1")
    stage = build(agent=own, versions={"echo-2": second, "echo-3": third}, gate=PASSES)
    orders = stage.letting_out.orders
    stage.run(orders.create("echo", by="Ines"))
    candidates = [stage.run(orders.create(entry, by="Ines")) for entry in ("echo-2", "echo-3")]
    stores = [SqlStore(url_of(stage)) for _ in candidates]

    def promoting(release: Release, by: str) -> Callable[[Any], Any]:
        def step(tx: Any) -> Release:
            seen = rollout.as_seen(tx, release.id, version=release.version)
            return rollout.promoted(tx, FrozenClock(), seen, share=0.5, by=by)

        return step

    async def both() -> list[Any]:
        writes = [
            store.write(promoting(release, by))
            for store, release, by in zip(stores, candidates, ("Ines", "Lena"), strict=True)
        ]
        return await asyncio.gather(*writes, return_exceptions=True)

    results = stage.run(both())
    for store in stores:
        store.close_now()
    won = [result for result in results if isinstance(result, Release)]
    lost = [result for result in results if isinstance(result, Conflict)]
    assert (len(won), len(lost)) == (1, 1)
    assert won[0].id in lost[0].message
    assert won[0].moves[-1].by in lost[0].message
    assert sorted(stages_of(stage).values()) == [Stage.FULL, Stage.GATED, Stage.SHADOW]


ASKS = [("ask", "c-1"), ("ask", "c-2"), ("ask", "c-3")]
Doing = st.sampled_from([*ASKS, *ASKS, *ASKS, ("promote", ""), ("roll back", ""), ("begin again", ""), ("watch", "")])


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=15)
@given(doings=st.lists(Doing, min_size=10, max_size=40), share=st.sampled_from([0.2, 0.5, 1.0]))
@example(doings=[("promote", ""), ("ask", "c-1"), ("roll back", ""), ("begin again", ""), ("ask", "c-1")], share=0.2)
@example(
    doings=[("ask", "c-1"), ("roll back", ""), ("begin again", ""), ("promote", ""), ("ask", "c-1")],
    share=1.0,
)
def test_no_conversation_is_switched_but_by_a_rollback(build: Build, doings: Any, share: float) -> None:
    stage = two_versions(build)
    release = begin(stage, Stage.CANARY, share=share)
    orders = stage.letting_out.orders
    had: dict[str, str] = {}
    taken_back: set[str] = set()
    for what, name in doings:
        stage.clock.advance(1)
        if what == "ask":
            answer = stage.draft(stage.ask(f"When? {stage.clock.new_id('q')}", to=name)).text
            if name in taken_back and release_now(stage, release).stage is Stage.FULL:
                had.pop(name)  # nothing was drafted for it since, so who answers all now answers it, too
            assert had.get(name, answer) == answer
            had[name] = answer
            taken_back.discard(name)
        elif what == "watch":
            watch(stage)
        else:
            to = Stage.GATED if what == "begin again" else None
            try:
                if what == "roll back":
                    stage.run(orders.roll_back(None, by="Ines", why="odd"))
                    taken_back |= {one for one, answer in had.items() if answer != "The old answer."}
                    had = dict.fromkeys(had, "The old answer.")
                else:
                    stage.run(orders.promote(release.id, version=None, by="Ines", to=to, share=share))
            except Conflict:
                continue
        if release_now(stage, release).stage is Stage.GATED and what == "begin again":
            stage.run(orders.promote(release.id, version=None, by="Ines", to=Stage.CANARY, share=share))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=10)
@given(questions=st.lists(st.text(min_size=1, max_size=60), min_size=1, max_size=12))
def test_nothing_that_a_shadow_drafts_is_ever_sent(build: Build, questions: list[str]) -> None:
    stage = two_versions(build)
    begin(stage, Stage.SHADOW)
    for question in questions:
        stage.ask(question, to=stage.clock.new_id("e"))
        watch(stage)
    stage.let_people_finish()
    watch(stage)
    assert "The new answer." not in stage.channel.texts
    sent = stage.read(
        lambda tx: [entry.text for turn in tx.turns.listed(after=0, limit=999) for entry in tx.outbox.of_turn(turn.id)]
    )
    assert "The new answer." not in sent
    held = stage.read(lambda tx: [hold.turn_id for hold in tx.holds.queue(state=None, after=None, limit=200)])
    assert all(stage.draft(stage.turn(turn_id)).text != "The new answer." for turn_id in held if drafts(stage, turn_id))


def drafts(stage: Any, turn_id: str) -> bool:
    return stage.read(lambda tx: tx.artifacts.get(turn_id, "draft")) is not None
