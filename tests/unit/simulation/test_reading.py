"""A world's file is read whole, and what is wrong with it is said key by key."""

from __future__ import annotations

from pathlib import Path

import pytest

from understudy.errors import ConfigurationError
from understudy.simulation.reading import part_of, read_world
from understudy.simulation.world import SHIPPED_WORLD


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "world.toml"


def test_a_world_is_what_its_file_says(file: Path) -> None:
    file.write_text(
        'days = 7\n[people]\nlazy = 1\n[[slices]]\ntopic = "a"\nbad = 0.2\n[slices.regression]\nday = 3\ntimes = 2\n'
    )
    world = read_world(file)
    assert (world.days, world.people.lazy, world.slices[0].bad) == (7, 1, 0.2)
    assert world.slices[0].regression is not None


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("days = 7", "slices: Field required"),
        ('dayz = 7\n[[slices]]\ntopic = "a"', "dayz: unknown key, did you mean 'days'"),
        ('[[slices]]\ntopic = "a"\nbad = 2', "slices.0.bad.*got '2'"),
        ('[[slices]]\ntopic = "a"\n[[slices]]\ntopic = "a"', "a×chat stands there twice"),
        ('[[slices]]\ntopic = "a"\nminor = 0.7\nmajor = 0.7', "at most 1, not 1.4"),
        ('[[slices]]\ntopic = "a"\nbad = 0.5\nregression = {day = 1, times = 3}', "more than all drafts"),
        ('[[slices]]\ntopic = "unknown"', "never earns autonomy"),
        ('people = {count = 1, lazy = 2}\n[[slices]]\ntopic = "a"', "2 lazy ones are more than all 1"),
        ("days = ", "is not TOML"),
    ],
)
def test_what_is_wrong_is_named(file: Path, text: str, words: str) -> None:
    file.write_text(text)
    with pytest.raises(ConfigurationError, match=words):
        read_world(file)


def test_a_part_is_named_by_topic_or_topic_and_channel() -> None:
    def names(*slices: str) -> list[str]:
        return [of.name for of in part_of(SHIPPED_WORLD, days=3, slices=slices).slices]

    assert names("products") == ["products×chat", "products×email"]
    assert names("products/email", "orders") == ["orders×chat", "products×email"]
    assert len(names()) == len(SHIPPED_WORLD.slices)
    with pytest.raises(ConfigurationError, match=r"nothing: the world has orders/chat"):
        names("orders", "nothing")
    with pytest.raises(ConfigurationError, match="--days"):
        part_of(SHIPPED_WORLD, days=0, slices=())
