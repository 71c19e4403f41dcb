"""`understudy simulate` as somebody uses it before going live, and the pages that tell them how."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

DOCS = Path(__file__).parents[2] / "docs"
WORLD = DOCS / "explanation" / "how-autonomy-is-earned.toml"
PICTURE = WORLD.with_suffix(".svg")
COMMANDS = re.findall(
    r"^```sh\n(.*?)^```",
    (DOCS / "how-to" / "choose-autonomy-settings.md").read_text(encoding="utf-8"),
    re.MULTILINE | re.DOTALL,
)
MEASURES = {
    "name", "risk_max", "drafts", "automation", "risk", "promoted", "promoted_on", "bad_before_demotion",
    "sent_before_demotion", "demoted", "reviews", "audits", "complaints", "false_promotions", "falls_for_nothing",
    "fixed_automation", "fixed_risk", "fixed_bad_after",
}  # fmt: skip


def test_programs_read_one_line_of_json(understudy_here: Any, tmp_path: Path) -> None:
    ended = understudy_here(
        "simulate", "--days", "20", "--runs", "2", "--slices", "orders,products", "--json", cwd=tmp_path
    )
    assert (ended.code, ended.err, ended.out.count("\n")) == (0, "", 1)
    found = json.loads(ended.out)
    assert (found["seed"], found["runs"], found["days"]) == (1, 2, 20)
    assert [one["name"] for one in found["slices"]] == ["orders×chat", "products×chat", "products×email"]
    for one in (*found["slices"], found["all"]):
        assert set(one) == MEASURES
        automation = one["automation"]
        assert automation["low"] <= automation["mean"] <= automation["high"]
        assert 0 <= automation["mean"] <= 1
    assert found["all"]["drafts"]["mean"] == sum(one["drafts"]["mean"] for one in found["slices"])


def test_people_read_a_table_with_the_plain_threshold_beside(understudy_here: Any, tmp_path: Path) -> None:
    ended = understudy_here("simulate", "--days", "15", "--slices", "orders", cwd=tmp_path)
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.count("orders×chat") == 2
    assert "15 days" in ended.out
    assert "plain threshold" in ended.out


def test_the_same_seed_says_the_same_and_another_something_else(understudy_here: Any, tmp_path: Path) -> None:
    words = ("simulate", "--days", "10", "--slices", "orders", "--json", "--seed")
    first, again, other = (understudy_here(*words, seed, cwd=tmp_path).out for seed in ("5", "5", "6"))
    assert first == again != other


def test_settings_in_force_are_those_of_the_configuration(understudy_here: Any, tmp_path: Path) -> None:
    """Nothing can be shown of a target that no labels of ten days reach."""
    (tmp_path / "understudy.toml").write_text("[autonomy]\nsevere_max = 0.0001\n", encoding="utf-8")
    words = ("simulate", "--days", "20", "--slices", "orders", "--json")
    strict = json.loads(understudy_here(*words, cwd=tmp_path).out)["all"]
    lax = json.loads(understudy_here(*words, "--config", "/dev/null", cwd=tmp_path).out)["all"]
    assert (strict["automation"]["mean"], strict["promoted"]["mean"]) == (0, 0)
    assert lax["promoted"]["mean"] == 1
    assert strict["fixed_automation"] == lax["fixed_automation"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--world", "none.toml"), "there is no world none.toml"),
        (("--slices", "weather"), "--slices weather: the world has orders/chat"),
        (("--runs", "0"), "--runs must be from 1"),
        (("--days", "0"), "--days must be from 1 to 3650"),
        (("--seed", "-1"), "--seed at least 0"),
        (("--plot", "picture.png"), "the picture is an .svg"),
        (("--plot", "no/such/folder.svg", "--days", "1"), "cannot be written"),
    ],
)
def test_what_cannot_be_played_is_refused_in_words(
    understudy_here: Any, tmp_path: Path, words: tuple[str, ...], said: str
) -> None:
    ended = understudy_here("simulate", *words, cwd=tmp_path)
    assert (ended.code, ended.out) == (3, "")
    assert said in ended.err


def test_what_is_kept_from_autonomy_is_refused(understudy_here: Any, tmp_path: Path) -> None:
    (tmp_path / "understudy.toml").write_text('[autonomy]\nnever_auto = ["orders"]\n', encoding="utf-8")
    ended = understudy_here("simulate", "--days", "1", cwd=tmp_path)
    assert ended.code == 3
    assert "orders×chat: the topic is in autonomy.never_auto" in ended.err


@pytest.mark.parametrize("commands", COMMANDS, ids=lambda text: text.splitlines()[-1][:40])
def test_commands_of_the_how_to_can_be_run(commands: str, tmp_path: Path) -> None:
    for earlier in COMMANDS[: COMMANDS.index(commands)]:
        if world := re.search(r"cat > world.toml <<'END'\n(.*?)^END$", earlier, re.MULTILINE | re.DOTALL):
            (tmp_path / "world.toml").write_text(world[1], encoding="utf-8")
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    ended = subprocess.run(
        ["sh", "-e", "-c", commands],
        check=False,
        cwd=tmp_path,
        env={"PATH": path, "LANG": "C.UTF-8", "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    assert "orders×chat" in ended.stdout
    if "--plot" in commands:
        ElementTree.parse(tmp_path / "orders.svg")


def test_picture_of_the_explanation_is_what_its_command_draws(understudy_here: Any, tmp_path: Path) -> None:
    ended = understudy_here(
        "simulate", "--world", str(WORLD), "--plot", str(tmp_path / "drawn.svg"), "--json", cwd=tmp_path
    )
    assert ended.code == 0, ended.err
    drawn = (tmp_path / "drawn.svg").read_text(encoding="utf-8")
    assert drawn == PICTURE.read_text(encoding="utf-8"), f"draw it anew: see the first lines of {WORLD.name}"
    found = json.loads(ended.out)["all"]
    page = (DOCS / "explanation" / "how-autonomy-is-earned.md").read_text(encoding="utf-8")
    sent, bad = found["sent_before_demotion"]["mean"], found["bad_before_demotion"]["mean"]
    assert f"{sent:.0f} replies had left, {bad:.0f} of them bad" in page
    assert f"would have sent {found['fixed_bad_after']['mean']:.0f} bad ones" in page
