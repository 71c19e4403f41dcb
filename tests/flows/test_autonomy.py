"""A slice earns the right to answer alone, keeps it while its audits are good, and loses it by itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from types import ModuleType
from typing import Any

import pytest

from understudy.effects.labelling import slice_key
from understudy.errors import Conflict, NotFound
from understudy.learning.ladder import SCORES_MIN, Progress
from understudy.learning.rebuild import faults_of
from understudy.learning.status import standing
from understudy.ports.telemetry import AutonomyMoved
from understudy.records.assessment import DecisionKind
from understudy.records.autonomy import Epoch, Outcome, Slice, Targets, Terms
from understudy.records.codec import load
from understudy.records.evidence import Draft
from understudy.records.review import Hold, HoldKind, HoldState, VerdictKind
from understudy.records.reviewing import Discount, ReviewTerms, Seed, SeedOrigin, SeedOutcome
from understudy.records.rulebook import CheckPolicy, Level
from understudy.testing.scripted import ScriptedAgent

Build = Callable[..., Any]
LAX = Targets(risk_max=0.2, severe_max=0.2, delta=0.1, sensitivity=1.0)
LABELS_NEEDED = 11
"""Clean labels that certify LAX on one threshold with all of delta: a pinned count of the mixture (see unit tests)."""
QUICK = Terms(days_min=0.0, reviewers_min=1, probation_audit_rate=1.0, probation_replies=5, audit_rate=1.0, burst=3)


@pytest.fixture
def stage(build: Build, staging: ModuleType) -> Any:
    return build(rules=staging.rules(Level.ASSIST, grants=()), targets=LAX, terms=QUICK)


def ask_and_judge(stage: Any, verdict: VerdictKind = VerdictKind.APPROVE, **more: Any) -> Any:
    """One customer asks, one reviewer judges; returns the turn."""
    turn = stage.ask("When does it come?", to=stage.clock.new_id("e"))
    for hold in judgeable(stage):
        if hold.turn_id == turn.id:
            stage.give(hold, verdict, **more)
    stage.settle()
    return stage.turn(turn.id)


def judgeable(stage: Any) -> list[Hold]:
    return [hold for hold in stage.open_holds if hold.kind in (HoldKind.DRAFT, HoldKind.AUDIT)]


def epoch(stage: Any) -> Epoch:
    (found,) = stage.read(lambda tx: tx.epochs.all_open())
    return found


def progress(stage: Any) -> Progress:
    return load(Progress, epoch(stage).progress)


def earn(stage: Any) -> None:
    """Approve drafts until a promotion is proposed, and confirm it."""
    for _ in range(120):
        ask_and_judge(stage)
        found = stage.read(lambda tx: tx.epochs.all_open())
        if found and found[0].proposal is not None:
            break
    stage.run(stage.orders.confirm(Slice(), by="lena"))


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


def test_labels_count_in_the_order_of_drafts_up_to_the_first_that_is_awaited(stage: Any) -> None:
    for _ in range(SCORES_MIN):
        ask_and_judge(stage)
    before = progress(stage).labels
    waiting = stage.ask("Who looks at this one?", to="waits")
    for _ in range(5):
        ask_and_judge(stage)
    assert progress(stage).labels == before
    (hold,) = (hold for hold in judgeable(stage) if hold.turn_id == waiting.id)
    stage.give(hold, VerdictKind.REJECT)
    stage.settle()
    assert progress(stage).labels == before + 6
    assert progress(stage).loss_sum == 1.0


def test_a_draft_that_nobody_judges_counts_as_bad_after_its_time(stage: Any) -> None:
    for _ in range(SCORES_MIN):
        ask_and_judge(stage)
    turn = stage.ask("Who looks at this one?", to="waits")
    stage.pass_time(72 * 3600 - 1)
    assert stage.read(lambda tx: tx.candidates.of_turn(turn.id)).label is None
    stage.pass_time(2)
    assert stage.read(lambda tx: tx.candidates.of_turn(turn.id)).label.outcome is Outcome.TIMEOUT
    assert (progress(stage).timeouts, progress(stage).loss_sum) == (1, 1.0)


@pytest.mark.parametrize(
    ("late_s", "said", "counts", "is_severe"),
    [
        (-1, {"verdict": VerdictKind.APPROVE}, Outcome.APPROVE, False),
        (0, {"verdict": VerdictKind.APPROVE}, Outcome.TIMEOUT, False),
        (1, {"verdict": VerdictKind.EDIT}, Outcome.TIMEOUT, False),
        (1, {"verdict": VerdictKind.REJECT}, Outcome.TIMEOUT, False),
        (1, {"verdict": VerdictKind.REJECT, "reasons": ("harm",)}, Outcome.REJECT, True),
    ],
)
def test_a_label_that_comes_too_late_is_a_time_out_though_no_sweep_came_before_it(
    stage: Any, late_s: int, said: dict[str, Any], counts: Outcome, is_severe: bool
) -> None:
    turn = stage.ask("Who looks at this one?", to="waits")
    stage.clock.advance(72 * 3600 + late_s)
    (hold,) = (hold for hold in judgeable(stage) if hold.turn_id == turn.id)
    stage.give(hold, said["verdict"], reasons=said.get("reasons", ()))
    label = stage.read(lambda tx: tx.candidates.of_turn(turn.id)).label
    assert (label.outcome, label.is_severe) == (counts, is_severe)
    assert label.loss == (0.0 if counts is Outcome.APPROVE else 1.0)
    assert label.by == (None if counts is Outcome.TIMEOUT else "rosa")


def test_a_draft_the_customer_overtook_too_late_counts_as_bad_like_any_that_nobody_judged(stage: Any) -> None:
    turn = stage.ask("When?", to="slow")
    stage.clock.advance(72 * 3600 + 1)
    stage.ask("When, please?", to="slow")
    assert stage.read(lambda tx: tx.candidates.of_turn(turn.id)).label.outcome is Outcome.TIMEOUT


def test_a_label_that_came_too_late_is_given_no_second_review(build: Build, staging: ModuleType) -> None:
    stage = build(rules=staging.rules(Level.ASSIST, grants=()), reviewing=ReviewTerms(second_rate=1.0))
    ask_and_judge(stage, reviewer="ann")
    turn = stage.ask("Who looks at this one?", to="waits")
    stage.clock.advance(72 * 3600 + 1)
    (hold,) = (hold for hold in judgeable(stage) if hold.turn_id == turn.id)
    stage.give(hold, VerdictKind.APPROVE)
    assert not [hold for hold in stage.open_holds if hold.turn_id == turn.id]


def test_a_second_review_may_come_after_the_time_for_the_first(build: Build, staging: ModuleType) -> None:
    stage = build(
        rules=staging.rules(Level.ASSIST, grants=()),
        reviewing=ReviewTerms(second_rate=1.0, second_within_s=200 * 3600.0),
    )
    ask_and_judge(stage, reviewer="ann")
    turn = ask_and_judge(stage)
    stage.clock.advance(100 * 3600)
    (hold,) = (hold for hold in stage.open_holds if hold.turn_id == turn.id)
    stage.give(hold, VerdictKind.APPROVE, reviewer="ann")
    label = stage.read(lambda tx: tx.candidates.of_turn(turn.id)).label
    assert (label.outcome, label.loss) == (Outcome.APPROVE, 0.0)


def test_a_draft_the_customer_overtook_counts_as_nothing(stage: Any) -> None:
    for _ in range(SCORES_MIN):
        ask_and_judge(stage)
    before = progress(stage).labels
    turn = stage.ask("When?", to="hasty")
    ask_again = stage.ask("When, please?", to="hasty")
    assert stage.read(lambda tx: tx.candidates.of_turn(turn.id)).label.outcome is Outcome.VOID
    (hold,) = (hold for hold in judgeable(stage) if hold.turn_id == ask_again.id)
    stage.give(hold, VerdictKind.APPROVE)
    stage.settle()
    assert progress(stage).labels == before + 1


def test_a_conversation_is_evidence_once(stage: Any) -> None:
    for _ in range(SCORES_MIN):
        ask_and_judge(stage)
    before = progress(stage)
    for text in ("When?", "Where is it?", "And now?"):
        turn = stage.ask(text, to="talkative")
        (hold,) = (hold for hold in judgeable(stage) if hold.turn_id == turn.id)
        stage.give(hold, VerdictKind.APPROVE)
        stage.settle()
    after = progress(stage)
    assert (after.labels - before.labels, after.repeats - before.repeats) == (1, 2)
    assert stage.read(faults_of)[1] == []


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


def let_judge_seeds(stage: Any, *, caught: int, missed: int) -> None:
    """Reviewers decided on so many planted drafts."""

    def judged(tx: Any) -> None:
        for number in range(caught + missed):
            outcome = SeedOutcome.CAUGHT if number < caught else SeedOutcome.MISSED
            name = stage.clock.new_id("s")
            known = {"origin": SeedOrigin.FILE, "source": name, "topic": "orders", "channel": "x", "added_by": "lena"}
            tx.seeds.add(Seed(id=name, added_at=stage.clock.now(), outcome=outcome, **known))
        tx.ledger.append("test.judged", at=stage.clock.now())

    stage.store.write_now(judged)


def test_reviewers_who_are_shown_to_notice_less_than_a_certificate_counts_on_end_it(
    build: Build, staging: ModuleType
) -> None:
    targets = replace(LAX, sensitivity=0.9)
    stage = build(rules=staging.rules(Level.ASSIST, grants=()), targets=targets, terms=replace(QUICK, seeds_min=20))
    earn(stage)
    before = epoch(stage)
    assert before.earned is Level.PROBATION
    let_judge_seeds(stage, caught=17, missed=3)  # at least 62 %, at most 97 %: it may be as was assumed
    stage.pass_time(120)
    assert epoch(stage).id == before.id
    let_judge_seeds(stage, caught=3, missed=17)
    stage.pass_time(120)
    assert (epoch(stage).earned, epoch(stage).proposal) == (Level.ASSIST, None)
    assert epoch(stage).targets.sensitivity < 0.5
    assert stage.emitted(AutonomyMoved)[-1].why == "reviewers"
    assert stage.ask("And today?", to="new").decision is DecisionKind.HOLD
    after = epoch(stage)
    stage.pass_time(120)
    assert epoch(stage).id == after.id


def test_who_is_discounted_takes_no_label_back_that_was_counted(stage: Any) -> None:
    for _ in range(SCORES_MIN + 3):
        ask_and_judge(stage, reviewer="sam")
    before = progress(stage)
    stage.store.write_now(
        lambda tx: (
            tx.reviews.discount(Discount(reviewer="sam", since=stage.clock.now(), why="stamps")),
            tx.ledger.append("reviewer.discounted", at=stage.clock.now(), reviewer="sam", why="stamps"),
        )
    )
    ask_and_judge(stage, reviewer="sam")
    after = progress(stage)
    assert (after.labels, after.mean, after.discounted) == (before.labels, before.mean, before.discounted + 1)
