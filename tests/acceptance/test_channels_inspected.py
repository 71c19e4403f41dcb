"""What `doctor` says of how channels are set up at their providers, and what `channels verify NAME` finds in a request or a mail."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Response

from help_desks import ANY
from understudy.connections import rest_channel
from understudy.errors import ConfigurationError
from understudy.ports.channel import Reached
from understudy.settings.model import Settings
from understudy.testing.scripted import FROZEN_START, FrozenClock

PUBLIC = "https://understudy.example"
HOOK = f"{PUBLIC}/webhooks/desk"
KINDS: dict[str, dict[str, Any]] = {
    "twilio": {"account_sid": "AC" + "0" * 32, "sender": "+18005551212"},
    "sinch_conversation": {"project_id": "p", "app_id": "app", "access_key_id": "k", "access_key": "s"},
    "whatsapp_cloud": {"phone_number_id": "1", "access_token": "t", "verify_token": "ours"},
    "slack": {"bot_token": "xoxb-1"},
    "chatwoot": {"base_url": "https://chat.example/", "account_id": "1", "access_token": "t", "notes_token": "a"},
    "zendesk": {"subdomain": "acme", "app_id": "app", "key_id": "k", "key_secret": "s", "notes_user": "b@x.example", "notes_token": "n"},
}  # fmt: skip
TOLD: dict[str, Any] = {
    "twilio": {"incoming_phone_numbers": [{"sms_url": HOOK, "capabilities": {"sms": True}}]},
    "sinch_conversation": {"webhooks": [{"target": HOOK, "triggers": ["MESSAGE_INBOUND", "MESSAGE_DELIVERY"]}]},
    "whatsapp_cloud": {"webhook_configuration": {"application": HOOK}},
    "slack": {"ok": True},
    "chatwoot": [{"id": 1, "outgoing_url": HOOK}],
    "zendesk": {
        "integrations": [{"webhooks": [{"target": HOOK, "triggers": ["conversation:message"], "secret": "a-secret"}]}],
        "webhooks": [{"endpoint": f"{HOOK}/notes", "status": "active"}],
    },
}
SCOPES = "im:history,chat:write,metadata.message:read"


def asked(
    kind: str, http: HTTPServer, told: Any, *, scopes: str = SCOPES, ahead_s: float = 0.0, **more: Any
) -> Reached:
    def answer(_: Any) -> Response:
        date = format_datetime(FROZEN_START - timedelta(seconds=ahead_s))
        return Response(json.dumps(told), 200, headers={"x-oauth-scopes": scopes, "date": date})

    http.expect_request(ANY).respond_with_handler(answer)
    given = {
        "channels": {"desk": {"kind": kind, "secrets": ["a-secret"], **KINDS[kind], **more}},
        "server": {"public_url": PUBLIC},
    }
    settings = Settings.model_validate(given)
    channel: Any = settings.channels["desk"]

    async def scene() -> Reached:
        built = rest_channel("desk", channel, FrozenClock(), settings, instead=http.url_for("").rstrip("/"))
        try:
            return await built.check()
        finally:
            await built.close()

    return asyncio.run(scene())


@pytest.mark.parametrize("kind", KINDS)
def test_channel_that_is_set_up_right_is_said_to_be(kind: str, httpserver: HTTPServer) -> None:
    reached = asked(kind, httpserver, TOLD[kind])
    assert reached.inspected
    assert [one.is_well for one in reached.inspected] == [True] * len(reached.inspected)


@pytest.mark.parametrize("kind", KINDS)
def test_channel_whose_web_hook_goes_elsewhere_is_told_what_to_do(kind: str, httpserver: HTTPServer) -> None:
    elsewhere = json.loads(json.dumps(TOLD[kind]).replace(HOOK, "https://old.example/webhooks/desk"))
    reached = asked(kind, httpserver, elsewhere, scopes="im:history")
    faults = [one for one in reached.inspected if one.is_well is False]
    assert faults
    assert all(one.mend for one in faults)


def test_secret_that_is_not_the_providers_is_found(httpserver: HTTPServer) -> None:
    reached = asked("zendesk", httpserver, TOLD["zendesk"], secrets=["another"])
    assert "signs with a secret that this channel does not have" in [one.says for one in reached.inspected]
    assert "a-secret" not in str(reached)


@pytest.mark.parametrize("told", [None, {}, [], {"webhooks": 1, "integrations": {"a": 1}}])
@pytest.mark.parametrize("kind", KINDS)
def test_answer_that_says_nothing_is_not_taken_for_an_answer(kind: str, told: Any, httpserver: HTTPServer) -> None:
    reached = None
    with suppress(ConfigurationError):  # the probe's own refusal
        reached = asked(kind, httpserver, told)
    if reached is not None:
        assert not any(one.is_well for one in reached.inspected if one.what != "scopes")


CHANNELS = """
[channels.chat]
kind = "slack"
bot_token = "xoxb-1"
secrets = ["s3cret"]

