"""A large file goes through `understudy check` in several processes: the same bytes, and Ctrl-C leaves nothing behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from understudy.cli.check_workers import ALONE_UP_TO

WITHIN_S = 120.0

pytestmark = pytest.mark.slow
in_proc = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks for processes in /proc")


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


@pytest.fixture
def pipe(tmp_path: Path) -> Path:
    """A file that ends only when whoever writes into it closes it."""
    path = tmp_path / "pipe.jsonl"
    os.mkfifo(path)
    return path


@contextmanager
def checking(file: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Check a file in a process group of its own."""
    command = [sys.executable, "-m", "understudy", "check", str(file), "-o", "out.jsonl"]
    with subprocess.Popen(command, cwd=file.parent, stderr=subprocess.PIPE, start_new_session=True) as running:
        try:
            yield running
        finally:
            if running.poll() is None:
                os.killpg(running.pid, signal.SIGKILL)


def interrupt(running: subprocess.Popen[bytes]) -> None:
    """Press Ctrl-C, and see that all processes end."""
    os.killpg(running.pid, signal.SIGINT)
    _, said = running.communicate(timeout=WITHIN_S)
    assert running.returncode == 130
    assert b"Traceback" not in said
    # What watches over shared memory for the workers ends by itself once the pipe to its parent is closed, so after it.
    until_so(lambda: not processes_in_group(running.pid))


def until_so(holds: Callable[[], bool]) -> None:
    ends = time.monotonic() + WITHIN_S
    while not holds():
        assert time.monotonic() < ends
        time.sleep(0.05)


def waits_for_more(pid: int) -> None:
    """Wait until a check has done what it was given: it has other processes, and none of them has worked for a while."""
    spent: list[tuple[int, str]] = []

    def is_at_rest() -> bool:
        group = processes_in_group(pid)
        spent.append((len(group), " ".join(cpu_of(one) for one in group)))
        return len(group) > 2 and len(spent) > 10 and len(set(spent[-10:])) == 1

    until_so(is_at_rest)


def cpu_of(pid: int) -> str:
    """What a process has used of the processor, as the kernel counts it; empty where it has ended."""
    try:
        return ",".join((Path("/proc") / str(pid) / "stat").read_text().rpartition(")")[2].split()[11:13])
    except OSError:
        return ""


@in_proc
def test_ctrl_c_ends_all_processes_and_leaves_no_file(large: Path, pipe: Path, tmp_path: Path) -> None:
    """More and more is read, so that it cannot be done before it is interrupted."""
    lines = large.read_bytes() + b"\n"

    def write() -> None:
        with suppress(BrokenPipeError), pipe.open("wb", buffering=0) as writing:
            while True:
                writing.write(lines)

    threading.Thread(target=write, daemon=True).start()
    part = tmp_path / "out.jsonl.part"
    with checking(pipe) as running:
        until_so(lambda: (part.exists() and part.stat().st_size > 0) or running.poll() is not None)
        interrupt(running)
    assert {path.name for path in tmp_path.iterdir()} == {large.name, pipe.name}


@in_proc
def test_ctrl_c_is_heard_while_nobody_writes_what_is_to_be_read(large: Path, pipe: Path, tmp_path: Path) -> None:
    with checking(pipe) as running, pipe.open("wb", buffering=0) as writing:
        writing.write(large.read_bytes() + b"\n")
        waits_for_more(running.pid)
        interrupt(running)
    assert {path.name for path in tmp_path.iterdir()} == {large.name, pipe.name}
