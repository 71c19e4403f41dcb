"""Messages that did not reach the customer: listed, put back in their old place, dropped, always in a person's name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from understudy.delivery.dead_letters import BATCH, DeadLetters
from understudy.delivery.outbox import OutboxLimits
from understudy.errors import ClaimedByOther, Conflict, InputError, NotFound
from understudy.ports.telemetry import HoldClosed, HoldOpened
from understudy.records.conversation import Mode
from understudy.records.outbox import Accepted, OutboxState, Rejected, Retry, Unknown
from understudy.records.review import HoldKind, HoldState, VerdictKind
from understudy.records.turn import TurnState
from understudy.testing.scripted import DeliversThen, RecordingChannel

Build = Callable[..., Any]

REFUSED = Rejected(reason="closed for the day")
LOST = DeliversThen(answer=Unknown(reason="connection reset"))
NEVER_CAME = Unknown(reason="connection reset")


def letters(stage: Any) -> DeadLetters:
    return DeadLetters(stage.store, stage.clock, stage)


def entry(stage: Any, turn: Any) -> Any:
    return stage.entries_of(turn)[0]


def refused(build: Build, *answers: Any, **more: Any) -> Any:
    """A stage whose first message the channel refused for good."""
    stage = build(channel=RecordingChannel(answers=[REFUSED, *answers], **more))
    stage.ask("When?")
    return stage


def retry(stage: Any, turn: Any, **more: Any) -> Any:
    again = stage.run(letters(stage).retry([entry(stage, turn).id], actor="Ops", **more))
    stage.settle()
    return again


def begin_to_send(stage: Any) -> None:
    """Lease the next entry as a worker does before the first byte leaves."""
    conversation = stage.conversation().id
    leased = stage.store.write_now(lambda tx: stage.outbox._lease_next(tx, conversation))
    assert leased is not None


def say(stage: Any, text: str) -> Any:
    conversation = stage.conversation().id
    return stage.run(stage.conversations.say(conversation, text, reviewer="rosa"))


# --- put back ---


def test_a_dead_message_is_sent_again_under_its_key(build: Build) -> None:
    stage = refused(build)
    retry(stage, stage.turns[0])
    assert stage.channel.texts == ["About: When?"]
    assert {attempt.id for attempt in stage.channel.attempts} == {entry(stage, stage.turns[0]).id}
    assert entry(stage, stage.turns[0]).state is OutboxState.SENT


def test_what_is_put_back_leaves_by_the_sweep_where_no_hint_arrives(build: Build) -> None:
    stage = refused(build)
    stage.run(letters(stage).retry([entry(stage, stage.turns[0]).id], actor="Ops"))
    stage.hints.clear()
    stage.sweep()
    assert stage.channel.texts == ["About: When?"]


def test_the_hold_that_was_opened_when_it_died_stays(build: Build) -> None:
    stage = refused(build)
    (before,) = stage.open_holds
    retry(stage, stage.turns[0])
    assert stage.open_holds == [before]
    assert stage.turns[0].state is TurnState.HANDED_OFF
    assert stage.conversation().mode is Mode.PERSON


def test_who_put_it_back_is_in_the_ledger(build: Build) -> None:
    stage = refused(build)
    retry(stage, stage.turns[0])
    (told,) = (one for one in stage.ledger if one.event == "outbox.retried")
    assert (told.actor, told.turn_id) == ("Ops", stage.turns[0].id)


def test_it_is_tried_as_often_as_a_new_one(build: Build) -> None:
    busy = [Retry(reason="busy")] * 5
    stage = build(channel=RecordingChannel(answers=busy), outbox=OutboxLimits(attempts_max=3))
    turn = stage.ask("When?")
    for _ in range(3):
        stage.pass_time(600)
    assert entry(stage, turn).state is OutboxState.DEAD
    retry(stage, turn)
    for _ in range(3):
        stage.pass_time(600)
    assert [attempt.attempts for attempt in stage.channel.attempts] == [1, 2, 3, 4, 5, 6]
    assert stage.channel.texts == ["About: When?"]


def test_one_that_dies_again_is_with_people_once(build: Build) -> None:
    stage = refused(build, REFUSED)
    retry(stage, stage.turns[0])
    assert entry(stage, stage.turns[0]).state is OutboxState.DEAD
    assert [hold.kind for hold in stage.open_holds] == [HoldKind.HAND_OFF]


def test_one_that_dies_again_after_its_hold_was_answered_opens_another(build: Build) -> None:
    stage = refused(build, Accepted(), REFUSED)
    stage.give(stage.open_holds[0], VerdictKind.RESPOND)
    stage.settle()
    retry(stage, stage.turns[0])
    assert [hold.reasons for hold in stage.open_holds] == [("delivery_failed",)]


def test_it_goes_before_what_waits_behind_it(build: Build) -> None:
    stage = refused(build, Retry(reason="busy", after_s=60))
    say(stage, "Rosa here.")
    stage.settle()
    retry(stage, stage.turns[0])
    stage.pass_time(61)
    assert stage.channel.texts == ["About: When?", "Rosa here."]


def test_a_pause_is_ended(build: Build) -> None:
    stage = build(channel=RecordingChannel(answers=[Retry(reason="busy", after_s=3_600)]))
    turn = stage.ask("When?")
    retry(stage, turn)
    assert stage.channel.texts == ["About: When?"]
    assert stage.turn(turn.id).state is TurnState.ANSWERED


def test_it_does_not_overtake_one_whose_outcome_is_unknown(build: Build) -> None:
    stage = refused(build, NEVER_CAME, honours_keys=False)
    behind = say(stage, "Rosa here.")
    stage.settle()
    with pytest.raises(Conflict, match=f"would overtake {behind.id}"):
        retry(stage, stage.turns[0])
    assert entry(stage, stage.turns[0]).state is OutboxState.DEAD


def test_it_does_not_overtake_one_that_is_being_sent(build: Build) -> None:
    stage = refused(build)
    behind = say(stage, "Rosa here.")
    begin_to_send(stage)
    with pytest.raises(Conflict, match=f"would overtake {behind.id}"):
        retry(stage, stage.turns[0])


@pytest.mark.parametrize("state", [OutboxState.SENT, OutboxState.SENDING])
def test_what_was_sent_or_is_under_way_is_not_sent_again(build: Build, state: OutboxState) -> None:
    stage = build(channel=RecordingChannel(answers=[Retry(reason="busy", after_s=60)]))
    turn = stage.ask("When?")
    if state is OutboxState.SENT:
        stage.pass_time(61)
    else:
        stage.clock.advance(61)
        begin_to_send(stage)
    before = entry(stage, turn)
    assert before.state is state
    with pytest.raises(Conflict, match=before.id):
        retry(stage, turn)
    assert entry(stage, turn) == before


def test_of_several_all_or_none_are_put_back(build: Build) -> None:
    stage = refused(build)
    dead = entry(stage, stage.turns[0])
    with pytest.raises(NotFound, match="'nowhere'"):
        stage.run(letters(stage).retry([dead.id, "nowhere"], actor="Ops"))
    assert entry(stage, stage.turns[0]) == dead


# --- unknown ---


def unsure(build: Build, answer: Any) -> Any:
    stage = build(channel=RecordingChannel(answers=[answer], honours_keys=False))
    stage.ask("When?")
    return stage


def test_an_unknown_one_is_refused_and_the_hold_is_named(build: Build) -> None:
    stage = unsure(build, LOST)
    (hold,) = stage.open_holds
    with pytest.raises(Conflict, match=hold.id):
        retry(stage, stage.turns[0])
    assert stage.channel.texts == ["About: When?"]
    assert stage.open_holds == [hold]


def test_an_unknown_one_is_sent_where_a_person_says_that_it_did_not_arrive(build: Build) -> None:
    stage = unsure(build, NEVER_CAME)
    (hold,) = stage.open_holds
    retry(stage, stage.turns[0], did_not_arrive=True)
    assert stage.channel.texts == ["About: When?"]
    assert stage.turns[0].state is TurnState.ANSWERED
    closed = stage.read(lambda tx: tx.holds.get(hold.id))
    assert closed.state is HoldState.DECIDED
    assert [(one.how, one.reviewer) for one in stage.emitted(HoldClosed)] == [("did_not_arrive", "Ops")]
    assert [one.actor for one in stage.ledger if one.event in ("hold.decided", "outbox.retried")] == ["Ops", "Ops"]


def test_the_word_of_a_reviewer_at_work_counts_more(build: Build) -> None:
    stage = unsure(build, LOST)
    (hold,) = stage.open_holds
    stage.run(stage.holds.claim(hold.id, reviewer="rosa"))
    with pytest.raises(ClaimedByOther, match="rosa"):
        retry(stage, stage.turns[0], did_not_arrive=True)
    assert entry(stage, stage.turns[0]).state is OutboxState.UNKNOWN


# --- all that are dead ---


def test_all_dead_ones_are_put_back_in_their_order(build: Build) -> None:
    stage = build(channel=RecordingChannel(answers=[REFUSED] * 3))
    stage.ask("When?")
    say(stage, "Rosa here.")
    stage.settle()
    stage.ask("Where?", to="e-2")
    retried = stage.run(letters(stage).retry_dead(actor="Ops"))
    stage.settle()
    assert (len(retried.again), retried.skipped) == (3, [])
    assert [text for text in stage.channel.texts if text != "About: Where?"] == ["About: When?", "Rosa here."]
    assert "About: Where?" in stage.channel.texts


def test_one_that_was_answered_since_is_put_back_only_by_name(build: Build) -> None:
    stage = refused(build)
    stage.clock.advance(1)
    say(stage, "Rosa here, tomorrow.")
    stage.settle()
    dead = entry(stage, stage.turns[0])
    retried = stage.run(letters(stage).retry_dead(actor="Ops"))
    assert retried.again == []
    assert [one.entry for one in retried.skipped] == [dead]
    retry(stage, stage.turns[0])
    assert stage.channel.texts == ["Rosa here, tomorrow.", "About: When?"]


def test_all_dead_ones_means_those_of_the_named_channel(build: Build) -> None:
    stage = refused(build)
    assert stage.run(letters(stage).retry_dead(actor="Ops", channel="another")).again == []
    assert len(stage.run(letters(stage).retry_dead(actor="Ops", channel="recording")).again) == 1


def test_more_dead_ones_than_one_transaction_takes_are_all_put_back(build: Build) -> None:
    number = BATCH + 5
    stage = refused(build, *[REFUSED] * number)
    for place in range(number):
        say(stage, f"{place}")
    stage.settle()
    stage.settle()
    retried = stage.run(letters(stage).retry_dead(actor="Ops"))
    assert len(retried.again) == number + 1
    assert stage.run(letters(stage).listed([OutboxState.DEAD], limit=1)).counts == {OutboxState.DEAD: 0}


# --- drop ---


def drop(stage: Any, turn: Any, reason: str = "answered by telephone") -> Any:
    dropped = stage.run(letters(stage).drop(entry(stage, turn).id, reason=reason, actor="Ops"))
    stage.settle()
    return dropped


def test_a_dropped_message_is_never_sent(build: Build) -> None:
    stage = build(channel=RecordingChannel(answers=[Retry(reason="busy", after_s=60)]))
    turn = stage.ask("When?")
    drop(stage, turn)
    stage.pass_time(3_600)
    assert stage.channel.texts == []
    assert entry(stage, turn).last_error == "dropped by Ops: answered by telephone"


def test_a_person_answers_instead_of_what_was_dropped_before_it_was_sent(build: Build) -> None:
    stage = build(channel=RecordingChannel(answers=[Retry(reason="busy", after_s=60)]))
    turn = stage.ask("When?")
    drop(stage, turn)
    assert stage.turn(turn.id).state is TurnState.HANDED_OFF
    assert [hold.reasons for hold in stage.open_holds] == [("message_dropped",)]
    assert [one.kind for one in stage.emitted(HoldOpened)] == ["hand_off"]
    assert stage.conversation().mode is Mode.PERSON


def test_dropping_a_dead_one_leaves_its_hold(build: Build) -> None:
    stage = refused(build)
    before = stage.open_holds
    drop(stage, stage.turns[0])
    assert entry(stage, stage.turns[0]).state is OutboxState.DROPPED
    assert stage.open_holds == before


def test_what_waits_behind_a_dropped_one_is_sent(build: Build) -> None:
    stage = build(channel=RecordingChannel(answers=[Accepted(), Retry(reason="busy", after_s=60)]))
    turn = stage.ask("When?")
    stage.run(stage.conversations.take_over(turn.conversation_id, reviewer="rosa"))
    first = say(stage, "One moment.")
    say(stage, "Rosa here.")
    stage.settle()
    stage.run(letters(stage).drop(first.id, reason="no longer true", actor="Ops"))
    stage.settle()
    assert stage.channel.texts == ["About: When?", "Rosa here."]


def test_the_reason_is_in_the_ledger_as_a_digest_only(build: Build) -> None:
    stage = refused(build)
    drop(stage, stage.turns[0], reason="Mr Miller was phoned")
    (told,) = (one for one in stage.ledger if one.event == "outbox.dropped")
    assert told.actor == "Ops"
    assert "Miller" not in told.body


def test_a_dropped_one_can_be_put_back_by_name(build: Build) -> None:
    stage = refused(build)
    drop(stage, stage.turns[0])
    assert stage.run(letters(stage).retry_dead(actor="Ops")).again == []
    retry(stage, stage.turns[0])
    assert stage.channel.texts == ["About: When?"]


def test_an_unknown_one_is_not_dropped(build: Build) -> None:
    stage = unsure(build, LOST)
    with pytest.raises(Conflict, match=stage.open_holds[0].id):
        drop(stage, stage.turns[0])


@pytest.mark.parametrize("reason", ["", "  ", "x" * 501])
def test_a_drop_needs_a_reason(build: Build, reason: str) -> None:
    stage = refused(build)
    with pytest.raises(InputError, match="reason"):
        drop(stage, stage.turns[0], reason=reason)


# --- list ---


def test_everything_that_may_still_be_sent_is_listed_oldest_first(build: Build) -> None:
    stage = refused(build, NEVER_CAME, honours_keys=False)
    say(stage, "Rosa here.")
    stage.settle()
    waiting = say(stage, "Still here.")
    listed = stage.run(letters(stage).listed(limit=10))
    assert [letter.entry.state for letter in listed.letters] == [
        OutboxState.DEAD,
        OutboxState.UNKNOWN,
        OutboxState.PENDING,
    ]
    assert listed.letters[-1].entry.id == waiting.id
    assert {state.value: number for state, number in listed.counts.items()} == {
        "pending": 1,
        "sending": 0,
        "unknown": 1,
        "dead": 1,
    }


def test_a_letter_names_the_hold_where_a_person_decides(build: Build) -> None:
    stage = unsure(build, LOST)
    (letter,) = stage.run(letters(stage).listed(limit=10)).letters
    assert letter.hold_id == stage.open_holds[0].id


def test_a_page_says_how_many_there_are_in_all(build: Build) -> None:
    stage = refused(build, REFUSED)
    say(stage, "Rosa here.")
    stage.settle()
    listed = stage.run(letters(stage).listed([OutboxState.DEAD], limit=1))
    assert (len(listed.letters), listed.counts[OutboxState.DEAD]) == (1, 2)
