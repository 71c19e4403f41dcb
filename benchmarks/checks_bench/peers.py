"""Other guardrails in the same run, where they install: the quickest rail of NeMo Guardrails; LLM Guard needs torch.

They run in an environment of their own under `.bench/`, made at the first run with a pinned version, over the same
drafts as `speed`; where that fails the reason stands in the result.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from itertools import islice
from pathlib import Path
from typing import Any

from checks_bench.planting import TRAJECTORIES
from checks_bench.speed import turns_of

NAME = "peers"
FILES = (TRAJECTORIES,)
CACHE = Path(__file__).resolve().parents[2] / ".bench"
NEMO = "nemoguardrails==0.24.1"
NO_LLM_GUARD = (
    "llm-guard 0.3.16 imports torch for every scanner, also for those without a model; it is not installed here"
)
RECORDS = 300
INSTALL_S_MAX = 600
RUN_S_MAX = 300
SCRIPT = '''
import asyncio, json, statistics, sys, time
from nemoguardrails import LLMRails, RailsConfig

CONFIG = """
models: []
rails:
  config:
    regex_detection:
      input:
        patterns: ["ignore (all|previous) instructions", "[0-9]{13,19}"]
  input:
    flows: [regex check input]
"""
rails = LLMRails(RailsConfig.from_content(yaml_content=CONFIG))

async def main():
    times = []
    for text in json.load(open(sys.argv[1])):
        began = time.thread_time()
        await rails.generate_async(messages=[{"role": "user", "content": text}], options={"rails": ["input"]})
        times.append((time.thread_time() - began) * 1e3)
    times = sorted(times[20:])
    print(json.dumps({"ms_p50": statistics.median(times), "ms_p99": times[int(0.99 * (len(times) - 1))]}))

asyncio.run(main())
'''


def measure(data: Path) -> dict[str, Any]:
    """Time one rail that looks for two patterns in a text; ours looks at the whole turn."""
    texts = [turn.draft.text for turn in islice(turns_of(data), RECORDS) if turn.draft is not None]
    return {"nemo_guardrails_regex_rail": _nemo(texts), "llm_guard": {"skipped": NO_LLM_GUARD}}


def _nemo(texts: list[str]) -> dict[str, Any]:
    try:
        python = _environment()
        with tempfile.TemporaryDirectory() as folder:
            given = Path(folder) / "texts.json"
            given.write_text(json.dumps(texts), encoding="utf-8")
            command = [str(python), "-c", SCRIPT, str(given)]
            ran = subprocess.run(command, check=True, capture_output=True, text=True, timeout=RUN_S_MAX)
        found: dict[str, Any] = json.loads(ran.stdout.strip().splitlines()[-1])
    except (OSError, subprocess.SubprocessError, ValueError, IndexError) as error:
        return {"skipped": f"{NEMO} did not install or run: {type(error).__name__}"}
    return found | {"version": NEMO.rpartition("=")[2]}


def _environment() -> Path:
    home = CACHE / "nemo-venv"
    stamp, python = home / f"made-{NEMO}", home / "bin" / "python"
    if not stamp.exists():
        print("making NeMo Guardrails' environment (once)", file=sys.stderr)
        shutil.rmtree(home, ignore_errors=True)
        uv = shutil.which("uv") or str(Path(sys.executable).with_name("uv"))
        for command in (
            [uv, "venv", "--quiet", "--python", sys.executable, str(home)],
            [uv, "pip", "install", "--quiet", "--python", str(python), NEMO],
        ):
            subprocess.run(command, check=True, timeout=INSTALL_S_MAX, capture_output=True)
        stamp.touch()
    return python
