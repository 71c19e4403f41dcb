"""What a business writes down for its checks becomes part of the rulebook, and what cannot be is named."""

from __future__ import annotations

import pytest

from understudy.records.assessment import Severity
from understudy.records.policy import ChannelForm
from understudy.settings.model import Settings
from understudy.settings.rules import rulebook_of


def settings_with(**sections: object) -> Settings:
    return Settings.model_validate(sections)


def test_rule_on_wording_keeps_all_that_was_written() -> None:
    rule = {"name": "r", "kind": "advice", "patterns": ["dose of \\d+"], "severity": "minor", "fails": ["A dose of 9."]}
    (made,) = rulebook_of(settings_with(policy={"rules": [rule]})).rules.policy
    assert (made.name, made.kind, made.patterns, made.severity, made.fails) == (
        "r",
        "advice",
        ("dose of \\d+",),
        Severity.MINOR,
        ("A dose of 9.",),
    )


@pytest.mark.parametrize(
    ("sections", "said"),
    [
        ({"policy": {"rules": [{"name": "look", "patterns": ["(?=x)y"]}]}}, "'look'.*no RE2 expression"),
        ({"policy": {"rules": [{"name": "huge", "patterns": ["((a{100}){100}){100}"]}]}}, "'huge'.*no RE2 expression"),
        ({"policy": {"rules": [{"name": "nothing", "patterns": ["x*"]}]}}, "'nothing'.*matches a text of nothing"),
        ({"policy": {"rules": [{"name": "none"}]}}, "'none' has neither"),
        ({"business": {"timezone": "Mars/Olympus"}}, "business.timezone 'Mars/Olympus'"),
        ({"business": {"hours": ["weekdays 9-17"]}}, "business.hours 'weekdays 9-17'"),
        ({"business": {"hours": ["fri-mon 09:00-17:00"]}}, "business.hours 'fri-mon"),
        ({"business": {"hours": ["mon 17:00-09:00"]}}, "open before it closes"),
    ],
)
def test_what_cannot_be_used_is_named(sections: dict[str, object], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        rulebook_of(settings_with(**sections))


def test_hours_are_read_by_day() -> None:
    hours = rulebook_of(settings_with(business={"hours": ["mon-fri 09:00-17:30", "sat 10:00-24:00"]})).rules.hours
    assert hours is not None
    assert [(p.weekday, p.from_minute, p.to_minute) for p in hours.periods] == [
        *((day, 540, 1050) for day in range(5)),
        (5, 600, 1440),
    ]


def test_channels_say_what_they_show() -> None:
    channels = {"chat": {"kind": "webchat", "chars_max": 900}, "sms": {"kind": "webhook", "url": "https://x.example"}}
    assert rulebook_of(settings_with(channels=channels)).rules.channels == (
        ChannelForm(channel="chat", chars_max=900, markup="none"),
        ChannelForm(channel="sms"),
    )
