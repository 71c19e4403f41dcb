"""`understudy chaos` and `understudy demo --fault` as operators meet them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from understudy.demo.fault import FAULTS, profile_of

PLAYED = {
    "bundled": ("chaos", "provider-outage", "--bundled", "--seconds", "6", "--seed", "3", "--json"),
    "mine": ("chaos", "mine.toml", "--seconds", "3", "--json"),
    "crm-down": ("demo", "--fault", "crm-down", "--json"),
    "agent-nonsense": ("demo", "--fault", "agent-nonsense", "--json"),
}


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory, write_folder: Callable[..., Path]) -> dict[str, Path]:
    """A folder for each command; one has a configuration of its own."""
    made = {name: tmp_path_factory.mktemp(name) for name in PLAYED}
    write_folder(made["mine"])
    (made["mine"] / "mine.toml").write_text('[[rules]]\non = "channels.desk"\nfault = "error"\n', encoding="utf-8")
    return made


@pytest.fixture(scope="module")
def played(understudy: Callable[..., Any], folders: dict[str, Path]) -> Iterator[Callable[[str], Any]]:
    """How a command ended. All go on beside each other from the first that is asked for, since they mostly wait."""
    with ThreadPoolExecutor(len(PLAYED)) as pool:
        ends = {name: pool.submit(understudy, *words, cwd=folders[name]) for name, words in PLAYED.items()}
        yield lambda name: ends[name].result()


# --- the command


def test_chaos_ends_with_what_customers_saw(played: Callable[[str], Any]) -> None:
    ended = played("bundled")
    assert ended.code == 0, ended.err
    told = ended.json()
    assert (told["profile"], told["seed"], told["is_safe"]) == ("provider-outage", 3, True)
    assert sum(told["outcomes"].values()) == told["messages"] == 12
    assert any(told["struck"]["channels.desk"].values())


def test_a_configuration_of_ones_own_is_played_and_left_alone(
    folders: dict[str, Path], played: Callable[[str], Any], write_folder: Callable[..., Path], tmp_path: Path
) -> None:
    ended = played("mine")
    told = ended.json()
    assert (ended.code, told["is_safe"], told["left_out"]) == (0, True, ["channels.webchat"])
    assert told["messages"] == 6
    assert told["outcomes"]["answered"] == 0, "the documents know nothing of orders"
    config = folders["mine"] / "understudy.toml"
    assert config.read_text(encoding="utf-8") == write_folder(tmp_path).read_text(encoding="utf-8")
    assert not (folders["mine"] / "understudy-data").exists()


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
def test_the_demo_shows_that_customers_are_answered_or_handed_over(fault: str, played: Callable[[str], Any]) -> None:
    ended = played(fault)
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
