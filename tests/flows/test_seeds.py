"""Known-bad drafts are planted among the others: nobody can tell, nothing of them is sent, and they say who notices."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from types import ModuleType
from typing import Any

import pytest

from understudy.errors import Conflict, NotFound, UnderstudyError
from understudy.learning.ladder import SCORES_MIN
from understudy.ports.telemetry import HoldOpened, TurnDecided
from understudy.records.assessment import DecisionKind
from understudy.records.autonomy import Targets, Terms
from understudy.records.conversation import Mode
from understudy.records.review import Hold, HoldKind, HoldState, VerdictKind
from understudy.records.reviewing import Seed, SeedCount, SeedOrigin, SeedOutcome
from understudy.records.rulebook import Level
from understudy.records.turn import SEED_JOB, Job, TurnState
from understudy.review.holds import ReviewLimits
from understudy.turn.replay import replay

Build = Callable[..., Any]
AGE = timedelta(days=14)


@pytest.fixture
def stage(build: Build, staging: ModuleType) -> Any:
    return build(rules=staging.rules(Level.ASSIST))


def draft_hold(stage: Any, turn_id: str) -> Hold:
    (found,) = (one for one in stage.open_holds if one.turn_id == turn_id and one.kind is HoldKind.DRAFT)
    return found


def reject_one(stage: Any, text: str = "Where is my kettle?", to: str = "past", by: str = "rosa") -> str:
    """A draft that is rejected, and then long forgotten; returns its turn."""
    turn = stage.ask(text, to=to)
    stage.give(draft_hold(stage, turn.id), VerdictKind.REJECT, reviewer=by)
    stage.pass_time(AGE.total_seconds() + 1)
    somebody_reviews(stage)
    return str(turn.id)


def somebody_reviews(stage: Any, by: str = "tom") -> None:
    """Another reviewer is at work, who may get what the first one rejected."""
    turn = stage.ask("Is my order on its way?", to=stage.clock.new_id("e"))
    stage.give(draft_hold(stage, turn.id), VerdictKind.APPROVE, reviewer=by)
    stage.settle()


def plant(stage: Any) -> Hold:
    """Plant one now; returns its hold."""
    before = {hold.id for hold in stage.open_holds}
    stage.look(Job(kind=SEED_JOB, key="now"))
    (hold,) = (hold for hold in stage.open_holds if hold.id not in before)
    return hold


def seed(stage: Any, hold: Hold) -> Seed:
    found: Seed | None = stage.read(lambda tx: tx.seeds.of_turn(hold.turn_id))
    assert found is not None
    return found


def test_a_seed_shows_what_the_rejected_draft_showed(stage: Any) -> None:
    source = reject_one(stage)
    hold = plant(stage)
    past, planted = stage.turn(source), stage.turn(hold.turn_id)
    for name in ("channel", "topic", "agent_version", "decision", "reasons", "confidence", "rulebook_id"):
        assert getattr(planted, name) == getattr(past, name), name
    for kind in ("draft", "evidence", "assessment"):
        assert stage.read(lambda tx, k=kind: tx.artifacts.get(hold.turn_id, k)) is not None
    messages = stage.read(lambda tx: tx.messages.of_conversation(hold.conversation_id))
    assert [message.text for message in messages] == ["Where is my kettle?"]
    assert messages[-1].at > stage.clock.now() - timedelta(minutes=1)
    assert planted.decided_at == stage.clock.now()


def test_a_seed_is_a_draft_hold_like_any_other(stage: Any) -> None:
    reject_one(stage)
    hold, real = plant(stage), draft_hold(stage, stage.ask("And where is mine?", to="real").id)
    for name in ("kind", "state", "priority", "reasons", "channel", "topic", "version", "claimed_by", "raised_at"):
        assert getattr(hold, name) == getattr(real, name), name
    assert hold.expires_at - hold.created_at == real.expires_at - real.created_at
    opened = {event.hold_id: event for event in stage.emitted(HoldOpened)}
    assert opened[hold.id].kind == opened[real.id].kind
    events = {one.id: [e.event for e in stage.ledger if e.turn_id == one.turn_id] for one in (hold, real)}
    assert events[hold.id] == ["seed.planted", *events[real.id][-2:]]


@pytest.mark.parametrize("kind", list(VerdictKind))
def test_nothing_is_sent_whatever_the_verdict(stage: Any, kind: VerdictKind) -> None:
    reject_one(stage)
    sent, conversations = list(stage.channel.delivered), stage.conversation("past")
    hold = plant(stage)
    stage.give(hold, kind, reviewer="tom")
    stage.pass_time(3600)
    assert stage.channel.delivered == sent
    assert stage.turn(hold.turn_id).state is TurnState.SPENT
    assert stage.read(lambda tx: tx.outbox.of_turn(hold.turn_id)) == []
    assert stage.read(lambda tx: tx.conversations.get(hold.conversation_id)).mode is Mode.REHEARSAL
    assert stage.conversation("past") == conversations
    assert not any(one.conversation_id == hold.conversation_id for one in stage.open_holds)


@pytest.mark.parametrize(
    ("kind", "text", "outcome"),
    [
        (VerdictKind.APPROVE, None, SeedOutcome.MISSED),
        (VerdictKind.REJECT, None, SeedOutcome.CAUGHT),
        (VerdictKind.RESPOND, "By hand.", SeedOutcome.CAUGHT),
        (VerdictKind.TAKE_OVER, None, SeedOutcome.CAUGHT),
        (VerdictKind.EDIT, "About: where is my kettle", SeedOutcome.MISSED),
        (VerdictKind.EDIT, "It comes on Monday, 3 May, and costs 20 euros less.", SeedOutcome.CAUGHT),
    ],
)
def test_a_verdict_catches_a_seed_or_misses_it(
    stage: Any, kind: VerdictKind, text: str | None, outcome: SeedOutcome
) -> None:
    reject_one(stage)
    hold = plant(stage)
    stage.give(hold, kind, text, reviewer="tom")
    found = seed(stage, hold)
    assert (found.outcome, found.verdict, found.reviewer) == (outcome, kind, "tom")
    caught = int(outcome is SeedOutcome.CAUGHT)
    assert stage.read(lambda tx: tx.seeds.count("tom")) == SeedCount(caught=caught, judged=1)
    (entry,) = (entry for entry in stage.ledger if entry.event == "seed.judged")
    assert (entry.actor, entry.turn_id) == ("tom", hold.turn_id)


def test_who_rejected_a_draft_never_gets_it_as_a_seed(stage: Any) -> None:
    reject_one(stage, by="rosa")
    hold = plant(stage)
    for reader, expected in (("rosa", []), ("tom", [hold.id])):
        queue = stage.read(lambda tx, r=reader: tx.holds.queue(state=HoldState.OPEN, after=None, limit=99, reader=r))
        assert [one.id for one in queue if one.kind is HoldKind.DRAFT] == expected
    with pytest.raises(NotFound):
        stage.give(hold, VerdictKind.APPROVE, reviewer="rosa")
    with pytest.raises(NotFound):
        stage.run(stage.holds.claim(hold.id, reviewer="rosa"))


def test_a_draft_is_planted_once_and_only_when_it_is_old(stage: Any) -> None:
    turn = stage.ask("Where is my kettle?", to="past")
    stage.give(draft_hold(stage, turn.id), VerdictKind.REJECT)
    stage.look(Job(kind=SEED_JOB, key="now"))
    assert not [hold for hold in stage.open_holds if hold.kind is HoldKind.DRAFT]
    stage.pass_time(AGE.total_seconds() + 1)
    somebody_reviews(stage)
    stage.give(plant(stage), VerdictKind.REJECT, reviewer="tom")
    stage.pass_time(AGE.total_seconds() + 1)
    stage.look(Job(kind=SEED_JOB, key="again"))
    assert not [hold for hold in stage.open_holds if hold.kind is HoldKind.DRAFT]


def test_nothing_is_planted_that_nobody_could_decide_on(stage: Any) -> None:
    turn = stage.ask("Where is my kettle?", to="past")
    stage.give(draft_hold(stage, turn.id), VerdictKind.REJECT, reviewer="rosa")
    stage.pass_time(AGE.total_seconds() + 1)
    somebody_reviews(stage, by="rosa")
    stage.look(Job(kind=SEED_JOB, key="now"))
    assert not [hold for hold in stage.open_holds if hold.kind is HoldKind.DRAFT]


def test_approved_drafts_are_never_planted(stage: Any) -> None:
    turn = stage.ask("Where is my kettle?", to="past")
    stage.give(draft_hold(stage, turn.id), VerdictKind.APPROVE)
    stage.pass_time(AGE.total_seconds() + 1)
    stage.look(Job(kind=SEED_JOB, key="now"))
    assert not [hold for hold in stage.open_holds if hold.kind is HoldKind.DRAFT]


def test_a_coin_decides_beside_which_held_draft_one_is_planted(build: Build, staging: ModuleType) -> None:
    rules = staging.rules(Level.ASSIST)
    never, always = (build(rules=rules, seed_rate=rate) for rate in (0.0, 1.0))
    for stage in (never, always):
        reject_one(stage)
        stage.ask("And mine?", to="other")
    planted = [[entry.event for entry in stage.ledger].count("seed.planted") for stage in (never, always)]
    assert planted == [0, 1]


def test_a_delivered_draft_plants_nothing(build: Build, staging: ModuleType) -> None:
    stage = build(rules=staging.rules(Level.ASSIST), seed_rate=1.0)
    reject_one(stage)
    alone = stage.restarted(rules=staging.rules(Level.AUTO))
    assert alone.ask("And mine?", to="other").decision is DecisionKind.DELIVER
    assert "seed.planted" not in alone.ledger_events


@pytest.mark.parametrize("on_expiry", ["raise", "safe_reply"])
def test_an_overdue_seed_sends_nothing(build: Build, staging: ModuleType, on_expiry: Any) -> None:
    stage = build(rules=staging.rules(Level.ASSIST), review=ReviewLimits(on_expiry=on_expiry))
    reject_one(stage)
    sent = list(stage.channel.delivered)
    hold = plant(stage)
    stage.pass_time(901)
    assert stage.channel.delivered == sent
    after = stage.read(lambda tx: tx.holds.get(hold.id))
    if on_expiry == "raise":
        assert (after.state, after.priority) == (HoldState.OPEN, 0)
    else:
        assert after.state is HoldState.EXPIRED
        assert seed(stage, hold).outcome is SeedOutcome.UNJUDGED
        assert stage.read(lambda tx: tx.seeds.count()).judged == 0


def test_taking_the_conversation_over_catches_the_seed_and_lets_nobody_speak(stage: Any) -> None:
    reject_one(stage)
    sent = list(stage.channel.delivered)
    hold = plant(stage)
    stage.run(stage.conversations.take_over(hold.conversation_id, reviewer="tom"))
    assert seed(stage, hold).outcome is SeedOutcome.CAUGHT
    for attempt in (
        lambda: stage.conversations.say(hold.conversation_id, "Hello?", reviewer="tom"),
        lambda: stage.conversations.hand_back(hold.conversation_id, reviewer="tom"),
    ):
        with pytest.raises(Conflict):
            stage.run(attempt())
    stage.pass_time(3600)
    assert stage.channel.delivered == sent


def test_a_seed_is_no_evidence_for_autonomy(stage: Any) -> None:
    reject_one(stage)
    hold = plant(stage)
    stage.give(hold, VerdictKind.APPROVE, reviewer="tom")
    assert stage.read(lambda tx: tx.candidates.of_turn(hold.turn_id)) is None
    assert hold.turn_id not in {event.turn_id for event in stage.emitted(TurnDecided)}


def test_the_decision_on_a_seed_replays(stage: Any) -> None:
    reject_one(stage)
    turn_id = plant(stage).turn_id
    recorded, computed = stage.read(lambda tx: replay(tx, turn_id))
    assert recorded == computed


def test_a_second_verdict_on_a_seed_is_refused(stage: Any) -> None:
    reject_one(stage)
    hold = plant(stage)
    stage.give(hold, VerdictKind.APPROVE, reviewer="tom")
    with pytest.raises(UnderstudyError, match="decided on this hold already"):
        stage.give(hold, VerdictKind.REJECT, reviewer="ann")
    assert stage.read(lambda tx: tx.seeds.count()) == SeedCount(caught=0, judged=1)


def test_what_seeds_measure_counts_in_the_epochs_that_begin_after_it(build: Build, staging: ModuleType) -> None:
    targets = Targets(risk_max=0.05, severe_max=0.05, delta=0.05, sensitivity=0.7)
    stage = build(rules=staging.rules(Level.ASSIST), targets=targets, terms=Terms(seeds_min=20))

    def judged(tx: Any) -> None:
        for number in range(20):
            caught = SeedOutcome.CAUGHT if number < 18 else SeedOutcome.MISSED
            tx.seeds.add(
                Seed(
                    id=f"s-{number}",
                    origin=SeedOrigin.FILE,
                    source=f"s-{number}",
                    topic="orders",
                    channel="x",
                    added_by="lena",
                    added_at=stage.clock.now(),
                    outcome=caught,
                )
            )
        tx.ledger.append("test.step", at=stage.clock.now())

    def begin(topic: str) -> float:
        for _ in range(SCORES_MIN):
            turn = stage.ask("Where?", to=stage.clock.new_id("e"), topic=topic)
            stage.give(draft_hold(stage, turn.id), VerdictKind.APPROVE)
            stage.settle()
        (epoch,) = (one for one in stage.read(lambda tx: tx.epochs.all_open()) if one.topic == topic)
        return float(epoch.targets.sensitivity)

    assert begin("before") == 0.7
    stage.store.write_now(judged)
    assert begin("after") == pytest.approx(0.683, abs=0.001)
    assert next(one.targets for one in stage.read(lambda tx: tx.epochs.all_open()) if one.topic == "before") == targets
