"""A slice earns the right to answer alone, keeps it while its audits are good, and loses it by itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from types import ModuleType
from typing import Any

import pytest

from stage_earning import LAX, QUICK, ask_and_judge, earn, epoch, progress
from understudy.effects.labelling import slice_key
from understudy.errors import Conflict, NotFound
from understudy.learning.ladder import SCORES_MIN
from understudy.learning.status import Status, standing
from understudy.ports.telemetry import AutonomyMoved
from understudy.records.assessment import DecisionKind
from understudy.records.autonomy import Outcome, Slice
from understudy.records.evidence import Draft
from understudy.records.review import HoldKind, HoldState, VerdictKind
from understudy.records.rulebook import CheckPolicy, Level
from understudy.testing.scripted import ScriptedAgent

Build = Callable[..., Any]


@pytest.fixture
def stage(build: Build, staging: ModuleType) -> Any:
    return build(rules=staging.rules(Level.ASSIST, grants=()), targets=LAX, terms=QUICK)


def test_a_slice_earns_its_promotion_by_approved_drafts_alone(stage: Any) -> None:
    earn(stage)
    now = epoch(stage)
    assert (now.earned, now.audit_rate, now.proposal) == (Level.PROBATION, 1.0, None)
    assert progress(stage).labels >= SCORES_MIN
    assert progress(stage).loss_sum == 0
    turn = stage.ask("And today?", to="new")
    assert turn.decision is DecisionKind.DELIVER
    assert [event.what for event in stage.emitted(AutonomyMoved)] == ["proposed", "promoted"]


def test_nothing_is_promoted_before_a_lead_confirms(stage: Any) -> None:
    for _ in range(80):
        assert ask_and_judge(stage).decision is DecisionKind.HOLD
    assert epoch(stage).proposal is not None
    assert epoch(stage).earned is None


def test_where_the_configuration_says_so_the_evidence_alone_promotes(build: Build, staging: ModuleType) -> None:
    stage = build(rules=staging.rules(Level.ASSIST, grants=()), targets=LAX, terms=replace(QUICK, is_automatic=True))
    while ask_and_judge(stage).decision is DecisionKind.HOLD:
        assert stage.clock.new_id("n") < "n-002000"
    assert epoch(stage).earned is Level.PROBATION
    assert [event.what for event in stage.emitted(AutonomyMoved)] == ["promoted"]


def test_rejected_drafts_certify_nothing(stage: Any) -> None:
    for number in range(100):
        ask_and_judge(stage, VerdictKind.REJECT if number % 4 == 0 else VerdictKind.APPROVE)
    assert epoch(stage).proposal is None
    with pytest.raises(Conflict, match="no promotion is proposed"):
        stage.run(stage.orders.confirm(Slice(), by="lena"))


def test_a_regression_found_by_audits_demotes_for_every_decision_after_it(stage: Any) -> None:
    earn(stage)
    for _ in range(200):
        turn = ask_and_judge(stage, VerdictKind.REJECT)
        if epoch(stage).earned is Level.DEMOTED:
            break
    assert turn.decision is DecisionKind.DELIVER
    later = stage.ask("And now?", to="later")
    assert later.decision is DecisionKind.HOLD
    assert "level_demoted" in later.reasons
    assert stage.emitted(AutonomyMoved)[-1].why == "alarm"
    assert progress(stage).labels == 0, "the evidence begins anew"


def test_one_harmful_reply_demotes_at_once(stage: Any) -> None:
    earn(stage)
    ask_and_judge(stage, VerdictKind.REJECT, reasons=("harm",))
    assert epoch(stage).earned is Level.DEMOTED
    assert stage.emitted(AutonomyMoved)[-1].why == "incident"


def test_a_turn_under_way_while_its_slice_falls_is_judged_anew(stage: Any) -> None:
    earn(stage)
    stage.receive("In the middle", to="middle")
    conversation = stage.read(lambda tx: tx.conversations.find(stage.channel.name, "middle")).id
    asked = stage.store.write_now(lambda tx: stage.flow._take_up(tx, conversation))
    gathered = stage.run(stage.flow._draft(asked))
    assert gathered.rulebook.rules.earned.level is Level.PROBATION
    stage.run(stage.orders.stop(Slice(), by="lena", why="drill"))
    stage.settle()
    (turn,) = [turn for turn in stage.turns if turn.conversation_id == conversation]
    assert turn.decision is DecisionKind.HOLD
    assert "autonomy_on_hold" in turn.reasons


def test_the_stop_button_holds_everything_until_somebody_resumes(build: Build, staging: ModuleType) -> None:
    stage = build(rules=staging.rules(Level.AUTO))
    assert stage.ask("Before?", to="a").decision is DecisionKind.DELIVER
    stage.run(stage.orders.stop(Slice(), by="lena", why="odd replies"))
    held = stage.ask("During?", to="b")
    assert (held.decision, held.reasons) == (DecisionKind.HOLD, ("autonomy_on_hold",))
    stage.run(stage.orders.resume(Slice(), by="lena"))
    assert stage.ask("After?", to="c").decision is DecisionKind.DELIVER
    with pytest.raises(NotFound, match="is not on hold; on hold: none"):
        stage.run(stage.orders.resume(Slice(), by="lena"))


def test_the_status_is_told_of_a_slice_whose_replies_are_never_audited(build: Build, staging: ModuleType) -> None:
    stage = build(rules=staging.rules(Level.AUTO), targets=LAX, terms=QUICK)
    for _ in range(SCORES_MIN + 5):
        assert stage.ask("When?", to=stage.clock.new_id("e")).decision is DecisionKind.DELIVER
    ((topic, channel, release, _, _),) = stage.read(lambda tx: tx.candidates.slices())
    stage.run(stage.learning.look(slice_key(topic, channel, release)))
    assert progress(stage).delivered > 0
    rules = stage.rulebook.rules
    found = stage.read(lambda tx: standing(tx, rules, lambda _topic: LAX, seeds_min=QUICK.seeds_min))
    assert [(one.delivered, one.audited, one.alarm) for one in found.slices] == [(progress(stage).delivered, 0, 0)]


def test_a_stop_on_one_slice_leaves_the_others_alone(build: Build, staging: ModuleType) -> None:
    stage = build(rules=staging.rules(Level.AUTO))
    stage.run(stage.orders.stop(Slice(topic="refunds"), by="lena"))
    assert stage.ask("Where?", to="a", topic="refunds").decision is DecisionKind.HOLD
    assert stage.ask("Where?", to="b").decision is DecisionKind.DELIVER


def test_a_certificate_expires(stage: Any) -> None:
    earn(stage)
    stage.pass_time(QUICK.valid_days * 86_400 + 1)
    assert epoch(stage).earned is Level.ASSIST
    assert stage.ask("Still alone?", to="late").decision is DecisionKind.HOLD


def test_another_version_of_the_agent_earns_for_itself(build: Build, staging: ModuleType) -> None:
    def drafts(request: Any) -> Draft:
        version = "v2" if "new" in request.messages[-1].content else "v1"
        return Draft(text="On Monday.", agent="echo", agent_version=version)

    stage = build(
        rules=staging.rules(Level.ASSIST, grants=()),
        targets=LAX,
        terms=QUICK,
        agent=ScriptedAgent(drafts, name="echo"),
    )
    earn(stage)
    assert stage.ask("Is there something new?", to="a").decision is DecisionKind.HOLD
    assert stage.ask("Is there anything?", to="b").decision is DecisionKind.DELIVER


def test_what_the_configuration_keeps_in_shadow_stays_there(build: Build, staging: ModuleType) -> None:
    stage = build(rules=staging.rules(Level.ASSIST, grants=()), targets=LAX, terms=QUICK)
    earn(stage)
    again = stage.restarted(rules=staging.rules(Level.SHADOW))
    assert again.ask("Alone?", to="x").decision is DecisionKind.HAND_OFF


@pytest.mark.parametrize(
    "changed",
    [CheckPolicy(check="quality", weight=9.0), CheckPolicy(check="quality", enabled=False)],
    ids=["a weight of its own", "a check switched off"],
)
def test_what_was_earned_with_another_score_is_worth_nothing(
    stage: Any, staging: ModuleType, changed: CheckPolicy
) -> None:
    earn(stage)
    before = epoch(stage)
    again = stage.restarted(rules=staging.rules(Level.ASSIST, grants=(), checks=(changed,)))
    assert again.ask("Alone?", to="x").decision is DecisionKind.HOLD, "at once, before anybody looked at the slice"
    ask_and_judge(again)
    after = epoch(again)
    assert (after.earned, before.calibrator, progress(again).labels) == (Level.ASSIST, "shipped", 0)
    assert after.calibrator.startswith("shipped+")
    for _ in range(SCORES_MIN):
        ask_and_judge(again)
    assert progress(again).labels > 0, "drafts of the new score count"


def test_a_policy_that_changes_no_score_changes_no_certificate(stage: Any, staging: ModuleType) -> None:
    earn(stage)
    again = stage.restarted(rules=staging.rules(Level.ASSIST, grants=(), checks=(CheckPolicy(check="quality"),)))
    assert again.ask("Alone?", to="x").decision is DecisionKind.DELIVER


def test_an_audit_is_reviewed_afterwards_and_sends_nothing(stage: Any) -> None:
    earn(stage)
    turn = stage.ask("Again?", to="audited")
    (audit,) = (hold for hold in stage.open_holds if hold.turn_id == turn.id)
    assert (audit.kind, audit.state, audit.expires_at) == (HoldKind.AUDIT, HoldState.OPEN, None)
    sent = list(stage.channel.delivered)
    stage.give(audit, VerdictKind.EDIT, "Better words.")
    stage.settle()
    assert stage.channel.delivered == sent
    assert stage.read(lambda tx: tx.candidates.of_turn(turn.id)).label.outcome is Outcome.EDIT


def test_a_taken_over_conversation_leaves_its_audits_open(stage: Any) -> None:
    earn(stage)
    turn = stage.ask("Again?", to="audited")
    stage.run(stage.conversations.take_over(turn.conversation_id, reviewer="rosa"))
    assert [hold.kind for hold in stage.open_holds] == [HoldKind.AUDIT]


def test_restarting_begins_from_nothing_in_assist(stage: Any) -> None:
    earn(stage)
    stage.run(stage.orders.restart(Slice(topic="orders"), by="lena"))
    assert (epoch(stage).earned, progress(stage).labels) == (Level.ASSIST, 0)
    assert stage.ask("Alone?", to="x").decision is DecisionKind.HOLD
    with pytest.raises(NotFound, match="nothing was earned"):
        stage.run(stage.orders.restart(Slice(topic="nothing"), by="lena"))


def test_a_promotion_is_confirmed_only_as_it_was_seen(stage: Any) -> None:
    while not (found := stage.read(lambda tx: tx.epochs.all_open())) or found[0].proposal is None:
        ask_and_judge(stage)
    seen = epoch(stage).proposal
    assert seen is not None
    with pytest.raises(Conflict, match="another promotion by now"):
        stage.run(stage.orders.confirm(Slice(), by="lena", threshold=seen.threshold / 2))
    assert epoch(stage).earned is None
    stage.run(stage.orders.confirm(Slice(), by="lena", threshold=seen.threshold))
    assert epoch(stage).threshold == seen.threshold


def test_a_stop_of_everything_holds_a_topic_that_came_up_only_later(build: Build, staging: ModuleType) -> None:
    stage = build(rules=staging.rules(Level.AUTO))
    stage.run(stage.orders.stop(Slice(), by="lena"))
    turn = stage.ask("Something new?", to="a", topic="never_seen")
    assert (turn.decision, turn.reasons) == (DecisionKind.HOLD, ("autonomy_on_hold",))


def test_the_story_of_a_slice_tells_its_labels_its_moves_and_what_left(stage: Any) -> None:
    earn(stage)
    for _ in range(200):
        ask_and_judge(stage, VerdictKind.REJECT)
        if epoch(stage).earned is Level.DEMOTED:
            break
    stage.run(stage.orders.stop(Slice(), by="lena", why="drill"))
    rules = stage.rulebook.rules
    status = Status(stage.store, lambda: rules, targets_of=lambda _topic: LAX, terms=QUICK)
    (of_slice,) = stage.read(lambda tx: tx.candidates.slices())
    story = stage.run(status.story(of_slice[0], of_slice[1]))
    assert (story.release, len(story.releases), story.reviewers_min) == (of_slice[2], 1, 1)
    assert [move.what for move in story.moves][:3] == ["stopped", "began", "ended"]
    assert [move.what for move in story.moves][-3:] == ["promoted", "proposed", "began"]
    assert (story.moves[0].by, story.moves[0].why, story.moves[2].why) == ("lena", "drill", "alarm")
    own = story.releases[0]
    assert (own.on_hold, own.lately, own.audits_owed) == (True, of_slice[3], 0)
    assert 0 < own.lately_alone < own.lately
    labels = sum(one.good + one.bad for one in story.labels)
    assert labels == of_slice[3]
    assert {one.source.value for one in story.labels} == {"review", "audit"}
    assert story.curve == (), "the evidence begins anew"
    with pytest.raises(NotFound, match="nothing to see yet"):
        stage.run(status.story("nothing", of_slice[1]))
    with pytest.raises(NotFound, match="no drafts of 'v9'"):
        stage.run(status.story(of_slice[0], of_slice[1], release="v9"))


def test_the_curve_of_a_slice_rests_on_its_rungs(stage: Any) -> None:
    while not (found := stage.read(lambda tx: tx.epochs.all_open())) or found[0].proposal is None:
        ask_and_judge(stage)
    rules = stage.rulebook.rules
    status = Status(stage.store, lambda: rules, targets_of=lambda _topic: LAX, terms=QUICK)
    story = stage.run(status.story(epoch(stage).topic, epoch(stage).channel))
    (own,) = story.releases
    assert [rung.threshold for rung in story.rungs] == list(progress(stage).thresholds)
    assert own.certified in [rung.threshold for rung in story.rungs if rung.is_certified]
    assert story.curve_labels == progress(stage).labels
    assert story.curve[-1].coverage == pytest.approx(1.0)
