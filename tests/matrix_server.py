"""A real Synapse for tests: from PyPI, in an environment of its own (`.synapse`, or what UNDERSTUDY_SYNAPSE names), over SQLite.

Synapse pins much of what it needs, so it does not share the environment of the tests; `.ci/run` makes it. Test files are
no package, so who needs this loads it by its path.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx2
import pytest

from mail_servers import free_port

ENVIRONMENT = Path(os.environ.get("UNDERSTUDY_SYNAPSE", Path(__file__).parents[1] / ".synapse"))
SECRET = "registers-users"
WITHIN_S = 120.0
CONFIG = """
server_name: shop.example
pid_file: {folder}/pid
signing_key_path: {folder}/signing.key
media_store_path: {folder}/media
report_stats: false
bcrypt_rounds: 4
suppress_key_server_warning: true
trusted_key_servers: []
registration_shared_secret: "{secret}"
macaroon_secret_key: "macaroons"
form_secret: "forms"
listeners:
  - port: {port}
    type: http
    bind_addresses: ["127.0.0.1"]
    resources: [{{names: [client]}}]
database:
  name: sqlite3
  args: {{database: "{folder}/store.db"}}
rc_message: {{per_second: 1000, burst_count: 1000}}
rc_registration: {{per_second: 1000, burst_count: 1000}}
rc_login: {{address: {{per_second: 1000, burst_count: 1000}}, account: {{per_second: 1000, burst_count: 1000}}}}
rc_joins: {{local: {{per_second: 1000, burst_count: 1000}}}}
rc_invites: {{per_room: {{per_second: 1000, burst_count: 1000}}, per_user: {{per_second: 1000, burst_count: 1000}}, per_issuer: {{per_second: 1000, burst_count: 1000}}}}
"""


@dataclass
class User:
    """Somebody with an account, and what they can do."""

    url: str
    id: str
    token: str
    _numbers: Any = field(default_factory=lambda: count(1))

    def ask(self, method: str, path: str, body: Any = None, **params: str) -> Any:
        answer = httpx2.request(
            method,
            f"{self.url}/_matrix/client/v3/{path}",
            json=body,
            params=params,
            headers={"authorization": f"Bearer {self.token}"},
            timeout=WITHIN_S,
        )
        assert answer.status_code == 200, answer.text
        return answer.json()

    def room_with(self, *others: str, encrypted: bool = False) -> str:
        state = [{"type": "m.room.encryption", "state_key": "", "content": {"algorithm": "m.megolm.v1.aes-sha2"}}]
        body = {"preset": "trusted_private_chat", "invite": list(others), "is_direct": True, "initial_state": state if encrypted else []}  # fmt: skip
        return str(self.ask("POST", "createRoom", body)["room_id"])

    def say(self, room: str, body: str, *, kind: str = "m.room.message", **content: Any) -> str:
        path = f"rooms/{quote(room)}/send/{kind}/t{next(self._numbers)}"
        return str(self.ask("PUT", path, {"msgtype": "m.text", "body": body, **content})["event_id"])

    def redact(self, room: str, event: str) -> None:
        self.ask("PUT", f"rooms/{quote(room)}/redact/{quote(event)}/t{next(self._numbers)}", {})

    def heard(self, room: str) -> list[Any]:
        """What others said in a room, oldest first."""
        chunk = self.ask("GET", f"rooms/{quote(room)}/messages", dir="b", limit="100")["chunk"]
        return [one for one in reversed(chunk) if one["type"] == "m.room.message" and one["sender"] != self.id]


@dataclass
class Synapse:
    """A running server."""

    url: str
    _names: Any = field(default_factory=lambda: count(1))

    def user(self, name: str | None = None) -> User:
        """Make an account."""
        name = name or f"user{next(self._names)}"
        nonce = httpx2.get(f"{self.url}/_synapse/admin/v1/register").json()["nonce"]
        mac = hmac.new(
            SECRET.encode(), "\0".join([nonce, name, "password", "notadmin"]).encode(), hashlib.sha1
        ).hexdigest()
        body = {"nonce": nonce, "username": name, "password": "password", "admin": False, "mac": mac}
        made = httpx2.post(f"{self.url}/_synapse/admin/v1/register", json=body, timeout=WITHIN_S)
        assert made.status_code == 200, made.text
        return User(url=self.url, id=made.json()["user_id"], token=made.json()["access_token"])


@contextmanager
def synapse_running() -> Iterator[Synapse]:
    """Start a server and remove it afterwards; skips the test where Synapse is not installed."""
    python = ENVIRONMENT / "bin" / "python"
    if not python.exists():
        pytest.skip(f"Synapse is not installed in {ENVIRONMENT}: uv venv .synapse, then VIRTUAL_ENV=.synapse uv pip install matrix-synapse")  # fmt: skip
    folder = Path(tempfile.mkdtemp(prefix="matrix-"))
    port = free_port()
    config = folder / "homeserver.yaml"
    config.write_text(CONFIG.format(folder=folder, port=port, secret=SECRET))
    command = [str(python), "-m", "synapse.app.homeserver", "-c", str(config)]
    subprocess.run([*command, "--generate-keys"], check=True, capture_output=True, cwd=folder, timeout=WITHIN_S)
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log)
    try:
        url = f"http://127.0.0.1:{port}"
        ends = time.monotonic() + WITHIN_S
        while True:
            with suppress(httpx2.HTTPError):
                if httpx2.get(f"{url}/_matrix/client/versions").status_code == 200:
                    break
            assert process.poll() is None, (folder / "log").read_text()[-3000:]
            assert time.monotonic() < ends, (folder / "log").read_text()[-3000:]
            time.sleep(0.2)
        yield Synapse(url=url)
    finally:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(timeout=20)
        process.kill()
        process.wait()
        shutil.rmtree(folder, ignore_errors=True)
