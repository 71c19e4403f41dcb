"""Profiles: what ships can be read, and what does not fit is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from understudy.chaos.hosts import real_hosts
from understudy.chaos.profile import SHIPPED, parsed, read_profile
from understudy.chaos.running import bundled_settings
from understudy.errors import ConfigurationError
from understudy.settings.model import Settings
from understudy.testing.faults import Fault

DEPENDENCIES = (
    "agents.bot", "opinions.judge", "opinions.knowledge", "records.orders", "systems.shop",
    "channels.chatwoot", "channels.desk", "channels.whatsapp", "channels.zendesk",
)  # fmt: skip


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_profile_strikes_something_of_the_bundled_business(name: str) -> None:
    profile = read_profile(name)
    assert profile.description
    assert profile.strikes(DEPENDENCIES)
    assert all(rule.until_s is None or rule.until_s <= profile.seconds for rule in profile.rules)


def test_everything_is_every_fault() -> None:
    assert {rule.fault for rule in read_profile("everything").rules} == set(Fault)


def test_a_profile_in_another_time_keeps_its_shape() -> None:
    short = read_profile("provider-outage").within(6)
    assert [(rule.from_s, rule.until_s) for rule in short.rules] == [(2, 3), (3, 4)]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("rules = []", "rules"),
        ('[[rules]]\non = "*"\nfault = "flood"', "fault"),
        ('[[rules]]\non = "*"\nfault = "drip"\nshare = 2', "share"),
        ('[[rules]]\non = "*"\nfault = "drip"\nfrom_s = 5\nuntil_s = 2', "until_s must be later"),
        ('[[rules]]\non = "*"\nfault = "drip"\nspeed = 2', "speed"),
        ("rules", "is not TOML"),
    ],
)
def test_what_does_not_fit_is_named(text: str, said: str) -> None:
    with pytest.raises(ConfigurationError, match=said):
        parsed(text, "mine")


def test_a_name_that_is_none_names_all_there_are(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="provider-outage"):
        read_profile("outage")
    with pytest.raises(ConfigurationError, match="cannot be read"):
        read_profile(str(tmp_path / "none.toml"))


# --- real hosts


def test_the_bundled_business_names_only_the_vendors_it_shows() -> None:
    assert real_hosts(bundled_settings()) == {
        "channels.whatsapp": "graph.facebook.com",
        "channels.zendesk": "zendesk.com",
    }


def test_every_real_host_is_found_where_it_stands() -> None:
    settings = Settings.model_validate(
        {
            "agents": {"bot": {"kind": "chat_completions", "base_url": "https://api.llm.io/v1", "model": "m"}},
            "opinions": {"judge": {"kind": "judge", "base_url": "http://127.0.0.1:9/v1", "model": "m"}},
            "channels": {
                "desk": {"kind": "webhook", "url": "https://desk.io/x", "insecure": True},
                "sms": {"kind": "twilio", "account_sid": "AC" + "0" * 32, "sender": "+1", "secrets": ["s"]},
                "mail": {"kind": "email", "address": "a@shop.io", "imap": {"host": "imap.shop.io"}, "smtp": {"host": "smtp.shop.io"}},
            },
            "store": {"url": "postgresql://me@db.shop.io/x"},
            "telemetry": {"otlp_endpoint": "https://otel.shop.io"},
        }
    )  # fmt: skip
    assert real_hosts(settings) == {
        "agents.bot": "api.llm.io",
        "channels.desk": "desk.io",
        "channels.mail.imap": "imap.shop.io",
        "channels.mail.smtp": "smtp.shop.io",
        "channels.sms": "api.twilio.com",
        "store": "db.shop.io",
        "telemetry": "otel.shop.io",
    }
