"""Settings from a file and the environment: what wins, what is refused, and that the refusal says how to mend it."""

from __future__ import annotations

from pathlib import Path

import pytest

from understudy.errors import ConfigurationError
from understudy.records.rulebook import Level
from understudy.settings.load import load
from understudy.settings.model import FaqAgent, Settings, Webhook

FULL = """
[business]
name = "Acme"
domains = ["acme.example"]

[store]
url = "sqlite:///acme.db"

[agents.bot]
kind = "chat_completions"
base_url = "http://127.0.0.1:1/v1"
model = "m"

[channels.web]
kind = "webchat"
title = "Ask Acme"

[[autonomy.grants]]
topic = "orders"
level = "auto"
threshold = 0.8

[topics.orders]
phrases = ["my order"]

[safe_replies.sorry]
text = "Sorry."

[routing.degrade_on]
agent_failed = "sorry"
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "understudy.toml"
    path.write_text(FULL)
    return path


def problem(path: Path | None, environment: dict[str, str]) -> str:
    with pytest.raises(ConfigurationError) as refused:
        load(path, environment)
    return refused.value.message


def of(tmp_path: Path, text: str) -> str:
    path = tmp_path / "understudy.toml"
    path.write_text(text)
    return problem(path, {})


def test_nothing_at_all_gives_the_defaults() -> None:
    assert load(None, {}) == Settings()


def test_a_file_is_read_into_its_sections(file: Path) -> None:
    settings = load(file, {})
    assert (settings.business.name, settings.business.domains) == ("Acme", ["acme.example"])
    assert settings.autonomy.grants[0].level is Level.AUTO
    assert settings.routing.degrade_on == {"agent_failed": "sorry"}


def test_the_environment_stands_above_the_file(file: Path) -> None:
    settings = load(file, {"UNDERSTUDY__BUSINESS__NAME": "Other", "UNDERSTUDY__SERVER__PORT": "9000"})
    assert (settings.business.name, settings.server.port) == ("Other", 9000)
    assert settings.business.domains == ["acme.example"]


def test_the_environment_reaches_into_named_sections(file: Path) -> None:
    settings = load(file, {"UNDERSTUDY__AGENTS__BOT__API_KEY": "k-1"})
    agent = settings.agents["bot"]
    assert agent.kind == "chat_completions"
    assert agent.api_key is not None
    assert agent.api_key.get_secret_value() == "k-1"


def test_the_environment_alone_can_configure_a_section() -> None:
    environment = {"UNDERSTUDY__AGENTS__FAQ__KIND": "faq", "UNDERSTUDY__AGENTS__FAQ__KNOWLEDGE": "docs"}
    assert load(None, environment).agents == {"faq": FaqAgent(kind="faq", knowledge=Path("docs"))}


@pytest.mark.parametrize(
    ("name", "value", "field", "expected"),
    [
        ("SERVER__PORT", "0", "server.port", 0),
        ("SERVER__METRICS_NEED_KEY", "true", "server.metrics_need_key", True),
        ("DRAFTING__DEADLINE_S", "2.5", "drafting.deadline_s", 2.5),
        ("BUSINESS__DOMAINS", '["a.example", "b.example"]', "business.domains", ["a.example", "b.example"]),
        ("ROUTING__DEGRADE_ON", '{agent_failed = "x"}', "routing.degrade_on", {"agent_failed": "x"}),
        ("BUSINESS__NAME", "4711", "business.name", "4711"),
        ("BUSINESS__NAME", "true", "business.name", "true"),
        ("BUSINESS__NAME", "2026-01-01", "business.name", "2026-01-01"),
        ("BUSINESS__NAME", "Schröder & Söhne", "business.name", "Schröder & Söhne"),
        ("BUSINESS__NAME", "[open", "business.name", "[open"),
    ],
)
def test_a_value_in_the_environment_has_the_type_of_its_setting(
    name: str, value: str, field: str, expected: object
) -> None:
    found: object = load(None, {f"UNDERSTUDY__{name}": value})
    for part in field.split("."):
        found = getattr(found, part)
    assert found == expected


@pytest.mark.parametrize("secret", ["123456", "1e5", "true", "2026-01-01", "a b", "ünïcode"])
def test_a_secret_stays_the_text_it_is(file: Path, secret: str) -> None:
    agent = load(file, {"UNDERSTUDY__AGENTS__BOT__API_KEY": secret}).agents["bot"]
    assert agent.kind == "chat_completions"
    assert agent.api_key is not None
    assert agent.api_key.get_secret_value() == secret


def test_a_secret_may_be_mounted_as_a_file(file: Path, tmp_path: Path) -> None:
    (tmp_path / "token").write_text("s3cret\n")
    agent = load(file, {"UNDERSTUDY__AGENTS__BOT__API_KEY_FILE": str(tmp_path / "token")}).agents["bot"]
    assert agent.kind == "chat_completions"
    assert agent.api_key is not None
    assert agent.api_key.get_secret_value() == "s3cret"


def test_a_mounted_file_that_is_missing_is_named(tmp_path: Path) -> None:
    found = problem(None, {"UNDERSTUDY__STORE__URL_FILE": str(tmp_path / "gone")})
    assert "UNDERSTUDY__STORE__URL_FILE" in found
    assert "No such file" in found


def test_a_mounted_file_that_is_no_text_is_named(tmp_path: Path) -> None:
    (tmp_path / "token").write_bytes(b"\xff\xfe")
    assert "UNDERSTUDY__STORE__URL_FILE" in problem(None, {"UNDERSTUDY__STORE__URL_FILE": str(tmp_path / "token")})


def test_other_variables_are_passed_over() -> None:
    assert load(None, {"PATH": "/bin", "UNDERSTUDY_X": "1", "understudy__business__name": "x"}) == Settings()


def test_a_section_that_is_a_value_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "understudy.toml"
    path.write_text('business = "Acme"')
    assert "'business' is a value" in problem(path, {"UNDERSTUDY__BUSINESS__NAME": "x"})


def test_a_missing_file_says_what_writes_one(tmp_path: Path) -> None:
    assert "understudy init" in problem(tmp_path / "gone.toml", {})


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    assert "cannot be read" in problem(tmp_path, {})


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "understudy.toml"
    path.write_bytes(b"\xff\xfe")
    assert "cannot be read" in problem(path, {})


def test_bad_toml_says_where(tmp_path: Path) -> None:
    found = of(tmp_path, "[business]\nname = Acme\n")
    assert "is not TOML" in found
    assert "line 2" in found


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[bussiness]\nname = 'x'", "bussiness: unknown key, did you mean 'business'?"),
        ("[server]\nprot = 1", "server.prot: unknown key, did you mean 'port'?"),
        ("[agents.a]\nkind = 'faq'\nknowlege = 'x'\nknowledge = 'x'", "did you mean 'knowledge'?"),
        ("[[autonomy.grants]]\nlevel = 'auto'\ntresh = 1", "did you mean 'threshold'?"),
        ("[channels.w]\nkind = 'webhook'\nsecret = 'x'", "did you mean 'secrets'?"),
        ("[store]\nzzz = 1", "store.zzz: unknown key, known keys: migrate_at_start, url"),
        ("[checks.grounding]\nwait = 1", "did you mean 'weight'?"),
    ],
)
def test_an_unknown_key_names_the_nearest(tmp_path: Path, text: str, says: str) -> None:
    assert says in of(tmp_path, text)


def test_an_unknown_key_in_the_environment_names_the_nearest() -> None:
    assert "did you mean 'deadline_s'?" in problem(None, {"UNDERSTUDY__DRAFTING__DEADLINE": "3"})


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[server]\nport = 70000", "server.port: "),
        ("[server]\nport = 'http'", "(got 'http')"),
        ("[drafting]\ndeadline_s = 0", "drafting.deadline_s: "),
        ("[[autonomy.grants]]\nlevel = 'boss'", "autonomy.grants.0.level: "),
        ("[[autonomy.grants]]\ntopic = 'x'", "autonomy.grants.0.level: Field required"),
        ("[channels.w]\nkind = 'fax'", "channels.w: "),
        (
            "[channels.w]\ntitle = 'x'",
            "channels.w.kind: missing; one of chatwoot, email, intercom, kannel, matrix, rest, sinch_conversation, sinch_sms, slack, twilio, webchat, webhook, whatsapp_cloud, zendesk",
        ),
        ("[channels.w]\nkind = 'webchat'\ncolour = 'red'", "channels.w.colour: "),
        ("[safe_replies.x]\ntext = ''", "safe_replies.x.text: "),
    ],
)
def test_a_value_that_does_not_fit_is_named_with_what_it_is(tmp_path: Path, text: str, says: str) -> None:
    assert says in of(tmp_path, text)


def test_every_problem_is_told_at_once(tmp_path: Path) -> None:
    found = of(tmp_path, "[server]\nport = 70000\nhots = 'x'\n[limits]\nbacklog_max = 0")
    assert "3 problem(s)" in found
    assert len(found.splitlines()) == 4


def test_a_secret_that_does_not_fit_is_not_shown(tmp_path: Path) -> None:
    text = "[agents.a]\nkind = 'chat_completions'\nbase_url = 'x'\nmodel = 'm'\napi_key = ['tell-nobody']"
    assert "tell-nobody" not in of(tmp_path, text)


def test_a_section_known_from_the_environment_alone_is_told_what_it_lacks_and_shows_no_secret() -> None:
    with pytest.raises(ConfigurationError) as caught:
        load(None, {"UNDERSTUDY__CHANNELS__SHOP__SECRETS": '["whsec_tell-nobody"]'})
    assert "tell-nobody" not in str(caught.value)
    assert (
        "channels.shop.kind: missing; one of chatwoot, email, intercom, kannel, matrix, rest, sinch_conversation, sinch_sms, slack, twilio, webchat, webhook, whatsapp_cloud, zendesk"
        in str(caught.value)
    )


def test_a_list_of_tables_is_not_shown_for_what_may_stand_in_it(tmp_path: Path) -> None:
    path = tmp_path / "understudy.toml"
    path.write_text("[server]\nport = [{ password = 'tell-nobody' }]")
    with pytest.raises(ConfigurationError, match=r"server\.port") as caught:
        load(path, {})
    assert "tell-nobody" not in str(caught.value)


def test_a_secret_is_not_shown_by_the_settings_themselves(tmp_path: Path) -> None:
    path = tmp_path / "understudy.toml"
    path.write_text("[channels.w]\nkind = 'webhook'\nurl = 'http://127.0.0.1:1'\nsecrets = ['whsec_tell-nobody']")
    settings = load(path, {})
    assert isinstance(settings.channels["w"], Webhook)
    assert "tell-nobody" not in repr(settings)
    assert "tell-nobody" not in settings.model_dump_json()


def test_settings_cannot_be_changed_afterwards() -> None:
    with pytest.raises(ValueError, match="frozen"):
        Settings().server.port = 1  # type: ignore[misc]
