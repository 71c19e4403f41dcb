"""The systems under test: how each is configured, started and stopped, every one a server process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import urllib.request
from base64 import b64decode
from dataclasses import dataclass
from pathlib import Path
from urllib.error import URLError
from urllib.parse import urlsplit

from turns_harness.traffic import Address

BENCHMARKS = Path(__file__).resolve().parent.parent
SECRET = "whsec_YmVuY2htYXJrcy1vbmx5LW5vLXNlY3JldC1hdC1hbGw="
CHECKS = ("grounding", "actions", "exposure", "injection", "escalation", "policy", "quality", "agent")
CONFIG = """
[business]
name = "Parcel Shop"
[store]
url = "{store}"
[agents.bench]
kind = "python"
target = "turns_peers.agent:draft"
[channels.bench]
kind = "webhook"
secrets = ["{secret}"]
url = "{sink}"
[coalescing]
window_s_min = 0
window_s_max = 0
burst_s_max = 0
[autonomy]
grants = [{{ topic = "shipping", level = "auto", threshold = 0.0 }}, {{ topic = "returns", level = "assist" }}]
audit_rate = 0.0
automatic_per_hour_max = 1000000000
[review]
seed_rate = 0.0
second_rate = 0.0
expires_after_s = 86400
[telemetry]
log_level = "WARNING"
{checks}
"""
STARTS_WITHIN_S = 60.0
STOPS_WITHIN_S = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A running system."""

    name: str
    process: subprocess.Popen[str]
    address: Address

    def stop(self) -> None:
        """Ask it to end, and wait."""
        self.process.terminate()
        try:
            self.process.wait(STOPS_WITHIN_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def start_understudy(
    name: str, folder: Path, *, store: str, sink: str, with_checks: bool, arguments: tuple[str, ...] = ()
) -> Server:
    """Start `understudy serve`. Without its checks the decision is the coin: the topic alone says deliver or hold."""
    home = folder / name
    home.mkdir(parents=True, exist_ok=True)
    off = "" if with_checks else "\n".join(f"[checks.{check}]\nenabled = false" for check in CHECKS)
    config = home / "understudy.toml"
    config.write_text(CONFIG.format(store=store, secret=SECRET, sink=sink, checks=off), encoding="utf-8")
    command = [sys.executable, "-m", "understudy"]
    where = ["--config", str(config), "--json"]
    scopes = ["--scope", "holds:read", "--scope", "holds:write"]
    made = subprocess.check_output([*command, "keys", "create", "bench", *scopes, *where], env=_environment())
    process = _popen([*command, "serve", "--port", "0", *where, *arguments], home)
    return _ready(name, process, signing_key=b64decode(SECRET.removeprefix("whsec_")), api_key=json.loads(made)["key"])


def start_worker(name: str, folder: Path, *, of: str) -> subprocess.Popen[str]:
    """Start `understudy work` on the configuration of the server `of`; returns once it says that it works."""
    home = folder / name
    home.mkdir(parents=True, exist_ok=True)
    where = ["--config", str(folder / of / "understudy.toml"), "--json"]
    process = _popen([sys.executable, "-m", "understudy", "work", *where], home)
    assert process.stdout is not None
    if not process.stdout.readline():
        sys.exit(f"{name} did not start: {(home / 'stderr.txt').read_text()[-2000:]}")
    return process


def start_peer(name: str, folder: Path, *, python: Path, module: str, store: str, sink: str) -> Server:
    """Start a peer; `store` is a SQLite file or a PostgreSQL URL."""
    home = folder / name
    home.mkdir(parents=True, exist_ok=True)
    process = _popen([str(python), "-m", f"turns_peers.{module}", "--store", store, "--sink", sink], home)
    return _ready(name, process, signing_key=None, api_key=None)


def _environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(BENCHMARKS)}


def _popen(command: list[str], home: Path) -> subprocess.Popen[str]:
    with (home / "stderr.txt").open("w") as errors:
        return subprocess.Popen(command, cwd=home, env=_environment(), stdout=subprocess.PIPE, stderr=errors, text=True)


def _ready(name: str, process: subprocess.Popen[str], *, signing_key: bytes | None, api_key: str | None) -> Server:
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line:
        sys.exit(f"{name} did not start: see stderr.txt in its folder (--keep keeps it)")
    url = json.loads(line)["url"]
    ends = time.monotonic() + STARTS_WITHIN_S
    while time.monotonic() < ends:
        try:
            with urllib.request.urlopen(f"{url}/readyz", timeout=5):
                break
        except (URLError, ConnectionError):
            time.sleep(0.1)
    else:
        sys.exit(f"{name} did not become ready within {STARTS_WITHIN_S:g} s")
    parts = urlsplit(url)
    assert parts.hostname is not None
    assert parts.port is not None
    address = Address(host=parts.hostname, port=parts.port, signing_key=signing_key, api_key=api_key)
    return Server(name=name, process=process, address=address)
