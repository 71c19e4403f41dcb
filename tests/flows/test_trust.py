"""A customer whom the agent let down, or who asked for people, gets people until the cap on their trust is lifted."""

from __future__ import annotations

import json
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest

from stage_plan import ON_EACH_STORE
from understudy.effects.trust import cap_at, cap_contact, cap_in_force
from understudy.errors import Conflict
from understudy.records.assessment import Assessment, DecisionKind
from understudy.records.codec import load
from understudy.records.conversation import Author
from understudy.records.evidence import Draft
from understudy.records.feedback import FeedbackKind
from understudy.records.review import HoldKind, VerdictKind
from understudy.records.rulebook import Level
from understudy.records.trust import CapCause, TrustRules, WhyLifted
from understudy.testing.scripted import ScriptedAgent
from understudy.turn.replay import replay

Build = Callable[..., Any]
RULES = TrustRules(days=30, good_contacts=2)
DAY = 86_400.0


@pytest.fixture
def stage(build: Build, staging: ModuleType) -> Any:
    """Every draft leaves by itself and is audited afterwards."""
    return build(rules=staging.rules(Level.PROBATION, trust=RULES))


def reject_audit(stage: Any, to: str = "e-1") -> Any:
    """An automatic reply that a reviewer rejects after it was sent; returns its turn."""
    turn = stage.ask("When does it come?", to=to)
    assert turn.decision is DecisionKind.DELIVER
    (audit,) = (hold for hold in stage.open_holds if hold.turn_id == turn.id and hold.kind is HoldKind.AUDIT)
    stage.give(audit, VerdictKind.REJECT)
    stage.settle()
    return turn


def cap(stage: Any, to: str = "e-1") -> Any:
    return stage.read(lambda tx: tx.caps.of_contact(stage.conversation(to).contact_id))


def approve(stage: Any, turn: Any) -> None:
    (hold,) = (hold for hold in stage.open_holds if hold.turn_id == turn.id)
    stage.give(hold, VerdictKind.APPROVE)
    stage.settle()


def automatic(stage: Any) -> int:
    return sum(turn.decision in (DecisionKind.DELIVER, DecisionKind.DEGRADE) for turn in stage.turns)


def test_no_automatic_reply_leaves_before_the_cap_is_lifted(stage: Any) -> None:
    reject_audit(stage)
    before = automatic(stage)
    for number in range(10):
        turn = stage.ask(f"And number {number}?")
        assert (turn.decision, turn.reasons[0]) == (DecisionKind.HOLD, "trust_rejected")
        stage.pass_time(DAY)
    assert automatic(stage) == before
    assert all(entry.author is not Author.SAFE_REPLY for entry in stage.channel.delivered)
    stage.run(stage.trust.lift(stage.conversation().contact_id, by="lena"))
    assert stage.ask("And now?").decision is DecisionKind.DELIVER


def test_others_are_answered_as_before(stage: Any) -> None:
    reject_audit(stage, to="burnt")
    assert stage.ask("When?", to="other").decision is DecisionKind.DELIVER


def test_a_cap_is_lifted_once_and_the_ledger_says_by_whom(stage: Any) -> None:
    reject_audit(stage)
    contact = stage.conversation().contact_id
    stage.run(stage.trust.lift(contact, by="lena"))
    with pytest.raises(Conflict, match="has no cap"):
        stage.run(stage.trust.lift(contact, by="lena"))
    assert [entry.actor for entry in stage.ledger if entry.event == "trust.lifted"] == ["lena"]


def test_good_contacts_lift_a_cap(stage: Any) -> None:
    reject_audit(stage)
    for number in range(RULES.good_contacts):
        turn = stage.ask(f"And number {number}?")
        assert turn.decision is DecisionKind.HOLD
        approve(stage, turn)
    assert stage.ask("And now?").decision is DecisionKind.DELIVER
    assert stage.ledger_events.count("trust.lifted") == 1


