"""`understudy chaos` and `understudy demo --fault` as operators meet them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from understudy.demo.fault import FAULTS, profile_of

# --- the command


def test_chaos_ends_with_what_customers_saw(understudy: Callable[..., Any], tmp_path: Path) -> None:
    ended = understudy("chaos", "provider-outage", "--bundled", "--seconds", "6", "--seed", "3", "--json", cwd=tmp_path)
    assert ended.code == 0, ended.err
    told = ended.json()
    assert (told["profile"], told["seed"], told["is_safe"]) == ("provider-outage", 3, True)
    assert sum(told["outcomes"].values()) == told["messages"] == 12
    assert any(told["struck"]["channels.desk"].values())


def test_a_configuration_of_ones_own_is_played_and_left_alone(
    understudy: Callable[..., Any], write_folder: Callable[..., Path], tmp_path: Path
) -> None:
    config = write_folder(tmp_path)
    before = config.read_text(encoding="utf-8")
    (tmp_path / "mine.toml").write_text('[[rules]]\non = "channels.desk"\nfault = "error"\n', encoding="utf-8")
    ended = understudy("chaos", "mine.toml", "--seconds", "3", "--json", cwd=tmp_path)
    told = ended.json()
    assert (ended.code, told["is_safe"], told["left_out"]) == (0, True, ["channels.webchat"])
    assert told["messages"] == 6
    assert told["outcomes"]["answered"] == 0, "the documents know nothing of orders"
    assert config.read_text(encoding="utf-8") == before
    assert not (tmp_path / "understudy-data").exists()


def test_profiles_are_listed(understudy_here: Callable[..., Any], tmp_path: Path) -> None:
    ended = understudy_here("chaos", "--json", cwd=tmp_path)
    assert (ended.code, "everything" in ended.json()["profiles"]) == (0, True)


def test_real_hosts_are_refused_unless_told(understudy_here: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "understudy.toml").write_text(
        '[agents.bot]\nkind = "chat_completions"\nbase_url = "https://api.llm.io/v1"\nmodel = "m"\n'
        '[channels.sms]\nkind = "twilio"\naccount_sid = "AC' + "0" * 32 + '"\nsender = "+1"\nsecrets = ["s"]\n',
        encoding="utf-8",
    )
    ended = understudy_here("chaos", "drifting", cwd=tmp_path)
    assert ended.code == 3
    assert "agents.bot (api.llm.io), channels.sms (api.twilio.com)" in ended.err
    assert "--replace-real-hosts" in ended.err
    ended = understudy_here("chaos", "drifting", "--replace-real-hosts", cwd=tmp_path)
    assert ended.code == 3
    assert "no channel of this configuration has a fake" in ended.err


@pytest.mark.parametrize(
    ("words", "said"),
    [(("outage",), "there is no profile 'outage'"), (("drifting",), "there is no configuration file"), (("drifting", "--seconds", "0"), "--seconds")],
)  # fmt: skip
def test_wrong_usage_is_a_message(
    words: tuple[str, ...], said: str, understudy_here: Callable[..., Any], tmp_path: Path
) -> None:
    ended = understudy_here("chaos", *words, cwd=tmp_path)
    assert ended.code == 3
    assert said in ended.err


def test_a_profile_that_strikes_nothing_here_is_refused(understudy_here: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text('[[rules]]\non = "agents.other"\nfault = "drip"\n', encoding="utf-8")
    ended = understudy_here("chaos", "mine.toml", "--bundled", "--seconds", "1", cwd=tmp_path)
    assert ended.code == 3
    assert "agents.bot" in ended.err


# --- the demo


@pytest.mark.slow
@pytest.mark.parametrize("fault", ["crm-down", "agent-nonsense"])
def test_the_demo_shows_that_customers_are_answered_or_handed_over(
    fault: str, understudy: Callable[..., Any], tmp_path: Path
) -> None:
    ended = understudy("demo", "--fault", fault, "--json", cwd=tmp_path)
    assert ended.code == 0, ended.err
    told = ended.json()
    assert told["is_safe"]
    struck = [one for one in told["customers"] if one["was_struck"]]
    assert struck
    assert told["complaints"] == []
    assert {one["outcome"] for one in struck} <= {"answered", "told", "held", "handed_off"}
    assert {one["outcome"] for one in struck} - {"answered"}
    calm = [one for one in told["customers"] if one["at_s"] < 3.5]
    read = {(one["outcome"], one["reads"].rpartition("at any time.")[2].split()[0]) for one in calm}
    assert read == {("answered", "Your")}  # after what the first reply tells of the AI that wrote it


def test_every_fault_of_the_demo_is_in_its_help_and_strikes_something(understudy_here: Callable[..., Any], tmp_path: Path) -> None:  # fmt: skip
    page = (Path(__file__).parents[2] / "docs" / "reference" / "cli.md").read_text(encoding="utf-8")
    names = ("agents.bot", "opinions.judge", "records.orders", "channels.desk")
    for name in FAULTS:
        assert name in page
        assert profile_of(name).strikes(names)
    ended = understudy_here("demo", "--fault", "flood", cwd=tmp_path)
    assert ended.code == 3
    assert "provider-down" in ended.err
