"""The wheel holds everything that the product needs once it is installed without its checkout."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from fnmatch import fnmatch
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

# Each pattern must match at least one file in the wheel.
REQUIRED = [
    "understudy/py.typed",  # type checkers believe our annotations only with it
    "understudy/cli/main.py",
    "understudy/adapters/stores/migrations/env.py",
    "understudy/adapters/stores/migrations/versions/*.py",
    "understudy/web/chat_page/*.html",
    "understudy/web/chat_page/*.js",
    "understudy/web/chat_page/*.css",
    "understudy/web/console_page/index.html",
    "understudy/web/console_page/assets/*.js",
    "understudy/web/console_page/assets/*.css",
    "understudy/demo/business/*",
    "understudy-*.dist-info/entry_points.txt",
    "understudy-*.dist-info/licenses/LICENSE",
    "understudy-*.dist-info/licenses/NOTICE",
]
FORBIDDEN = ["*__pycache__*", "tests/*", "benchmarks/*", "*.db", "*.env"]


@pytest.fixture(scope="module")
def contents(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The names in a wheel built from a copy of the checkout; needs no network, because hatchling is installed."""
    folder = tmp_path_factory.mktemp("checkout")
    for name in ("pyproject.toml", "README.md", "LICENSE", "NOTICE", ".gitignore"):
        shutil.copy(ROOT / name, folder)
    for name in ("src", "console"):
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__", "node_modules"))
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", "dist"]
    built = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=120)
    assert built.returncode == 0, built.stdout + built.stderr
    (wheel,) = (folder / "dist").glob("*.whl")
    return zipfile.ZipFile(wheel).namelist()


@pytest.mark.parametrize("pattern", REQUIRED)
def test_wheel_contains(pattern: str, contents: list[str]) -> None:
    assert [name for name in contents if fnmatch(name, pattern)], f"nothing matches {pattern} in the wheel"


@pytest.mark.parametrize("pattern", FORBIDDEN)
def test_wheel_does_not_contain(pattern: str, contents: list[str]) -> None:
    assert not [name for name in contents if fnmatch(name, pattern)]


def test_wheel_contains_every_file_of_the_package(contents: list[str]) -> None:
    package = ROOT / "src" / "understudy"
    written = {
        f"understudy/{path.relative_to(package).as_posix()}"
        for path in package.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and path.suffix not in {".db", ".pyc"}
    }
    assert not written - set(contents)