def test_another_bad_contact_begins_anew(stage: Any) -> None:
    reject_audit(stage)
    approve(stage, stage.ask("One?"))
    stage.run(stage.conversations.take_over(stage.conversation().id, reviewer="rosa"))
    stage.run(stage.conversations.hand_back(stage.conversation().id, reviewer="rosa"))
    assert (cap(stage).good, cap(stage).cause) == (0, CapCause.TAKEN_OVER)
    turn = stage.ask("Two?")
    assert turn.reasons[0] == "trust_taken_over"


def test_a_cap_ends_with_its_time(stage: Any) -> None:
    reject_audit(stage)
    stage.pass_time(RULES.days * DAY - 1)
    assert stage.ask("Now?").decision is DecisionKind.HOLD
    stage.pass_time(2)
    assert stage.ask("Now?", to="e-1").decision is DecisionKind.DELIVER
    assert cap(stage) is None


def test_who_asked_for_people_gets_people(stage: Any) -> None:
    turn = stage.ask("I want to speak to a human, please.")
    assert turn.decision is DecisionKind.HAND_OFF
    assert cap(stage).cause is CapCause.WANTS_PEOPLE
    later = stage.ask("When does it come?")
    assert later.decision is DecisionKind.HAND_OFF
    assert "trust_wants_people" in later.reasons


def test_a_person_who_hands_back_says_that_the_agent_may_go_on(stage: Any) -> None:
    stage.ask("I want to speak to a human, please.")
    stage.run(stage.conversations.say(stage.conversation().id, "Here I am.", reviewer="rosa"))
    stage.run(stage.conversations.hand_back(stage.conversation().id, reviewer="rosa"))
    stage.settle()
    assert cap(stage) is None
    assert stage.ask("When does it come?").decision is DecisionKind.DELIVER


def test_what_went_badly_stays_remembered_after_a_hand_back(build: Build, staging: ModuleType) -> None:
    stage = build(rules=staging.rules(Level.ASSIST, trust=RULES))
    stage.ask("When?")
    stage.give(stage.open_holds[0], VerdictKind.TAKE_OVER)
    stage.run(stage.conversations.hand_back(stage.conversation().id, reviewer="rosa"))
    assert cap(stage).cause is CapCause.TAKEN_OVER


def test_who_asked_for_people_goes_on_getting_them_whatever_else_happens(stage: Any) -> None:
    stage.ask("I want to speak to a human, please.")
    stage.run(stage.conversations.take_over(stage.conversation().id, reviewer="rosa"))
    assert cap(stage).cause is CapCause.WANTS_PEOPLE


@ON_EACH_STORE
@pytest.mark.parametrize("is_later", [True, False])
def test_a_hand_back_fulfils_the_wish_and_forgets_nothing_else(stage: Any, is_later: bool) -> None:
    first = stage.ask("When does it come?") if is_later else reject_audit(stage)
    stage.ask("I want to speak to a human, please.")
    if is_later:
        (audit,) = (hold for hold in stage.open_holds if hold.turn_id == first.id)
        stage.give(audit, VerdictKind.REJECT)
    assert cap(stage).cause is CapCause.WANTS_PEOPLE
    stage.run(stage.conversations.say(stage.conversation().id, "Here I am.", reviewer="rosa"))
    stage.run(stage.conversations.hand_back(stage.conversation().id, reviewer="rosa"))
    stage.settle()
    left = cap(stage)
    assert (left.cause, left.turn_id) == (CapCause.REJECTED, first.id)
    (lifted,) = (json.loads(entry.body) for entry in stage.ledger if entry.event == "trust.lifted")
    assert lifted["left"] == "rejected"
    turn = stage.ask("And now?")
    assert (turn.decision, turn.reasons[0]) == (DecisionKind.HOLD, "trust_rejected")


