"""The tutorial of the first release, run as it is written: every file and every command of docs/tutorial/first-release.md."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "tutorial" / "first-release.md"
FENCE = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)


QUIET = {"UNDERSTUDY__TELEMETRY__LOG_LEVEL": "ERROR"}
"""Nobody reads what the server logs here, and a full pipe would stop it."""


class Terminal:
    """One shell that stays open, as a reader's second terminal does: what is exported stays so."""

    def __init__(self, folder: Path, url: str) -> None:
        self._folder, self._before = folder, f"export URL={url}\n"

    def run(self, block: str) -> str:
        """Run a block after all that was defined before; returns what it printed."""
        block = re.sub(r"^export URL=.*\n", "", block, flags=re.MULTILINE)
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        env = {**os.environ, "PATH": path, "COLUMNS": "200", "NO_COLOR": "1"}
        ended = subprocess.run(
            ["bash", "-c", f"{self._before}\necho BEGIN\n{block}"],
            cwd=self._folder,
            env=env,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert ended.returncode == 0, (block, ended.stdout, ended.stderr)
        if "ask()" in block:
            self._before += block.rpartition("ask ")[0]
        return ended.stdout.partition("BEGIN\n")[2]


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="the tutorial is written for a POSIX shell")
def test_the_tutorial_goes_as_it_is_written(tmp_path: Path, start_server: Callable[..., Any]) -> None:
    said: list[str] = []
    terminal = Terminal(tmp_path, "")
    for kind, block in FENCE.findall(PAGE.read_text(encoding="utf-8")):
        if kind in ("python", "toml"):
            (tmp_path / {"python": "shop.py", "toml": "understudy.toml"}[kind]).write_text(block, encoding="utf-8")
        elif block.strip() == "understudy serve":
            terminal = Terminal(tmp_path, start_server(tmp_path, env=QUIET).url)
        else:
            said.append(terminal.run(block))
    _, first, adopted, listed, shadow, canary, broken, shown, again, by_hand = said
    assert '"decision":"deliver"' in first.replace(" ", "")
    assert "is the first release of shop, and answers as before" in adopted
    assert "gated" in listed
    assert re.search(r"\b[1-5] rehearsals", shadow)
    assert "canary for 50% of new conversations" in canary
    assert "is canary" not in broken
    assert "rolled_back by system: checks: worse by" in shown
    assert "verified by system: the old release answers" in shown
    assert again.replace(" ", "").count('"decision":"deliver"') + again.count("conversation_with_person") == 2
    assert "Verified: a probe was answered by the old release" in by_hand
