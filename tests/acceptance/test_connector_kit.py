"""`pytest --understudy-connector NAME`: the connector kit passes for what is shipped, and finds what is wrong with what is not."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from understudy.connector_kit.cases import CASES
from understudy.connector_kit.choosing import cases_for
from understudy.connector_kit.trial import CaseFailed, Trial
from understudy.errors import ConfigurationError
from understudy.ports.channel import Events
from understudy.settings.model import Settings

FENCE = re.compile(r"^```toml\n(.*?)^```", re.MULTILINE | re.DOTALL)
VENDORS: dict[str, dict[str, Any]] = {
    "twilio": {"account_sid": "AC" + "0" * 32, "sender": "+18005551212"},
    "kannel": {"base_url": "http://localhost:13013", "username": "u", "password": "p", "sender": "+4930"},
    "sinch_sms": {"service_plan_id": "plan", "api_token": "t", "sender": "12025550142"},
    "sinch_conversation": {"project_id": "p", "app_id": "app", "access_key_id": "k", "access_key": "s"},
    "whatsapp_cloud": {"phone_number_id": "106540352242922", "access_token": "t", "verify_token": "ours"},
    "slack": {"bot_token": "xoxb-1"},
    "chatwoot": {"base_url": "https://chat.example/", "account_id": "1", "access_token": "t"},
    "zendesk": {"subdomain": "acme", "app_id": "app", "key_id": "k", "key_secret": "s"},
    "intercom": {"access_token": "t", "admin_id": "7"},
}
OWN: dict[str, Any] = {
    "kind": "rest",
    "signature": {"token": "$.headers['x-token']"},
    "inbound": {
        "when": "@.message.text",
        "id": "$.message.id",
        "conversation": "$.message.thread",
        "address": "$.message.by",
        "text": "$.message.text",
        "sample": '{"id": "m-1", "thread": "t-1", "by": "+4930", "text": "Where is it?"}',
    },
    "send": {"url": "https://api.example/{conversation}", "template": {"to": "{to}", "text": "{text}", "ref": "{key}"}},
    "answer": {"provider_id": "$.body.id", "sample": '{"id": "r-1"}'},
}


def trial_of(**channel: Any) -> Trial:
    settings = Settings.model_validate(
        {
            "channels": {"desk": {"secrets": ["a-shared-secret"], **channel}},
            "server": {"public_url": "https://understudy.example"},
        }
    )
    return Trial(settings, "desk")


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("kind", VENDORS)
def test_every_shipped_channel_passes_the_kit(kind: str, case: str) -> None:
    CASES[case](trial_of(kind=kind, **VENDORS[kind]))


def test_there_are_as_many_cases_as_the_page_says() -> None:
    page = (Path(__file__).parents[2] / "docs" / "how-to" / "connect-a-channel.md").read_text(encoding="utf-8")
    assert f"| {len(CASES)} cases |" in page
    assert f"| {len(cases_for(TRIED, 'mail'))}: " in page
    assert f"| {len(cases_for(TRIED, 'room'))}: " in page


@pytest.mark.parametrize(
    ("case", "part"),
    [
        ("unsigned_is_refused", {"insecure": True, "secrets": []}),
        ("answer_without_the_id_is_no_receipt", {"answer": {**OWN["answer"], "rules": [{"when": "@.status == 200", "means": "accepted"}]}}),
        ("server_error_is_never_a_blind_repeat", {"answer": {**OWN["answer"], "rules": [{"when": "@.status == 500", "means": "retry"}]}}),
        ("refusal_is_final", {"answer": {**OWN["answer"], "rules": [{"when": "@.status == 400", "means": "accepted"}]}}),
        ("emoji_and_other_scripts_arrive_intact", {"inbound": {**OWN["inbound"], "sample": '{"id": "Where is it?", "text": "Where is it?"}'}}),
        ("text_of_a_reply_is_data", {"send": {**OWN["send"], "template": {"text": "Thank you"}}}),
        ("taken_reply_is_accepted", {"answer": {**OWN["answer"], "sample": '{"nope": 1}'}}),
        ("message_is_read", {"inbound": {**OWN["inbound"], "when": "@.message.body"}}),
        ("look_up_that_says_nothing_is_not_a_no", {"look_up": {"url": "https://api.example/x", "answered": "@.status == 200", "when": "@.item.id"}}),
    ],
)  # fmt: skip
def test_the_kit_finds_what_is_wrong_with_a_channel(case: str, part: dict[str, Any]) -> None:
    CASES[case](trial_of(**OWN))
    with pytest.raises(CaseFailed) as found:
        CASES[case](trial_of(**{**OWN, **part}))
    assert str(found.value)


def test_a_channel_without_samples_is_told_to_give_some() -> None:
    bare = {**OWN, "answer": {"provider_id": "$.body.id"}}
    with pytest.raises(ConfigurationError, match=r"channels\.desk\.answer\.sample"):
        trial_of(**bare)
    with pytest.raises(ConfigurationError, match="no channel that can be tried"):
        Trial(Settings(), "desk")


FETCHED: dict[str, dict[str, Any]] = {
    "mail": {
        "kind": "email",
        "address": "help@shop.example",
        "imap": {"host": "imap.shop.example"},
        "smtp": {"host": "smtp.shop.example"},
        "trusted_host": "mx.shop.example",
        "chars_max": 5_000,
    },
    "room": {
        "kind": "matrix",
        "homeserver": "https://matrix.shop.example",
        "user_id": "@help:shop.example",
        "access_token": "t",
        "invite_servers": ["home.example"],
    },
}
TRIED = Settings.model_validate({"channels": FETCHED})


@pytest.mark.parametrize("case", cases_for(TRIED, "mail"))
def test_mailbox_passes_the_kit(case: str) -> None:
    cases_for(TRIED, "mail")[case]()


@pytest.mark.parametrize("case", cases_for(TRIED, "room"))
def test_account_on_matrix_passes_the_kit(case: str) -> None:
    cases_for(TRIED, "room")[case]()


@pytest.mark.parametrize(
    ("name", "case", "part"),
    [
        ("mail", "forged_sender_is_a_contact_apart", {"aliases": []}),
        ("mail", "reply_of_nobody_says_so_to_programs", {}),
        ("room", "order_of_a_burst_is_kept", {}),
        ("room", "invitation_is_answered_as_configured", {"invite_servers": []}),
    ],
)
def test_kit_knows_how_each_mailbox_and_account_is_configured(name: str, case: str, part: dict[str, Any]) -> None:
    settings = Settings.model_validate({"channels": {name: {**FETCHED[name], **part}}})
    cases_for(settings, name)[case]()


def test_kit_finds_what_is_wrong_with_a_mailbox_and_an_account(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("understudy.adapters.channels.mail_reading.Reading.events", lambda *_, **__: Events())
    with pytest.raises(CaseFailed, match="says nothing of it"):
        cases_for(TRIED, "mail")["mail_is_read"]()
    monkeypatch.setattr("understudy.adapters.channels.matrix_reading.MatrixReading.read", lambda *_: "no")
    with pytest.raises(CaseFailed, match="is taken for"):
        cases_for(TRIED, "room")["words_are_read"]()


def run(folder: Path, name: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--understudy-connector", name, "."]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120, check=False)


def test_the_kit_runs_in_pytest_over_a_configuration(tmp_path: Path) -> None:
    (tmp_path / "understudy.toml").write_text(
        '[channels.chat]\nkind = "slack"\nbot_token = "xoxb-1"\nsecrets = ["s3cret"]\n', encoding="utf-8"
    )
    ran = run(tmp_path, "chat")
    assert f"{len(CASES)} passed" in ran.stdout, ran.stdout + ran.stderr
    assert ran.returncode == 0
    unknown = run(tmp_path, "fax")
    assert unknown.returncode == 4
    assert "'fax' is no channel that can be tried" in unknown.stderr


@pytest.mark.parametrize("case", CASES)
def test_the_channel_of_the_how_to_passes_the_kit(case: str) -> None:
    page = (Path(__file__).parents[2] / "docs" / "how-to" / "connect-a-channel.md").read_text(encoding="utf-8")
    (example,) = [text for text in FENCE.findall(page) if "[channels.parcel]" in text]
    channels = tomllib.loads(example)["channels"]
    secrets = {"secrets": ["what you and Parcel share"], "credentials": {"api_key": "k"}}
    settings = Settings.model_validate({"channels": {"parcel": channels["parcel"] | secrets}})
    CASES[case](Trial(settings, "parcel"))