@ON_EACH_STORE
def test_what_is_kept_beside_a_wish_outlasts_its_time(stage: Any) -> None:
    stage.ask("I want to speak to a human, please.")
    stage.clock.advance(20 * DAY)
    which = stage.conversation()
    stage.store.write_now(lambda tx: cap_contact(tx, stage.clock, which.id, CapCause.COMPLAINT, turn_id=None))
    assert stage.read(lambda tx: cap_at(tx, which.contact_id, stage.rulebook.rules, stage.clock.now()))
    stage.clock.advance(15 * DAY)
    in_force = stage.store.write_now(lambda tx: cap_in_force(tx, stage.clock, which.contact_id, stage.rulebook.rules))
    assert in_force == cap(stage)
    assert in_force.cause is CapCause.COMPLAINT
    stage.clock.advance(20 * DAY)
    assert (
        stage.store.write_now(lambda tx: cap_in_force(tx, stage.clock, which.contact_id, stage.rulebook.rules)) is None
    )


def test_a_draft_taken_over_caps_and_a_hand_off_taken_over_does_not(build: Build, staging: ModuleType) -> None:
    stage = build(rules=staging.rules(Level.ASSIST, trust=RULES))
    stage.ask("When?", to="a")
    stage.give(stage.open_holds[0], VerdictKind.TAKE_OVER)
    assert cap(stage, "a").cause is CapCause.TAKEN_OVER
    handing = build(agent=ScriptedAgent(Draft(text="I will get somebody.", handoff=True)))
    handing.ask("When?", to="b")
    handing.give(handing.open_holds[0], VerdictKind.TAKE_OVER)
    assert cap(handing, "b") is None


def test_no_safe_reply_stands_in_for_a_person_either(build: Build, staging: ModuleType) -> None:
    rules = staging.rules(Level.PROBATION, trust=RULES, degrade_on=(("quality.does_not_know", "sorry"),))

    def answers(request: Any) -> Draft:
        knows = "weather" not in request.messages[-1].content
        return Draft(text="On Monday." if knows else "I do not know.", does_not_know=not knows, agent_version="v1")

    stage = build(rules=rules, agent=ScriptedAgent(answers))
    assert stage.ask("What is the weather?", to="other").decision is DecisionKind.DEGRADE
    reject_audit(stage)
    turn = stage.ask("What is the weather?")
    assert turn.decision is not DecisionKind.DEGRADE
    assert [entry.author for entry in stage.entries_of(turn)] == []


def test_what_a_capped_customer_gets_is_no_evidence_for_autonomy(stage: Any) -> None:
    reject_audit(stage)
    turn = stage.ask("And now?")
    assert stage.read(lambda tx: tx.candidates.of_turn(turn.id)) is None


def test_the_decision_replays_after_the_cap_is_gone(stage: Any) -> None:
    reject_audit(stage)
    turn = stage.ask("And now?")
    stage.run(stage.trust.lift(stage.conversation().contact_id, by="lena"))
    recorded, computed = stage.read(lambda tx: replay(tx, turn.id))
    assert recorded == computed


def test_a_turn_under_way_while_its_customer_is_let_down_is_judged_anew(stage: Any) -> None:
    past = stage.ask("When does it come?")
    stage.receive("And where is it?")
    gathered = stage.gather_only()
    assert "cap" not in gathered.evidence or '"cap":null' in gathered.evidence
    stage.run(stage.feedback.give(past.id, FeedbackKind.THUMBS_DOWN, by="help desk"))
    stage.settle()
    (turn,) = (turn for turn in stage.turns if turn.id != past.id)
    assert (turn.decision, turn.reasons[0]) == (DecisionKind.HOLD, "trust_thumbs_down")


def test_caps_can_be_switched_off(build: Build, staging: ModuleType) -> None:
    stage = build(rules=staging.rules(Level.PROBATION, trust=TrustRules(is_on=False)))
    reject_audit(stage)
    assert stage.ask("And now?").decision is DecisionKind.DELIVER


