"""In a made-up world autonomy is earned, seldom wrongly, and lost again: by the product's own rules."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from scipy.stats import binom

from understudy.assessment.decision import decide
from understudy.errors import ConfigurationError
from understudy.records.assessment import Confidence, DecisionKind
from understudy.records.autonomy import Targets, Terms
from understudy.records.evidence import ChatMessage, Draft, Evidence
from understudy.records.rulebook import Grant, Level, Rules
from understudy.simulation.running import Topic
from understudy.simulation.summary import summarised
from understudy.simulation.tally import Tally
from understudy.simulation.world import People, Regression, SliceWorld, World

Live = Callable[..., list[Tally]]
MakeWorld = Callable[..., World]
GOOD = SliceWorld(topic="orders", per_day=100, bad=0.03, sharpness=0.85, severe=0.0)
RUNS = 120
TARGET_TENTH = Targets(risk_max=0.1, severe_max=0.5, delta=0.05, sensitivity=1.0)
USELESS = SliceWorld(topic="orders", per_day=150, bad=0.1, sharpness=0.5, severe=0.0)
"""Exactly at its target, with a score that says nothing, so that the one threshold there is has that risk."""


def test_the_same_seed_gives_the_same_days(live: Live, make_world: MakeWorld) -> None:
    world = make_world(GOOD, replace_topic(GOOD, "returns"))
    assert live(world) == live(world)
    assert live(world) != live(world, seed=2)


def replace_topic(of: SliceWorld, topic: str, **more: Any) -> SliceWorld:
    return of.model_copy(update={"topic": topic, **more})


def test_settings_can_be_compared_on_the_same_drafts(live: Live, make_world: MakeWorld, at_once: Terms) -> None:
    (one,) = live(make_world(GOOD))
    (other,) = live(make_world(GOOD), terms=replace(at_once, probation_audit_rate=1.0))
    assert (one.drafts, one.fixed_loss) == (other.drafts, other.fixed_loss)
    assert one.audits < other.audits


def falsely_promoted(live: Live, world: World, targets: Targets = TARGET_TENTH) -> int:
    return sum(live(world, seed=seed, targets=targets)[0].is_false for seed in range(1000, 1000 + RUNS))


def test_a_slice_at_its_target_is_promoted_in_at_most_one_of_twenty_worlds(live: Live, make_world: MakeWorld) -> None:
    assert falsely_promoted(live, make_world(USELESS, days=5)) <= binom.ppf(0.999, RUNS, 0.05)


def test_reviewers_who_miss_as_many_as_assumed_change_nothing_about_that(live: Live, make_world: MakeWorld) -> None:
    people, assumed = People(missed=0.3, delay_h=1.0), replace(TARGET_TENTH, sensitivity=0.7)
    world = make_world(USELESS, days=5, people=people)
    assert falsely_promoted(live, world, assumed) <= binom.ppf(0.999, RUNS, 0.05)
    assert falsely_promoted(live, world) > 0.3 * RUNS  # and who assumes that they see all is wrong


def test_bad_drafts_that_are_judged_later_do_not_help(live: Live, make_world: MakeWorld) -> None:
    people = People(missed=0.0, delay_h=1.0, bad_delay=30.0)
    assert falsely_promoted(live, make_world(USELESS, days=5, people=people)) <= binom.ppf(0.999, RUNS, 0.05)


def test_a_regression_that_nobody_announced_ends_in_a_demotion(live: Live, make_world: MakeWorld) -> None:
    worse = Regression(day=20, times=8, is_visible=False)
    (tally,) = live(make_world(GOOD.model_copy(update={"regression": worse}), days=40), is_watched=True)
    assert [event.what for event in tally.events] == ["promoted", "alarm"]
    assert tally.caught_on is not None
    assert 20 < tally.caught_on < 30
    assert (tally.alone_at_regression, tally.is_false, tally.falls_for_nothing) == (True, False, 0)
    assert 0 < tally.bad_after < tally.fixed_bad_after
    assert [tally.moments[day].level for day in (0, 18, 39)] == [Level.ASSIST, Level.PROBATION, Level.DEMOTED]


def test_a_harmful_reply_that_was_audited_demotes_at_once(live: Live, make_world: MakeWorld, at_once: Terms) -> None:
    harmful = GOOD.model_copy(update={"severe": 0.5})
    (tally,) = live(make_world(harmful, days=60), terms=replace(at_once, probation_audit_rate=1.0))
    assert "incident" in [event.what for event in tally.events]


def test_drafts_that_nobody_judges_certify_nothing(live: Live, make_world: MakeWorld) -> None:
    people = People(missed=0.0, delay_h=1.0, unjudged=0.3)
    (tally,) = live(make_world(GOOD, days=30, people=people))
    assert tally.promoted_on is None
    assert tally.automatic == 0


def test_a_lead_who_takes_days_delays_the_promotion_by_them(live: Live, make_world: MakeWorld, at_once: Terms) -> None:
    by_hand = replace(at_once, is_automatic=False)
    (quick,) = live(make_world(GOOD))
    (slow,) = live(make_world(GOOD), terms=by_hand, confirm_s=5 * 86_400.0)
    assert slow.promoted_on == pytest.approx((quick.promoted_on or 0.0) + 5)


def test_a_small_channel_rests_on_the_certificate_of_its_topic(live: Live, make_world: MakeWorld) -> None:
    small, careful = GOOD.model_copy(update={"channel": "email", "per_day": 3}), replace(TARGET_TENTH, risk_max=0.05)
    alone = live(make_world(small), targets=careful)[0]
    beside = live(make_world(small, GOOD), targets=careful)[0]
    assert alone.promoted_on is None
    assert beside.promoted_on is not None


def test_what_the_configuration_grants_leaves_from_the_first_day(live: Live, make_world: MakeWorld) -> None:
    grant = Grant(topic="orders", channel="*", level=Level.AUTO, threshold=0.0)
    (tally,) = live(make_world(GOOD, days=2), rules=Rules(grants=(grant,), audit_rate=0.25))
    assert tally.automatic == tally.drafts
    assert tally.audits == pytest.approx(0.25 * tally.drafts, rel=0.4)


@pytest.mark.parametrize(
    ("rules", "words"),
    [
        (Rules(never_auto=("orders",)), "never_auto"),
        (Rules(grants=(Grant(topic="*", channel="*", level=Level.SHADOW),)), "shadow"),
    ],
)
def test_where_nothing_can_be_earned_it_says_so(live: Live, make_world: MakeWorld, rules: Rules, words: str) -> None:
    with pytest.raises(ConfigurationError, match=words):
        live(make_world(GOOD), rules=rules)


@pytest.mark.parametrize("level", [Level.ASSIST, Level.PROBATION, Level.AUTO])
def test_what_leaves_is_what_the_decision_lets_leave(
    live: Live, make_world: MakeWorld, level: Level, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each of a day's drafts goes through the product's table of decisions as well."""
    made = []
    original = Topic.__init__
    monkeypatch.setattr(Topic, "__init__", lambda self, *given: (original(self, *given), made.append(self))[0])
    rules = Rules(grants=(Grant(topic="orders", channel="chat", level=level, threshold=0.97),), audit_rate=0.3)
    (tally,) = live(make_world(GOOD, days=1), rules=rules)
    drafts = made[0].runs[0]._drafts
    decisions = [
        decide(evidence(draw), (), Confidence(value=value, contributions=()), rules)
        for draw, value in zip(drafts.draw.tolist(), drafts.confidence.tolist(), strict=True)
    ]
    assert len(decisions) == tally.drafts
    assert sum(one.kind is DecisionKind.DELIVER for one in decisions) == tally.automatic
    assert sum(one.kind is DecisionKind.DELIVER and one.is_sampled for one in decisions) == tally.audits
    assert level is Level.ASSIST or 0 < tally.audits < tally.automatic < tally.drafts or level is Level.PROBATION


def evidence(draw: float) -> Evidence:
    return Evidence(
        topic="orders",
        turn_id="t",
        conversation_id="c",
        channel="chat",
        at=datetime(2026, 5, 15, tzinfo=UTC),
        messages=(ChatMessage(role="user", content="Where is it?"),),
        burst=1,
        draft=Draft(text="On its way."),
        audit_draw=draw,
    )


def test_figures_are_means_over_runs_with_intervals(live: Live, make_world: MakeWorld) -> None:
    world = make_world(GOOD, days=20)
    one, overall = summarised([live(world, seed=seed) for seed in range(4)])
    assert one.automation == overall.automation
    assert one.automation.low is not None
    assert one.automation.high is not None
    assert one.automation.low < (one.automation.mean or 0.0) < one.automation.high
    assert one.bad_before_demotion.mean is None  # it never got worse
    single, _ = summarised([live(world)])
    assert (single.automation.low, single.automation.runs) == (None, 1)
