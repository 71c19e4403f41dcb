"""Every acknowledged message ends with an answer or a person, whatever fails, repeats or goes missing on the way.

Not promised: that a message which was refused or never acknowledged is answered; its sender must send it again.
"""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from understudy.errors import AgentAnsweredNonsense, AgentTimedOut, AgentUnavailable, StoreError
from understudy.ports.store import Store
from understudy.records.conversation import Author, Mode
from understudy.records.evidence import Draft
from understudy.records.outbox import Rejected, Retry, Unknown
from understudy.records.rulebook import Level
from understudy.records.turn import TurnState
from understudy.testing.scripted import DeliversThen, RecordingChannel, ScriptedAgent

Build = Callable[..., Any]

ANSWERS = [
    "Tomorrow.",
    Draft(text="A colleague will help.", handoff=True),
    Draft(text="Hard to say.", does_not_know=True),
    AgentUnavailable("down"),
    AgentTimedOut("slow"),
    AgentAnsweredNonsense("odd"),
    RuntimeError("bug"),
]
SENDS = [
    None,
    Retry(reason="busy"),
    Rejected(reason="blocked"),
    Unknown(reason="reset"),
    DeliversThen(answer=Unknown(reason="reset")),
    OSError("broken pipe"),
]
WRITE = st.tuples(st.just("write"), st.sampled_from(["a", "a", "b", "c"]))
STEPS = st.one_of(
    WRITE,
    WRITE,
    st.tuples(st.just("repeat"), st.integers(0, 20)),
    st.tuples(st.just("work"), st.integers(0, 5)),
    st.tuples(st.just("forget hints"), st.none()),
    st.tuples(st.just("wait"), st.sampled_from([1, 70, 1000])),
    st.tuples(st.just("restart"), st.none()),
)


def act(stage: Any, sent: list[tuple[str, str]], step: tuple[str, Any]) -> Any:
    """Do one step of the story; returns the stage that plays on."""
    match step:
        case ("write", to):
            sent.append((to, f"p-{len(sent)}"))
            stage.receive(f"Message {len(sent)}", to=to, provider_id=sent[-1][1])
        case ("repeat", number) if sent:
            to, provider_id = sent[number % len(sent)]
            assert stage.receive("again", to=to, provider_id=provider_id).is_duplicate
        case ("work", count):
            for _ in range(count):
                if (job := stage._next_due()) is not None:
                    stage.look(job)
        case ("forget hints", _):
            stage.hints.clear()
        case ("wait", seconds):
            stage.pass_time(seconds)
        case ("restart", _):
            return stage.restarted()
    return stage


def everybody_is_served(stage: Any) -> None:
    turns = {turn.id: turn for turn in stage.turns}
    for turn in turns.values():
        if turn.state is TurnState.SUPERSEDED:
            continue
        assert turn.state in (TurnState.ANSWERED, TurnState.HANDED_OFF), turn
        if turn.state is TurnState.HANDED_OFF:
            conversation = stage.read(lambda tx, turn=turn: tx.conversations.get(turn.conversation_id))
            assert conversation.mode is Mode.PERSON, f"{turn.id} is handed off to nobody"
    for message in (m for to in ("a", "b", "c") for m in messages_to(stage, to)):
        assert turns[message.turn_id].state is not TurnState.SUPERSEDED, f"{message.text!r} hangs on a void turn"


def messages_to(stage: Any, to: str) -> list[Any]:
    if stage.read(lambda tx: tx.conversations.find(stage.channel.name, to)) is None:
        return []
    return [message for message in stage.messages(to) if message.author is Author.CUSTOMER]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150)
@given(
    steps=st.lists(STEPS, min_size=3, max_size=20),
    answers=st.lists(st.sampled_from(ANSWERS), max_size=8),
    sends=st.lists(st.sampled_from(SENDS), max_size=8),
    level=st.sampled_from([Level.AUTO, Level.ASSIST]),
    channel=st.sampled_from(["keys", "look up", "neither"]),
)
def test_every_acknowledged_message_is_answered_or_with_a_person(
    build: Build,
    staging: ModuleType,
    steps: list[Any],
    answers: list[Any],
    sends: list[Any],
    level: Level,
    channel: str,
) -> None:
    script = iter(answers)
    stage = build(
        agent=ScriptedAgent(lambda _request: next(script, "Gladly.")),
        channel=RecordingChannel(
            answers=[send for send in sends if send is not None],
            honours_keys=channel == "keys",
            can_look_up=channel == "look up",
        ),
        rules=staging.rules(level, degrade_on=(("agent_failed", "sorry"), ("quality.does_not_know", "follow_up"))),
    )
    sent: list[tuple[str, str]] = []
    for step in steps:
        stage = act(stage, sent, step)
    stage.let_people_finish()
    event(f"{len(sent)} messages")
    assert sum(len(messages_to(stage, to)) for to in ("a", "b", "c")) == len(sent)
    everybody_is_served(stage)
    assert staging.is_chained(stage.ledger)
    stage.close()


class BrokenDisk:
    """A store that cannot write while `is_broken`."""

    def __init__(self, store: Store) -> None:
        self._store, self.is_broken = store, False
        self.read, self.subscribe, self.close = store.read, store.subscribe, store.close

    def write(self, step: Any) -> Any:
        def refuse(_tx: Any) -> None:
            raise StoreError("disk full")

        return self._store.write(refuse if self.is_broken else step)


def test_what_could_not_be_stored_is_not_acknowledged(build: Build) -> None:
    stage = build(wrap=BrokenDisk)
    stage.store.is_broken = True
    with pytest.raises(StoreError):
        stage.receive("Hello", provider_id="p-1")
    assert stage.turns == []


def test_what_was_not_acknowledged_can_be_sent_again(build: Build) -> None:
    stage = build(wrap=BrokenDisk)
    stage.store.is_broken = True
    with pytest.raises(StoreError):
        stage.receive("Hello", provider_id="p-1")
    stage.store.is_broken = False
    assert stage.receive("Hello", provider_id="p-1").is_duplicate is False
    stage.settle()
    assert stage.channel.texts == ["About: Hello"]


def test_a_turn_whose_step_broke_goes_on_where_it_stopped(build: Build) -> None:
    stage = build(wrap=BrokenDisk)
    stage.receive("Hello")
    stage.store.is_broken = True
    with pytest.raises(StoreError):
        stage.settle()
    stage.store.is_broken = False
    stage.pass_time(100)
    assert stage.channel.texts == ["About: Hello"]


def test_a_hand_off_is_neither_lost_nor_repeated_nor_muted(build: Build) -> None:
    stage = build(agent=ScriptedAgent(Draft(text="A colleague will help.", handoff=True)))
    for number in range(4):
        stage.ask(f"Help {number}")
        stage.pass_time(1000)
    assert len(stage.open_holds) == 1
    assert stage.open_holds[0].raised_at is not None
    stage.let_people_finish()
    assert len(stage.channel.texts) == 1
