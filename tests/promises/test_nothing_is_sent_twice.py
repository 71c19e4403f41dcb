"""For one decision the customer reads one message, however the channel answers and whoever dies while sending.

Exactly once needs a channel that honours keys or can look a message up; elsewhere a person says what became of an
unknown send, and this suite's person tells the truth. Not promised: what happens where that person is wrong.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from understudy.delivery.outbox import OutboxLimits
from understudy.records.outbox import Accepted, OutboxState, Rejected, Retry, Unknown
from understudy.records.turn import OUTBOX_JOB, Job
from understudy.testing.scripted import DeliversThen, RecordingChannel

Build = Callable[..., Any]

ANSWERS = st.sampled_from(
    [
        Accepted(),
        Retry(reason="busy"),
        Retry(reason="busy", after_s=30),
        Rejected(reason="blocked"),
        Unknown(reason="reset"),
        DeliversThen(answer=Unknown(reason="reset")),
        OSError("broken pipe"),
        DeliversThen(answer=OSError("broken pipe")),
    ]
)
CHANNELS = st.sampled_from(["keys", "look up", "neither"])


class Died(BaseException):
    """The sending process is gone; nobody catches this."""


def channel(kind: str, answers: list[Any]) -> RecordingChannel:
    return RecordingChannel(answers=answers, honours_keys=kind == "keys", can_look_up=kind == "look up")


def assert_once(stage: Any) -> None:
    counts = Counter(entry.id for entry in stage.channel.delivered)
    assert all(count == 1 for count in counts.values()), counts


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(kind=CHANNELS, answers=st.lists(ANSWERS, max_size=8), messages=st.integers(1, 3))
def test_however_a_channel_answers_a_message_arrives_at_most_once(
    build: Build, kind: str, answers: list[Any], messages: int
) -> None:
    stage = build(channel=channel(kind, answers))
    for number in range(messages):
        stage.ask(f"Message {number}")
    stage.let_people_finish()
    assert_once(stage)
    stage.close()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(kind=CHANNELS, answers=st.lists(ANSWERS, max_size=6))
def test_what_was_recorded_as_sent_did_arrive(build: Build, kind: str, answers: list[Any]) -> None:
    stage = build(channel=channel(kind, answers))
    stage.ask("Hello")
    stage.let_people_finish()
    entries = [entry for turn in stage.turns for entry in stage.entries_of(turn)]
    sent = {entry.id for entry in entries if entry.state is OutboxState.SENT}
    assert sent == {entry.id for entry in stage.channel.delivered} - _given_up(entries)
    stage.close()


def _given_up(entries: list[Any]) -> set[str]:
    """A send that was given up may have arrived all the same: at the last try its answer was lost."""
    return {entry.id for entry in entries if entry.state is OutboxState.DEAD}


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(
    kind=CHANNELS,
    reached=st.lists(st.booleans(), min_size=1, max_size=3),
    answers=st.lists(ANSWERS.filter(lambda answer: not isinstance(answer, Rejected)), max_size=3),
)
def test_a_process_that_dies_while_sending_does_not_make_a_message_arrive_twice(
    build: Build, kind: str, reached: list[bool], answers: list[Any]
) -> None:
    deaths = [DeliversThen(answer=Died()) if one else Died() for one in reached]
    stage = build(channel=channel(kind, [*deaths, *answers]), outbox=OutboxLimits(attempts_max=50))
    stage.receive("Hello")
    for _ in range(len(deaths) + 1):
        try:
            stage.let_people_finish()
        except Died:
            stage = stage.restarted()
    assert_once(stage)
    assert len(stage.channel.delivered) == 1
    stage.close()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
@given(kind=CHANNELS, answers=st.lists(ANSWERS, max_size=8), messages=st.integers(2, 4))
def test_replies_of_a_conversation_stay_in_order(build: Build, kind: str, answers: list[Any], messages: int) -> None:
    stage = build(channel=channel(kind, answers))
    for number in range(messages):
        stage.receive(f"Message {number}")
        stage.settle()
    stage.let_people_finish()
    seqs = [entry.seq for entry in stage.channel.delivered]
    assert seqs == sorted(seqs)
    stage.close()


def test_looking_at_a_sent_message_again_sends_nothing(build: Build) -> None:
    stage = build(channel=RecordingChannel(honours_keys=False))
    turn = stage.ask("Hello")
    for _ in range(5):
        stage.look(Job(kind=OUTBOX_JOB, key=turn.conversation_id))
        stage.pass_time(100)
    assert len(stage.channel.attempts) == 1
