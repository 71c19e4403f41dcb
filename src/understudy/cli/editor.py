"""Somebody's own editor for a longer text; it holds the text in a private file for as long as the editor runs."""

from __future__ import annotations

import shlex
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path


def editor_command(environment: Mapping[str, str]) -> tuple[str, ...] | None:
    """Return the command in `VISUAL` or else `EDITOR`, None where neither is set."""
    command = shlex.split(environment.get("VISUAL") or environment.get("EDITOR") or "")
    return tuple(command) or None


def edit_in_editor(text: str, command: tuple[str, ...]) -> str | None:
    """Open `text` in the editor and return what was saved; None where the editor failed or could not be started."""
    with tempfile.TemporaryDirectory(prefix="understudy-") as folder:  # readable by its owner only
        path = Path(folder) / "reply.txt"
        path.write_text(text, encoding="utf-8", errors="replace", newline="")
        try:
            outcome = subprocess.run([*command, str(path)], check=False)  # noqa: S603 - the user's own editor
        except OSError:
            return None
        if outcome.returncode != 0:
            return None
        return path.read_text(encoding="utf-8", errors="replace").rstrip("\r\n")