def test_a_planted_draft_caps_nobody(build: Build, staging: ModuleType) -> None:
    from understudy.records.turn import SEED_JOB, Job

    stage = build(rules=staging.rules(Level.ASSIST, trust=RULES))
    stage.ask("When?", to="past")
    stage.give(stage.open_holds[0], VerdictKind.REJECT)
    stage.pass_time(15 * DAY)
    other = stage.ask("Where?", to="other")
    stage.give(next(one for one in stage.open_holds if one.turn_id == other.id), VerdictKind.APPROVE, reviewer="tom")
    stage.look(Job(kind=SEED_JOB, key="now"))
    (seed,) = (hold for hold in stage.open_holds if hold.kind is HoldKind.DRAFT)
    stage.give(seed, VerdictKind.TAKE_OVER, reviewer="tom")
    assert cap(stage, "past") is None


def test_who_asks_again_what_a_reply_should_have_settled_gets_people(stage: Any) -> None:
    first = stage.ask("When does my parcel with the blue kettle come?")
    again = stage.ask("When does my parcel with the blue kettle come?")
    assert (again.decision, again.reasons[0]) == (DecisionKind.HOLD, "trust_recontact")
    assert (cap(stage).cause, cap(stage).turn_id) == (CapCause.RECONTACT, first.id)
    assert stage.ask("And the lid?").reasons[0] == "trust_recontact"


def test_who_only_goes_on_talking_of_the_same_is_answered(stage: Any) -> None:
    stage.ask("When does my parcel with the blue kettle come?")
    assert stage.ask("Thanks. Is the lid in it, too?").decision is DecisionKind.DELIVER
    assert cap(stage) is None


def test_who_comes_back_in_another_conversation_gets_people_from_then_on(stage: Any) -> None:
    stage.ask("When does it come?", to="e-1", address="ada")
    stage.clock.advance(3_600)
    stage.ask("Where is my parcel?", to="e-2", address="ada")
    assert cap(stage, "e-2").cause is CapCause.RECONTACT
    assert stage.ask("Hello?", to="e-2", address="ada").reasons[0] == "trust_recontact"


def test_nobody_is_capped_for_coming_back_where_caps_are_off(build: Build, staging: ModuleType) -> None:
    stage = build(rules=staging.rules(Level.PROBATION, trust=TrustRules(is_on=False)))
    stage.ask("When does my parcel with the blue kettle come?")
    assert stage.ask("When does my parcel with the blue kettle come?").decision is DecisionKind.DELIVER
    assert cap(stage) is None


def test_a_decision_says_what_it_goes_back_to_and_since_when(stage: Any) -> None:
    bad = reject_audit(stage)
    since = cap(stage).at
    stage.pass_time(DAY)
    turn = stage.ask("And now?")
    assessment = stage.read(lambda tx: load(Assessment, tx.artifacts.get(turn.id, "assessment")))
    reason = assessment.decision.reasons[0]
    assert (reason.code, reason.turn_id, reason.at) == ("trust_rejected", bad.id, since)
    assert f"Since {since:%Y-%m-%d %H:%M} UTC, turn {bad.id}." in reason.explanation
    assert stage.read(lambda tx: replay(tx, turn.id)) == (assessment, assessment)


def test_who_complains_now_is_told_of_which_reply(stage: Any) -> None:
    first = stage.ask("When does it come?")
    turn = stage.ask("I want to make a complaint about your answer.")
    assessment = stage.read(lambda tx: load(Assessment, tx.artifacts.get(turn.id, "assessment")))
    (reason,) = (one for one in assessment.decision.reasons if one.code == "trust_complaint")
    assert reason.turn_id == first.id


def test_the_ledger_says_why_a_person_lifted_a_cap(stage: Any) -> None:
    reject_audit(stage)
    stage.run(stage.trust.lift(stage.conversation().contact_id, by="lena", why=WhyLifted.SETTLED))
    (lifted,) = (entry for entry in stage.ledger if entry.event == "trust.lifted")
    assert json.loads(lifted.body)["why"] == "settled"
