"""An action that an agent proposes is done once, after it was let through and never before, whatever the system answers and
whoever dies while it is carried out; the reply that rests on it leaves only after it was done. What rehearses never acts.

*Once* needs a system that honours keys or can be read back; elsewhere a person says what became of an unknown call, and
this suite's person tells the truth. Not promised: what happens where that person is wrong.
"""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from refunds import acting_rules, of_amount, proposes, refund
from stage_plan import ON_EACH_STORE
from understudy.records.acting import ActionState
from understudy.records.outbox import Accepted, Rejected, Retry, Unknown
from understudy.testing.acting import DoesThen, ScriptedSystem

Build = Callable[..., Any]

ANSWERS = st.sampled_from(
    [
        Accepted(),
        Retry(reason="busy"),
        Retry(reason="busy", after_s=30),
        Rejected(reason="closed"),
        Unknown(reason="reset"),
        DoesThen(answer=Unknown(reason="reset")),
        OSError("broken pipe"),
        DoesThen(answer=OSError("broken pipe")),
    ]
)
KINDS = st.sampled_from(["keys", "read back", "both", "neither"])
AMOUNTS = ((1, "A1"), (2, "A2"), (3, "A3"))


class Died(BaseException):
    """The process is gone; nobody catches this."""


def system(kind: str, answers: list[Any]) -> ScriptedSystem:
    return ScriptedSystem(
        answers=answers, honours_keys=kind in ("keys", "both"), can_read_back=kind in ("read back", "both")
    )


def stage_with(build: Build, staging: ModuleType, books: ScriptedSystem, *, actions: int = 1, **plan: Any) -> Any:
    proposed = [of_amount(amount, order) for amount, order in AMOUNTS[:actions]]
    rules = acting_rules(staging, refund(is_automatic=plan.pop("is_automatic", False)))
    return build(agent=proposes(*proposed), rules=rules, executors={"refund": books}, **plan)


def assert_once(stage: Any, books: ScriptedSystem) -> None:
    """Nothing is done twice or without having been let through, and a reply leaves only where all of its turn was done."""
    assert all(count == 1 for count in books.times_done.values()), books.times_done
    entries = {
        entry.id: entry for turn in stage.turns for entry in stage.read(lambda tx, t=turn: tx.actions.of_turn(t.id))
    }
    assert set(books.calls) <= {one.id for one in entries.values() if one.approved_by is not None}
    done = {one.id for one in entries.values() if one.state is ActionState.DONE}
    assert done <= set(books.times_done), "what counts as done was not done"
    for entry in stage.channel.delivered:
        own = [one for one in entries.values() if one.turn_id == entry.turn_id]
        if entry.text == "About: your order.":
            assert {one.id for one in own} <= done, f"{entry.turn_id} was answered, and not all was done"


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(kind=KINDS, answers=st.lists(ANSWERS, max_size=8), actions=st.integers(1, 3), is_automatic=st.booleans())
def test_however_a_system_answers_an_action_is_done_at_most_once(
    build: Build, staging: ModuleType, kind: str, answers: list[Any], actions: int, is_automatic: bool
) -> None:
    books = system(kind, answers)
    stage = stage_with(build, staging, books, actions=actions, is_automatic=is_automatic)
    stage.ask("Refund A1, A2, A3: 1, 2, 3")
    stage.let_people_finish()
    assert_once(stage, books)
    stage.close()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(kind=KINDS, reached=st.lists(st.booleans(), min_size=1, max_size=3), answers=st.lists(ANSWERS, max_size=3))
def test_a_process_that_dies_while_acting_does_not_do_it_twice(
    build: Build, staging: ModuleType, kind: str, reached: list[bool], answers: list[Any]
) -> None:
    deaths = [DoesThen(answer=Died()) if one else Died() for one in reached]
    books = system(kind, [*deaths, *answers])
    stage = stage_with(build, staging, books)
    stage.receive("Refund A1, 1")
    for _ in range(len(deaths) + 1):
        try:
            stage.let_people_finish()
        except Died:
            stage = stage.restarted()
    assert_once(stage, books)
    assert staging.is_chained(stage.ledger)
    stage.close()


@pytest.mark.parametrize("is_after", [False, True], ids=["before the commit", "after the commit"])
@pytest.mark.parametrize("kind", ["keys", "read back", "neither"])
@ON_EACH_STORE
def test_a_crash_at_any_write_does_nothing_twice_and_sends_nothing_early(
    build: Build, staging: ModuleType, kind: str, is_after: bool
) -> None:
    from understudy.ports.store import Store

    class Mortal:
        """A store whose process dies at its n-th write, before or after the commit, and is of no use from then on."""

        def __init__(self, store: Store, at: int) -> None:
            self._store, self.left, self.is_dead = store, at, False

        def __getattr__(self, name: str) -> Any:
            return getattr(self._store, name)

        async def write(self, step: Any) -> Any:
            if self.is_dead:
                raise Died
            self.left -= 1
            if self.left == 0 and not is_after:
                self.is_dead = True
                raise Died
            result = await self._store.write(step)
            if self.left == 0:
                self.is_dead = True
                raise Died
            return result

    def answers() -> list[Any]:
        return [Retry(reason="busy"), DoesThen(answer=Unknown(reason="reset"))]

    counted: list[Mortal] = []
    books = system(kind, answers())
    stage = stage_with(
        build, staging, books, actions=2, wrap=lambda one: counted.append(Mortal(one, 10**9)) or counted[0]
    )
    stage.receive("Refund A1, A2: 1, 2")
    stage.let_people_finish()
    assert_once(stage, books)
    writes = 10**9 - counted[0].left
    assert writes > 15, "the story became too short to mean anything"
    every = 1 if stage.plan.url is None else 8  # a database for each takes PostgreSQL a second
    stage.close()
    for number in range(1, writes + 1, every):
        books = system(kind, answers())
        stage = stage_with(build, staging, books, actions=2, wrap=lambda one, at=number: Mortal(one, at))
        try:
            stage.receive("Refund A1, A2: 1, 2", provider_id="p-1")
            stage.let_people_finish()
        except Died:
            stage = stage.restarted(wrap=lambda one: one)
            stage.receive("Refund A1, A2: 1, 2", provider_id="p-1")
            stage.let_people_finish()
        try:
            assert_once(stage, books)
            assert len(books.times_done) == 2, "what was let through was not done"
            assert staging.is_chained(stage.ledger)
        except AssertionError as problem:
            problem.add_note(f"the process died at write {number} of {writes}")
            raise
        stage.close()
