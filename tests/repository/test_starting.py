"""What the tests fork (tests/starting.py) is what Python would have started: its words, folder, environment, streams and end."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest

import starting

TELLS = """
import atexit, json, os, sys, threading
atexit.register(lambda: print("at the end"))
threading.Thread(target=lambda: (threading.Event().wait(0.1), print("in a thread"))).start()
told = {"argv": sys.argv, "name": __name__, "path": sys.path[0], "cwd": os.getcwd(), "env": dict(os.environ)}
told |= {"read": sys.stdin.read(), "is_main": sys.modules["__main__"].told is told}
print(json.dumps(told))
print("to the other", file=sys.stderr)
sys.exit(3)
"""


@pytest.fixture(params=[False, True], ids=["forked", "afresh"])
def afresh(request: pytest.FixtureRequest) -> Any:
    return request.param


def test_program_has_its_words_folder_environment_and_streams(tmp_path: Path, afresh: bool) -> None:
    env = {"PATH": os.environ["PATH"], "MARK": "1", "LC_ALL": "C.UTF-8"}
    ended = starting.run(["-c", TELLS, "a", "b"], cwd=tmp_path, env=env, text="said ✓", afresh=afresh)
    told, *rest = ended.stdout.splitlines()
    found = json.loads(told)
    assert (found["argv"], found["name"], found["path"]) == (["-c", "a", "b"], "__main__", "")
    assert found["is_main"]
    assert (found["cwd"], found["env"], found["read"]) == (str(tmp_path), env, "said ✓")
    assert (ended.returncode, ended.stderr, rest) == (3, "to the other\n", ["in a thread", "at the end"])


def test_module_has_its_folder_first(tmp_path: Path, afresh: bool) -> None:
    (tmp_path / "mine.py").write_text("import sys\nprint(sys.argv[0], sys.argv[1:], sys.path[0], __name__)")
    ended = starting.run(["-m", "mine", "a"], cwd=tmp_path, afresh=afresh)
    assert ended.stdout == f"{tmp_path / 'mine.py'} ['a'] {tmp_path} __main__\n", ended.stderr


@pytest.mark.parametrize(
    ("program", "code", "says"),
    [("raise RuntimeError('odd')", 1, "RuntimeError: odd"), ("raise SystemExit('no')", 1, "no"), ("pass", 0, "")],
)
def test_program_ends_as_python_ends(tmp_path: Path, afresh: bool, program: str, code: int, says: str) -> None:
    ended = starting.run(["-c", program], cwd=tmp_path, afresh=afresh)
    assert (ended.returncode, ended.stderr.strip().rpartition("\n")[2]) == (code, says)


def test_program_is_killed_by_the_operating_system(tmp_path: Path, afresh: bool) -> None:
    words = ["-c", "import time; print('here', flush=True); time.sleep(60)"]
    process = starting.start(words, cwd=tmp_path, stdout=subprocess.PIPE, afresh=afresh)
    assert process.stdout.readline() == "here\n"
    assert process.poll() is None
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(timeout=0.05)
    process.kill()
    assert process.communicate() == ("", None)
    assert process.returncode == -signal.SIGKILL


def test_two_programs_know_nothing_of_each_other(tmp_path: Path) -> None:
    pipe = subprocess.PIPE
    first, second = (
        starting.start(["-c", "print(input())"], cwd=tmp_path, stdin=pipe, stdout=pipe, stderr=pipe) for _ in range(2)
    )
    assert first.pid != second.pid
    assert second.communicate("two\n") == ("two\n", "")
    assert first.communicate("one\n") == ("one\n", "")
