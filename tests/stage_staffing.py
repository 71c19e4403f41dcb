"""A stage (tests/stage.py) with teams: who comes, who asks, what waits and what the ledger has of it."""

from __future__ import annotations

import json
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

from understudy.records.desk import Presence
from understudy.records.evidence import Draft
from understudy.records.policy import OpeningHours, OpenPeriod
from understudy.records.rulebook import Level, SafeReply
from understudy.records.staffing import Sla, Staffing, Team
from understudy.testing.scripted import ScriptedAgent

AWAY = SafeReply(id="away", version=2, text="Nobody is here now. Somebody writes to you by {date}, {time}.")
NOTICE = SafeReply(id="handed_over", version=1, text="A colleague takes over.")
DAY = OpeningHours(periods=tuple(OpenPeriod(weekday=day, from_minute=540, to_minute=1020) for day in range(7)))
ORDERS = Team(name="orders", members=("ana", "ben"), topics=("orders",), capacity=1, overflow="all")
ALL = Team(name="all", members=("eve",), capacity=2)
STAFFING = Staffing(teams=(ORDERS, ALL), sla=Sla(targets=((0, 600.0),)))


def plan_of(rules: Any, staffing: Staffing = STAFFING, **plan: Any) -> dict[str, Any]:
    """Each draft asks for a person, so each conversation is handed off. `rules`: the maker of a stage's rules."""
    given = rules(Level.ASSIST, safe_replies=(NOTICE, AWAY), hand_off_notice="handed_over")
    agent = ScriptedAgent(Draft(text="I will get somebody.", handoff=True))
    return {"agent": agent, "rules": given, "hold_expires_after_s": None, "staffing": staffing, **plan}


def come(stage: Any, *names: str) -> None:
    """Have these people's consoles heard of now."""
    forget = stage.clock.now() - timedelta(days=1)
    for name in names:
        here = Presence(owner=f"user:{name}", name=name, hold_id=None, seen_at=stage.clock.now())
        stage.store.write_now(lambda tx, here=here: tx.desk.look_in(here, forget_before=forget))


def be_there(stage: Any, seconds: float, *names: str) -> None:
    """Let time pass while these people's consoles are open."""
    left = seconds
    while left > 0:
        come(stage, *names)
        stage.pass_time(min(left, 20.0))
        left -= 20.0


def ask(stage: Any, to: str = "e-1") -> None:
    stage.ask("I need a person.", to=to)
    stage.sweep()


def waits(stage: Any) -> list[Any]:
    return stage.run(stage.teams.waiting())


def wait_of(stage: Any, to: str = "e-1") -> Any:
    conversation = stage.conversation(to)
    (one,) = (wait for wait in waits(stage) if wait.conversation_id == conversation.id)
    return one


def told(stage: Any, what: str = "") -> list[Any]:
    """What the ledger has of this, its content read."""
    entries = [entry for entry in stage.ledger if entry.event.startswith(f"staffing.{what}")]
    return [
        SimpleNamespace(event=one.event, actor=one.actor, turn_id=one.turn_id, body=json.loads(one.body))
        for one in entries
    ]
