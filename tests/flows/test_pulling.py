"""Fetching: each thing is stored once, with how far it is, whoever dies in between; letters find their conversations."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import replace
from types import ModuleType
from typing import Any

import pytest

from stage_plan import ON_EACH_STORE
from understudy.errors import ChannelUnreachable, Overloaded, StepSuperseded
from understudy.ports.channel import Arrival, Events, Fetched
from understudy.ports.telemetry import EventIgnored, PullFailed, RequestRefused
from understudy.records.assessment import DecisionKind
from understudy.records.conversation import Inbound
from understudy.records.outbox import Report
from understudy.records.pulls import Envelope
from understudy.records.rulebook import Level
from understudy.turn.admitting import IntakeLimits
from understudy.turn.pulling import TOO_MANY, Pulling, PullLimits

pytestmark = ON_EACH_STORE
Build = Callable[..., Any]


class Box(Fetched):
    """A mailbox in memory; the cursor is how many things were taken."""

    per_sender_hour_max: int | None = None  # type: ignore[assignment]

    def __init__(self, *things: Events | Inbound) -> None:
        self.things = list(things)
        self.looks = 0
        self.fails: list[Exception] = []
        self.is_read = asyncio.Event()

    async def fetch(self, cursor: str | None, *, wait_s: float) -> tuple[Arrival, ...]:
        self.looks += 1
        if self.fails:
            raise self.fails.pop(0)
        done = int(cursor or 0)
        if done and done == len(self.things):
            self.is_read.set()
        await asyncio.sleep(0)
        return tuple(
            Arrival(
                events=one if isinstance(one, Events) else Events(messages=(one,)), cursor=str(place), id=f"n-{place}"
            )
            for place, one in enumerate(self.things[done:], start=done + 1)
        )


def letter(
    name: str,
    *,
    follows: tuple[str, ...] = (),
    subject: str = "Order",
    by: str = "ada@x",
    proven: bool = True,
    **more: Any,
) -> Inbound:
    envelope = Envelope(chain=(*follows, name), subject=subject, is_proven=proven)
    fields = {"text": f"About {name}", "topic": "orders", **more}
    return Inbound(provider_id=name, external_id=name, address=by, envelope=envelope, **fields)


def pulling(stage: Any, box: Box, *, intake: Any = None) -> Pulling:
    limits = PullLimits(lapse_s=6, wait_s=0.01)
    return Pulling(
        stage.store,
        stage.clock,
        stage,
        {"recording": box},
        intake=intake or stage.intake,
        report=stage.reports.take,
        limits=limits,
    )


def cursor(stage: Any) -> str | None:
    state = stage.kept.read_now(lambda tx: tx.pulls.state("recording", now=stage.clock.now()))
    return None if state is None else state.cursor


def texts(stage: Any) -> list[str]:
    with stage.kept.engine.connect() as connection:
        rows = connection.exec_driver_sql("SELECT text FROM messages WHERE author = 'customer' ORDER BY seq").all()
    return [text for (text,) in rows]


def conversations(stage: Any) -> int:
    with stage.kept.engine.connect() as connection:
        return int(connection.exec_driver_sql("SELECT count(*) FROM conversations").scalar_one())


def test_what_a_channel_holds_is_stored_in_order_and_once(build: Build) -> None:
    stage, box = build(), Box(letter("a"), letter("b"))
    one = pulling(stage, box)
    for _ in range(3):
        assert stage.run(one.once("recording"))
    assert (texts(stage), cursor(stage)) == (["About a", "About b"], "2")
    box.things.append(letter("c"))
    stage.run(one.once("recording"))
    assert texts(stage) == ["About a", "About b", "About c"]


def test_another_process_waits_until_the_lease_has_lapsed_and_goes_on_there(build: Build) -> None:
    stage, box = build(), Box(letter("a"))
    first, second = pulling(stage, box), pulling(stage, box)
    assert stage.run(first.once("recording"))
    assert not stage.run(second.once("recording"))
    stage.clock.advance(5)
    assert stage.run(first.renew()) == 1
    stage.clock.advance(5)
    assert not stage.run(second.once("recording"))
    stage.clock.advance(2)
    box.things.append(letter("b"))
    assert stage.run(second.once("recording"))
    assert texts(stage) == ["About a", "About b"]


def test_whoever_lost_the_lease_stores_neither_message_nor_cursor(build: Build) -> None:
    stage, box = build(), Box(letter("a"))
    first, second = pulling(stage, box), pulling(stage, box)
    stage.run(first.once("recording"))
    stage.clock.advance(7)
    stage.run(second.once("recording"))
    box.things.append(letter("b"))
    with pytest.raises(StepSuperseded):
        stage.run(first.once("recording"))
    assert (texts(stage), cursor(stage)) == (["About a"], "1")
    stage.run(second.once("recording"))
    assert texts(stage) == ["About a", "About b"]


def test_a_process_that_dies_between_two_messages_loses_none_and_takes_none_twice(build: Build) -> None:
    both = Events(messages=(letter("a"), letter("b")))
    for dies_at in range(4):
        stage, box = build(), Box(both, letter("c"))

        class Dying:
            def __init__(self, stage: Any, left: int) -> None:
                self.stage, self.left = stage, left

            async def receive(self, channel: str, inbound: Inbound, *, along: Any = None) -> Any:
                if self.left == 0:
                    raise KeyboardInterrupt
                self.left -= 1
                return await self.stage.intake.receive(channel, inbound, along=along)

        with pytest.raises(KeyboardInterrupt) if dies_at < 3 else _nothing():
            stage.run(pulling(stage, box, intake=Dying(stage, dies_at)).once("recording"))
        assert (cursor(stage) is None) is (dies_at < 2)
        stage.clock.advance(7)
        again = pulling(stage, box)
        stage.run(again.once("recording"))
        assert sorted(texts(stage)) == ["About a", "About b", "About c"]
        assert cursor(stage) == "2"


def _nothing() -> Any:
    import contextlib

    return contextlib.nullcontext()


def test_what_cannot_be_taken_in_now_stays_where_it_is(build: Build) -> None:
    stage, box = build(intake=IntakeLimits(backlog_max=1)), Box(letter("a"), letter("b"))
    one = pulling(stage, box)
    with pytest.raises(Overloaded):
        stage.run(one.once("recording"))
    assert (texts(stage), cursor(stage)) == (["About a"], "1")
    stage.settle()
    stage.run(one.once("recording"))
    assert texts(stage) == ["About a", "About b"]


def test_what_can_never_be_taken_keeps_no_other_waiting(build: Build) -> None:
    stage, box = build(intake=IntakeLimits(message_chars_max=10)), Box(letter("a", text="x" * 11), letter("b"))
    stage.run(pulling(stage, box).once("recording"))
    assert (texts(stage), cursor(stage)) == (["About b"], "2")
    assert [event.face for event in stage.emitted(RequestRefused)] == ["pull/recording"]


def test_what_is_no_message_is_noted_in_the_ledger(build: Build) -> None:
    stage, box = build(), Box(Events(ignored=("bulk mail (Precedence)",)), Events())
    stage.run(pulling(stage, box).once("recording"))
    assert cursor(stage) == "2"
    (entry,) = [entry for entry in stage.ledger if entry.event == "channel.passed_over"]
    body = json.loads(entry.body)
    assert (body["why"], body["id"], body["channel"]) == ("bulk mail (Precedence)", "n-1", "recording")
    assert [event.why for event in stage.emitted(EventIgnored)] == ["bulk mail (Precedence)"]


def test_what_is_passed_over_is_noted_beside_messages_and_where_one_can_never_be_taken(build: Build) -> None:
    stage = build(intake=IntakeLimits(message_chars_max=10))
    long, short = letter("long", text="x" * 11), letter("short", text="Hello")
    box = Box(Events(messages=(long, short), ignored=("a notice",)), Events(messages=(replace(long, provider_id="x"),)))
    stage.run(pulling(stage, box).once("recording"))
    assert (texts(stage), cursor(stage)) == (["Hello"], "2")
    noted = [json.loads(entry.body) for entry in stage.ledger if entry.event == "channel.passed_over"]
    assert [(body["id"], body["why"]) for body in noted] == [
        ("n-1", "a notice"),
        ("n-1", "a message that cannot be taken (too-large)"),
        ("n-2", "a message that cannot be taken (too-large)"),
    ]


def test_a_report_is_taken_before_the_cursor_moves(build: Build) -> None:
    stage = build()
    seen: list[Any] = []

    async def take(channel: str, report: Report) -> None:
        seen.append((channel, report.key, cursor(stage)))

    box = Box(Events(reports=(Report(key="out-1", provider_id=None, has_arrived=False),)))
    one = pulling(stage, box)
    one._report = take
    stage.run(one.once("recording"))
    assert seen == [("recording", "out-1", None)]
    assert cursor(stage) == "1"


def test_a_channel_that_cannot_be_reached_is_tried_again_later_each_time(build: Build) -> None:
    stage, box = build(), Box(letter("a"))
    box.fails = [ChannelUnreachable("no route"), RuntimeError("odd"), ChannelUnreachable("no route")]
    one = pulling(stage, box)

    async def scene() -> None:
        one.start()
        await box.is_read.wait()
        await one.stop()

    stage.run(asyncio.wait_for(scene(), 60))
    failed = stage.emitted(PullFailed)
    assert [(event.error, event.failures) for event in failed] == [
        ("no route", 1),
        ("RuntimeError: odd", 2),
        ("no route", 3),
    ]
    assert all(1 <= event.again_s <= 60 for event in failed)
    assert texts(stage) == ["About a"]


def test_a_channel_that_does_not_wait_for_news_itself_is_not_asked_without_a_pause(build: Build) -> None:
    stage, box = build(), Box()
    slept: list[float] = []
    paused = asyncio.Event()

    async def sleep(seconds: float) -> None:
        slept.append(seconds)
        paused.set()
        await asyncio.Event().wait()

    one = pulling(stage, box)

    class Clock:
        now, random, new_id = stage.clock.now, stage.clock.random, stage.clock.new_id

    one._clock = Clock()  # type: ignore[assignment]
    one._clock.sleep = sleep  # type: ignore[attr-defined,method-assign]

    async def scene() -> None:
        one.start()
        await paused.wait()
        await one.stop()

    stage.run(asyncio.wait_for(scene(), 60))
    assert (box.looks, slept) == (1, [2.0])


def test_a_stop_gives_the_channel_to_others_at_once(build: Build) -> None:
    stage, box = build(), Box(letter("a"))
    one = pulling(stage, box)
    stage.run(one.once("recording"))
    stage.run(one.stop())
    assert stage.run(pulling(stage, box).once("recording"))


def test_a_sender_who_writes_more_often_than_people_do_gets_a_person(build: Build) -> None:
    stage, box = build(), Box(*(letter(f"m-{n}") for n in range(5)), letter("other", by="bob@x"))
    box.per_sender_hour_max = 3
    stage.run(pulling(stage, box).once("recording"))
    stage.settle()
    held = [hold for hold in stage.open_holds if TOO_MANY in hold.reasons]
    assert len(held) == 2
    assert len(texts(stage)) == 6
    assert len(stage.channel.texts) == 4


# --- threads


def take(stage: Any, *letters: Inbound) -> None:
    for one in letters:
        stage.run(stage.intake.receive("recording", one))
        stage.settle()


def test_an_answer_goes_on_in_the_conversation_it_follows(build: Build) -> None:
    stage = build()
    take(
        stage,
        letter("a"),
        letter("b", follows=("a",), subject="Re: Order"),
        letter("c", follows=("lost", "b"), subject="AW: order"),
    )
    assert conversations(stage) == 1


def test_an_answer_to_our_reply_alone_goes_on_there_too(build: Build) -> None:
    from understudy.records.outbox import Accepted
    from understudy.testing.scripted import DeliversThen, RecordingChannel

    channel = RecordingChannel(answers=[DeliversThen(answer=Accepted(provider_id="understudy.out-1@shop"))])
    stage = build(channel=channel)
    take(stage, letter("a"))
    take(stage, letter("b", follows=("understudy.out-1@shop",), subject="Re: Order"))
    assert conversations(stage) == 1


@pytest.mark.parametrize(
    "other",
    [
        letter("b"),
        letter("b", follows=("a",), subject="Another thing"),
        letter("b", follows=("a",), subject="Re: Order", by="eve@x"),
        letter("b", follows=("a",), subject="Re: Order", by="ada@x (unproven)", proven=False),
        letter("b", follows=("unknown",), subject="Re: Order"),
    ],
    ids=["no reference", "another subject", "another sender", "nobody vouches", "unknown"],
)
def test_a_letter_begins_a_conversation_of_its_own(build: Build, other: Inbound) -> None:
    stage = build()
    take(stage, letter("a"), other)
    assert conversations(stage) == 2


def test_a_sender_nobody_vouches_for_gets_nothing_unseen(build: Build, staging: ModuleType) -> None:
    stage = build(rules=staging.rules(Level.AUTO))
    take(stage, letter("a"))
    assert stage.channel.texts == ["About: About a"]
    take(stage, letter("b", by="ada@x (unproven)", proven=False))
    turn = stage.turns[-1]
    assert (turn.decision, "trust_unproven" in turn.reasons) == (DecisionKind.HOLD, True)
    assert stage.channel.texts == ["About: About a"]
    for _ in range(4):  # nor after years of good replies
        take(stage, letter(f"c{_}", by="ada@x (unproven)", proven=False))
        stage.clock.advance(400 * 86_400)
    assert stage.turns[-1].decision is DecisionKind.HOLD


def test_card_numbers_are_masked_in_all_of_a_letter(build: Build) -> None:
    stage = build()
    number = "4111 1111 1111 1111"
    one = letter("a", text=f"My card {number}")
    take(
        stage,
        replace(one, envelope=Envelope(chain=("a",), subject=f"Card {number}", whole=f"> {number}\nMy card {number}")),
    )
    with stage.kept.engine.connect() as connection:
        (body,) = connection.exec_driver_sql("SELECT body FROM envelopes").one()
    assert "1111 1111" not in body
    assert "card ending 1111" in body
