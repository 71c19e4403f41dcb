"""What customers say of replies: somebody looks, more is audited, and none of it enters the fair sample."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from types import ModuleType
from typing import Any

import pytest

from stage_plan import ON_EACH_STORE
from understudy.adapters.stores.oversight import SqlFeedbacks
from understudy.effects import feedback as effects
from understudy.errors import Conflict, NotFound
from understudy.learning.ladder import Progress
from understudy.learning.orders import Slice
from understudy.ports.telemetry import AutonomyMoved
from understudy.records.assessment import DecisionKind
from understudy.records.autonomy import Epoch, Outcome, Targets, Terms
from understudy.records.codec import load
from understudy.records.conversation import Inbound
from understudy.records.feedback import FeedbackKind, FeedbackTerms, Stir
from understudy.records.review import Hold, HoldKind, VerdictKind
from understudy.records.rulebook import Level
from understudy.records.trust import CapCause, TrustRules
from understudy.testing.scripted import RecordingChannel

Build = Callable[..., Any]
LAX = Targets(risk_max=0.2, severe_max=0.2, delta=0.1, sensitivity=1.0)
RARELY = 0.02
QUICK = Terms(days_min=0.0, reviewers_min=1, probation_audit_rate=RARELY, probation_replies=10_000)
TERMS = FeedbackTerms(burst=7, rise_burst=50, recontact_within_h=24)


@pytest.fixture
def stage(build: Build, staging: ModuleType) -> Any:
    """A slice in probation that it earned, whose replies are seldom audited."""
    trust = TrustRules(is_on=False)
    stage = build(rules=staging.rules(Level.ASSIST, grants=(), trust=trust), targets=LAX, terms=QUICK, feedback=TERMS)
    while not any(one.proposal for one in stage.read(lambda tx: tx.epochs.all_open())):
        turn = stage.ask("When does it come?", to=stage.clock.new_id("e"))
        stage.give(holds_of(stage, turn.id)[0], VerdictKind.APPROVE)
        stage.settle()
        assert len(stage.turns) < 200
    stage.run(stage.orders.confirm(Slice(), by="lena"))
    return stage


def holds_of(stage: Any, turn_id: str) -> list[Hold]:
    return [hold for hold in stage.open_holds if hold.turn_id == turn_id]


def epoch(stage: Any) -> Epoch:
    (found,) = stage.read(lambda tx: tx.epochs.all_open())
    return found


def progress(stage: Any) -> Progress:
    return load(Progress, epoch(stage).progress)


def deliver(stage: Any, *, is_sampled: bool = False, to: str | None = None) -> Any:
    """An automatic reply that the audit coin chose, or did not."""
    for _ in range(2_000):
        turn = stage.ask("When does it come?", to=to or stage.clock.new_id("e"))
        assert turn.decision is DecisionKind.DELIVER
        if stage.read(lambda tx, t=turn: tx.candidates.of_turn(t.id)).is_sampled is is_sampled:
            return turn
    raise AssertionError("the coin never fell so")


def say(stage: Any, turn: Any, kind: FeedbackKind) -> None:
    stage.run(stage.feedback.give(turn.id, kind, by="help desk"))
    stage.settle()


@pytest.mark.parametrize("kind", [FeedbackKind.COMPLAINT, FeedbackKind.THUMBS_DOWN])
def test_a_customer_who_is_not_content_has_the_reply_reviewed_for_cause(stage: Any, kind: FeedbackKind) -> None:
    turn = deliver(stage)
    assert holds_of(stage, turn.id) == []
    say(stage, turn, kind)
    (audit,) = holds_of(stage, turn.id)
    assert (audit.kind, audit.reasons) == (HoldKind.AUDIT, (kind.value,))
    say(stage, turn, kind)
    assert holds_of(stage, turn.id) == [audit]
    assert stage.ledger_events.count("feedback.given") == 1


def test_what_was_said_is_kept_and_the_ledger_tells(stage: Any) -> None:
    turn = deliver(stage)
    say(stage, turn, FeedbackKind.THUMBS_UP)
    say(stage, turn, FeedbackKind.COMPLAINT)
    found = stage.read(lambda tx: tx.feedback.of_turn(turn.id))
    assert {(one.kind, one.by) for one in found} == {
        (FeedbackKind.COMPLAINT, "help desk"),
        (FeedbackKind.THUMBS_UP, "help desk"),
    }
    assert [entry.actor for entry in stage.ledger if entry.event == "feedback.given"] == ["help desk", "help desk"]


def test_a_review_for_cause_stays_out_of_the_fair_sample(stage: Any) -> None:
    turn = deliver(stage)
    before = progress(stage)
    say(stage, turn, FeedbackKind.COMPLAINT)
    stage.give(holds_of(stage, turn.id)[0], VerdictKind.REJECT)
    stage.settle()
    candidate = stage.read(lambda tx: tx.candidates.of_turn(turn.id))
    assert (candidate.is_sampled, candidate.label.outcome) == (False, Outcome.REJECT)
    after = progress(stage)
    assert (after.labels, after.loss_sum, after.watch.loss_sum) == (
        before.labels,
        before.loss_sum,
        before.watch.loss_sum,
    )


def test_a_review_for_cause_does_not_overwrite_what_the_random_audit_found(stage: Any) -> None:
    turn = deliver(stage, is_sampled=True)
    stage.give(holds_of(stage, turn.id)[0], VerdictKind.APPROVE)
    stage.settle()
    say(stage, turn, FeedbackKind.COMPLAINT)
    stage.give(holds_of(stage, turn.id)[0], VerdictKind.REJECT)
    stage.settle()
    assert stage.read(lambda tx: tx.candidates.of_turn(turn.id)).label.outcome is Outcome.APPROVE
    assert epoch(stage).earned is Level.PROBATION


@pytest.mark.parametrize("is_sampled", [False, True])
def test_harm_found_for_cause_is_an_incident_however_late(stage: Any, is_sampled: bool) -> None:
    turn = deliver(stage, is_sampled=is_sampled)
    if is_sampled:
        stage.give(holds_of(stage, turn.id)[0], VerdictKind.APPROVE)
    for _ in range(3):  # the labels are counted past it
        deliver(stage)
    stage.settle()
    say(stage, turn, FeedbackKind.COMPLAINT)
    (audit,) = holds_of(stage, turn.id)
    stage.give(audit, VerdictKind.REJECT, reasons=("harm",))
    stage.settle()
    assert epoch(stage).earned is Level.DEMOTED
    assert stage.emitted(AutonomyMoved)[-1].why == "incident"


def test_discontent_has_the_next_replies_all_audited(stage: Any) -> None:
    turn = deliver(stage)
    say(stage, turn, FeedbackKind.THUMBS_DOWN)
    assert epoch(stage).burst_left == TERMS.burst
    for _ in range(TERMS.burst):
        assert stage.ask("When?", to=stage.clock.new_id("e")).is_audited
    assert epoch(stage).burst_left == 0


def test_a_thumbs_up_and_a_recontact_alone_start_nothing(stage: Any) -> None:
    turn = deliver(stage)
    for kind in (FeedbackKind.THUMBS_UP, FeedbackKind.RECONTACT):
        say(stage, turn, kind)
    assert (holds_of(stage, turn.id), epoch(stage).burst_left) == ([], 0)


def test_a_reply_that_people_let_out_needs_no_review_for_cause(build: Build, staging: ModuleType) -> None:
    stage = build(rules=staging.rules(Level.ASSIST))
    turn = stage.ask("When?")
    stage.give(stage.open_holds[0], VerdictKind.APPROVE)
    stage.settle()
    say(stage, turn, FeedbackKind.COMPLAINT)
    assert stage.open_holds == []


def test_there_is_nothing_to_say_of_what_was_not_sent(build: Build, staging: ModuleType) -> None:
    stage = build(rules=staging.rules(Level.ASSIST))
    turn = stage.ask("When?")
    with pytest.raises(Conflict, match="nothing was sent"):
        say(stage, turn, FeedbackKind.COMPLAINT)
    with pytest.raises(NotFound):
        stage.run(stage.feedback.give("none", FeedbackKind.COMPLAINT, by="x"))


def test_complaints_that_become_more_frequent_start_a_long_burst(stage: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(effects, "REPLIES_MIN", 20)
    for _ in range(20):
        turn = deliver(stage)
    say(stage, turn, FeedbackKind.COMPLAINT)
    for _ in range(12):
        say(stage, stage.ask("When?", to=stage.clock.new_id("e")), FeedbackKind.COMPLAINT)
    found = stage.read(lambda tx: tx.feedback.frequency("orders", stage.channel.name, Stir.DISCONTENT))
    assert found.usual is not None
    assert found.rises >= 1
    assert stage.ledger_events.count("feedback.rose") == found.rises
    whys = [entry.body for entry in stage.ledger if entry.event == "autonomy.burst"]
    assert any('"replies":50' in body and "discontent_rose" in body for body in whys)


def test_how_often_customers_complain_survives_a_restart(stage: Any) -> None:
    say(stage, deliver(stage), FeedbackKind.COMPLAINT)
    again = stage.restarted()
    turn = again.ask("When?", to="x")
    again.run(again.feedback.give(turn.id, FeedbackKind.COMPLAINT, by="x"))
    found = again.read(lambda tx: tx.feedback.frequency("orders", again.channel.name, Stir.DISCONTENT))
    delivered = sum(one.decision is DecisionKind.DELIVER for one in again.turns)
    assert (found.replies, found.stirs) == (delivered, 2)


@pytest.fixture
def alone(build: Build, staging: ModuleType) -> Any:
    """Everything leaves by itself, and customers who were let down get people."""
    return build(rules=staging.rules(Level.AUTO), feedback=TERMS)


def test_a_complaint_right_after_an_automatic_reply_is_about_that_reply(alone: Any) -> None:
    first = alone.ask("When does it come?")
    second = alone.ask("That is wrong. I want to make a complaint.")
    assert (second.decision, "trust_complaint" in second.reasons) == (DecisionKind.HOLD, True)
    kinds = {one.kind for one in alone.read(lambda tx: tx.feedback.of_turn(first.id))}
    assert FeedbackKind.COMPLAINT in kinds
    assert [hold.kind for hold in holds_of(alone, first.id)] == [HoldKind.AUDIT]
    assert alone.ask("And now?").reasons[0] == "trust_complaint"


def test_a_complaint_out_of_the_blue_is_about_no_reply(alone: Any) -> None:
    alone.ask("I want to make a complaint.")
    assert "feedback.given" not in alone.ledger_events


@pytest.mark.parametrize(
    ("topic", "after_s", "is_recontact"), [("orders", 60, True), ("x", 60, False), ("orders", 90_000, False)]
)
def test_a_customer_who_writes_again_about_the_same_soon_is_a_recontact(
    alone: Any, topic: str, after_s: float, is_recontact: bool
) -> None:
    first = alone.ask("When does it come?")
    alone.pass_time(after_s)
    alone.ask("I still wonder when.", topic=topic)
    kinds = [one.kind for one in alone.read(lambda tx: tx.feedback.of_turn(first.id))]
    assert kinds == ([FeedbackKind.RECONTACT] if is_recontact else [])


@pytest.mark.parametrize(
    ("fields", "after_s", "is_recontact"),
    [
        ({}, 60, True),
        ({"topic": "x"}, 60, False),
        ({}, 90_000, False),
        ({"address": "at-somebody-else"}, 60, False),
    ],
)
def test_a_customer_who_begins_a_new_conversation_about_the_same_soon_is_a_recontact(
    alone: Any, fields: dict[str, Any], after_s: float, is_recontact: bool
) -> None:
    first = alone.ask("When does it come?", to="monday")
    alone.pass_time(after_s)
    alone.ask("I still wonder when.", to="tuesday", **{"address": "at-monday", **fields})
    alone.ask("And at what time of the day?", to="tuesday", **{"address": "at-monday", **fields})
    kinds = [one.kind for one in alone.read(lambda tx: tx.feedback.of_turn(first.id))]
    assert kinds == ([FeedbackKind.RECONTACT] if is_recontact else [])


def test_the_conversations_of_a_known_customer_are_looked_through_only_where_a_new_one_begins(
    alone: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[str] = []
    look = SqlFeedbacks.last_automatic

    def counted(self: Any, contact_ids: Any, topic: str, **where: Any) -> str | None:
        looked.append(where["besides"])
        return look(self, contact_ids, topic, **where)

    monkeypatch.setattr(SqlFeedbacks, "last_automatic", counted)
    alone.ask("When does it come?", to="monday")
    alone.ask("On which day?", to="monday")
    assert looked == []
    alone.pass_time(60)
    alone.ask("I still wonder when.", to="tuesday", address="at-monday")
    alone.ask("Really?", to="tuesday", address="at-monday")
    assert looked == [alone.conversation("tuesday").id]


@ON_EACH_STORE
@pytest.mark.parametrize("proof", ["address", "none"])
def test_who_comes_back_over_another_channel_is_known_where_both_prove_the_address(
    build: Build, staging: ModuleType, proof: Any
) -> None:
    by_mail = RecordingChannel(name="mail")
    stage = build(
        rules=staging.rules(Level.AUTO),
        feedback=TERMS,
        more_channels=[by_mail],
        proofs={"mail": proof},
        proof="address",
    )
    first = stage.ask("When does it come?", to="monday", address="kim@mail.example")
    stage.pass_time(60)
    letter = Inbound(
        provider_id="p-1", external_id="t-1", address="kim@mail.example", text="I still wonder when.", topic="orders"
    )
    stage.run(stage.intake.receive("mail", letter))
    stage.settle()
    kinds = [one.kind for one in stage.read(lambda tx: tx.feedback.of_turn(first.id))]
    assert kinds == ([FeedbackKind.RECONTACT] if proof == "address" else [])
    assert (trust_of(stage, "monday") is CapCause.RECONTACT) == (proof == "address")


def trust_of(stage: Any, to: str) -> CapCause | None:
    cap = stage.read(lambda tx: tx.caps.of_contact(stage.conversation(to).contact_id))
    return None if cap is None else cap.cause


def test_a_person_who_answered_last_elsewhere_makes_a_new_conversation_no_recontact(
    build: Build, staging: ModuleType
) -> None:
    stage = build(rules=staging.rules(Level.ASSIST), feedback=TERMS)
    stage.ask("When does it come?", to="monday")
    stage.give(stage.open_holds[0], VerdictKind.APPROVE)
    stage.settle()
    stage.pass_time(60)
    stage.ask("I still wonder when.", to="tuesday", address="at-monday")
    assert "feedback.given" not in stage.ledger_events


def test_what_follows_a_person_is_no_recontact(build: Build, staging: ModuleType) -> None:
    stage = build(rules=staging.rules(Level.ASSIST), feedback=replace(TERMS, recontact_within_h=24))
    stage.ask("When does it come?")
    stage.give(stage.open_holds[0], VerdictKind.APPROVE)
    stage.settle()
    stage.ask("I still wonder when.")
    assert "feedback.given" not in stage.ledger_events
