"""Nothing leaves by itself but what its slice has earned at that moment, and every certificate follows from the ledger.

A seeded schedule of customers, reviewers, leads, stops and restarts; afterwards the ledger alone is read, entry by
entry, by rules written down here a second time. Not verified: the statistics (tests/unit/stats), several processes.
"""

from __future__ import annotations

import json
import os
import random
import signal
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

from understudy.adapters.stores.sql_store import SqlStore
from understudy.errors import Conflict, NotFound
from understudy.learning.epochs import promoted
from understudy.learning.rebuild import faults_of
from understudy.records.autonomy import Slice, Targets, Terms
from understudy.records.evidence import Draft
from understudy.records.ledger import LedgerEntry
from understudy.records.review import HoldKind, VerdictKind
from understudy.records.rulebook import Level
from understudy.testing.scripted import FrozenClock, ScriptedAgent

Build = Callable[..., Any]
LAX = Targets(risk_max=0.3, severe_max=0.3, delta=0.2, sensitivity=1.0)
QUICK = Terms(days_min=0.0, reviewers_min=1, probation_audit_rate=0.5, probation_replies=8, audit_rate=0.3, burst=4)
QUOTA = 9
STEPS = 150


@dataclass
class Law:
    """What may leave, reckoned from the ledger alone."""

    level: dict[tuple[str, str], str] = field(default_factory=dict)
    threshold: dict[tuple[str, str], float] = field(default_factory=dict)
    stops: set[tuple[str, str]] = field(default_factory=set)
    delivered: list[tuple[datetime, str]] = field(default_factory=list)
    seen: Counter[str] = field(default_factory=Counter)

    def read(self, entry: LedgerEntry) -> None:
        body = json.loads(entry.body)
        self.seen[entry.event] += 1
        match entry.event:
            case "autonomy.promoted":
                self.level[body["topic"], body["release"]] = body["level"]
                self.threshold[body["topic"], body["release"]] = body["threshold"]
            case "autonomy.ended":
                self.level[body["topic"], body["release"]] = body["level"]
            case "autonomy.stopped":
                self.stops.add((body["topic"], body["channel"]))
            case "autonomy.resumed":
                self.stops.discard((body["topic"], body["channel"]))
            case "turn.decided" if body["decision"] == "deliver":
                self._leaves(entry, body["candidate"])

    def _leaves(self, entry: LedgerEntry, said: dict[str, Any]) -> None:
        of = (said["topic"], said["release"])
        assert self.level.get(of) in ("probation", "auto"), f"{entry.seq}: {of} is at {self.level.get(of)}"
        assert not any(topic in ("*", said["topic"]) for topic, _ in self.stops), f"{entry.seq}: {of} is on hold"
        assert said["confidence"] >= self.threshold[of], f"{entry.seq}: below its threshold"
        self.delivered.append((entry.at, said["topic"]))
        hour = [at for at, topic in self.delivered if topic == said["topic"] and entry.at - at < timedelta(hours=1)]
        assert len(hour) <= QUOTA, f"{entry.seq}: above the quota"


class People:
    """Everybody who does something, by the dice of one seed."""

    def __init__(self, build: Build, staging: ModuleType, seed: int) -> None:
        self.dice = random.Random(seed)
        self.quality = {"orders": 0.97, "refunds": 0.8}
        self.stage = build(
            rules=staging.rules(Level.ASSIST, grants=(), automatic_per_hour_max=QUOTA),
            targets=LAX,
            terms=QUICK,
            agent=ScriptedAgent(self._draft, name="echo"),
            hold_expires_after_s=None,
        )

    def _draft(self, request: Any) -> Draft:
        confidence = round(self.dice.random(), 3)
        return Draft(text="On Monday.", agent="echo", agent_version="v1", confidence=confidence)

    def live(self) -> None:
        """Three fifths of the time the agent is good at orders, then it is not."""
        for number in range(STEPS):
            if number == STEPS * 3 // 5:
                self.quality["orders"] = 0.2
            self._step()

    def _step(self) -> None:
        match self.dice.choices(range(7), weights=[50, 40, 4, 1, 4, 2, 2])[0]:
            case 0:
                for topic in ("orders", "orders", "refunds"):
                    self.stage.ask("When?", to=self.stage.clock.new_id("e"), topic=topic)
            case 1:
                self._judge()
            case 2:
                self._order(self.stage.orders.confirm)
            case 3:
                self._order(self.stage.orders.stop, Slice(topic=self.dice.choice(["*", "orders"])))
            case 4:
                self._order(self.stage.orders.resume, Slice(topic=self.dice.choice(["*", "orders"])))
            case 5:
                self.stage.pass_time(self.dice.choice([600, 3600, 3600, 90_000]))
            case 6:
                self.stage = self.stage.restarted()

    def _judge(self) -> None:
        waiting = [hold for hold in self.stage.open_holds if hold.kind in (HoldKind.DRAFT, HoldKind.AUDIT)]
        for hold in self.dice.sample(waiting, k=min(len(waiting), 6)):
            is_good = self.dice.random() < self.quality[hold.topic or "orders"]
            harm = () if is_good or self.dice.random() < 0.6 else ("harm",)
            kind = VerdictKind.APPROVE if is_good else self.dice.choice([VerdictKind.REJECT, VerdictKind.EDIT])
            self.stage.give(hold, kind, reasons=harm, reviewer=self.dice.choice(["rosa", "emil"]))
        self.stage.settle()

    def _order(self, order: Callable[..., Any], of: Slice = Slice()) -> None:  # noqa: B008 - it is frozen
        with suppress(Conflict, NotFound):  # nothing is proposed, or nothing on hold
            self.stage.run(order(of, by="lena"))


