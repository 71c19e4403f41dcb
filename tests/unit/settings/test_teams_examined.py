"""What the doctor says of teams: who in them is known to nobody, and whether any hand-off is no team's."""

from __future__ import annotations

from pathlib import Path

from understudy.doctor.result import Result
from understudy.doctor.teams import teams
from understudy.settings.load import load


def examined(folder: Path, text: str, *known: str) -> list[Result]:
    (folder / "understudy.toml").write_text(text, encoding="utf-8")
    return list(teams(load(folder / "understudy.toml", {}), known))


def test_without_teams_nothing_is_said(tmp_path: Path) -> None:
    assert examined(tmp_path, "") == []


def test_a_team_whose_members_are_known_is_right(tmp_path: Path) -> None:
    (found,) = examined(tmp_path, '[teams.all]\nmembers = ["Ana", "Ben"]\n', "Ana", "Ben", "Cem")
    assert (found.what, found.state, found.says) == ("team all", "ok", "2 people")


def test_a_member_whom_nobody_knows_is_named(tmp_path: Path) -> None:
    (found,) = examined(tmp_path, '[teams.all]\nmembers = ["Ana", "Bne"]\n', "Ana", "Ben")
    assert (found.state, found.says) == ("warning", "nobody is known as 'Bne', so nothing is given to them")


def test_it_is_said_that_some_hand_offs_are_no_teams(tmp_path: Path) -> None:
    few = '[teams.a]\nmembers = ["Ana"]\ntopics = ["refunds"]\n[teams.b]\nmembers = ["Ana"]\nlanguages = ["de"]\n'
    assert [one.what for one in examined(tmp_path, few, "Ana")] == ["team a", "team b", "teams"]
    everything = few + '[teams.c]\nmembers = ["Ana"]\n'
    assert [one.state for one in examined(tmp_path, everything, "Ana")] == ["ok", "ok", "ok"]
