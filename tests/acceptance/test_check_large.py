"""A large file goes through `understudy check` in several processes: the same bytes, and Ctrl-C leaves nothing behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from understudy.cli.check_workers import ALONE_UP_TO

WITHIN_S = 120.0

pytestmark = pytest.mark.slow


@pytest.fixture
def large(tmp_path: Path, words: Any) -> Path:
    path = tmp_path / "large.jsonl"
    one = [json.dumps(words.record(f"r-{number}")) for number in range(ALONE_UP_TO + 60)]
    path.write_text("\n".join(one), encoding="utf-8")
    return path


def processes_in_group(group: int) -> list[int]:
    """The processes of a process group that are not waiting to be buried."""
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                state, _, in_group = (folder / "stat").read_text().rpartition(")")[2].split()[:3]
            except OSError:
                continue  # it ended meanwhile
            if int(in_group) == group and state != "Z":
                found.append(int(folder.name))
    return found


def test_output_is_the_same_as_in_small_pieces(large: Path, tmp_path: Path, understudy: Any) -> None:
    rows = large.read_text().splitlines(keepends=True)
    pieces = ""
    for start in range(0, len(rows), ALONE_UP_TO - 1):
        (tmp_path / "piece.jsonl").write_text("".join(rows[start : start + ALONE_UP_TO - 1]))
        pieces += understudy("check", "piece.jsonl", cwd=tmp_path).out
    assert understudy("check", str(large), cwd=tmp_path).out == pieces


def test_bad_line_far_down_is_named_and_gives_no_half_result(large: Path, tmp_path: Path, understudy: Any) -> None:
    with large.open("a") as out:
        out.write("\n{")
    ended = understudy("check", str(large), cwd=tmp_path)
    assert (ended.code, ended.out) == (3, "")
    assert f"line {ALONE_UP_TO + 61}" in ended.err


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks for processes in /proc")
def test_ctrl_c_ends_all_processes_and_leaves_no_file(large: Path, tmp_path: Path) -> None:
    large.write_text(large.read_text() + "\n" + (large.read_text() + "\n") * 100)
    command = [sys.executable, "-m", "understudy", "check", str(large), "-o", "out.jsonl"]
    with subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, start_new_session=True) as running:
        ends = time.monotonic() + WITHIN_S
        part = tmp_path / "out.jsonl.part"
        while not (part.exists() and part.stat().st_size):
            assert running.poll() is None, running.communicate()
            assert time.monotonic() < ends
            time.sleep(0.05)
        os.killpg(running.pid, signal.SIGINT)
        _, said = running.communicate(timeout=WITHIN_S)
    assert running.returncode == 130
    assert b"Traceback" not in said
    # What watches over shared memory for the workers ends by itself once the pipe to its parent is closed, so after it.
    while processes_in_group(running.pid):
        assert time.monotonic() < ends, processes_in_group(running.pid)
        time.sleep(0.05)
    assert [path.name for path in tmp_path.iterdir()] == [large.name]
