"""Customers whose contact went badly never meet the agent again before the cap is lifted: in any order of bad and good
outcomes, days, restarts and lifts, nothing they get was written by it and seen by nobody."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from understudy.records.assessment import DecisionKind
from understudy.records.feedback import FeedbackKind
from understudy.records.review import HoldKind, VerdictKind
from understudy.records.rulebook import Level
from understudy.records.trust import TrustRules

Build = Callable[..., Any]
MANY = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25)
RULES = TrustRules(days=5, good_contacts=2)
DAY = 86_400.0
QUESTIONS = (
    "Where is my parcel?", "Can I change the address?", "Do you ship to Wales?", "Is the lid in the box?",
    "May I pay by invoice?", "How heavy is the kettle?", "Which colours are there?",
)  # fmt: skip
CUSTOMERS = ("e-1", "e-2", "e-3")
UNSEEN = (DecisionKind.DELIVER, DecisionKind.DEGRADE)

steps = st.lists(
    st.tuples(
        st.sampled_from(
            [
                "ask",
                "ask",
                "ask",
                "thumbs_down",
                "complain",
                "reject",
                "take_over",
                "approve",
                "wait",
                "lift",
                "restart",
            ]
        ),
        st.sampled_from(CUSTOMERS),
        st.integers(1, 3),
    ),
    min_size=5,
    max_size=25,
)


class Town:
    """Customers of a stage, and what was unseen by anybody while a cap was in force (`met`: should stay empty)."""

    def __init__(self, stage: Any) -> None:
        self.stage = stage
        self.met: list[Any] = []
        self.last: dict[str, Any] = {}
        self.disliked: set[str] = set()
        self.bad = 0

    def cap(self, who: str) -> Any:
        """What the rules say by themselves, of what is stored; None for whom there is nothing."""
        found = self.stage.read(lambda tx: tx.conversations.find(self.stage.channel.name, who))
        cap = None if found is None else self.stage.read(lambda tx: tx.caps.of_contact(found.contact_id))
        return cap if cap is not None and cap.holds(RULES, self.stage.clock.now()) else None

    def ask(self, who: str, text: str) -> Any:
        before = self.cap(who)
        turn = self.last[who] = self.stage.ask(text, to=who)
        if before is not None and (turn.decision in UNSEEN or self.stage.entries_of(turn)):
            self.met.append((who, before, turn))
        return turn

    def step(self, what: str, who: str, days: int) -> None:
        if what == "wait":
            self.stage.pass_time(days * DAY)
        elif what == "restart":
            self.stage = self.stage.restarted()
        elif what == "ask":
            self.ask(who, QUESTIONS[len(self.stage.turns) % len(QUESTIONS)])
        elif (last := self.last.get(who)) is not None:
            getattr(self, what)(who, last, last.decision is DecisionKind.DELIVER)
        self.stage.settle()

    def complain(self, who: str, last: Any, is_automatic: bool) -> None:
        if is_automatic:
            turn = self.ask(who, "That is wrong. I want to make a complaint.")
            assert turn.decision not in UNSEEN
            self._went_badly(who)

    def thumbs_down(self, who: str, last: Any, is_automatic: bool) -> None:
        if is_automatic and last.id not in self.disliked:
            self.disliked.add(last.id)
            self.stage.run(self.stage.feedback.give(last.id, FeedbackKind.THUMBS_DOWN, by="help desk"))
            self._went_badly(who)

    def reject(self, who: str, last: Any, is_automatic: bool) -> None:
        for hold in self.stage.open_holds:
            if is_automatic and hold.turn_id == last.id and hold.kind is HoldKind.AUDIT:
                self.stage.give(hold, VerdictKind.REJECT)
                self._went_badly(who)

    def approve(self, who: str, last: Any, is_automatic: bool) -> None:
        for hold in self.stage.open_holds:
            if not is_automatic and hold.turn_id == last.id and hold.kind is HoldKind.DRAFT:
                self.stage.give(hold, VerdictKind.APPROVE)

    def take_over(self, who: str, last: Any, is_automatic: bool) -> None:
        where = self.stage.conversation(who).id
        self.stage.run(self.stage.conversations.take_over(where, reviewer="rosa"))
        self.stage.run(self.stage.conversations.hand_back(where, reviewer="rosa"))

    def lift(self, who: str, last: Any, is_automatic: bool) -> None:
        if self.cap(who) is not None:
            self.stage.run(self.stage.trust.lift(self.stage.conversation(who).contact_id, by="lena"))

    def _went_badly(self, who: str) -> None:
        self.bad += 1
        assert self.cap(who) is not None


@MANY
@given(steps=steps)
def test_nobody_who_was_let_down_meets_the_agent_before_the_cap_is_lifted(
    build: Build, staging: ModuleType, steps: list[tuple[str, str, int]]
) -> None:
    town = Town(build(rules=staging.rules(Level.PROBATION, trust=RULES)))
    for what, who, number in steps:
        town.step(what, who, number)
    event(f"{min(town.bad, 3)} bad contacts")
    assert town.met == []
    town.stage.close()


def test_a_bad_contact_is_followed_by_people_until_its_time_is_over(build: Build, staging: ModuleType) -> None:
    town = Town(build(rules=staging.rules(Level.PROBATION, trust=RULES)))
    for who in CUSTOMERS:
        assert town.ask(who, "When does it come?").decision is DecisionKind.DELIVER
        town.step("thumbs_down", who, 1)
    for day in range(4):
        for who in CUSTOMERS:
            assert town.ask(who, f"And on day {day}?").decision is DecisionKind.HOLD
        town.step("wait", CUSTOMERS[0], 1)
    assert town.bad == len(CUSTOMERS)
    assert town.met == []
    town.step("wait", CUSTOMERS[0], 2)
    assert town.ask(CUSTOMERS[0], "May the agent answer now?").decision is DecisionKind.DELIVER
