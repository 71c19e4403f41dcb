"""Actions that agents propose: held, let through by people, limited; the reply waits until they are done."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from types import ModuleType
from typing import Any

import pytest

from refunds import (
    acting_rules,
    actions_of,
    approve,
    of_amount,
    play,
    proposes,
    refund,
    states_of,
    system_of,
    told_of,
)
from stage_plan import ON_EACH_STORE
from understudy.effects.acting import propose
from understudy.errors import Forbidden, InputError, StepSuperseded
from understudy.records.acting import ActionChoice
from understudy.records.action_rules import Approver
from understudy.records.review import VerdictKind, VerdictRequest
from understudy.records.rulebook import Level
from understudy.records.turn import TurnState

Build = Callable[..., Any]

pytestmark = ON_EACH_STORE


@pytest.fixture
def act(build: Build, staging: ModuleType) -> Callable[..., Any]:
    """Make a stage with an agent that proposes actions, and a system of record."""
    return partial(play, build, staging)


# --- held, and let through ---


def test_a_proposed_action_waits_for_a_person_and_nothing_is_called(act: Any) -> None:
    stage = act()
    turn = stage.ask("Where is my refund for A17? It was 40")
    assert turn.state is TurnState.HELD
    assert states_of(stage, turn) == ["proposed"]
    stage.pass_time(5000)
    assert system_of(stage).calls == []
    assert stage.channel.texts == []


def test_a_worker_that_comes_late_to_a_decided_turn_is_told_so(act: Any) -> None:
    """Its step is superseded like any other's: the database has nothing to refuse."""
    stage = act()
    turn = stage.ask("Where is my refund for A17? It was 40")
    again = partial(propose, clock=stage.clock, turn=turn, actions=stage.draft(turn).actions, rules=(refund(),))
    with pytest.raises(StepSuperseded, match="was decided on"):
        stage.store.write_now(again)
    assert states_of(stage, turn) == ["proposed"]


def test_an_approved_action_is_done_once_and_read_back_before_the_reply_leaves(act: Any) -> None:
    stage = act()
    turn = stage.ask("Where is my refund for A17? It was 40")
    approve(stage)
    assert system_of(stage).done == [(f"{turn.id}-a0", '{"amount":40,"order":"A17"}')]
    assert told_of(stage, turn) == ["proposed", "approved", "executing", "answered", "executing", "done"]
    assert stage.channel.texts == ["About: your order."]
    assert stage.turn(turn.id).state is TurnState.ANSWERED
    events = [entry.event for entry in stage.ledger]
    assert events.index("action.done") < events.index("outbox.queued")


def test_several_actions_are_done_in_their_order(act: Any) -> None:
    stage = act(of_amount(10, "A1"), of_amount(20, "A2"))
    turn = stage.ask("A1 and A2 please, 10 and 20")
    approve(stage)
    assert [action_id for action_id, _ in system_of(stage).done] == [f"{turn.id}-a0", f"{turn.id}-a1"]
    assert stage.channel.texts == ["About: your order."]


def test_a_rejected_draft_drops_its_actions(act: Any) -> None:
    stage = act()
    turn = stage.ask("Refund A17, 40")
    approve(stage, VerdictKind.REJECT)
    stage.pass_time(100)
    assert states_of(stage, turn) == ["dropped"]
    assert system_of(stage).calls == []


def test_a_superseded_turn_drops_its_actions_before_they_are_carried_out(act: Any) -> None:
    stage = act()
    first = stage.ask("Refund A17, 40")
    second = stage.ask("No, wait")
    assert states_of(stage, first) == ["dropped"]
    assert states_of(stage, second) == ["proposed"]
    assert stage.turn(first.id).state is TurnState.SUPERSEDED
    approve(stage)
    assert [action_id for action_id, _ in system_of(stage).done] == [f"{second.id}-a0"]


def test_what_was_done_is_told_to_the_agent_with_the_next_message(act: Any) -> None:
    stage = act()
    stage.ask("Refund A17, 40")
    approve(stage)
    turn = stage.ask("And now?")
    asked = stage.agent.requests[-1].messages
    told = [message for message in asked if message.role == "tool"]
    assert [message.content for message in told] == [
        '{"status": "done", "ok": true, "id": "r-' + told[0].tool_call_id + '"}'
    ]
    assert [call.name for message in asked for call in message.tool_calls] == ["refund"]
    assert states_of(stage, turn) == []
    assert len(system_of(stage).done) == 1


