"""The configuration as what each channel discloses, and what doctor says of it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from understudy.doctor.channels import channels
from understudy.doctor.people import wishes
from understudy.records.disclosure import Shown
from understudy.settings.asked_words import opt_out_of, survey_of
from understudy.settings.disclosed import SHIPPED, disclosures_of
from understudy.settings.model import Settings
from understudy.settings.rules import rulebook_of

DESK = {"kind": "webhook", "url": "http://127.0.0.1:9/", "secrets": ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"]}
SMS = {
    "kind": "kannel",
    "base_url": "http://127.0.0.1:9",
    "username": "u",
    "password": "p",
    "sender": "1",
    "secrets": ["s3"],
}
TWILIO = {"kind": "twilio", "account_sid": "AC" + "0" * 32, "sender": "+1", "secrets": ["x"]}
CHAT = {"kind": "webchat"}


def settings(**more: Any) -> Settings:
    given = {"business": {"name": "Acme"}, "channels": {"desk": DESK, "chat": CHAT, "sms": SMS}}
    return Settings.model_validate({**given, **more})


def test_agent_tells_it_everywhere_without_any_setting() -> None:
    found = disclosures_of(settings())
    assert {name: one.shown for name, one in found.items()} == {
        "desk": Shown.MESSAGE,
        "chat": Shown.CHANNEL,
        "sms": Shown.MESSAGE,
        "api": Shown.CALLER,
    }
    assert found["desk"].texts["en"].text == "You are talking to an AI assistant of Acme. Ask for a person at any time."
    assert found["desk"].again_after == timedelta(hours=24)


def test_words_of_a_channel_come_before_those_of_all_and_those_before_the_shipped() -> None:
    own = {
        "texts": {"de": {"text": "KI von {business}", "version": 4}, "pl": {"text": "SI"}},
        "channels": {"sms": {"texts": {"de": {"text": "KI", "short": "K"}}, "again_after_h": 0}},
    }
    found = disclosures_of(settings(disclosure=own))
    assert (found["desk"].texts["de"].text, found["desk"].texts["de"].version) == ("KI von Acme", 4)
    assert (found["sms"].texts["de"].text, found["sms"].texts["de"].short) == ("KI", "K")
    assert found["sms"].texts.keys() == {*SHIPPED, "pl"}
    assert found["sms"].again_after is None


def test_what_something_else_shows_counts_and_is_what_stands_there() -> None:
    own = {"channels": {"desk": {"shown": "elsewhere", "elsewhere": "a badge: AI"}}}
    found = disclosures_of(settings(disclosure=own))["desk"]
    assert (found.shown, found.texts["en"].text) == (Shown.CHANNEL, "a badge: AI")


@pytest.mark.parametrize(
    ("own", "left"),
    [({"shown": "off"}, {"chat"}), ({"channels": {"chat": {"shown": "off"}}}, {"desk", "sms", "api"})],
)
def test_off_tells_nobody_there(own: dict[str, Any], left: set[str]) -> None:
    assert disclosures_of(settings(disclosure=own)).keys() == left


@pytest.mark.parametrize(
    ("own", "says"),
    [
        ({"channels": {"fax": {}}}, "disclosure.channels.fax: there is no such channel"),
        ({"channels": {"desk": {"shown": "elsewhere"}}}, "disclosure.channels.desk.elsewhere: say what stands there"),
        ({"language": "xx"}, "disclosure.language: there is no text in 'xx'"),
    ],
)
def test_what_does_not_fit_together_is_named(own: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        disclosures_of(settings(disclosure=own))


def test_draft_leaves_room_for_the_shortest_words() -> None:
    forms = {one.channel: one.chars_max for one in rulebook_of(settings()).rules.channels}
    longest = max(len(short) for _, short in SHIPPED.values())
    assert (forms["sms"], forms["desk"]) == (600 - longest - 2, None)


def test_every_shipped_text_is_worth_its_short_form() -> None:
    assert all(len(short) < 20 < len(text) <= 160 for text, short in SHIPPED.values())


def states(found: Any) -> dict[str, str]:
    return {one.what: one.state for one in found}


def test_doctor_warns_where_nobody_is_told() -> None:
    found = states(channels(settings(channels={"desk": DESK}, disclosure={"shown": "off"})))
    assert found["channels.desk disclosure"] == "warning"
    assert states(channels(settings(channels={"desk": DESK})))["channels.desk disclosure"] == "ok"


def test_doctor_says_in_which_language_a_wish_for_a_person_is_not_heard() -> None:
    found = states(wishes(settings(business={"languages": ["en", "de", "pl"]})))
    assert found["wish for a person pl"] == "warning"
    assert not any(what.endswith((" de", " en")) for what in found)


def test_doctor_does_not_let_the_wish_be_muted() -> None:
    assert states(wishes(settings(checks={"escalation": {"enabled": False}})))["wish for a person"] == "error"


def test_stop_counts_where_sms_are_sent_and_is_confirmed_once() -> None:
    terms = opt_out_of(settings(channels={"desk": DESK, "sms": SMS, "us": TWILIO}))
    assert (terms.channels, terms.confirmed) == ({"sms", "us"}, {"sms"})


def test_every_language_knows_stop_and_start_by_some_word() -> None:
    words = opt_out_of(settings()).words
    assert words.keys() == SHIPPED.keys()
    said = [word for one in words.values() for word in (*one.stop, *one.start)]
    assert len(said) == len(set(said))
    assert all(len(one.stopped) <= 160 and len(one.started) <= 160 for one in words.values())


def test_nobody_is_asked_unless_configured_and_not_by_mail() -> None:
    assert survey_of(settings()) is None
    asked = survey_of(settings(csat={"ask": "thumbs"}))
    assert asked is not None
    assert asked.channels == {"desk", "chat", "sms"}
    assert asked.questions.keys() == SHIPPED.keys()


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"opt_out": {"channels": ["fax"]}}, "opt_out.channels: there is no channel 'fax'"),
        ({"csat": {"ask": "score", "channels": ["fax"]}}, "csat.channels: there is no channel 'fax'"),
        ({"csat": {"ask": "score", "language": "xx"}}, "csat.language: there is no question in 'xx'"),
    ],
)
def test_what_is_asked_where_nothing_is_is_named(more: dict[str, Any], says: str) -> None:
    read = opt_out_of if "opt_out" in more else survey_of
    with pytest.raises(ValueError, match=says):
        read(settings(**more))
