"""Who answers is changed by nobody in silence: a second person takes by name, the customer is told once, and what a person did is known."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from types import ModuleType
from typing import Any

import pytest

from stage_plan import ON_EACH_STORE
from understudy.delivery.dead_letters import DeadLetters
from understudy.effects.absence import NobodyHome
from understudy.errors import Conflict, InputError, TakenByOther
from understudy.records.conversation import Mode
from understudy.records.evidence import Draft
from understudy.records.outbox import Accepted, Rejected, Report, Retry
from understudy.records.pledges import USUAL_PLEDGES, PledgeState
from understudy.records.policy import OpeningHours, OpenPeriod
from understudy.records.review import HoldKind, HoldState, VerdictKind
from understudy.records.rulebook import Level, SafeReply
from understudy.records.turn import TurnState
from understudy.review.holds import ReviewLimits
from understudy.testing.scripted import FrozenClock, RecordingChannel, ScriptedAgent

Build = Callable[..., Any]
pytestmark = ON_EACH_STORE

NOTICE = SafeReply(id="handed_over", version=1, text="A colleague takes over.")
AWAY = SafeReply(
    id="away",
    version=2,
    text="Nobody is here now. Somebody writes to you by {date}, {time}.",
    translations=(("de", "Gerade ist niemand da. Wir schreiben bis {date}, {time}."),),
)
SLOW = SafeReply(id="slow", version=1, text="This takes us longer than it should.")
HOURS = OpeningHours(
    timezone="UTC", periods=tuple(OpenPeriod(weekday=day, from_minute=540, to_minute=1020) for day in range(5))
)
NIGHT = datetime(2026, 6, 2, 22, 0, tzinfo=UTC)  # a Tuesday
DAY = datetime(2026, 6, 2, 11, 0, tzinfo=UTC)
HANDS_OFF = Draft(text="I will get somebody.", handoff=True)


@pytest.fixture
def make(build: Build, staging: ModuleType) -> Callable[..., Any]:
    """Build a stage at a moment, on which people are there on workdays from nine to five."""

    def at(moment: datetime, *, level: Level = Level.ASSIST, **plan: Any) -> Any:
        replies = (NOTICE, AWAY, SLOW)
        rules = staging.rules(level, safe_replies=replies, hand_off_notice="handed_over", hours=HOURS)
        absence = NobodyHome(reply=AWAY, hours=HOURS, pledges=USUAL_PLEDGES)
        return build(rules=rules, clock=FrozenClock(moment), nobody_home=absence, expiry_reply=SLOW, **plan)

    return at


def sent(stage: Any) -> list[str]:
    return [entry.text for entry in stage.channel.delivered]


def owed(stage: Any) -> list[Any]:
    return stage.read(lambda tx: tx.pledges.listed(tuple(PledgeState), limit=9))


def away_said(stage: Any) -> int:
    return sum(text.startswith("Nobody is here now") for text in sent(stage))


def take(stage: Any, who: str, **said: Any) -> Any:
    return stage.run(stage.conversations.take_over(stage.conversation().id, reviewer=who, **said))


def back(stage: Any, who: str, **said: Any) -> Any:
    return stage.run(stage.conversations.hand_back(stage.conversation().id, reviewer=who, **said))


def say(stage: Any, who: str, text: str) -> None:
    stage.run(stage.conversations.say(stage.conversation().id, text, reviewer=who))
    stage.settle()


# A second person ----------------------------------------------------------------------------------------------------


def test_a_second_person_does_not_take_a_conversation_in_silence(make: Any) -> None:
    stage = make(DAY)
    stage.ask("When?")
    take(stage, "ben")
    before = stage.ledger_events
    for attempt in (lambda: take(stage, "ann"), lambda: say(stage, "ann", "Ann here."), lambda: back(stage, "ann")):
        with pytest.raises(TakenByOther, match="ben has this conversation") as refused:
            attempt()
        assert refused.value.taken_by == "ben"
    assert stage.conversation().taken_by == "ben"
    assert stage.ledger_events == before


def test_a_second_person_takes_it_by_name_and_the_first_is_told(make: Any) -> None:
    stage = make(DAY)
    stage.ask("When?")
    take(stage, "ben")
    assert take(stage, "ann", take_from="ben").taken_by == "ann"
    told = [json.loads(entry.body) for entry in stage.ledger if entry.event == "conversation.mode"][-1]
    assert (told["taken_by"], told["taken_from"]) == ("ann", "ben")


def test_who_names_somebody_that_does_not_have_it_any_more_is_told_who_has(make: Any) -> None:
    stage = make(DAY)
    stage.ask("When?")
    take(stage, "ben")
    take(stage, "cem", take_from="ben")
    with pytest.raises(TakenByOther) as refused:
        take(stage, "ann", take_from="ben")
    assert refused.value.taken_by == "cem"
    back(stage, "cem")
    with pytest.raises(Conflict, match="nobody has this conversation"):
        take(stage, "ann", take_from="cem")


@pytest.mark.parametrize("kind", [VerdictKind.RESPOND, VerdictKind.TAKE_OVER])
def test_a_second_person_does_not_answer_what_another_one_has(make: Any, kind: VerdictKind) -> None:
    stage = make(DAY)
    stage.ask("When?")
    take(stage, "ben")
    stage.ask("Hello?")
    (hold,) = stage.open_holds
    with pytest.raises(TakenByOther, match="ben"):
        stage.give(hold, kind, reviewer="ann")
    assert stage.open_holds == [hold]
    stage.give(hold, kind, reviewer="ann", take_from="ben")
    assert stage.conversation().taken_by == "ann"


def test_whoever_has_it_takes_it_again_harmlessly(make: Any) -> None:
    stage = make(DAY)
    stage.ask("When?")
    take(stage, "ben")
    assert take(stage, "ben", take_from="ben").taken_by == "ben"


# Nobody home, whichever way leads to a person -------------------------------------------------------------------------


def test_a_draft_that_is_rejected_by_night_leaves_nobody_without_a_word(make: Any) -> None:
    stage = make(NIGHT)
    stage.ask("When?")
    stage.give(stage.open_holds[0], VerdictKind.REJECT)
    stage.settle()
    assert away_said(stage) == 1
    assert len(owed(stage)) == 1


def test_a_draft_whose_time_is_over_by_night_leaves_nobody_without_a_word(make: Any) -> None:
    stage = make(NIGHT, review=ReviewLimits(on_expiry="safe_reply"))
    stage.ask("When?")
    stage.pass_time(1_000)
    assert [text.split(".")[0] for text in sent(stage)] == ["This takes us longer than it should", "Nobody is here now"]


def test_a_message_that_is_given_up_by_night_is_followed_by_when_somebody_writes(make: Any) -> None:
    stage = make(NIGHT, level=Level.AUTO, channel=RecordingChannel(answers=[Rejected(reason="too long"), Accepted()]))
    stage.ask("When?")
    assert away_said(stage) == 1
    assert len(owed(stage)) == 1


def test_a_channel_that_takes_nothing_is_not_written_to_for_ever(make: Any) -> None:
    stage = make(NIGHT, level=Level.AUTO, channel=RecordingChannel(answers=[Rejected(reason="no such number")] * 9))
    stage.ask("When?")
    stage.pass_time(60)
    assert len(stage.channel.attempts) == 2, "the reply, and once by when somebody writes"
    assert [hold.kind for hold in stage.open_holds] == [HoldKind.HAND_OFF]


def test_a_reply_that_was_lost_by_night_is_followed_by_when_somebody_writes(make: Any) -> None:
    stage = make(NIGHT, level=Level.AUTO)
    turn = stage.ask("When?")
    (entry,) = stage.entries_of(turn)
    stage.run(stage.reports.take(stage.channel.name, Report(key=entry.id, provider_id=None, has_arrived=False)))
    stage.settle()
    assert away_said(stage) == 1


def test_a_message_that_a_person_drops_by_night_is_followed_by_when_somebody_writes(make: Any) -> None:
    stage = make(NIGHT, level=Level.AUTO, channel=RecordingChannel(answers=[Retry(reason="busy", after_s=900)]))
    turn = stage.ask("When?")
    (entry,) = stage.entries_of(turn)
    letters = DeadLetters(stage.store, stage.clock, stage, nobody_home=stage.plan.nobody_home)
    stage.run(letters.drop(entry.id, actor="ben", reason="wrong"))
    stage.settle()
    assert away_said(stage) == 1


def test_an_agent_that_is_gone_by_night_leaves_nobody_without_a_word(make: Any) -> None:
    stage = make(NIGHT, level=Level.AUTO, agent=ScriptedAgent(OSError("gone")))
    stage.ask("When?")
    stage.pass_time(120)
    assert away_said(stage) == 1


def test_what_no_agent_can_read_leaves_nobody_without_a_word(make: Any) -> None:
    stage = make(NIGHT)
    stage.ask("[image]", needs_person="unreadable")
    assert away_said(stage) == 1


def test_by_day_none_of_it_is_said(make: Any) -> None:
    stage = make(DAY)
    stage.ask("When?")
    stage.give(stage.open_holds[0], VerdictKind.REJECT)
    stage.settle()
    assert sent(stage) == []


def test_it_is_said_in_the_language_of_the_customer(make: Any) -> None:
    stage = make(NIGHT, agent=ScriptedAgent(HANDS_OFF))
    stage.ask("Ich möchte bitte mit einem Menschen sprechen, und das ist dringend.")
    (said,) = sent(stage)
    (one,) = owed(stage)
    assert said == f"Gerade ist niemand da. Wir schreiben bis {one.due_at:%Y-%m-%d}, {one.due_at:%H:%M}."
    assert one.words == said
    stage.ask("Hallo, ist denn wirklich niemand da?")
    assert len(sent(stage)) == 1


# Handing back ---------------------------------------------------------------------------------------------------------


def test_handing_back_ends_a_hand_off_that_waits_and_the_agent_answers_what_nobody_did(make: Any) -> None:
    stage = make(DAY, agent=ScriptedAgent([HANDS_OFF, "Gladly.", "At nine."]), level=Level.AUTO)
    first = stage.ask("Help")
    (hold,) = stage.open_holds
    back(stage, "ben")
    back(stage, "ben")
    stage.settle()
    assert stage.open_holds == []
    assert stage.read(lambda tx: tx.holds.get(hold.id)).state is HoldState.SUPERSEDED
    assert stage.turn(first.id).state is TurnState.SUPERSEDED
    assert stage.ledger_events.count("hold.superseded") == 1, "there is no second closing"
    stage.ask("When do you open?")
    assert sent(stage) == ["A colleague takes over.", "Gladly.", "At nine."], "and no silence"


def test_handing_back_forgets_nothing_that_came_since_the_last_answer(make: Any) -> None:
    """Trap: the customer writes in the moment in which a person hands back."""
    stage = make(DAY, agent=ScriptedAgent([HANDS_OFF, "About all of it."]), level=Level.AUTO)
    stage.ask("Help")
    say(stage, "ben", "Ben here.")
    stage.ask("And the invoice?")
    stage.ask("And the parcel?")
    back(stage, "ben")
    stage.settle()
    asked = [m.content for m in stage.agent.requests[-1].messages if m.role == "user"]
    assert asked == ["Help", "And the invoice?", "And the parcel?"]
    assert sent(stage)[-1] == "About all of it."


def test_who_takes_over_writes_nothing_and_hands_back_leaves_nobody_without_an_answer(make: Any) -> None:
    stage = make(DAY, agent=ScriptedAgent([HANDS_OFF, "Gladly."]), level=Level.AUTO)
    first = stage.ask("Help")
    take(stage, "ben")
    back(stage, "ben")
    stage.settle()
    assert stage.turn(first.id).state is TurnState.SUPERSEDED
    assert sent(stage) == ["A colleague takes over.", "Gladly."]
    assert stage.open_holds == []


def test_what_came_before_and_after_a_take_over_in_silence_is_asked_together(make: Any) -> None:
    stage = make(DAY, agent=ScriptedAgent([HANDS_OFF, "About all of it."]), level=Level.AUTO)
    stage.ask("Help")
    take(stage, "ben")
    stage.ask("And the invoice?")
    take(stage, "ann", take_from="ben")
    back(stage, "ann")
    stage.settle()
    asked = [m.content for m in stage.agent.requests[-1].messages if m.role == "user"]
    assert asked == ["Help", "And the invoice?"]
    assert {turn.state for turn in stage.turns} == {TurnState.SUPERSEDED, TurnState.ANSWERED}
    assert sent(stage)[-1] == "About all of it."


def test_a_draft_taken_over_in_silence_is_drafted_anew_and_seen_by_a_person(make: Any) -> None:
    stage = make(DAY, agent=ScriptedAgent(["One.", "Two."]))
    stage.ask("When?")
    take(stage, "ben")
    back(stage, "ben")
    stage.settle()
    (hold,) = stage.open_holds
    assert (hold.kind, stage.turn(hold.turn_id).reasons[0]) == (HoldKind.DRAFT, "trust_taken_over")


@pytest.mark.parametrize("is_sent", [True, False])
def test_what_a_person_answered_is_not_asked_again(make: Any, is_sent: bool) -> None:
    stage = make(DAY, agent=ScriptedAgent([HANDS_OFF, "Gladly."]), level=Level.AUTO)
    stage.ask("Help")
    stage.ask("Please!")
    stage.run(stage.conversations.say(stage.conversation().id, "Ben here.", reviewer="ben"))
    if is_sent:
        stage.settle()
    back(stage, "ben")
    stage.settle()
    assert sent(stage) == ["A colleague takes over.", "Ben here."]
    assert stage.open_holds == []


def test_the_notice_is_not_said_twice_where_nothing_was_said_between(make: Any) -> None:
    stage = make(DAY, agent=ScriptedAgent(HANDS_OFF))
    stage.ask("Help")
    back(stage, "ben")
    stage.settle()
    stage.ask("Help!")
    assert sent(stage) == ["A colleague takes over."]
    assert stage.conversation().mode is Mode.PERSON
    take(stage, "ben")
    say(stage, "ben", "Ben here.")
    back(stage, "ben")
    stage.ask("Help once more")
    assert sent(stage) == ["A colleague takes over.", "Ben here.", "A colleague takes over."]


def told(stage: Any) -> list[str]:
    return [m.content for m in stage.agent.requests[-1].messages if m.role == "system"]


def test_the_agent_is_told_what_a_person_did_and_goes_on_knowing_it(make: Any) -> None:
    stage = make(DAY, agent=ScriptedAgent(["One.", "Two.", "Three.", "Four."]), level=Level.AUTO)
    stage.ask("When?")
    take(stage, "ben")
    back(stage, "ben", note="Called her: the parcel comes on Friday, card 4111 1111 1111 1111.")
    for text in ("Thanks.", "And the invoice?", "Good."):
        stage.ask(text)
        (note,) = told(stage)
        assert "What they did: Called her: the parcel comes on Friday" in note
        assert "4111 1111" not in note
    assert all("Called her" not in text for text in sent(stage))


def test_a_later_note_stands_in_place_of_the_first(make: Any) -> None:
    stage = make(DAY, agent=ScriptedAgent(["One.", "Two."]), level=Level.AUTO)
    stage.ask("When?")
    for note in ("Called her.", "Sent a new one."):
        take(stage, "ben")
        back(stage, "ben", note=note)
    stage.ask("Thanks.")
    (note,) = told(stage)
    assert note.endswith("Sent a new one.")


def test_an_overlong_note_is_refused(make: Any) -> None:
    stage = make(DAY)
    stage.ask("When?")
    take(stage, "ben")
    with pytest.raises(InputError, match="note has 2001 characters"):
        back(stage, "ben", note="x" * 2_001)
