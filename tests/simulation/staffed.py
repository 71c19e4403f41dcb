"""Worlds of people who come, go, let lie, take over and answer, of customers who write again, and of processes that die.

Verified in each, after every look: whoever waits is looked after, once; nobody is given a hand-off who is not there, has no
skill for it or has as many as they may; nobody keeps one who is gone; the clock of a wait never begins anew; each step of the
SLA is done once and in order; a wait whose customer has an answer ends; and when all are answered nobody waits.
Not verified here: two processes at once, whose writes take turns; real kills, which the benchmarks do.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from random import Random
from typing import Any

from chaining import is_chained
from stage_staffing import come
from understudy.effects.staffing import people_there
from understudy.errors import Conflict, StaleVersion
from understudy.ports.store import Store, Transaction
from understudy.records.conversation import Mode
from understudy.records.desk import HERE_S
from understudy.records.review import HoldKind, VerdictKind
from understudy.records.staffing import Assignment, Sla, Staffing, Team
from understudy.staffing.flow import StaffingFlow

STAFFING = Staffing(
    teams=(
        Team(
            name="orders", members=("ana", "ben"), topics=("orders",), capacity=2, overflow="all", overflow_after_s=60
        ),
        Team(name="all", members=("ben", "cem", "dora"), capacity=1),
    ),
    sla=Sla(targets=((0, 400.0),)),
    take_within_s=60.0,
    answer_within_s=150.0,
    gone_s=30.0,
)
PEOPLE = (*STAFFING.people, "zoe")
"""`zoe` is in no team, and may take what she sees."""
CUSTOMERS = tuple(f"e-{number}" for number in range(4))
EVENTS = 60


class Died(BaseException):
    """The process is gone; nobody catches this but who let it die."""


class Mortal:
    """A store whose process dies at its next write, just before or just after the commit."""

    def __init__(self, store: Store, *, is_after: bool) -> None:
        self._store, self._is_after = store, is_after

    async def write(self, step: Callable[[Transaction], Any]) -> Any:
        if self._is_after:
            await self._store.write(step)
        raise Died


class World:
    """One seed's. Each event is a method; `check` holds what the ledger and the tables say against the promises."""

    def __init__(self, stage: Any, seed: int) -> None:
        self.stage = stage
        self.dice = Random(seed)
        self.open: set[str] = set()
        """Whose console is open."""
        self.seen = 0
        self.began: dict[str, Any] = {}
        self.held: dict[str, str] = {}
        self.done: dict[str, list[str]] = {}
        self.met = Counter[str]()

    def play(self) -> None:
        ways = (
            *(
                self.customer_writes,
                self.customer_writes,
                self.somebody_comes,
                self.somebody_goes,
                self.somebody_is_away,
            ),
            *(*[self.time_passes] * 4, self.somebody_claims, *[self.somebody_takes_over] * 4),
            *(self.somebody_says, self.somebody_responds, self.somebody_hands_back, self.a_lead_assigns, self.it_dies),
        )
        for _ in range(EVENTS):
            way = self.dice.choice(ways)
            self.met[way.__name__] += 1
            way()
            self.look()
        self.all_are_answered()

    def look(self) -> None:
        come(self.stage, *sorted(self.open))
        self.stage.sweep()
        self.check()

    # What happens ------------------------------------------------------------------------------------------------

    def customer_writes(self) -> None:
        self.stage.ask("I need a person.", to=self.dice.choice(CUSTOMERS))

    def somebody_comes(self) -> None:
        self.open.add(self.dice.choice(PEOPLE))

    def somebody_goes(self) -> None:
        self.open.discard(self.dice.choice(PEOPLE))

    def somebody_is_away(self) -> None:
        name, is_away = self.dice.choice(PEOPLE), self.dice.random() < 0.5
        self.stage.run(self.stage.teams.say(name, is_away=is_away, by=name))

    def time_passes(self) -> None:
        left = self.dice.choice((5.0, 5.0, 30.0, 30.0, 120.0, 300.0))
        while left > 0:
            self.stage.clock.advance(min(left, 20.0))
            left -= 20.0
            self.look()

    def somebody_claims(self) -> None:
        if hold := self.hand_off():
            self.tried(self.stage.holds.claim(hold.id, reviewer=self.dice.choice(PEOPLE)))

    def somebody_takes_over(self) -> None:
        if conversation := self.conversation():
            who, first = self.dice.choice(PEOPLE), conversation.taken_by
            self.tried(self.stage.conversations.take_over(conversation.id, reviewer=who, take_from=first))

    def somebody_says(self) -> None:
        if (conversation := self.conversation()) and conversation.mode is Mode.PERSON:
            self.tried(self.stage.conversations.say(conversation.id, "Hello.", reviewer=self.dice.choice(PEOPLE)))
            self.stage.settle()

    def somebody_responds(self) -> None:
        if hold := self.hand_off():
            try:
                self.stage.give(hold, VerdictKind.RESPOND, "Here is your answer.", reviewer=self.dice.choice(PEOPLE))
            except (Conflict, StaleVersion):
                self.met["refused"] += 1
            self.stage.settle()

    def somebody_hands_back(self) -> None:
        if conversation := self.conversation():
            who, first = self.dice.choice(PEOPLE), conversation.taken_by
            self.tried(self.stage.conversations.hand_back(conversation.id, reviewer=who, take_from=first))
            self.stage.settle()  # the agent is asked what nobody answered

    def a_lead_assigns(self) -> None:
        if waits := self.waits():
            person = self.dice.choice((*STAFFING.people, None))
            self.tried(self.stage.teams.assign(self.dice.choice(waits).hold_id, person, by="lea"))

    def it_dies(self) -> None:
        stage = self.stage
        dying: Any = Mortal(stage.store, is_after=self.dice.random() < 0.5)
        flow = StaffingFlow(dying, stage.clock, stage, staffing=STAFFING)
        with suppress(Died):
            stage.run(flow.sweep())
            raise AssertionError("it died not")
        self.stage = stage.restarted()

    def all_are_answered(self) -> None:
        self.open = set(PEOPLE)
        for _ in range(30):
            for wait in self.waits():
                conversation = self.stage.read(lambda tx, wait=wait: tx.conversations.get(wait.conversation_id))
                if conversation.mode is Mode.PERSON:
                    who = conversation.taken_by or "ana"
                    self.stage.run(self.stage.conversations.say(conversation.id, "Done.", reviewer=who))
            self.stage.settle()
            for hold in self.hand_offs():  # handed back with somebody still waiting
                first = self.stage.read(lambda tx, hold=hold: tx.conversations.get(hold.conversation_id)).taken_by
                who = hold.claimed_by or "ana"
                self.stage.give(hold, VerdictKind.RESPOND, "Done.", reviewer=who, take_from=first)
            self.stage.settle()
            self.look()
            if not self.waits() and not self.hand_offs():
                break
        assert self.waits() == []
        assert self.hand_offs() == []
        assert is_chained(self.stage.ledger)

    # Looking -----------------------------------------------------------------------------------------------------

    def tried(self, doing: Any) -> None:
        try:
            self.stage.run(doing)
        except (Conflict, StaleVersion):
            self.met["refused"] += 1

    def waits(self) -> list[Assignment]:
        found: list[Assignment] = self.stage.run(self.stage.teams.waiting())
        return found

    def hand_offs(self) -> list[Any]:
        return [hold for hold in self.stage.open_holds if hold.kind is HoldKind.HAND_OFF]

    def hand_off(self) -> Any:
        holds = self.hand_offs()
        return self.dice.choice(holds) if holds else None

    def conversation(self) -> Any:
        to = self.dice.choice(CUSTOMERS)
        return self.stage.read(lambda tx: tx.conversations.find(self.stage.channel.name, to))

    def check(self) -> None:
        now = self.stage.clock.now()
        waits, there = self.waits(), self.stage.read(lambda tx: people_there(tx, now))
        by_hold = {wait.hold_id: wait for wait in waits}
        assert {hold.id for hold in self.hand_offs()} <= by_hold.keys(), "somebody waits and nobody looks after it"
        assert len({wait.conversation_id for wait in waits}) == len(waits)
        load = Counter(wait.person for wait in waits if wait.person)
        for entry in self.news():
            body = json.loads(entry.body)
            self.met[entry.event] += 1
            if entry.event in ("staffing.escalated", "staffing.broken", "staffing.ended"):
                self.done.setdefault(body["assignment"], []).append(str(body.get("step") or entry.event))
            if entry.event == "staffing.assigned" and entry.actor == "system":
                self.check_given(body, there, load)
        for wait in waits:
            began = self.began.setdefault(wait.id, wait.waits_since)
            assert wait.waits_since == began, "the clock began anew"
            self.met["another hold"] += self.held.setdefault(wait.id, wait.hold_id) != wait.hold_id
            self.check_kept(wait, there, now)
        self.check_steps()

    def news(self) -> list[Any]:
        entries = self.stage.read(lambda tx: tx.ledger.entries(after=self.seen))
        self.seen = max((entry.seq for entry in entries), default=self.seen)
        return [entry for entry in entries if entry.event.startswith("staffing.")]

    def check_given(self, body: Any, there: Any, load: Counter[str]) -> None:
        (team,) = (team for team in STAFFING.teams if team.name == body["team"])
        assert body["person"] in team.members
        assert there[body["person"]].is_here, f"{body['person']} is not here"
        assert load[body["person"]] <= max(one.capacity for one in STAFFING.teams if body["person"] in one.members)

    def check_kept(self, wait: Assignment, there: Any, now: Any) -> None:
        if wait.person is None or wait.assigned_at is None:
            return
        hold = self.stage.read(lambda tx: tx.holds.get(wait.hold_id))
        if hold.claimed_until is not None and hold.claimed_until > now:
            return
        one = there.get(wait.person)
        since = max(filter(None, (wait.assigned_at, None if one is None else one.since)))
        is_gone = one is None or not one.is_here
        assert not is_gone or (now - since).total_seconds() < HERE_S + STAFFING.gone_s, f"{wait.person} is gone"

    def steps(self) -> list[list[str]]:
        """What was done of each wait that came so far, in order: the steps before its time was over, that it was, and its end."""
        return list(self.done.values())

    def check_steps(self) -> None:
        whole = ["1", "2", "3", "staffing.broken", "staffing.ended"]
        for steps in self.steps():
            ended = steps[-1] == "staffing.ended"
            before = steps[:-1] if ended else steps
            assert before == whole[: len(before)], steps
