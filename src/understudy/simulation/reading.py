"""A world from its TOML file, or a part of one; what is wrong is said key by key."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from understudy.errors import ConfigurationError
from understudy.settings.section import Section
from understudy.simulation.world import Complaints, People, Regression, SliceWorld, World

SECTIONS: Final[dict[str, type[Section]]] = {
    "people": People,
    "complaints": Complaints,
    "slices": SliceWorld,
    "regression": Regression,
}
"""What the tables of a world hold; what stands in none is of the world itself."""


def read_world(path: Path) -> World:
    """Read a world; raises `ConfigurationError` naming every wrong key and its value."""
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigurationError(f"there is no world {path}; without --world a shop is simulated") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path} cannot be read: {error}") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"{path} is not TOML: {error}") from error
    try:
        return World.model_validate(data)
    except ValidationError as error:
        lines = [f"  {_explained(one)}" for one in error.errors(include_url=False)]
        raise ConfigurationError(f"{path} has {len(lines)} problem(s):\n" + "\n".join(lines)) from None


def part_of(world: World, *, days: int | None, slices: Sequence[str]) -> World:
    """The same world for so many days, and with only the slices named: a topic, or a topic/channel."""
    if days is not None and not 1 <= days <= 3650:
        raise ConfigurationError(f"--days must be from 1 to 3650, not {days}")
    chosen = world.slices
    if slices:
        unknown = [name for name in slices if not any(_is_named(of, name) for of in world.slices)]
        if unknown:
            there = ", ".join(f"{of.topic}/{of.channel}" for of in world.slices)
            raise ConfigurationError(f"--slices {', '.join(unknown)}: the world has {there}")
        chosen = tuple(of for of in world.slices if any(_is_named(of, name) for name in slices))
    return world.model_copy(update={"days": world.days if days is None else days, "slices": chosen})


def _is_named(of: SliceWorld, name: str) -> bool:
    return name in (of.topic, f"{of.topic}/{of.channel}", of.name)


def _explained(error: Any) -> str:
    where = ".".join(str(part) for part in error["loc"]) or "the world"
    if error["type"] == "extra_forbidden":
        tables = [part for part in error["loc"][:-1] if isinstance(part, str)]
        known = sorted((SECTIONS[tables[-1]] if tables else World).model_fields)
        near = difflib.get_close_matches(str(error["loc"][-1]), known, n=1)
        return f"{where}: unknown key, " + (f"did you mean {near[0]!r}?" if near else f"known keys: {', '.join(known)}")
    shown = "" if error["type"] in ("missing", "value_error") else f" (got {str(error['input'])[:60]!r})"
    return f"{where}: {error['msg'].removeprefix('Value error, ')}{shown}"