def test_an_answer_of_their_own_drops_the_actions_that_a_reviewer_does_not_let_through(act: Any) -> None:
    stage = act(of_amount(10, "A1"), of_amount(20, "A2"))
    turn = stage.ask("A1 and A2, 10 and 20")
    approve(stage, VerdictKind.RESPOND, "Only A1.", actions=(ActionChoice(id=f"{turn.id}-a0", is_approved=True),))
    assert states_of(stage, turn) == ["done", "dropped"]
    assert stage.channel.texts == ["Only A1."]


def test_only_the_action_is_dropped_where_the_reply_is_another(act: Any) -> None:
    stage = act()
    turn = stage.ask("Refund A17, 40")
    choice = ActionChoice(id=f"{turn.id}-a0", is_approved=False)
    approve(stage, VerdictKind.EDIT, "We cannot refund this one.", actions=(choice,))
    assert (states_of(stage, turn), stage.channel.texts) == (["dropped"], ["We cannot refund this one."])
    assert system_of(stage).calls == []


def test_a_draft_is_not_sent_as_it_is_without_the_action_it_was_written_for(act: Any) -> None:
    stage = act()
    turn = stage.ask("Refund A17, 40")
    choice = ActionChoice(id=f"{turn.id}-a0", is_approved=False)
    with pytest.raises(InputError, match="edit it"):
        approve(stage, actions=(choice,))
    with pytest.raises(InputError, match="still the draft's"):
        approve(stage, VerdictKind.EDIT, " About:  your order. ", actions=(choice,))
    assert states_of(stage, turn) == ["proposed"]


def test_a_reviewer_may_correct_the_arguments(act: Any) -> None:
    stage = act()
    turn = stage.ask("Refund A17, 40")
    corrected = ActionChoice(id=f"{turn.id}-a0", is_approved=True, arguments='{"order": "A17", "amount": 35.5}')
    approve(stage, VerdictKind.EDIT, "You get 35.50 back.", actions=(corrected,))
    (entry,) = actions_of(stage, turn)
    assert (entry.is_edited, entry.amount, entry.approved_by) == (True, 35_500_000, "rosa")
    assert system_of(stage).done == [(entry.id, '{"amount":35.5,"order":"A17"}')]
    verdict = stage.read(lambda tx: tx.verdicts.of_turn(turn.id))[0]
    assert verdict.severity == 0.5
    assert [choice.id for choice in verdict.actions] == [entry.id]


def test_card_numbers_in_what_a_reviewer_writes_are_masked(act: Any) -> None:
    stage = act()
    turn = stage.ask("Refund A17, 40")
    given = '{"order": "A17", "amount": 4, "reason": "to 4242 4242 4242 4242"}'
    corrected = ActionChoice(id=f"{turn.id}-a0", is_approved=True, arguments=given)
    approve(stage, VerdictKind.EDIT, "You get 4 back.", actions=(corrected,))
    (entry,) = actions_of(stage, turn)
    assert "4242 4242" not in entry.arguments
    assert "card ending" in entry.arguments


@pytest.mark.parametrize(
    "arguments",
    [
        '{"order": "A17"}',
        "[]",
        "{",
        '{"order": "A17", "amount": 4, "x": 1}',
        '{"order": "A17", "amount": 4, "reason": "\\u0000"}',
    ],
)
def test_wrong_arguments_are_refused_and_change_nothing(act: Any, arguments: str) -> None:
    stage = act()
    turn = stage.ask("Refund A17, 40")
    choice = ActionChoice(id=f"{turn.id}-a0", is_approved=True, arguments=arguments)
    with pytest.raises(InputError, match="refund"):
        approve(stage, VerdictKind.EDIT, "Other words.", actions=(choice,))
    assert states_of(stage, turn) == ["proposed"]


def test_a_choice_of_another_turns_action_is_refused(act: Any) -> None:
    stage = act()
    stage.ask("Refund A17, 40")
    with pytest.raises(InputError, match="no action"):
        approve(stage, actions=(ActionChoice(id="t-other-a0", is_approved=True),))


# --- limits and who may ---


def test_what_only_a_lead_may_let_through_is_refused_to_others(act: Any) -> None:
    stage = act(rule=refund(approver=Approver.LEAD))
    turn = stage.ask("Refund A17, 40")
    with pytest.raises(Forbidden, match="lead"):
        approve(stage)
    assert states_of(stage, turn) == ["proposed"]
    approve(stage, as_lead=True)
    assert states_of(stage, turn) == ["done"]


