"""What is said while nobody is there, from the settings: a wrong name, no hours or a text without a time is named."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from understudy.effects.absence import NobodyHome
from understudy.errors import ConfigurationError
from understudy.settings.load import load
from understudy.settings.rules import rulebook_of
from understudy.turning import nobody_home_of

AWAY = '[safe_replies.away]\ntext = "We will write to you by {date}, {time}."\n[routing]\nnobody_home = "away"\n'
OPEN = '[business]\ntimezone = "Europe/Berlin"\nhours = ["mon-fri 09:00-17:00"]\nholidays = [2026-12-25]\n'


def read(folder: Path, text: str) -> NobodyHome | None:
    (folder / "understudy.toml").write_text(text, encoding="utf-8")
    settings = load(folder / "understudy.toml", {})
    return nobody_home_of(settings, rulebook_of(settings))


def test_who_says_nothing_of_it_says_nothing(tmp_path: Path) -> None:
    assert read(tmp_path, OPEN) is None


def test_it_is_read_with_hours_and_holidays(tmp_path: Path) -> None:
    found = read(tmp_path, OPEN + AWAY)
    assert found is not None
    assert found.holidays == (date(2026, 12, 25),)
    due_at = found.due_at(datetime(2026, 12, 24, 20, 0, tzinfo=UTC))
    assert due_at is not None
    assert due_at.isoformat() == "2026-12-28T10:00:00+01:00"


@pytest.mark.parametrize(
    ("text", "named"),
    [
        (OPEN + '[routing]\nnobody_home = "away"\n', "'away' is no safe reply"),
        (AWAY, "business.hours"),
        (OPEN + AWAY.replace(", {time}", ""), "{time} is missing"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, text: str, named: str) -> None:
    with pytest.raises(ConfigurationError, match=r"routing\.nobody_home") as raised:
        read(tmp_path, text)
    assert named in raised.value.message
