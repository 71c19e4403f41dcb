"""The stage (tests/stage.py) as fixtures: a whole house with fakes for each test."""

from __future__ import annotations

import importlib.util
import itertools
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest


def _load(name: str) -> ModuleType:
    """Load tests/NAME.py once; test files do not import each other, so there is no package it could come from."""
    module_name = f"understudy_tests_{name}"
    if module_name not in sys.modules:
        spec = importlib.util.spec_from_file_location(module_name, Path(__file__).parents[1] / f"{name}.py")
        assert spec is not None
        assert spec.loader is not None
        sys.modules[module_name] = module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    return sys.modules[module_name]


@pytest.fixture(scope="session")
def staging() -> ModuleType:
    """The module `stage`: its classes, rules and safe replies."""
    return _load("stage")


@pytest.fixture(scope="session")
def migrated(staging: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path: Path = staging.migrated_file(tmp_path_factory.mktemp("template") / "store.db")
    return path


@pytest.fixture
def build(staging: ModuleType, migrated: Path, tmp_path: Path) -> Iterator[Callable[..., Any]]:
    """Make a stage; name what is not as in `stage.Plan`."""
    made: list[Any] = []
    numbers = itertools.count(1)

    def stage(**plan: Any) -> Any:
        path = plan.pop("path", None) or staging.copied(migrated, tmp_path / f"store-{next(numbers)}.db")
        made.append(staging.Stage(staging.Plan(path=path, **plan)))
        return made[-1]

    yield stage
    for one in made:
        one.close()
