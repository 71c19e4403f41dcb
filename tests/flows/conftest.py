"""The stage's fixtures (tests/stage.py) for the tests of this folder."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import stage_notes

NAME = "understudy_tests_stage"

if NAME not in sys.modules:  # Test files are no package, so the module is loaded from its file, once for all folders.
    spec = importlib.util.spec_from_file_location(NAME, Path(__file__).parents[1] / "stage.py")
    assert spec is not None
    assert spec.loader is not None
    sys.modules[NAME] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(sys.modules[NAME])

stage = sys.modules[NAME]
staging, migrated, migrated_postgres, build = stage.staging, stage.migrated, stage.migrated_postgres, stage.build
desk, make = stage_notes.desk, stage_notes.make
