"""The stage's fixtures (tests/stage.py) for the tests of this folder, and houses with real processes (tests/house.py)."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest


def load_beside(name: str) -> ModuleType:
    """Load a file of tests/ by its path, once for all folders: test files are no package."""
    full_name = f"understudy_tests_{name}"
    if full_name not in sys.modules:
        spec = importlib.util.spec_from_file_location(full_name, Path(__file__).parents[1] / f"{name}.py")
        assert spec is not None
        assert spec.loader is not None
        sys.modules[full_name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[full_name])
    return sys.modules[full_name]


stage = load_beside("stage")
staging, migrated, migrated_postgres, build = stage.staging, stage.migrated, stage.migrated_postgres, stage.build


@pytest.fixture(scope="session")
def houses() -> ModuleType:
    """Houses, as a module."""
    return load_beside("house")
