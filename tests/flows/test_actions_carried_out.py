"""Actions that were let through: what each answer of a system of record comes to, and what people do about it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from types import ModuleType
from typing import Any

import pytest

from refunds import (
    actions_of,
    approve,
    of_amount,
    play,
    states_of,
    system_of,
    told_of,
)
from stage_plan import ON_EACH_STORE
from understudy.errors import Conflict, InputError
from understudy.records.acting import Differs, Unanswered
from understudy.records.outbox import Rejected, Retry, Unknown
from understudy.records.review import HoldKind, VerdictKind
from understudy.records.turn import TurnState
from understudy.testing.acting import DoesThen, ScriptedSystem, TakesOnly

Build = Callable[..., Any]

pytestmark = ON_EACH_STORE

LOST = DoesThen(answer=Unknown(reason="connection reset"))
"""It was done and the answer got lost."""


@pytest.fixture
def act(build: Build, staging: ModuleType) -> Callable[..., Any]:
    """Make a stage with an agent that proposes actions, and a system of record."""
    return partial(play, build, staging)


# --- what systems answer ---


def test_a_busy_system_is_asked_again_after_a_pause(act: Any) -> None:
    stage = act(system=ScriptedSystem(answers=[Retry(reason="busy"), Retry(reason="busy", after_s=30)]))
    turn = stage.ask("Refund A17, 40")
    approve(stage)
    assert (states_of(stage, turn), stage.channel.texts) == (["approved"], [])
    stage.pass_time(5)
    assert len(system_of(stage).calls) == 2
    stage.pass_time(31)
    assert (states_of(stage, turn), stage.channel.texts) == (["done"], ["About: your order."])


def test_a_system_that_stays_busy_fails_the_action_and_a_person_answers(act: Any) -> None:
    stage = act(system=ScriptedSystem(answers=[Retry(reason="busy")] * 99))
    turn = stage.ask("Refund A17, 40")
    approve(stage)
    for _ in range(20):
        stage.pass_time(400)
    assert (states_of(stage, turn), stage.channel.texts) == (["failed"], [])
    assert len(system_of(stage).calls) == 5
    assert [(hold.kind, hold.reasons) for hold in stage.open_holds] == [(HoldKind.HAND_OFF, ("action_failed",))]


def test_a_refused_action_keeps_the_reply_and_the_actions_behind_it(act: Any) -> None:
    stage = act(
        of_amount(1, "A1"), of_amount(2, "A2"), system=ScriptedSystem(answers=[Rejected(reason="no such order")])
    )
    turn = stage.ask("A1, A2: 1, 2")
    approve(stage)
    stage.pass_time(100)
    assert (states_of(stage, turn), stage.channel.texts) == (["failed", "dropped"], [])
    assert actions_of(stage, turn)[0].last_error == "no such order"
    assert stage.turn(turn.id).state is TurnState.HANDED_OFF


def test_a_lost_answer_is_read_back_and_not_repeated(act: Any) -> None:
    stage = act(system=ScriptedSystem(answers=[LOST]))
    turn = stage.ask("Refund A17, 40")
    approve(stage)
    assert (states_of(stage, turn), stage.channel.texts) == (["done"], ["About: your order."])
    assert len(system_of(stage).calls) == 1


def test_a_call_that_was_not_done_is_repeated_once_nothing_of_it_can_be_under_way(act: Any) -> None:
    stage = act(system=ScriptedSystem(answers=[Unknown(reason="reset")]))
    turn = stage.ask("Refund A17, 40")
    approve(stage)
    for _ in range(7):
        stage.pass_time(8)
    assert len(system_of(stage).calls) == 1
    for _ in range(3):
        stage.pass_time(8)
    assert (states_of(stage, turn), len(system_of(stage).calls)) == (["done"], 2)
    assert system_of(stage).times_done == {f"{turn.id}-a0": 1}


def test_a_lost_answer_is_repeated_under_the_key_where_it_cannot_be_read_back(act: Any) -> None:
    stage = act(system=ScriptedSystem(answers=[LOST], can_read_back=False, honours_keys=True))
    turn = stage.ask("Refund A17, 40")
    approve(stage)
    stage.pass_time(10)
    assert (states_of(stage, turn), len(system_of(stage).calls)) == (["done"], 2)
    assert system_of(stage).times_done == {f"{turn.id}-a0": 1}


def test_a_lost_answer_waits_for_a_person_where_nothing_else_can_tell(act: Any) -> None:
    stage = act(system=ScriptedSystem(answers=[LOST], can_read_back=False))
    turn = stage.ask("Refund A17, 40")
    approve(stage)
    stage.pass_time(1000)
    assert (states_of(stage, turn), len(system_of(stage).calls), stage.channel.texts) == (["unknown"], 1, [])
    (hold,) = stage.open_holds
    assert hold.kind is HoldKind.UNSURE_ACTION
    stage.give(hold, VerdictKind.REJECT)  # it was done
    stage.settle()
    assert (states_of(stage, turn), stage.channel.texts) == (["done"], ["About: your order."])
    assert len(system_of(stage).calls) == 1


@pytest.mark.parametrize("verdict", [VerdictKind.EDIT, VerdictKind.RESPOND, VerdictKind.TAKE_OVER])
def test_whether_it_was_done_is_all_that_is_asked_of_an_unsure_action(act: Any, verdict: VerdictKind) -> None:
    stage = act(system=ScriptedSystem(answers=[LOST], can_read_back=False))
    turn = stage.ask("Refund A17, 40")
    approve(stage)
    with pytest.raises(InputError, match="it takes approve, reject"):
        stage.give(stage.open_holds[0], verdict)
    assert states_of(stage, turn) == ["unknown"]


def test_a_person_who_knows_that_it_was_not_done_has_it_done(act: Any) -> None:
    stage = act(system=ScriptedSystem(answers=[Unknown(reason="reset")], can_read_back=False))
    turn = stage.ask("Refund A17, 40")
    approve(stage)
    stage.give(stage.open_holds[0], VerdictKind.APPROVE)
    stage.settle()
    assert (states_of(stage, turn), stage.channel.texts) == (["done"], ["About: your order."])
    assert system_of(stage).times_done == {f"{turn.id}-a0": 1}


def test_a_system_that_shows_what_it_took_late_is_looked_at_again(act: Any) -> None:
    late = [Differs(reason="pending"), Unanswered(reason="503"), Differs(reason="pending")]
    stage = act(system=ScriptedSystem(reads=late))
    turn = stage.ask("Refund A17, 40")
    approve(stage)
    assert (states_of(stage, turn), stage.channel.texts) == (["executing"], [])
    for _ in range(4):
        stage.pass_time(4)
    assert (states_of(stage, turn), len(system_of(stage).calls)) == (["done"], 1)


def test_what_the_system_took_and_does_not_show_is_a_persons_to_look_at(act: Any) -> None:
    stage = act(system=ScriptedSystem(answers=[TakesOnly()]))
    turn = stage.ask("Refund A17, 40")
    approve(stage)
    for _ in range(10):
        stage.pass_time(8)
    assert (states_of(stage, turn), stage.channel.texts) == (["unknown"], [])
    assert len(system_of(stage).calls) == 1


def test_what_was_done_otherwise_is_made_up_for_and_a_person_answers(act: Any) -> None:
    wrong = ScriptedSystem(reads=[Differs(reason="400 instead of 40")] * 9, can_compensate=True)
    stage = act(system=wrong)
    turn = stage.ask("Refund A17, 40")
    approve(stage)
    for _ in range(10):
        stage.pass_time(8)
    assert (states_of(stage, turn), wrong.undone, stage.channel.texts) == (["compensated"], [f"{turn.id}-a0"], [])
    assert [hold.reasons for hold in stage.open_holds] == [("action_compensated",)]


def test_a_compensation_of_which_nobody_knows_is_flagged_and_not_repeated(act: Any) -> None:
    wrong = ScriptedSystem(reads=[Differs(reason="x")] * 9, undoes=[Unknown(reason="reset")], can_compensate=True)
    stage = act(system=wrong)
    turn = stage.ask("Refund A17, 40")
    approve(stage)
    for _ in range(20):
        stage.pass_time(8)
    assert (states_of(stage, turn), wrong.undone) == (["unknown"], [])


@pytest.mark.parametrize("answer", [OSError("broken pipe"), DoesThen(answer=OSError("broken pipe"))])
def test_an_adapter_that_breaks_says_nothing_of_what_was_done(act: Any, answer: Any) -> None:
    stage = act(system=ScriptedSystem(answers=[answer]))
    turn = stage.ask("Refund A17, 40")
    approve(stage)
    for _ in range(15):
        stage.pass_time(8)
    assert (states_of(stage, turn), system_of(stage).times_done) == (["done"], {f"{turn.id}-a0": 1})


# --- people put on and drop ---


def test_a_failed_action_is_put_on_and_its_reply_stays_with_the_person(act: Any) -> None:
    stage = act(system=ScriptedSystem(answers=[Rejected(reason="closed")]))
    turn = stage.ask("Refund A17, 40")
    approve(stage)
    (entry,) = actions_of(stage, turn)
    stage.run(stage.action_desk.retry(entry.id, actor="lena"))
    stage.settle()
    assert (states_of(stage, turn), stage.channel.texts) == (["done"], [])
    assert "released" in told_of(stage, turn)


def test_an_unknown_action_is_not_put_on_without_a_persons_word(act: Any) -> None:
    stage = act(system=ScriptedSystem(answers=[LOST], can_read_back=False))
    turn = stage.ask("Refund A17, 40")
    approve(stage)
    (entry,) = actions_of(stage, turn)
    with pytest.raises(Conflict, match="may or may not have been done"):
        stage.run(stage.action_desk.retry(entry.id, actor="lena"))
    stage.run(stage.action_desk.settle(entry.id, actor="lena"))
    stage.settle()
    assert (states_of(stage, turn), stage.open_holds, stage.channel.texts) == (["done"], [], ["About: your order."])


def test_a_dropped_action_brings_a_person_in(act: Any) -> None:
    stage = act(system=ScriptedSystem(answers=[Retry(reason="busy")] * 3))
    turn = stage.ask("Refund A17, 40")
    approve(stage)
    (entry,) = actions_of(stage, turn)
    stage.run(stage.action_desk.drop(entry.id, reason="not any more", actor="lena"))
    for _ in range(5):
        stage.pass_time(400)
    assert (states_of(stage, turn), stage.channel.texts) == (["dropped"], [])
    assert [hold.reasons for hold in stage.open_holds] == [("action_dropped",)]
    assert len(system_of(stage).calls) == 1


def test_a_declaration_that_is_gone_fails_what_was_let_through(act: Any) -> None:
    stage = act(executors={})
    turn = stage.ask("Refund A17, 40")
    approve(stage)
    assert states_of(stage, turn) == ["failed"]
