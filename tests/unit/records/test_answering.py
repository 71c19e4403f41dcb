"""The table of who answers is whole, and what it names it explains; that flows keep it is a promise of its own."""

from __future__ import annotations

from understudy.records.answering import AWAY, EFFECTS, EVENTS, STATES, TABLE, Answering, Effect, Event, Goes, Never

GOES = [outcome for outcome in TABLE.values() if isinstance(outcome, Goes)]


def test_there_is_an_outcome_for_every_state_and_event() -> None:
    assert set(TABLE) == {(state, event) for state in Answering for event in Event}


def test_whatever_is_refused_or_cannot_happen_says_why() -> None:
    assert all(outcome.why for outcome in TABLE.values() if not isinstance(outcome, Goes))


def test_every_word_of_the_table_is_explained() -> None:
    assert (set(STATES), set(EVENTS), set(EFFECTS)) == (set(Answering), set(Event), set(Effect))


def test_every_effect_is_somewhere_and_every_event_can_happen() -> None:
    assert {effect for outcome in GOES for effect in outcome.does} == set(Effect)
    for event in Event:
        assert any(not isinstance(TABLE[state, event], Never) for state in Answering), event


def test_nobody_is_left_without_a_person_where_one_is_needed() -> None:
    """Wherever people are brought in, a hold is opened or one that is open is joined."""
    for (_, event), outcome in TABLE.items():
        if isinstance(outcome, Goes) and event in {*AWAY, *AWAY.values(), Event.PLEDGE_DUE}:
            assert outcome.does & {Effect.OPEN, Effect.JOIN}, event


def test_a_person_is_never_replaced_in_silence() -> None:
    """Where one has the conversation and another gets it, the first is told."""
    had = (Answering.TAKEN, Answering.TAKEN_WAITING)
    for event in (Event.TAKES_FROM, Event.ANSWERS_ELSEWHERE):
        for state in had:
            outcome = TABLE[state, event]
            assert isinstance(outcome, Goes)
            assert Effect.TELL_FIRST in outcome.does
    for event in (Event.TAKES_OVER_UNASKED, Event.WRITES_UNASKED, Event.HANDS_BACK_UNASKED):
        assert not any(isinstance(TABLE[state, event], Goes) for state in Answering)


def test_what_comes_back_of_our_own_changes_nothing() -> None:
    for state in Answering:
        for event in (Event.OWN_ECHO, Event.STATUS_ECHO, Event.TICKET_CLOSED):
            outcome = TABLE[state, event]
            assert isinstance(outcome, Never) or (outcome.to is state and not outcome.does)  # type: ignore[union-attr]


def test_handing_back_leads_to_the_agent_from_everywhere() -> None:
    for state in (Answering.WAITING, Answering.PROMISED, Answering.TAKEN, Answering.TAKEN_WAITING):
        outcome = TABLE[state, Event.HANDS_BACK]
        assert isinstance(outcome, Goes)
        assert outcome.to is Answering.AGENT
