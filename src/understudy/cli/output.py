"""What every command shares: where the configuration is, exit codes, and how results are printed."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from understudy.settings.load import FILE_NAME, load
from understudy.settings.model import Settings

EXIT_OK = 0
EXIT_FAILED = 1
EXIT_INCONCLUSIVE = 2
EXIT_USAGE = 3
EXIT_INTERRUPTED = 130

ConfigOption = Annotated[
    Path | None,
    typer.Option("--config", "-c", help=f"configuration file; default ./{FILE_NAME}", envvar="UNDERSTUDY_CONFIG"),
]
JsonOption = Annotated[bool, typer.Option("--json", help="print JSON, for programs")]


def read_settings(config: Path | None, *, file_needed: bool = True) -> tuple[Settings, Path]:
    """Read the settings and the folder that relative paths start from; raises `ConfigurationError`."""
    path = config or Path(FILE_NAME)
    if config is None and not file_needed and not path.exists():
        return load(None, os.environ), Path.cwd()
    return load(path, os.environ), path.resolve().parent


def print_json(value: Any) -> None:
    """Print one JSON value on a line of its own."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False) + "\n")
    sys.stdout.flush()
