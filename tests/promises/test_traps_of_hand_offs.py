"""The traps that others fell into where a conversation changes hands or a customer is known: each by name, with the tests that spring it.

The table names what went wrong elsewhere and where it is tried here; a test that is renamed or gone fails this file. The last of them are here.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from stage_plan import ON_EACH_STORE
from understudy.records.conversation import Mode
from understudy.records.evidence import Draft
from understudy.records.review import HoldKind
from understudy.records.rulebook import Level
from understudy.testing.scripted import ScriptedAgent

Build = Callable[..., Any]
TESTS = Path(__file__).parents[1]

TRAPS: dict[str, tuple[str, ...]] = {
    "our own reply comes back and is read as a person's answer": (
        "flows/test_notes_decided.py::test_trap_3_own_reply_echoed_back_by_webhook_is_not_read_as_a_human_takeover",
        "flows/test_phone_echoes.py::test_a_reply_of_ours_that_is_told_of_is_nobodys_answer",
        "flows/test_phone_echoes.py::test_a_reply_of_ours_that_is_told_of_before_its_answer_is_nobodys_answer",
        "promises/test_a_hand_off_reaches_a_person_once.py::test_echo_that_is_read_as_an_answer_is_noticed",
    ),
    "our own change of status comes back and is read as a take-over": (
        "flows/test_ticket_echoes.py::test_trap_3_the_note_of_our_own_ticket_is_no_command_and_no_takeover",
        "flows/test_ticket_echoes.py::test_trap_3_a_ticket_that_we_closed_or_assigned_is_no_message_of_the_customer",
    ),
    "a reply that was accepted comes back and begins another turn": (
        "flows/test_channel_traps.py::test_trap_4_an_accepted_reply_that_comes_back_by_webhook_begins_no_turn",
    ),
    "the agent answers over a person who answered from the phone": (
        "flows/test_phone_echoes.py::test_an_answer_from_the_phone_takes_the_conversation_over",
        "flows/test_notes_decided.py::test_person_who_answers_in_the_help_desk_takes_the_conversation_over",
        "flows/test_conversations.py::test_an_answer_of_the_agent_that_waits_for_its_retry_does_not_follow_a_person",
    ),
    "the agent is mute after the conversation came back to it": (
        "flows/test_conversations.py::test_the_agent_answers_again_after_the_hand_back",
        "promises/test_a_hand_off_reaches_a_person_once.py::test_conversation_that_stays_silent_after_it_was_handed_back_is_noticed",
        "promises/test_traps_of_hand_offs.py::test_trap_5_words_that_announce_silence_silence_nobody_later",
        "promises/test_traps_of_hand_offs.py::test_who_was_handed_off_because_the_agent_failed_gets_it_again",
    ),
    "a hand-off is lost in the moment in which a person hands back": (
        "flows/test_handing_off.py::test_handing_back_forgets_nothing_that_came_since_the_last_answer",
        "promises/test_a_hand_off_reaches_a_person_once.py::test_no_hand_off_is_lost_repeated_muted_or_late",
    ),
    "a hand-off is closed twice": (
        "flows/test_handing_off.py::test_handing_back_ends_a_hand_off_that_waits_and_the_agent_answers_what_nobody_did",
    ),
    "hand-offs go in a loop": (
        "promises/test_a_hand_off_reaches_a_person_once.py::test_hand_off_that_comes_again_by_itself_is_noticed",
        "flows/test_handing_off.py::test_a_channel_that_takes_nothing_is_not_written_to_for_ever",
    ),
    "the words that a person comes are missing, or said twice": (
        "flows/test_nobody_home.py::test_by_day_a_colleague_takes_over",
        "flows/test_handing_off.py::test_the_notice_is_not_said_twice_where_nothing_was_said_between",
        "flows/test_handing_off.py::test_a_draft_that_is_rejected_by_night_leaves_nobody_without_a_word",
    ),
    "a configuration keeps the wish for a person from being heard": (
        "flows/test_wish_for_a_person.py::test_configuration_cannot_mute_the_wish",
    ),
    "the clock of a wait does not start at the hand-off": (
        "promises/test_traps_of_hand_offs.py::test_the_wait_for_a_person_begins_with_the_hand_off",
        "promises/test_a_hand_off_reaches_a_person_once.py::test_hand_off_that_nobody_raises_is_noticed",
    ),
    "a second person takes a conversation and nobody notices": (
        "flows/test_handing_off.py::test_a_second_person_does_not_take_a_conversation_in_silence",
        "flows/test_handing_off.py::test_a_second_person_takes_it_by_name_and_the_first_is_told",
    ),
    "a merge sends a reply to another person": (
        "promises/test_a_merge_answers_nobody_else.py::test_contact_merge_never_reroutes_a_reply_to_another_person",
        "promises/test_a_merge_answers_nobody_else.py::test_contact_merge_shows_the_agent_nothing_of_another_person",
        "promises/test_a_merge_answers_nobody_else.py::test_no_rule_links_again_whom_a_person_took_apart",
    ),
    "a claimed address is taken for a proven one": (
        "flows/test_identity.py::test_a_claimed_address_is_only_proposed",
        "flows/test_identity.py::test_account_data_goes_to_nobody_for_whom_nobody_vouches",
    ),
}
"""What went wrong elsewhere, and what tries it here."""


@pytest.mark.parametrize("trap", TRAPS)
def test_every_trap_is_tried_by_name(trap: str) -> None:
    for place in TRAPS[trap]:
        file, name = place.split("::")
        functions = {
            one.name for one in ast.walk(ast.parse((TESTS / file).read_text())) if isinstance(one, ast.FunctionDef)
        }
        assert name in functions, f"{place} is gone; what tries this trap now?"


@ON_EACH_STORE
def test_trap_5_words_that_announce_silence_silence_nobody_later(build: Build) -> None:
    """A thread kept the words that the bot stays silent, and every later turn was silent."""
    silent = Draft(text="A colleague takes over, I will stay silent from now on.", handoff=True)
    stage = build(agent=ScriptedAgent([silent, "At nine."]))
    stage.ask("Help")
    conversation = stage.conversation().id
    stage.run(stage.conversations.say(conversation, "The bot stays silent from now on. Rosa", reviewer="rosa"))
    stage.settle()
    stage.run(stage.conversations.hand_back(conversation, reviewer="rosa"))
    stage.ask("When do you open?")
    assert stage.channel.texts[-1] == "At nine."


@ON_EACH_STORE
def test_who_was_handed_off_because_the_agent_failed_gets_it_again(build: Build) -> None:
    """A failure opened the conversation to people, and nothing ever gave it back."""
    stage = build(agent=ScriptedAgent([OSError("gone"), "At nine."]))
    stage.ask("Help")
    stage.pass_time(120)
    assert stage.conversation().mode is Mode.PERSON
    stage.run(stage.conversations.hand_back(stage.conversation().id, reviewer="rosa"))
    stage.settle()
    assert stage.channel.texts == ["At nine."], "it is asked again what nobody answered"
    assert stage.open_holds == []


@ON_EACH_STORE
def test_the_wait_for_a_person_begins_with_the_hand_off(build: Build, staging: ModuleType) -> None:
    """Waits after a bot's hand-off were not measured at all."""
    agent = ScriptedAgent(["A draft.", Draft(text="A colleague.", handoff=True)])
    stage = build(agent=agent, rules=staging.rules(Level.ASSIST), hold_expires_after_s=600.0)
    stage.ask("When?")
    stage.clock.advance(300)
    turn = stage.ask("A person, please.")
    (hold,) = stage.open_holds
    assert (hold.kind, hold.created_at) == (HoldKind.HAND_OFF, turn.decided_at)
    assert (hold.expires_at - hold.created_at).total_seconds() == 600