[channels.mail]
kind = "email"
address = "help@shop.example"
imap = { host = "imap.shop.example" }
smtp = { host = "smtp.shop.example" }
password = "p"

[channels.room]
kind = "matrix"
homeserver = "https://matrix.shop.example"
user_id = "@help:shop.example"
access_token = "t"
"""
MAIL = (
    b"From: Ada <ada@home.example>\r\nTo: help@shop.example\r\nSubject: Kettle\r\nMessage-ID: <m-1@home.example>\r\n"
    b"Date: Thu, 01 Jan 2026 12:00:00 +0000\r\n\r\nWhere is it?\r\n"
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "understudy.toml").write_text(CHANNELS, encoding="utf-8")
    return tmp_path


def test_channel_says_what_it_finds_in_a_mail(folder: Path, understudy_here: Any) -> None:
    (folder / "mail.eml").write_bytes(MAIL)
    ended = understudy_here("channels", "verify", "mail", "--body-file", "mail.eml", cwd=folder)
    assert ended.code == 0
    assert "message m-1@home.example" in ended.out
    assert "Where is it" not in ended.out
    (folder / "mail.eml").write_bytes(b"Auto-Submitted: auto-replied\r\n" + MAIL)
    told = understudy_here("channels", "verify", "mail", "--body-file", "mail.eml", "--json", cwd=folder).json()
    assert told["valid"] is True
    assert told["holds"][0].startswith("passed over:")


def test_channel_checks_a_request_by_its_own_secrets(folder: Path, understudy_here: Any) -> None:
    (folder / "body").write_bytes(b"{}")
    words = ["channels", "verify", "chat", "--body-file", "body", f"--now={datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"]
    ended = understudy_here(
        *words, "--header=x-slack-signature: v0=00", "--header=x-slack-request-timestamp: 1", cwd=folder
    )
    assert ended.code == 1
    assert "invalid:" in ended.err
    assert "s3cret" not in ended.err
    assert understudy_here("channels", "verify", "room", "--body-file", "body", cwd=folder).code == 3
    nobody = understudy_here("channels", "verify", "fax", "--body-file", "body", cwd=folder)
    assert nobody.code == 3
    assert "configured: chat, mail, room" in nobody.err


NOTED = """
[channels.chat]
kind = "chatwoot"
base_url = "http://127.0.0.1:9"
account_id = "1"
access_token = "t"
secrets = ["s3cret"]
review = "notes"
{more}
"""


@pytest.mark.parametrize(
    ("more", "state", "says"),
    [
        ("", "error", "nobody over there can be known"),
        ('colleagues = { "7" = "Rosa" }', "warning", "by configured ids alone"),
        ('notes_token = "a"', "ok", "drafts are shown in them (notes)"),
    ],
)
def test_doctor_says_what_notes_lack(tmp_path: Path, understudy_here: Any, more: str, state: str, says: str) -> None:
    (tmp_path / "understudy.toml").write_text(NOTED.format(more=more), encoding="utf-8")
    results = understudy_here("doctor", "--json", cwd=tmp_path).json()["results"]
    (found,) = [one for one in results if one["what"] == "channels.chat notes"]
    assert found["state"] == state
    assert says in found["says"]


def test_help_desk_that_cannot_be_written_to_is_refused_with_what_it_lacks(
    tmp_path: Path, understudy_here: Any
) -> None:
    given = 'kind = "zendesk"\nsubdomain = "acme"\napp_id = "a"\nkey_id = "k"\nkey_secret = "s"\nsecrets = ["x"]\nreview = "both"\n'
    (tmp_path / "understudy.toml").write_text(f"[channels.chat]\n{given}", encoding="utf-8")
    ended = understudy_here("doctor", "--json", cwd=tmp_path)
    (found,) = [one for one in ended.json()["results"] if one["what"] == "channels.chat"]
    assert "lacks notes_token and notes_user" in found["says"]
