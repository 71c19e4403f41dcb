"""Faults on every connection, as customers and operators meet them: short profiles, one for each fault; seeds are printed."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from understudy.chaos.profile import parsed
from understudy.chaos.running import as_json, bundled_settings, run
from understudy.demo.fault import FAULTS, profile_of
from understudy.testing.faults import Fault

SEED = 7
QUICK = """
seconds = 4
messages_per_s = 4
deadline_s = 40
[[rules]]
on = "{on}"
fault = "{fault}"
share = {share}
from_s = 0.5
"""


def played(folder: Path, *, fault: str, on: str = "*", share: float = 0.7, seed: int = SEED) -> Any:
    profile = parsed(QUICK.format(fault=fault, on=on, share=share), "quick")
    played = asyncio.run(run(profile, bundled_settings(), folder, folder, seed=seed))
    sys.stdout.write(f"seed {seed}: {json.dumps(as_json(played.result), indent=1)}\n")  # shown where a test fails
    return played.result, played.stage


@pytest.mark.slow
@pytest.mark.parametrize("fault", list(Fault))
def test_whatever_fails_nobody_is_left_alone(fault: Fault, tmp_path: Path) -> None:
    result, stage = played(tmp_path, fault=fault.value)
    assert result.was_struck
    assert result.wrong == ()
    assert result.is_safe
    assert result.messages == 16
    assert result.unknown_hosts == ()
    assert set(result.struck) == set(stage.dependencies)


def test_a_stage_reaches_nothing_outside_and_leaves_the_configuration_as_it_was(tmp_path: Path) -> None:
    settings = bundled_settings()
    before = settings.model_dump_json()
    result, _ = played(tmp_path, fault="error", on="agents.*", share=1.0)
    assert bundled_settings().model_dump_json() == before == settings.model_dump_json()
    assert (tmp_path / "chaos.db").exists()
    assert result.is_safe


# --- the command


def test_chaos_ends_with_what_customers_saw(understudy: Callable[..., Any], tmp_path: Path) -> None:
    ended = understudy("chaos", "provider-outage", "--bundled", "--seconds", "4", "--seed", "3", "--json", cwd=tmp_path)
    assert ended.code == 0, ended.err
    told = ended.json()
    assert (told["profile"], told["seed"], told["is_safe"]) == ("provider-outage", 3, True)
    assert sum(told["outcomes"].values()) == told["messages"] == 8
    assert any(told["struck"]["channels.desk"].values())


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
    assert {one["outcome"] for one in struck} <= {"answered", "told", "held", "handed_off"}
    assert {one["outcome"] for one in struck} - {"answered"}
    calm = [one for one in told["customers"] if one["at_s"] < 3.5]
    assert {(one["outcome"], one["reads"].split(" ")[0]) for one in calm} == {("answered", "Your")}


def test_every_fault_of_the_demo_is_in_its_help_and_strikes_something(understudy_here: Callable[..., Any], tmp_path: Path) -> None:  # fmt: skip
    page = (Path(__file__).parents[2] / "docs" / "reference" / "cli.md").read_text(encoding="utf-8")
    names = ("agents.bot", "opinions.judge", "records.orders", "channels.desk")
    for name in FAULTS:
        assert name in page
        assert profile_of(name).strikes(names)
    ended = understudy_here("demo", "--fault", "flood", cwd=tmp_path)
    assert ended.code == 3
    assert "provider-down" in ended.err