def test_beyond_the_limit_only_a_lead_lets_it_through(act: Any) -> None:
    stage = act(of_amount(101))
    turn = stage.ask("Refund A17, 101")
    assert "actions.over_limit" in turn.findings
    with pytest.raises(Forbidden, match="at most 100 GBP at a time"):
        approve(stage)
    approve(stage, as_lead=True)
    assert states_of(stage, turn) == ["done"]


def test_what_others_used_up_since_is_counted_when_it_is_let_through(act: Any) -> None:
    stage = act(of_amount(80))
    turns = [stage.ask("Refund A17, 80", to="e-1"), None]
    hold = stage.open_holds[0]
    turns[1] = stage.ask("Refund A17, 80", to="e-1b", address="at-e-1")
    later = next(one for one in stage.open_holds if one.id != hold.id)
    stage.give(hold, VerdictKind.APPROVE)
    stage.settle()
    with pytest.raises(Forbidden, match="for one customer in 24 hours"):
        stage.give(later, VerdictKind.APPROVE)
    assert states_of(stage, turns[1]) == ["proposed"]


def test_an_undeclared_action_cannot_be_let_through(act: Any) -> None:
    stage = act(("delete_account", {}))
    turn = stage.ask("Delete my account")
    assert "actions.undeclared" in turn.findings
    with pytest.raises(InputError, match="not declared"):
        approve(stage, as_lead=True)
    assert states_of(stage, turn) == ["proposed"]


def test_without_declarations_a_proposal_is_held_and_left_to_whoever_handed_it_over(
    build: Build, staging: ModuleType
) -> None:
    stage = build(agent=proposes(of_amount(40)), rules=staging.rules())
    turn = stage.ask("Refund A17, 40")
    assert (turn.state, states_of(stage, turn)) == (TurnState.HELD, [])
    approve(stage)
    assert stage.channel.texts == ["About: your order."]


# --- without a person ---


def test_an_automatic_action_is_done_by_itself_where_the_slice_answers_alone(act: Any) -> None:
    stage = act(rule=refund(is_automatic=True))
    turn = stage.ask("Refund A17, 40")
    assert states_of(stage, turn) == ["done"]
    assert actions_of(stage, turn)[0].approved_by == "system"
    assert stage.channel.texts == ["About: your order."]


@pytest.mark.parametrize("level", [Level.ASSIST, Level.DEMOTED])
def test_an_automatic_action_waits_where_the_slice_has_not_earned_it(act: Any, staging: Any, level: Level) -> None:
    stage = act(rules=acting_rules(staging, refund(is_automatic=True), level=level))
    turn = stage.ask("Refund A17, 40")
    assert states_of(stage, turn) == ["proposed"]
    assert system_of(stage).calls == []


def test_an_automatic_action_waits_where_another_beside_it_is_not(act: Any, staging: Any) -> None:
    rules = acting_rules(staging, refund(is_automatic=True), refund(name="cancel", amount=None))
    stage = act(of_amount(4), ("cancel", {"order": "A17", "amount": 4}), rules=rules)
    assert states_of(stage, stage.ask("Refund A17, 4")) == ["proposed", "proposed"]


def test_two_at_once_do_not_pass_a_limit_of_the_day_together(act: Any) -> None:
    stage = act(of_amount(100), rule=refund(is_automatic=True))
    first = stage.ask("Refund A17, 100", to="e-1")
    second = stage.ask("Refund A17, 100", to="e-1b", address="at-e-1")
    assert (states_of(stage, first), states_of(stage, second)) == (["done"], ["proposed"])
    assert "actions.over_limit" in second.findings


def test_a_verdict_that_waits_is_not_carried_out_once_the_limit_is_used_up(act: Any) -> None:
    stage = act(of_amount(80))
    first = stage.ask("Refund A17, 80", to="e-1")
    hold = stage.open_holds[0]
    later = VerdictRequest(hold_id=hold.id, version=hold.version, kind=VerdictKind.APPROVE, reviewer="rosa")
    stage.run(stage.verdicts.give_later(later, undo_s=10))
    stage.ask("Refund A17, 80", to="e-1b", address="at-e-1")
    other = next(one for one in stage.open_holds if one.id != hold.id)
    stage.give(other, VerdictKind.APPROVE, reviewer="bob")
    stage.settle()
    stage.pass_time(11)
    assert states_of(stage, first) == ["proposed"]
    assert stage.read(lambda tx: tx.holds.get(hold.id)).undo_until is None