def test_nothing_leaves_but_what_was_earned_and_certificates_follow_from_the_ledger(
    build: Build, staging: ModuleType
) -> None:
    seen: Counter[str] = Counter()
    for seed in range(3):
        people = People(build, staging, seed)
        people.live()
        law = Law()
        for entry in people.stage.ledger:
            law.read(entry)
        _, faults = people.stage.read(faults_of)
        assert faults == [], f"seed {seed}"
        assert is_forgery_noticed(people.stage), f"seed {seed}"
        seen += law.seen
        seen["delivered"] += len(law.delivered)
    for what in ("delivered", "autonomy.promoted", "autonomy.ended", "autonomy.stopped", "label.given"):
        assert seen[what] > 0, f"{what} never happened, so this proves nothing: {seen}"


def is_forgery_noticed(stage: Any) -> bool:
    """Whether a label that was changed in the ledger is found."""
    entries = stage.ledger
    (first, *_) = (entry for entry in entries if entry.event == "label.given" and '"loss":0.0' in entry.body)
    forged = [replace(e, body=e.body.replace('"loss":0.0', '"loss":1.0')) if e is first else e for e in entries]

    class Forged:
        def __init__(self, tx: Any) -> None:
            self.epochs, self.ledger = tx.epochs, self

        def entries(self, *, after: int, limit: int) -> list[LedgerEntry]:
            return [entry for entry in forged if entry.seq > after][:limit]

    _, faults = stage.read(lambda tx: faults_of(Forged(tx)))
    return bool(faults)


def proposal_pending(build: Build, staging: ModuleType) -> Any:
    stage = build(rules=staging.rules(Level.ASSIST, grants=()), targets=LAX, terms=QUICK)
    for _ in range(80):
        turn = stage.ask("When?", to=stage.clock.new_id("e"))
        (hold,) = (hold for hold in stage.open_holds if hold.turn_id == turn.id)
        stage.give(hold, VerdictKind.APPROVE)
        stage.settle()
        (epoch,) = stage.read(lambda tx: tx.epochs.all_open()) or (None,)
        if epoch is not None and epoch.proposal is not None:
            return stage
    raise AssertionError("no promotion was proposed")


def kills(store: SqlStore) -> Iterator[Callable[[int], None]]:
    """Let this process die of SIGKILL at its n-th call to the database from now on."""
    count = 0

    def arm(at: int) -> None:
        def counted(*_: Any) -> None:
            nonlocal count
            count += 1
            if count == at:
                os.kill(os.getpid(), signal.SIGKILL)

        connection = store.engine.raw_connection()
        connection.driver_connection.set_trace_callback(counted)
        connection.close()

    yield arm


def confirm_and_die(path: Path, at: int) -> bool:
    """Confirm in a process of its own that is killed at its n-th statement; whether it lived to the end."""
    child = os.fork()
    if child == 0:
        store = SqlStore(f"sqlite:///{path}")
        for arm in kills(store):
            arm(at)

        def step(tx: Any) -> None:
            (epoch,) = tx.epochs.all_open()
            promoted(tx, FrozenClock(), epoch, QUICK, by="lena")

        store.write_now(step)
        store.close_now()
        os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status) == 0


def test_a_process_killed_in_the_middle_of_a_promotion_leaves_the_old_rulebook_or_the_new(
    build: Build, staging: ModuleType
) -> None:
    stage = proposal_pending(build, staging)
    path = stage.plan.path
    stage.kept.close_now()
    outcomes: list[Level | None] = []
    for at in range(1, 60):
        has_lived = confirm_and_die(path, at)
        stage = type(stage)(stage.plan)
        (epoch,) = stage.read(lambda tx: tx.epochs.all_open())
        _, faults = stage.read(faults_of)
        stage.kept.close_now()
        assert faults == []
        assert (epoch.earned, epoch.proposal is None) in ((None, False), (Level.PROBATION, True))
        outcomes.append(epoch.earned)
        if epoch.earned is not None:
            break
    assert has_lived or outcomes[-1] is Level.PROBATION
    assert outcomes.count(None) >= 3, "it was killed at several statements before its commit"
