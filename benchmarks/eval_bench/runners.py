"""The same 500 cases tried by three runners against one agent: how each is set up and called, and where its peers come from."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

CACHE = Path(__file__).resolve().parents[2] / ".bench"
INSPECT = ("inspect-ai==0.3.285", "openai==3.57.0")
PROMPTFOO = "promptfoo@0.121.20"
CASES = 500
AT_ONCE = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Runner:
    """A way to try the cases: `call` gives the command for so many trials of each and where its results will be; it is
    run in `folder`."""

    name: str
    version: str
    folder: Path
    call: Callable[[int], tuple[list[str], Path]]
    environment: Mapping[str, str] = field(default_factory=dict)


class Missing(Exception):
    """A peer cannot be had here; the message says why."""


def question(number: int) -> str:
    return f"Hello, I am customer {number}. When does my order arrive? Its number is A-{1000 + number}?"


def wanted(number: int) -> str:
    return f"A-{1000 + number} arrives"


def understudy(folder: Path, port: int) -> Runner:
    home = folder / "understudy"
    suite = home / "suites" / "bench"
    suite.mkdir(parents=True)
    (home / "understudy.toml").write_text(
        f'[agents.fake]\nkind = "chat_completions"\nbase_url = "http://127.0.0.1:{port}/v1"\nmodel = "fake"\n'
    )
    for number in range(CASES):
        text = f"id: c{number}\nmessages:\n- user: {json.dumps(question(number))}\ngraders:\n- regex: {json.dumps(wanted(number))}\n"
        (suite / f"c{number}.yaml").write_text(text)

    def call(trials: int) -> tuple[list[str], Path]:
        out = home / f"out-{trials}.jsonl"
        out.unlink(missing_ok=True)
        words = [
            "eval",
            "run",
            "bench",
            "-o",
            str(out),
            "--trials",
            str(trials),
            "--concurrency",
            str(AT_ONCE),
            "--json",
        ]
        return [sys.executable, "-m", "understudy", *words, "--config", str(home / "understudy.toml")], out

    from understudy import __version__

    return Runner(name="understudy", version=__version__, folder=home, call=call)


def inspect(folder: Path, port: int) -> Runner:
    python = _inspect_python()
    home = folder / "inspect"
    home.mkdir()
    samples = [{"id": f"c{n}", "input": question(n), "target": wanted(n)} for n in range(CASES)]
    (home / "samples.json").write_text(json.dumps(samples))
    (home / "bench.py").write_text(
        "import json, pathlib\n"
        "from inspect_ai import Task, task\n"
        "from inspect_ai.dataset import Sample\n"
        "from inspect_ai.scorer import includes\n"
        "from inspect_ai.solver import generate\n"
        "@task\n"
        "def bench():\n"
        "    read = json.loads((pathlib.Path(__file__).parent / 'samples.json').read_text())\n"
        "    return Task(dataset=[Sample(**one) for one in read], solver=generate(), scorer=includes())\n"
    )

    def call(trials: int) -> tuple[list[str], Path]:
        out = home / f"logs-{trials}"
        shutil.rmtree(out, ignore_errors=True)
        options = ["--model", "openai-api/fake/fake", "--epochs", str(trials), "--display", "none"]
        limits = [
            "--max-connections",
            str(AT_ONCE),
            "--max-samples",
            str(AT_ONCE),
            "--log-dir",
            str(out),
            "--log-format",
            "json",
        ]
        return [str(python.with_name("inspect")), "eval", "bench.py", *options, *limits], out

    environment = {"FAKE_API_KEY": "none", "FAKE_BASE_URL": f"http://127.0.0.1:{port}/v1"}
    version = INSPECT[0].split("==")[1]
    return Runner(name="inspect", version=version, folder=home, call=call, environment=environment)


def promptfoo(folder: Path, port: int) -> Runner:
    command = _promptfoo_command()
    home = folder / "promptfoo"
    home.mkdir()
    provider = {"id": "openai:chat:fake", "config": {"apiBaseUrl": f"http://127.0.0.1:{port}/v1", "apiKey": "none"}}
    tests = [
        {"description": f"c{n}", "vars": {"q": question(n)}, "assert": [{"type": "contains", "value": wanted(n)}]}
        for n in range(CASES)
    ]
    config = {"prompts": ["{{q}}"], "providers": [provider], "tests": tests, "description": "bench"}
    (home / "promptfooconfig.json").write_text(json.dumps(config))

    def call(trials: int) -> tuple[list[str], Path]:
        out = home / f"out-{trials}.json"
        out.unlink(missing_ok=True)
        words = ["eval", "-c", str(home / "promptfooconfig.json"), "-o", str(out), "--repeat", str(trials)]
        quiet = [
            "--max-concurrency",
            str(AT_ONCE),
            "--no-cache",
            "--no-progress-bar",
            "--no-table",
            "--no-write",
            "--no-share",
        ]
        return [str(command), *words, *quiet], out

    environment = {
        "PROMPTFOO_DISABLE_TELEMETRY": "1",
        "PROMPTFOO_DISABLE_UPDATE": "1",
        "PROMPTFOO_DISABLE_REMOTE_GENERATION": "1",
        "PROMPTFOO_CONFIG_DIR": str(home / "config"),
    }
    version = PROMPTFOO.split("@")[1]
    return Runner(name="promptfoo", version=version, folder=home, call=call, environment=environment)


def _inspect_python() -> Path:
    home = CACHE / "inspect-venv"
    python = home / "bin" / "python"

    def make() -> None:
        _run(["uv", "venv", "--quiet", "--python", sys.executable, str(home)])
        _run(["uv", "pip", "install", "--quiet", "--python", str(python), *INSPECT])

    _made_once(home, "Inspect AI", " ".join(INSPECT), make)
    return python


def _promptfoo_command() -> Path:
    home = CACHE / "promptfoo"
    if shutil.which("npm") is None:
        raise Missing("there is no npm on this machine; install Node 20.20 or newer")

    def make() -> None:
        home.mkdir(parents=True)
        (home / "package.json").write_text('{"private": true}')
        _run(["npm", "install", "--silent", "--no-audit", "--no-fund", PROMPTFOO], cwd=home)

    _made_once(home, "promptfoo", PROMPTFOO, make)
    return home / "node_modules" / ".bin" / "promptfoo"


def _made_once(home: Path, name: str, wanted: str, make: Callable[[], None]) -> None:
    stamp = home / ("made-" + hashlib.sha256(wanted.encode()).hexdigest()[:16])
    if stamp.exists():
        return
    sys.stderr.write(f"installing {name} into {home} (once)\n")
    shutil.rmtree(home, ignore_errors=True)
    make()
    stamp.touch()


def _run(words: list[str], *, cwd: Path | None = None) -> None:
    environment = {key: value for key, value in os.environ.items() if key != "VIRTUAL_ENV"}
    found = subprocess.run(words, cwd=cwd, check=False, capture_output=True, text=True, env=environment)
    if found.returncode:
        said = (found.stderr.strip() or found.stdout.strip() or "no word why").splitlines()[-1][:300]
        raise Missing(f"{' '.join(words[:3])} … failed: {said}")
